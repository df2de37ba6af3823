"""Mistakes that Hydra and OmegaConf refuse, each as one line with the typed word and the remedy."""

import difflib
import re
import sys
import traceback
from collections.abc import Callable

import hydra
from hydra.core.config_loader import ConfigLoader
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException, ValidationError

from benchmark.cli.app.schema import refusal
from benchmark.cli.app.words import Typed
from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.core.nested import flatten

_KINDS = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
_NOISE = ("full_key", "object_type", "reference_type", "Set the environment variable HYDRA_FULL_ERROR")


def guarded(action: Callable[[], int], describe: Callable[[Exception], str]) -> tuple[int, str]:
    """Give an action's exit status, and one line on what went wrong, which is printed.

    Args:
        action: The action, which may fail; a defect of this package shows its traceback.
        describe: Hydra's and OmegaConf's errors in one line.
    """
    try:
        return action(), ""
    except UserError as error:
        status, message = ExitCode.MISTAKE, str(error)
    except (HydraException, OmegaConfBaseException) as error:
        status, message = ExitCode.MISTAKE, describe(error)
    except KeyboardInterrupt:
        status, message = (
            ExitCode.INTERRUPTED,
            "interrupted; what was finished is kept, the same command continues",
        )
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        sys.stderr.close()
        return ExitCode.COMPLETE, ""
    except Exception as error:
        traceback.print_exc()
        status, message = ExitCode.DEFECT, f"{type(error).__name__}: {error}"
    print(f"error: {message}", file=sys.stderr)
    return status, message


def one_line(error: Exception, typed: Typed, config_name: str) -> str:
    """Say in one line what was mistyped.

    Args:
        error: Error of Hydra or OmegaConf.
        typed: The command line.
        config_name: The yaml behind the command.
    """
    text = str(error)
    if isinstance(error, OverrideParseException):
        quoted = r"KEY=\'a=b\', each quote with its backslash"
        return f"{error.override}: must be KEY=VALUE; a value with special characters is typed as {quoted}"
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key or text}: this option has no value; set it"
    wrong = error if isinstance(error, ValidationError) else error.__cause__
    if isinstance(wrong, ValidationError) and wrong.full_key:
        return _wrong_kind(wrong)
    if isinstance(error, MissingConfigException) and "/" in (error.missing_cfg_file or ""):
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        known = _Known(typed, config_name).listed(group)
        return f"{group}={name}: there is no such {group}; choose one of {known}"
    misspelt = re.search(r"Could not override '([^']+)'", text)
    if misspelt and "@" in misspelt.group(1):  # a group under another name: no person types that
        chosen = next((word for word in typed.words if word.startswith("experiment=")), "experiment")
        return f"{chosen}: made for another command; the first lines of its yaml say which"
    if misspelt:
        return _Known(typed, config_name).no_such_option(misspelt.group(1))
    return " ".join(line for line in map(str.strip, text.splitlines()) if not line.startswith(_NOISE))


def _wrong_kind(error: ValidationError) -> str:
    found = re.search(r"Value '(.*?)'.* could not be converted to (\w+)", str(error))
    if found is None:
        return f"{error.full_key}: {str(error).splitlines()[0]}"
    known = refusal(str(error.full_key), found.group(1))
    return known or f"{error.full_key}={found.group(1)}: give {_KINDS.get(found.group(2), found.group(2))}"


class _Known:
    """The options and groups that there are under what was typed."""

    def __init__(self, typed: Typed, config_name: str) -> None:
        chosen: dict[str, str | None]
        with typed.opened() as loader:
            self._loader, self._searched = loader, typed.searched
            groups = [word for word in typed.words if self._choices(word.partition("=")[0])]
            name = typed.config_name(config_name)
            try:
                cfg = hydra.compose(name, [*typed.searched, *groups], return_hydra_config=True)
            except HydraException:  # several choices to sweep over, or one that there is not
                cfg = hydra.compose(name, typed.searched, return_hydra_config=True)
        chosen = {group: name for group, name in cfg.hydra.runtime.choices.items() if "/" not in group}
        leaves = [leaf.split(".") for leaf in flatten(OmegaConf.to_container(cfg, resolve=False))]
        paths = {".".join(leaf[: end + 1]): None for leaf in leaves for end in range(len(leaf))}
        self._options = [*(path for path in paths if not path.startswith("hydra")), *chosen]
        self._unchosen = {group for group, name in chosen.items() if name is None}

    _loader: ConfigLoader

    def _choices(self, group: str) -> list[str]:
        return self._loader.get_group_options(group, overrides=self._searched)

    def listed(self, group: str) -> str:
        """Return every name by which a group can be chosen."""
        return ", ".join(sorted(self._choices(group)))

    def no_such_option(self, option: str) -> str:
        """Point to the option of that name elsewhere, to the nearest beside it, or to all of them."""
        parent, _, last = option.rpartition(".")
        beside = {key.rpartition(".")[2]: key for key in self._options if key.rpartition(".")[0] == parent}
        near = [key for key in self._options if key.endswith(f".{option}")]
        near += [beside[name] for name in difflib.get_close_matches(last, beside)]
        near += [] if beside else difflib.get_close_matches(option, self._options)
        if parent in self._unchosen:
            hint = f"choose a {parent} first, {parent}=NAME, one of {self.listed(parent)}"
        elif near:
            hint = f"did you mean {near[0]}?"
        elif parent and beside:
            hint = f"{parent} has {', '.join(name for name in beside if name != '_target_')}"
        else:
            hint = "see --help for the options that exist"
        return f"{option}: there is no such option here; {hint}"
