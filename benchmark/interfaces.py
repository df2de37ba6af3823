"""What a dataset, transform, method, localizer or metric must offer: the kinds of things one can add.

Of pairs of image and class (:mod:`benchmark.pairs`), also a class policy, a reading and a pair metric.

A class satisfies a protocol by having what it names; it need not import it. How each is found by its yaml and
tested is told in the README, section "Add to it".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from benchmark.pairs.values import Answers, Asked, Pair, Statistic
from benchmark.types import (
    Estimate,
    FloatArray,
    ForwardPass,
    ImageArray,
    IntArray,
    Localization,
    Model,
    Records,
    Sample,
    View,
)


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

    def __call__(self, heatmap: FloatArray, view: View, image: ImageArray | None) -> Localization:
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


class ClassPolicy(Protocol):
    """Which classes of an image are asked about.

    Attributes:
        name: The policy's key in ``conf/classes``.
        version: Raised whenever a change of the code can change a choice.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - attributes, described above
    @property
    def version(self) -> int: ...  # noqa: D102

    def __call__(self, samples: Sequence[Sample], outputs: IntArray, logits: Tensor) -> Tensor:
        """Outputs ``[N, K]`` int64 on the logits' device, -1 where an image has fewer; without waiting.

        A class that stands twice in a row counts once.

        Args:
            samples: N images.
            outputs: ``[classes]`` output of each of the dataset's classes.
            logits: ``[N, C]``, detached.
        """
        ...


class Reading(Protocol):
    """What is read off a heatmap and stored, as columns with one value a pair of image and class.

    Attributes:
        name: The reading's key in ``conf/reading``.
        version: Raised whenever a change of the code can change a value.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - attributes, described above
    @property
    def version(self) -> int: ...  # noqa: D102

    def check(self, model: Model) -> None:
        """Refuse, with one line, options that this model does not allow.

        Raises:
            UserError: With the reason and the remedy.
        """
        ...

    def measure(self, asked: Asked) -> Mapping[str, Tensor]:
        """The part made on the device: name to ``[N, K, …]``, without waiting for it."""
        ...

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> Mapping[str, Any]:
        """The part made on the host, on a thread: one pair's columns from its values ``[…]``.

        Raises:
            UserError: If a value is not finite.
        """
        ...


class PairMetric(Protocol):
    """A pure function of stored pairs.

    Attributes:
        name: The metric's key in ``conf/pair_metric``.
        version: Raised whenever a change of the code can change a number.
        reads: The readings whose columns it needs, keys in ``conf/reading``.
        needs_reference: Whether it compares with a reference method's maps.
        gives: Names of all statistics that it can give with its options; the first is what it is about.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - attributes, described above
    @property
    def version(self) -> int: ...  # noqa: D102
    @property
    def reads(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def needs_reference(self) -> bool: ...  # noqa: D102
    @property
    def gives(self) -> tuple[str, ...]: ...  # noqa: D102

    def check(self, policy: ClassPolicy, readings: Mapping[str, Reading]) -> None:
        """Refuse, with one line, pairs that it could not answer, before any is made.

        Args:
            policy: Chooses the pairs' classes.
            readings: By name; those of ``reads`` are among them.

        Raises:
            UserError: With the reason and the remedy.
        """
        ...

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Named statistics; a name is left out where not one pair can answer.

        Raises:
            UserError: If the pairs lack a column, naming the reading that makes it.
        """
        ...
