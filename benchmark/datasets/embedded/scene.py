"""One image: a background, one to four objects of its class, distractors of others, and the exact boxes.

Every choice is drawn from a random generator of the image's own, seeded by split and number, so that an image
does not depend on how many images are made or in which order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, cos, exp, log, radians, sin, sqrt

import numpy as np
import numpy.typing as npt

from benchmark.core.types import Box, ImageArray
from benchmark.datasets.embedded.classes import KINDS
from benchmark.datasets.embedded.draw import BACKGROUNDS, Plane, draw

_SIDE = (96, 208)  # range of an image's sides, pixels
_AREA = (0.05, 0.9)  # range of the largest object's box, as a share of the image
_SEVERAL = 0.25  # share of the images with more than one object of the class
_DISTRACTED = 0.4  # share of the images with smaller objects of other classes
_AT_HOME = 0.4  # share of the images with the background that the class's body prefers
_CROWD = 0.3  # largest share of the image for the largest object, if there are others
_FINE = 2  # samples along a pixel's side
_NOISE = (4, 14)  # range of the noise's amplitude, of 255
_SLOPE = 0.25  # largest change of an object's brightness from its middle to its corner, as a share
_TRIES = 30  # attempts to place one more object where there is none

Canvas = npt.NDArray[np.float64]


def _cells(low: float, high: float, count: int) -> Plane:
    """Return the centres of ``count`` equal cells of an interval."""
    return np.asarray(low + (np.arange(count) + 0.5) * ((high - low) / count), np.float64)


_AROUND = _cells(-1.2, 1.2, 96)
"""Coordinates of a grid that spans every object, however it is rotated."""


@dataclass(frozen=True)
class Picture:
    """An image with its label and boxes.

    Attributes:
        pixels: ``[H, W, 3]`` uint8.
        label: Index into the classes.
        boxes: Tight half-open boxes of the objects of that class; no object hides another.
        classes: ``[H, W]`` uint8: label + 1 where a pixel is mostly object, distractors included, else 0.
        parts: ``[H, W]`` uint8: 1 body, 2 the body's second colour, 3 head, 0 where ``classes`` is 0.
    """

    pixels: ImageArray
    label: int
    boxes: tuple[Box, ...]
    classes: ImageArray
    parts: ImageArray


def picture(split: int, number: int) -> Picture:
    """Draw the image of a number from 0 in a split; consecutive numbers go through the classes."""
    dice = _Dice(split, number)
    label = number % len(KINDS)
    height, width = round(dice.between(*_SIDE)), round(dice.between(*_SIDE))
    canvas = _background(dice, label, height, width)
    classes, parts = np.zeros((2, height, width), np.uint8)
    taken: list[Box] = []
    boxes = []
    for of, share in _cast(dice, label):
        where = _room(dice, height, width, share, taken)
        if where is None:
            continue
        part = np.s_[where.y0 : where.y1, where.x0 : where.x1]
        parts[part] = _paint(dice, canvas[part], of)
        classes[part][parts[part] > 0] = of + 1
        taken.append(_tight(parts[part], where))
        if of == label:
            boxes.append(taken[-1])
    noise = dice.between(*_NOISE) * (dice.many(height, width, 3) * 2 - 1)
    pixels = np.clip(np.rint(canvas + noise), 0, 255).astype(np.uint8)
    return Picture(pixels, label, tuple(boxes), classes, parts)


class _Dice:
    """Random choices, all made from uniform numbers, the one distribution of numpy's that stays the same."""

    def __init__(self, *seed: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(list(seed)))

    def many(self, *shape: int) -> Canvas:
        """Draw numbers uniformly from [0, 1)."""
        return self._generator.random(shape)

    def between(self, low: float, high: float) -> float:
        """Draw a number uniformly from [low, high)."""
        return low + (high - low) * float(self._generator.random())

    def chance(self, probability: float) -> bool:
        """Draw true with this probability."""
        return self.between(0, 1) < probability

    def below(self, count: int) -> int:
        """Draw one of 0 … count - 1."""
        return int(self.between(0, count))


def _cast(dice: _Dice, label: int) -> Iterator[tuple[int, float]]:
    """Yield the classes of the objects, largest first, with the share of the image that each takes."""
    several, distracted = dice.chance(_SEVERAL), dice.chance(_DISTRACTED)
    largest = exp(dice.between(*map(log, _AREA)))
    if several or distracted:
        largest = min(largest, dice.between(_CROWD / 2, _CROWD))
    yield label, largest
    if several:
        for _ in range(1 + dice.below(3)):
            yield label, largest * dice.between(0.4, 0.9)
    if distracted:
        for _ in range(1 + dice.below(2)):
            yield (label + 1 + dice.below(len(KINDS) - 1)) % len(KINDS), largest * dice.between(0.2, 0.6)


def _background(dice: _Dice, label: int, height: int, width: int) -> Canvas:
    """Draw a background ``[H, W, 3]`` in about 0…255: two colours in a pattern, and a brightness gradient."""
    kind = KINDS[label].body if dice.chance(_AT_HOME) else dice.below(len(BACKGROUNDS))
    y, x = np.mgrid[:height, :width] / max(height, width)
    pattern = BACKGROUNDS[kind](x, y, dice.many(3))[..., None]
    slope = (dice.between(-1, 1) * x + dice.between(-1, 1) * y)[..., None]
    middle = 60 + 130 * dice.many(3)
    return np.asarray(middle + dice.between(8, 26) * pattern + 40 * slope * dice.many(3))


def _room(dice: _Dice, height: int, width: int, share: float, taken: list[Box]) -> Box | None:
    """Return a place for an object where there is none yet, or ``None`` without room for it."""
    # A large object takes the image's aspect ratio, or it would not fit; a small one has its own.
    own = dice.between(0.6, 1.2)
    aspect = own ** (1 - share) * (width / height) ** share
    wide = min(ceil(sqrt(share * width * height * aspect)), width)
    tall = min(ceil(share * width * height / wide), height)
    for _ in range(_TRIES):
        x0, y0 = dice.below(width - wide + 1), dice.below(height - tall + 1)
        where = Box(x0, y0, x0 + wide, y0 + tall)
        if not any(_touch(where, other) for other in taken):
            return where
    return None


def _tight(parts: ImageArray, where: Box) -> Box:
    """Return the tight box of an object whose pixels are not 0 in the place given to it."""
    rows, columns = np.flatnonzero(parts.any(1)), np.flatnonzero(parts.any(0))
    return Box(
        *(where.x0 + int(columns[0]), where.y0 + int(rows[0])),
        *(where.x0 + int(columns[-1]) + 1, where.y0 + int(rows[-1]) + 1),
    )


def _touch(a: Box, b: Box) -> bool:
    return a.x0 <= b.x1 and b.x0 <= a.x1 and a.y0 <= b.y1 and b.y0 <= a.y1


def _paint(dice: _Dice, part: Canvas, label: int) -> ImageArray:
    """Paint an object so that it fills ``part``, in place; return the part that each pixel mostly is.

    A pixel that is mostly object (more than half) is 1 body, 2 the body's second colour or 3 head, whichever
    covers most of it; every other is 0.
    """
    tall, wide = part.shape[:2]
    turn, mirror, waves = radians(dice.between(-25, 25)), dice.chance(0.5), dice.between(2.2, 3.4)
    first, second, head = _colours(dice)
    # The object's extent is found on a coarse grid, then stretched over the part.
    coarse, _, _ = draw(KINDS[label], *_turned(_AROUND, _AROUND, turn, mirror), waves)
    left, right = _AROUND[coarse.any(0)][[0, -1]]
    top, bottom = _AROUND[coarse.any(1)][[0, -1]]
    across, down = _cells(left, right, wide * _FINE), _cells(top, bottom, tall * _FINE)
    masks = draw(KINDS[label], *_turned(across, down, turn, mirror), waves)
    whole, stripes, crown = (_coverage(mask, tall, wide)[..., None] for mask in masks)
    slope = _cells(-1, 1, tall)[:, None, None] + _cells(-1, 1, wide)[:, None]
    light = 1 + _SLOPE * slope * dice.between(-1, 1)
    colour = (whole - stripes - crown) * first + stripes * second + crown * head
    part *= 1 - whole
    part += colour * light
    most = np.argmax([(whole - stripes - crown)[..., 0], stripes[..., 0], crown[..., 0]], axis=0)
    return np.where(whole[..., 0] > 0.5, most + 1, 0).astype(np.uint8)


def _colours(dice: _Dice) -> tuple[Canvas, Canvas, Canvas]:
    """Draw two colours of the texture, which differ in brightness, and one of the head, of any hue."""
    first = 40 + 90 * dice.many(3)
    second = first + dice.between(50, 110)
    swap = dice.chance(0.5)
    return (second, first, 30 + 200 * dice.many(3)) if swap else (first, second, 30 + 200 * dice.many(3))


def _turned(across: Plane, down: Plane, turn: float, mirror: bool) -> tuple[Plane, Plane]:
    """Return the coordinates of a grid in the frame of an object that is rotated and perhaps mirrored."""
    u = cos(turn) * across[None, :] + sin(turn) * down[:, None]
    v = cos(turn) * down[:, None] - sin(turn) * across[None, :]
    return (-u if mirror else u), v


def _coverage(mask: npt.NDArray[np.bool_], tall: int, wide: int) -> Canvas:
    """Return the share of each pixel's samples that lie in the mask."""
    return np.asarray(mask.reshape(tall, _FINE, wide, _FINE).mean((1, 3)), np.float64)
