"""From configuration to objects; what Hydra's instantiation refuses becomes one line in the user's words."""

import re
from collections.abc import Mapping
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from benchmark.cli.app.groups import is_group, typed
from benchmark.cli.app.places import PUBLISHED
from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset
from benchmark.reporting.published import Published, load


def plain(cfg: Any) -> Any:
    """Give a configuration as plain dictionaries and lists, with every interpolation resolved.

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


def part(cfg: DictConfig, group: str) -> Any:
    """Make what a group describes.

    Args:
        cfg: The configuration.
        group: The group's name, such as ``model``; the result is ``None`` if it is null or absent, and a
            dictionary if several are chosen by a list of names, such as ``metric``.
    """
    node = cfg.get(group)
    if not node:
        return None
    if isinstance(node, DictConfig) and "_target_" not in node:
        return {str(name): build(each) for name, each in node.items() if _chosen(group, str(name), each)}
    try:
        return build(node)
    except UserError as error:
        if group != "reference":
            raise
        raise UserError(str(error).replace("method.", "reference.")) from error  # it is a method itself


def _chosen(group: str, name: str, node: Any) -> bool:
    """Return whether one of several was chosen; an experiment's options of one that was not are left out."""
    if not isinstance(node, DictConfig) or "_target_" in node:
        return True
    words = typed() if HydraConfig.initialized() else []
    others = any(word.startswith(f"{group}=") and name not in re.findall(r"\w+", word) for word in words)
    if others and not any(word.startswith(f"{group}.{name}") for word in words):
        return False
    raise UserError(
        f"{group}.{name}: has options, but no _target_; choose it as well, {group}=[…,{name}], or write "
        "_target_ into a yaml of yours"
    )


_IMAGES = ("root", "images", "boxes", "labels", "devkit", "ground_truth")


def dataset_of(cfg: DictConfig, place: str = "dataset") -> Dataset:
    """Make the dataset of a configuration.

    Args:
        cfg: The configuration.
        place: Where it stands there; ``train_set``, of which the readers speak as ``dataset``.

    Raises:
        UserError: If the embedded dataset is given a folder of other images; and whatever its reader refuses.
    """
    node = cfg[place]
    typed = [key for key in _IMAGES if isinstance(node, DictConfig) and isinstance(node.get(key), str)]
    if typed and str(node.name).startswith("embedded"):
        half = "train" if place == "train_set" else "val"
        raise UserError(
            f"{place}.{typed[0]}={node[typed[0]]}: the embedded dataset makes its own images; "
            f"for a folder of yours choose its kind as well, such as dataset{_at(place)}=ilsvrc_{half}"
        )
    try:
        made: Dataset = build(node)
    except UserError as error:
        raise UserError(str(error).replace("dataset.", f"{place}.")) from error
    return made


def task_of(cfg: DictConfig) -> Any:
    """Make the task of a configuration.

    Raises:
        UserError: Whatever the task or a reader refuses; one of its own images speaks of them as ``dataset``.
    """
    try:
        return build(cfg.task)
    except UserError as error:
        if "val_set" not in cfg:
            raise
        raise UserError(str(error).replace("dataset.", "val_set.")) from error


def _at(place: str) -> str:
    return "" if place == "dataset" else f"@{place}"


def published(name: str) -> Published:
    """Read published numbers by the name of their file."""
    return load(PUBLISHED / f"{name}.yaml")


def _refuse_a_value(node: Any) -> None:
    """Refuse what replaced a whole group of options, in the words that were typed."""
    if isinstance(node, DictConfig | ListConfig | Mapping):
        return
    inside = HydraConfig.initialized()
    words = [word.partition("=") for word in typed()] if inside else []
    keys = [key for key, _, value in words if value == str(node) and not is_group(key)]
    key = min(keys, key=lambda key: key.count("."), default="KEY")
    chosen = HydraConfig.get().runtime.choices if inside else {}
    others = "".join(f" or {group}=NAME" for group in chosen if group.endswith(f"@{key}"))
    raise UserError(
        f"{key}={node}: a group of options belongs there, not one value; give {key}.OPTION=VALUE{others} "
        "(--help shows them)"
    )


def _cause(error: InstantiationException, node: Any) -> Exception:
    """Find what really went wrong, below Hydra's wrapping."""
    cause: BaseException = error
    while cause.__cause__ is not None and not isinstance(cause, UserError):
        cause = cause.__cause__
    if isinstance(cause, UserError):
        return cause
    within = re.search(r"call to target '([^']+)'", str(error))  # it may be a part of the node
    where = within[1] if within else node.get("_target_", "?") if node is not None else "?"
    if isinstance(cause, TypeError) and (
        unknown := re.search(r"unexpected keyword argument '(.+)'", str(cause))
    ):
        return _no_option(unknown[1], where, str(error).partition("full_key: ")[2].strip())
    if isinstance(cause, TypeError) and "argument" in str(cause):
        return UserError(f"{where}: {str(cause).split('()')[-1].strip()}; see the yaml for the options")
    if isinstance(cause, ImportError | AttributeError) or cause is error:
        text = str(error).partition("set env var HYDRA_FULL_ERROR")[0]
        return UserError(f"_target_: {where}: {' '.join(text.split()).rstrip(',')}")
    return error


def _no_option(option: str, where: str, place: str) -> UserError:
    """Make the error of an option that what was chosen at ``place`` does not have."""
    chosen = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    last = place.rpartition(".")[2]
    for group, choice in chosen.items():
        if str(group).rpartition("@")[2] == last:
            return UserError(
                f"{last}.{option}: {group}={choice} has no such option; leave it out, ~{last}.{option}, or "
                f"choose another {group}"
            )
    return UserError(f"{place}.{option}".lstrip(".") + f": {where} has no such option; see its yaml")
