"""The interfaces of what one can add: dataset, transform, method, localizer, metric.

A class satisfies a protocol by having what it names; it need not import it. The README, section "Add to it",
says how a yaml names it and how it is tested.
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
    Overlaps,
    Records,
    Sample,
    View,
)

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Dataset(Protocol):
    """Images with class labels and ground-truth bounding boxes.

    Attributes:
        name: The dataset's key in ``conf/dataset``.
        classes: Class identifiers (for ILSVRC: WNIDs); a label is an index into them.
        class_names: Readable names, one for each class.
        samples: Images in a fixed order that does not depend on the file system.
        complete: Whether this is the whole official set, neither a subset nor another collection.
        fingerprint: sha256 over everything in it that can change a number.
        annotations: The same without the image files, which :attr:`Sample.bytes` stands for: what a run is
            addressed by, so that a file that is mended makes its own shard anew and no other.
        skipped: Identifiers of images that an option leaves out, each with its reason.
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
    def annotations(self) -> str: ...  # noqa: D102
    @property
    def skipped(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def conditions(self) -> Mapping[str, Any]: ...  # noqa: D102


class Transform(Protocol):
    """The geometric preprocessing of an image: which region a network sees, and how it is resampled.

    Attributes:
        name: The transform's key in ``conf/transform``.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - an attribute, described above

    def __call__(self, image: ImageArray, size: int) -> tuple[FloatArray, View]:
        """Resample ``image`` to ``[size, size, 3]`` float32 in 0…255, RGB, and return the region it shows.

        A transform with several crops returns ``[V, size, size, 3]``, the same number ``V`` for each image,
        and also is a :class:`SeveralViews`.
        """
        ...


@runtime_checkable
class SeveralViews(Protocol):
    """A transform with several crops of an image, such as ten.

    Class scores are the mean of the crops' probabilities. Methods see ``N * V`` inputs like any others.
    """

    def cut(self, picture: FloatArray, size: int) -> FloatArray:
        """Cut the crops ``[V, size, size, 3]`` of a square picture ``[C, C, 3]``, such as a mean image."""
        ...

    def merge(self, maps: Tensor, size: int) -> Tensor:
        """Merge the heatmaps of an image's crops ``[N, V, K, h, w]`` into one a class, ``[N, K, H, W]``.

        The result covers the view that :meth:`Transform.__call__` returned. It is computed on the heatmaps'
        device, without synchronisation.
        """
        ...


@runtime_checkable
class Recorded(Protocol):
    """What looks at a forward pass: a method, or a reading with layers of its own.

    Attributes:
        layers: Layers that it has to record, roles or modules' names.
        operations: Whether it needs the recorded operations.
    """

    @property
    def layers(self) -> tuple[str, ...]: ...  # noqa: D102 - attributes, described above
    @property
    def operations(self) -> bool: ...  # noqa: D102


class Method(Protocol):
    """An attribution method: how the heatmap of a class is computed.

    Attributes:
        name: The method's key in ``conf/method``.
        layers: Whose activations it needs: layer roles, dotted module names, or ``"input"``.
        operations: Whether it needs the recorded operations of the forward pass.

    One that takes many forward passes an image also has the attribute ``costly``, which is true.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - attributes, described above
    @property
    def layers(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def operations(self) -> bool: ...  # noqa: D102

    def check(self, model: Model) -> None:
        """Refuse a model that this method cannot explain.

        Raises:
            UserError: With the reason and the remedy.
        """
        ...

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Compute heatmaps ``[N, K, h, w]``, unnormalised, of the given classes.

        Args:
            model: The network.
            forward: Its recorded forward pass of N inputs.
            classes: Indices of the network's outputs, int64 ``[N, K]``.
        """
        ...


@runtime_checkable
class MadeElsewhere(Protocol):
    """A method whose heatmaps were made before, and are known by the names of images and classes."""

    def digest(self) -> str:
        """Return the sha256 over all of them."""
        ...

    def check_images(self, dataset: Dataset) -> None:
        """Refuse a dataset whose images have no heatmaps.

        Raises:
            UserError: With the reason and the remedy.
        """
        ...

    def maps(self, images: Sequence[str], classes: Sequence[Sequence[str]]) -> Tensor:
        """Return the heatmaps ``[N, K, h, w]`` of N images and K classes each, the ground truth last."""
        ...


class Localizer(Protocol):
    """A named, versioned protocol that turns one heatmap into one bounding box.

    Attributes:
        name: The localizer's key in ``conf/localizer``.
        version: Raised whenever a change of the code can change a bounding box.
        needs_image: Whether it needs the image's pixels.
        grid: Thresholds at which :meth:`curve` returns boxes; empty for a localizer without a threshold.
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
        """Localize one class by its heatmap ``[h, w]``.

        Args:
            heatmap: Unnormalised heatmap of one image and class.
            view: The region of the original image that the heatmap covers.
            image: The original image, where :attr:`needs_image`.
        """
        ...

    def curve(self, heatmap: FloatArray, view: View) -> IntArray:
        """Return the boxes ``[T, 4]`` at each threshold of ``grid``, in original pixels."""
        ...


@runtime_checkable
class CountsOverlap(Protocol):
    """A localizer that counts the overlap of its curve itself, in another frame than original pixels."""

    def curve_and_overlaps(
        self, heatmap: FloatArray, view: View, truth: IntArray
    ) -> tuple[IntArray, Overlaps]:
        """Return the boxes ``[T, 4]`` of :meth:`Localizer.curve`, and the overlaps ``[T]``.

        An overlap is the greatest of any box that counts at a threshold with any of the ground-truth boxes
        ``[m, 4]``, which are given in original pixels.
        """
        ...


class Metric(Protocol):
    """A number of a set of images, computed from their stored records alone.

    One that never looks at the records' curve says so by an attribute ``needs_curve = False``: where no
    metric of a run looks, no curve is drawn.
    """

    def __call__(self, records: Records) -> dict[str, Estimate]:
        """Compute named estimates; a name is left out where the records lack what it needs."""
        ...
