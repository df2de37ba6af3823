"""Rows of a table: each is a list of words, composed under what was typed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf

from benchmark.cli.app.groups import compose, is_group
from benchmark.cli.app.words import key_of, parsed, refuse_several, rows_of
from benchmark.core.errors import UserError


@dataclass(frozen=True)
class ComposedRow:
    """One row as configured.

    Attributes:
        name: Name of the row, such as ``vgg16/grad_cam``.
        cfg: The row's whole configuration.
        fitting: The words laid over it that it has a place for.
        changes: Those of them that change its localizer, as ``threshold=0.25``.
    """

    name: str
    cfg: DictConfig
    fitting: tuple[str, ...]
    changes: tuple[str, ...]


def rows(cfg: DictConfig, words: Sequence[str]) -> list[ComposedRow]:
    """Compose the rows that a configuration asks for: those of its table, or the one cell that it is itself.

    Args:
        cfg: The composed configuration.
        words: Words that were typed.

    Raises:
        UserError: If a word fits no row, or a row is not a list of words.
    """
    if cfg.table is None or cfg.get("row") is not None:
        name = f"{cfg.model.name}/{cfg.method.name}" if cfg.table is None else str(cfg.row)
        return [ComposedRow(name, cfg, tuple(words), _changes(words))]
    return composed(rows_of(cfg), words, f"no row of table {cfg.table.name} has this option")


def composed(
    named: Mapping[str, Sequence[str]], words: Sequence[str], refusal: str = "no row has this option"
) -> list[ComposedRow]:
    """Compose rows under what was typed, which is laid over each row's own words.

    A group that was typed replaces the row's choice, and an option that only some rows have (a threshold,
    where others use GrabCut) changes those alone.

    Args:
        named: Row to its own words.
        words: Words that were typed.
        refusal: Error message for a word that fits no row.

    Raises:
        UserError: If there is such a word.
    """
    chosen = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    over = parsed(words)
    unused = {str(override.input_line) for override in over}
    found = []
    for name, own in named.items():
        refuse_several(own, chosen, lambda group, _: f"in row {name}; give each {group} a row")  # noqa: B023
        row, fitting = _composed(parsed(own), over)
        fit = tuple(str(override.input_line) for override in fitting)
        unused -= set(fit)
        found.append(ComposedRow(name, row, fit, _changes([*own, *fit])))
    if unused and named:
        raise UserError(f"{min(unused)}: {refusal}")
    return found


def refuse_fixed(words: Sequence[str], keys: Iterable[str]) -> None:
    """Refuse to set what the rows go over a list of.

    Raises:
        UserError: Naming the word.
    """
    fixed = [str(override.input_line) for override in parsed(words) if key_of(override) in set(keys)]
    if fixed:
        raise UserError(f"{fixed[0]}: the rows go over a list of these; leave this out, and shorten the list")


def _composed(own: list[Override], over: list[Override]) -> tuple[DictConfig, list[Override]]:
    """Compose a row under all words, or, where some do not fit, under those that do."""
    keys = {key_of(override) for override in over}
    own = [override for override in own if key_of(override) not in keys]
    try:
        return _compose([*own, *over]), over
    except ConfigCompositionException:
        groups = [override for override in over if is_group(override.key_or_group)]
        chosen = _compose([*own, *groups])
    fitting = [o for o in over if o in groups or o.is_add() or has(chosen, o.key_or_group)]
    return _compose([*own, *fitting]), fitting


def _compose(overrides: Iterable[Override]) -> DictConfig:
    return compose(str(each.input_line) for each in overrides)


def has(cfg: DictConfig, key: str) -> bool:
    """Return whether a configuration has an option."""
    parent, _, last = key.rpartition(".")
    node: Any = OmegaConf.select(cfg, parent) if parent else cfg
    return isinstance(node, DictConfig) and last in node


def _changes(words: Iterable[str]) -> tuple[str, ...]:
    named = [(str(override.key_or_group), override.value()) for override in parsed(words)]
    return tuple(
        f"{key.removeprefix('localizer.')}={value}" for key, value in named if key.startswith("localizer.")
    )


_NUMERIC = (
    *("nets", "model", "method", "localizer", "metric", "transform"),
    *("reference", "classes", "reading", "pair_metric", "bootstrap", "concepts", "task"),
    *("run.precision", "run.top_k", "dataset.blacklist"),
)
_PLACES = ("model.weights_dir", "model.checksums")


def variation(words: Iterable[str]) -> list[str]:
    """Select the words that make this another table than the experiment's own; they name its files.

    Left out is what cannot change a number by itself: where files lie (their content is in the fingerprints),
    how work is shared out, tracking.
    """
    named = {key_of(override): override for override in parsed(words)}
    kept = [one for key, one in named.items() if key.startswith(_NUMERIC) and key not in _PLACES]
    return sorted(str(override.input_line) for override in kept if not _names_a_file(override))


def changes_of(cfg: DictConfig, words: Sequence[str]) -> list[str]:
    """Select what was changed in an experiment, or, without one, beside the cell's own parts.

    Words that stand for a row (``row=NAME``) are its own, and no change of it.
    """
    if cfg.table is None:
        named = ("model=", "method=", "localizer=")
        return [word for word in variation(words) if not word.startswith(named)]
    own = rows_of(cfg).get(str(cfg.get("row")), [])
    return variation(word for word in words if word not in own)


def _names_a_file(override: Override) -> bool:
    """Return whether it is a file, identified by its content, and not ``random``, ``none`` or an edition."""
    files = ("model.weights", "model.input.mean_image", "dataset.blacklist", "pair_metric.neuron_names.table")
    return override.key_or_group in files and any(mark in str(override.value()) for mark in "/.")
