"""The content of a rendered table, whatever its format: subtables of rows, and the notes under them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

OUTSIDE, UNEXPLAINED_MARK = "*", "≠"
"""How a number is marked that is to be noticed."""

Block = tuple[tuple[str, ...], ...]
"""A row, line by line: what stands in its first column, the line's label, and a cell for each column."""


@dataclass(frozen=True, slots=True)
class Subtable:
    """Blocks under common column titles."""

    columns: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Notes:
    """A heading with pairs of a term, which may be empty, and a text."""

    heading: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """All that is printed of a table, as plain text.

    Attributes:
        title: Above it.
        subtables: One below the other.
        notes: Remarks that a reader must know before quoting a number.
        footer: The same in a few lines, where the notes stand elsewhere.
    """

    title: str
    subtables: tuple[Subtable, ...] = ()
    notes: tuple[Notes, ...] = ()
    footer: tuple[str, ...] = ()


def block(head: Sequence[str], *lines: tuple[str, Sequence[str]]) -> Block:
    """Make a row of what stands in its first column, and of labelled lines of cells beside it."""
    blank = ("", ("",) * len(lines[0][1]))
    pairs = ((first or "", line or blank) for first, line in zip_longest(head, lines))
    return tuple((first, label, *cells) for first, (label, cells) in pairs)
