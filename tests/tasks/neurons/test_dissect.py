"""Thresholds and counts of a dissection against a slower derivation, pixel by pixel."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from benchmark.core.bootstrap import Numbers
from benchmark.core.types import FloatArray
from benchmark.tasks.neurons.dissect import count, enlarged_maps, named, thresholds
from benchmark.tasks.neurons.result import estimates
from benchmark.tasks.neurons.types import UNLABELLED, VOID, Concept, Labels

CONCEPTS = [
    Concept("object", "cat"),
    Concept("object", "dog"),
    Concept("part", "ear"),
    Concept("part", "eye"),
]
SIDE = 9
CLASSES = {"object": (0, 1), "part": (2, 3)}


def maps(images: int = 12, units: int = 6) -> FloatArray:
    return np.random.default_rng(0).standard_normal((images, units, 4, 5)).astype(np.float32)


def masks(images: int = 12) -> list[dict[str, list[Labels]]]:
    """Objects in most images, with void pixels; parts in a few, in two layers that overlap."""
    random, made = np.random.default_rng(1), []
    for image in range(images):
        own = {}
        if image != 3:
            own["object"] = [random.choice([UNLABELLED, VOID, 0, 1], (SIDE, SIDE)).astype(np.int32)]
        if image % 4 == 0:
            own["part"] = [random.choice([UNLABELLED, 2, 3], (SIDE, SIDE)).astype(np.int32) for _ in range(2)]
        made.append(own)
    return made


def by_pixel(activations: FloatArray, limits: FloatArray, labels: list[dict[str, list[Labels]]]) -> Numbers:
    """Each IoU of unit and concept as the paper writes it, with sets of pixels."""
    full = interpolate(torch.from_numpy(activations), (SIDE, SIDE), mode="bilinear").numpy()
    found = np.zeros((activations.shape[1], len(CONCEPTS)))
    for unit in range(activations.shape[1]):
        for place, concept in enumerate(CONCEPTS):
            both = either = 0
            for image, own in enumerate(labels):
                layers = own.get(concept.category, [])
                for y, x in np.ndindex(SIDE, SIDE):
                    here = {int(layer[y, x]) for layer in layers}
                    if not layers or here == {VOID}:
                        continue
                    on, true = full[image, unit, y, x] > limits[unit], place in here
                    both += on and true
                    either += on or true
            found[unit, place] = both / either if either else 0
    return found


def test_a_threshold_is_the_least_value_that_few_enough_cells_exceed() -> None:
    activations = maps(10, 3)  # 200 cells a unit, of which 0.5 % is exactly one
    limits = thresholds(activations, 0.995)
    for unit, limit in enumerate(limits):
        cells = activations[:, unit].reshape(-1)
        assert (cells > limit).sum() == 1
        assert limit in cells
    assert (thresholds(np.zeros((2, 3, 4, 4), np.float32), 0.995) == 0).all()


@pytest.mark.parametrize(("height", "width"), [(9, 9), (112, 90), (3, 2)])
def test_maps_are_enlarged_as_torch_does_with_cells_as_areas(height: int, width: int) -> None:
    activations = maps()
    expected = interpolate(torch.from_numpy(activations[0])[None], (height, width), mode="bilinear")[0]
    np.testing.assert_allclose(enlarged_maps(activations[0], height, width), expected, atol=1e-5)


def test_counts_give_the_paper_s_iou_of_every_unit_and_concept() -> None:
    activations, labels = maps(), masks()
    limits = thresholds(activations, 0.9)
    counts = count(activations, limits, labels, CONCEPTS, SIDE)
    expected = by_pixel(activations, limits, labels)
    np.testing.assert_allclose(counts.ious(), expected, atol=1e-12)
    assert (expected > 0).sum() > 12

    names = named(counts, limits, {"model": "net"})
    assert names.units == 6
    for row in range(len(names.unit)):
        place = CONCEPTS.index(Concept(names.category[row], names.concept[row]))
        assert names.iou[row] == pytest.approx(expected[names.unit[row], place])
        assert names.thresholds()[int(names.unit[row])] == limits[names.unit[row]]


def test_images_drawn_several_times_count_as_often() -> None:
    activations, labels = maps(), masks()
    limits = thresholds(activations, 0.9)
    drawn = [0, 0, 4, 7, 7, 7, 8]
    again = count(activations[drawn], limits, [labels[image] for image in drawn], CONCEPTS, SIDE)
    weights = np.bincount(drawn, minlength=len(labels)).astype(np.float64)
    np.testing.assert_allclose(
        count(activations, limits, labels, CONCEPTS, SIDE).ious(weights), again.ious(), atol=1e-12
    )


def test_the_numbers_of_a_row_are_shares_of_units_and_of_the_concepts_that_are_there() -> None:
    activations, labels = maps(), masks()
    for own in labels:
        own.pop("part", None)
    counts = count(activations, thresholds(activations, 0.9), labels, CONCEPTS, SIDE)
    best = counts.ious().max(1)
    least = float(np.sort(best)[2])
    found = estimates(counts, least, 50, 0)
    assert found["named_units"].value == 3 / 6
    assert found["best_iou"].value == pytest.approx(best.mean())
    taken = {int(counts.ious()[unit].argmax()) for unit in np.flatnonzero(best > least)}
    assert found["named_concepts"].value == len(taken) / 2
    assert all(one.low <= one.high and one.n == 12 for one in found.values())


def test_an_interval_over_images_does_not_choose_the_concept_anew() -> None:
    """Where units follow no concept, the best of 12 is best by chance; the interval holds the estimate."""
    rng = np.random.default_rng(0)
    concepts = [Concept("object", str(number)) for number in range(12)]
    activations = rng.random((40, 30, 4, 4)).astype(np.float32)
    labels = [{"object": [rng.integers(0, 12, (16, 16)).astype(np.int32)]} for _ in range(40)]
    counts = count(activations, thresholds(activations, 0.9), labels, concepts, 16)
    found = estimates(counts, 0.05, 200, 0)["best_iou"]
    assert found.low < found.value < found.high
