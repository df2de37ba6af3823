"""Batches depend on seed and position alone: not on workers, slices or where a training starts."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.painted import job, options
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.pipeline.class_order import class_order
from benchmark.training.loader import Pictures, batches, permutation, spans
from benchmark.training.options import TrainOptions


def pictures(folder: Path, chosen: TrainOptions) -> Pictures:
    scene = job(folder, chosen).learning
    targets = chosen.objective.targets(scene.dataset.samples, class_order(scene, 2))
    return Pictures(scene, targets, chosen)


def read(folder: Path, own: list[range], workers: int = 0, **changes: int) -> list[tuple[Tensor, Tensor]]:
    return list(batches(pictures(folder, options(**changes)), own, workers, pinned=False))


def same(first: list[tuple[Tensor, Tensor]], second: list[tuple[Tensor, Tensor]]) -> bool:
    pairs = zip(first, second, strict=True)
    return all(torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in pairs)


@pytest.mark.slow
def test_a_worker_gives_the_batches_that_the_process_itself_does(tmp_path: Path) -> None:
    own = spans(0, 4, 8)
    assert same(read(tmp_path, own, workers=1), read(tmp_path, own))


def test_what_is_kept_in_memory_changes_no_batch(tmp_path: Path) -> None:
    own = spans(0, 6, 8)
    assert same(read(tmp_path, own, cache=0), read(tmp_path, own, cache=10_000))


def test_the_slices_of_all_processes_together_are_the_global_batch(tmp_path: Path) -> None:
    whole = read(tmp_path, spans(2, 5, 8))
    parts = [read(tmp_path, spans(2, 5, 8, rank, 4)) for rank in range(4)]
    together = [
        (torch.cat([x for x, _ in slices]), torch.cat([y for _, y in slices]))
        for slices in zip(*parts, strict=True)
    ]
    assert same(together, whole)


def test_a_training_taken_up_again_sees_the_batches_that_were_left(tmp_path: Path) -> None:
    assert same(read(tmp_path, spans(3, 6, 8)), read(tmp_path, spans(0, 6, 8))[3:])


def test_another_seed_and_another_epoch_give_another_order_and_other_parts(tmp_path: Path) -> None:
    (first, _), (second, _) = read(tmp_path, spans(0, 2, 20))
    (other, _) = read(tmp_path, spans(0, 1, 20), seed=1)[0]
    assert not torch.equal(first, second)
    assert not torch.equal(first, other)


def test_every_epoch_shows_every_image_once() -> None:
    orders = [permutation(3, epoch, 11) for epoch in range(3)]
    assert all(sorted(order) == list(range(11)) for order in orders)
    assert not np.array_equal(orders[0], orders[1])


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    read(tmp_path, spans(0, 1, 8))
    broken = next((tmp_path / "painted").glob("some_*"))
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(UserError, match=f"{broken.name}: .*every training image must be readable"):
        read(tmp_path, spans(0, 3, 8))
