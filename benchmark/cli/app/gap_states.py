"""The states of a row that ``./scripts/explain-gap`` compares: from the paper's conventions to the run's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from benchmark.cli.app.build import plain
from benchmark.cli.app.groups import is_group, typed
from benchmark.cli.app.rows import ComposedRow, changes_of, composed, rows, variation
from benchmark.cli.app.words import rows_of, rows_to_type
from benchmark.core.errors import UserError
from benchmark.pipeline.names import stem
from benchmark.tasks.boxes.gap.overrides import Words, filled, joined, key_of, laid_over, parted, touched
from benchmark.tasks.boxes.gap.scoring import Scoring

OWN = ("row", "explain", "resamples", "conventions", "paper")
"""Options of the command's own, not of the run that is explained."""
RUN = "the run"
"""The name of the last state."""
_CHANGING = ("model", "method", "localizer", "transform")
"""What a row consists of."""

_Conventions = Mapping[str, Mapping[str, Any]]
"""Convention to choice to its setting, or to the settings of several models by their names."""


class Setting(NamedTuple):
    """A state of the row.

    Attributes:
        name: Name of the state.
        convention: The convention that it changes, alone or last; empty for the first state of the walk.
        change: The change in words: from what to what, or to which choice.
        words: Laid over the row's own: overrides, and conventions of the scoring (``score.truth=first``).
    """

    name: str
    convention: str
    change: str
    words: list[str]


@dataclass(frozen=True)
class GapStates:
    """A row, and the states of it that are compared.

    Attributes:
        row: The row's name.
        stem: Beginning of the files' names.
        base: The run's overrides, save those that the walk's last step is about.
        walk: States from the paper's conventions to the run's.
        alone: The run with one setting changed.
        same: Conventions that are the same in paper and run.
        rows: State to its composed row; one that cannot be composed is left out.
        refused: Those, and why.
    """

    row: str
    stem: str
    base: list[str]
    walk: list[Setting]
    alone: list[Setting]
    same: tuple[str, ...]
    rows: Mapping[str, ComposedRow]
    refused: Mapping[str, str]


def states_of(cfg: DictConfig) -> GapStates:
    """Compose every state that the command line and ``conf/explain-gap.yaml`` name.

    Raises:
        UserError: If there is no such row or convention.
    """
    run = _run_row(cfg, [word for word in typed() if key_of(word).partition(".")[0] not in OWN])
    own = rows_of(cfg).get(run.name, [])
    fitting = [word for word in run.fitting if word not in own]
    conventions: _Conventions = plain(cfg.conventions)
    known = _known(cfg, run)
    changes = _changes(fitting, known)
    base = laid_over(own, [word for word in fitting if word not in changes], is_group)
    walk = list(_walk(run.cfg, {name: known[name] for name in conventions if name in known}, changes))
    alone = list(_alone(run.cfg, conventions, changes))
    found, refused = _composed(base, [*walk, *alone])
    same = _same(run.cfg, conventions, known, changes) if known else ()
    return GapStates(run.name, _stem(cfg, run, fitting), base, walk, alone, same, found, refused)


def _run_row(cfg: DictConfig, words: Words) -> ComposedRow:
    """Return the row to explain, as the run had it."""
    found = rows(cfg, words)
    if len(found) > 1:
        there = rows_to_type(row.name for row in found)
        raise UserError(f"row is not given; choose {there}, or ~experiment for the one cell that is typed")
    return found[0]


def _known(cfg: DictConfig, run: ComposedRow) -> dict[str, list[str]]:
    """Return the paper's settings of the row, as far as they are known; none for a row of no paper's."""
    known: dict[str, list[str]] = plain(cfg.paper).get(run.name, {})
    for name in known:
        if name not in cfg.conventions:
            there = ", ".join(map(str, cfg.conventions))
            raise UserError(f"paper.{run.name}.{name}: there is no such convention; choose {there}")
    return known


def _changes(fitting: Words, known: Mapping[str, Words]) -> list[str]:
    """List what the user changed in the row, beside what the paper's settings are about: a step of its own.

    A row of which no paper's convention is known has no walk, and so no such step.
    """
    varied = [word for word in variation(fitting) if word.startswith(_CHANGING)]
    settled = {key_of(word) for words in known.values() for word in words}
    return [word for word in varied if known and key_of(word) not in settled]


def _walk(cfg: DictConfig, known: Mapping[str, Words], changes: Words) -> Iterator[Setting]:
    """List the states from the paper's conventions to the run, in the order in which they are changed."""
    paper = {name: words for name, words in known.items() if _differs(cfg, words)}
    order = list(paper)
    for done in range(len(order) + 1):
        changed, left = "".join(order[done - 1 : done]), order[done:]
        here = "the row as it comes" if changes else RUN
        name = f"the paper's {', '.join(left)}" if left else here
        words = joined([paper[convention] for convention in left], is_group)
        yield Setting(name, changed, _from_to(cfg, paper.get(changed, ())), words)
    if changes:
        yield Setting(RUN, "as typed", ", ".join(changes), list(changes))


def _alone(cfg: DictConfig, conventions: _Conventions, changes: Words) -> Iterator[Setting]:
    """List the run with each setting that it does not have, all else as it is."""
    for convention, choices in conventions.items():
        for choice, setting in choices.items():
            chosen = setting if isinstance(setting, list) else setting.get(cfg.model.name)
            words = filled(chosen, partial(_setting, cfg)) if chosen else None
            if words is not None and not _has(cfg, words):
                whole = laid_over(changes, words, is_group)
                yield Setting(f"{convention}: {choice}", convention, choice, whole)


def _same(
    cfg: DictConfig, conventions: _Conventions, known: Mapping[str, Words], changes: Words
) -> tuple[str, ...]:
    """List the conventions that are the paper's, as far as is known, and that the user did not change."""
    same = []
    for convention, choices in conventions.items():
        settings = [
            words
            for choice in choices.values()
            for words in ([choice] if isinstance(choice, list) else choice.values())
        ]
        changed = convention in known and not _has(cfg, known[convention])
        if not changed and not any(touched(word, settings, is_group) for word in changes):
            same.append(convention)
    return tuple(same)


def _stem(cfg: DictConfig, run: ComposedRow, fitting: Words) -> str:
    """Name the files: the row, or the cell with its localizer, and what was changed."""
    cell = run.name if cfg.table else f"{run.name}-{run.cfg.localizer.name}"
    return stem(f"gap-{cell}-{cfg.explain}", changes_of(cfg, fitting))


def _has(cfg: DictConfig, words: Words) -> bool:
    """Return whether the run has these settings already."""
    return all(f"{key_of(word)}={_setting(cfg, key_of(word))}" == word for word in words)


def _differs(cfg: DictConfig, words: Words) -> bool:
    """Return whether the run has these options, and otherwise: its localizer may have no threshold."""
    return not _has(cfg, words) and all(_setting(cfg, key_of(word)) is not None for word in words)


def _setting(cfg: DictConfig, key: str) -> str | None:
    """Return the run's setting as text; of a group its name, of a convention of the scoring its side."""
    if key.startswith("score."):
        return str(getattr(Scoring(), key.removeprefix("score.")))
    found: Any = OmegaConf.select(cfg, key)
    if isinstance(found, DictConfig):
        found = found.get("name")
    return None if found is None else str(found)


def _from_to(cfg: DictConfig, words: Words) -> str:
    """Write the paper's setting beside the run's."""
    return ", ".join(f"{word} → {_setting(cfg, key_of(word))}" for word in words)


def _composed(base: Words, settings: Sequence[Setting]) -> tuple[dict[str, ComposedRow], dict[str, str]]:
    found: dict[str, ComposedRow] = {}
    refused: dict[str, str] = {}
    known: dict[tuple[str, ...], ComposedRow] = {}
    for setting in settings:
        lines = tuple(laid_over(base, parted(setting.words)[0], is_group))
        try:
            row = known.get(lines) or composed({setting.name: ()}, lines)[0]
        except UserError as error:
            refused[setting.name] = f"does not apply: {error}"
            continue
        known[lines] = row
        found[setting.name] = replace(row, name=setting.name)
    return found, refused
