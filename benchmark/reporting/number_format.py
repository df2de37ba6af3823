"""What a metric is printed in."""

PLAIN = ("rank_correlation", "kendall", "spearman", "deletion", "insertion")
"""How the names of metrics begin that are printed as they are; all others are fractions, and in percent."""


def plain(metric: str) -> bool:
    """Whether a metric is printed as it is, with three decimals, and not in percent.

    >>> plain("rank_correlation_28"), plain("constant_maps")
    (True, False)
    """
    return metric.startswith(PLAIN)


def shown(metric: str, value: float, signed: bool = False) -> str:
    """A value: in percent with two decimals, or plain with three.

    >>> shown("loc_top1", 0.5651), shown("rank_correlation", -0.2), shown("loc_top1", 0.01, signed=True)
    ('56.51', '-0.200', '+1.00')
    """
    number, digits = (value, 3) if plain(metric) else (100 * value, 2)
    return f"{round(number, digits) + 0.0:{'+' if signed else ''}.{digits}f}"  # + 0.0: never -0.00


def interval(metric: str, low: float, high: float) -> str:
    """An interval: in percent with one decimal, or plain with three.

    >>> interval("loc_top1", 0.541, 0.588), interval("rank_correlation", -0.012, 0.2)
    ('54.1–58.8', '-0.012 to 0.200')
    """
    if plain(metric):
        return f"{round(low, 3) + 0.0:.3f} to {round(high, 3) + 0.0:.3f}"
    return f"{100 * low:.1f}–{100 * high:.1f}"
