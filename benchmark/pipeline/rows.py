"""A row of a table as configured, without the library that read the configuration."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One row of a table, before anything of it is built.

    Attributes:
        name: Such as ``vgg16/grad_cam``, in a sweep with its values, ``vgg16/grad_cam/threshold=0.1``.
        config: The row's whole resolved configuration as plain dictionaries, one key a group.
        changes: The user's changes to its localizer, as ``threshold=0.25``.
        build: Makes the object that a group describes, ``build("model")``: ``None`` where the group is not
            chosen, a dictionary of objects by name where it is chosen as a list.
    """

    name: str
    config: Mapping[str, Any]
    changes: tuple[str, ...]
    build: Callable[[str], Any]

    def numeric(self, groups: Iterable[str]) -> dict[str, Any]:
        """Return the configuration of the given groups, ``None`` for one that is not chosen."""
        return {name: self.config.get(name) for name in groups}
