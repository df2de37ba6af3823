"""A table as text: on a terminal of any width, and in a file."""

import io
from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from benchmark.reporting.render.layout import OUTSIDE, Layout, Panel
from benchmark.reporting.render.notes import Notes

WIDTH = 120
_PLAIN = str.maketrans(
    {"–": "-", "—": "-", "…": "...", "×": "x", "≥": ">=", "≤": "<=", "−": "-", "━": "-", "─": "-"}
)


def show(layout: Layout, console: Console) -> None:
    """Print at the console's width, or at 120 columns where it is no terminal and so has none."""
    width = console.width if console.is_terminal else WIDTH
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
        for table in _tables(panel, width):
            console.print(table)
    for section in layout.notes:
        _print_notes(console, section)
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
        yield from ("", *block.head)
        for number, title in enumerate(panel.columns):
            yield f" {title}"
            yield from (f"  {strip.label} {strip.cells[number]}" for strip in block.strips)


def _table(panel: Panel, columns: range) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for title in ("row", "", *(panel.columns[number] for number in columns)):
        table.add_column(Text(title), overflow="fold", justify="right" if table.columns[1:] else "left")
    for block in panel.blocks:
        lines = block.lines
        for number, (head, label, *cells) in enumerate(lines):
            shown = [_cell(cells[column]) for column in columns]
            table.add_row(Text(head), Text(label), *shown, end_section=number == len(lines) - 1)
    return table


def _cell(text: str) -> Text:
    return Text(text, style="yellow" if text.endswith(OUTSIDE) else "")


def _print_notes(console: Console, section: Notes) -> None:
    console.print()
    console.print(Text(section.heading, style="bold"))
    hanging = Table.grid(padding=(0, 1))
    hanging.add_column()
    hanging.add_column(overflow="fold")
    for term, text in section.items:
        hanging.add_row("-", Text.assemble((f"{term}: " if term else "", "bold"), text))
    console.print(hanging)
