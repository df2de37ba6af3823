"""The threshold of a box protocol: the one option that it is, and GT-known error over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmark.core.provenance import fingerprint
from benchmark.core.types import Records
from benchmark.metrics.common.threshold_curve import one_box_each, right_at

_SAME_AS_THE_CURVE = ("threshold", "alpha", "fraction")
_GREY_LEVELS = "levels"
_WHITE = 255


class ThresholdOption(NamedTuple):
    """A protocol's threshold as configured.

    Attributes:
        option: Its key in the protocol's yaml.
        value: Its value there: a number, or ascending grey levels of which the curve moves the lowest.
        threshold: The same in the units of the curve.
    """

    option: str
    value: Any
    threshold: float

    def at(self, threshold: float) -> Any:
        """Return the option's value for a threshold of the curve; of grey levels, those above it stay."""
        if self.option != _GREY_LEVELS:
            return threshold
        lowest = _WHITE * threshold
        return [lowest, *(level for level in self.value if level > lowest)]


def threshold_option(options: Mapping[str, Any]) -> ThresholdOption | None:
    """Find the threshold among a protocol's options, by its name; ``None`` for a protocol without one."""
    for option in _SAME_AS_THE_CURVE:
        if option in options:
            return ThresholdOption(option, options[option], float(options[option]))
    if _GREY_LEVELS in options:
        levels = options[_GREY_LEVELS]
        return ThresholdOption(_GREY_LEVELS, levels, float(levels[0]) / _WHITE)
    return None


def family(options: Mapping[str, Any]) -> str:
    """Return a key that protocols share which differ in their threshold alone, and so have one curve."""
    found = threshold_option(options)
    apart = {"name", "version", "grid", *([found.option] if found else [])}
    return fingerprint({key: value for key, value in options.items() if key not in apart})


@dataclass(frozen=True)
class ThresholdCurve:
    """GT-known error over a protocol's thresholds.

    Attributes:
        thresholds: ``[t]`` ascending.
        errors: ``[t]`` fractions: what ``gt_known`` would be with each of them.
        n: Images that each is an average over.
    """

    thresholds: npt.NDArray[np.float64]
    errors: npt.NDArray[np.float64]
    n: int

    @property
    def best(self) -> float:
        """Return the threshold of the least error, the lowest of equal ones."""
        return float(self.thresholds[self.errors.argmin()])


def curve_of(records: Records, iou: float) -> ThresholdCurve | None:
    """Compute the curve of recorded boxes, blacklist left out.

    Of several boxes at one threshold (``wsol_pixels_v2``) the first counts, as at a fixed one, and overlap is
    that of original pixels, whatever the localizer counts itself.

    Args:
        records: Records with a curve over thresholds.
        iou: Least overlap of a right box, in (0, 1].

    Returns:
        ``None`` where no curve is recorded, or no image counts.
    """
    single = one_box_each(records)
    found = None if single is None else right_at(single, iou)
    counted = ~records.blacklisted
    if found is None or not counted.any():
        return None
    thresholds, right = found
    wrong = np.logical_not(right[counted])
    return ThresholdCurve(thresholds, wrong.mean(axis=0), len(wrong))
