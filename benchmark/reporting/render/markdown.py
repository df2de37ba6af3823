"""A table as Markdown, for a README or a pull request."""

import re
from collections.abc import Iterator

from benchmark.reporting.render.layout import Layout, Subtable

_SPECIAL = re.compile(r"([\\`*\[\]<>|~])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def render(layout: Layout) -> str:
    """Write GitHub-flavoured Markdown: title, one table a subtable, the notes as lists."""
    parts = [f"## {_escape(layout.title)}", *("\n".join(_lines(one)) for one in layout.subtables)]
    for section in layout.notes:
        items = [
            f"- **{_escape(term)}**: {_escape(text)}" if term else f"- {_escape(text)}"
            for term, text in section.items
        ]
        heading = [f"**{_escape(section.heading)}**", ""] if section.heading else []
        parts.append("\n".join([*heading, *items]))
    return "\n\n".join(parts) + "\n"


def _lines(subtable: Subtable) -> Iterator[str]:
    yield _line(("row", "", *subtable.columns))
    yield "|".join(["", "---", "---", *["---:"] * len(subtable.columns), ""])
    for block in subtable.blocks:
        for cells in block:
            yield _line(cells)


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_escape(cell) for cell in cells) + " |"


def _escape(text: str) -> str:
    """Escape a text so that Markdown shows it as it is; an underscore inside a word needs nothing."""
    return _SPECIAL.sub(lambda match: "\\" + match.group(), text)
