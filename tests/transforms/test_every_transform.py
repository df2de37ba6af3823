"""What every transform owes: an object is found again where it was, whatever way it was cut and resized."""

from typing import Any

import hydra
import numpy as np
import pytest
import torch

from benchmark.cli.app.build import build
from benchmark.cli.app.places import CONF
from benchmark.core.boxes import iou
from benchmark.core.protocols import SeveralViews, Transform
from benchmark.core.types import Box, ImageArray
from benchmark.localizers.max_box import MaxBox

NAMES = sorted(path.stem for path in (CONF / "transform").glob("*.yaml"))
OBJECTS = (
    ((300, 500), Box(200, 90, 290, 180)),
    ((500, 260), Box(60, 150, 130, 290)),
    ((120, 160), Box(70, 40, 105, 85)),  # grows
    ((224, 224), Box(48, 64, 128, 144)),
)
"""Size ``(height, width)`` and a box well inside what a centre crop shows."""


def built(name: str) -> Transform:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("config", [f"transform={name}"])
    transform: Transform = build(cfg.transform)
    return transform


def planted(height: int, width: int, box: Box) -> ImageArray:
    image = np.zeros((height, width, 3), np.uint8)
    image[box.y0 : box.y1, box.x0 : box.x1] = 255
    return image


def seen(transform: Transform, image: ImageArray) -> tuple[Any, Any]:
    """The map of a net that sees brightness alone, as explain hands it on."""
    pixels, view = transform(image, 224)
    brightness = torch.from_numpy(np.ascontiguousarray(pixels[..., 0]))
    if isinstance(transform, SeveralViews):
        return transform.merge(brightness[None, :, None], 224)[0, 0].numpy(), view
    return brightness.numpy(), view


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("size", "box"), OBJECTS)
def test_a_planted_object_is_boxed_where_it_is(name: str, size: tuple[int, int], box: Box) -> None:
    heat, view = seen(built(name), planted(*size, box))
    found = MaxBox("max_box", 1, 0.15)(heat, view, None).box
    assert float(iou(np.array(found), np.array([box]))[0]) > 0.9
    assert max(abs(a - b) for a, b in zip(found, box, strict=True)) <= 3


@pytest.mark.parametrize("name", NAMES)
def test_a_mirrored_image_gives_the_mirrored_box(name: str) -> None:
    size, box = OBJECTS[0]
    image, transform = planted(*size, box), built(name)
    mirrored = np.ascontiguousarray(image[:, ::-1])
    first, second = (MaxBox("max_box", 1, 0.15)(*seen(transform, i), None).box for i in (image, mirrored))
    turned = Box(size[1] - second.x1, second.y0, size[1] - second.x0, second.y1)
    assert max(abs(a - b) for a, b in zip(first, turned, strict=True)) <= 2


@pytest.mark.parametrize("name", NAMES)
def test_the_image_is_left_as_it_was_and_the_region_is_inside(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    image.flags.writeable = False
    pixels, view = built(name)(image, 32)
    assert pixels.dtype == np.float32
    assert pixels.shape[-3:] == (32, 32, 3)
    assert (view.width, view.height) == (70, 90)
    x0, y0, x1, y1 = view.region
    assert 0 <= x0 < x1 <= 70
    assert 0 <= y0 < y1 <= 90
