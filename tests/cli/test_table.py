"""``./scripts/table``: a table from its results alone."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from helpers.commands import Command
from helpers.handmade import table
from helpers.random_records import make
from helpers.stored_tables import stored_table

from benchmark.metrics.localization import Localization
from benchmark.reporting.archive import Archived, write_table
from benchmark.tasks.boxes.records import STORE, records_in


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


def test_two_runs_stand_side_by_side_with_what_differs(command: Command, tmp_path: Path) -> None:
    one = stored_table(tmp_path / "one")
    other = stored_table(tmp_path / "other", seed=7, options={"threshold": 0.25})
    written = tmp_path / "versus.csv"
    status, printed, complaint = command(
        "table", "--compare", str(one), str(other.parent), f"output={written}"
    )
    assert (status, complaint) == (0, "")
    assert "a/cam, b/cam: localizer.threshold: 0.15 → 0.25" in printed
    assert re.search(r"60 images are annotated otherwise in B", printed), "other labels are drawn there"
    shared = stored_table(tmp_path / "third", seed=7, **annotations(0), options={"threshold": 0.25})
    status, printed, _ = command(
        "table", "--compare", str(one.parent / "small/a-cam.json"), str(shared), f"output={written}"
    )
    assert status == 0
    assert "b/cam" not in printed, "one row was named"
    lines = {line["metric"]: line for line in csv.DictReader(written.read_text().splitlines())}
    assert float(lines["loc_top1"]["difference"]) == pytest.approx(
        float(lines["loc_top1"]["b"]) - float(lines["loc_top1"]["a"])
    )
    assert 0 < float(lines["loc_top1"]["mcnemar_p"]) <= 1
    assert lines["max_box_acc"]["mcnemar_p"] == ""
    assert float(lines["max_box_acc"]["low"]) <= float(lines["max_box_acc"]["difference"])
    assert lines["max_box_acc_threshold"]["not_paired"].startswith("it is no function of means")

    remembered = shutil.copytree(shared.parents[1], tmp_path / "fourth") / "data/small/b-cam.json"
    row = shared.parent / "small/b-cam.json"
    content = json.loads(row.read_text())
    content["config"]["metric"]["localization"]["iou"] = 0.8
    row.write_text(json.dumps(content))
    place = shared.parents[1] / json.loads(shared.read_text())["records"]["b/cam"]
    records = records_in(STORE.read([place]))
    loose, strict = (
        Localization(iou=iou).wrong(records)["loc_top1"][~records.blacklisted] for iou in (0.5, 0.8)
    )
    status, printed, _ = command("table", "--compare", str(remembered), str(row), f"output={written}")
    lines = {line["metric"]: line for line in csv.DictReader(written.read_text().splitlines())}
    assert "b/cam: metric.localization.iou: 0.5 → 0.8" in printed
    assert float(lines["loc_top1"]["difference"]) == pytest.approx(strict.mean() - loose.mean())
    status, printed, _ = command("table", "--compare", str(one), str(one))
    assert "a/cam, b/cam: it is one and the same measurement in both" in printed


def annotations(seed: int) -> dict[str, Any]:
    """Labels, ground-truth boxes and blacklist of random records."""
    records = make(seed)
    return {name: getattr(records, name) for name in ("labels", "truth", "owner", "blacklisted")}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--compare", "{made}"], "--compare: name two runs"),
        (["--compare", "{made}", "{made}", "output=x.doc"], "write it as one of .md, .tex, .txt, .csv"),
        (["--compare", "{folder}", "{made}"], "this folder holds no tables; name a table's json"),
        (["--compare", "{made}", "/"], "this folder holds no tables"),
        (["--compare", "{made}", "none.json"], "none.json: there is no such table; ./scripts/run makes it"),
        (["--compare", "{made}", "/none"], "/none: there is no such table; ./scripts/run makes it"),
        ([], "results: name a table's json"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(
    command: Command, tmp_path: Path, words: list[str], told: str
) -> None:
    made = write_table(tmp_path / "data", Archived(table(published=None), None, {}))
    status, _, complaint = command("table", *(word.format(made=made, folder=tmp_path) for word in words))
    assert status == 2
    assert told in complaint
    assert complaint.count("\n") == 1


def test_what_a_paper_says_of_a_table_is_printed_as_it_is_written(command: Command, tmp_path: Path) -> None:
    made = stored_table(tmp_path)
    status, printed, _ = command("table", "--cite", str(made))
    assert status == 0
    assert printed == made.with_suffix(".bib").read_text()
    for fact in ("commit c0ffee with changed files", "some\\_images (200 images", "a.pth, sha256 cdcdcd"):
        assert fact in printed
    assert "made again by: ./scripts/run experiment=small." in printed
    assert printed.count("@misc{gradcam-benchmark-small-abababab,") == 1
