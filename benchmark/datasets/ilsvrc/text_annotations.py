"""Labels, boxes and sizes from text files that state them for many images: Kaggle's and wsolevaluation's."""

from collections import defaultdict
from pathlib import Path

from benchmark.core.errors import UserError
from benchmark.datasets.ilsvrc.classes import Classes
from benchmark.datasets.ilsvrc.crosscheck import Source
from benchmark.datasets.ilsvrc.text import (
    OFFICIAL_COUNT,
    fields,
    half_open,
    image_id_of,
    parse_id,
    whole_numbers,
)


def read_solution(path: Path, classes: Classes) -> Source:
    """Read Kaggle's ``LOC_val_solution.csv``: ``ImageId,wnid x y x y wnid x y x y …``, 0-based inclusive.

    Raises:
        UserError: If a line is malformed, names several or unknown classes, or repeats an image.
    """
    labels: dict[str, int] = {}
    boxes: dict[str, list[list[int]]] = {}
    for number, columns in fields(path, ","):
        where = f"{path}, line {number}"
        if columns[0] == "ImageId":
            continue
        image_id = parse_id(columns[0], where, classes.last_image)
        if image_id in labels:
            raise UserError(f"{where}: {image_id} comes twice; keep one line for each image")
        words = columns[1].split() if len(columns) == 2 else []
        if not words or len(words) % 5 or len(set(words[::5])) != 1:
            raise UserError(
                f"{where}: {image_id} needs one class and four numbers a box; fetch the file anew"
            )
        labels[image_id] = classes.label(words[0], path)
        boxes[image_id] = [whole_numbers(words[i + 1 : i + 5], 4, where) for i in range(0, len(words), 5)]
    return Source(path, labels, {i: half_open(b) for i, b in boxes.items()}, {}, frozenset(labels))


def read_localization(path: Path, last: int = OFFICIAL_COUNT) -> Source:
    """Read wsolevaluation's ``localization.txt``: ``val/ID.JPEG,x,y,x,y``, one box a line, 0-based inclusive.

    Images are numbered 1…``last``.

    Raises:
        UserError: If a line is malformed.
    """
    boxes = defaultdict(list)
    for number, columns in fields(path, ","):
        where = f"{path}, line {number}"
        boxes[parse_id(columns[0], where, last)].append(whole_numbers(columns[1:], 4, where))
    return Source(path, boxes={i: half_open(b) for i, b in boxes.items()}, mentioned=frozenset(boxes))


def read_sizes(path: Path, last: int = OFFICIAL_COUNT) -> Source:
    """Read wsolevaluation's ``image_sizes.txt``: ``val/ID.JPEG,width,height``, images 1…``last``.

    Raises:
        UserError: If a line is malformed or repeats an image.
    """
    sizes = {image_id: (width, height) for image_id, (width, height) in _once(path, 2, last).items()}
    return Source(path, sizes=sizes, mentioned=frozenset(sizes))


def read_labels(path: Path, classes: Classes) -> Source:
    """Read ``class_labels.txt`` or Caffe's ``val.txt``: file name and index into the sorted WNIDs.

    Raises:
        UserError: If a line is malformed, or a label is not an index into the WNIDs.
    """
    labels = {image_id: label for image_id, (label,) in _once(path, 1, classes.last_image).items()}
    for image_id, label in labels.items():
        if not 0 <= label < len(classes.wnids):
            raise UserError(
                f"{path}: {image_id} has label {label}; labels are indices 0…{len(classes.wnids) - 1} into "
                "sorted WNIDs"
            )
    return Source(path, labels=labels, mentioned=frozenset(labels))


def read_devkit_labels(path: Path, classes: Classes, count: int = OFFICIAL_COUNT) -> Source:
    """Read the devkit's validation ground truth: line ``n`` is the ILSVRC id of image number ``n``.

    Raises:
        UserError: If there are not ``count`` lines, or one is not the number of a class.
    """
    labels = {}
    for number, words in fields(path):
        where = f"{path}, line {number}"
        (ilsvrc_id,) = whole_numbers(words, 1, where)
        if ilsvrc_id not in classes.labels_of_ilsvrc_ids:
            raise UserError(
                f"{where}: {ilsvrc_id} is not an ILSVRC id 1…{len(classes.wnids)}; fetch the devkit anew"
            )
        labels[image_id_of(number)] = classes.labels_of_ilsvrc_ids[ilsvrc_id]
    if len(labels) != count:
        raise UserError(f"{path}: {len(labels)} lines where {count} are expected; fetch the devkit anew")
    return Source(path, labels=labels, mentioned=frozenset(labels))


def read_blacklist(path: Path, last: int = OFFICIAL_COUNT) -> frozenset[str]:
    """Read the devkit's blacklist of localization: one image number a line, 1…``last``.

    Raises:
        UserError: If a line is not the number of a validation image, or the list is empty.
    """
    images = set()
    for line, words in fields(path):
        where = f"{path}, line {line}"
        (number,) = whole_numbers(words, 1, where)
        images.add(parse_id(image_id_of(number), where, last))
    if not images:
        raise UserError(
            f"{path}: the blacklist is empty; fetch the devkit anew, or set dataset.blacklist=none"
        )
    return frozenset(images)


def _once(path: Path, count: int, last: int) -> dict[str, list[int]]:
    """Read ``count`` whole numbers for each image, once; commas or white space separate."""
    found: dict[str, list[int]] = {}
    for number, (line,) in fields(path, "\n"):
        where = f"{path}, line {number}"
        name, *words = line.replace(",", " ").split() or [line]
        image_id = parse_id(name, where, last)
        if image_id in found:
            raise UserError(f"{where}: {image_id} comes twice; keep one line for each image")
        found[image_id] = whole_numbers(words, count, where)
    return found
