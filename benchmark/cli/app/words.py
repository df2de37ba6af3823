"""The command line: Hydra's flags, options as ``KEY=VALUE``, and words that stand for others."""

import argparse
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig

from benchmark.cli.app.places import CONF
from benchmark.core.errors import UserError

_SHORT = {"--notes": "notes=true"}
"""Flags of our own, each with the option that it stands for."""
_OF_ROWS = ("experiment", "dataset", "nets", "table")
SHARED = ("dataset", "run", "bootstrap", "task")
"""What all rows of a table have in common."""


@dataclass(frozen=True)
class Form:
    """What a command takes beside options: files, and flags of its own.

    Attributes:
        files: The option that lists words which are no ``KEY=VALUE``.
        valued: Flags with a value, each with the option that it sets.
        switches: Flags without one, each with the word that it stands for.
    """

    files: str
    valued: Mapping[str, str]
    switches: Mapping[str, str]


FORMS = {
    "explain": Form(
        "images",
        {"--size": "model.input.size", "--classes": "named", "--top": "top", "--output": "output"},
        {"--counterfactual": "counterfactual=true"},
    ),
    "report": Form("results", {"--output": "output"}, {}),
    "table": Form("tables", {}, {"--compare": "compare=true", "--cite": "cite=true"}),
    "verify": Form("tables", {}, {}),
}
"""Commands that take more than options."""


@dataclass(frozen=True)
class Typed:
    """A command line, taken apart: Hydra wants its flags first, a person types them anywhere.

    Attributes:
        flags: Hydra's flags by their long names, each with its value (empty where it has none).
        words: The other words, in their order.
    """

    flags: Mapping[str, str]
    words: tuple[str, ...]

    @classmethod
    def of(cls, line: Sequence[str], form: Form | None = None) -> "Typed":
        """Take a command line apart.

        Args:
            line: What was typed after the command.
            form: What the command takes beside options.

        Raises:
            UserError: For a flag that Hydra does not have, a value that it does not take, or flags that
                exclude each other.
        """
        spelled_out = [_SHORT.get(word, word) for word in line]
        found, unknown = _parser(form).parse_known_intermixed_args(spelled_out)
        if unknown:
            raise UserError(f"{unknown[0]}: not understood; options are KEY=VALUE, and flags as --help shows")
        words = vars(found).pop("words")
        if form is not None:
            words = _as_options(words, vars(found), form)
        for word in words:
            _refuse_no_option(word)
        typed = {f"--{name.replace('_', '-')}": value for name, value in vars(found).items() if value}
        return cls({name: "" if value is True else value for name, value in typed.items()}, tuple(words))

    @property
    def line(self) -> list[str]:
        """Return the command line in Hydra's order."""
        flags = [part for name, value in self.flags.items() for part in (name, value) if part]
        return [*flags, *self.words]

    def value(self, key: str) -> str | None:
        """Return the value of ``KEY=VALUE`` without its quotes, or ``None`` if the key was not typed."""
        found = [word for word in self.words if word.partition("=")[0] == key]
        if not found:
            return None
        value = parsed(found[-1:])[0].value()
        return value if isinstance(value, str) else found[-1].partition("=")[2]

    @contextmanager
    def opened(self) -> Iterator[ConfigLoader]:
        """Give Hydra's loader of configurations, with the search path of this command line."""
        if GlobalHydra.instance().is_initialized():
            yield GlobalHydra.instance().config_loader()
            return
        path = Path(self.flags.get("--config-path") or CONF).absolute()
        with hydra.initialize_config_dir(str(path), version_base="1.3"):
            yield GlobalHydra.instance().config_loader()

    @property
    def searched(self) -> list[str]:
        """Return the search path of configurations, as a word for a composition outside of Hydra's main."""
        folder = self.flags.get("--config-dir")
        typed = [word for word in self.words if word.startswith("hydra.searchpath=")]
        return [f"hydra.searchpath=[{quoted(f'file://{Path(folder).absolute()}')}]"] if folder else typed

    def config_name(self, default: str) -> str:
        """Return the name of the yaml that is composed."""
        return self.flags.get("--config-name") or default


def parsed(words: Iterable[str]) -> list[Override]:
    """Parse words as Hydra does."""
    return OverridesParser.create().parse_overrides(list(words))


def key_of(override: Override) -> str:
    """Return the key that is set: ``method``, ``method.layer``, or ``method@reference`` for another place."""
    return f"{override.key_or_group}@{override.package}" if override.package else override.key_or_group


def quoted(value: str) -> str:
    """Return a value in quotes, inside of which Hydra reads every character as itself."""
    return QuotedString(value, Quote.single).with_quotes()


def written(key: str, value: str) -> str:
    """Write a word that Hydra reads as this text, in quotes where it would read a number, a list or nothing.

    >>> written("model", "vgg16"), written("model", "1.5"), written("dataset.root", "/a,b")
    ('model=vgg16', "model='1.5'", "dataset.root='/a,b'")
    """
    try:
        plain = parsed([f"{key}={value}"])[0].value() == value
    except HydraException:
        plain = False
    return f"{key}={value if plain and value else quoted(value)}"


def in_shell(word: str) -> str:
    """Return a word as it is typed in a shell.

    >>> print(in_shell("method=cam"), in_shell("dataset.root='/a b'"))
    method=cam "dataset.root='/a b'"
    """
    safe = shlex.quote(word)
    return word if safe == word else safe if any(mark in word for mark in '"$`\\!') else f'"{word}"'


def refuse_several(
    words: Iterable[str], chosen: Iterable[str], remedy: Callable[[str, Sequence[str]], str]
) -> None:
    """Refuse a list of names where one is chosen, of which Hydra would take the last without a word.

    Args:
        words: Words that were typed, or that a row lists.
        chosen: The groups that have one choice.
        remedy: Says what to do, from the group and the names.

    Raises:
        UserError: Naming the word and the remedy.
    """
    for override in parsed(word for word in words if "=[" in word):
        group, names = key_of(override), override.value()
        if isinstance(names, list) and group in chosen:
            how = remedy(group, [str(name) for name in names])
            raise UserError(f"{override.input_line}: one is chosen there, not a list; {how}")


def completed(typed: Typed, config_name: str) -> Typed:
    """Replace the words that stand for others.

    No word at all stands for ``experiment=table1`` where ``conf/config.yaml`` is run. ``row=NAME`` stands for
    the words that the table's yaml lists for that row; it is kept beside them, and what else was typed wins.
    ``analyse FILE …`` stands for ``action=analyse`` and ``answers=[FILE,…]`` of the command ``study``.

    Args:
        typed: The command line.
        config_name: The yaml behind the command.

    Raises:
        UserError: If there is no such row.
    """
    typed = _spelled_out(typed, config_name)
    idle = not set(typed.words) - set(_SHORT.values()) and "--help" not in typed.flags
    if idle and typed.config_name(config_name) == "config":
        return Typed(typed.flags, ("experiment=table1", *typed.words))
    name = typed.value("row")
    if name in (None, "", "null"):
        return typed
    keys = {word.partition("=")[0] for word in typed.words}
    own = [word for word in _row(typed, config_name, str(name)) if word.partition("=")[0] not in keys]
    return Typed(typed.flags, (*own, *typed.words))


def _spelled_out(typed: Typed, config_name: str) -> Typed:
    """Write the verb and the files of ``study``, which a person types bare, as options."""
    bare = [word for word in typed.words if "=" not in word and not word.startswith("~")]
    if not bare or typed.config_name(config_name) != "study":
        return typed
    words = [word for word in typed.words if word not in bare]
    files = [f"answers=[{','.join(map(quoted, bare[1:]))}]"] if bare[1:] else []
    return Typed(typed.flags, (f"action={bare[0]}", *files, *words))


def rows_of(cfg: DictConfig) -> dict[str, list[str]]:
    """Return the words of each row of a table, as its yaml lists them; none without a table.

    Raises:
        UserError: If a row is not a list of words.
    """
    table = {} if cfg.get("table") is None else cfg.table
    rows = table.get("rows") if isinstance(table, Mapping | DictConfig) else None
    if rows is None:
        rows = {}
    if not isinstance(table, Mapping | DictConfig) or not isinstance(rows, Mapping | DictConfig):
        raise UserError("table: a table has a name, a title and rows, as an experiment's yaml gives them")
    for name, own in rows.items():
        if not isinstance(own, ListConfig):
            raise UserError(
                f"table.rows.{name}: a row is a list of overrides, such as [model=vgg16, method=cam]"
            )
    return {str(name): [str(word) for word in own] for name, own in rows.items()}


def rows_to_type(names: Iterable[str]) -> str:
    """List rows as the words by which each is chosen in a shell."""
    return " | ".join(in_shell(written("row", name)) for name in names)


def _row(typed: Typed, config_name: str, name: str) -> list[str]:
    deciding = [word for word in typed.words if word.lstrip("+~").startswith(_OF_ROWS)]
    with typed.opened():
        cfg = hydra.compose(typed.config_name(config_name), [*typed.searched, *deciding])
        if "row" not in cfg or "table" not in cfg:
            return []  # another command's option, which is not about rows of a table
        rows = rows_of(cfg)
    if not rows:
        raise UserError(f"row={name}: there is no table here; name one, such as experiment=table1")
    if name not in rows:
        raise UserError(f"row={name}: there is no such row; choose {rows_to_type(rows)}")
    return rows[name]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(message)


def _as_options(words: Sequence[str], found: dict[str, Any], form: Form) -> list[str]:
    """Write files and a command's own flags as options, and take the flags out of what was found."""
    files = [word for word in words if "=" not in word or Path(word).exists()]
    options = [word for word in words if word not in files]
    for flag, option in form.valued.items():
        value = found.pop(_place(flag))
        options += (
            [] if value is None else [f"{option}={value}" if value.isdecimal() else written(option, value)]
        )
    options += [word for flag, word in form.switches.items() if found.pop(_place(flag))]
    return [*options, *([f"{form.files}=[{','.join(map(quoted, files))}]"] if files else [])]


def _place(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")


def _parser(form: Form | None = None) -> argparse.ArgumentParser:
    """Know Hydra's documented flags, and a command's own, at any place between the other words."""
    parser = _Parser(add_help=False, allow_abbrev=False)
    for flag in form.valued if form else ():
        parser.add_argument(flag)
    for flag in form.switches if form else ():
        parser.add_argument(flag, action="store_true")
    for names in (("--help", "-h"), ("--hydra-help",), ("--version",), ("--resolve",)):
        parser.add_argument(*names, action="store_true")
    for names in (("--config-name", "-cn"), ("--config-dir", "-cd"), ("--package", "-p")):
        parser.add_argument(*names)
    parser.add_argument("--config-path", "-cp", type=lambda path: str(Path(path).absolute()))
    modes = parser.add_mutually_exclusive_group()
    for names in (("--run", "-r"), ("--multirun", "-m"), ("--shell-completion", "-sc")):
        modes.add_argument(*names, action="store_true")
    modes.add_argument("--cfg", "-c", choices=("job", "hydra", "all"))
    info = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
    modes.add_argument("--info", "-i", nargs="?", const="all", choices=info)
    parser.add_argument("words", nargs="*")
    return parser


def _refuse_no_option(word: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in word):
        raise UserError(f"{word}: is not UTF-8; name the file by a link with a plain name (ln -s)")
    group, _, value = word.partition("=")
    if "@" in group and value in ("null", "~", "None"):
        raise UserError(f"{word}: to have none, type {group.partition('@')[2]}=null")
