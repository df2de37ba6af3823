"""Mistakes that Hydra and OmegaConf refuse, each as one line with the typed word and the remedy."""

import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import (
    ConfigAttributeError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)
from yaml import MarkedYAMLError, YAMLError

from benchmark.cli.app.known import Known
from benchmark.cli.app.launched import Terminated
from benchmark.cli.app.schema import refusal
from benchmark.cli.app.words import Typed, in_shell, key_of, parsed, quoted
from benchmark.core.errors import UserError, printable
from benchmark.core.exit_codes import ExitCode

_KINDS = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
_SOME_COMMANDS = ("task", "train", "table")
_NOISE = ("full_key", "object_type", "reference_type", "Set the environment variable HYDRA_FULL_ERROR")
CONFIGURATION = (HydraException, OmegaConfBaseException, YAMLError)
"""What a wrong configuration raises, at whatever time it is read."""


def guarded(action: Callable[[], int], describe: Callable[[Exception], str]) -> tuple[int, str]:
    """Give an action's exit code, and one line on what went wrong, which is printed.

    Args:
        action: The action, which may fail; a defect of this package shows its traceback.
        describe: Hydra's and OmegaConf's errors in one line.
    """
    try:
        return action(), ""
    except UserError as error:
        status, message = ExitCode.MISTAKE, str(error)
    except CONFIGURATION as error:
        status, message = ExitCode.MISTAKE, printable(describe(error))
    except KeyboardInterrupt as error:
        ended = isinstance(error, Terminated)
        status = ExitCode.TERMINATED if ended else ExitCode.INTERRUPTED
        how = "terminated" if ended else "interrupted"
        message = f"{how}; {str(error) or 'what was finished is kept, the same command continues'}"
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
        error: Whatever the composition of a configuration raised, or the use of one.
        typed: The command line.
        config_name: The yaml behind the command.
    """
    text = str(error)
    wrong = error if isinstance(error, ValidationError) else error.__cause__
    if isinstance(error, OverrideParseException):
        return _unreadable(str(error.override))
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key or text}: this option has no value; set it"
    if isinstance(wrong, ValidationError) and wrong.full_key:
        return _wrong_kind(wrong)
    if isinstance(error, YAMLError):
        return _no_yaml(error)
    if isinstance(error, OSError) and not isinstance(error, HydraException):  # Hydra's own folder
        what = f"{error.filename}: cannot be made" if error.filename else "the output cannot be written"
        return f"{what} ({error.strerror})" + ("; see results_dir" if error.filename else "")
    if isinstance(error, UnicodeDecodeError):
        folders = [typed.flags[flag] for flag in ("--config-dir", "--config-path") if flag in typed.flags]
        yaml = next(filter(_no_text, (p for f in folders for p in Path(f).rglob("*.yaml"))), None)
        return f"{yaml or 'a yaml of the configuration'}: is not text in UTF-8 ({error.reason}); convert it"
    known = Known(typed, config_name)
    if isinstance(error, MissingConfigException) and "/" in (error.missing_cfg_file or ""):
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        named = re.match(r"In '(.*?)':", text)  # a yaml's own defaults list
        where = f"{named.group(1)}.yaml: " if named and f"{group}={name}" not in typed.words else ""
        if named and named.group(1) == typed.config_name(config_name):  # whose choices an experiment changes
            chosen = typed.value("experiment") or ""
            where = f"experiment={chosen}: " if where and chosen else ""
        if not known.choices(group):
            return (
                f"{where}{group}={name}: there is no such group; --info searchpath shows where it is sought"
            )
        if group == "hydra/launcher" and name.startswith("submitit_"):
            return f"{group}={name}: not installed; type .venv/bin/python -m pip install '.[slurm]'"
        return f"{where}{group}={name}: there is no such {group}; choose one of {known.listed(group)}"
    if isinstance(error, ConfigAttributeError) and error.full_key:
        return _lacking(str(error.full_key), typed, known)
    for pattern, describe in _TEXTS:
        if found := re.search(pattern, text):
            return describe(found.group(1), typed, known)
    key = getattr(error, "full_key", None) or next(iter(re.findall(r"full_key: (\S+)", text)), None)
    return " ".join([f"{key}:"] * bool(key) + _words(text or str(error.__cause__)))


def _no_text(path: Path) -> bool:
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _words(text: str) -> list[str]:
    """Return the words of a message, without the lines that say where in Hydra it arose."""
    lines = [line for line in map(str.strip, text.splitlines()) if not line.startswith(_NOISE)]
    return " ".join(lines).split()


def _unreadable(word: str) -> str:
    key, sign, value = word.partition("=")
    if not (sign and re.fullmatch(r"[+~]*[\w./@-]+", key)) or not value:
        return f"{word}: must be KEY=VALUE"
    remedy = in_shell(f"{key}={quoted(value)}")
    return f"{word}: must be KEY=VALUE, a value with special characters in quotes; type {remedy}"


def _no_yaml(error: YAMLError) -> str:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    where = f"{mark.name}, line {mark.line + 1}" if mark else "a yaml of the configuration"
    return f"{where}: is not YAML ({' '.join(_words(getattr(error, 'problem', None) or str(error)))})"


def _lacking(key: str, typed: Typed, known: Known) -> str:
    """Answer the use of an option that a configuration lacks."""
    group = re.split(r"[.\[]", key)[0]
    if f"~{group}" in typed.words:
        return f"~{group}: this command needs a {group}; leave this word out"
    if group == key:
        return f"{key}: this command needs a choice there; choose one of {known.listed(key)}"
    return f"{key}: the yaml that was chosen for {group} lacks this option"


def _ambiguous(word: str, typed: Typed, known: Known) -> str:
    key, _, values = word.partition("=")
    each = known.several(key, values.split(","))
    if known.choices(key):
        return f"{word}: several values; {each}"
    whole = in_shell(f"{key}={quoted(values)}")
    return f"{word}: several values; for one with commas in it type {whole}; {each}"


def _no_option(option: str, typed: Typed, known: Known) -> str:
    chosen = next((word for word in typed.words if word.startswith("experiment=")), None)
    typed_it = any(word.lstrip("+~").startswith(option) for word in typed.words)
    # A group under another name, or one that only some commands have: no person typed that.
    if chosen is not None and ("@" in option or (option in _SOME_COMMANDS and not typed_it)):
        return f"{chosen}: made for another command; the first lines of its yaml say which"
    return known.no_such_option(option)


def _no_choice(kind: str, typed: Typed, known: Known) -> str:
    """Answer a group's value that is neither a name nor a list of names."""
    for override in parsed(typed.words):
        key, word, value = key_of(override), str(override.input_line), override.value()
        if value is None and not override.is_delete() and known.choices(key):
            return known.none(key, word)
        if not isinstance(value, str | list | None) and (known.choices(key) or not key):
            there = f"there is no such {key}; choose one of {known.listed(key)}"
            return f"{word}: {there if key else 'must be KEY=VALUE'}"
    return f"a group is chosen by a name, not by a {kind}"


def _unset(variable: str, typed: Typed, _known: Known) -> str:
    word = next((word for word in typed.words if variable in word), "a yaml of the configuration")
    return f"{word}: the environment variable {variable} is not set; set it, or give the value itself"


def _made_of_another(key: str, _typed: Typed, _known: Known) -> str:
    group, _, name = key.partition(".")
    return f"{key}: another choice is made of it; choose it as well, {group}=[{name},…]"


def _no_mapping(_: str, typed: Typed, known: Known) -> str:
    """Answer a yaml whose whole content is a list or a single value."""
    chosen = [word for word in typed.words if known.choices(word.partition("=")[0])]
    named = " or ".join(chosen) or "a yaml of the configuration"
    return f"{named}: its yaml holds no options; it must be of lines KEY: VALUE"


def _second(group: str, typed: Typed, known: Known) -> str:
    word = next((word for word in typed.words if word.startswith(f"+{group}=")), group)
    return f"{word}: there is a choice already; to change it type {word.lstrip('+')}"


_TEXTS: tuple[tuple[str, Callable[[str, Typed, Known], str]], ...] = (
    (r"UserError raised while resolving interpolation: (.*)", lambda message, _typed, _known: message),
    (r"Interpolation key '((?:reading|pair_metric)\.\w+)' not found", _made_of_another),
    (r"Environment variable '(.*?)' not found", _unset),
    (r"(Cannot merge DictConfig with)", _no_mapping),
    (r"Could not override '([^']+)'", _no_option),
    (r"Ambiguous value for argument '(.*)'", _ambiguous),
    (r"Config group override must be a string or a list. Got (\w+)", _no_choice),
    (r"Multiple values for ([\w@./]+)\.", _second),
    (
        r"Sweep parameters '(.*)' requires",
        lambda word, _typed, _known: f"{word}: a sweep; to run all of it type -m {in_shell(word)}",
    ),
)
"""What Hydra says, by words of its own that its exceptions do not carry in any other form."""


def _wrong_kind(error: ValidationError) -> str:
    found = re.search(r"Value '(.*?)'.* could not be converted to (\w+)", str(error))
    if found is None:
        return f"{error.full_key}: {str(error).splitlines()[0]}"
    known = refusal(str(error.full_key), found.group(1))
    return known or f"{error.full_key}={found.group(1)}: give {_KINDS.get(found.group(2), found.group(2))}"
