"""All renderings of a table at once."""

from pathlib import Path

import pytest
from helpers.handmade import correlations, on_another_dataset, table, table1
from rich.console import Console

from benchmark.core.errors import UserError
from benchmark.reporting.render import show, write_all


def test_four_files_are_written_and_named(tmp_path: Path) -> None:
    written = write_all(table1(), tmp_path / "new", "table1+localizer.threshold=0.25")
    assert [path.name for path in written] == [
        f"table1+localizer.threshold=0.25.{suffix}" for suffix in ("md", "tex", "txt", "csv")
    ]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in written)


def test_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_all(table1(), tmp_path, "t")]
    assert [path.read_bytes() for path in write_all(table1(), tmp_path, "t")] == first


def test_the_same_numbers_stand_in_every_rendering(tmp_path: Path) -> None:
    for path in write_all(table(), tmp_path, "t"):
        text = path.read_text(encoding="utf-8")
        for number in ("0.31", "0.56", "0.06") if path.suffix == ".csv" else ("31.00", "56.00", "+6.00"):
            assert number in text


def test_every_rendering_says_that_numbers_of_another_dataset_are_not_comparable(tmp_path: Path) -> None:
    for path in write_all(on_another_dataset(), tmp_path, "t"):
        text = path.read_text(encoding="utf-8")
        assert ("published_not_comparable" if path.suffix == ".csv" else "published, not comparable") in text
        assert "+6.00" not in text
        assert "0.06," not in text


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot be written"):
        write_all(table(), tmp_path / "file", "t")


def test_show_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    show(table())
    assert "a/cam" in capsys.readouterr().out
    console = Console(width=50, record=False, force_terminal=False)
    show(table(), console)
    assert "≠ 50.00" in capsys.readouterr().out


def test_paired_differences_stand_in_every_rendering(tmp_path: Path) -> None:
    for path in write_all(correlations(), tmp_path, "t"):
        text = path.read_text(encoding="utf-8").replace("\\_", "_")
        assert "a/cam - b/cam" in text
        assert ("-0.3125" if path.suffix == ".csv" else "-0.312") in text
