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


def test_a_metric_is_logged_with_interval_images_and_difference() -> None:
    metrics = cell_run(table(), result()).metrics
    assert metrics["loc_top1"] == 0.56
    assert (metrics["loc_top1_low"], metrics["loc_top1_high"]) == (0.56 - 0.02, 0.56 + 0.02)
    assert metrics["loc_top1_n"] == 200
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


def test_options_are_params_and_what_differs_between_machines_is_a_tag() -> None:
    logged = cell_run(table(), result())
    assert logged.params["localizer.threshold"] == "0.15"
    assert "dataset.root" not in logged.params
    assert logged.tags["config.dataset.root"] == "/data/images"


def test_what_is_needed_to_distrust_a_number_is_a_tag() -> None:
    tags = cell_run(table(), result()).tags
    assert tags["commit"] == "c0ffee"
    assert tags["dirty"] == "true"
    assert tags["weights.sha256"] == "cd" * 32
    assert tags["dataset.fingerprint"] == "ab" * 32
    assert tags["protocol"] == "gradcam_15 v1"


def test_the_commits_of_all_workers_are_told() -> None:
    one = replace(result(), conditions={"made_by": [{"commit": "b"}, {"commit": "a"}]})
    tags = cell_run(table(one), one).tags
    assert tags["commit"] == "a, b"
    assert tags["dirty"] == "not recorded"


def test_a_long_value_is_cut_and_says_so() -> None:
    one = replace(result(), config={"text": "x" * 9000})
    value = cell_run(table(one), one).params["text"]
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
@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_any_key_becomes_one_that_mlflow_takes(config: dict[str, str]) -> None:
    from mlflow.utils import validation

    check: Any = validation._validate_param_name
    one = replace(result(), config=config)
    logged = cell_run(table(one), one)
    for name in (*logged.params, *logged.tags):
        check(name)


def test_an_interval_without_bounds_is_not_logged() -> None:
    one = result(metrics={"new": Estimate(0.5, -math.inf, math.inf, 1)})
    metrics = cell_run(table(one), one).metrics
    assert (metrics["new"], metrics["new_n"]) == (0.5, 1)
    assert not {"new_low", "new_high"} & set(metrics)
