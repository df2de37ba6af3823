"""What moves when one network is computed in several ways: nothing by itself, much in half precision."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.small_scenes import LOCALIZERS, METHODS, scene

from benchmark.core.errors import UserError
from benchmark.core.types import Sample
from benchmark.diagnostics.stability import Movement, Way, _change, movements
from benchmark.transforms.ten_crop import TenCrop

TWINS = "grad_cam = cam"


def test_nothing_moves_where_nothing_changes_and_everything_in_half_precision(tmp_path: Path) -> None:
    on = scene(tmp_path, count=5)
    ways = {
        "": Way(on.settings),
        "again": Way(on.settings),
        "one by one": Way(replace(on.settings, batch_size=1), torch_threads=1),
        "bfloat16": Way(replace(on.settings, precision="bfloat16")),
    }
    threads = torch.get_num_threads()
    found = movements(on, list(METHODS.values()), LOCALIZERS["max_box"], ways, [("grad_cam", "cam")])
    assert torch.get_num_threads() == threads
    assert found.keys() == {(way, what) for way in ways for what in (*METHODS, TWINS) if way or what == TWINS}
    maps = 5 * on.settings.top_k
    for moved in found.values():
        assert len(np.concatenate(moved.equal)) == maps
    for name in METHODS:
        assert np.concatenate(found["again", name].changes).tolist() == [0.0] * maps
        assert np.concatenate(found["again", name].equal).all()
        assert np.concatenate(found["one by one", name].changes).max() < 1e-4
        assert np.concatenate(found["bfloat16", name].changes).min() > 1e-4
        assert max(found["bfloat16", name].sums) > 1e-3
    assert np.concatenate(found["", TWINS].equal).all()
    assert found["", TWINS].changes == []


def test_a_change_is_the_greatest_difference_of_a_cell_over_the_greatest_value_of_the_reference() -> None:
    wanted = torch.tensor([[[[1.0, -4.0], [0.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]]])
    measured = torch.tensor([[[[1.0, -4.0], [0.5, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]])
    assert _change(measured, wanted).tolist() == [0.25, 0.0]


def test_a_box_has_moved_if_one_side_has() -> None:
    moved, here, there = Movement(), np.array([[0, 0, 4, 4]] * 4), np.array([[0, 0, 4, 4]] * 4)
    there[3, 3] = 2
    samples = [Sample(name, None, 0, here) for name in ("first", "second")]
    moved.add(samples, here, there)
    assert moved.equal[0].tolist() == [True, True, True, False]
    assert moved.overlaps[0].tolist() == [1.0, 1.0, 1.0, 0.5]
    assert moved.moved == ["second, class 2: [0, 0, 4, 4], not [0, 0, 4, 2]"]


def test_a_transform_of_several_views_is_refused(tmp_path: Path) -> None:
    on = replace(scene(tmp_path), transform=TenCrop())
    with pytest.raises(UserError, match="transform=ten_crop: choose one that shows an image once"):
        movements(on, [], LOCALIZERS["max_box"], {"": Way(on.settings)})
