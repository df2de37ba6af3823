"""A table for machines: one line for each metric of each row and each paired difference, numbers unscaled."""

import math

from benchmark.reporting.table import Table, lines
from benchmark.reporting.verdicts import NOT_COMPARABLE


def render(table: Table) -> str:
    """The tidy table as csv: a header, floats in full, an empty field where there is no value.

    Published numbers that are not comparable stand in a column of another name, so that no script subtracts
    them; a column of published numbers that would be empty is left out.
    """
    frame = lines(table)
    ends = ["low", "high"]
    frame[ends] = frame[ends].mask(frame[ends].abs() == math.inf)  # no bound, as of one image alone
    apart = frame["verdict"] == NOT_COMPARABLE
    if apart.any():
        place = list(frame.columns).index("published") + 1
        frame.insert(place, "published_not_comparable", frame["published"].where(apart))
        frame["published"] = frame["published"].mask(apart)
    if apart.any() and not table.comparable:
        frame = frame.drop(columns="published")
    return str(frame.to_csv(index=False, lineterminator="\n"))
