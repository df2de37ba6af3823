"""A table as text: on a terminal of any width, and in a file."""

import io
from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from benchmark.reporting.render.layout import OUTSIDE, UNEXPLAINED_MARK, Layout, Notes, Panel

WIDTH = 120
_PLAIN = str.maketrans(
    dict(zip("–—…×≥≤−━─±≈≠", ("-", "-", "...", "x", ">=", "<=", "-", "-", "-", "+-", "~", "#"), strict=True))
)


def show(layout: Layout, console: Console, most: int = 10_000) -> None:
    """Print at the console's width, or at 120 columns where it is no terminal and so has none.

    Args:
        layout: What to print.
        console: Where to.
        most: Columns that are used at most.
    """
    width = min(most, console.width if console.is_terminal else WIDTH)
    text = render(layout, width, console.color_system if console.is_terminal else None)
    encoding = console.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    console.file.write(text)
    console.file.flush()


def render(layout: Layout, width: int = WIDTH, colour: str | None = None) -> str:
    """The layout as text of at most ``width`` columns.

    A panel that is too wide is cut into several with fewer columns each, and becomes a list where not even
    one column fits: no number is ever shortened or broken.

    Args:
        layout: What to print.
        width: Columns there are.
        colour: One of rich's colour systems, or ``None`` for none.
    """
    console = _console(width, colour)
    console.print(Text(layout.title, style="bold"))
    for panel in layout.panels:
        for number, table in enumerate(_tables(panel, width)):
            if (number or panel is not layout.panels[0]) and not getattr(table, "show_edge", True):
                console.print()  # an edge is a blank line of its own
            console.print(table)
    for section in layout.notes:
        _print_notes(console, section)
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


def _tables(panel: Panel, width: int) -> list[Table] | list[Text]:
    """The panel in as few tables as fit the width; as a list where none fits."""
    measuring = _console(10_000, None)
    columns = range(len(panel.columns))
    for size in range(len(columns), 0, -1):
        tables = [_table(panel, columns[start : start + size]) for start in columns[::size]]
        if all(Measurement.get(measuring, measuring.options, table).maximum <= width for table in tables):
            return tables
    return [Text("\n".join(_stacked(panel)))]


def _stacked(panel: Panel) -> Iterator[str]:
    for block in panel.blocks:
        yield from ("", *(line[0] for line in block if line[0]))
        for number, title in enumerate(panel.columns, start=2):
            yield f" {title}"
            yield from (f"  {line[1]} {line[number]}" for line in block if line[number])


def _table(panel: Panel, columns: range) -> Table:
    """Some columns of a panel, its rows apart where they have several lines."""
    labels = [""] if any(line[1] for block in panel.blocks for line in block) else []
    apart = any(len(block) > 1 for block in panel.blocks)
    padding = (0, 1) if apart else (0, 1, 0, 0)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=padding, show_edge=apart)
    for title in ("row", *labels, *(panel.columns[number] for number in columns)):
        right = apart and len(table.columns) > 1
        table.add_column(Text(title), overflow="fold", justify="right" if right else "left")
    for block in panel.blocks:
        for number, (head, label, *cells) in enumerate(block, start=1):
            texts = [head, *[label for _ in labels], *(cells[column] for column in columns)]
            table.add_row(*map(_cell, texts), end_section=apart and number == len(block))
    return table


def _cell(text: str) -> Text:
    return Text(text, style="yellow" if text.endswith(OUTSIDE) or UNEXPLAINED_MARK in text else "")


def _print_notes(console: Console, section: Notes) -> None:
    console.print()
    console.print(Text(section.heading, style="bold"))
    hanging = Table.grid(padding=(0, 1))
    hanging.add_column()
    hanging.add_column(overflow="fold")
    for term, text in section.items:
        hanging.add_row("-", Text.assemble((f"{term}: " if term else "", "bold"), text))
    console.print(hanging)
