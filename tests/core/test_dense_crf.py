"""The dense CRF on small grids, against a walk over pairs of cells and against pydensecrf."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.core.dense_crf import Crf, at_least


def scene(side: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    image = torch.full((side, side, 3), 40.0)
    image[:, side // 2 :] = 200.0
    image += 10 * torch.rand(side, side, 3, generator=random)
    return image.round(), 2 * torch.randn(classes, side * side, generator=random)


def walked(crf: Crf, image: Tensor, scores: Tensor) -> list[list[float]]:
    """Mean field cell by cell, in the notation of the paper, in float64."""
    side, (classes, cells) = len(image), scores.shape
    places = [(y, x) for y in range(side) for x in range(side)]

    def near(i: int, j: int, colours: bool) -> float:
        (yi, xi), (yj, xj) = places[i], places[j]
        sigma = crf.far if colours else crf.near
        squared = ((yi - yj) ** 2 + (xi - xj) ** 2) / sigma**2
        if colours:
            squared += float(((image[yi, xi] - image[yj, xj]).double() ** 2).sum()) / crf.colour**2
        return math.exp(-squared / 2)

    def softmax(column: list[float]) -> list[float]:
        exps = [math.exp(one - max(column)) for one in column]
        return [one / sum(exps) for one in exps]

    kernels = []
    for weight, colours in ((crf.appearance, True), (crf.smoothness, False)):
        plain = [[near(i, j, colours) for j in range(cells)] for i in range(cells)]
        sums = [sum(row) for row in plain]
        kernels.append(
            [
                [weight * plain[i][j] / math.sqrt(sums[i] * sums[j]) for j in range(cells)]
                for i in range(cells)
            ]
        )
    unary = [[float(scores[c, i]) for c in range(classes)] for i in range(cells)]
    q = [softmax(column) for column in unary]
    for _ in range(crf.iterations):
        q = [
            softmax(
                [
                    unary[i][c] + sum(k[i][j] * q[j][c] for k in kernels for j in range(cells))
                    for c in range(classes)
                ]
            )
            for i in range(cells)
        ]
    return q


def test_mean_field_is_that_of_a_walk_over_pairs_of_cells() -> None:
    crf = Crf(far=2.0, near=0.8, iterations=3)
    image, scores = scene(4, 3)
    found = crf.infer(crf.kernel(image), scores)
    np.testing.assert_allclose(found.T.numpy(), walked(crf, image, scores), atol=1e-5)


def test_it_is_what_the_authors_lattice_approximates() -> None:
    pydensecrf = pytest.importorskip("pydensecrf.densecrf", reason="pydensecrf2 is not installed")
    crf, side, classes = Crf(), 41, 3
    image, scores = scene(side, classes, seed=1)
    theirs = pydensecrf.DenseCRF2D(side, side, classes)
    theirs.setUnaryEnergy(np.ascontiguousarray(-scores.numpy()))
    theirs.addPairwiseGaussian(sxy=crf.near, compat=crf.smoothness)
    pixels = np.ascontiguousarray(image.numpy().astype(np.uint8))
    theirs.addPairwiseBilateral(sxy=crf.far, srgb=crf.colour, rgbim=pixels, compat=crf.appearance)
    expected = np.array(theirs.inference(crf.iterations)).reshape(classes, -1)
    found = crf.infer(crf.kernel(image), scores).numpy()
    # The lattice approximates: of cells whose scores are noise it decides one or two in a hundred otherwise.
    assert (found.argmax(0) == expected.argmax(0)).mean() > 0.97
    assert np.abs(found - expected).mean() < 0.03
    assert (scores.numpy().argmax(0) == expected.argmax(0)).mean() < 0.9


def test_neighbours_of_like_colour_come_to_agree_and_an_edge_keeps_two_sides_apart() -> None:
    image, _ = scene(41, 2)
    truth = torch.zeros(41, 41)
    truth[:, 20:] = 1
    random = torch.Generator().manual_seed(3)
    noisy = torch.where(torch.rand(41, 41, generator=random) < 0.3, 1 - truth, truth).reshape(-1)
    crf = Crf()
    smooth = crf.infer(crf.kernel(image), torch.stack([1 - noisy, noisy])).argmax(0)
    assert (noisy == truth.reshape(-1)).float().mean() < 0.75
    assert (smooth == truth.reshape(-1)).float().mean() > 0.99


def test_no_probability_is_zero() -> None:
    kept = at_least(torch.tensor([[1.0, 0.5], [0.0, 0.5]]))
    torch.testing.assert_close(kept.sum(0), torch.ones(2))
    assert kept[1, 0] == pytest.approx(1e-4, rel=1e-3)
