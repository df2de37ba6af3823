"""A table for machines: one line for each metric of each row, numbers as fractions."""

from benchmark.table import Table, lines


def render(table: Table) -> str:
    """The tidy table as csv: a header, floats in full, an empty field where there is no value.

    Published numbers that are not comparable stand under another name, so that no script subtracts them.
    """
    names = {} if table.comparable or not table.published else {"published": "published_not_comparable"}
    text = lines(table).rename(columns=names).to_csv(index=False, lineterminator="\n")
    return str(text)
