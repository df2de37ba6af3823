"""What ``./scripts/explain-gap`` compares: a row's states from the paper to the run, and settings alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from omegaconf import DictConfig, OmegaConf

from benchmark.cli.app.build import plain
from benchmark.cli.app.groups import is_group, typed
from benchmark.cli.app.rows import ComposedRow, changes_of, composed, rows, variation
from benchmark.cli.app.words import rows_of
from benchmark.core.errors import UserError
from benchmark.pipeline.names import stem
from benchmark.tasks.boxes.gap import overrides as words
from benchmark.tasks.boxes.gap.scoring import Scoring

OWN = ("row", "explain", "resamples", "conventions", "paper")
"""Options of the command's own, not of the run that is explained."""
RUN = "the run"
"""The name of the last state."""
_CHANGING = ("model", "method", "localizer", "transform")
"""What a row consists of."""


@dataclass(frozen=True)
class GapStates:
    """A row, and the states of it that are compared.

    Attributes:
        row: The row's name.
        stem: Of the files.
        base: The run's overrides, save those that the walk's last step is about.
        settings: Name of a state or setting to its words, laid over those.
        walk: States of the walk by name, with the convention just changed and in words from what to what.
        alone: Convention, name and state of each setting alone.
        same: Conventions that are the same in paper and run.
        rows: State to its composed row; one that cannot be composed is left out.
        refused: Those, and why.
    """

    row: str
    stem: str
    base: list[str]
    settings: Mapping[str, list[str]]
    walk: list[tuple[str, str, str]]
    alone: list[tuple[str, str, str]]
    same: tuple[str, ...]
    rows: Mapping[str, ComposedRow]
    refused: Mapping[str, str]


def states_of(cfg: DictConfig) -> GapStates:
    """Compose every state that the command line and ``conf/explain-gap.yaml`` name.

    Raises:
        UserError: If there is no such row or convention.
    """
    words_of_run = [word for word in typed() if words.key_of(word).partition(".")[0] not in OWN]
    run = _run_row(cfg, words_of_run)
    own = rows_of(cfg).get(run.name, [])
    fitting = [word for word in run.fitting if word not in own]
    conventions, known = plain(cfg.conventions), _known(cfg, run)
    paper = {convention: setting for convention, setting in known.items() if _differs(run.cfg, setting)}
    changes = _changes(fitting, known)
    base = words.laid_over(own, [word for word in fitting if word not in changes], is_group)
    walk, settings = _walk(run, list(conventions), paper, changes)
    alone = []
    for convention, choices in conventions.items():
        for choice, setting in choices.items():
            chosen = setting if isinstance(setting, list) else setting.get(run.cfg.model.name)
            complete = words.filled(chosen, partial(_setting, run.cfg)) if chosen else None
            if complete is not None and not _has(run.cfg, complete):
                settings[f"{convention}: {choice}"] = words.laid_over(changes, complete, is_group)
                alone.append((convention, choice, f"{convention}: {choice}"))
    composed, refused = _composed(base, settings)
    changed = [convention for convention, setting in known.items() if not _has(run.cfg, setting)]
    same = _same(conventions, changed, changes) if known else ()
    return GapStates(run.name, _stem(cfg, run, fitting), base, settings, walk, alone, same, composed, refused)


def _known(cfg: DictConfig, run: ComposedRow) -> dict[str, list[str]]:
    """Return the paper's settings of the row, as far as they are known; none for a row of no paper's."""
    known: dict[str, list[str]] = plain(cfg.paper).get(run.name, {})
    for convention in known:
        if convention not in cfg.conventions:
            raise UserError(
                f"paper.{run.name}.{convention}: there is no such convention; "
                f"choose {', '.join(map(str, cfg.conventions))}"
            )
    return known


def _has(cfg: DictConfig, setting: Sequence[str]) -> bool:
    """Tell whether the run has these settings already."""
    return all(f"{key}={_setting(cfg, key)}" == word for word in setting for key in [words.key_of(word)])


def _differs(cfg: DictConfig, setting: Sequence[str]) -> bool:
    """Tell whether the run has these options, and otherwise: its localizer may have no threshold."""
    return not _has(cfg, setting) and all(_setting(cfg, words.key_of(word)) is not None for word in setting)


def _changes(fitting: Sequence[str], known: Mapping[str, Sequence[str]]) -> list[str]:
    """List what the user changed in the row, beside what the paper's settings are about: a step of its own.

    A row of which no paper's convention is known has no walk, and so no such step.
    """
    varied = [word for word in variation(list(fitting)) if word.startswith(_CHANGING)]
    return [word for word in varied if known and not words.covered(word, known.values())]


def _walk(
    run: ComposedRow, conventions: Sequence[str], paper: Mapping[str, Sequence[str]], changes: Sequence[str]
) -> tuple[list[tuple[str, str, str]], dict[str, list[str]]]:
    """List the states from the paper's conventions to the run, and the overrides of each."""
    walk, settings = [], {}
    for convention, left in words.walk(conventions, paper):
        here = RUN if not changes else "the row as it comes"
        name = f"the paper's {', '.join(k for k in conventions if paper.get(k) in left)}" if left else here
        settings[name] = words.joined(left, is_group)
        walk.append((name, convention, _from_to(run.cfg, paper.get(convention, ()))))
    if changes:
        settings[RUN] = list(changes)
        walk.append((RUN, "as typed", ", ".join(changes)))
    return walk, settings


def _same(
    conventions: Mapping[str, Mapping[str, Any]], changed: Sequence[str], changes: Sequence[str]
) -> tuple[str, ...]:
    """List the conventions that are the paper's, as far as is known, and that the user did not change."""
    every = {
        convention: [
            setting
            for choice in choices.values()
            for setting in ([choice] if isinstance(choice, list) else choice.values())
        ]
        for convention, choices in conventions.items()
    }
    return tuple(
        convention
        for convention, settings in every.items()
        if convention not in changed and not any(words.touched(word, settings, is_group) for word in changes)
    )


def _stem(cfg: DictConfig, run: ComposedRow, fitting: Sequence[str]) -> str:
    """Name the files: the row, or the cell with its localizer, and what was changed."""
    cell = run.name if cfg.table else f"{run.name}-{run.cfg.localizer.name}"
    return stem(f"gap-{cell.replace('/', '-')}-{cfg.explain}", changes_of(cfg, fitting))


def _run_row(cfg: DictConfig, typed_words: Sequence[str]) -> ComposedRow:
    """Return the row to explain, as the run had it."""
    found = rows(cfg, typed_words)
    if len(found) > 1:
        raise UserError(f"row is not given; choose {' | '.join(f'row={row.name}' for row in found)}")
    return found[0]


def _setting(cfg: DictConfig, key: str) -> str | None:
    """Return the run's setting as text; of a group its name, of a convention of the scoring its side."""
    if key.startswith("score."):
        return str(getattr(Scoring(), key.removeprefix("score.")))
    found: Any = OmegaConf.select(cfg, key)
    if isinstance(found, DictConfig):
        found = found.get("name")
    return None if found is None else str(found)


def _from_to(cfg: DictConfig, setting: Sequence[str]) -> str:
    """Write the paper's setting beside the run's."""
    pairs = ((word, _setting(cfg, words.key_of(word))) for word in setting)
    return ", ".join(f"{word} → {own}" for word, own in pairs)


def _composed(
    base: Sequence[str], settings: Mapping[str, list[str]]
) -> tuple[dict[str, ComposedRow], dict[str, str]]:
    found: dict[str, ComposedRow] = {}
    refused: dict[str, str] = {}
    known: dict[tuple[str, ...], ComposedRow] = {}
    for name, setting in settings.items():
        lines = tuple(words.laid_over(base, words.parted(setting)[0], is_group))
        try:
            row = known.get(lines) or composed({name: ()}, lines)[0]
        except UserError as error:
            refused[name] = f"does not apply: {error}"
            continue
        known[lines] = row
        found[name] = replace(row, name=name)
    return found, refused
