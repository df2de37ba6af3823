r"""A table as LaTeX, to be taken in with ``\input``; needs the package booktabs and nothing else.

With the package graphicx as well, a table that is wider than the text is scaled to its width.
"""

import re
import unicodedata
from collections.abc import Iterator

from benchmark.reporting.render.layout import Layout, Subtable

_HEADER = r"""% Made by this project, not typed: change the run, not this file. To see it:
%   \documentclass{article}\usepackage{booktabs,graphicx}\begin{document}\input{THIS-FILE}\end{document}"""
_FITTED = (
    r"\ifdim\wd0>\linewidth\ifdefined\resizebox\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi"
    r"\else\usebox0\fi"
)
_ESCAPES = {
    **{char: f"\\{char}" for char in "{}&%$#_"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "[": "{[}",  # after \\ or \item a bare bracket would open an optional argument
    "]": "{]}",
    "*": "{*}",
    "`": r"\textasciigrave{}",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    "\N{NO-BREAK SPACE}": "~",
    "−": "$-$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "±": r"$\pm$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "→": r"$\rightarrow$",
    "≈": r"$\approx$",
    "°": r"$^{\circ}$",
    "α": r"$\alpha$",
    "τ": r"$\tau$",
    "µ": r"$\mu$",
    "²": r"$^{2}$",
    "§": r"\S{}",
}


def render(layout: Layout) -> str:
    """Write one ``table`` a subtable, then the notes as lists; any engine compiles it."""
    parts = [_HEADER]
    parts += ["\n".join(_subtable(subtable, layout.title)) for subtable in layout.subtables]
    for section in layout.notes:
        items = [rf"  \item {_term(term)}{escape(text)}" for term, text in section.items]
        opening = rf"\paragraph{{{escape(section.heading)}}}\begin{{itemize}}\footnotesize\raggedright"
        parts.append("\n".join([opening, *items, r"\end{itemize}"]))
    return "\n\n".join(parts) + "\n"


def _term(term: str) -> str:
    return rf"\textbf{{{escape(term)}}}: " if term else "{}"  # {}: see the bracket in _ESCAPES


def _subtable(subtable: Subtable, title: str) -> Iterator[str]:
    yield r"\begin{table}[htbp]\centering\small"
    yield rf"\caption{{{escape(title)}}}"
    yield r"\sbox0{%"
    yield rf"\begin{{tabular}}{{ll{'r' * len(subtable.columns)}}}"
    yield r"\toprule"
    yield _line(("row", "", *subtable.columns))
    for block in subtable.blocks:
        yield r"\midrule"
        yield from (_line(cells) for cells in block)
    yield r"\bottomrule"
    yield r"\end{tabular}}%"
    yield _FITTED
    yield r"\end{table}"


def _line(cells: tuple[str, ...]) -> str:
    return " & ".join(_signed(cell) for cell in cells) + r" \\"


def _signed(cell: str) -> str:
    """Set a cell's sign as a minus, not as a hyphen."""
    return "$-$" + escape(cell[1:]) if re.match(r"-\d", cell) else escape(cell)


def escape(text: str) -> str:
    """Escape a text so that LaTeX sets it as it is."""
    return "".join(_ESCAPES.get(char) or _other(char) for char in text)


def _other(char: str) -> str:
    """Keep ASCII and accented Latin letters; write what a font may lack by its number: nothing is lost."""
    if char.isascii() or (
        unicodedata.category(char)[0] == "L" and char < "\N{LATIN CAPITAL LETTER B WITH STROKE}"
    ):
        return char
    return f"{{[}}U+{ord(char):04X}{{]}}"
