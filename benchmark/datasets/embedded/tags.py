"""Two classes of the embedded images, each with a tag in a corner of some of them: a bias that is planted.

As the doctors and nurses of the Grad-CAM paper's section 6.3 went with men and women, the classes go with the
tag: what the share of tagged images of each class is, is an option. Where the tag is, is known exactly.
"""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
import PIL
from PIL import Image

from benchmark.core.code_hash import code_fingerprint
from benchmark.core.locks import locked
from benchmark.core.options import Count, check
from benchmark.core.provenance import fingerprint
from benchmark.core.types import Box, ImageArray
from benchmark.datasets.embedded import classes, draw, files, scene

_SEEDS = {"val": 2, "train": 3}  # other images than those of the embedded dataset
_BLUR = 6  # pixels that are averaged along an axis: the objects are hard to tell apart, the tag is not
_TAG = 18  # the class of the object on the tag: a checked star
_SIDE = 0.25  # of the tag, as a share of the image's shorter side
_LABELS = (0, 1)
"""Two classes that differ in texture and head alone."""
_QUALITY = 90


_Part = Annotated[float, "[0, 1]"]


class Tagged(NamedTuple):
    """One image.

    Attributes:
        pixels: ``[H, W, 3]`` uint8.
        boxes: Boxes of its objects.
        tag: Where the tag is, or would be.
        has: Whether it is there.
    """

    pixels: ImageArray
    boxes: tuple[Box, ...]
    tag: Box
    has: bool


def ready(split: str, images: int, cache: str, tagged: Sequence[float]) -> str:
    """Make one split in Kaggle's CLS-LOC layout unless it exists, and return its root folder.

    Beside it lies ``regions/NAME.png``, white where the image's tag is; all black of an image without one.

    Args:
        split: ``val`` or ``train``; the two share no image.
        images: Number of images, half of them of each class.
        cache: Folder for files that can be made again.
        tagged: Share of each class's images that have the tag, spread evenly.

    Raises:
        UserError: If there is no such split, too few images, or a share is out of range.
    """
    check("dataset.root.split", split, Literal["val", "train"])
    check("dataset.count", images, Count)
    shares = check("dataset.root.tagged", tagged, tuple[_Part, _Part])
    code = code_fingerprint([classes, draw, scene, files, picture, write])
    made_of = {"code": code, "pillow": PIL.__version__, "images": images, "tagged": shares}
    root = Path(cache).expanduser().absolute() / f"tagged-{fingerprint(made_of)[:12]}" / split
    root.parent.mkdir(parents=True, exist_ok=True)
    with locked(root.with_suffix(".lock")):
        if not root.is_dir():
            half = root.with_name(f".{split}.half")
            shutil.rmtree(half, ignore_errors=True)
            write(half, split, images, shares)
            half.replace(root)
    return str(root)


def regions(root: str) -> str:
    """Return the folder of regions beside the images of a root folder."""
    return str(Path(root) / "regions")


def picture(split: str, number: int, shares: Sequence[float]) -> Tagged:
    """Draw the image of a number: its class is the number's remainder; the tag's corner goes round.

    The tag is drawn over whatever is there, in the corner whose objects it covers least.
    """
    place, turn = number % 2, number // 2
    label = _LABELS[place]
    shown = scene.picture(_SEEDS[split], turn * len(classes.KINDS) + label)
    height, width = shown.pixels.shape[:2]
    side = max(round(_SIDE * min(height, width)), 4)
    corners = [Box(x, y, x + side, y + side) for y in (2, height - side - 2) for x in (2, width - side - 2)]
    turned = [corners[(turn + shift) % 4] for shift in range(4)]
    tag = min(turned, key=lambda corner: sum(_shared(corner, box) for box in shown.boxes))
    has = math.floor((turn + 1) * shares[place]) > math.floor(turn * shares[place])
    pixels = _blurred(shown.pixels)
    if has:
        pixels[tag.y0 : tag.y1, tag.x0 : tag.x1] = _drawn(side)
    return Tagged(pixels, shown.boxes, tag, has)


def write(root: Path, split: str, images: int, shares: Sequence[float]) -> None:
    """Write one split: images, regions, class list and solution."""
    folder, regions = root / "Data" / "CLS-LOC" / split, root / "regions"
    regions.mkdir(parents=True)
    kinds = [(classes.WNIDS[label], classes.KINDS[label].name) for label in _LABELS]
    (root / "LOC_synset_mapping.txt").write_text(
        "".join(f"{w} {name}\n" for w, name in kinds), encoding="utf-8"
    )
    lines = ["ImageId,PredictionString\n"]
    for number in range(images):
        wnid, made = kinds[number % 2][0], picture(split, number, shares)
        name = f"ILSVRC2012_val_{number + 1:08d}" if split == "val" else f"{wnid}_{number // 2 + 1}"
        path = folder / ("" if split == "val" else wnid) / f"{name}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(made.pixels).save(path, "JPEG", quality=_QUALITY)
        region = np.zeros(made.pixels.shape[:2], np.uint8)
        region[made.tag.y0 : made.tag.y1, made.tag.x0 : made.tag.x1] = 255 * made.has
        Image.fromarray(region).save(regions / f"{name}.png")
        boxes = " ".join(f"{wnid} {b.x0} {b.y0} {b.x1 - 1} {b.y1 - 1}" for b in made.boxes)
        lines.append(f"{name},{boxes}\n")
    (root / f"LOC_{split}_solution.csv").write_text("".join(lines), encoding="utf-8")


def _blurred(pixels: ImageArray) -> ImageArray:
    """Average blocks of pixels, and interpolate between them."""
    whole = Image.fromarray(pixels)
    few = [max(round(side / _BLUR), 4) for side in whole.size]
    small = whole.resize((few[0], few[1]), Image.Resampling.BOX)
    return np.array(small.resize(whole.size, Image.Resampling.BILINEAR))


def _drawn(side: int) -> ImageArray:
    """Draw the tag ``[side, side, 3]``: a white plate with an object of another class, black and yellow."""
    v, u = np.mgrid[:side, :side] * (2.2 / (side - 1)) - 1.1
    whole, second, head = draw.draw(classes.KINDS[_TAG], u, v, waves=2.5)
    pixels = np.full((side, side, 3), 255, np.uint8)
    pixels[whole] = (20, 20, 20)
    pixels[second | head] = (250, 210, 20)
    return pixels


def _shared(a: Box, b: Box) -> int:
    return max(0, min(a.x1, b.x1) - max(a.x0, b.x0)) * max(0, min(a.y1, b.y1) - max(a.y0, b.y0))
