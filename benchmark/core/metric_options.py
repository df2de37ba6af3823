"""What options of metrics may be, asked where a metric is made: before hours of measuring, and not after."""

from collections.abc import Sequence

from benchmark.core.errors import UserError
from benchmark.core.options import require, require_count


def require_overlap(metric: str, option: str, value: object) -> None:
    """Refuse a least overlap that is no number in (0, 1].

    Args:
        metric: Its key, such as ``gt_known``.
        option: The option's key.
        value: As given.

    Raises:
        UserError: Naming metric, option and range.
    """
    require(option, value, lambda number: 0 < number <= 1, "a number in (0, 1]", f"metric.{metric}")


def require_overlaps(metric: str, option: str, values: object) -> None:
    """Refuse what is not a list of least overlaps, at least one.

    Raises:
        UserError: Naming metric, option and range.
    """
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise UserError(
            f"metric.{metric}.{option} is {values}; it must be a list of numbers in (0, 1], such as [0.5]"
        )
    if not values:
        raise UserError(f"metric.{metric}.{option} is empty; give numbers in (0, 1], such as [0.5]")
    for value in values:
        require_overlap(metric, option, value)


def require_bootstrap(metric: str, resamples: object, seed: object) -> None:
    """Refuse options of the bootstrap that are no whole numbers, or out of range.

    Raises:
        UserError: Naming metric, option and range.
    """
    require_count("resamples", resamples, 1, f"metric.{metric}")
    require_count("seed", seed, 0, f"metric.{metric}")
