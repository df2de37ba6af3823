"""The heatmaps that a run keeps for a picture sheet: of which images, and as what."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmark.core.errors import UserError
from benchmark.core.options import check
from benchmark.core.types import Box, Sample, View
from benchmark.pipeline.exhibits import (
    SIDE,
    Exhibit,
    Pictures,
    chosen,
    exhibit,
    exhibit_files,
    read_exhibits,
    readable,
    write_exhibits,
)

VIEW = View(30, 20, Box(0, 0, 30, 20))


def samples(labels: Sequence[int]) -> list[Sample]:
    none = np.zeros((0, 4), np.int32)
    return [Sample(f"{number:03d}", None, one, none) for number, one in enumerate(labels)]


def places(picked: Sequence[Sample]) -> list[int]:
    return [int(sample.image_id) for sample in picked]


def test_images_are_spread_over_the_dataset_and_over_its_classes() -> None:
    picked = chosen(samples([number % 3 for number in range(30)]), 3)
    assert [place // 10 for place in places(picked)] == [0, 1, 2]
    assert {sample.label for sample in picked} == {0, 1, 2}
    assert places(chosen(samples([5] * 30), 3)) == [5, 15, 25], "one class: the middle of each part"
    assert places(chosen(samples([1, 2]), 6)) == [0, 1]
    assert chosen([], 6) == []


def test_an_image_that_the_devkit_does_not_score_is_chosen_only_where_there_is_no_other() -> None:
    scored = samples(range(4))
    out = [replace(sample, blacklisted=sample.label == 2) for sample in scored]
    assert (places(chosen(scored, 1)), places(chosen(out, 1))) == ([2], [3])
    assert places(chosen([replace(sample, blacklisted=True) for sample in scored], 1)) == [2]


def test_an_image_that_does_not_fit_is_never_chosen_and_few_are_tried() -> None:
    tried = []

    def fits(sample: Sample) -> bool:
        tried.append(sample)
        return sample.label >= 15

    assert places(chosen(samples(range(1000)), 4, lambda sample: sample.label >= 15)) == [125, 375, 625, 875]
    assert places(chosen(samples(range(20)), 2, fits)) == [15]
    chosen(samples(range(100_000)), 2, fits)
    assert len(tried) < 50


def test_a_large_map_is_averaged_over_areas_and_a_small_one_kept() -> None:
    large = np.random.default_rng(0).random((1, 2 * SIDE, 2 * SIDE), np.float32)
    blocks = large.reshape(SIDE, 2, SIDE, 2).mean((1, 3))
    np.testing.assert_allclose(exhibit(large, VIEW).values[0], blocks / blocks.max(), rtol=1e-5)
    small = np.array([[[-4, 1], [2, 0]]], np.float32)
    assert exhibit(small, VIEW).values.tolist() == (small / 4).tolist()
    assert exhibit(np.zeros((3, 227, 227), np.float32), VIEW).values.shape == (3, SIDE, SIDE)


def test_a_map_is_shown_as_a_share_of_its_maximum_where_the_network_has_seen_the_image() -> None:
    view = View(30, 20, Box(5, 2, 25, 18))
    heat = exhibit(np.full((1, 4, 4), 3, np.float32), view).shown()
    assert (heat[2:18, 5:25] == 1).all()
    assert heat.shape == (20, 30)
    assert heat.sum() == 16 * 20
    assert (exhibit(np.full((1, 4, 4), -3, np.float32), view).shown() == 0).all()


def test_a_map_in_colours_keeps_its_signs() -> None:
    colours = np.stack([np.full((4, 4), value, np.float32) for value in (-1e-6, 0, 1e-6)])
    np.testing.assert_allclose(exhibit(colours, VIEW).shown()[10, 10], [-1, 0, 1], atol=1e-3)


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    made = {
        ("a", 3): exhibit(np.eye(4, dtype=np.float32)[None], VIEW),
        ("b", -1): Exhibit(np.ones((1, 4, 4), np.float32), VIEW),
    }
    write_exhibits(tmp_path, 7, {})
    assert read_exhibits(tmp_path) == {}
    write_exhibits(tmp_path, 0, made)
    write_exhibits(tmp_path, 1, {("c", 0): made["a", 3]})
    found = read_exhibits(tmp_path)
    assert list(found) == [("a", 3), ("b", -1), ("c", 0)]
    assert found["c", 0].view == VIEW
    np.testing.assert_array_equal(found["c", 0].values, made["a", 3].values)


def test_a_damaged_file_is_refused_by_its_name(tmp_path: Path) -> None:
    write_exhibits(tmp_path, 0, {("a", 3): exhibit(np.ones((1, 4, 4), np.float32), VIEW)})
    (file,) = exhibit_files(tmp_path)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(
        UserError, match=r"exhibits-00000.npz: this shard is damaged .*; delete it and run again"
    ):
        read_exhibits(tmp_path)


def test_an_image_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "broken.png"
    file.write_bytes(b"no image")
    assert readable([replace(samples([0])[0], path=file)]) == []


@pytest.mark.parametrize("value", [-1, 1.5, "6", None, True, 25])
def test_a_number_of_pictures_that_is_none_is_refused(value: object) -> None:
    assert check("pictures", 24, Pictures) == 24
    with pytest.raises(UserError, match=r"^pictures=.*: must be a whole number in \[0, 24\]$"):
        check("pictures", value, Pictures)
