"""The table as csv, read back by others."""

import csv
import io
import math

from helpers.handmade import correlations, estimate, on_another_dataset, result, table, table1

from benchmark.core.types import Estimate, OpenRow
from benchmark.reporting.lines import lines
from benchmark.reporting.render.csv import COLUMNS, render


def test_every_number_is_read_back_to_the_last_bit() -> None:
    made = table1()
    back = list(csv.DictReader(io.StringIO(render(made), newline="")))
    expected = lines(made)
    assert len(back) == len(expected)
    for row, line in zip(back, expected, strict=True):
        for column in ("measured", "low", "high", "published", "difference", "n", "reproduced"):
            assert (float(row[column]) if row[column] else None) == getattr(line, column)


def test_commas_quotes_and_line_breaks_stay_in_their_field() -> None:
    reason = 'no "weights", none\nat all'
    text = render(table(result(), OpenRow("b/cam", "b", "cam", reason)))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["open"] for row in rows if row["row"] == "b/cam"] == [reason]
    assert {len(row) for row in rows} == {len(COLUMNS) - 1}


def test_numbers_of_another_dataset_stand_in_a_column_of_another_name() -> None:
    rows = list(csv.DictReader(io.StringIO(render(on_another_dataset()))))
    assert "published" not in rows[0]
    assert [row["published_not_comparable"] for row in rows] == ["0.3", "0.5", "0.6"]
    assert {row["difference"] + row["inside"] + row["reproduced"] for row in rows} == {""}


def test_a_missing_number_is_an_empty_field_and_no_number_stands_without_its_conditions() -> None:
    rows = list(csv.DictReader(io.StringIO(render(table()))))
    for row in rows:
        assert "nan" not in (value.lower() for value in row.values())
        assert row["dataset"]
        if row["measured"]:
            assert row["protocol"]
            assert row["low"]
            assert row["high"]
            assert row["n"]
        if row["published"]:
            assert row["source"]
        if row["difference"]:
            assert row["why"]


def test_one_row_of_another_net_has_its_published_number_apart_and_differences_follow_as_rows() -> None:
    rows = list(csv.DictReader(io.StringIO(render(correlations()))))
    ranks = [row for row in rows if row["metric"] == "rank_correlation"]
    names = ("row", "measured", "published", "published_not_comparable", "difference", "verdict")
    assert [tuple(row[name] for name in names) for row in ranks] == [
        ("a/cam", "-0.0125", "0.254", "", "-0.2665", "unexplained"),
        ("b/cam", "0.3", "", "0.254", "", "not comparable"),
        ("a/cam - b/cam", "-0.3125", "", "", "", ""),
    ]
    assert (ranks[2]["low"], ranks[2]["high"], ranks[2]["n"]) == ("-0.34", "-0.28", "90")


def test_an_interval_without_bounds_is_two_empty_fields() -> None:
    one = result(metrics={"loc_top1": Estimate(0.5, -math.inf, math.inf, 1), "new": estimate(0.5)})
    rows = {row["metric"]: row for row in csv.DictReader(io.StringIO(render(table(one))))}
    assert (rows["loc_top1"]["low"], rows["loc_top1"]["high"], rows["loc_top1"]["n"]) == ("", "", "1")
    assert (rows["new"]["low"], rows["new"]["high"]) == ("0.48", "0.52")
