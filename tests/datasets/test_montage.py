"""Montages hold two classes, and their boxes lie where the objects are drawn."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.types import Sample
from benchmark.datasets.image_set import ImageSet
from benchmark.datasets.images import read_sample
from benchmark.datasets.montage import load


class _NoReport:
    def lines(self) -> list[str]:
        return []


def red_boxes(folder: Path, labels: list[int]) -> ImageSet:
    """Images of a red rectangle on blue, each another in size and place."""
    samples = []
    for number, label in enumerate(labels):
        width, height = 60 + 10 * number, 100 - 7 * number
        box = 20 + number, 10 + number, 40 + 3 * number, 45
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[..., 2] = 255
        pixels[box[1] : box[3], box[0] : box[2]] = (255, 0, 0)
        path = folder / f"{number}.png"
        Image.fromarray(pixels).save(path)
        boxes = np.array([box], np.int32)
        samples.append(Sample(str(number), path, label, boxes, size=(width, height)))
    names = ("a", "b", "c")
    return ImageSet("red", names, names, tuple(samples), {}, "1", lambda one: one.image_id, _NoReport(), None)


def test_boxes_of_a_montage_hold_its_objects_and_are_of_two_classes(tmp_path: Path) -> None:
    of = red_boxes(tmp_path, [0, 0, 1, 2, 1, 2])
    made = [load(of, 3, 120, 0, str(tmp_path / "cache"), "two") for _ in range(2)]
    assert made[0].fingerprint == made[1].fingerprint
    used = set()
    for sample in made[0].samples:
        objects = sample.objects
        assert len(set(objects.classes.tolist())) == 2
        pixels = read_sample(sample).astype(int)
        red = (pixels[..., 0] > 128) & (pixels[..., 2] < 128)
        inside = np.zeros_like(red)
        for x0, y0, x1, y1 in objects.boxes.tolist():
            assert red[y0:y1, x0:x1].mean() > 0.9
            inside[y0:y1, x0:x1] = True
            used.add((x0, y0, x1, y1))
        assert not (red & ~inside).any()
    assert len(used) == 6
    assert len(load(of, 3, 120, 0, str(tmp_path / "cache"), "two", limit=2).samples) == 2


def test_too_few_images_of_different_classes_are_told(tmp_path: Path) -> None:
    of = red_boxes(tmp_path, [0, 0, 0, 1])
    with pytest.raises(UserError, match=r"dataset.count=2: red has images for 1 montages"):
        load(of, 2, 120, 0, str(tmp_path / "cache"), "two")
