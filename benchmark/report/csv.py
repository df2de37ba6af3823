"""A table for machines: one line for each metric of each row, numbers as fractions."""

from benchmark.table import Table, lines


def render(table: Table) -> str:
    """The tidy table as csv: a header, floats in full, an empty field where there is no value."""
    text = lines(table).to_csv(index=False, lineterminator="\n")
    return str(text)
