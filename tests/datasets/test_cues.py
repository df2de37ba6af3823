"""Published cues: SEC's own figures from its own file, and files that are none."""

import os
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.commands import Command

from benchmark.core.errors import UserError
from benchmark.core.seeds import count, ratio_parts
from benchmark.datasets.cues import read_cues


def small() -> dict[str, Any]:
    return {
        "images": np.array(["a", "b"]),
        "offsets": np.array([0, 2, 3]),
        "classes": np.array([0, 3, 20], np.uint8),
        "rows": np.array([0, 5, 40], np.uint8),
        "columns": np.array([1, 6, 40], np.uint8),
    }


def test_both_forms_give_the_same_cells(tmp_path: Path) -> None:
    arrays = small()
    np.savez(tmp_path / "cues.npz", **arrays)
    whole = np.stack([arrays[name] for name in ("classes", "rows", "columns")])
    content = {"0_cues": whole[:, :2], "1_cues": whole[:, 2:], "0_labels": np.array([3]), "1_labels": [20]}
    (tmp_path / "cues.pickle").write_bytes(pickle.dumps(content, protocol=2))
    (tmp_path / "input_list.txt").write_text("a.jpg 0\nb.jpg 1\n")
    first, second = read_cues(tmp_path / "cues.npz"), read_cues(tmp_path / "cues.pickle")
    assert first.images == second.images == ("a", "b")
    for place in (0, 1):
        np.testing.assert_array_equal(first.grid(place), second.grid(place))
    assert first.grid(0)[0, 1] == 0
    assert first.grid(0)[5, 6] == 3
    assert (first.grid(1) != 254).sum() == 1


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch harmed",)


def test_a_pickle_that_would_run_code_is_refused_and_runs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cues.pickle").write_bytes(pickle.dumps({"0_cues": Harmful()}))
    with pytest.raises(UserError, match=r"cues\.pickle: cannot be read as cues \(it asks for \w+\.system"):
        read_cues(tmp_path / "cues.pickle")
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"rows": None}, "has no array rows"),
        ({"rows": np.array([0, 5, 41], np.uint8)}, "outside the 41 x 41 cells"),
        ({"offsets": np.array([0, 2])}, "2 images, but offsets of others"),
        ({"offsets": np.array([0.0, 2.0, 3.0])}, "must be whole numbers"),
    ],
)
def test_a_file_that_holds_something_else_is_named(tmp_path: Path, change: dict[str, Any], line: str) -> None:
    arrays = {key: value for key, value in (small() | change).items() if value is not None}
    np.savez(tmp_path / "cues.npz", **arrays)
    with pytest.raises(UserError, match=line) as refused:
        read_cues(tmp_path / "cues.npz")
    assert str(tmp_path / "cues.npz") in str(refused.value)


def spoilt(whole: bytes) -> dict[str, bytes]:
    return {
        "text.npz": b"no archive",
        "cut.npz": whole[:200],
        "empty.npz": b"",
        "list.pickle": pickle.dumps([1, 2]),
        "numbers.pickle": pickle.dumps({3: 4}),
    }


@pytest.mark.parametrize("name", spoilt(b""))
def test_a_file_that_is_cut_off_or_of_another_kind_is_one_line(tmp_path: Path, name: str) -> None:
    np.savez(tmp_path / "cues.npz", **small())
    (tmp_path / name).write_bytes(spoilt((tmp_path / "cues.npz").read_bytes())[name])
    with pytest.raises(UserError, match=rf"{name}: cannot be read as cues .*; give the file"):
        read_cues(tmp_path / name)


@pytest.mark.parametrize(
    ("masks", "line"),
    [
        (
            np.zeros((2, 20, 20), np.uint8),
            r"its masks are uint8 \[2, 20, 20\]; give images and masks \[n, 41, 41\]",
        ),
        (np.zeros((2, 41, 41)), "its masks are float64"),
        (np.full((2, 41, 41), 21, np.uint8), "class 21 in it, but classes end at 20 and void is 255"),
        (np.zeros((3, 41, 41), np.uint8), "no masks in it"),
    ],
)
def test_masks_that_cannot_be_compared_with_cues_are_one_line(
    command: Command, tmp_path: Path, masks: np.ndarray[Any, Any], line: str
) -> None:
    np.savez(tmp_path / "cues.npz", **small())
    np.savez(tmp_path / "truth.npz", images=small()["images"], masks=masks)
    words = f"cues={tmp_path / 'cues.npz'}", f"truth={tmp_path / 'truth.npz'}"
    status, _, told = command("cues", *words)
    assert (status, told.count("\n")) == (2, 1)
    assert re.search(rf"truth\.npz: .*{line}", told), told


def test_a_number_without_a_cell_is_called_so(command: Command, tmp_path: Path) -> None:
    np.savez(tmp_path / "cues.npz", **small())
    np.savez(tmp_path / "truth.npz", images=small()["images"], masks=np.zeros((2, 41, 41), np.uint8))
    status, out, told = command("cues", f"cues={tmp_path / 'cues.npz'}", f"truth={tmp_path / 'truth.npz'}")
    assert (status, told) == (0, "")
    assert re.search("seed_recall +no cell", out)


def test_sec_s_published_cues_score_what_is_known_of_them(shared: Path) -> None:
    cues = read_cues(shared / "voc2012_weak" / "sec_cues.npz")
    with np.load(shared / "voc2012_weak" / "trainaug_masks_41.npz") as arrays:
        masks = dict(zip(map(str, arrays["images"]), arrays["masks"], strict=True))
    seeds = np.stack([cues.grid(place) for place in range(len(cues.images))])
    cells = count(seeds, np.stack([masks[image] for image in cues.images]), classes=20)
    found = {
        name: (hits.sum(0) / trials.sum(0)).mean() for name, (hits, trials) in ratio_parts(cells).items()
    }
    assert len(cues.images) == 10582
    assert found["seed_precision"] == pytest.approx(0.6891, abs=5e-5)
    assert found["seed_recall"] == pytest.approx(0.3349, abs=5e-5)
    assert found["background_precision"] == pytest.approx(0.9229, abs=5e-5)
