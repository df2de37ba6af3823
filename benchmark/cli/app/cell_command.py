"""The command that measures one row of a table again, derived from what its result says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from benchmark.cli.app.groups import choices, search_path
from benchmark.cli.app.words import Typed, completed, in_shell, written
from benchmark.core.errors import UserError
from benchmark.core.types import Result

_CHOSEN = ("model", "method", "localizer", "transform", "classes", "reading")
"""Groups of which a row may have another choice than its experiment, each before its options."""
_FOLLOWING = ("weights_dir", "checksums", "cache", "_target_", "note")
"""Last parts of options that follow from others, or where a file of another name lies."""


def cell_command(table: str, result: Result) -> str:
    """Return the command of a row: its experiment's where there is one, and all options that differ from it.

    Files and folders are named by their last part, as a result names them.

    Args:
        table: The table's name: an experiment's, and what was changed in it.
        result: The row.

    Returns:
        The command; empty where the row has a choice that is not on the search path, such as a model of one's
        own, or one whose options do not compose.
    """
    try:
        return _command(table, result)
    except (UserError, HydraException, OmegaConfBaseException):
        return ""


def _command(table: str, result: Result) -> str:
    name, data = table.partition("+")[0], str(result.conditions.get("dataset", {}).get("name"))
    of_data = [written("dataset", data)] if data in choices("dataset") else []
    words, cfg = _row_of(name, result.row, of_data)
    chosen = {group: _choice(group, _name(result.config.get(group))) for group in _CHOSEN}
    if any(choice and choice not in choices(group) for group, choice in chosen.items()):
        return ""
    other = [
        written(group, str(choice))
        for group, choice in chosen.items()
        if choice and choice != _name(cfg.get(group))
    ]
    metrics = [name for name in result.config.get("metric") or () if name in choices("metric")]
    if metrics and set(metrics) != set(cfg.get("metric") or ()):
        other.append(f"metric=[{','.join(metrics)}]")
    if other:
        words = [*words, *other]
        cfg = _composed(words)
    return " ".join(["./scripts/run", *map(in_shell, [*words, *_options(result, cfg)])])


def _row_of(experiment: str, row: str, of_data: list[str]) -> tuple[list[str], DictConfig]:
    """Return the words of a row of an experiment, or of one cell where there is no such row, composed."""
    if experiment in choices("experiment"):
        words = [written("experiment", experiment), written("row", row), *of_data]
        with suppress(UserError):  # the table has rows that its user made
            return words, _composed(words)
    return of_data, _composed(of_data)


def _composed(words: list[str]) -> DictConfig:
    typed = completed(Typed({}, (*search_path(), *(words or ["row=null"]))), "config")  # no word is table1
    return hydra.compose("config", list(typed.words))


def _name(node: Any) -> str | None:
    with suppress(OmegaConfBaseException):  # a name may be made of an option without a value
        return node.get("name") if isinstance(node, Mapping | DictConfig) else None
    return None


def _choice(group: str, name: str | None) -> str | None:
    """Return the choice that bears a name, or whose name begins it, as ``max_box`` does ``max_box_0.25``."""
    found = [one for one in choices(group) if name and (name == one or name.startswith(f"{one}_"))]
    return max(found, key=len, default=name)


def _options(result: Result, cfg: DictConfig) -> Iterator[str]:
    """Yield each option of a row that is another than that of the composed configuration."""
    for group, stored in result.config.items():
        for key in [key for key in stored or () if _missing(cfg.get(group), key)]:  # others may be made of it
            yield from _word(f"{group}.{key}", stored[key], None)
            cfg[group][key] = stored[key]
        composed = (
            dict(_leaves(OmegaConf.to_container(cfg[group], resolve=True)))
            if isinstance(cfg.get(group), DictConfig)
            else {}
        )
        for key, value in _leaves(stored):
            if key.rpartition(".")[2] not in _FOLLOWING and key in composed and composed[key] != value:
                yield from _word(f"{group}.{key}", value, composed[key])


def _missing(node: Any, key: str) -> bool:
    return isinstance(node, DictConfig) and OmegaConf.is_missing(node, key)


def _word(key: str, value: Any, composed: Any) -> Iterator[str]:
    if isinstance(value, str):
        if not isinstance(composed, str) or Path(composed).name != value:
            yield written(key, value)
    else:
        yield f"{key}={json.dumps(value, separators=(',', ':'))}"


def _leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(tree, Mapping):
        yield prefix, list(tree) if isinstance(tree, tuple) else tree
        return
    for key, value in tree.items():
        yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
