"""GrabCut on an image, or on a smaller copy of it."""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from benchmark.core.types import BoolArray, Box, ImageArray, View

Trimap = npt.NDArray[np.uint8]
"""An ``[h, w]`` array of OpenCV's ``GC_BGD``, ``GC_FGD``, ``GC_PR_BGD`` and ``GC_PR_FGD``."""
_UNUSED = (0, 0, 0, 0)  # the box from which GrabCut could start instead of seeds


def segment(image: ImageArray, seeds: Trimap, iterations: int) -> BoolArray:
    """Run OpenCV's GrabCut from seeds, and return the sure and probable foreground ``[h, w]``.

    GrabCut draws random numbers (k-means). OpenCV's generator belongs to the thread and is seeded before
    every call, so the result depends neither on the order of the images nor on the number of threads.

    Args:
        image: ``[H, W, 3]``, reduced to the seeds' size by area averaging if it differs.
        seeds: ``[h, w]``, with both foreground and background in it, sure or probable; left as they are.
        iterations: Iterations of GrabCut, at least 1.
    """
    height, width = seeds.shape
    if seeds.shape != image.shape[:2]:
        resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        image = np.asarray(resized, np.uint8)
    found = seeds.copy()
    colours = np.zeros((2, 1, 65))  # the two colour models, for OpenCV to fill
    cv2.setRNGSeed(0)
    cv2.grabCut(image, found, _UNUSED, colours[0], colours[1], iterations, cv2.GC_INIT_WITH_MASK)
    return np.isin(found, [cv2.GC_FGD, cv2.GC_PR_FGD])


def shrunk(view: View, max_side: int | None) -> View:
    """Return the view of a copy whose longer side is ``max_side``; the view itself if it is small enough."""
    longer = max(view.width, view.height)
    if max_side is None or longer <= max_side:
        return view
    factor = max_side / longer
    width, height = max(round(view.width * factor), 1), max(round(view.height * factor), 1)
    small = View(width, height, Box(0, 0, width, height))
    return replace(small, region=rescaled(view.region, view, small))


def rescaled(box: Box, of: View, to: View) -> Box:
    """Scale a box from one size of an image to another, rounded outward and cut to the other's region."""
    x0, x1 = box.x0 * to.width // of.width, -(-box.x1 * to.width // of.width)
    y0, y1 = box.y0 * to.height // of.height, -(-box.y1 * to.height // of.height)
    seen = to.region
    return Box(max(x0, seen.x0), max(y0, seen.y0), min(x1, seen.x1), min(y1, seen.y1))
