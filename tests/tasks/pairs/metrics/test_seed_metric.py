"""The metric of segmentation seeds, on pairs that are made so that the answer is known."""

import numpy as np
import pytest
from helpers.handmade_pairs import many, number, pairs

from benchmark.tasks.pairs.metrics.seeds import Seeds
from benchmark.tasks.pairs.types import Answers, Pairs

PLAIN = Seeds("seeds", 1, crf=False)


def scene(maps: list[np.ndarray], labels: list[int], truth: np.ndarray, images: str = "a") -> Pairs:
    ramp = np.arange(41 * 41, dtype=np.float32).reshape(41, 41)
    n = len(maps)
    pixels = np.repeat(np.where(truth > 0, 200, 40).astype(np.uint8)[..., None], 3, axis=-1)
    return pairs(
        images * n,
        label=labels,
        seed_map=np.stack(maps),
        saliency=np.stack([ramp] * n),
        seed_truth=np.stack([truth] * n),
        seed_image=np.stack([pixels] * n),
    )


def found(given: Pairs, metric: Seeds = PLAIN) -> dict[str, float]:
    return {name: number(one) for name, one in metric(Answers(given)).items()}


def halves() -> tuple[np.ndarray, np.ndarray]:
    """Truth of class 3 in the lower half, and a map that covers the lower three quarters."""
    truth, cells = np.zeros((41, 41), np.uint8), np.zeros((41, 41), np.float32)
    truth[20:], cells[10:] = 3, 1.0
    return truth, cells


def test_precision_recall_and_overlap_of_one_class_are_as_counted_by_hand() -> None:
    truth, cells = halves()
    numbers = found(scene([cells], [2], truth))
    assert numbers["seed_precision"] == pytest.approx(21 / 31)
    assert numbers["seed_recall"] == 1
    assert numbers["background_precision"] == 1
    assert numbers["background_recall"] == pytest.approx(168 / (20 * 41))
    assert numbers["seed_miou"] == pytest.approx((21 / 31 + 10 / 20) / 2)


def test_a_higher_share_is_asked_of_the_stored_maps() -> None:
    truth, cells = halves()
    cells[10:20] = 0.3
    assert found(scene([cells], [2], truth))["seed_precision"] == pytest.approx(21 / 31)
    assert found(scene([cells], [2], truth), Seeds("seeds", 1, share=0.4, crf=False))["seed_precision"] == 1


def test_the_crf_moves_an_edge_to_where_the_image_has_it() -> None:
    truth, cells = halves()
    cells[10:20], cells[:10] = 0.25, 0.0
    numbers = found(scene([cells], [2], truth), Seeds("seeds", 1))
    assert numbers["seed_miou_crf"] > 0.98 > 0.8 > numbers["seed_miou"]


def test_classes_that_an_image_does_not_hold_do_not_count() -> None:
    truth, cells = halves()
    given = scene([cells, cells], [2, 7], truth)
    given.columns["labelled"][1] = False
    assert found(given) == found(scene([cells], [2], truth))


def test_cells_are_pooled_for_each_class_before_classes_are_averaged() -> None:
    given = many(seed=5, images=6)
    sums: dict[int, list[int]] = {}
    for image in dict.fromkeys(given.image_ids):
        rows = [
            row
            for row, name in enumerate(given.image_ids)
            if name == image and given.columns["labelled"][row]
        ]
        if not rows:
            continue
        truth = given.columns["seed_truth"][rows[0]]
        masks = {
            int(given.columns["label"][row]) + 1: given.columns["seed_map"][row]
            > 0.2 * given.columns["seed_map"][row].max()
            for row in rows
        }
        taken = np.zeros((41, 41), np.bool_)
        for label in sorted(masks, key=lambda one: masks[one].sum()):
            own = masks[label] & ~taken & (truth != 255)
            taken |= masks[label]
            right, marked = sums.setdefault(label, [0, 0])
            sums[label] = [right + int((own & (truth == label)).sum()), marked + int(own.sum())]
    expected = np.mean([right / marked for right, marked in sums.values()])
    assert found(given)["seed_precision"] == pytest.approx(expected)
