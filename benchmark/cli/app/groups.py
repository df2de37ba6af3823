"""Inside a command: what was typed, and the groups of options on Hydra's search path."""

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig


def typed() -> list[str]:
    """Return the overrides of this job as Hydra took them, without Hydra's own."""
    return list(HydraConfig.get().overrides.task)


def config_name() -> str:
    """Return the name of the yaml that this command is composed from; without a command, that of ``run``."""
    return str(HydraConfig.get().job.config_name) if HydraConfig.initialized() else "config"


def search_path() -> list[str]:
    """Return the search path that was typed; ``--config-dir`` is on Hydra's own already."""
    own = HydraConfig.get().overrides.hydra if HydraConfig.initialized() else ()
    return [word for word in own if word.startswith("hydra.searchpath")]


def choices(group: str) -> list[str]:
    """Return the names by which a group is chosen, a user's own included; none if there is no such group."""
    loader = GlobalHydra.instance().config_loader()
    return sorted(set(loader.get_group_options(group, overrides=search_path())))


def is_group(key: str) -> bool:
    """Return whether an override's key chooses a yaml, such as ``localizer``."""
    return bool(choices(key))
