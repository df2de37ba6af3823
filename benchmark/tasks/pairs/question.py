"""The classes and readings of a table of pairs, and the folder of a method's records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.pipeline.address import address
from benchmark.pipeline.cell import Cell
from benchmark.tasks.pairs.ask import PendingPairs, ask

if TYPE_CHECKING:
    from benchmark.core.protocols import Method
    from benchmark.pipeline.scene import Scene
    from benchmark.tasks.pairs.protocols import ClassPolicy, Reading


@dataclass(frozen=True)
class Question:
    """The class policy, and the readings of the classes' maps.

    Attributes:
        policy: The classes.
        readings: Readings by name.
        config: The plain configuration that both were built from.
    """

    policy: ClassPolicy
    readings: Mapping[str, Reading]
    config: Mapping[str, Any]

    @property
    def protocol(self) -> str:
        """Return the class policy by name and version."""
        return f"{self.policy.name} v{self.policy.version}"


def pair_cell(
    scene: Scene, question: Question, method: Method, config: Mapping[str, Any], runs: Path
) -> Cell:
    """Return the cell of a method that is asked a question, with its folders below ``runs``.

    Args:
        scene: Images, model, transform.
        question: Asked of it.
        method: Built from ``config["method"]``.
        config: Plain configuration of ``model``, ``transform`` and ``method``.
        runs: Folder of the raw records.
    """
    place = address(
        scene,
        method,
        config,
        runs,
        name=question.policy.name,
        options=question.config,
        code=[question.policy, *question.readings.values(), ask, PendingPairs],
    )
    return Cell(scene=scene, method=method, **place._asdict())
