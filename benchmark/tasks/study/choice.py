"""Choose what a study asks, from stored pairs: by place and seed, never by what a map looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmark.tasks.pairs.types import Pairs

Key = tuple[str, int]
"""An image and a class, an index into the dataset's."""


class PackPairs(NamedTuple):
    """The pairs of a pack.

    Attributes:
        rows: The rows of each visualization: one a visualization, or the first and the second network's.
        keys: Image and class of each question, in the order of the choice.
        candidates: Number that could have been chosen.
    """

    rows: Sequence[tuple[str, ...]]
    keys: Sequence[Key]
    candidates: int


def of_two_classes(pairs: Mapping[str, Pairs], rows: Sequence[str], count: int, seed: int) -> PackPairs:
    """Choose images that hold exactly two classes, neither of them difficult throughout, and ask about both.

    Args:
        pairs: Pairs of each row.
        rows: Rows that show the visualizations.
        count: Pairs of image and class wanted; two an image.
        seed: Of the order.
    """
    there = _common([_keys(pairs[row], _whole(pairs[row])) for row in rows])
    classes: dict[str, list[int]] = {}
    for image, label in there:
        classes.setdefault(image, []).append(label)
    images = [image for image, labels in classes.items() if len(labels) == 2]
    chosen = [images[place] for place in _order(len(images), seed)][: count // 2]
    keys = [(image, label) for image in chosen for label in sorted(classes[image])]
    return PackPairs([(row,) for row in rows], keys, 2 * len(images))


def both_right(
    pairs: Mapping[str, Pairs], rows: Sequence[tuple[str, ...]], count: int, seed: int
) -> PackPairs:
    """Choose images of which two networks rank the same class first, and the image holds it.

    Args:
        pairs: Pairs of each row.
        rows: Of each visualization the first network's row and the second's.
        count: Images wanted.
        seed: Of the order.
    """
    every = [pairs[row] for both in rows for row in both]
    found = _common([_keys(one, one.columns["labelled"] & (one.columns["rank"] == 0)) for one in every])
    keys = [found[place] for place in _order(len(found), seed)]
    return PackPairs(rows, keys[:count], len(found))


def _whole(pairs: Pairs) -> np.ndarray:
    columns = pairs.columns
    return np.asarray(columns["labelled"] & ~columns["difficult"] & (columns["classes"] == 2))


def _keys(pairs: Pairs, chosen: np.ndarray) -> list[Key]:
    labels = pairs.columns["label"].tolist()
    return [(pairs.image_ids[place], labels[place]) for place in np.flatnonzero(chosen)]


def _common(lists: Sequence[list[Key]]) -> list[Key]:
    """Return what stands in every list, sorted."""
    return sorted(set.intersection(*map(set, lists))) if lists else []


def _order(count: int, seed: int) -> list[int]:
    return list(np.random.Generator(np.random.PCG64(seed)).permutation(count))
