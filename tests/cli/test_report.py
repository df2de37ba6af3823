"""``./scripts/report``: the page of the newest finished table, and what it does without one."""

import json
import os
from pathlib import Path

import pytest
from helpers.commands import Command
from helpers.handmade import correlations, result, table
from helpers.small_report import small_report
from PIL import Image

from benchmark.core.types import OpenRow
from benchmark.reporting.archive import Archived, write_table


def test_the_newest_finished_table_is_reported_and_it_says_which(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = small_report(tmp_path)
    capsys.readouterr()  # how far the measurement was
    older = write_table(tmp_path / "other", Archived(table(published=None), None, {}))
    unfinished = OpenRow("b/cam", "b", "cam", "1 of 9 shards are not done yet", True)
    newer = write_table(tmp_path / "newer", Archived(table(result(), unfinished, published=None), None, {}))
    for age, path in enumerate((newer, small.archive, older)):
        os.utime(path, (10**9 - age, 10**9 - age))
    status, printed, complaint = command("report", f"results_dir={tmp_path}")
    assert (status, complaint) == (0, "")
    assert f"{small.archive}: the newest finished table" in printed
    assert "Without gallery (where the images lie is not known): name the images, dataset=folder" in printed
    text = small.archive.with_name("small.html").read_text(encoding="utf-8")
    assert "Without gallery" in text
    assert 'class="gallery"' not in text
    assert text.count("<summary>The numbers behind the lines") == 1

    memo = tmp_path / "runs" / "finished" / "0.json"  # as the end of a run leaves it
    place = {"_target_": "pathlib.Path", "_args_": [str(tmp_path / "images")]}
    images = {"_target_": "helpers.small_scenes.folder", "path": place}
    memo.parent.mkdir()
    memo.write_text(json.dumps({"run": {"archive": "/before/it/moved/folder/small.json"}, "dataset": images}))
    assert command("report", f"results={small.archive}")[0] == 0
    text = small.archive.with_name("small.html").read_text(encoding="utf-8")
    assert "Without gallery" not in text
    assert text.count("data:image/jpeg") == 10
    memo.write_text(memo.read_text().replace("}}", '}, "count": 9}'))
    _, printed, _ = command("report", f"results={small.archive}")
    assert "its images are others" in printed


def test_an_unfinished_run_and_what_is_no_result_end_in_one_line_with_the_remedy(
    command: Command, tmp_path: Path
) -> None:
    unfinished = OpenRow("b/cam", "b", "cam", "1 of 9 shards are not done yet", True)
    path = write_table(tmp_path / "data", Archived(table(result(), unfinished, published=None), None, {}))
    other = tmp_path / "data" / "matrix.json"
    other.write_text(json.dumps({"rows": []}))
    for words, remedy in (
        ([f"results={path}"], "is not finished (b/cam); the same ./scripts/run ends it"),
        ([f"results={other}"], "not a whole table"),
        ([str(tmp_path / "none.json")], "there is no such table; ./scripts/run makes it"),
        ([f"results_dir={tmp_path}"], "there is no finished table; ./scripts/run makes one"),
        ([f"results={path}", "images=500"], "images=500"),
        ([f"results={path}", f"output={path}"], "a page ends in .html"),
    ):
        status, printed, complaint = command("report", *words)
        assert (status, printed, complaint.count("\n")) == (2, "", 1)
        assert remedy in complaint


def test_tables_of_boxes_and_of_correlations_stand_on_one_page(command: Command, tmp_path: Path) -> None:
    one = write_table(tmp_path / "data", Archived(table(published=None), None, {}))
    other = write_table(tmp_path / "data" / "more", Archived(correlations(), None, {}))
    Image.new("RGB", (8, 8)).save(other.with_suffix(".png"))
    page = tmp_path / "page.html"
    status, _, complaint = command("report", str(one), str(other), "--output", str(page))
    assert (status, complaint) == (0, "")
    text = page.read_text(encoding="utf-8")
    assert text.count('<article class="chapter"') == 2
    assert "-0.013" in text
    assert text.count("data:image/png") == 1
    assert "Differences that the table states" in text
    assert "b.caffemodel is not there" in text
