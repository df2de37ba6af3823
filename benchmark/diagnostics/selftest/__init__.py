"""Checks that need no images, tried on the user's own device before a long run; one file a few of a kind."""

from benchmark.diagnostics.selftest import (
    agreement,
    gradients,
)
from benchmark.diagnostics.selftest import (
    excitation as mass,
)
from benchmark.diagnostics.selftest import (
    localizers as boxes,
)
from benchmark.diagnostics.selftest import (
    relu as rectified,
)
from benchmark.diagnostics.selftest import (
    side_effects as traces,
)
from benchmark.diagnostics.selftest.check import Check

CHECKS: tuple[Check, ...] = (
    *gradients.CHECKS,
    *rectified.CHECKS,
    *mass.CHECKS,
    *agreement.CHECKS,
    *boxes.CHECKS,
    *traces.CHECKS,
)
"""In the order in which they are tried: the cheap and telling ones first."""
