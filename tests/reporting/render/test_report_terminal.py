"""The table as text: whole at every width, and readable where there is neither colour nor Unicode."""

import io
import re
from dataclasses import replace

import pytest
from helpers.handmade import result, table, table1
from rich.console import Console

from benchmark.core.types import OpenRow
from benchmark.reporting.render.full import layout
from benchmark.reporting.render.terminal import render, show


class Output(io.TextIOWrapper):
    """A stream with an encoding, on a terminal or not, that remembers what was written."""

    def __init__(self, encoding: str, terminal: bool = False) -> None:
        self.raw_bytes = io.BytesIO()
        self._terminal = terminal
        super().__init__(self.raw_bytes, encoding=encoding, newline="\n")

    def isatty(self) -> bool:
        return self._terminal

    @property
    def text(self) -> str:
        self.flush()
        return self.raw_bytes.getvalue().decode(self.encoding)


def numbers(text: str) -> list[str]:
    return sorted(re.findall(r"(?<![\w.])[+-]?\d+\.\d+(?:–\d+\.\d)?", text.split("How to read it")[0]))


@pytest.mark.parametrize("width", [48, 60, 72, 80, 100, 119, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_lost(width: int) -> None:
    laid_out = layout(table1())
    text = render(laid_out, width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert numbers(text) == numbers(render(laid_out, 1000))


def test_table1_stands_in_one_piece_within_120_columns() -> None:
    text = render(layout(table1()), 120)
    assert len(re.findall(r"^ *row {2,}cls top-1 ", text, re.MULTILINE)) == 1  # one heading, not several


def test_a_file_has_neither_colours_nor_trailing_blanks() -> None:
    text = render(layout(table()))
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_pipe_gets_120_columns_and_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    output = Output("utf-8")
    show(layout(table1()), Console(file=output))
    assert output.text == render(layout(table1()), 120)


def test_a_terminal_gets_its_own_width_and_colours() -> None:
    output = Output("utf-8", terminal=True)
    show(layout(table()), Console(file=output, width=60, force_terminal=True, color_system="standard"))
    assert "\x1b[" in output.text
    plain = re.sub(r"\x1b\[[\d;]*m", "", output.text)
    assert max(len(line) for line in plain.splitlines()) <= 60


def test_a_stream_without_unicode_gets_ascii() -> None:
    output = Output("ascii")
    show(layout(table()), Console(file=output))
    assert "29.0-33.0" in output.text
    assert "?" not in output.text


def test_square_brackets_and_colons_are_printed_as_they_are() -> None:
    opened = OpenRow("b/cam", "b", "cam", "[red]no[/red] :smile: weights [x]")
    assert "[red]no[/red] :smile: weights [x]" in render(layout(table(result(), opened)))


def test_the_paper_s_table_beside_incomparable_numbers_still_fits_120_columns_in_one_piece() -> None:
    made = table1()
    text = render(layout(replace(made, dataset=replace(made.dataset, name="embedded", complete=True))), 120)
    assert text.count("cls top-1  ") == text.count("MaxBoxAcc\n") == 1
