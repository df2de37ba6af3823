"""DAQUAR (Malinowski and Fritz, NIPS 2014): human questions about photographs of rooms.

Its folder holds ``all_qa_pairs.txt``, a question and its answer in turn, ``train_images_list.txt``,
``test_images_list.txt`` and ``images``. There are no boxes.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from benchmark.core.errors import UserError
from benchmark.core.options import check
from benchmark.core.targets import TextSample
from benchmark.core.text_lists import read_ids, read_text
from benchmark.datasets.image_set import ImageSet
from benchmark.datasets.selection import existing, file_sizes
from benchmark.datasets.text_set import NO_BOXES, text_set

_OFFICIAL = {"train": 6_795, "test": 5_673}
_PAIRS = "all_qa_pairs.txt"
_OF = re.compile(r"(?: (?:in|on|of)(?: (?:the|this))?)? (image\d+) ?\??\s*$")
_REMEDY = "name the folder of DAQUAR that holds it with dataset.root="


def load(root: str | None = None, split: str = "test", name: str = "daquar", **options: Any) -> ImageSet:
    """Read one split; a target is an answer as it is written, and an id is ``IMAGE_qNUMBER``.

    The answers of both splits are targets, so that a question whose answer no training question has counts
    as answered wrongly.

    Args:
        root: The folder.
        split: ``train`` or ``test``, by the list of that name.
        name: Name of the results.
        **options: See :class:`benchmark.datasets.selection.Selection`.

    Raises:
        UserError: If a file is missing or a question names no image.
    """
    check("dataset.split", split, Literal["train", "test"])
    folder = existing("root", root, "correct it")
    if folder is None:
        raise UserError(f"dataset.root: not set; {_REMEDY}")
    images, suffix = read_ids(_there(folder / f"{split}_images_list.txt")), _suffix(folder / "images")
    found = [*_pairs(_there(folder / _PAIRS))]
    classes = sorted({answer for _, answer, _ in found})
    place = {answer: number for number, answer in enumerate(classes)}
    wanted = [(number, *one) for number, one in enumerate(found) if one[2] in images]
    if not wanted:
        raise UserError(
            f"{folder / _PAIRS}: no question is about an image of {split}_images_list.txt; {_REMEDY}"
        )
    sizes = _sizes(folder, suffix, sorted({image for *_, image in wanted}))
    samples = [
        TextSample(
            image_id=f"{image}_q{number:05d}",
            path=folder / "images" / f"{image}{suffix}",
            label=place[answer],
            boxes=NO_BOXES,
            bytes=sizes[image],
            text=question,
        )
        for number, question, answer, image in wanted
    ]
    return text_set(name, classes, samples, str(folder), f"daquar 1 {split}", _OFFICIAL[split], **options)


def _pairs(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield question, without the words that name the image, answer, and image."""
    lines = read_text(path, "get the file again").rstrip().splitlines()
    if len(lines) % 2:
        raise UserError(f"{path}:{len(lines)}: the last question has no answer; get the file again")
    for number in range(0, len(lines), 2):
        question, answer = lines[number].strip(), lines[number + 1].strip()
        image = _OF.search(question)
        if image is None:
            raise UserError(f"{path}:{number + 1}: the question names no image; get the file again")
        yield question[: image.start()], answer, image[1]


def _there(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"{path}: there is no such file; {_REMEDY}")
    return path


def _suffix(folder: Path) -> str:
    first = next((path for path in sorted(folder.glob("image*")) if path.is_file()), None)
    if first is None:
        raise UserError(f"{folder}: no images there; {_REMEDY}")
    return first.suffix


def _sizes(folder: Path, suffix: str, images: list[str]) -> dict[str, int]:
    paths = [folder / "images" / f"{image}{suffix}" for image in images]
    found = dict(zip(images, file_sizes(paths), strict=True))
    lacking = [image for image, size in found.items() if size is None]
    if lacking:
        raise UserError(
            f"{folder / 'images' / lacking[0]}{suffix}: there is no such image ({len(lacking)} of "
            f"{len(images)} so); unpack the images again"
        )
    return {image: size for image, size in found.items() if size is not None}
