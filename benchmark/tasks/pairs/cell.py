"""What is asked of a scene's pairs, and where a method's answers lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.core import heatmaps, provenance, resampling
from benchmark.core import masks as regions
from benchmark.core.protocols import Method
from benchmark.pipeline.address import heatmap_identity
from benchmark.pipeline.cell import Scene
from benchmark.tasks.pairs import measure as ask
from benchmark.tasks.pairs import outputs as asking
from benchmark.tasks.pairs.protocols import ClassPolicy, Reading
from benchmark.tasks.pairs.readings.common import deletion_curves as deletion_insertion

TO_A_PAIR = (ask, asking, deletion_insertion, heatmaps, regions, resampling)
"""The code from a heatmap to a pair's columns, beside the class policy and the readings."""


@dataclass(frozen=True)
class Question:
    """Which classes are asked about, and what is read off their maps.

    Attributes:
        policy: The classes.
        readings: By name.
        config: The plain configuration that both were built from.
    """

    policy: ClassPolicy
    readings: Mapping[str, Reading]
    config: Mapping[str, Any]

    @property
    def protocol(self) -> str:
        """The class policy by name and version."""
        return f"{self.policy.name} v{self.policy.version}"


@dataclass(frozen=True)
class PairCell:
    """One method's answers to a question on a scene.

    Attributes:
        method: Makes the heatmaps.
        folder: Holds the shards of pairs.
        fingerprint: sha256 of everything that can change one.
    """

    method: Method
    folder: Path
    fingerprint: str


def pair_cell(
    scene: Scene, question: Question, method: Method, config: Mapping[str, Any], runs: Path
) -> PairCell:
    """The cell of a method, with its folder below ``runs``.

    Args:
        scene: Model, images, transform.
        question: Asked of it.
        method: Built from ``config["method"]``.
        config: Plain configuration of ``model``, ``transform`` and ``method``.
        runs: Where raw records go.
    """
    heatmap_print = provenance.fingerprint(heatmap_identity(scene, method, config))
    asked = {
        "heatmaps": heatmap_print,
        "question": question.config,
        "code": provenance.code_fingerprint([question.policy, *question.readings.values(), *TO_A_PAIR]),
    }
    pair_print = provenance.fingerprint(asked)
    heatmap_folder = runs / f"{scene.model.name}-{method.name}-{heatmap_print[:16]}"
    return PairCell(method, heatmap_folder / f"{question.policy.name}-{pair_print[:16]}", pair_print)
