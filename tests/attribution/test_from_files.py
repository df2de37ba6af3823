"""Maps from elsewhere go the way of our own: Grad-CAM's, written to files, give Grad-CAM's boxes."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import zarr
from helpers.small_scenes import LOCALIZERS, cell, made, records, scene

from benchmark.attribution.from_files import FromFiles
from benchmark.core.errors import UserError
from benchmark.core.types import FloatArray, Records
from benchmark.pipeline.heatmap_store import heatmap_file, read_heatmaps
from benchmark.pipeline.scene import Scene
from benchmark.tasks.boxes.cell import BoxCell, box_cell

Maps = Mapping[str, Mapping[str, FloatArray]]
"""Image to class to map."""


def of_grad_cam(on: Scene, path: Path) -> tuple[Maps, Records]:
    """The maps that a run of Grad-CAM has stored, and its records."""
    ours = cell(on, path, "grad_cam", "max_box")
    made(on, [ours])
    found: dict[str, dict[str, FloatArray]] = {}
    for number in range(len(on.shards)):
        stored = read_heatmaps(heatmap_file(ours.heatmap_folder, number))
        labels = {sample.image_id: sample.label for sample in on.dataset.samples}
        for image, classes, maps in zip(stored.image_ids, stored.classes, stored.maps, strict=True):
            names = [on.dataset.classes[label] for label in (*classes, labels[image])]
            found[image] = dict(zip(names, maps.astype(np.float32), strict=True))
    return found, records(ours)


def npz(folder: Path, maps: Maps) -> None:
    for image, own in maps.items():
        np.savez(folder / f"{image}.npz", **own)  # type: ignore[arg-type]


def npy(folder: Path, maps: Maps) -> None:
    for image, own in maps.items():
        (folder / image).mkdir()
        for name, one in own.items():
            np.save(folder / image / f"{name}.npy", one[None])  # a batch of one, as pytorch-grad-cam returns


def in_zarr(folder: Path, maps: Maps) -> None:
    root = zarr.open_group(folder, mode="w")
    for image, own in maps.items():
        group = root.create_group(image)
        for name, one in own.items():
            group.create_array(name, data=one)


def elsewhere(on: Scene, folder: Path, runs: Path, **options: str) -> BoxCell:
    method = FromFiles(str(folder), **options)  # type: ignore[arg-type]
    method.check_images(on.dataset)
    config = {
        **cell(on, runs, "grad_cam", "max_box").config,
        "method": {"name": "from_files", "folder": str(folder)},
    }
    return box_cell(on, "net/from_files", method, LOCALIZERS["max_box"], config, runs)


@pytest.mark.parametrize("write", [npz, npy, in_zarr])
def test_grad_cams_maps_from_files_give_grad_cams_boxes(
    write: Callable[[Path, Maps], None], tmp_path: Path
) -> None:
    on = scene(tmp_path)
    maps, wanted = of_grad_cam(on, tmp_path / "runs")
    (tmp_path / "maps").mkdir()
    write(tmp_path / "maps", maps)
    theirs = elsewhere(on, tmp_path / "maps", tmp_path / "runs")
    made(on, [theirs])
    found = records(theirs)
    for column in ("classes", "scores", "boxes", "peaks", "empty", "label_boxes", "curve"):
        np.testing.assert_array_equal(getattr(found, column), getattr(wanted, column))


def test_wsolevaluations_folder_has_the_ground_truths_maps_alone(tmp_path: Path) -> None:
    on = scene(tmp_path)
    maps, wanted = of_grad_cam(on, tmp_path / "runs")
    (tmp_path / "maps" / "val").mkdir(parents=True)
    for sample in on.dataset.samples:
        np.save(
            tmp_path / "maps" / "val" / f"{sample.image_id}.JPEG",
            maps[sample.image_id][on.dataset.classes[sample.label]],
        )
    theirs = elsewhere(on, tmp_path / "maps", tmp_path / "runs")
    made(on, [theirs])
    found = records(theirs)
    np.testing.assert_array_equal(found.label_boxes, wanted.label_boxes)
    np.testing.assert_array_equal(found.curve, wanted.curve)
    right = found.classes == found.labels[:, None]
    assert right.any()
    np.testing.assert_array_equal(found.boxes[right], wanted.boxes[right])
    assert found.empty[~right].all()


def test_another_value_in_a_file_is_another_cell_and_another_folder_is_not(tmp_path: Path) -> None:
    on = scene(tmp_path, 2)
    maps = {
        sample.image_id: {on.dataset.classes[sample.label]: np.eye(7, dtype=np.float32)}
        for sample in on.dataset.samples
    }
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        npz(tmp_path / name, maps)
    (tmp_path / "b" / "notes.txt").write_text("no map")
    npz(tmp_path / "c", {"image_001": {"n00000001": np.ones((7, 7), np.float32)}})
    first, moved, changed = (elsewhere(on, tmp_path / name, tmp_path).folder for name in ("a", "b", "c"))
    assert first == moved != changed


ONE = {"image_000/n00000000.npy": np.eye(7)}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no maps"),
        (ONE, "1 of 2 images have no map .* image_001; make image_001/n0"),
        ({**ONE, "image_001.npy": np.full((7, 7), np.nan)}, "holds NaN, infinity or more"),
        ({**ONE, "image_001.npy": np.full((7, 7), 1e300)}, "more than float32 can hold; make it again"),
        ({**ONE, "image_001.npy": np.eye(6)}, r"\[6, 6\] where .* is \[7, 7\]; give all one size"),
        ({**ONE, "image_001.npy": np.zeros((3, 7, 7))}, r"a map is \[h, w\], this is \[3, 7, 7\]"),
        ({"a/image_001.npy": np.eye(7), "b/image_001.npy": np.eye(7)}, "are of one image; leave one"),
        ({"a.npy": np.full(3, np.inf), "b.npy": np.array("text")}, r"\(2 of 2 maps are of no use\)"),
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be_used_is_refused_in_one_line(
    files: Mapping[str, FloatArray], said: str, tmp_path: Path
) -> None:
    on, folder = scene(tmp_path, 2), tmp_path / "maps"
    folder.mkdir()
    for name, array in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        np.save(folder / name, array)
    with pytest.raises(UserError, match=said) as refused:
        FromFiles(str(folder)).check_images(on.dataset)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("suffix", ["npz", "npy"])
def test_a_file_with_a_changed_byte_is_refused_or_read(suffix: str, tmp_path: Path) -> None:
    path, draw = tmp_path / f"a.{suffix}", np.random.default_rng(0)
    write = np.savez_compressed if suffix == "npz" else np.save
    write(path, draw.random((7, 7)))
    whole = path.read_bytes()
    for place in draw.integers(len(whole), size=100):
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ int(draw.integers(1, 255))]) + whole[place + 1 :]
        )
        with suppress(UserError):
            FromFiles(str(tmp_path)).digest()


def test_a_broken_zarr_group_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zarr.json").write_text("{")
    with pytest.raises(UserError, match="no whole zarr group"):
        FromFiles(str(tmp_path)).digest()


def test_a_truncated_file_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "whole.npy", np.eye(7))
    (tmp_path / "half.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:150])
    with pytest.raises(UserError, match=r"half\.npy: cannot be read .* make it again"):
        FromFiles(str(tmp_path)).digest()
    with pytest.raises(UserError, match="there is no such folder"):
        FromFiles(str(tmp_path / "nowhere")).digest()
    with pytest.raises(UserError, match=r"method\.folder: name the folder"):
        FromFiles().digest()


def test_a_name_may_hold_any_character_that_a_file_may(tmp_path: Path) -> None:
    (tmp_path / "a#b").mkdir()
    np.save(tmp_path / "a#b" / "n0.npy", np.eye(7))
    np.save(tmp_path / "c#d.npy", 2 * np.eye(7))
    found = FromFiles(str(tmp_path)).maps(["a#b", "c#d"], [["n0"], ["n1"]])
    assert found.amax((1, 2, 3)).tolist() == [1, 2]


def test_maps_of_other_images_and_classes_are_counted_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on = scene(tmp_path)
    for sample in on.dataset.samples:
        np.save(tmp_path / f"{sample.image_id}.npy", np.ones((2, 2)))
    FromFiles(str(tmp_path)).check_images(on.dataset)
    assert not capsys.readouterr().err
    np.savez(tmp_path / "nobody.npz", dog=np.ones((2, 2)), cat=np.ones((2, 2)))
    FromFiles(str(tmp_path)).check_images(on.dataset)
    told = capsys.readouterr().err
    assert "2 maps are of no image and class of folder, the first nobody.npz#cat; they are left out" in told


def test_missing_maps_count_as_empty_where_that_was_asked_for(tmp_path: Path) -> None:
    on = scene(tmp_path, 2)
    np.save(tmp_path / "image_000.npy", np.eye(7))
    theirs = elsewhere(on, tmp_path, tmp_path, missing="empty")
    made(on, [theirs])
    assert records(theirs).label_empty.tolist() == [False, True]  # type: ignore[union-attr]


def test_whatever_has_no_names_of_images_refuses_the_method(tmp_path: Path) -> None:
    on = scene(tmp_path, 1)
    with pytest.raises(UserError, match="reads maps by the names of a dataset's images"):
        FromFiles(str(tmp_path)).check(on.model)
