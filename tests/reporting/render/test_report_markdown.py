"""The table as Markdown, read back by an independent parser."""

from itertools import pairwise

from helpers.handmade import result, table, table1
from markdown_it import MarkdownIt

from benchmark.core.types import OpenRow
from benchmark.reporting.render.full import layout
from benchmark.reporting.render.markdown import render


def parsed_cells(text: str) -> list[list[str]]:
    """Every row of every table, its cells as a reader sees them."""
    rows: list[list[str]] = []
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for before, token in pairwise(tokens):
        if before.type == "tr_open":
            rows.append([])
        if before.type in ("td_open", "th_open"):
            rows[-1].append("".join(child.content for child in token.children or ()))
    return rows


def test_a_parser_reads_the_cells_of_the_layout() -> None:
    laid_out = layout(table1())
    expected = []
    for subtable in laid_out.subtables:
        expected.append(["row", "", *subtable.columns])
        expected += [list(line) for block in subtable.blocks for line in block]
    assert parsed_cells(render(laid_out)) == expected


def test_what_markdown_would_interpret_is_read_as_it_was_written() -> None:
    name = "a|b/*c*_d_<e>[f](g)`h`~i~"
    odd = OpenRow(name, "m", "n", "<b>no</b> | `weights` _at_ [all](x)")
    text = render(layout(table(result(), odd)))
    assert [name] == [row[0] for row in parsed_cells(text) if row[0].startswith("a|b")]
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert "&lt;b&gt;no&lt;/b&gt; | `weights` _at_ [all](x)" in html


def test_all_lines_of_a_table_have_the_same_number_of_bars() -> None:
    lines = [line for line in render(layout(table1())).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {9}


def test_notes_are_lists_under_their_headings() -> None:
    text = render(layout(table()))
    assert "**Open rows**\n\n- **b/cam**: b.caffemodel is not there; give model.weights=PATH\n" in text
    assert text.endswith("\n")
