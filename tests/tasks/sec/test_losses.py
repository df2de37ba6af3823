"""SEC's losses against the sums of its paper, written out cell by cell."""

import math

import pytest
import torch
from torch import Tensor

from benchmark.core.dense_crf import at_least
from benchmark.tasks.sec.losses import constrain_loss, expand_loss, pooled, seed_loss
from benchmark.tasks.sec.training import sec_loss

N, CLASSES, CELLS = 3, 4, 9


def probabilities(seed: int) -> Tensor:
    return torch.randn(N, CLASSES + 1, CELLS, generator=torch.Generator().manual_seed(seed)).softmax(dim=1)


def ranked_mean(values: list[float], decay: float) -> float:
    best_first = sorted(values, reverse=True)
    weights = [decay**place for place in range(len(values))]
    return sum(w * v for w, v in zip(weights, best_first, strict=True)) / sum(weights)


def test_the_seed_loss_is_the_mean_log_probability_over_the_seeds_of_an_image() -> None:
    p, random = probabilities(0), torch.Generator().manual_seed(1)
    seeds = torch.randint(0, CLASSES + 1, (N, CELLS), generator=random)
    seeds[torch.rand(N, CELLS, generator=random) < 0.4] = 254
    seeds[2] = 254  # no seed at all
    expected = 0.0
    for image in range(N):
        marked = [u for u in range(CELLS) if seeds[image, u] != 254]
        logs = [math.log(p[image, seeds[image, u], u]) for u in marked]
        expected -= sum(logs) / len(logs) if logs else 0.0
    assert seed_loss(p, seeds).item() == pytest.approx(expected / N, rel=1e-5)


def test_the_expand_loss_ranks_what_is_there_and_takes_the_maximum_of_what_is_absent() -> None:
    p = probabilities(2)
    present = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 1, 1]], dtype=torch.bool)
    expected = 0.0
    for image in range(N):
        maps = {c: p[image, c].tolist() for c in range(CLASSES + 1)}
        there = [c for c in range(1, CLASSES + 1) if present[image, c - 1]]
        absent = [c for c in range(1, CLASSES + 1) if not present[image, c - 1]]
        expected -= sum(math.log(ranked_mean(maps[c], 0.996)) for c in there) / len(there)
        expected -= sum(math.log(1 - max(maps[c])) for c in absent) / max(len(absent), 1)
        expected -= math.log(ranked_mean(maps[0], 0.999))
    assert expand_loss(p, present).item() == pytest.approx(expected / N, rel=1e-5)


def test_the_constrain_loss_is_a_divergence_that_moves_the_network_alone() -> None:
    p, smooth = probabilities(3).requires_grad_(), probabilities(4).requires_grad_()
    loss = constrain_loss(p, smooth)
    cells = [(image, u) for image in range(N) for u in range(CELLS)]
    each = [
        sum(q * math.log(q / r) for q, r in zip(smooth[i, :, u].tolist(), p[i, :, u].tolist(), strict=True))
        for i, u in cells
    ]
    assert loss.item() == pytest.approx(sum(each) / len(each), rel=1e-5)
    torch.autograd.backward(loss)
    assert smooth.grad is None
    assert p.grad is not None
    assert constrain_loss(smooth, smooth).item() == pytest.approx(0, abs=1e-6)


def test_a_cell_that_is_sure_of_another_class_still_learns_its_seed() -> None:
    """As in the authors' SoftmaxLayer, which adds 0.0001 to each probability and divides by the sum."""
    scores = torch.tensor([[[20.0, 1.0], [0.0, 2.0], [-1.0, 0.5]]], requires_grad=True)
    seeds, smooth = torch.tensor([[1, 1]]), scores.detach().softmax(1)
    loss = sec_loss(scores, smooth, seeds, torch.tensor([[True, False]]))
    (slope,) = torch.autograd.grad(loss, scores)
    assert slope[0, 1, 0] < 0 < slope[0, 0, 0]
    added = scores.detach().softmax(1) + 0.0001
    p = added / added.sum(1, keepdim=True)
    parts = seed_loss(p, seeds) + expand_loss(p, torch.tensor([[True, False]]))
    torch.testing.assert_close(loss.detach(), parts + constrain_loss(p, at_least(smooth)))


def test_rank_pooling_lies_between_the_maximum_and_the_mean() -> None:
    values = torch.tensor([0.1, 0.7, 0.4])
    assert pooled(values, 1.0).item() == pytest.approx(0.4)
    assert pooled(values, 1e-9).item() == pytest.approx(0.7, abs=1e-6)
    assert 0.4 < pooled(values, 0.5).item() < 0.7
