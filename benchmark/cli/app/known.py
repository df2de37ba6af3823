"""The options and the choices that there are under what was typed, for messages about what there is not."""

import difflib
from collections.abc import Sequence
from functools import cached_property

import hydra
from hydra.core.config_loader import ConfigLoader
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf

from benchmark.cli.app.words import SHARED, Typed, refuse_several
from benchmark.core.nested import flatten


class Known:
    """What a command line could have named; nothing is composed before it is asked for."""

    def __init__(self, typed: Typed, config_name: str) -> None:
        self._typed = typed
        self._name = typed.config_name(config_name)

    @cached_property
    def _loader(self) -> ConfigLoader:
        with self._typed.opened() as loader:
            return loader

    @cached_property
    def _cfg(self) -> DictConfig:
        """The command's configuration with the groups that were typed, as far as there are such."""
        groups = [word for word in self._typed.words if self.choices(word.partition("=")[0])]
        searched = self._typed.searched
        with self._typed.opened():
            try:
                return hydra.compose(self._name, [*searched, *groups], return_hydra_config=True)
            except (
                HydraException,
                ValueError,
            ):  # several choices to sweep over, none, or one that is not there
                return hydra.compose(self._name, searched, return_hydra_config=True)

    @cached_property
    def chosen(self) -> dict[str, str | None]:
        """Group to its choice, ``None`` for no choice; a group with a list of choices is not in it."""
        chosen = self._cfg.hydra.runtime.choices
        return {str(group): choice for group, choice in chosen.items() if "/" not in str(group)}

    @cached_property
    def _options(self) -> list[str]:
        leaves = [leaf.split(".") for leaf in flatten(OmegaConf.to_container(self._cfg, resolve=False))]
        paths = {".".join(leaf[: end + 1]): None for leaf in leaves for end in range(len(leaf))}
        return [*(path for path in paths if not path.startswith("hydra")), *self.chosen]

    def choices(self, group: str) -> list[str]:
        """Return every name by which a group can be chosen; none if it is no group."""
        return sorted(
            set(self._loader.get_group_options(group.partition("@")[0], overrides=self._typed.searched))
        )

    def listed(self, group: str) -> str:
        """Return these names as text."""
        return ", ".join(self.choices(group))

    def several(self, key: str, values: Sequence[str]) -> str:
        """Say how to give several values of an option, or several names of a group; or else one of them."""
        listed = f"[{','.join(values)}]"
        if not values:
            return f"choose one of {self.listed(key)}"
        if len(values) == 1:
            return f"type {key}={values[0]}"
        if self._is_list(f"{key}s"):  # where rows go over a list of them
            return f"type {key}s={listed}"
        if self._is_list(key) or (self.choices(key) and key not in self.chosen):
            return f"type {key}={listed}"
        one_table = OmegaConf.select(self._cfg, "hydra.callbacks.sweep.one_table")
        if one_table and key.startswith((*SHARED, "experiment", "row")):
            return "start one command for each"
        return f"to run each of them type -m {key}={','.join(values)}"

    def _is_list(self, option: str) -> bool:
        return isinstance(OmegaConf.select(self._cfg, option), ListConfig)

    def none(self, group: str, word: str) -> str:
        """Answer a word that would choose nothing of a group."""
        if group == "experiment" or (group in self.chosen and self.chosen[group] is None):
            return f"{word}: to choose none of a group, type ~{group}"
        return f"{word}: this command needs a choice there; choose one of {self.listed(group)}"

    def no_such_option(self, option: str) -> str:
        """Point to the option of that name elsewhere, to the nearest beside it, or to all of them."""
        parent, _, last = option.rpartition(".")
        beside = {key.rpartition(".")[2]: key for key in self._options if key.rpartition(".")[0] == parent}
        near = [key for key in self._options if key.endswith(f".{option}")]
        near += [beside[name] for name in difflib.get_close_matches(last, beside)]
        near += [] if beside else difflib.get_close_matches(option, self._options)
        near = [key for key in near if key != option]
        place = OmegaConf.select(self._cfg, parent) if "." in parent else None
        # What is empty is open to any option, and so are the arguments of a builder that is not ours.
        if isinstance(place, DictConfig) and (not place or parent.endswith(".arguments")):
            hint = f"to add it there type +{option}=VALUE"
        elif parent in self.chosen and self.chosen[parent] is None:
            hint = f"choose a {parent} first, {parent}=NAME, one of {self.listed(parent)}"
        elif near:
            hint = f"did you mean {near[0]}?"
        elif parent and beside:
            hint = f"{parent} has {', '.join(name for name in beside if name != '_target_')}"
        else:
            hint = "see --help for the options that exist"
        return f"{option}: there is no such option here; {hint}"


def refuse_lists(typed: Typed, config_name: str) -> None:
    """Refuse a list of names for a group of which one is chosen, before anything runs.

    Raises:
        UserError: Naming the word and the remedy.
    """
    lists = [word for word in typed.words if "=[" in word and "." not in word.partition("=")[0]]
    if lists:
        others = Typed(typed.flags, tuple(word for word in typed.words if word not in lists))
        known = Known(others, config_name)
        refuse_several(lists, known.chosen, known.several)
