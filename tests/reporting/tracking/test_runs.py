"""What is logged of a table and of a cell."""

import math
from dataclasses import replace
from typing import Any

import pytest
from helpers.handmade import DATASET, estimate, on_another_dataset, result, table
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.core.types import Estimate, OpenRow
from benchmark.reporting.tracking.runs import cell_run, table_run


def test_a_metric_is_logged_with_interval_and_difference() -> None:
    metrics = cell_run(table(), result()).metrics
    assert metrics["loc_top1"] == 0.56
    assert (metrics["loc_top1_low"], metrics["loc_top1_high"]) == (0.56 - 0.02, 0.56 + 0.02)
    assert metrics["loc_top1_difference"] == 0.06
    assert metrics["count_empty_maps"] == 3


def test_an_unpublished_metric_has_no_difference() -> None:
    one = result(metrics={"new": estimate(0.5)})
    assert "new_difference" not in cell_run(table(one), one).metrics


def test_a_published_number_of_another_dataset_gives_no_difference() -> None:
    made = on_another_dataset()
    metrics = cell_run(made, result()).metrics
    assert metrics["loc_top1"] == 0.56
    assert not [name for name in metrics if name.endswith("_difference")]
    assert table_run(made).tags["published"].startswith("not comparable: measured on other images")
    assert table_run(table()).tags["published"] == "comparable"
    assert "published" not in table_run(table(published=None)).tags


def test_a_cell_has_few_params_by_which_cells_are_told_apart() -> None:
    assert cell_run(table(), result()).params == {
        "model": "a",
        "method": "cam",
        "localizer": "gradcam_15 v1",
        "threshold": "0.15",
        "dataset": "some_images (200 images)",
        "weights": "a.pth (cdcdcdcdcdcd)",
    }
    of_pairs = replace(result(), config={}, localizer="occlusion, ground truth")
    assert cell_run(table(of_pairs), of_pairs).params["protocol"] == "occlusion, ground truth"


def test_the_description_of_a_table_is_the_table_in_markdown() -> None:
    note = table_run(table()).tags["mlflow.note.content"]
    assert note.startswith("| row ")
    assert "| a/cam " in note
    assert "56.00" in note
    assert "b.caffemodel is not there" in note
    cell = cell_run(table(), result()).tags["mlflow.note.content"].replace(" &nbsp;", "")
    assert "| loc top-1 | 56.00 | 54.0–58.0 | 50.00 | unexplained |" in cell
    apart = cell_run(on_another_dataset(), result()).tags["mlflow.note.content"]
    assert "50.00 &nbsp; | not comparable |" in apart


def test_what_is_needed_to_distrust_a_number_is_a_tag() -> None:
    tags = cell_run(table(), result()).tags
    assert tags["commit"] == "c0ffee"
    assert tags["dirty"] == "true"
    assert tags["weights.sha256"] == "cd" * 32
    assert tags["dataset.fingerprint"] == "ab" * 32
    assert len(tags) <= 10


def test_the_commits_of_all_workers_are_told() -> None:
    one = replace(result(), conditions={"made_by": [{"commit": "b"}, {"commit": "a"}]})
    tags = cell_run(table(one), one).tags
    assert tags["commit"] == "a, b"
    assert tags["dirty"] == "not recorded"


def test_a_long_value_is_cut_and_says_so() -> None:
    one = replace(result(), model="x" * 9000)
    value = cell_run(table(one), one).params["model"]
    assert len(value) == 6000
    assert value.endswith("(cut; see the artifacts)")


def test_more_rows_do_not_change_the_identity_of_a_table_but_other_images_do() -> None:
    first = table_run(table(result()))
    later = table_run(table(result(), result("b/cam")))
    other = table_run(
        table(OpenRow("a/cam", "a", "cam", "no weights"), dataset=replace(DATASET, fingerprint="01"))
    )
    assert first.identity == later.identity
    assert first.identity != other.identity
    assert first.tags["rows"] == "1 of 1 measured"


def test_a_cell_is_found_by_its_fingerprint_and_its_row() -> None:
    made = table(result(), result("b/cam"))
    first, second = (cell_run(made, row) for row in made.measured)
    assert first.identity["fingerprint"] == second.identity["fingerprint"]
    assert first.identity != second.identity


@pytest.mark.slow
@settings(deadline=None)  # the first example waits for the import
@given(st.text())
def test_any_metrics_name_becomes_one_that_mlflow_takes(name: str) -> None:
    from mlflow.utils import validation

    check: Any = validation._validate_metric_name
    one = result(metrics={name: estimate(0.5)})
    for logged in cell_run(table(one), one).metrics:
        check(logged)


def test_an_interval_without_bounds_is_not_logged() -> None:
    one = result(metrics={"new": Estimate(0.5, -math.inf, math.inf, 1)})
    metrics = cell_run(table(one), one).metrics
    assert metrics["new"] == 0.5
    assert not {"new_low", "new_high"} & set(metrics)
