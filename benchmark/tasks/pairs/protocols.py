"""The protocols of class policies, readings and pair metrics, which one can add to the task ``pairs``.

A class satisfies a protocol by having what it names; it need not import it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from benchmark.core.types import FloatArray, IntArray, Model, Sample
from benchmark.tasks.pairs.types import Answers, Asked, Pair, Statistic

if TYPE_CHECKING:
    from torch import Tensor


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
    """The values that are read off a heatmap and stored, in columns of one value a pair."""

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
