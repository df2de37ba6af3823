"""A cell of Table 1: one model, method and localizer on one dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.pipeline.address import address
from benchmark.pipeline.cell import Cell
from benchmark.tasks.boxes.locate import locate

if TYPE_CHECKING:
    from benchmark.core.protocols import Localizer, Method
    from benchmark.pipeline.scene import Scene


@dataclass(frozen=True, kw_only=True)
class BoxCell(Cell):
    """One row of a table of boxes.

    Attributes:
        row: The row's name.
        localizer: Makes the boxes.
        changes: Options of the localizer that differ from what its name stands for, as ``threshold=0.25``.
        config: The row's resolved configuration, plain.
    """

    row: str
    localizer: Localizer
    changes: tuple[str, ...]
    config: Mapping[str, Any]

    @property
    def protocol(self) -> str:
        """Return the box protocol by name and version, and what was changed in it."""
        return ", ".join([f"{self.localizer.name} v{self.localizer.version}", *self.changes])

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Return the cells that the row needs: itself."""
        return (self,)


def box_cell(
    scene: Scene,
    row: str,
    method: Method,
    localizer: Localizer,
    config: Mapping[str, Any],
    runs: Path,
    changes: tuple[str, ...] = (),
) -> BoxCell:
    """Return the cell of a row, with its folders below ``runs``.

    Args:
        scene: Images, model, transform.
        row: The row's name.
        method: Built from ``config["method"]``.
        localizer: Built from ``config["localizer"]``.
        config: The row's plain configuration.
        runs: Folder of the raw records.
        changes: Options of the localizer that the user changed.
    """
    place = address(
        scene,
        method,
        config,
        runs,
        name=localizer.name,
        options=config["localizer"],
        code=[localizer, locate],
    )
    return BoxCell(
        scene=scene,
        method=method,
        row=row,
        localizer=localizer,
        changes=changes,
        config=config,
        **place._asdict(),
    )
