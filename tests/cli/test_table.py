"""``./scripts/table``: a table from its results alone."""

from pathlib import Path

import pytest
from helpers.commands import Command
from helpers.handmade import table

from benchmark.reporting.archive import Archived, write_table


def test_the_table_is_printed_in_one_line_a_row_and_its_files_are_written_again(
    command: Command, tmp_path: Path
) -> None:
    made = write_table(tmp_path / "data", Archived(table(published=None), None, {}))
    status, printed, complaint = command("table", f"results={made}")
    assert (status, complaint) == (0, "")
    assert len(printed[: printed.index("written")].splitlines()) < 14
    for suffix in ("md", "csv", "tex", "txt"):
        assert str(made.with_suffix(f".{suffix}")) in printed
        assert made.with_suffix(f".{suffix}").is_file()


@pytest.mark.parametrize("word", ["notes=true", "--notes"])
def test_its_notes_are_printed_where_they_are_wanted(command: Command, tmp_path: Path, word: str) -> None:
    made = write_table(tmp_path / "data", Archived(table(published=None), None, {}))
    status, printed, _ = command("table", word, f"results={made}")
    assert status == 0
    assert "How to read it" in printed
    assert "Conditions of all measured rows" in printed


def test_a_table_in_a_folder_that_cannot_be_written_is_printed_all_the_same(
    command: Command, tmp_path: Path
) -> None:
    made = write_table(tmp_path / "data", Archived(table(published=None), None, {}))
    made.with_suffix(".md").mkdir()
    status, printed, complaint = command("table", f"results={made}")
    assert (status, bool(printed)) == (2, True)
    assert f"{made.with_suffix('.md')}: cannot be written" in complaint
