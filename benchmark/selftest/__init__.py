"""Truths that need no images, tried on the user's own device before a long run; one file a few of a kind."""

from benchmark.selftest import agreement, boxes, gradients, mass, rectified, traces
from benchmark.selftest.truth import Truth

TRUTHS: tuple[Truth, ...] = (
    *gradients.TRUTHS,
    *rectified.TRUTHS,
    *mass.TRUTHS,
    *agreement.TRUTHS,
    *boxes.TRUTHS,
    *traces.TRUTHS,
)
"""In the order in which they are tried: the cheap and telling ones first."""
