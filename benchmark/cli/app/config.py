"""The one door to Hydra, beside :mod:`benchmark.cli.app.entry_point`: instantiation, and a table's rows.

Nothing below the entry points sees a configuration object: components are built here from their yaml, and
what has to be stored is handed on as plain dictionaries.
"""

import difflib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from benchmark.core.errors import UserError
from benchmark.reporting.published import Published, load

_PACKAGE = Path(__file__).resolve().parents[2]
_CHECKOUT = _PACKAGE.parent
_IN_CHECKOUT = (_CHECKOUT / "conf").is_dir()
CONF = _CHECKOUT / "conf" if _IN_CHECKOUT else _PACKAGE / "conf"
_PUBLISHED = _CHECKOUT / "results" / "published" if _IN_CHECKOUT else _PACKAGE / "published_numbers"

OmegaConf.register_new_resolver(
    "repository", lambda: str(_CHECKOUT if _IN_CHECKOUT else Path.cwd()), replace=True
)
OmegaConf.register_new_resolver(
    "embedded_weights", lambda: str(_PACKAGE / "models" / "weights" / "embedded"), replace=True
)
OmegaConf.register_new_resolver("package", lambda: str(_PACKAGE), replace=True)


def published(name: str) -> Published:
    """Published numbers by the name of their file."""
    return load(_PUBLISHED / f"{name}.yaml")


def plain(cfg: Any) -> Any:
    """A configuration as plain dictionaries and lists, with every interpolation resolved.

    Raises:
        UserError: For a single value where a group of options belongs.
    """
    _refuse_a_value(cfg)
    return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)


def build(node: Any, **arguments: Any) -> Any:
    """Make the object that a yaml describes.

    Raises:
        UserError: For a mandatory option without a value, an option that the object does not have, a single
            value where options belong, or whatever the object itself refuses.
    """
    if node is not None:
        _refuse_a_value(node)
    try:
        return instantiate(node, **arguments, _convert_="all")
    except MissingMandatoryValue as error:
        raise UserError(f"{error.full_key or error}: this option has no value; set it") from None
    except InstantiationException as error:
        raise _cause(error, node) from error


def built(node: Any) -> Any:
    """Make what a group describes: an object, objects by name where it is chosen as a list, or ``None``."""
    if not node:
        return None
    return build(node) if "_target_" in node else {str(name): build(one) for name, one in node.items()}


def _refuse_a_value(node: Any) -> None:
    """Refuse what replaced a whole group of options, in the words that were typed."""
    if isinstance(node, DictConfig | ListConfig | Mapping):
        return
    words = [word.partition("=") for word in typed()] if HydraConfig.initialized() else []
    keys = [key for key, _, value in words if value == str(node) and not (CONF / key).is_dir()]
    key = min(keys, key=lambda key: key.count("."), default="KEY")
    chosen = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    others = "".join(f" or {group}=NAME" for group in chosen if group.endswith(f"@{key}"))
    raise UserError(
        f"{key}={node}: a group of options belongs there, not one value; give {key}.OPTION=VALUE{others} "
        "(--help shows them)"
    )


def _cause(error: InstantiationException, node: Any) -> Exception:
    """What really went wrong, below Hydra's wrapping."""
    cause: BaseException = error
    while cause.__cause__ is not None and not isinstance(cause, UserError):
        cause = cause.__cause__
    if isinstance(cause, UserError):
        return cause
    where = node.get("_target_", "?") if node is not None else "?"
    if isinstance(cause, TypeError) and "argument" in str(cause):
        return UserError(f"{where}: {str(cause).split('()')[-1].strip()}; see the yaml for the options")
    if isinstance(cause, ImportError | AttributeError) or cause is error:
        return UserError(" ".join(str(error).split()))
    return error


@dataclass(frozen=True)
class Row:
    """One row of a table as configured.

    Attributes:
        name: Such as ``vgg16/grad_cam``.
        cfg: The row's composed configuration.
        changes: The user's changes to its localizer, as ``threshold=0.25``.
    """

    name: str
    cfg: DictConfig
    changes: tuple[str, ...]


def typed() -> list[str]:
    """The overrides that the user typed, inside an entry point."""
    return list(HydraConfig.get().overrides.task)


def rows(cfg: DictConfig, overrides: list[str], config_name: str = "config") -> list[Row]:
    """The rows that a configuration asks for: those of its table, or the one cell that it is itself.

    The user's overrides are laid over each row's own: a group that the user chose replaces the row's choice,
    and an option that only some rows have (a threshold, where others use GrabCut) changes those alone.

    Args:
        cfg: The composed configuration.
        overrides: What the user typed.
        config_name: What it was composed from.

    Raises:
        UserError: If an override fits no row, or a row is not a list of overrides.
    """
    parsed = _parse(overrides)
    if cfg.table is None:
        return [Row(f"{cfg.model.name}/{cfg.method.name}", cfg, _changes(parsed))]
    unused = {str(override.input_line) for override in parsed}
    composed = []
    for name, own in cfg.table.rows.items():
        if not isinstance(own, ListConfig):
            raise UserError(
                f"table.rows.{name}: a row is a list of overrides, such as [model=vgg16, method=cam]"
            )
        row, fitting = _composed(config_name, list(own), parsed)
        unused -= {str(override.input_line) for override in fitting}
        composed.append(Row(str(name), row, _changes(fitting)))
    if unused:
        raise UserError(f"{min(unused)}: no row of table {cfg.table.name} has this option")
    return composed


def swept(cfg: DictConfig, overrides: list[str]) -> list[Row]:
    """The rows of :func:`rows`, once for every combination of the values in ``sweep``.

    A row's name then ends in its values, ``vgg16/cam/patch=16``.

    Raises:
        UserError: As :func:`rows`; and if ``sweep`` is no mapping of options to lists of values.
    """
    if cfg.sweep is None:
        return rows(cfg, overrides)
    lists = cfg.sweep.values() if isinstance(cfg.sweep, DictConfig) else [None]
    if not all(isinstance(each, ListConfig) and each for each in lists):
        form = "'{reference.patch:[16,32]}'"
        raise UserError(f"sweep={cfg.sweep}: give options with lists of values, such as {form}")
    options = [str(key) for key in cfg.sweep]
    fixed = [word for word in overrides if word.partition("=")[0] in options]
    if fixed:
        raise UserError(f"{fixed[0]}: the rows go over a list of these; leave this out, and shorten the list")
    found = []
    for values in itertools.product(*cfg.sweep.values()):
        pairs = list(zip(options, values, strict=True))
        suffix = "/".join(_part_of_name(key, value) for key, value in pairs)
        lines = [*overrides, *(_assigned(key, value) for key, value in pairs)]
        own = cfg if cfg.table else _cell(lines)  # the rows of a table are composed one by one
        found += [replace(row, name=f"{row.name}/{suffix}") for row in rows(own, lines)]
    return found


def _cell(lines: list[str]) -> DictConfig:
    """The one cell of a sweep without a table."""
    try:
        return hydra.compose("config", lines)
    except ConfigCompositionException as error:
        option = str(error).partition("override '")[2].partition("'")[0]
        raise UserError(f"sweep: there is no option {option} here; see --help") from error


def product(config_name: str, overrides: list[str], *axes: Mapping[str, Sequence[Any]]) -> list[Row]:
    """The rows of a matrix or a sweep: every combination of the axes' values, the last axis the fastest.

    The user's overrides are laid over each row as in :func:`rows`. A row is named by its values,
    ``grad_cam/gradcam_15``; that of an option bears its last word, ``grad_cam/patch=16``.

    Args:
        config_name: What the rows are composed from.
        overrides: What the user typed.
        axes: Key, a group (``method``) or an option (``reference.patch``), to values; of several mappings,
            the rows of one follow those of the other.

    Raises:
        UserError: If a group has no such choice, the user set what an axis goes over, or an override fits no
            row.
    """
    parsed = _parse(overrides)
    fixed = [str(o.input_line) for o in parsed if any(_key(o) in keys for keys in axes)]
    if fixed:
        raise UserError(f"{fixed[0]}: the rows go over a list of these; leave this out, and shorten the list")
    unused = {str(override.input_line) for override in parsed}
    composed = []
    for keys in axes:
        for values in itertools.product(*keys.values()):
            pairs = dict(zip(keys, values, strict=True))
            own = [_assigned(key, value) for key, value in pairs.items()]
            row, fitting = _composed(config_name, own, parsed)
            unused -= {str(override.input_line) for override in fitting}
            name = "/".join(_part_of_name(key, value) for key, value in pairs.items())
            composed.append(Row(name, row, _changes([*_parse(own), *fitting])))
    if unused:
        raise UserError(f"{min(unused)}: no row has this option")
    return composed


def _composed(
    config_name: str, own: list[str], overrides: list[Override]
) -> tuple[DictConfig, list[Override]]:
    """A row under the user's overrides, and those of them that fit it: mostly all, which costs half."""
    keys = {_key(override) for override in overrides}
    every = [*(o for o in _parse(own) if _key(o) not in keys), *overrides]
    try:
        return hydra.compose(config_name, [str(o.input_line) for o in every]), overrides
    except ConfigCompositionException:
        lines, fitting = _lay_over(config_name, own, overrides)
        return hydra.compose(config_name, lines), fitting


def _assigned(key: str, value: Any) -> str:
    """An axis's value as an override; a choice that a group does not have is refused."""
    if (CONF / key).is_dir():
        choices = sorted(path.stem for path in (CONF / key).glob("*.yaml"))
        if value not in choices:
            near = difflib.get_close_matches(str(value), choices, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"choose of {', '.join(choices)}"
            raise UserError(f"{value}: there is no such {key}; {hint}")
    return f"{key}={'null' if value is None else value}"


def _part_of_name(key: str, value: Any) -> str:
    return str(value) if (CONF / key).is_dir() else f"{key.rpartition('.')[2]}={value}"


def _changes(overrides: list[Override]) -> tuple[str, ...]:
    prefix = "localizer."
    named = [(str(o.key_or_group), o.value()) for o in overrides]
    return tuple(f"{key.removeprefix(prefix)}={value}" for key, value in named if key.startswith(prefix))


def _parse(overrides: list[str]) -> list[Override]:
    return OverridesParser.create().parse_overrides(overrides)


def _key(override: Override) -> str:
    """What is set: ``method``, ``method.layer``, or ``method@reference``, the same group in another place."""
    place = f"@{override.package}" if override.package else ""
    return f"{override.key_or_group}{place}"


def _is_group(override: Override) -> bool:
    return (CONF / override.key_or_group).is_dir()


def _lay_over(
    config_name: str, own: list[str], overrides: list[Override]
) -> tuple[list[str], list[Override]]:
    """A row's overrides under the user's, and those of the user's that fit it."""
    keys = {_key(override) for override in overrides}
    base = [override for override in _parse(own) if _key(override) not in keys]
    base += [override for override in overrides if _is_group(override)]
    chosen = hydra.compose(config_name, [str(override.input_line) for override in base])
    fitting = [o for o in overrides if _is_group(o) or o.is_add() or _has(chosen, o.key_or_group)]
    lines = base + [override for override in fitting if not _is_group(override)]
    return [str(override.input_line) for override in lines], fitting


def _has(cfg: DictConfig, key: str) -> bool:
    parent, _, last = key.rpartition(".")
    node = OmegaConf.select(cfg, parent) if parent else cfg
    return isinstance(node, DictConfig) and last in node


_NUMERIC = (
    *("nets", "model", "method", "localizer", "metric", "transform"),
    *("reference", "classes", "reading", "pair_metric", "bootstrap", "sweep"),
    *("run.precision", "run.top_k", "dataset.blacklist"),
)
_PLACES = ("model.weights_dir", "model.checksums")


def variation(overrides: list[str]) -> list[str]:
    """The user's overrides that make this another table than the experiment's own.

    Left out is what cannot change a number by itself: where files lie (their content is in the fingerprints),
    how work is shared out, tracking. What is left names the table's files.
    """
    named = {_key(o): o for o in _parse(overrides)}
    kept = [o for key, o in named.items() if key.startswith(_NUMERIC) and key not in _PLACES]
    return sorted(str(o.input_line) for o in kept if not _names_a_file(o))


def _names_a_file(override: Override) -> bool:
    """Whether it is a file, whose content tells, and not ``random``, ``none`` or another edition."""
    files = ("model.weights", "model.input.mean_image", "dataset.blacklist")
    return override.key_or_group in files and any(c in str(override.value()) for c in "/.")
