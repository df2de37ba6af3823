"""Layout: what stands in which cell, the same for every rendering."""

import math

import pytest
from helpers.handmade import DATASET, correlations, estimate, on_another_dataset, result, table, table1

from benchmark.core.types import Difference, Estimate, OpenRow
from benchmark.reporting.render.full import layout
from benchmark.reporting.render.layout import Block
from benchmark.reporting.table import Table


def strips(block: Block) -> dict[str, tuple[str, ...]]:
    return {label: tuple(cells) for _, label, *cells in block if label}


def head(block: Block) -> tuple[str, ...]:
    return tuple(line[0] for line in block[:2])


def test_a_measured_row_shows_value_interval_published_difference_and_reproduction() -> None:
    block = layout(table()).subtables[0].blocks[0]
    assert head(block) == ("a/cam", "gradcam_15 v1")
    assert strips(block) == {
        "measured": ("31.00", "56.00"),
        "95 % interval": ("29.0–33.0", "54.0–58.0"),
        "published": ("30.00", "50.00"),
        "difference": ("+1.00", "+6.00 *"),
        "verdict": ("matches", "unexplained"),
        "reproduced": ("–", "51.00"),
    }


def test_published_numbers_of_another_dataset_stand_under_a_label_that_says_so_and_nothing_is_compared() -> (
    None
):
    laid_out = layout(on_another_dataset())
    measured, opened = laid_out.subtables[0].blocks
    assert strips(measured) == {
        "measured": ("31.00", "56.00"),
        "95 % interval": ("29.0–33.0", "54.0–58.0"),
        "published, not comparable": ("30.00", "50.00"),
    }
    assert strips(opened) == {"measured": ("open", "open"), "published, not comparable": ("–", "60.00")}
    assert laid_out.title == "A small table"


def test_an_open_row_shows_that_it_is_open_and_what_was_published() -> None:
    block = layout(table()).subtables[0].blocks[1]
    assert head(block) == ("b/cam", "(open)")
    assert strips(block) == {"measured": ("open", "open"), "published": ("–", "60.00")}


def test_a_row_with_nothing_published_shows_dashes() -> None:
    block = layout(table(result("c/cam"))).subtables[0].blocks[0]
    assert strips(block)["published"] == ("–", "–")
    assert strips(block)["difference"] == ("–", "–")


def test_a_missing_metric_shows_a_dash_in_its_column_alone() -> None:
    laid_out = layout(table(result(metrics={"loc_top1": estimate(0.5), "gt_known": estimate(0.4)})))
    assert laid_out.subtables[0].columns == ("cls top-1", "loc top-1", "GT-known")
    assert strips(laid_out.subtables[0].blocks[0])["measured"] == ("–", "50.00", "40.00")


def test_columns_follow_the_published_table_and_other_metrics_get_panels_of_six() -> None:
    names = [f"m{number}" for number in range(7)]
    metrics = {name: estimate(0.5) for name in [*names, "gt_known", "loc_top1", "cls_top1"]}
    subtables = layout(table(result(metrics=metrics), result("b/cam"))).subtables
    assert [subtable.columns for subtable in subtables] == [
        ("cls top-1", "loc top-1", "GT-known"),
        ("m0", "m1", "m2", "m3", "m4", "m5"),
        ("m6",),
    ]
    assert [head(block)[0] for block in subtables[1].blocks] == ["a/cam"], "only rows that have such a metric"
    assert strips(subtables[1].blocks[0]).keys() == {"measured", "95 % interval"}


def test_without_published_numbers_nothing_is_compared_and_open_rows_stay_visible() -> None:
    opened = OpenRow("b/cam", "b", "cam", "no weights")
    blocks = layout(table(result(), opened, published=None)).subtables[0].blocks
    assert [strips(block).keys() for block in blocks] == [{"measured", "95 % interval"}, {"measured"}]


def test_a_table_without_rows_has_a_title_and_notes_alone() -> None:
    laid_out = layout(Table("t", "T", DATASET, ()))
    assert laid_out.subtables == ()
    assert laid_out.title.startswith("T")


@pytest.mark.parametrize(
    ("measured", "shown"), [(0.49999, "+0.00"), (0.50001, "+0.00"), (0.4951, "-0.49"), (0.5049, "+0.49")]
)
def test_a_difference_is_signed_and_never_minus_zero(measured: float, shown: str) -> None:
    laid_out = layout(table(result(metrics={"loc_top1": estimate(measured)})))
    assert strips(laid_out.subtables[0].blocks[0])["difference"][-1] == shown


def test_the_mark_stands_exactly_where_the_published_number_is_outside_the_interval() -> None:
    metrics = {"cls_top1": Estimate(0.32, 0.30, 0.34, 9), "loc_top1": Estimate(0.52, 0.51, 0.53, 9)}
    assert strips(layout(table(result(metrics=metrics))).subtables[0].blocks[0])["difference"] == (
        "+2.00",
        "+2.00 *",
    )


def test_the_title_says_when_the_images_are_not_the_whole_set() -> None:
    assert layout(table()).title == "A small table [200 images only]"


def test_every_row_has_as_many_cells_as_there_are_columns() -> None:
    for subtable in layout(table1()).subtables:
        for block in subtable.blocks:
            assert {len(line) for line in block} == {2 + len(subtable.columns)}


def test_correlations_stand_as_they_are_beside_shares_in_percent() -> None:
    first, second = layout(correlations()).subtables[0].blocks
    assert head(first) == ("a/cam", "occlusion patch 32 stride 16 v1")
    assert strips(first) == {
        "measured": ("-0.013", "4.00"),
        "95 % interval": ("-0.050 to 0.025", "3.0–5.0"),
        "published": ("0.254", "–"),
        "difference": ("-0.267 *", "–"),
        "verdict": ("unexplained", "–"),
    }
    assert head(second) == ("b/cam", "")


def test_a_row_of_another_net_shows_the_published_number_without_a_difference() -> None:
    second = layout(correlations()).subtables[0].blocks[1]
    assert strips(second) == {
        "measured": ("0.300", "4.00"),
        "95 % interval": ("0.280 to 0.320", "3.0–5.0"),
        "published, not comparable": ("0.254", "–"),
    }


def test_an_interval_without_bounds_is_a_dash() -> None:
    one = result(metrics={"loc_top1": Estimate(0.5, -math.inf, math.inf, 1)})
    assert strips(layout(table(one)).subtables[0].blocks[0])["95 % interval"] == ("–", "–")


def test_what_the_rows_are_compared_by_stands_beside_the_published_columns() -> None:
    names = ("kendall", "another", *(f"more_{n}" for n in range(6)))
    rows = [result(row, {name: estimate(0.3) for name in names}) for row in ("a/cam", "b/cam")]
    apart = Difference("a/cam", "b/cam", "kendall", estimate(0.1))
    first, *others = layout(table(*rows, differences=(apart,))).subtables
    assert first.columns == ("cls top-1", "loc top-1", "kendall")
    assert strips(first.blocks[0])["measured"] == ("–", "–", "0.300")
    assert [len(subtable.columns) for subtable in others] == [6, 1]
