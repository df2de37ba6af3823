"""A table on a terminal and in files: Markdown, LaTeX, plain text, and csv for machines."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmark.core.files import write_atomically
from benchmark.reporting.render import csv, latex, markdown, terminal
from benchmark.reporting.render.full import layout
from benchmark.reporting.render.layout import Notes
from benchmark.reporting.render.summary import WIDTH, summary
from benchmark.reporting.table import Table

__all__ = ["in_short", "rendered", "show", "write_all"]


def show(table: Table, console: Console | None = None, notes: bool = False) -> None:
    """Print a table in one line a row, at most 100 columns wide; or in full, with all its notes.

    Args:
        table: Table to print.
        console: Console to print to; standard output if ``None``.
        notes: Whether to print all that the files hold: as wide as the terminal is, or 120 columns where the
            output goes into a pipe or a file.
    """
    console = console or Console()
    if notes:
        terminal.show(layout(table), console)
    else:
        terminal.show(summary(table), console, WIDTH)


def write_all(table: Table, folder: Path, stem: str) -> list[Path]:
    """Write ``stem.md``, ``.tex``, ``.txt`` and ``.csv``, each whole or absent, UTF-8.

    Returns:
        Their paths.

    Raises:
        UserError: If the folder cannot be written.
    """
    texts = rendered(table)
    paths = {suffix: folder / f"{stem}.{suffix}" for suffix in texts}  # a stem may itself hold dots
    for suffix, text in texts.items():
        write_atomically(paths[suffix], text)
    return list(paths.values())


def in_short(table: Table) -> str:
    """Return a table in Markdown with one line a row, and what the terminal says above and below it.

    It begins with the table, of which a page may show the first lines alone; cells stand apart also where a
    page gives them no padding.
    """
    laid_out = summary(table)
    below = Notes("", tuple(("", text) for text in (laid_out.title, *laid_out.footer)))
    _, _, text = markdown.render(replace(laid_out, notes=(below,))).partition("\n\n")
    return "\n".join(
        line.replace(" | ", " &nbsp; | ") if line.startswith("| ") else line for line in text.splitlines()
    )


def rendered(table: Table) -> dict[str, str]:
    """Return the content of a table's files by suffix."""
    laid_out = layout(table)
    return {
        "md": markdown.render(laid_out),
        "tex": latex.render(laid_out),
        "txt": terminal.render(laid_out),
        "csv": csv.render(table),
    }
