"""A table comes back from its folder as it was written."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.handmade import CORRELATIONS, DATASET, PUBLISHED, correlations, result, table

from benchmark.core.errors import UserError
from benchmark.core.types import Difference, Estimate
from benchmark.reporting.archive import Archived, read_table, result_file, write_table
from benchmark.reporting.published import Published
from benchmark.tasks.paper.render import write_claims


def published(name: str) -> Published:
    assert name == "numbers"
    return PUBLISHED


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    archived = Archived(table(checks=("a = b",)), "numbers", {"a/cam": "runs/x/records.parquet"})
    path = write_table(tmp_path, archived)
    assert path == tmp_path / "small.json"
    assert read_table(path, published) == archived


def test_a_table_without_published_numbers_comes_back_too(tmp_path: Path) -> None:
    archived = Archived(table(published=None), None, {})
    assert read_table(write_table(tmp_path, archived), published) == archived


def test_the_same_table_is_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_table(tmp_path / n, Archived(table(), "numbers", {})) for n in "ab")
    assert first.read_bytes() == second.read_bytes()
    names = [result_file(tmp_path / n, "small", "a/cam").read_bytes() for n in "ab"]
    assert names[0] == names[1]


@pytest.mark.parametrize("name", ["a-b/cam", "A/b-CAM"])
def test_rows_that_would_overwrite_each_other_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"rows a/b-cam and {name} share a file"):
        write_table(tmp_path, Archived(table(result("a/b-cam"), result(name)), None, {}))


def test_a_missing_table_or_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.json: there is no such table"):
        read_table(tmp_path / "none.json", published)
    path = write_table(tmp_path, Archived(table(), "numbers", {}))
    result_file(tmp_path, "small", "a/cam").unlink()
    with pytest.raises(UserError, match=r"a-cam\.json: there is no such result"):
        read_table(path, published)


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"published": None, "rows": ["x"]})])
def test_what_is_no_table_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"bad\.json"):
        read_table(path, published)


def test_a_result_of_other_images_is_refused(tmp_path: Path) -> None:
    path = write_table(tmp_path, Archived(table(), "numbers", {}))
    content = json.loads(path.read_text())
    content["dataset"]["fingerprint"] = "0" * 64
    path.write_text(json.dumps(content))
    assert result().conditions["dataset"]["fingerprint"] == DATASET.fingerprint
    with pytest.raises(UserError, match="other images"):
        read_table(path, published)


def test_differences_come_back_and_a_table_written_before_there_were_any_is_read(tmp_path: Path) -> None:
    archived = Archived(correlations(), "numbers", {})
    path = write_table(tmp_path, archived)
    assert read_table(path, lambda _: CORRELATIONS) == archived
    content = json.loads(path.read_text())
    del content["differences"]
    path.write_text(json.dumps(content))
    assert read_table(path, lambda _: CORRELATIONS).table.differences == ()


def test_a_difference_without_bounds_is_valid_json_and_comes_back(tmp_path: Path) -> None:
    apart = Difference("a/cam", "b/cam", "rank_correlation", Estimate(0.1, -math.inf, math.inf, 1))
    archived = Archived(replace(correlations(), differences=(apart,)), "numbers", {})
    path = write_table(tmp_path, archived)
    assert "Infinity" not in path.read_text()
    assert read_table(path, lambda _: CORRELATIONS) == archived


def test_a_damaged_difference_is_refused_by_name(tmp_path: Path) -> None:
    path = write_table(tmp_path, Archived(correlations(), "numbers", {}))
    content = json.loads(path.read_text())
    content["differences"][0]["estimate"]["low"] = "none"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"small\.json: not a whole table"):
        read_table(path, lambda _: CORRELATIONS)


def test_the_claims_of_the_paper_and_a_single_row_are_told_from_a_table(tmp_path: Path) -> None:
    (claims,) = (path for path in write_claims(tmp_path / "paper", []) if path.suffix == ".json")
    with pytest.raises(UserError, match=r"paper\.json: a list, .* and no table; read .*paper\.md, or name"):
        read_table(claims, published)
    write_table(tmp_path, Archived(table(published=None), None, {}))
    with pytest.raises(UserError, match=r"a-cam\.json: one row, and no table; name .*/small\.json$"):
        read_table(tmp_path / "small" / "a-cam.json", published)
