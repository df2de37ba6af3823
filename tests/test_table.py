"""Tables: measured beside published; and each cell's json."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from handmade import DATASET, estimate, on_another_dataset, result, table
from hypothesis import given
from hypothesis import strategies as st

from benchmark.errors import UserError
from benchmark.table import Line, Table, lines, read_result, write_result
from benchmark.types import Estimate, OpenRow


def at(frame: pd.DataFrame, row: str, metric: str) -> Any:
    found = frame[(frame["row"] == row) & (frame["metric"] == metric)]
    assert len(found) == 1
    return found.iloc[0]


def test_a_line_holds_the_measured_number_its_interval_and_the_published_one() -> None:
    line = at(lines(table()), "a/cam", "loc_top1")
    assert (line["measured"], line["low"], line["high"], line["n"]) == (0.56, 0.56 - 0.02, 0.56 + 0.02, 200)
    assert (line["published"], line["difference"], line["inside"]) == (0.50, 0.06, False)
    assert (line["protocol"], line["source"], line["why"]) == (
        "gradcam_15 v1",
        "Paper, Table 1",
        "Other weights.",
    )
    assert (line["reproduced"], line["reproduction"]) == (0.51, "study")
    assert str(line["dataset"]).startswith("some_images: 200 images, not the whole official set")


@pytest.mark.parametrize(
    ("low", "high", "inside"),
    [(0.50, 0.6, True), (0.4, 0.50, True), (0.501, 0.6, False), (0.4, 0.499, False)],
)
def test_a_published_number_on_an_end_of_the_interval_is_inside(
    low: float, high: float, inside: bool
) -> None:
    frame = lines(table(result(metrics={"loc_top1": Estimate(0.5, low, high, 10)})))
    assert at(frame, "a/cam", "loc_top1")["inside"] == inside


def test_published_numbers_of_another_dataset_stand_there_and_are_not_compared() -> None:
    made = on_another_dataset()
    line = at(lines(made), "a/cam", "loc_top1")
    assert not made.comparable
    assert (line["measured"], line["published"], line["source"]) == (0.56, 0.50, "Paper, Table 1")
    assert line[["difference", "inside", "reproduced"]].isna().all()
    assert line["reproduction"] == ""
    assert line["why"].startswith(
        "measured on other images (some_images, not embedded) and with other networks"
    )


def test_a_part_of_the_published_dataset_is_comparable_and_a_table_without_published_numbers_is_not() -> None:
    assert table().comparable
    assert not table().dataset.complete
    assert not table(published=None).comparable


def test_an_open_row_keeps_its_published_numbers_and_its_reason() -> None:
    line = at(lines(table()), "b/cam", "loc_top1")
    assert line["published"] == 0.60
    assert pd.isna(line["measured"])
    assert pd.isna(line["difference"])
    assert pd.isna(line["inside"])
    assert line["open"] == "b.caffemodel is not there; give model.weights=PATH"


def test_a_metric_that_was_not_measured_is_a_missing_value_and_not_zero() -> None:
    frame = lines(table(result(metrics={})))
    assert list(frame["metric"]) == ["cls_top1", "loc_top1"]
    assert frame["measured"].isna().all()


def test_metrics_stand_in_the_published_order_and_unpublished_ones_after_them_by_name() -> None:
    metrics = {name: estimate(0.5) for name in ("zebra", "gt_known", "apple", "loc_top1", "cls_top1")}
    frame = lines(table(result(metrics=metrics)))
    assert list(frame["metric"]) == ["cls_top1", "loc_top1", "gt_known", "apple", "zebra"]


def test_rows_stand_in_the_order_of_the_table() -> None:
    names = ["c/cam", "a/cam", "b/cam"]
    frame = lines(table(*(result(name) for name in names)))
    assert list(frame["row"].unique()) == names


def test_without_published_numbers_only_measured_columns_are_filled() -> None:
    frame = lines(table(result(), published=None))
    assert frame[["published", "difference", "inside", "reproduced"]].isna().all().all()
    assert frame["measured"].notna().all()


def test_a_table_without_rows_has_the_columns_all_the_same() -> None:
    empty = Table("t", "T", DATASET, ())
    assert tuple(lines(empty).columns) == Line._fields
    assert lines(empty).empty


def test_a_row_that_stands_twice_is_refused() -> None:
    with pytest.raises(UserError, match="the row a/cam stands twice"):
        table(result(), OpenRow("a/cam", "a", "cam", "no weights"))


def test_a_row_measured_on_other_images_is_refused() -> None:
    other = result(conditions={"dataset": {"fingerprint": "99" * 32}})
    with pytest.raises(UserError, match="a/cam was measured on other images") as refusal:
        table(other)
    assert "\n" not in str(refusal.value)


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.builds(Estimate, *[st.floats(allow_nan=False, allow_infinity=False)] * 3, st.integers(0, 10**9)),
    )
)
def test_a_result_read_back_equals_the_one_written(
    tmp_path_factory: pytest.TempPathFactory, metrics: dict[str, Estimate]
) -> None:
    path = tmp_path_factory.mktemp("cell") / "r.json"
    written = result(metrics=metrics)
    write_result(path, written)
    assert read_result(path) == written


def test_the_same_result_gives_the_same_bytes_whatever_the_order_of_its_keys(tmp_path: Path) -> None:
    one, two = estimate(0.1 + 0.2), estimate(1 / 3)
    write_result(tmp_path / "a.json", result(metrics={"x": one, "y": two}))
    write_result(tmp_path / "b.json", result(metrics={"y": two, "x": one}))
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.json").read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert "0.30000000000000004" in text


def test_numpy_scalars_are_written_as_plain_numbers(tmp_path: Path) -> None:
    value = Estimate(np.float64(0.5), np.float64(0.25), np.float64(0.75), int(np.int64(4)))
    write_result(tmp_path / "r.json", result(metrics={"x": value}))
    assert read_result(tmp_path / "r.json").metrics["x"] == Estimate(0.5, 0.25, 0.75, 4)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_never_written(tmp_path: Path, value: float) -> None:
    path = tmp_path / "r.json"
    write_result(path, result())
    before = path.read_bytes()
    with pytest.raises(ValueError, match="a/cam"):
        write_result(path, result(metrics={"x": Estimate(value, 0, 1, 3)}))
    with pytest.raises(ValueError, match="a/cam"):
        write_result(path, replace(result(), config={"x": value}))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["r.json"]


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot be written") as refusal:
        write_result(tmp_path / "file" / "r.json", result())
    assert "\n" not in str(refusal.value)


def damaged(text: str, how: str) -> str:
    content = json.loads(text)
    if how == "truncated":
        return text[: len(text) // 2]
    if how == "empty":
        return ""
    if how == "a list":
        return "[]"
    if how == "a key missing":
        del content["counts"]
    if how == "a key too many":
        content["extra"] = 1
    if how == "metrics a list":
        content["metrics"] = []
    if how == "an estimate without n":
        del content["metrics"]["loc_top1"]["n"]
    if how == "a number as text":
        content["metrics"]["loc_top1"]["value"] = "0.5"
    if how == "a count as text":
        content["counts"]["done"] = "199"
    if how == "NaN":
        content["metrics"]["loc_top1"]["low"] = math.nan
    return json.dumps(content)


@pytest.mark.parametrize(
    "how",
    [
        "truncated",
        "empty",
        "a list",
        "a key missing",
        "a key too many",
        "metrics a list",
        "an estimate without n",
        "a number as text",
        "a count as text",
        "NaN",
    ],
)
def test_a_damaged_result_is_refused_in_one_line_that_names_it(tmp_path: Path, how: str) -> None:
    path = tmp_path / "r.json"
    write_result(path, result())
    path.write_text(damaged(path.read_text(encoding="utf-8"), how), encoding="utf-8")
    with pytest.raises(UserError, match="not a whole result") as refusal:
        read_result(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)


def test_a_result_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such result"):
        read_result(tmp_path / "r.json")
    (tmp_path / "r.json").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="not a whole result"):
        read_result(tmp_path / "r.json")
    with pytest.raises(UserError, match="not a whole result"):
        read_result(tmp_path)
