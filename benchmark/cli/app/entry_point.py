"""A function of a configuration made into a command: what is typed, and every mistake as one line."""

import difflib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence

import hydra
from hydra._internal.utils import get_args_parser
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from benchmark.cli.app.config import CONF
from benchmark.core.errors import UserError
from benchmark.core.nested import flatten

Complete = Callable[[Sequence[str], Mapping[str, str]], list[str]]
"""Typed words and the environment → the words with what goes without saying."""

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
                    sys.argv[1:] = complete(sys.argv[1:], os.environ)
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
    for word in sys.argv[1:]:
        group, _, value = word.partition("=")
        if "@" in group and value in ("null", "~", "None"):
            raise UserError(f"{word}: to have none, type {group.partition('@')[2]}=null")


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
    if misspelt and "@" in misspelt.group(1):  # a group under another name: no person types that
        chosen = next((word for word in sys.argv[1:] if word.startswith("experiment=")), "experiment")
        return f"{chosen}: made for another command; the first lines of its yaml say which"
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
