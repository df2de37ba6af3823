"""From columns of pairs to statistics of images: the arithmetic that the pair metrics share."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from benchmark.core.bootstrap import Numbers
from benchmark.core.errors import UserError
from benchmark.core.paired import Statistic, first
from benchmark.core.types import BoolArray
from benchmark.tasks.pairs.types import Column, Pairs, ratios

Owner = npt.NDArray[np.intp]


def column(pairs: Pairs, name: str, reading: str, option: str = "") -> Column:
    """Return a column ``[n, …]`` that a reading makes.

    Args:
        pairs: Stored pairs.
        name: Name of the column.
        reading: Key of the reading that makes it, in ``conf/reading``.
        option: Option of the reading, as typed, if the column depends on one.

    Raises:
        UserError: If it was not stored, with the name of the reading.
    """
    if name not in pairs.columns:
        typed = f"reading=[{reading}] {option}".strip()
        raise UserError(f"the pairs have no column {name}; run with {typed}, which makes it")
    return pairs.columns[name]


def owners(pairs: Pairs) -> tuple[tuple[str, ...], Owner]:
    """Return the images in stored order, and for each pair the position of its image among them, ``[n]``."""
    places = {image: place for place, image in enumerate(dict.fromkeys(pairs.image_ids))}
    return tuple(places), np.array([places[image] for image in pairs.image_ids], np.intp)


def image_sums(pairs: Pairs, values: Column, chosen: BoolArray) -> tuple[tuple[str, ...], Numbers]:
    """Sum the chosen pairs' values over each image.

    Args:
        pairs: Stored pairs.
        values: ``[n, t]``, t values a pair.
        chosen: ``[n]``, the pairs that count.

    Returns:
        The images with a chosen pair, in stored order, and their sums ``[images, t]``.
    """
    images, owner = owners(pairs)
    there = np.bincount(owner[chosen], minlength=len(images)) > 0
    sums = np.zeros((len(images), values.shape[1]))
    np.add.at(sums, owner[chosen], values[chosen])
    return tuple(image for image, kept in zip(images, there, strict=True) if kept), sums[there]


def image_mean(pairs: Pairs, values: Column, chosen: BoolArray, fraction: bool = False) -> Statistic:
    """Take the mean over the chosen pairs of an image, then over the images that have one.

    Args:
        pairs: Stored pairs.
        values: ``[n]``, one value a pair.
        chosen: ``[n]``, the pairs that count.
        fraction: Whether the values are 0 and 1.
    """
    counted = np.stack([values, np.ones(len(pairs))], axis=1)
    images, sums = image_sums(pairs, counted, chosen)
    return Statistic(images, sums[:, :1] / sums[:, 1:], first, fraction)


def pair_share(pairs: Pairs, hits: Column, chosen: BoolArray) -> Statistic:
    """Take the share of hits ``[n]`` among the chosen pairs, all of which weigh the same."""
    counted = np.stack([hits, np.ones(len(pairs))], axis=1)
    return Statistic(*image_sums(pairs, counted, chosen), ratios, fraction=True)


def class_mean(pairs: Pairs, hits: Column, chosen: BoolArray, fraction: bool = True) -> Statistic:
    """Take the mean over classes of the hits' mean over the chosen pairs of a class.

    Args:
        pairs: Stored pairs.
        hits: ``[n]``, one value a pair.
        chosen: ``[n]``, the pairs that count.
        fraction: Whether the hits are 0 and 1.
    """
    labels, place = np.unique(pairs.columns["label"][chosen], return_inverse=True)
    rows, count = np.flatnonzero(chosen), len(labels)
    values = np.zeros((len(pairs), 2 * count))
    values[rows, place] = hits[chosen]
    values[rows, count + place] = 1
    return Statistic(*image_sums(pairs, values, chosen), ratios, fraction)


def clustered(statistic: Statistic, pairs: Pairs) -> Statistic:
    """Draw images with all their questions where a statistic has a row for each question.

    Questions about one image are no independent trials. The number itself stays: it is a function of the
    questions' means, which are sums over counts.

    Args:
        statistic: Of questions, or of images already.
        pairs: What it was made of; their column ``image`` says of which image a question is.
    """
    if "image" not in pairs.columns:
        return statistic
    images = dict(zip(pairs.image_ids, pairs.columns["image"].tolist(), strict=True))
    own = [images.get(each, each) for each in statistic.image_ids]
    places = {image: place for place, image in enumerate(dict.fromkeys(own))}
    if len(places) == len(own):
        return statistic
    wide = statistic.values.shape[1]
    sums = np.zeros((len(places), wide + 1))
    counted = np.concatenate([statistic.values, np.ones((len(own), 1))], axis=1)
    np.add.at(sums, [places[image] for image in own], counted)

    def reduce(means: Numbers) -> Numbers:
        return statistic.reduce(means[:, :wide] / means[:, wide:])

    return Statistic(tuple(places), sums, reduce, statistic.fraction)


def answered(statistics: Mapping[str, Statistic]) -> dict[str, Statistic]:
    """Leave out the statistics that no image could answer."""
    return {name: statistic for name, statistic in statistics.items() if statistic.image_ids}
