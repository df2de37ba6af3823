"""Small trees in COCO's official form: float boxes, polygons of several parts, both forms of run lengths."""

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from pycocotools import mask

NAMES = """person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant,
stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack,
umbrella, handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove,
skateboard, surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple,
sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed,
dining table, toilet, tv, laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink,
refrigerator, book, clock, vase, scissors, teddy bear, hair drier, toothbrush"""
CLASSES = tuple(" ".join(name.split()) for name in NAMES.split(","))
"""The 80 of the official json, in the order of their numbers."""

UNUSED = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
NUMBERS = tuple(number for number in range(1, 91) if number not in UNUSED)
"""Of the categories: 91 are numbered, of which the json has 80."""

SIZES = {42: (40, 30), 73: (50, 20), 100: (16, 16), 139: (24, 18)}
"""Of each image; that of number 100 has no object."""


def image_id(number: int) -> str:
    return f"COCO_val2014_{number:012d}"


def category(name: str) -> int:
    return NUMBERS[CLASSES.index(name)]


def drawn(number: int, *boxes: tuple[int, int, int, int]) -> npt.NDArray[np.bool_]:
    """A mask ``[H, W]`` of an image: rectangles ``x0 y0 x1 y1``."""
    width, height = SIZES[number]
    pixels = np.zeros((height, width), np.bool_)
    for x0, y0, x1, y1 in boxes:
        pixels[y0:y1, x0:x1] = True
    return pixels


def counted(pixels: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Run lengths down the columns, beginning with those outside, as the json has crowds."""
    counts, now = [0], False
    for value in pixels.T.reshape(-1).tolist():
        if value != now:
            counts.append(0)
            now = value
        counts[-1] += 1
    return {"size": list(pixels.shape), "counts": counts}


def packed(pixels: npt.NDArray[np.bool_]) -> dict[str, Any]:
    runs = mask.encode(np.asfortranarray(pixels, np.uint8))
    return {"size": list(pixels.shape), "counts": runs["counts"].decode()}


SPECTATORS = drawn(73, (0, 0, 9, 5), (30, 8, 50, 20))
BRUSHES = drawn(139, (4, 2, 20, 9), (0, 12, 3, 18))

# Image, class, box x y width height, segmentation, crowd. Those of an image do not lie together.
OBJECTS: tuple[tuple[int, str, list[float], Any, int], ...] = (
    # Two parts, the second beyond the image's edge by half a pixel.
    (42, "dog", [0, 2.5, 40.3, 27], [[0, 2.5, 12, 3, 9.5, 20], [20, 10, 40.3, 9.8, 39, 29.5, 22, 28]], 0),
    (73, "person", [0, 0, 50, 20], counted(SPECTATORS), 1),
    (42, "cat", [3.27, 4.5, 6.9, 8.03], [[3.27, 4.5, 10.17, 5, 9, 12.53, 4, 11]], 0),
    (73, "bicycle", [11, 1, 0, 0.4], [[11, 1, 11.2, 1, 11.1, 1.4]], 0),  # of no width
    (139, "toothbrush", [0, 2, 20, 16], packed(BRUSHES), 1),
    (42, "cat", [25, 1, 10, 6], [[25, 1, 35, 1, 35, 7, 25, 7]], 0),
    (73, "person", [28.5, 3.1, 8, 15], [[28.5, 3.1, 36.5, 4, 33, 18.1]], 0),
)
BOXES = {
    image_id(42): [("dog", [0, 2, 40, 30]), ("cat", [3, 4, 11, 13]), ("cat", [25, 1, 35, 7])],
    image_id(73): [("person", [0, 0, 50, 20]), ("bicycle", [11, 1, 12, 2]), ("person", [28, 3, 37, 19])],
    image_id(139): [("toothbrush", [0, 2, 20, 18])],
}
"""Of each image with an object, by hand: half-open, the smallest that hold those above."""


def content() -> dict[str, Any]:
    """The json; its categories and images in no order."""
    return {
        "info": {"description": "COCO 2014 Dataset", "year": 2014},
        "licenses": [],
        "images": [
            {"id": n, "file_name": f"{image_id(n)}.jpg", "width": SIZES[n][0], "height": SIZES[n][1]}
            for n in (139, 42, 100, 73)
        ],
        "annotations": [
            {
                "id": 900 - place,
                "image_id": number,
                "category_id": category(name),
                "bbox": list(box),
                "area": box[2] * box[3],
                "segmentation": deepcopy(segmentation),
                "iscrowd": crowd,
            }
            for place, (number, name, box, segmentation, crowd) in enumerate(OBJECTS)
        ],
        "categories": [
            {"supercategory": "thing", "id": number, "name": name}
            for number, name in reversed(list(zip(NUMBERS, CLASSES, strict=True)))
        ],
    }


def json_of(root: Path, split: str = "val2014") -> Path:
    return root / f"annotations/instances_{split}.json"


def make(root: Path, told: Mapping[str, Any] | None = None, split: str = "val2014") -> Path:
    """Write ``root/annotations`` and ``root/<split>`` with all images; returns ``root``."""
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    json_of(root, split).write_text(json.dumps(content() if told is None else told))
    (root / split).mkdir()
    for number, (width, height) in SIZES.items():
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / split / f"{image_id(number)}.jpg")
    return root
