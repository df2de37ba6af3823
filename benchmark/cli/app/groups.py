"""The words that were typed, and the configurations on Hydra's search path, inside a command."""

from collections.abc import Iterable

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from benchmark.cli.app.words import quoted


def typed() -> list[str]:
    """Give the overrides of this job as Hydra took them, without its own."""
    return list(HydraConfig.get().overrides.task)


def config_name() -> str:
    """Name the yaml that this command is composed from; that of ``run`` where there is no command."""
    return str(HydraConfig.get().job.config_name) if HydraConfig.initialized() else "config"


def compose(words: Iterable[str]) -> DictConfig:
    """Compose this command's configuration from other words."""
    return hydra.compose(config_name(), [*search_path(), *words])


def choices(group: str) -> list[str]:
    """List the names that a group can be chosen by; none if it is no group."""
    loader = GlobalHydra.instance().config_loader()
    return sorted(set(loader.get_group_options(group, overrides=search_path())))


def is_group(key: str) -> bool:
    """Tell whether an override's key chooses a yaml, such as ``localizer``."""
    return bool(choices(key))


def search_path() -> list[str]:
    """Return the search path that was typed, as ``--config-dir`` or as a word, as one word."""
    sources = HydraConfig.get().runtime.config_sources if HydraConfig.initialized() else ()
    own = [quoted(f"{one.schema}://{one.path}") for one in sources if "command-line" in one.provider]
    return [f"hydra.searchpath=[{','.join(own)}]"] if own else []
