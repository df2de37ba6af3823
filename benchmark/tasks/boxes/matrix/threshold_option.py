"""The one option of a box protocol that its curve is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.core.provenance import fingerprint

_SAME_AS_THE_CURVE = ("threshold", "alpha", "fraction")
_GREY_LEVELS = "levels"
_WHITE = 255


@dataclass(frozen=True)
class Knob:
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
        """What to give the option for a threshold of the curve; of grey levels, those above it stay."""
        if self.option != _GREY_LEVELS:
            return threshold
        lowest = _WHITE * threshold
        return [lowest, *(level for level in self.value if level > lowest)]


def knob_of(options: Mapping[str, Any]) -> Knob | None:
    """The knob among a protocol's options, by its name; ``None`` for a protocol without a threshold."""
    for option in _SAME_AS_THE_CURVE:
        if option in options:
            return Knob(option, options[option], float(options[option]))
    if _GREY_LEVELS in options:
        levels = options[_GREY_LEVELS]
        return Knob(_GREY_LEVELS, levels, float(levels[0]) / _WHITE)
    return None


def family(options: Mapping[str, Any]) -> str:
    """A key that protocols share which differ in their threshold alone, and so have one curve."""
    knob = knob_of(options)
    apart = {"name", "version", "grid", *([knob.option] if knob else [])}
    return fingerprint({key: value for key, value in options.items() if key not in apart})
