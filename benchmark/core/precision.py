"""What rounding moves in each precision; the numbers are measured, see ``docs/precision.md``."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True)
class Tolerance:
    """How far two computations of the same thing may be apart in one precision.

    Deviations are sums of absolute differences of a map as a share of the mean sum of all, as
    :func:`benchmark.diagnostics.selftest.check.relative` gives them.

    Attributes:
        sums: Deviation of two ways through the last layers: sums of some hundred products, each rounded.
        network: Deviation of maps that need a forward pass and the last layers alone, such as Grad-CAM's.
        walked: The same, of excitation backprop down to the layer that is read: it passes max poolings and
            ReLUs, of which a few decide otherwise.
        pixels: The same, of gradients down to the input, which pass them all.
        boxes: Share of boxes that two ways to the same map at the last layer may place otherwise.
    """

    sums: float
    network: float
    walked: float
    pixels: float
    boxes: float

    def accepts(self, differing: int, boxes: int) -> bool:
        """Return whether so many differing boxes are no more than rounding explains.

        Few boxes scatter: three standard deviations of a Poisson count are allowed beyond the share.
        """
        expected = self.boxes * boxes
        return differing <= expected + 3 * sqrt(expected)


TOLERANCES: Mapping[str, Tolerance] = {
    "float64": Tolerance(sums=1e-12, network=1e-10, walked=1e-10, pixels=1e-10, boxes=1e-3),
    "float32": Tolerance(sums=1e-5, network=1e-3, walked=3e-2, pixels=0.25, boxes=1e-3),
    "float16": Tolerance(sums=5e-3, network=0.25, walked=0.1, pixels=0.5, boxes=5e-3),
    "bfloat16": Tolerance(sums=2e-2, network=0.5, walked=0.25, pixels=0.75, boxes=5e-2),
}
"""By the name that ``run.precision`` has for it."""
