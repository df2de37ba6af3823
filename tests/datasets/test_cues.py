"""Published cues: SEC's own figures from its own file, and files that are none."""

import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
    ],
)
def test_a_file_that_holds_something_else_is_named(tmp_path: Path, change: dict[str, Any], line: str) -> None:
    arrays = {key: value for key, value in (small() | change).items() if value is not None}
    np.savez(tmp_path / "cues.npz", **arrays)
    with pytest.raises(UserError, match=line) as refused:
        read_cues(tmp_path / "cues.npz")
    assert str(tmp_path / "cues.npz") in str(refused.value)
    (tmp_path / "text.npz").write_bytes(io.BytesIO(b"no archive").read())
    with pytest.raises(UserError, match=r"text\.npz: cannot be read"):
        read_cues(tmp_path / "text.npz")


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
