"""What a dataset, transform, method, localizer or metric must offer: the kinds of things one can add.

A class satisfies a protocol by having what it names; it need not import it. How each is found by its yaml and
tested is described in README.md under "Add to it".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from benchmark.core.types import (
    Estimate,
    FloatArray,
    ForwardPass,
    ImageArray,
    IntArray,
    LocatedBox,
    Model,
    Records,
    Sample,
    View,
)

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Dataset(Protocol):
    """Images with labels and boxes.

    Attributes:
        name: The dataset's key in ``conf/dataset``.
        classes: Class identifiers (for ILSVRC: WNIDs); a label is an index into them.
        class_names: What a person reads, one for each class.
        samples: In a fixed order that does not depend on the file system.
        complete: Whether this is the whole official set, neither a subset nor another collection.
        fingerprint: sha256 over everything in it that can change a number.
        skipped: Identifiers left out on purpose (an option), each with its reason.
        conditions: What a reader of a number must know about these images, as plain json.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - attributes, described above
    @property
    def classes(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def class_names(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def samples(self) -> Sequence[Sample]: ...  # noqa: D102
    @property
    def complete(self) -> bool: ...  # noqa: D102
    @property
    def fingerprint(self) -> str: ...  # noqa: D102
    @property
    def skipped(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def conditions(self) -> Mapping[str, Any]: ...  # noqa: D102


class Transform(Protocol):
    """The geometry of an input: which part of an image a network sees, and how it is resampled.

    Attributes:
        name: The transform's key in ``conf/transform``.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - an attribute, described above

    def __call__(self, image: ImageArray, size: int) -> tuple[FloatArray, View]:
        """Resample ``image`` to ``[size, size, 3]`` float32 in 0…255, RGB, and say where it lies.

        One that shows the network an image several times gives ``[V, size, size, 3]``, the same number for
        each image, and also is a :class:`SeveralViews`.
        """
        ...


@runtime_checkable
class SeveralViews(Protocol):
    """What a transform must offer besides, to show the network an image several times.

    Class scores are the mean of the views' probabilities. Methods see ``N * V`` inputs like any others.
    """

    def cut(self, picture: FloatArray, size: int) -> FloatArray:
        """The views ``[V, size, size, 3]`` of a square picture ``[C, C, 3]``, such as a mean image."""
        ...

    def merge(self, maps: Tensor, size: int) -> Tensor:
        """One map an image and class ``[N, K, H, W]`` from those of its views ``[N, V, K, h, w]``.

        It lies in the image as the view that came with the pixels says. On the maps' device, without waiting.
        """
        ...


class Method(Protocol):
    """How the heatmap of a class is made.

    Attributes:
        name: The method's key in ``conf/method``.
        layers: What it reads: layer roles, dotted module names, or ``"input"``.
        operations: Whether it walks the recorded operations.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - attributes, described above
    @property
    def layers(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def operations(self) -> bool: ...  # noqa: D102

    def check(self, model: Model) -> None:
        """Refuse, with one line, a model that this method cannot explain.

        Raises:
            UserError: With the reason and the remedy.
        """
        ...

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Heatmaps ``[N, K, h, w]`` of the given classes, int64 ``[N, K]`` output indices."""
        ...


class Localizer(Protocol):
    """A named, versioned protocol that turns one heatmap into one box.

    Attributes:
        name: The localizer's key in ``conf/localizer``.
        version: Raised whenever a change of the code can change a box.
        needs_image: Whether it looks at the image's pixels.
        grid: Thresholds at which :meth:`curve` gives boxes; empty for a localizer without a threshold.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - attributes, described above
    @property
    def version(self) -> int: ...  # noqa: D102
    @property
    def needs_image(self) -> bool: ...  # noqa: D102
    @property
    def grid(self) -> tuple[float, ...]: ...  # noqa: D102

    def __call__(self, heatmap: FloatArray, view: View, image: ImageArray | None) -> LocatedBox:
        """Locate one class from its ``[h, w]`` heatmap."""
        ...

    def curve(self, heatmap: FloatArray, view: View) -> IntArray:
        """Boxes ``[T, 4]`` at each threshold of ``grid``."""
        ...


class Metric(Protocol):
    """A pure function of records."""

    def __call__(self, records: Records) -> dict[str, Estimate]:
        """Named estimates; a name is left out where the records cannot answer."""
        ...
