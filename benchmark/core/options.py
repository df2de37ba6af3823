"""What options of localizers, metrics and transforms may be: numbers of a range, counts, ascending grids."""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise

from benchmark.core.errors import UserError

Fits = Callable[[float], bool]
"""Whether a number lies in an option's range."""


def require(option: str, value: object, fits: Fits, must: str, group: str = "localizer") -> None:
    """Refuse an option that is not a number of its range.

    Args:
        option: Its key.
        value: As given.
        fits: Its range, asked only of finite numbers.
        must: The range in words, after "it must be".
        group: Where the option lies, such as ``metric.gt_known``.

    Raises:
        UserError: Naming option, value and range.
    """
    if not _is_number(value, fits):
        raise UserError(f"{group}.{option} is {value}; it must be {must}")


def require_count(option: str, value: object, least: int = 1, group: str = "localizer") -> None:
    """Refuse what is not a whole number from ``least`` up.

    Args:
        option: Its key.
        value: As given.
        least: The smallest allowed.
        group: Where the option lies.

    Raises:
        UserError: Naming option, value and range.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(f"{group}.{option} is {value}; it must be a whole number from {least} up")


def ascending(option: str, values: Iterable[object], fits: Fits, must: str) -> tuple[float, ...]:
    """A grid as a tuple; empty where no curve is wanted.

    Args:
        option: Its key.
        values: As given.
        fits: The range of each number.
        must: What the numbers must be, in words, after "ascending numbers".

    Raises:
        UserError: Where a value is out of range, or not above the one before.
    """
    found = tuple(values)
    numbers = [float(value) for value in found if isinstance(value, int | float) and _is_number(value, fits)]
    if len(numbers) < len(found) or any(a >= b for a, b in pairwise(numbers)):
        raise UserError(f"localizer.{option} is {list(found)}; it must be ascending numbers {must}")
    return tuple(numbers)


def _is_number(value: object, fits: Fits) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and fits(value)
