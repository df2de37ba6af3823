"""Objects and backgrounds as functions of a pixel's position: from ``[h, w]`` coordinates to masks."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from benchmark.datasets.embedded.classes import BODIES, HEADS, TEXTURES, Kind

Plane = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def _disc(u: Plane, v: Plane) -> Mask:
    return u**2 + v**2 < 1


def _box(u: Plane, v: Plane) -> Mask:
    return np.asarray(np.maximum(np.abs(u), np.abs(v)) < 0.86, np.bool_)


def _wedge(u: Plane, v: Plane) -> Mask:
    return (v < 0.8) & (v > 2 * np.abs(u) - 1)


def _cross(u: Plane, v: Plane) -> Mask:
    far, near = np.maximum(np.abs(u), np.abs(v)), np.minimum(np.abs(u), np.abs(v))
    return (far < 1) & (near < 0.4)


def _star(u: Plane, v: Plane) -> Mask:
    angle = np.arctan2(u, v)
    return np.asarray(np.hypot(u, v) < 0.68 + 0.36 * np.cos(5 * angle), np.bool_)


def _ring(u: Plane, v: Plane) -> Mask:
    radius = np.hypot(u, v)
    return (radius < 1) & (radius > 0.5)


def _stripes(u: Plane, v: Plane, waves: float) -> Mask:
    return np.sin(waves * np.pi * (u + 0.3 * v)) > 0


def _dots(u: Plane, v: Plane, waves: float) -> Mask:
    a, b = (waves * x / 1.6 % 1 - 0.5 for x in (u, v))
    return a**2 + b**2 < 0.09


def _checks(u: Plane, v: Plane, waves: float) -> Mask:
    return np.sin(waves * 2.2 * u) * np.sin(waves * 2.2 * v) > 0


def _rings(u: Plane, v: Plane, waves: float) -> Mask:
    return np.sin(waves * np.pi * np.hypot(u, v)) > 0


def _horn(u: Plane, v: Plane) -> Mask:
    return (v < 1) & (v > 4 * np.abs(u) - 1)


def _ears(u: Plane, v: Plane) -> Mask:
    return (np.abs(u) - 0.75) ** 2 + (v - 0.3) ** 2 < 0.3


_BODY: dict[str, Callable[[Plane, Plane], Mask]] = dict(
    zip(BODIES, (_disc, _box, _wedge, _cross, _star, _ring), strict=True)
)
_TEXTURE: dict[str, Callable[[Plane, Plane, float], Mask]] = dict(
    zip(TEXTURES, (_stripes, _dots, _checks, _rings), strict=True)
)
_HEAD: dict[str, Callable[[Plane, Plane], Mask]] = dict(zip(HEADS, (_disc, _box, _horn, _ears), strict=True))


def draw(kind: Kind, u: Plane, v: Plane, waves: float) -> tuple[Mask, Mask, Mask]:
    """Draw an upright object that fits the unit disc.

    Args:
        kind: The object's class.
        u: ``[h, w]`` coordinate to the right, in units of the disc's radius.
        v: ``[h, w]`` coordinate downwards, likewise.
        waves: Fineness of the texture, about its number of periods over the body.

    Returns:
        Three ``[h, w]`` masks: the object, the pixels of its body in the second colour, and its head.
    """
    a, b = u / 0.68, (v - 0.3) / 0.68
    body = _BODY[BODIES[kind.body]](a, b)
    second = body & _TEXTURE[TEXTURES[kind.texture]](a, b, waves)
    head = _HEAD[HEADS[kind.head]](u / 0.3, (v + 0.66) / 0.3) & ~body
    return body | head, second, head


def _hills(x: Plane, y: Plane, turn: Plane) -> Plane:
    slopes = zip((x * 3, y * 4, (x + y) * 3), turn, strict=True)
    return np.asarray(np.sum([np.sin(slope + 6 * angle) for slope, angle in slopes], axis=0))


def _planks(x: Plane, y: Plane, turn: Plane) -> Plane:
    return np.asarray(
        2.4 * np.abs((y * (4 + 3 * turn[0]) + turn[1]) % 1 - 0.5) + 0.3 * np.sin(30 * x + 9 * turn[2])
    )


def _bricks(x: Plane, y: Plane, turn: Plane) -> Plane:
    row = np.floor(y * (5 + 3 * turn[0]))
    across = (x * (3 + 2 * turn[1]) + 0.5 * (row % 2)) % 1
    down = y * (5 + 3 * turn[0]) % 1
    return np.where((across < 0.08) | (down < 0.14), -1.5, 0.8 * np.sin(7.3 * row + 3 * turn[2]))


def _waves(x: Plane, y: Plane, turn: Plane) -> Plane:
    return np.asarray(1.5 * np.sin(14 * (y + 0.12 * np.sin(6 * x + 6 * turn[0])) + 6 * turn[1]))


def _net(x: Plane, y: Plane, turn: Plane) -> Plane:
    a, b = x + 0.6 * y, y - 0.6 * x
    lines = np.minimum(np.abs((a * 6 + turn[0]) % 1 - 0.5), np.abs((b * 6 + turn[1]) % 1 - 0.5))
    return np.where(lines < 0.1, 1.5, -0.5)


def _spots(x: Plane, y: Plane, turn: Plane) -> Plane:
    field = np.sin(11 * x + 6 * turn[0]) * np.sin(9 * y + 6 * turn[1]) + 0.5 * np.sin(
        17 * x * y + 6 * turn[2]
    )
    return np.where(field > 0.35, 1.4, -0.4)


BACKGROUNDS = (_hills, _planks, _bricks, _waves, _net, _spots)
"""Functions ``(x, y, three random numbers) → [h, w]`` brightness in about -2…2; each body prefers one."""
