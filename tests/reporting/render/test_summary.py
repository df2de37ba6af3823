"""What a run ends with: one line a row within 100 columns, for every table that there is."""

import json
import math
import re
from pathlib import Path

import pytest
from helpers.handmade import DATASET, ROOT, correlations, estimate, on_another_dataset, result, table, table1

from benchmark.core.types import Estimate, OpenRow
from benchmark.reporting.archive import read_table
from benchmark.reporting.published import load
from benchmark.reporting.render import show
from benchmark.reporting.render.summary import summary
from benchmark.reporting.render.terminal import render
from benchmark.reporting.table import Table

TABLES = [
    path
    for path in sorted((ROOT / "results").rglob("*.json"))
    if "checks" in json.loads(path.read_text(encoding="utf-8"))
]


def printed(made: Table) -> list[str]:
    return render(summary(made), 100).splitlines()


def cells(made: Table, row: str) -> str:
    (line,) = (line for line in printed(made) if re.match(rf"{row} ", line))
    return line.removeprefix(row).strip()


@pytest.mark.parametrize("path", TABLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_table_in_git_stands_in_one_line_a_row_within_100_columns(path: Path) -> None:
    made = read_table(path, lambda name: load(ROOT / "results" / "published" / f"{name}.yaml")).table
    lines = printed(made)
    assert max(map(len, lines)) <= 100
    starts = [line.partition(" ")[0] for line in lines]
    pieces = starts.count("row")
    assert pieces == 1 or pieces * len(made.rows) <= 12
    for row in made.rows:
        assert starts.count(row.row) == pieces
    assert len(lines) <= pieces * (len(made.rows) + 3) + 14


def test_table1_has_its_four_published_cells_in_one_line_a_row() -> None:
    made = table1()
    assert max(map(len, printed(made))) <= 100
    assert "row                 cls top-1           cls top-5           loc top-1" in printed(made)[1]
    assert cells(made, "vgg16/grad_cam") == (
        "30.00±2.00 = 30.38  32.00±2.00 ≠ 10.89  34.00±2.00 ≠ 56.51  36.00±2.00 ≠ 46.41"
    )


def test_where_there_is_room_the_interval_is_written_out_and_an_open_row_keeps_what_was_published() -> None:
    assert cells(table(), "a/cam") == "31.00 [29.0, 33.0] = 30.00  56.00 [54.0, 58.0] ≠ 50.00"
    assert cells(table(), "b/cam").split() == ["open", "open", "60.00"]
    assert "Open: b/cam: b.caffemodel is not there; give model.weights=PATH" in printed(table())


@pytest.mark.parametrize(("precision", "told"), [("float32", 0), ("bfloat16", 1), ("float16", 1)])
def test_half_precision_is_told_below_the_table(precision: str, told: int) -> None:
    row = result(conditions={**result().conditions, "run": {"precision": precision}})
    lines = [line for line in printed(table(row)) if line.startswith(f"Computed in {precision}, which moves")]
    assert len(lines) == told


def test_images_that_were_left_out_are_counted_below_the_table() -> None:
    whole = result(counts={**result().counts, "skipped": 0})
    assert "Images left out, unreadable or without labels: 1 (a/cam)." in printed(table(result()))
    assert not [line for line in printed(table(whole)) if "left out" in line]


def test_several_devices_and_batch_sizes_are_told_below_the_table() -> None:
    makers = [{"device": device, "batch_size": 16} for device in ("cuda (H200)", "cpu (x86_64)")]
    row = result(conditions={**result().conditions, "made_by": makers})
    lines = [line for line in printed(table(row)) if line.startswith("Made on several")]
    assert lines == ["Made on several devices, which round differently: cpu (x86_64), cuda (H200)."]


def test_what_is_not_comparable_stands_in_parentheses_with_its_reason() -> None:
    made = on_another_dataset()
    assert cells(made, "a/cam") == "31.00 [29.0, 33.0] (30.00)  56.00 [54.0, 58.0] (50.00)"
    assert made.not_comparable in " ".join(printed(made))
    assert cells(correlations(), "b/cam").split("  ")[:2] == ["0.300 [0.280, 0.320]", "(0.254)"]


def test_a_wide_cell_falls_back_to_tenths_and_an_interval_without_bounds_is_left_out() -> None:
    wide = {name: estimate(1, 0.25) for name in ("cls_top1", "cls_top5", "loc_top1", "loc_top5")}
    made = table1()
    row = result("googlenet/grad_cam", wide, model="googlenet_bvlc")
    made = Table(made.name, made.title, made.dataset, (row,), made.published)
    assert cells(made, "googlenet/grad_cam").startswith("100.0±25.0 ≠ 31.90")
    one = table(result(metrics={"loc_top1": Estimate(0.5, -math.inf, math.inf, 1)}))
    assert cells(one, "a/cam").split("  ")[-1].strip() == "50.00 = 50.00"


def test_errors_and_accuracies_are_told_apart_where_no_published_title_does() -> None:
    row = result(metrics={name: estimate(0.3, 0.01) for name in ("gt_known", "max_box_acc")})
    both = ["Errors, lower is better: gt_known.", "Accuracies, higher is better: max_box_acc."]
    assert printed(table(row, published=None, checks=()))[5:8] == [
        "In %: measured [its 95 % interval].",
        *both,
    ]
    assert not set(both) & set(printed(table()))


def test_two_forms_of_an_interval_are_told_in_one_line() -> None:
    row = result(metrics={f"m{n}": estimate(0.3, 0.01) for n in range(12)})
    lines = [line for line in printed(table(row, published=None, checks=())) if line.startswith("In %")]
    assert lines == ["In %: measured [its 95 % interval] or ± the longer side of its 95 % interval."]


def test_a_failed_check_is_told_in_full_and_a_long_one_by_its_counts() -> None:
    order = (
        "a by m: x 1 > y 0; 2 of 3 differences have 0 in their interval; published y 1 > x 0; 0 of 1 pairs"
    )
    lines = printed(table(checks=("FAILED: a = b: 3 of 4 equal", order)))
    assert lines[-2:] == [
        "FAILED: a = b: 3 of 4 equal",
        "Compared: a by m: 2 of 3 differences have 0 in their interval; 0 of 1 pairs.",
    ]


def test_a_table_of_open_rows_or_of_none_shows_what_there_is() -> None:
    opened = [OpenRow(f"{name}/cam", name, "cam", "no weights") for name in "ab"]
    assert printed(table(*opened, published=None, checks=()))[-1] == "Open: a/cam, b/cam: no weights"
    assert printed(Table("t", "T", DATASET, ()))[0] == "T [200 images only]"


def test_differences_that_no_check_counts_are_counted() -> None:
    assert "Paired differences: 1 of 2 have an interval that excludes 0." in printed(correlations())


def test_the_notes_are_printed_where_they_are_wanted_alone(capsys: pytest.CaptureFixture[str]) -> None:
    show(table())
    assert "How to read it" not in capsys.readouterr().out
    show(table(), notes=True)
    assert "How to read it" in capsys.readouterr().out
