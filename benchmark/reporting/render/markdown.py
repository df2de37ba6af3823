"""A table as Markdown, for a README or a pull request."""

import re
from collections.abc import Iterator

from benchmark.reporting.render.layout import Layout, Panel

_SPECIAL = re.compile(r"([\\`*\[\]<>|~])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def render(layout: Layout) -> str:
    """GitHub-flavoured Markdown: title, one table a panel, the notes as lists."""
    parts = [f"## {_escape(layout.title)}", *("\n".join(_panel(panel)) for panel in layout.panels)]
    for section in layout.notes:
        items = [
            f"- **{_escape(term)}**: {_escape(text)}" if term else f"- {_escape(text)}"
            for term, text in section.items
        ]
        parts.append("\n".join([f"**{_escape(section.heading)}**", "", *items]))
    return "\n\n".join(parts) + "\n"


def _panel(panel: Panel) -> Iterator[str]:
    yield _line(("row", "", *panel.columns))
    yield "|".join(["", "---", "---", *["---:"] * len(panel.columns), ""])
    for block in panel.blocks:
        for cells in block:
            yield _line(cells)


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_escape(cell) for cell in cells) + " |"


def _escape(text: str) -> str:
    """Text that Markdown shows as it is; an underscore inside a word needs nothing."""
    return _SPECIAL.sub(lambda match: "\\" + match.group(), text)
