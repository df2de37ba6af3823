"""The command line: Hydra's flags, options as ``KEY=VALUE``, and words that stand for others."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import hydra
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, ListConfig

from benchmark.cli.app.places import CONF
from benchmark.core.errors import UserError

_ALIASES = {
    **{"-h": "--help", "-c": "--cfg", "-p": "--package", "-r": "--run", "-m": "--multirun", "-i": "--info"},
    **{"-sc": "--shell-completion", "-cp": "--config-path", "-cn": "--config-name", "-cd": "--config-dir"},
}
_BARE = ("--help", "--hydra-help", "--version", "--resolve", "--run", "--multirun", "--shell-completion")
_VALUED: Mapping[str, tuple[str, ...]] = {
    "--cfg": ("job", "hydra", "all"),
    "--info": ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
    **dict.fromkeys(("--package", "--config-path", "--config-name", "--config-dir"), ()),
}
_SHORT = {"--notes": "notes=true"}
"""Flags of our own, each with the option that it stands for."""
_MODES = ("--run", "--multirun", "--cfg", "--info", "--shell-completion")
_OF_ROWS = ("experiment", "dataset", "nets", "table")


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
    def of(cls, line: Sequence[str]) -> "Typed":
        """Take a command line apart.

        Raises:
            UserError: For a flag that Hydra does not have, a value that it does not take, or flags that
                exclude each other.
        """
        flags: dict[str, str] = {}
        words: list[str] = []
        left = list(line)
        while left:
            word = left.pop(0)
            if not word.startswith("-") or word in _SHORT:
                words.append(_SHORT.get(word, word))
                continue
            typed, equals, value = word.partition("=")
            name = _ALIASES.get(typed, typed)
            if name not in _BARE and name not in _VALUED:
                raise UserError(f"{word}: not understood; options are KEY=VALUE, and flags as --help shows")
            if name in _VALUED and not equals:
                value = _value(name, left)
            flags[name] = value
        _refuse_contradictions(flags)
        for word in words:
            _refuse_no_option(word)
        return cls(flags, tuple(words))

    @property
    def line(self) -> list[str]:
        """Return the command line in Hydra's order."""
        flags = [part for name, value in self.flags.items() for part in (name, value) if part]
        return [*flags, *self.words]

    def value(self, key: str) -> str | None:
        """Return the value of ``KEY=VALUE``, or ``None`` if the key was not typed."""
        found = [value for name, _, value in (word.partition("=") for word in self.words) if name == key]
        return found[-1] if found else None

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
        return [f"hydra.searchpath=['file://{Path(folder).absolute()}']"] if folder else typed

    def config_name(self, default: str) -> str:
        """Return the name of the yaml that is composed."""
        return self.flags.get("--config-name") or default


def completed(typed: Typed, config_name: str) -> Typed:
    """Replace the words that stand for others.

    No word at all stands for ``experiment=table1`` where ``conf/config.yaml`` is run. ``row=NAME`` stands for
    the words that the table's yaml lists for that row; it is kept beside them, and what else was typed wins.

    Args:
        typed: The command line.
        config_name: The yaml behind the command.

    Raises:
        UserError: If there is no such row.
    """
    if typed.config_name(config_name) == "config" and not typed.words and "--help" not in typed.flags:
        return Typed(typed.flags, ("experiment=table1",))
    name = typed.value("row")
    if name in (None, "", "null"):
        return typed
    keys = {word.partition("=")[0] for word in typed.words}
    own = [word for word in _row(typed, config_name, str(name)) if word.partition("=")[0] not in keys]
    return Typed(typed.flags, (*own, *typed.words))


def rows_of(cfg: DictConfig) -> dict[str, list[str]]:
    """Return the words of each row of a table, as its yaml lists them; none without a table.

    Raises:
        UserError: If a row is not a list of words.
    """
    rows = cfg.table.rows if cfg.get("table") is not None else {}
    for name, own in rows.items():
        if not isinstance(own, ListConfig):
            raise UserError(
                f"table.rows.{name}: a row is a list of overrides, such as [model=vgg16, method=cam]"
            )
    return {str(name): [str(word) for word in own] for name, own in rows.items()}


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
        raise UserError(
            f"row={name}: there is no such row; choose {' | '.join(f'row={row}' for row in rows)}"
        )
    return rows[name]


def _value(name: str, left: list[str]) -> str:
    """Take the value of a flag from the words that follow it."""
    allowed = _VALUED[name]
    if name == "--info" and (not left or left[0] not in allowed):
        return "all"
    if not left:
        raise UserError(f"{name}: give a value" + (f", {' | '.join(allowed)}" if allowed else ""))
    value = left.pop(0)
    if allowed and value not in allowed:
        raise UserError(f"{name} {value}: choose {' | '.join(allowed)}")
    if name == "--config-path":
        return str(Path(value).absolute())
    return value


def _refuse_contradictions(flags: Mapping[str, str]) -> None:
    modes = [flag for flag in flags if flag in _MODES]
    if len(modes) > 1:
        raise UserError(f"{' '.join(modes)}: give one of these flags alone")
    if "--resolve" in flags and not {"--cfg", "--help"} & set(flags):
        raise UserError("--resolve: it belongs to --cfg job")


def _refuse_no_option(word: str) -> None:
    group, _, value = word.partition("=")
    if "@" in group and value in ("null", "~", "None"):
        raise UserError(f"{word}: to have none, type {group.partition('@')[2]}=null")
