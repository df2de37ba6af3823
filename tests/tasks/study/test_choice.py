"""Which images a study asks about."""

import numpy as np

from benchmark.tasks.pairs.types import Pairs
from benchmark.tasks.study.choice import both_right, of_two_classes


def pairs(ranks: list[int], difficult: int | None = None) -> Pairs:
    """Images a to d with two classes each, but c with one and d with three."""
    images = [*"aabbcddd"]
    columns = {
        "label": np.array([0, 3, 1, 2, 0, 0, 1, 2], np.int32),
        "labelled": np.ones(8, np.bool_),
        "difficult": np.arange(8) == (-1 if difficult is None else difficult),
        "classes": np.array([images.count(image) for image in images], np.int32),
        "rank": np.array(ranks, np.int32),
    }
    return Pairs(tuple(images), columns, 4)


def test_both_classes_of_images_of_exactly_two_are_asked_about_in_every_row() -> None:
    rows = {"x": pairs([0] * 8), "y": pairs([5] * 8)}
    asked = of_two_classes(rows, ["x", "y"], 90, seed=0)
    assert sorted(asked.keys) == [("a", 0), ("a", 3), ("b", 1), ("b", 2)]
    assert len(of_two_classes(rows, ["x", "y"], 3, seed=0).keys) == 2
    assert of_two_classes({"x": pairs([0] * 8, difficult=1)}, ["x"], 90, seed=0).candidates == 2


def test_an_image_is_asked_about_where_both_networks_rank_its_class_first() -> None:
    rows = {"x": pairs([0, 4, 0, 1, 2, 0, 1, 2]), "y": pairs([0, 9, 1, 0, 0, 0, 2, 1])}
    asked = both_right(rows, [("x", "y")], 90, seed=0)
    assert sorted(asked.keys) == [("a", 0), ("d", 0)]
    assert asked.candidates == 2
