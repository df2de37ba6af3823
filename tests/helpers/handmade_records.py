"""Records of a few images, drawn by hand, for the tests of what one convention is worth."""

from collections.abc import Sequence

import numpy as np

from benchmark.core.types import Records

Boxes = Sequence[Sequence[int]]
IMAGE = (100, 100)


def records(
    boxes: Boxes,
    truths: Sequence[Boxes],
    *,
    guesses: Sequence[int] | None = None,
    blacklisted: Sequence[bool] | None = None,
    label_boxes: Boxes | None = None,
) -> Records:
    """One guess an image, of class 0, which is each image's class; half-open boxes in 100 x 100 pixels."""
    n = len(boxes)
    classes = np.array(guesses if guesses is not None else [0] * n, np.int32)[:, None]
    return Records(
        image_ids=tuple(f"image{number}" for number in range(n)),
        labels=np.zeros(n, np.int32),
        sizes=np.full((n, 2), IMAGE, np.int32),
        blacklisted=np.array(blacklisted if blacklisted is not None else [False] * n, np.bool_),
        truth=np.array([box for image in truths for box in image], np.int32).reshape(-1, 4),
        owner=np.repeat(np.arange(n, dtype=np.int32), [len(image) for image in truths]),
        classes=classes,
        scores=np.full((n, 1), np.nan, np.float32),
        boxes=np.array(boxes, np.int32)[:, None],
        peaks=np.full((n, 1, 2), -1, np.int32),
        empty=np.zeros((n, 1), np.bool_),
        label_boxes=None if label_boxes is None else np.array(label_boxes, np.int32),
    )
