"""The one door to Hydra: entry points, instantiation, and a table's rows.

Nothing below the entry points sees a configuration object: components are built here from their yaml, and
what has to be stored is handed on as plain dictionaries.
"""

import difflib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import (
    HydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from benchmark.errors import UserError
from benchmark.flat import flatten
from benchmark.published import Published, load

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent
_IN_CHECKOUT = (_CHECKOUT / "conf").is_dir()
CONF = _CHECKOUT / "conf" if _IN_CHECKOUT else _PACKAGE / "conf"
_PUBLISHED = _CHECKOUT / "results" / "published" if _IN_CHECKOUT else _PACKAGE / "published_numbers"

OmegaConf.register_new_resolver(
    "repository", lambda: str(_CHECKOUT if _IN_CHECKOUT else Path.cwd()), replace=True
)
OmegaConf.register_new_resolver(
    "embedded_weights", lambda: str(_PACKAGE / "weights" / "embedded"), replace=True
)


Complete = Callable[[Sequence[str], Mapping[str, str]], tuple[list[str], str]]
"""Typed words and the environment → the words with what goes without saying, and a notice to show."""

Main = Callable[[DictConfig], int]


def entry_point(config_name: str, complete: Complete | None = None) -> Callable[[Main], Callable[[], None]]:
    """Make a function of a configuration into a command with ``conf/<config_name>.yaml`` behind it.

    The function returns the exit status. A :class:`UserError`, a misspelt option or Ctrl-C ends the command
    with one line on stderr and status 2, 2 or 130; a defect of ours keeps its traceback.

    Args:
        config_name: The yaml's, without suffix.
        complete: Adds to the typed words what goes without saying.
    """

    def decorate(main: Main) -> Callable[[], None]:
        def task(cfg: DictConfig) -> None:
            # SystemExit passes through Hydra unharmed, where an exception would be reported in Hydra's words.
            status = _guard(config_name, lambda: main(cfg))
            if status:
                sys.exit(status)

        def start() -> None:
            os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach us, not a report on stderr
            command = hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(task)

            def checked() -> int:
                if complete is not None:
                    sys.argv[1:], notice = complete(sys.argv[1:], os.environ)
                    print(notice, end="\n" * bool(notice), file=sys.stderr)
                _check_flags()
                return command() or 0

            sys.exit(_guard(config_name, checked))

        return start

    return decorate


def _check_flags() -> None:
    """Refuse in one line what Hydra would answer with all of its usage."""
    _, unknown = get_args_parser().parse_known_args()
    if unknown:
        raise UserError(f"{unknown[0]}: not understood; options are KEY=VALUE, after any flag, see --help")


def _guard(config_name: str, action: Callable[[], int]) -> int:
    try:
        return action()
    except UserError as error:
        message, status = str(error), 2
    except (HydraException, OmegaConfBaseException) as error:
        message, status = _one_line(config_name, error), 2
    except KeyboardInterrupt:
        message, status = "interrupted; what was finished is kept, the same command continues", 130
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        sys.stderr.close()
        return 0
    print(f"error: {message}", file=sys.stderr)
    return status


def _one_line(config_name: str, error: Exception) -> str:
    """Hydra's message as one line that names what was typed, and the remedy."""
    if isinstance(error, OverrideParseException):
        quoted = r"KEY=\'a=b\', each quote with its backslash"
        return f"{error.override}: must be KEY=VALUE; a value with special characters is typed as {quoted}"
    if isinstance(error, MissingConfigException) and "/" in (error.missing_cfg_file or ""):
        group, _, name = str(error.missing_cfg_file).partition("/")
        return f"{group}={name}: there is no such {group}; choose one of {_choices(group)}"
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key or error}: this option has no value; set it"
    text = str(error)
    misspelt = re.search(r"Could not override '([^']+)'", text)
    if misspelt:
        return _no_such_option(config_name, misspelt.group(1))
    noise = ("full_key", "object_type", "reference_type", "Set the environment variable HYDRA_FULL_ERROR")
    return " ".join(line for line in map(str.strip, text.splitlines()) if not line.startswith(noise))


def _choices(group: str) -> str:
    return ", ".join(sorted(path.stem for path in (CONF / group).glob("*.yaml")))


def _no_such_option(config_name: str, option: str) -> str:
    """Points to the option of that name elsewhere, to the nearest beside it, or to all of them."""
    known, unchosen = _known(config_name)
    parent, _, last = option.rpartition(".")
    beside = {key.rpartition(".")[2]: key for key in known if key.rpartition(".")[0] == parent}
    near = [key for key in known if key.endswith(f".{option}")]
    near += [beside[name] for name in difflib.get_close_matches(last, beside)]
    near += [] if beside else difflib.get_close_matches(option, known)
    if parent in unchosen:
        hint = f"choose a {parent} first, {parent}=NAME, one of {_choices(parent)}"
    elif near:
        hint = f"did you mean {near[0]}?"
    elif parent and beside:
        hint = f"{parent} has {', '.join(name for name in beside if name != '_target_')}"
    else:
        hint = "see --help for the options that exist"
    return f"{option}: there is no such option here; {hint}"


def _known(config_name: str) -> tuple[list[str], set[str]]:
    """Every option under the groups chosen on the command line, and the groups of which none is chosen."""
    typed = [word for word in sys.argv[1:] if (CONF / (word.partition("=")[0] or "-")).is_dir()]
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        try:
            cfg = hydra.compose(config_name, typed, return_hydra_config=True)
        except HydraException:  # several choices to sweep over
            cfg = hydra.compose(config_name, return_hydra_config=True)
    chosen = {group: name for group, name in cfg.hydra.runtime.choices.items() if "/" not in group}
    leaves = [leaf.split(".") for leaf in flatten(OmegaConf.to_container(cfg, resolve=False))]
    paths = {".".join(leaf[: end + 1]): None for leaf in leaves for end in range(len(leaf))}
    known = [path for path in paths if not path.startswith("hydra")]
    return [*known, *chosen], {group for group, name in chosen.items() if name is None}


def published(name: str) -> Published:
    """Published numbers by the name of their file."""
    return load(_PUBLISHED / f"{name}.yaml")


def plain(cfg: Any) -> Any:
    """A configuration as plain dictionaries and lists, with every interpolation resolved."""
    return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)


def build(node: Any, **arguments: Any) -> Any:
    """Make the object that a yaml describes.

    Raises:
        UserError: For a mandatory option without a value, an option that the object does not have, or
            whatever the object itself refuses.
    """
    try:
        return instantiate(node, **arguments, _convert_="all")
    except MissingMandatoryValue as error:
        raise UserError(f"{error.full_key or error}: this option has no value; set it") from None
    except InstantiationException as error:
        raise _cause(error, node) from error


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
        lines, fitting = _lay_over(config_name, list(own), parsed)
        unused -= {str(override.input_line) for override in fitting}
        composed.append(Row(str(name), hydra.compose(config_name, lines), _changes(fitting)))
    if unused:
        raise UserError(f"{min(unused)}: no row of table {cfg.table.name} has this option")
    return composed


def _changes(overrides: list[Override]) -> tuple[str, ...]:
    prefix = "localizer."
    named = [(str(o.key_or_group), o.value()) for o in overrides]
    return tuple(f"{key.removeprefix(prefix)}={value}" for key, value in named if key.startswith(prefix))


def _parse(overrides: list[str]) -> list[Override]:
    return OverridesParser.create().parse_overrides(overrides)


def _is_group(override: Override) -> bool:
    return (CONF / override.key_or_group).is_dir()


def _lay_over(
    config_name: str, own: list[str], overrides: list[Override]
) -> tuple[list[str], list[Override]]:
    """A row's overrides under the user's, and those of the user's that fit it."""
    keys = {override.key_or_group for override in overrides}
    base = [override for override in _parse(own) if override.key_or_group not in keys]
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
    *("model", "method", "localizer", "metric", "transform"),
    *("run.precision", "run.top_k", "dataset.blacklist"),
)
_PLACES = ("model.weights_dir", "model.checksums")


def variation(overrides: list[str]) -> list[str]:
    """The user's overrides that make this another table than the experiment's own.

    Left out is what cannot change a number by itself: where files lie (their content is in the fingerprints),
    how work is shared out, tracking. What is left names the table's files.
    """
    named = {str(o.key_or_group): o for o in _parse(overrides)}
    kept = [o for key, o in named.items() if key.startswith(_NUMERIC) and key not in _PLACES]
    return sorted(str(o.input_line) for o in kept if not _names_a_file(o))


def _names_a_file(override: Override) -> bool:
    """Whether it is a file, whose content tells, and not ``random``, ``none`` or another edition."""
    files = ("model.weights", "dataset.blacklist")
    return override.key_or_group in files and any(c in str(override.value()) for c in "/.")
