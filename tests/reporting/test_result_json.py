"""Each cell's json: what is written is read back, and damage is refused."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.handmade import estimate, result
from hypothesis import given
from hypothesis import strategies as st

from benchmark.core.errors import UserError
from benchmark.core.types import Estimate
from benchmark.reporting.archive import read_result, write_result


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
    with pytest.raises(UserError, match=r": cannot be read \(Is a directory\); name the json of a result$"):
        read_result(tmp_path)


def test_an_interval_without_bounds_is_null_in_valid_json_and_comes_back(tmp_path: Path) -> None:
    one = result(metrics={"rank_correlation": Estimate(0.4, -math.inf, math.inf, 1)})
    write_result(tmp_path / "r.json", one)
    assert json.loads((tmp_path / "r.json").read_text())["metrics"]["rank_correlation"] == {
        "value": 0.4,
        "low": None,
        "high": None,
        "n": 1,
    }
    assert read_result(tmp_path / "r.json") == one


@pytest.mark.parametrize("ends", [(math.nan, 1.0), (math.inf, math.inf), (-math.inf, -math.inf)])
def test_an_end_that_is_no_bound_of_its_side_is_never_written(
    tmp_path: Path, ends: tuple[float, float]
) -> None:
    with pytest.raises(ValueError, match="a/cam"):
        write_result(tmp_path / "r.json", result(metrics={"loc_top1": Estimate(0.4, *ends, 1)}))
