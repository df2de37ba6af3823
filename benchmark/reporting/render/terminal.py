"""A table as text: on a terminal of any width, and in a file."""

import io

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from benchmark.reporting.render.layout import OUTSIDE, UNEXPLAINED_MARK, Layout, Notes, Subtable

WIDTH = 120
_ASCII = str.maketrans(
    {"–": "-", "—": "-", "…": "...", "×": "x", "≥": ">=", "≤": "<=", "─": "-", "±": "+-", "≈": "~", "≠": "!="}
)


def show(layout: Layout, console: Console, most: int = 10_000) -> None:
    """Print at the console's width, or at 120 columns where it is no terminal and so has none.

    Args:
        layout: Layout to print.
        console: Console to print to.
        most: Columns that are used at most.
    """
    width = min(most, console.width if console.is_terminal else WIDTH)
    text = render(layout, width, console.color_system if console.is_terminal else None)
    encoding = console.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_ASCII).encode(encoding, "replace").decode(encoding)
    console.file.write(text)
    console.file.flush()


def render(layout: Layout, width: int = WIDTH, colour: str | None = None) -> str:
    """Write a layout as text of at most ``width`` columns.

    A subtable that is too wide is cut into several with fewer columns each, so that no number is shortened or
    broken where there is room for one column.

    Args:
        layout: Layout to print.
        width: Columns there are.
        colour: One of rich's colour systems, or ``None`` for none.
    """
    console = _console(width, colour)
    console.print(Text(layout.title, style="bold"))
    tables = [table for subtable in layout.subtables for table in _tables(subtable, width)]
    for number, table in enumerate(tables):
        if number and not table.show_edge:
            console.print()  # an edge is a blank line of its own
        console.print(table)
    for section in layout.notes:
        console.print(Text(f"\n{section.heading}", style="bold"))
        console.print(_list(section))
    for text in ("", *layout.footer) if layout.footer else ():
        console.print(Text(text))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _console(width: int, colour: str | None) -> Console:
    return Console(
        file=io.StringIO(),
        width=width,
        color_system=colour,  # type: ignore[arg-type]
        force_terminal=colour is not None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


def _tables(subtable: Subtable, width: int) -> list[Table]:
    """Cut a subtable into as few tables as fit the width."""
    measuring = _console(10_000, None)
    columns = range(len(subtable.columns))
    for size in range(len(columns), 0, -1):
        tables = [_table(subtable, columns[start : start + size]) for start in columns[::size]]
        if all(Measurement.get(measuring, measuring.options, table).maximum <= width for table in tables):
            break
    return tables


def _table(subtable: Subtable, columns: range) -> Table:
    """Make a table of some columns, its rows apart where they have several lines."""
    labels = [""] if any(line[1] for block in subtable.blocks for line in block) else []
    apart = any(len(block) > 1 for block in subtable.blocks)
    padding = (0, 1) if apart else (0, 1, 0, 0)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=padding, show_edge=apart)
    for title in ("row", *labels, *(subtable.columns[number] for number in columns)):
        right = apart and len(table.columns) > len(labels)
        table.add_column(Text(title), overflow="fold", justify="right" if right else "left")
    for block in subtable.blocks:
        for number, (head, label, *cells) in enumerate(block, start=1):
            texts = [head, *[label for _ in labels], *(cells[column] for column in columns)]
            table.add_row(*map(_cell, texts), end_section=apart and number == len(block))
    return table


def _cell(text: str) -> Text:
    return Text(text, style="yellow" if text.endswith(OUTSIDE) or UNEXPLAINED_MARK in text else "")


def _list(section: Notes) -> Table:
    hanging = Table.grid(padding=(0, 1))
    hanging.add_column()
    hanging.add_column(overflow="fold")
    for term, text in section.items:
        hanging.add_row("-", Text.assemble((f"{term}: " if term else "", "bold"), text))
    return hanging
