"""Notes: no number is printed without its protocol, its images and its reason."""

import math
from dataclasses import replace

from helpers.handmade import (
    DATASET,
    PUBLISHED,
    TABLE1,
    correlations,
    estimate,
    on_another_dataset,
    result,
    table,
)
from helpers.handmade_records import records

from benchmark.core.types import Difference, Estimate
from benchmark.metrics.anatomy import Anatomy
from benchmark.metrics.classification import Classification
from benchmark.metrics.gt_known import GtKnown
from benchmark.reporting.published import load
from benchmark.reporting.render.notes import notes
from benchmark.reporting.table import Table


def told(made: Table) -> dict[str, dict[str, str]]:
    return {section.heading: dict(section.items) for section in notes(made)}


def test_a_subset_is_named_as_such_beside_the_published_images() -> None:
    images = told(table())["Images"]
    assert "200 images, not the whole official set" in images["measured"]
    assert images["published"] == "other images"
    assert "are not the published set" in images[""]


def test_the_whole_set_carries_no_warning() -> None:
    images = told(table(dataset=replace(DATASET, complete=True)))["Images"]
    assert "complete" in images["measured"]
    assert "" not in images


def test_numbers_of_another_dataset_have_sources_but_no_reasons_and_are_told_apart_once() -> None:
    made = on_another_dataset()
    sections = told(made)
    assert "difference" not in sections["How to read it"]
    assert sections["How to read it"]["published, not comparable"] == made.not_comparable
    assert sections["Images"] == {"measured": str(made.dataset), "published": "other images"}
    published = sections["Published numbers, not comparable with the measured ones"]
    assert published["a/cam"].startswith("Paper, Table 1. weights: as they say (stated); ")
    assert "Other weights." not in published["a/cam"]
    assert published.keys() == {"a/cam", "b/cam"}
    everything = str(notes(made))
    assert everything.count(made.not_comparable) == 1
    assert "percentage points" not in everything


def test_a_protocol_is_told_with_its_options() -> None:
    assert told(table())["Protocols"] == {"gradcam_15 v1": "threshold 0.15"}


def test_a_recorded_meaning_stands_before_the_options() -> None:
    one = result()
    made = replace(one, conditions={**one.conditions, "protocol": "The largest segment\n  above 15 %"})
    assert told(table(made))["Protocols"]["gradcam_15 v1"].startswith("The largest segment above 15 %; ")


def test_one_protocol_name_with_two_settings_is_told_apart_by_rows() -> None:
    other = replace(result("b/cam"), config={"localizer": {"threshold": 0.25}})
    assert told(table(result(), other))["Protocols"] == {
        "gradcam_15 v1 (a/cam)": "threshold 0.15",
        "gradcam_15 v1 (b/cam)": "threshold 0.25",
    }


def test_a_row_tells_its_weights_counts_and_number_of_images() -> None:
    metrics = {"cls_top1": estimate(0.3, n=200), "loc_top1": estimate(0.5, n=190)}
    about = told(table(result(metrics=metrics)))["Measured rows"]["a/cam"]
    assert "weights a.pth (sha256 cdcdcdcdcdcd, with batch norm)" in about
    assert "n = 200 for cls_top1; n = 190 for loc_top1" in about
    assert "expected 200, done 199, skipped 1, empty_maps 3" in about


def test_a_row_without_recorded_conditions_says_so() -> None:
    about = told(table(replace(result(), conditions={}, config={})))
    assert about["Measured rows"]["a/cam"].startswith("weights not recorded")
    assert about["Protocols"]["gradcam_15 v1"] == "options not recorded"


def test_conditions_that_all_rows_share_are_told_once_and_others_with_their_row() -> None:
    other = result("b/cam", conditions={"run": {"batch_size": 32}, "made_by": [{"commit": "c0ffee"}]})
    sections = told(table(result(), other))
    assert sections["Conditions of all measured rows"] == {"made_by.0.commit": "c0ffee"}
    assert "run.batch_size 16" in sections["Measured rows"]["a/cam"]
    assert "run.batch_size 32" in sections["Measured rows"]["b/cam"]


def test_source_conditions_and_reason_of_a_published_row_are_told_and_where_there_is_none() -> None:
    published = told(table(result(), result("c/cam")))["Published numbers, and why a measured one may differ"]
    assert published["a/cam"].startswith("Paper, Table 1. weights: as they say (stated); ")
    assert published["a/cam"].endswith(" Other weights.")
    assert published["c/cam"] == "nothing published is known for this row"
    assert published["reproduced (study)"].startswith("A study. ")


def test_open_rows_and_checks_are_told() -> None:
    sections = told(table())
    assert sections["Open rows"] == {"b/cam": "b.caffemodel is not there; give model.weights=PATH"}
    assert sections["Checks"] == {"": "Grad-CAM = CAM: 816 of 816 equal"}


def test_a_metric_without_a_column_is_explained_by_reference() -> None:
    reading = told(table(result(metrics={"odd": estimate(0.5), "loc_top1": estimate(0.5)})))["How to read it"]
    assert reading["odd"].startswith("explained in benchmark/metrics or benchmark/tasks/pairs/metrics")


def test_a_biased_number_is_called_as_its_column_is() -> None:
    names = ("loc_top1", "loc_top1_corrected", "odd", "odd_corrected")
    reading = told(table(result(metrics={name: estimate(0.5) for name in names})))["How to read it"]
    title = PUBLISHED.columns["loc_top1"].title
    assert title != "loc_top1"
    assert "biased upward" in reading[f"{title}, odd"]


def test_every_column_is_explained_with_its_direction() -> None:
    reading = told(table())["How to read it"]
    for column in PUBLISHED.columns.values():
        assert reading[column.title].startswith("error (lower is better): ")


def test_a_paired_difference_tells_its_interval_and_whether_it_excludes_0() -> None:
    section = next(s for s in notes(correlations()) if s.heading == "Paired differences")
    assert section.items == (
        ("rank corr.", "a/cam - b/cam: -0.312 [-0.340, -0.280], n 90; the interval excludes 0"),
        ("constant", "a/cam - b/cam: +0.00 points [-1.00, +1.00], n 90"),
    )


def test_which_numbers_are_not_in_percent_is_told() -> None:
    reading = told(correlations())["How to read it"]
    assert reading[""].startswith(
        "Values are in %, differences in percentage points, but for rank_correlation, "
    )
    assert reading["rank corr."] == "correlation (higher is better): mean over the images"
    assert reading["constant"] == "share: no correlation"


def test_a_row_without_boxes_tells_its_reference_and_one_without_any_protocol_tells_nothing() -> None:
    assert told(correlations())["Protocols"] == {"occlusion patch 32 stride 16 v1": "patch 32, stride 16"}


def test_why_a_row_is_not_comparable_is_told() -> None:
    published = told(correlations())["Published numbers, and why a measured one may differ"]
    assert "NOT COMPARABLE: another net All open." in published["b/cam"]
    assert "NOT COMPARABLE" not in published["a/cam"]


def test_a_paired_difference_of_one_image_is_not_told_from_0() -> None:
    apart = Difference("a/cam", "b/cam", "rank_correlation", Estimate(0.004, -math.inf, math.inf, 1))
    made = replace(correlations(), differences=(apart,))
    assert told(made)["Paired differences"] == {
        "rank corr.": "a/cam - b/cam: +0.004, n 1; one image cannot tell it from 0"
    }


def test_the_notes_of_failures_explain_every_number_of_the_experiment() -> None:
    box = [0, 0, 9, 9]
    made = records([box], [[box]], label_boxes=[box])
    numbers: dict[str, Estimate] = {}
    for metric in (Anatomy(), Classification(), GtKnown()):
        numbers |= metric(made)
    reading = told(table(result(metrics=numbers), published=load(TABLE1.with_name("failures.yaml"))))[
        "How to read it"
    ]
    assert "95 % interval" in reading
    assert not any("explained in benchmark/metrics" in text for text in reading.values())
    assert reading["off target"].startswith("share: the class is right, but its box has IoU < 0.1")


def test_where_nothing_is_published_columns_alone_are_explained() -> None:
    made = table(published=replace(PUBLISHED, rows={}, reproductions={}))
    sections = told(made)
    assert sections["How to read it"]["cls top-1"] == "error (lower is better): wrong class"
    assert "published" not in str(notes(made)).lower()
