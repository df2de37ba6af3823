"""A check, the deviations that it measures, the bounds of these with the reasons, and its outcome."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import torch
from torch import Tensor

from benchmark.core.precision import TOLERANCES
from benchmark.core.protocols import Localizer, Method
from benchmark.diagnostics.selftest.case import Case
from benchmark.models.forward import INPUT
from benchmark.pipeline.settings import RunSettings


class Bound(NamedTuple):
    """The greatest deviation that is accepted, and the reason for it."""

    allowed: float
    reason: str


EXACT = Bound(0.0, "the same operations on the same numbers")


def rounding(settings: RunSettings) -> Bound:
    """Bound two ways through the last layers: sums of some hundred products, each rounded."""
    return Bound(TOLERANCES[settings.precision].sums, f"sums rounded in {settings.precision}")


def walking(settings: RunSettings) -> Bound:
    """Bound excitation backprop, which walks in float32 or wider whatever autocast says."""
    wide = "float64" if settings.precision == "float64" else "float32"
    return Bound(TOLERANCES[wide].sums, f"some tens of layers walked in {wide}")


def network(settings: RunSettings, method: Method | None = None) -> Bound:
    """Bound the maps of a method by two passes through a whole network that round differently.

    Args:
        settings: Settings of the run.
        method: What is bounded; ``None`` for what needs the last layers alone.
    """
    allowed, reason = TOLERANCES[settings.precision], f"a whole network rounded in {settings.precision}"
    if method is not None and INPUT in method.layers:
        return Bound(allowed.pixels, f"{reason}, some ReLUs and max poolings deciding otherwise")
    if method is not None and method.operations:
        return Bound(allowed.walked, f"{reason}, a max pooling or two deciding otherwise")
    return Bound(allowed.network, reason)


@dataclass(frozen=True)
class Subjects:
    """What is checked: models on the user's device, in the user's precision, and localizers by name."""

    cases: tuple[Case, ...]
    localizers: Mapping[str, Localizer]


class Deviation(NamedTuple):
    """One measurement of a check.

    Attributes:
        where: Model and method, or localizer.
        deviation: Deviation from what must hold, ``>= 0``; NaN if there is nothing to compare.
        bound: Deviation that is allowed, and why.
        detail: A remark beside the number.
    """

    where: str
    deviation: float
    bound: Bound
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Return whether the deviation is allowed; NaN never is."""
        return self.deviation <= self.bound.allowed

    @property
    def excess(self) -> float:
        """Return the deviation as a multiple of what is allowed, by which the worst of several is found."""
        if self.deviation != self.deviation:
            return float("inf")
        least = torch.finfo(torch.float64).tiny  # of a check that must hold exactly
        return self.deviation / max(self.bound.allowed, least)


@dataclass(frozen=True)
class Check:
    """A statement that must hold whatever the weights, and the culprit to look at first if it fails.

    ``measure`` yields a deviation for each model, method or localizer that the check applies to.
    """

    name: str
    culprit: str
    measure: Callable[[Subjects], Iterator[Deviation]]


class Finding(NamedTuple):
    """The outcome of a check: the deviation nearest to its bound, or beyond it, and the time that it took.

    ``worst`` is ``None`` where the check applies to nothing.
    """

    check: Check
    worst: Deviation | None
    seconds: float

    @property
    def holds(self) -> bool:
        """Return whether every deviation is within its bound; a check that applies to nothing holds."""
        return self.worst is None or self.worst.holds


def examine(check: Check, subjects: Subjects) -> Finding:
    """Make one check. Whatever it raises is a failure too, part of the finding, and stops no other check."""
    began = perf_counter()
    found: list[Deviation] = []
    try:
        found.extend(check.measure(subjects))
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        found.append(Deviation("stopped", float("nan"), Bound(0.0, "it must not stop"), reason))
    worst = max(found, key=lambda measured: measured.excess, default=None)
    return Finding(check, worst, perf_counter() - began)


def relative(measured: Tensor, wanted: Tensor) -> float:
    """Return the worst map's sum of absolute differences, over the mean absolute sum of the wanted maps.

    A sum, since one ReLU or max pooling that decides otherwise in another rounding moves a few cells a lot;
    over the mean of all maps, since a map of which the ReLU leaves next to nothing is no yardstick.

    Args:
        measured: ``[N, K, …]``, on any device.
        wanted: The expected values, of the same shape.

    Returns:
        NaN where the wanted maps are all zero, or anything is not finite; infinity where shapes differ.
    """
    if measured.shape != wanted.shape:
        return float("inf")
    a, b = (maps.detach().cpu().double().flatten(2) for maps in (measured, wanted))
    return float((a - b).abs().sum(2).max() / b.abs().sum(2).mean())
