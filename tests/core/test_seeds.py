"""Seeds by SEC's rules, and the counts of their cells."""

import numpy as np
import pytest

from benchmark.core.seeds import NOBODY, VOID, background, combined, count, foreground, overlap_parts


def test_the_foreground_exceeds_a_share_of_the_maximum_and_a_map_without_one_has_none() -> None:
    maps = np.array([[[1.0, 0.2], [0.21, -1.0]], [[-1.0, -2.0], [-3.0, 0.0]]], np.float32)
    maps[0, 0, 0] = 1.0
    assert foreground(maps, 0.2).tolist() == [[[True, False], [True, False]], [[False] * 2] * 2]
    assert foreground(10 * maps, 0.2).tolist() == foreground(maps, 0.2).tolist()


def test_the_background_lies_below_the_value_at_its_share() -> None:
    """As in the notebook: ``grad < np.sort(grad.ravel())[int(0.1 * 41 ** 2)]``."""
    saliency = np.random.default_rng(0).permutation(41**2).reshape(41, 41).astype(np.float32)
    assert background(saliency, 0.1).sum() == 168
    assert background(saliency, 0.1)[saliency == 167].all()
    assert not background(np.zeros((41, 41), np.float32), 0.1).any()


def test_the_smallest_of_several_classes_has_a_cell_and_the_background_gives_way() -> None:
    masks = np.zeros((2, 1, 4), np.bool_)
    masks[0, 0, :3] = True
    masks[1, 0, 2:4] = True
    behind = np.array([[True, False, False, False]])
    for order in ([0, 1], [1, 0]):
        seeds = combined(masks[order], np.array([5, 9])[order], behind)
        assert seeds.tolist() == [[5, 5, 9, 9]]
    assert combined(masks[:1], np.array([5]), np.array([[False, False, False, True]])).tolist() == [
        [5, 5, 5, 0]
    ]
    assert combined(masks[1:], np.array([9]), behind).tolist() == [[0, NOBODY, 9, 9]]


def test_counts_are_those_of_a_walk_over_cells() -> None:
    random, classes = np.random.default_rng(1), 3
    seeds = random.choice([0, 1, 2, 3, NOBODY], (2, 5, 4)).astype(np.uint8)
    truth = random.choice([0, 1, 2, 3, VOID], (2, 5, 4)).astype(np.uint8)
    expected = np.zeros((3, 2, classes + 1), int)
    for image in range(2):
        for mark, true in zip(seeds[image].ravel(), truth[image].ravel(), strict=True):
            if true == VOID:
                continue
            expected[2, image, true] += 1
            if mark != NOBODY:
                expected[1, image, mark] += 1
                expected[0, image, mark] += mark == true
    np.testing.assert_array_equal(np.stack(count(seeds, truth, classes)), expected)


def test_overlap_is_torchmetrics_jaccard_index() -> None:
    torch, torchmetrics = pytest.importorskip("torch"), pytest.importorskip("torchmetrics")
    random, classes = np.random.default_rng(2), 6
    labels = random.integers(0, classes, (3, 9, 9)).astype(np.uint8)  # the last class is nowhere
    truth = np.where(
        random.random((3, 9, 9)) < 0.1, VOID, (labels + (random.random((3, 9, 9)) < 0.4)) % classes
    )
    metric = torchmetrics.JaccardIndex("multiclass", num_classes=classes + 1, ignore_index=VOID)
    expected = metric(torch.from_numpy(labels).long(), torch.from_numpy(truth).long()).item()
    hits, unions = (one.sum(axis=0) for one in overlap_parts(count(labels, truth.astype(np.uint8), classes)))
    assert (hits[unions > 0] / unions[unions > 0]).mean() == pytest.approx(expected)
