"""Bounds of the deviations that each precision may show, with the reasons."""

from typing import NamedTuple

from benchmark.pipeline.settings import RunSettings


class Bound(NamedTuple):
    """The greatest deviation that is accepted, and the reason for it."""

    allowed: float
    reason: str


EXACT = Bound(0.0, "the same operations on the same numbers")

# On a CPU: 8e-16, 4e-7, 0.01 and 8e-4 at most for sums; 7e-14, 3e-5, 0.35 and 0.18 for whole networks. In low
# precision so many ReLUs and max poolings decide otherwise that gradients differ in whole regions.
_ROUNDING = {"float64": 1e-12, "float32": 1e-5, "bfloat16": 2e-2, "float16": 5e-3}
_NETWORK = {"float64": 1e-10, "float32": 1e-3, "bfloat16": 0.5, "float16": 0.25}

# A gradient down to the pixels passes every ReLU and max pooling: in float32 the few that decide otherwise
# were seen to move a narrow GoogLeNet's map by 1.2e-3 (two threads sum in another order than one).
_TO_THE_PIXELS = _NETWORK | {"float32": 1e-2}


def rounding(settings: RunSettings) -> Bound:
    """Bound two ways through the last layers: sums of some hundred products, each rounded."""
    return Bound(_ROUNDING[settings.precision], f"sums rounded in {settings.precision}")


def walking(settings: RunSettings) -> Bound:
    """Bound excitation backprop, which walks in float32 or wider whatever autocast says."""
    wide = "float64" if settings.precision == "float64" else "float32"
    return Bound(_ROUNDING[wide], f"some tens of layers walked in {wide}")


def network(settings: RunSettings, to_the_pixels: bool) -> Bound:
    """Bound two passes through a whole network that round differently, or its gradients down to the input."""
    if to_the_pixels:
        reason = f"a whole network rounded in {settings.precision}, a ReLU or two deciding otherwise"
        return Bound(_TO_THE_PIXELS[settings.precision], reason)
    return Bound(_NETWORK[settings.precision], f"a whole network rounded in {settings.precision}")
