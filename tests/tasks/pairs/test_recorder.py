"""Stored pairs hold what a slow loop over single images and classes finds, whatever happens to a run."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.pair_scenes import (
    GRIDS,
    MADE,
    Broken,
    assert_close,
    assert_same,
    cells_of,
    counted,
    made,
    missing,
    multi_scene,
    question,
    stored,
)
from helpers.small_scenes import with_settings
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from benchmark.core.errors import UserError
from benchmark.core.protocols import Method
from benchmark.core.types import Sample
from benchmark.datasets.images import read_sample
from benchmark.models.forward import forward_pass
from benchmark.pipeline.scene import Scene
from benchmark.tasks.pairs.ask import PendingPairs, ask
from benchmark.tasks.pairs.types import Pairs
from benchmark.transforms import to_input

ASKED = {
    "labelled": [[1, 3], [0], [], [5], [4, 5, 6], [], []],
    "difficult": [[1, 3], [0, 2], [4], [5], [4, 5, 6], [4], [0]],
}


def asked_classes(policy: str, number: int, logits: list[float]) -> list[int]:
    """Labels, by hand; predicted ones by sorting."""
    best = sorted(range(len(logits)), key=lambda output: -logits[output])
    if policy == "predicted":
        return best[:2]
    if policy == "with_top5":
        held = ASKED["difficult"][number]
        return held + [label for label in best[:5] if label not in held]
    return ASKED[policy][number]


def pixels_of(sample: Sample, classes: set[int]) -> tuple[list[tuple[int, int]], float]:
    """Pixels in an object of these classes, and their share of the image."""
    assert sample.objects is not None
    assert sample.size is not None
    boxes = [
        box
        for label, box in zip(sample.objects.classes.tolist(), sample.objects.boxes.tolist(), strict=True)
        if label in classes
    ]
    width, height = sample.size
    inside = [
        (x, y)
        for y in range(height)
        for x in range(width)
        if any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in boxes)
    ]
    return inside, len(inside) / (width * height)


def nearest(pixels: list[tuple[int, int]], at: list[int]) -> float:
    return min((np.hypot(x - at[0], y - at[1]) for x, y in pixels), default=np.inf)


def by_hand(on: Scene, method: Method, policy: str, pairs: Pairs) -> Iterator[tuple[str, dict[str, Any]]]:
    """Image by image, class by class: one map at a time.

    Of ``pairs`` the peaks are used, once they are found to be maxima: an occlusion map is flat in places, and
    where several pixels are the highest to rounding, which of them is says nothing.
    """
    peaks = iter(pairs.columns["peak"].tolist())
    for number, sample in enumerate(on.dataset.samples):
        assert sample.objects is not None
        assert sample.size is not None
        pixels, _ = on.transform(read_sample(sample), on.model.input.size)
        batch = to_input(pixels, on.model.input)[None]
        logits = on.model.module(batch)[0].tolist()
        hard: dict[int, list[bool]] = {}
        for label, difficult in zip(
            sample.objects.classes.tolist(), sample.objects.difficult.tolist(), strict=True
        ):
            hard.setdefault(label, []).append(difficult)
        for label in asked_classes(policy, number, logits):
            forward = forward_pass(on.model, batch, method.layers, method.operations)
            found = method(on.model, forward, torch.tensor([[label]])).detach()
            size = on.model.input.size
            full = interpolate(found.double(), (size, size), mode="bilinear", align_corners=True)
            # An area that cuts pixels: of the map with each pixel repeated g times.
            wide = {g: full.repeat_interleave(g, 2).repeat_interleave(g, 3) for g in GRIDS}
            width, height = sample.size
            in_image = interpolate(found, (height, width), mode="bilinear", align_corners=True)[0, 0]
            x, y = at = next(peaks)
            assert in_image[y, x] == pytest.approx(float(in_image.max()), rel=1e-5)
            own, share = pixels_of(sample, {label})
            others, other_share = pixels_of(sample, set(hard) - {label})
            yield (
                sample.image_id,
                {
                    "label": label,
                    "labelled": label in hard,
                    "difficult": all(hard.get(label, [False])),
                    "classes": len(hard),
                    "rank": sorted(range(len(logits)), key=lambda o: -logits[o]).index(label),
                    "logit": logits[label],
                    "share": share,
                    "other_share": other_share,
                    **{f"grid{g}": adaptive_avg_pool2d(wide[g], g)[0, 0].numpy() for g in GRIDS},
                    "highest": float(found.max()),
                    "lowest": float(found.min()),
                    "constant": bool(found.max() == found.min()),
                    "peak": at,
                    "own_distance": nearest(own, at),
                    "other_distance": nearest(others, at),
                },
            )


@pytest.mark.parametrize("policy", ["labelled", "difficult", "with_top5", "predicted"])
def test_pairs_are_those_of_a_loop_over_single_images_and_classes(tmp_path: Path, policy: str) -> None:
    on = multi_scene(tmp_path)
    cells = cells_of(on, tmp_path / "runs", policy)
    made(on, question(policy), cells)
    for cell in cells:
        pairs = stored(cell)
        expected = list(by_hand(on, cell.method, policy, pairs))
        assert pairs.image_ids == tuple(image for image, _ in expected)
        assert set(pairs.columns) == set(expected[0][1])
        assert (pairs.done, dict(pairs.skipped)) == (7, {})
        for name, column in pairs.columns.items():
            wanted = np.array([row[name] for _, row in expected])
            assert column.shape == wanted.shape
            assert column.dtype == {"i": np.int32, "f": np.float32, "b": np.bool_}[wanted.dtype.kind], name
            np.testing.assert_allclose(column, wanted, rtol=1e-4, atol=2e-6, err_msg=name)


def test_all_methods_have_the_same_pairs_in_the_same_order(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    cells = cells_of(on, tmp_path / "runs", "with_top5")
    made(on, question("with_top5"), cells)
    first, *others = (stored(cell) for cell in cells)
    for other in others:
        assert other.image_ids == first.image_ids
        for name in ("label", "labelled", "difficult", "classes", "rank", "logit", "share", "other_share"):
            np.testing.assert_array_equal(other.columns[name], first.columns[name])
        assert (other.columns["highest"] != first.columns["highest"]).any()


@pytest.mark.parametrize("policy", ["labelled", "with_top5"])
def test_single_images_give_the_same_pairs_as_batches_to_rounding(tmp_path: Path, policy: str) -> None:
    on = multi_scene(tmp_path)
    single = with_settings(on, batch_size=1)
    batched = cells_of(on, tmp_path / "batched", policy)
    alone = cells_of(single, tmp_path / "alone", policy)
    made(on, question(policy), batched)
    made(single, question(policy), alone)
    for one, other in zip(batched, alone, strict=True):
        assert_close(stored(one), stored(other))


def test_an_output_that_the_dataset_does_not_know_gives_no_pair(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    plain = cells_of(on, tmp_path / "plain", "with_top5", "grad_cam")
    made(on, question("with_top5"), plain)
    # Two more outputs, the best of all, and the others in another order.
    turned = multi_scene(tmp_path)
    head = turned.model.module.get_submodule("5")
    assert isinstance(head, nn.Linear)
    order = [3, 0, 6, 1, 2, 5, 4]
    wider = nn.Linear(head.in_features, 9)
    with torch.no_grad():
        wider.weight.copy_(torch.cat([torch.zeros(2, head.in_features), head.weight[order]]))
        wider.bias.copy_(torch.cat([torch.full((2,), 99.0), head.bias[order]]))
    turned.model.module[5] = wider.requires_grad_(False)  # type: ignore[operator]
    names = ("x", "y", *(on.dataset.classes[label] for label in order))
    object.__setattr__(turned.model, "classes", names)
    other = cells_of(turned, tmp_path / "turned", "with_top5", "grad_cam")
    made(turned, question("with_top5"), other)
    one, two = stored(plain[0]), stored(other[0])
    assert set(two.columns["label"].tolist()) <= set(range(7))
    assert (one.unknown, two.unknown) == (0, 2 * two.done), "the two are among the best of every image"
    np.testing.assert_array_equal(
        two.columns["rank"] >= 2, True, err_msg="both unknown outputs are ranked before"
    )
    # The three best that are left: a subset of the pairs, else the same.
    at = {
        (image, label): n
        for n, (image, label) in enumerate(zip(one.image_ids, one.columns["label"], strict=True))
    }
    rows = [at[key] for key in zip(two.image_ids, two.columns["label"], strict=True)]
    assert len(rows) < len(one)
    for name in ("grid4", "grid5", "logit", "share", "other_share", "own_distance", "peak", "labelled"):
        np.testing.assert_allclose(two.columns[name], one.columns[name][rows], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(two.columns["rank"], one.columns["rank"][rows] + 2)


def test_a_finished_run_asks_the_network_nothing(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    cells = cells_of(on, tmp_path / "runs")
    made(on, question(), cells)
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.parquet")}
    assert len(stamps) == 3 * len(cells)
    on.model.module.forward = Broken().forward
    made(on, question(), cells)
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    first, second = cells_of(on, tmp_path / "runs", "labelled", "grad_cam", "cam")
    made(on, question(), [first])
    calls = counted(on)
    made(on, question(), [first, second])
    assert calls == [3, 3, 1]
    assert not missing(on, [first, second])


@pytest.mark.parametrize("stop", [KeyboardInterrupt, UserError])
def test_an_interrupted_run_leaves_whole_shards_and_goes_on(
    tmp_path: Path, stop: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.pipeline.scene.LEAST", 1)
    on = with_settings(multi_scene(tmp_path), batch_size=1)
    whole = cells_of(on, tmp_path / "whole", "difficult", "grad_cam", "backprop")
    made(on, question("difficult"), whole)
    broken = cells_of(on, tmp_path / "broken", "difficult", "grad_cam", "backprop")
    calls, forward = 0, on.model.module.forward

    def dies_in_the_fifth(x: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise stop("now")
        logits: torch.Tensor = forward(x)
        return logits

    on.model.module.forward = dies_in_the_fifth
    with pytest.raises(stop, match="now"):
        made(on, question("difficult"), broken)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "broken").rglob("*") if path.is_file()}
    assert {path.name.partition("-0")[0] + path.suffix for path in kept} == {
        "pairs.parquet",
        "pairs.json",
        "exhibits.npz",
    }
    left = missing(on, broken)
    assert 0 < len(left) < len(on.shards)
    made(on, question("difficult"), broken)
    assert calls == 5 + len(left)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    for one, other in zip(whole, broken, strict=True):
        assert_same(stored(one), stored(other))


def test_a_shard_whose_second_batch_fails_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = multi_scene(tmp_path)
    monkeypatch.setattr(Scene, "shards", property(lambda self: [range(7)]))
    (cell,) = cells_of(on, tmp_path / "runs", "difficult", "grad_cam")
    calls = 0

    def dies_in_the_second(*arguments: Any) -> PendingPairs:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return ask(*arguments)

    monkeypatch.setattr("benchmark.tasks.pairs.recorder.ask", dies_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        made(on, question("difficult"), [cell])
    assert not list((tmp_path / "runs").rglob("*.parquet"))
    made(on, question("difficult"), [cell])
    assert len(stored(cell)) == 11


def test_workers_share_the_shards_and_leave_the_same_pairs(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    alone, shared = (cells_of(on, tmp_path / name) for name in ("alone", "shared"))
    made(on, question(), alone)
    workers = [multi_scene(tmp_path, worker=worker, workers=2) for worker in (0, 1)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda worker: made(worker, question(), shared), workers))
    assert not list((tmp_path / "shared").rglob("_claims/*"))
    on.model.module.forward = Broken().forward
    made(on, question(), shared)
    for one, other in zip(alone, shared, strict=True):
        assert_same(stored(one), stored(other))


def test_an_unreadable_image_stops_the_run_and_is_named(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    (tmp_path / "image_004.png").write_bytes(b"")
    cells = cells_of(on, tmp_path / "runs")
    with pytest.raises(UserError, match=r"image_004.*run\.unreadable=skip"):
        made(on, question(), cells)
    assert missing(on, cells) == {1}, "the shard of the image alone"


@pytest.mark.parametrize("lost", [[4], [3, 4, 5], [6]])
def test_unreadable_images_can_be_left_out_and_are_counted(tmp_path: Path, lost: list[int]) -> None:
    on = multi_scene(tmp_path, unreadable="skip")
    whole = cells_of(on, tmp_path / "whole", "difficult")
    made(on, question("difficult"), whole)
    names = {f"image_{number:03d}" for number in lost}
    for name in names:
        (tmp_path / f"{name}.png").write_bytes(b"")
    cells = cells_of(on, tmp_path / "runs", "difficult")
    made(on, question("difficult"), cells)
    for cell, before in zip(cells, whole, strict=True):
        pairs, known = stored(cell), stored(before)
        assert (pairs.done, set(pairs.skipped)) == (7 - len(lost), names)
        kept = [n for n, image in enumerate(known.image_ids) if image not in names]
        assert pairs.image_ids == tuple(known.image_ids[n] for n in kept)
        for name, column in pairs.columns.items():
            np.testing.assert_allclose(column, known.columns[name][kept], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("place", ["head", "map"])
def test_what_is_not_finite_stops_the_run_with_the_image(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = multi_scene(tmp_path)
    if place == "head":
        on.model.module.get_submodule("5").bias.data[2] = float("nan")  # type: ignore[operator]
    else:
        grad_cam = type(MADE["grad_cam"])
        plain = grad_cam.__call__
        monkeypatch.setattr(grad_cam, "__call__", lambda *a: plain(*a) / 0 * 0)
    with pytest.raises(UserError, match=r"image image_000: .*NaN or infinity"):
        made(on, question(), cells_of(on, tmp_path / "runs", "labelled", "grad_cam"))
    assert not list((tmp_path / "runs").rglob("*.parquet"))


@pytest.mark.parametrize("precision", ["float64", "bfloat16"])
def test_other_precisions_find_nearly_the_same(tmp_path: Path, precision: str) -> None:
    on = multi_scene(tmp_path)
    plain = cells_of(on, tmp_path / "a", "difficult", "grad_cam", "cam", "occlusion")
    made(on, question("difficult"), plain)
    other = multi_scene(tmp_path, precision=precision, channels_last=True)
    cells = cells_of(other, tmp_path / "b", "difficult", "grad_cam", "cam", "occlusion")
    made(other, question("difficult"), cells)
    tolerance = 1e-5 if precision == "float64" else 0.05
    for one, two in zip(plain, cells, strict=True):
        left, right = stored(one), stored(two)
        assert right.columns["grid4"].dtype == np.float32
        scale = np.abs(left.columns["grid4"]).max()
        np.testing.assert_allclose(
            right.columns["grid4"], left.columns["grid4"], atol=tolerance * scale, rtol=0
        )
