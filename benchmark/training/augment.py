"""One image as a net sees it in training: a part of it, warped to the square, perhaps mirrored and tinted.

At ``crop=[1, 1]``, ``ratio=1``, without flip and colour it is the whole image warped, as it is validated up
to the interpolation. So what is drawn are changes of the benchmark's own geometry (Szegedy et al. 2015, §6,
drew areas and aspect ratios of square parts).
"""

import cv2
import numpy as np

from benchmark.core.types import FloatArray, ImageArray
from benchmark.training.options import Augmentation

_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # luma of Rec. 601


def augmented(image: ImageArray, size: int, options: Augmentation, random: np.random.Generator) -> FloatArray:
    """Return a random version of an RGB image ``[H, W, 3]`` uint8, ``[size, size, 3]`` float32 in 0…255.

    Always as many random numbers are drawn, so that one option does not shift another's.
    """
    area, ratio, left, top, mirrored, *tints = random.random(8).tolist()
    x0, y0, x1, y1 = _part(image, options, (area, ratio), (left, top))
    part = image[y0:y1, x0:x1]
    shrinks = part.shape[0] > size and part.shape[1] > size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    pixels: FloatArray = cv2.resize(part, (size, size), interpolation=interpolation).astype(np.float32)
    if options.flip and mirrored < 0.5:
        pixels = pixels[:, ::-1]
    return _tinted(pixels, options.colour, tints) if options.colour else pixels


def _part(
    image: ImageArray, options: Augmentation, shape: tuple[float, float], place: tuple[float, float]
) -> tuple[int, int, int, int]:
    """Return the corners of the visible part, from four numbers in [0, 1)."""
    least, greatest = options.crop
    area = least + (greatest - least) * shape[0]
    ratio = options.ratio ** (2 * shape[1] - 1)
    height, width = image.shape[:2]
    wide = max(1, round(width * min(1.0, (area * ratio) ** 0.5)))
    high = max(1, round(height * min(1.0, (area / ratio) ** 0.5)))
    x0, y0 = int(place[0] * (width - wide + 1)), int(place[1] * (height - high + 1))
    return x0, y0, x0 + wide, y0 + high


def _tinted(pixels: FloatArray, colour: float, drawn: list[float]) -> FloatArray:
    """Change brightness, contrast and saturation, each by a factor of ``1 ± colour``."""
    brightness, contrast, saturation = (np.float32(1 + colour * (2 * number - 1)) for number in drawn)
    pixels = pixels * brightness
    mean = (pixels @ _GREY).mean()
    pixels = (pixels - mean) * contrast + mean
    grey = (pixels @ _GREY)[..., None]
    tinted: FloatArray = np.clip((pixels - grey) * saturation + grey, 0, 255).astype(np.float32)
    return tinted
