"""A run leaves the same records whatever happens to it on the way."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.small_scenes import LOCALIZERS, METHODS, cell, made, records, scene, with_settings
from torch import nn

from benchmark.core.errors import UserError
from benchmark.core.types import Records
from benchmark.datasets.images import read_sample
from benchmark.models.forward import forward_pass
from benchmark.pipeline import explain as pipeline
from benchmark.pipeline.heatmap_store import heatmap_file, read_heatmaps
from benchmark.pipeline.results import files_of
from benchmark.pipeline.scene import Scene
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.records import STORE
from benchmark.transforms import to_input

PAIRS = [("grad_cam", "max_box"), ("cam", "max_box"), ("backprop", "grabcut"), ("grad_cam", "strict")]


def cells(on: Scene, runs: Path) -> list[BoxCell]:
    return [cell(on, runs, method, localizer) for method, localizer in PAIRS]


def missing(on: Scene, cells: list[BoxCell]) -> set[int]:
    """The numbers of the shards that some cell lacks."""
    numbers = range(len(on.shards))
    return {n for n in numbers if not all(STORE.file(of.folder, n).exists() for of in cells)}


def assert_same(left: Records, right: Records) -> None:
    for field in fields(Records):
        a, b = getattr(left, field.name), getattr(right, field.name)
        np.testing.assert_array_equal(a, b, err_msg=field.name) if isinstance(a, np.ndarray) else None
        assert isinstance(a, np.ndarray) or a == b, field.name


class Broken(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise AssertionError("there was to be no forward pass")


def without_a_forward_pass(on: Scene) -> Scene:
    """The same scene with a model that cannot run; its addresses do not change."""
    on.model.module.forward = Broken().forward
    return on


def test_records_hold_what_a_plain_loop_over_single_images_finds(tmp_path: Path) -> None:
    on = scene(tmp_path)
    work = cells(on, tmp_path / "runs")
    made(on, work)
    for of in work:
        found = records(of)
        assert found.image_ids == tuple(s.image_id for s in on.dataset.samples)
        for row, sample in enumerate(on.dataset.samples):
            pixels, view = on.transform(read_sample(sample), on.model.input.size)
            forward = forward_pass(on.model, to_input(pixels, on.model.input)[None], of.method.layers)
            top = forward.logits.topk(2).indices
            assert found.classes[row].tolist() == top[0].tolist()
            classes = torch.cat([top, torch.tensor([[sample.label]])], 1)
            maps = of.method(on.model, forward, classes)[0]
            highest = maps.amax((-2, -1), keepdim=True)
            relative = (maps / highest.where(highest > 0, maps.abs().amax())).half().float().numpy()
            boxes = [of.localizer(m, view, read_sample(sample)).box for m in relative]
            assert found.boxes[row].tolist() == [list(box) for box in boxes[:-1]]
            assert found.label_boxes is not None
            assert found.label_boxes[row].tolist() == list(boxes[-1])
            assert found.truth[found.owner == row].tolist() == sample.boxes.tolist()


def test_a_finished_run_is_not_touched_again(tmp_path: Path) -> None:
    on = scene(tmp_path)
    work = cells(on, tmp_path / "runs")
    made(on, work)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.*")}
    made(without_a_forward_pass(on), work)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.*")} == before


def test_an_interrupted_run_goes_on_where_it_stopped_and_ends_the_same(tmp_path: Path) -> None:
    on = scene(tmp_path)
    work = cells(on, tmp_path / "whole")
    made(on, work)
    broken = cells(on, tmp_path / "broken")
    calls = 0
    forward = on.model.module.forward

    def dies_in_the_third_batch(x: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        logits: torch.Tensor = forward(x)
        return logits

    on.model.module.forward = dies_in_the_third_batch
    with pytest.raises(KeyboardInterrupt):
        made(on, broken)
    done = set(range(len(on.shards))) - missing(on, broken)
    assert 0 < len(done) < len(on.shards)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "broken").rglob("records-*")}
    made(on, broken)
    assert calls == 3 + len(on.shards) - len(done)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items())
    for whole, resumed in zip(work, broken, strict=True):
        assert_same(records(whole), records(resumed))


def test_other_boxes_are_made_from_stored_heatmaps_without_a_forward_pass(tmp_path: Path) -> None:
    on = scene(tmp_path)
    strict = cell(on, tmp_path / "at_once", "grad_cam", "strict")
    made(on, [strict])
    made(on, [cell(on, tmp_path / "runs", "grad_cam", "max_box")])
    later = cell(on, tmp_path / "runs", "grad_cam", "strict")
    made(without_a_forward_pass(on), [later])
    assert_same(records(strict), records(later))


def test_stored_heatmaps_are_relative_and_in_half_precision(tmp_path: Path) -> None:
    on = scene(tmp_path)
    of = cell(on, tmp_path / "runs", "grad_cam", "max_box")
    made(on, [of])
    kept = read_heatmaps(heatmap_file(of.heatmap_folder, 0))
    assert kept.maps.dtype == np.float16
    assert kept.maps.shape[:2] == (3, 3)
    assert kept.maps.max() == 1


def test_heatmaps_of_the_images_own_size_are_not_kept(tmp_path: Path) -> None:
    on = scene(tmp_path)
    object.__setattr__(on.model, "input", replace(on.model.input, size=32))
    small, large = (cell(on, tmp_path / "runs", method, "max_box") for method in ("grad_cam", "backprop"))
    made(on, [small, large])
    assert heatmap_file(small.heatmap_folder, 0).exists()
    assert not heatmap_file(large.heatmap_folder, 0).exists()
    assert records(large).label_empty is not None


def test_workers_share_the_shards_and_leave_the_same_bytes(tmp_path: Path) -> None:
    on = scene(tmp_path)
    alone = cells(on, tmp_path / "alone")
    made(on, alone)
    shared = cells(on, tmp_path / "shared")
    workers = [scene(tmp_path, worker=worker, workers=2) for worker in (0, 1)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda worker: made(worker, shared), workers))
    for one, two in zip(alone, shared, strict=True):
        assert bytes_of(one) == bytes_of(two)
    assert not list((tmp_path / "shared").rglob("_claims/*"))


def bytes_of(cell: BoxCell) -> list[bytes]:
    return [path.read_bytes() for path in files_of(cell, STORE)]


def copied(made: BoxCell, to: BoxCell) -> None:
    """Put the second shard of a cell into another, as the process that made it would have."""
    for path in made.heatmap_folder.glob("*-00001.npz"):
        shutil.copy(path, to.heatmap_folder)
    shutil.copy(STORE.file(made.folder, 1), STORE.file(to.folder, 1))


def test_a_shard_that_another_process_is_making_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on = scene(tmp_path)
    (of,) = ours = [cell(on, tmp_path / "runs", "cam", "max_box")]
    other = [cell(on, tmp_path / "other", "cam", "max_box")]
    made(on, other)
    claim = of.folder / "_claims" / "records-00001.json"
    claim.parent.mkdir(parents=True)
    claim.write_text(json.dumps({"host": "another", "pid": 7}))

    def makes_it(_seconds: float) -> None:
        assert missing(on, ours) == {1}, "all else is made meanwhile"
        copied(other[0], of)

    monkeypatch.setattr("benchmark.pipeline.shard_loop.sleep", makes_it)
    made(on, ours)
    assert bytes_of(of) == bytes_of(other[0])
    told = capsys.readouterr().err
    assert told.count("waiting for 1 shard that other processes are making: another:7; ") == 1
    assert "not heard of for 3 minutes" in told


def test_a_corrupt_image_leaves_its_shard_alone_undone_and_mending_it_makes_that_shard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on = scene(tmp_path)
    lost = on.dataset.samples[4].path
    assert lost is not None
    whole = lost.read_bytes()
    lost.write_bytes(whole[:60])
    work = cells(on, tmp_path / "runs")
    with pytest.raises(UserError, match=r"image_004.*all other shards are made.*run\.unreadable=skip"):
        made(on, work)
    assert missing(on, work) == {1}
    assert "its shard is left undone" in capsys.readouterr().err
    kept = {path: path.stat().st_mtime_ns for of in work for path in of.folder.glob("records-*")}
    made(with_settings(on, unreadable="skip"), work)
    assert all(set(records(of).skipped) == {"image_004"} for of in work)
    lost.write_bytes(whole)
    made(on, work)
    assert all(len(records(of)) == 10 for of in work)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_what_another_process_has_made_meanwhile_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on = scene(tmp_path)
    of, other = (cell(on, tmp_path / name, "cam", "max_box") for name in ("runs", "other"))
    made(on, [other])
    claim = of.folder / "_claims" / "records-00001.json"
    claim.parent.mkdir(parents=True)
    claim.write_text(json.dumps({"host": "another", "pid": 7}))
    forward = on.model.module.forward

    def meanwhile(x: torch.Tensor) -> torch.Tensor:
        if claim.exists() and STORE.file(of.folder, 0).exists():
            copied(other, of)
            claim.unlink()
        logits: torch.Tensor = forward(x)
        return logits

    on.model.module.forward = meanwhile
    monkeypatch.setattr("benchmark.pipeline.shard_loop.sleep", pytest.fail)
    made(on, [of])
    assert bytes_of(of) == bytes_of(other)
    assert "waiting" not in capsys.readouterr().err


def another_run(path: Path) -> None:
    shutil.copy(next(p for p in path.parents[2].rglob(path.name) if p.parent != path.parent), path)


def a_flipped_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"image_003") + 8] ^= 1
    path.write_bytes(data)


def no_text(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"image_003")] = 0xFF
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "another number": lambda path: shutil.copy(path.with_name("records-00000.parquet"), path),
    "another run": another_run,
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-30]),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"\x00garbage" * 99),
    "a flipped byte": a_flipped_byte,
    "text that is not UTF-8": no_text,
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_shard_is_told_once_and_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    on = scene(tmp_path)
    work = cells(on, tmp_path / "runs")
    made(on, work)
    before = [bytes_of(of) for of in work]
    DAMAGES[name](STORE.file(work[0].folder, 1))
    assert [bytes_of(of) for of in work] != before
    made(on, work)
    assert [bytes_of(of) for of in work] == before
    told = capsys.readouterr().err
    assert told.count("records-00001.parquet: this shard is damaged") == told.count("it is made again") == 1


def test_damaged_heatmaps_are_told_and_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    on = scene(tmp_path)
    first, of = (cell(on, tmp_path / "runs", method, "max_box") for method in ("grad_cam", "cam"))
    made(on, [first, of])
    shutil.copy(heatmap_file(first.heatmap_folder, 1), heatmap_file(of.heatmap_folder, 1))
    heatmap_file(of.heatmap_folder, 2).write_bytes(b"PK")
    compression = bytearray(heatmap_file(of.heatmap_folder, 0).read_bytes())
    compression[compression.index(b"PK\1\2") + 10] = 77
    heatmap_file(of.heatmap_folder, 0).write_bytes(compression)
    later = cell(on, tmp_path / "runs", "cam", "strict")
    made(on, [later])
    fresh = cell(on, tmp_path / "fresh", "cam", "strict")
    made(on, [fresh])
    assert bytes_of(later) == bytes_of(fresh)
    assert capsys.readouterr().err.count("it is made again") == 3


def test_what_another_device_made_is_completed_here_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = scene(tmp_path)
    of = cell(on, tmp_path / "runs", "grad_cam", "max_box")
    with monkeypatch.context() as there:
        there.setattr("benchmark.core.provenance.made_by", lambda _device: {"device": "cuda (H200)"})
        made(on, [of])
    STORE.file(of.folder, 1).unlink()
    heatmap_file(of.heatmap_folder, 1).unlink()
    made(on, [of])
    strict = cell(on, tmp_path / "runs", "grad_cam", "strict")
    made(without_a_forward_pass(on), [strict])
    for each in (of, strict):
        devices = [made.by["device"] for made in STORE.read(files_of(each, STORE)).made]
        assert devices == ["cuda (H200)", devices[1], "cuda (H200)", "cuda (H200)"]
        assert devices[1].startswith("cpu")


@pytest.mark.parametrize("held", [1, 2])
def test_what_does_not_fit_into_the_device_is_halved_and_told_once_and_noted(
    held: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on = with_settings(scene(tmp_path), batch_size=5)
    of = [
        cell(on, tmp_path / "runs", "grad_cam", "max_box"),
        cell(on, tmp_path / "runs", "backprop", "grabcut"),
    ]
    with monkeypatch.context() as there:
        limited(there, held)
        made(on, of)
    told = capsys.readouterr().err
    assert told.count("do not fit") == 3 - held, told
    assert told.count(f"goes on with {held} at once") == 1
    small_batches = with_settings(on, batch_size=held)
    fresh = [
        cell(small_batches, tmp_path / "fresh", *of)
        for of in [("grad_cam", "max_box"), ("backprop", "grabcut")]
    ]
    made(small_batches, fresh)
    for left, right in zip(of, fresh, strict=True):
        assert_same(records(left), records(right))
        assert [made.by["batch_size"] for made in STORE.read(files_of(left, STORE)).made] == [held] * len(
            on.shards
        )


def test_one_image_that_does_not_fit_is_an_error_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = scene(tmp_path)
    limited(monkeypatch, 0)
    with pytest.raises(UserError, match="one image does not fit into the device's memory; measure fewer"):
        made(on, [cell(on, tmp_path / "runs", "grad_cam", "max_box")])


def limited(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    """A device whose memory holds so many images."""
    real = pipeline.explain

    def explain(scene: Scene, methods: Any, batch: Any) -> Any:
        if len(batch.samples) > held:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(scene, methods, batch)

    monkeypatch.setattr("benchmark.tasks.boxes.recorder.explain", explain)


def test_records_outlive_a_damaged_note_of_who_made_them(tmp_path: Path) -> None:
    on = scene(tmp_path)
    of = cell(on, tmp_path / "runs", "grad_cam", "max_box")
    made(on, [of])
    (of.folder / "_journal" / "records-00001.json").write_text('{"by": [1], "seconds": "x"}')
    devices = [made.by["device"] for made in STORE.read(files_of(of, STORE)).made]
    assert devices.index("not recorded") == 1


@pytest.mark.parametrize("lost", [[4], [3, 4, 5], [9]])
def test_unreadable_images_can_be_left_out_and_are_counted(tmp_path: Path, lost: list[int]) -> None:
    on = scene(tmp_path, unreadable="skip")
    for number in lost:
        path = on.dataset.samples[number].path
        assert path is not None
        path.write_bytes(b"")
    work = cells(on, tmp_path / "runs")
    made(on, work)
    for of in work:
        found = records(of)
        assert set(found.skipped) == {f"image_{number:03d}" for number in lost}
        assert len(found) == 10 - len(lost)


def test_the_outputs_of_a_model_may_stand_in_another_order(tmp_path: Path) -> None:
    on = scene(tmp_path)
    plain = cell(on, tmp_path / "plain", "grad_cam", "max_box")
    made(on, [plain])
    turned = scene(tmp_path)
    head = turned.model.module.get_submodule("5")
    assert isinstance(head, nn.Linear)
    order = [3, 0, 6, 1, 2, 5, 4]
    with torch.no_grad():
        head.weight.copy_(head.weight[order].clone())
        head.bias.copy_(head.bias[order].clone())
    object.__setattr__(turned.model, "classes", tuple(on.dataset.classes[i] for i in order))
    other = cell(turned, tmp_path / "turned", "grad_cam", "max_box")
    made(turned, [other])
    one, two = records(plain), records(other)
    np.testing.assert_array_equal(one.classes, two.classes)
    np.testing.assert_array_equal(one.boxes, two.boxes)
    np.testing.assert_array_equal(one.label_boxes, two.label_boxes)


def test_a_model_with_other_outputs_than_the_dataset_has_classes_is_refused(tmp_path: Path) -> None:
    on = scene(tmp_path)
    object.__setattr__(on.dataset, "classes", on.dataset.classes[:5])
    with pytest.raises(UserError, match=r"7 outputs.*5 classes"):
        made(on, cells(on, tmp_path / "runs"))


def test_every_part_that_can_change_a_number_changes_the_address(tmp_path: Path) -> None:
    on = scene(tmp_path)
    base = cell(on, tmp_path, "grad_cam", "max_box")
    others = [cell(on, tmp_path, method, "max_box") for method in METHODS if method != "grad_cam"]
    others += [
        cell(on, tmp_path, "grad_cam", localizer) for localizer in LOCALIZERS if localizer != "max_box"
    ]
    others += [cell(with_settings(on, precision="float64"), tmp_path, "grad_cam", "max_box")]
    folders = [base.folder, *(other.folder for other in others)]
    assert len(set(folders)) == len(folders)
    for option in ({"threads": 1}, {"batch_size": 4}, {"unreadable": "skip"}, {"workers": 3}):
        assert cell(with_settings(on, **option), tmp_path, "grad_cam", "max_box").folder == base.folder


@pytest.mark.parametrize("precision", ["float64", "bfloat16"])
def test_other_precisions_run_and_find_mostly_the_same_boxes(tmp_path: Path, precision: str) -> None:
    on = scene(tmp_path)
    plain = cell(on, tmp_path / "a", "grad_cam", "max_box")
    made(on, [plain])
    other = scene(tmp_path, precision=precision, channels_last=True)
    of = cell(other, tmp_path / "b", "grad_cam", "max_box")
    made(other, [of])
    difference = np.abs(records(plain).label_boxes - records(of).label_boxes)  # type: ignore[operator]
    assert np.median(difference) <= 1


def test_images_left_out_stay_counted_where_boxes_are_made_from_storage(tmp_path: Path) -> None:
    on = scene(tmp_path, unreadable="skip")
    (tmp_path / "image_004.png").write_bytes(b"")
    made(on, [cell(on, tmp_path / "runs", "grad_cam", "max_box")])
    later = cell(on, tmp_path / "runs", "grad_cam", "strict")
    made(without_a_forward_pass(on), [later])
    found = records(later)
    assert len(found) == 9
    assert set(found.skipped) == {"image_004"}


def test_a_shard_is_completed_from_storage_for_one_cell_and_from_images_for_another(tmp_path: Path) -> None:
    on = scene(tmp_path)
    stored, lost = (cell(on, tmp_path / "runs", method, "max_box") for method in ("grad_cam", "cam"))
    made(on, [stored, lost])
    before = [records(of) for of in (stored, lost)]
    for path in (
        STORE.file(stored.folder, 1),
        STORE.file(lost.folder, 1),
        heatmap_file(lost.heatmap_folder, 1),
    ):
        path.unlink()
    kept = heatmap_file(stored.heatmap_folder, 1).stat().st_mtime_ns
    made(on, [stored, lost])
    for of, same in zip((stored, lost), before, strict=True):
        assert_same(records(of), same)
    assert heatmap_file(stored.heatmap_folder, 1).stat().st_mtime_ns == kept


@pytest.mark.parametrize("count", [1, 2])
def test_a_dataset_smaller_than_a_batch_is_one_shard(tmp_path: Path, count: int) -> None:
    on = scene(tmp_path, count, top_k=1)
    of = cell(on, tmp_path / "runs", "grad_cam", "max_box")
    made(on, [of])
    assert len(on.shards) == 1
    assert records(of).boxes.shape == (count, 1, 4)


def test_not_one_readable_image_is_told_when_the_records_are_read(tmp_path: Path) -> None:
    on = scene(tmp_path, 2, unreadable="skip")
    for sample in on.dataset.samples:
        assert sample.path is not None
        sample.path.write_bytes(b"")
    of = cell(on, tmp_path / "runs", "backprop", "grabcut")
    made(on, [of])
    with pytest.raises(UserError, match="not one image could be read"):
        records(of)


def test_a_heatmap_that_is_not_finite_stops_the_run_with_row_and_image(tmp_path: Path) -> None:
    on = scene(tmp_path)
    head = on.model.module.get_submodule("5")
    assert isinstance(head, nn.Linear)
    head.bias.data[2] = float("nan")
    with pytest.raises(UserError, match=r"googlenet_like/grad_cam, image image_000: NaN or infinity"):
        made(on, [cell(on, tmp_path / "runs", "grad_cam", "max_box")])


@pytest.mark.parametrize(
    ("copies", "costly", "size", "count"),
    [
        *((1, False, 3, 4), (30, False, 3, 100), (40, False, 4, 100), (5000, False, 64, 782)),
        *((1, True, 1, 10), (200, True, 2, 1000), (5000, True, 16, 3125)),
    ],
)
def test_shards_are_about_a_hundred_and_never_large_and_smaller_where_an_image_is_costly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copies: int, costly: bool, size: int, count: int
) -> None:
    monkeypatch.setattr("benchmark.pipeline.scene.LEAST", 16 if costly else 3)
    on = scene(tmp_path, 10)
    many = replace(on.dataset, samples=tuple(on.dataset.samples) * copies)  # type: ignore[type-var]
    shards = replace(on, dataset=many, costly=costly).shards
    assert [index for shard in shards for index in shard] == list(range(10 * copies))
    assert {len(shard) for shard in shards[:-1]} == {size}
    assert len(shards) == count
