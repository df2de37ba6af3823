"""The value objects of neuron names, and the protocol of what one can add: a source of concepts' masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from benchmark.core.types import Sample, View

Labels = npt.NDArray[np.int32]
"""A map ``[h, w]`` of concepts: an index into ``concepts``, or :data:`UNLABELLED`, or :data:`VOID`."""

UNLABELLED, VOID = -1, -2
"""A pixel without a concept of this category, which counts against an active unit; and one left out."""


class Concept(NamedTuple):
    """A concept, such as ``("object", "dog")``."""

    category: str
    name: str


class Concepts(Protocol):
    """The concepts that units are held against, and their masks, image by image.

    Attributes:
        name: Its key in ``conf/concepts``.
        version: Raised whenever a change of the code can change a mask.
        concepts: All concepts, whether an image has them or not.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - attributes, described above
    @property
    def version(self) -> int: ...  # noqa: D102
    @property
    def concepts(self) -> Sequence[Concept]: ...  # noqa: D102

    def covers(self, sample: Sample) -> bool:
        """Return whether an image has masks at all; one without is left out, and counted."""
        ...

    def masks(self, sample: Sample, view: View, side: int) -> Mapping[str, Sequence[Labels]]:
        """Return an image's masks by category, each ``[side, side]`` over the view's region.

        A category has several where concepts of it overlap. One that the image was not annotated for is
        left out.

        Raises:
            UserError: If a mask is missing, damaged or does not fit, with the file.
        """
        ...


def nearest(labels: npt.NDArray[np.integer], view: View, side: int) -> Labels:
    """Sample a mask of the whole image at the centres of ``side`` x ``side`` cells of the view's region.

    Args:
        labels: ``[h, w]`` over the whole image, at any resolution.
        view: The region that the network sees.
        side: Number of cells along an axis.
    """
    x0, y0, x1, y1 = view.region
    centres = np.arange(side) + 0.5
    rows = (y0 + centres * (y1 - y0) / side) * labels.shape[0] / view.height
    columns = (x0 + centres * (x1 - x0) / side) * labels.shape[1] / view.width
    return labels[np.ix_(rows.astype(np.intp), columns.astype(np.intp))].astype(np.int32)
