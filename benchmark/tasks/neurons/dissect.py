"""Network Dissection: how much of each unit's active area lies in each concept (Bau et al., CVPR 2017, §2).

``IoU_{k,c} = Σ |M_k(x) ∩ L_c(x)| / Σ |M_k(x) ∪ L_c(x)|``, summed over the images that are labelled in the
category of ``c``, where ``M_k(x) = [S_k(x) > T_k]``, ``S_k`` is unit k's map enlarged bilinearly, and ``T_k``
is such that ``P(a_k > T_k) = 0.005`` over every cell of every image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from benchmark.core.bootstrap import Numbers
from benchmark.core.types import FloatArray
from benchmark.reporting.neuron_names import NeuronNames, iou, names_of
from benchmark.tasks.neurons.types import VOID, Concept, Labels

Masks = Mapping[str, Sequence[Labels]]


def thresholds(maps: FloatArray, quantile: float) -> FloatArray:
    """Return each unit's threshold, the least value that at most ``1 - quantile`` of its cells exceed.

    It is exact, of the maps at the layer's own resolution and before they are enlarged, as in NetDissect,
    whose quantile is an estimate by sampling.

    Args:
        maps: ``[n, C, h, w]`` of all images.
        quantile: In (0, 1), such as 0.995.

    Returns:
        ``[C]``.
    """
    count = maps.shape[0] * maps.shape[2] * maps.shape[3]
    place = ceil(round(quantile * count, 6)) - 1  # rounded: 0.995 * 200 is 199, and not a little more
    cells = (maps[:, unit].reshape(-1) for unit in range(maps.shape[1]))
    return np.array([np.partition(own, place)[place] for own in cells], np.float32)


def enlarged_maps(maps: FloatArray, height: int, width: int) -> FloatArray:
    """Enlarge ``[u, h, w]`` to ``[u, height, width]``, bilinearly with cells as areas of the input.

    Pixel ``i`` lies at ``(i + 1/2) h / height - 1/2``, held at the border, as NetDissect-Lite does it and as
    PyTorch does with ``align_corners=False``: each cell stands for its share of the image.
    """
    rows, columns = (_weights(*sizes) for sizes in zip(maps.shape[1:], (height, width), strict=True))
    return np.asarray(rows @ maps @ columns.T, np.float32)


@lru_cache(maxsize=64)
def _weights(cells: int, pixels: int) -> FloatArray:
    places = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    weights: FloatArray = np.maximum(1 - np.abs(places[:, None] - np.arange(cells)), 0).astype(np.float32)
    return weights


@dataclass(frozen=True)
class Counts:
    """Pixels of every image, so that images can be drawn again.

    Attributes:
        intersect: ``[images, units * concepts]`` of unit and concept.
        activation: ``[images, units * categories]`` of the unit where its image has the category.
        truth: ``[images, concepts]`` of the concept.
        concepts: The concepts.
        units: Number of units.
    """

    intersect: csr_matrix
    activation: csr_matrix
    truth: csr_matrix
    concepts: tuple[Concept, ...]
    units: int

    @property
    def categories(self) -> list[str]:
        """Return the categories in the order of the columns."""
        return list(dict.fromkeys(concept.category for concept in self.concepts))

    def ious(self, weights: Numbers | None = None) -> Numbers:
        """Return IoUs ``[units, concepts]``, each image counted as often as ``weights`` ``[images]`` says."""
        return iou(*self.totals(weights))

    def totals(self, weights: Numbers | None = None) -> tuple[Numbers, Numbers, Numbers]:
        """Return truth ``[1, concepts]``, activation and intersect ``[units, concepts]`` of all images."""
        drawn = np.ones(self.truth.shape[0]) if weights is None else weights
        category = [self.categories.index(concept.category) for concept in self.concepts]
        truth = np.asarray(drawn @ self.truth)[None]
        active = np.asarray(drawn @ self.activation).reshape(self.units, -1)[:, category]
        return truth, active, np.asarray(drawn @ self.intersect).reshape(self.units, -1)


def count(
    maps: Iterable[FloatArray],
    limits: FloatArray,
    masks: Iterable[Masks],
    concepts: Sequence[Concept],
    side: int,
) -> Counts:
    """Count the pixels of every image.

    Args:
        maps: ``[C, h, w]`` of each image.
        limits: ``[C]`` thresholds; a unit is active where its enlarged map is greater.
        masks: Masks ``[side, side]`` of each image.
        concepts: What the masks' numbers mean.
        side: Cells along a side at which pixels are counted.
    """
    units, categories = len(limits), list(dict.fromkeys(concept.category for concept in concepts))
    found: list[list[_Sparse]] = [[], [], []]
    for own, labels in zip(maps, masks, strict=True):
        active = np.flatnonzero(own.max((1, 2)) > limits)  # enlarging makes no value greater
        on = (enlarged_maps(own[active], side, side) > limits[active, None, None]).reshape(
            len(active), side**2
        )
        parts: list[list[_Sparse]] = [[], [], []]
        for category, layers in labels.items():
            pixels, names, left_out = _by_concept(layers)
            seen = on & ~left_out
            parts[0].append(_cells(active, names, len(concepts), seen.astype(np.float32) @ pixels.T))
            parts[1].append(
                _cells(active, [categories.index(category)], len(categories), seen.sum(1)[:, None])
            )
            parts[2].append(_Sparse(np.array(names, np.intp), pixels.sum(1)))
        for every, image in zip(found, parts, strict=True):
            every.append(_joined(image))
    widths = (units * len(concepts), units * len(categories), len(concepts))
    intersect, activation, truth = (_matrix(rows, wide) for rows, wide in zip(found, widths, strict=True))
    return Counts(intersect, activation, truth, tuple(concepts), units)


@dataclass(frozen=True)
class _Sparse:
    """Columns of one image that are not 0."""

    columns: npt.NDArray[np.intp]
    values: npt.NDArray[np.floating]


def _by_concept(layers: Sequence[Labels]) -> tuple[FloatArray, list[int], npt.NDArray[np.bool_]]:
    """Return masks ``[m, pixels]`` as 0 and 1, their concepts, and the pixels that are left out."""
    flat = np.stack([layer.reshape(-1) for layer in layers])
    left_out: npt.NDArray[np.bool_] = (flat == VOID).all(0)
    names = [int(name) for name in np.unique(flat) if name >= 0]
    pixels = [(flat == name).any(0) for name in names]
    return np.array(pixels, np.float32).reshape(len(names), flat.shape[1]), names, left_out


def _cells(units: npt.NDArray[np.intp], columns: Sequence[int], wide: int, values: npt.NDArray) -> _Sparse:  # type: ignore[type-arg]
    places = units[:, None] * wide + np.array(columns, np.intp)
    return _Sparse(places.reshape(-1), values.reshape(-1))


def _joined(parts: Sequence[_Sparse]) -> _Sparse:
    if not parts:
        return _Sparse(np.zeros(0, np.intp), np.zeros(0))
    columns, values = (
        np.concatenate([getattr(part, key) for part in parts]) for key in ("columns", "values")
    )
    return _Sparse(columns[values > 0], values[values > 0])


def _matrix(rows: Sequence[_Sparse], wide: int) -> csr_matrix:
    ends = np.cumsum([0, *(len(row.columns) for row in rows)])
    joined = _joined(rows)
    return csr_matrix((joined.values.astype(np.float64), joined.columns, ends), (len(rows), wide))


def named(counts: Counts, limits: FloatArray, origin: Mapping[str, str]) -> NeuronNames:
    """Return the table of all units and concepts that have a pixel in common."""
    truth, active, intersect = counts.totals()
    overlap = iou(truth, active, intersect)
    rows = [
        (
            *(unit, *counts.concepts[concept]),
            *(int(truth[0, concept]), int(active[unit, concept]), int(intersect[unit, concept])),
            *(overlap[unit, concept], limits[unit]),
        )
        for unit, concept in zip(*np.nonzero(intersect), strict=True)
    ]
    return names_of(rows, {**origin, "units": counts.units})
