"""easy-VQA (Zhou 2019): questions about one coloured shape, from the PyPI package ``easy-vqa``.

Its 5,000 images of 64 x 64 pixels and 48,248 questions come with the package. It has no boxes, but each image
shows one shape on a plain ground, so the box of what differs from the first pixel is the shape's.
"""

from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.options import check
from benchmark.core.targets import TextSample
from benchmark.core.types import IntArray
from benchmark.datasets.image_set import ImageSet
from benchmark.datasets.text_set import text_set

_OFFICIAL = {"train": 38_575, "test": 9_673}
_DIFFERS = 40  # grey levels, over the ground's own noise and below what any of its colours differs by


def load(split: str = "test", name: str = "easy_vqa", **options: Any) -> ImageSet:
    """Read one split of the installed package; a target is an answer, and an id is ``IMAGE_qNUMBER``.

    Args:
        split: ``train`` or ``test``.
        name: Name of the results.
        **options: See :class:`benchmark.datasets.selection.Selection`.

    Raises:
        UserError: If the package is not installed or is another version than the questions are known of.
    """
    check("dataset.split", split, Literal["train", "test"])
    try:
        package = import_module("easy_vqa")
    except ImportError:
        raise UserError(
            "dataset=easy_vqa: needs the package easy-vqa; type .venv/bin/python -m pip install "
            "--editable '.[multimodal]'"
        ) from None
    questions, answers, images = getattr(package, f"get_{split}_questions")()
    paths = {number: Path(path) for number, path in getattr(package, f"get_{split}_image_paths")().items()}
    classes = tuple(sorted(package.get_answers()))
    place = {answer: number for number, answer in enumerate(classes)}
    shapes = {number: (_shape(path), path.stat().st_size) for number, path in paths.items()}
    samples = [
        TextSample(
            image_id=f"{image:04d}_q{number:05d}",
            path=paths[image],
            label=place[answer],
            boxes=shapes[image][0],
            size=(64, 64),
            bytes=shapes[image][1],
            text=question,
        )
        for number, (question, answer, image) in enumerate(zip(questions, answers, images, strict=True))
    ]
    where = "the package easy-vqa"
    return text_set(name, classes, samples, where, f"easy_vqa 1 {split}", _OFFICIAL[split], **options)


def _shape(path: Path) -> IntArray:
    """Return the box ``[1, 4]`` of what differs from the ground."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(np.int32)
    differs = np.abs(pixels - pixels[0, 0]).sum(2) > _DIFFERS
    rows, columns = np.flatnonzero(differs.any(1)), np.flatnonzero(differs.any(0))
    box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1] if len(rows) else [0, 0, *pixels.shape[1::-1]]
    return np.array([box], np.int32)
