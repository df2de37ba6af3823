"""The value objects of pairs, and the protocols of what one can add: class policies, readings, pair metrics.

A class satisfies a protocol by having what it names; it need not import it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from benchmark.core.bootstrap import Numbers
from benchmark.core.paired import Statistic
from benchmark.core.protocols import Method
from benchmark.core.types import FloatArray, ForwardPass, ImageArray, IntArray, Model, Sample, View

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.pipeline.scene import Scene
    from benchmark.reporting.sheet import Panel

Column = npt.NDArray[Any]


class Asked(NamedTuple):
    """The input of a reading: heatmaps on the device.

    Attributes:
        model: The network.
        forward: Forward pass of N images.
        classes: ``[N, K]`` int64 outputs; where an image has fewer than K, filled up with output 0, of which
            nothing is kept.
        maps: ``[N, K, h, w]``, un-normalised.
        method: The method that made the maps.
    """

    model: Model
    forward: ForwardPass
    classes: Tensor
    maps: Tensor
    method: Method | None = None


class Pair(NamedTuple):
    """One image and one class, on the host.

    Attributes:
        sample: The image.
        label: The class, an index into the dataset's ``classes``; the image need not hold it.
        view: The region of the image that the network's input shows.
    """

    sample: Sample
    label: int
    view: View


@dataclass(frozen=True)
class Pairs:
    """The stored pairs of a method, column by column; row ``i`` of each is one pair of image and class.

    Every method asked the same classes of the same images has the same rows in the same order.

    Always there:

    ===============  =======  =====================================================================
    column           type     meaning
    ===============  =======  =====================================================================
    label            int32    the class, an index into the dataset's ``classes``
    labelled         bool     whether the image holds an object of it, difficult ones included
    difficult        bool     whether all its objects of this class are difficult; False without one
    classes          int32    how many classes the image holds, difficult ones included
    rank             int32    the class's place among the network's scores, 0 the best
    logit            float32  its score before softmax or sigmoid
    share            float32  share of the image that lies in an object of the class
    other_share      float32  share of it that lies in an object of another class
    ===============  =======  =====================================================================

    Where a sample is an image with a text, ``image`` (str) is the image's file: that of all its questions.
    The others are those of the readings that were asked for (:mod:`benchmark.tasks.pairs.readings`).

    Attributes:
        image_ids: ``[n]``; an image of several classes stands several times, one after the other.
        columns: Name to ``[n, …]``.
        done: Images that were read, those without a pair included.
        skipped: Images that could not be read, each with the reason.
        unknown: Outputs that the class policy chose and that are none of the dataset's classes: no pair.
    """

    image_ids: tuple[str, ...]
    columns: Mapping[str, Column]
    done: int
    skipped: Mapping[str, str] = field(default_factory=dict)
    unknown: int = 0

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.image_ids)


class Answers(NamedTuple):
    """The input of a metric of pairs.

    Attributes:
        pairs: Pairs of the row's method.
        reference: Pairs of its reference method, the same rows in the same order; ``None`` without one.
        classes: The dataset's classes in words, by label.
    """

    pairs: Pairs
    reference: Pairs | None = None
    classes: Sequence[str] = ()


def ratios(means: Numbers) -> Numbers:
    """Average (sum of hits) / (sum of trials) over classes, columns ``hits 0 … C-1, trials 0 … C-1``.

    A class that a draw of images lacks does not count in that draw.
    """
    count = means.shape[1] // 2
    hits, trials = means[:, :count], means[:, count:]
    there = trials > 0
    each = np.divide(hits, trials, out=np.zeros_like(hits), where=there)
    averaged: Numbers = each.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return averaged


class Versioned(Protocol):
    """What is chosen by name, and whose code has a version.

    Attributes:
        name: Its key in its folder of ``conf``.
        version: Raised whenever a change of the code can change a choice, a value or a number.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - attributes, described above
    @property
    def version(self) -> int: ...  # noqa: D102


class ClassPolicy(Versioned, Protocol):
    """The choice of an image's classes for which maps are made."""

    def __call__(self, samples: Sequence[Sample], outputs: IntArray, logits: Tensor) -> Tensor:
        """Return outputs ``[N, K]`` int64 on the logits' device, padded with -1, without waiting for it.

        A class that stands twice in a row counts once.

        Args:
            samples: N images.
            outputs: ``[classes]`` output of each of the dataset's classes.
            logits: ``[N, C]``, detached.
        """
        ...


class Reading(Versioned, Protocol):
    """The values that are read off a heatmap and stored, in columns of one value a pair.

    One that is given other objects on whose code its values depend, such as a localizer, names them in an
    attribute ``parts``; one that takes many forward passes an image has the attribute ``costly``, which is
    true; one that reads files has a method ``identity``, which puts what they hold into its options.
    """

    def check(self, model: Model) -> None:
        """Refuse, with one line, options that this model does not allow.

        Raises:
            UserError: With the reason and the remedy.
        """
        ...

    def measure(self, asked: Asked) -> Mapping[str, Tensor]:
        """Return the part made on the device by name, ``[N, K, …]``, without waiting for the device."""
        ...

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> Mapping[str, Any]:
        """Return the part made on the host, on a thread: one pair's columns from its values ``[…]``.

        Raises:
            UserError: If a value is not finite.
        """
        ...


class PairMetric(Versioned, Protocol):
    """A pure function of stored pairs.

    Attributes:
        reads: The readings whose columns it needs, keys in ``conf/reading``.
        needs_reference: Whether it compares with a reference method's maps.
        gives: Names of all statistics that it can give with its options; the first is what it is about.
    """

    @property
    def reads(self) -> tuple[str, ...]: ...  # noqa: D102 - attributes, described above
    @property
    def needs_reference(self) -> bool: ...  # noqa: D102
    @property
    def gives(self) -> tuple[str, ...]: ...  # noqa: D102

    def check(self, policy: ClassPolicy, readings: Mapping[str, Reading]) -> None:
        """Refuse, with one line, pairs that it could not answer, before any is made.

        Args:
            policy: Chooses the pairs' classes.
            readings: Readings by name; those of ``reads`` are among them.

        Raises:
            UserError: With the reason and the remedy.
        """
        ...

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return named statistics; a name is left out if no pair has an answer.

        Raises:
            UserError: If the pairs lack a column, naming the reading that makes it.
        """
        ...


@runtime_checkable
class ChecksScene(Protocol):
    """A pair metric that does not fit every network, or every transform."""

    def check_scene(self, scene: Scene, readings: Mapping[str, Reading]) -> None:
        """Refuse a row's model and transform, before any pair is made.

        Raises:
            UserError: With the reason and the remedy.
        """
        ...


@runtime_checkable
class Illustrated(Protocol):
    """A pair metric that also explains single pairs, in a sentence and in pictures."""

    def sentences(self, answers: Answers) -> Sequence[str]:
        """Return a sentence for each pair."""
        ...

    def headings(self, room: int) -> Sequence[str]:
        """Return the name of each column of :meth:`panels`, empty where it belongs to the one before."""
        ...

    def panels(self, pair: Pairs, pixels: ImageArray, view: View, room: int) -> Iterator[Panel]:
        """Yield panels of the picture sheet for a single pair, at most ``room`` of them.

        Args:
            pair: The pair alone.
            pixels: Its image, ``[H, W, 3]``.
            view: The region of it that the network saw.
            room: Number of columns there are.
        """
        ...
