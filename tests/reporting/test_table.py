"""Tables: measured beside published; and each cell's json."""

import pytest
from helpers.handmade import DATASET, estimate, on_another_dataset, result, table

from benchmark.core.errors import UserError
from benchmark.core.types import Estimate, OpenRow
from benchmark.reporting.lines import Line, lines
from benchmark.reporting.table import Table


def at(found: list[Line], row: str, metric: str) -> Line:
    (line,) = (line for line in found if (line.row, line.metric) == (row, metric))
    return line


def test_a_line_holds_the_measured_number_its_interval_and_the_published_one() -> None:
    line = at(lines(table()), "a/cam", "loc_top1")
    assert (line.measured, line.low, line.high, line.n) == (0.56, 0.56 - 0.02, 0.56 + 0.02, 200)
    assert (line.published, line.difference, line.inside) == (0.50, 0.06, False)
    assert (line.protocol, line.source, line.why) == (
        "gradcam_15 v1",
        "Paper, Table 1",
        "Other weights.",
    )
    assert (line.reproduced, line.reproduction) == (0.51, "study")
    assert str(line.dataset).startswith("some_images: 200 images, not the whole official set")


@pytest.mark.parametrize(
    ("low", "high", "inside"),
    [(0.50, 0.6, True), (0.4, 0.50, True), (0.501, 0.6, False), (0.4, 0.499, False)],
)
def test_a_published_number_on_an_end_of_the_interval_is_inside(
    low: float, high: float, inside: bool
) -> None:
    found = lines(table(result(metrics={"loc_top1": Estimate(0.5, low, high, 10)})))
    assert at(found, "a/cam", "loc_top1").inside == inside


def test_published_numbers_of_another_dataset_stand_there_and_are_not_compared() -> None:
    made = on_another_dataset()
    line = at(lines(made), "a/cam", "loc_top1")
    assert not made.comparable
    assert (line.measured, line.published, line.source) == (0.56, 0.50, "Paper, Table 1")
    assert (line.difference, line.inside, line.reproduced) == (None, None, None)
    assert line.reproduction == ""
    assert line.why.startswith("measured on other images (some_images, not embedded) and with other networks")


def test_a_part_of_the_published_dataset_is_comparable_and_a_table_without_published_numbers_is_not() -> None:
    assert table().comparable
    assert not table().dataset.complete
    assert not table(published=None).comparable


def test_an_open_row_keeps_its_published_numbers_and_its_reason() -> None:
    line = at(lines(table()), "b/cam", "loc_top1")
    assert line.published == 0.60
    assert (line.measured, line.difference, line.inside) == (None, None, None)
    assert line.open == "b.caffemodel is not there; give model.weights=PATH"


def test_a_metric_that_was_not_measured_is_a_missing_value_and_not_zero() -> None:
    found = lines(table(result(metrics={})))
    assert [(line.metric, line.measured) for line in found] == [("cls_top1", None), ("loc_top1", None)]


def test_metrics_stand_in_the_published_order_and_unpublished_ones_after_them_by_name() -> None:
    metrics = {name: estimate(0.5) for name in ("zebra", "gt_known", "apple", "loc_top1", "cls_top1")}
    found = lines(table(result(metrics=metrics)))
    assert [line.metric for line in found] == ["cls_top1", "loc_top1", "gt_known", "apple", "zebra"]


def test_rows_stand_in_the_order_of_the_table() -> None:
    names = ["c/cam", "a/cam", "b/cam"]
    found = lines(table(*(result(name) for name in names)))
    assert list(dict.fromkeys(line.row for line in found)) == names


def test_without_published_numbers_only_measured_columns_are_filled() -> None:
    found = lines(table(result(), published=None))
    for line in found:
        assert (line.published, line.difference, line.inside, line.reproduced) == (None, None, None, None)
        assert line.measured is not None


def test_a_table_without_rows_has_no_lines() -> None:
    assert lines(Table("t", "T", DATASET, ())) == []


def test_a_row_that_stands_twice_is_refused() -> None:
    with pytest.raises(UserError, match="the row a/cam stands twice"):
        table(result(), OpenRow("a/cam", "a", "cam", "no weights"))


def test_a_row_measured_on_other_images_is_refused() -> None:
    other = result(conditions={"dataset": {"fingerprint": "99" * 32}})
    with pytest.raises(UserError, match="a/cam was measured on other images") as refusal:
        table(other)
    assert "\n" not in str(refusal.value)
