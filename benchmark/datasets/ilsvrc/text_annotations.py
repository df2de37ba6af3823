"""Labels, boxes and sizes from text files that state them for many images: Kaggle's and wsolevaluation's."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from benchmark.core.errors import UserError
from benchmark.core.text_lists import TextLine, rows, whole_numbers
from benchmark.core.types import IntArray
from benchmark.datasets.ilsvrc.classes import Classes
from benchmark.datasets.ilsvrc.crosscheck import FROM_ONE, Source
from benchmark.datasets.ilsvrc.text import OFFICIAL_COUNT, half_open, image_id_of, parse_id

_VAL = "ILSVRC2012_val_"
_WNID = re.compile(r"\bn\d{8}(?=/)")


def prediction_strings(path: Path) -> Iterator[TextLine]:
    """Yield image id and the words of its boxes from a csv of Kaggle's, ``ImageId,PredictionString``.

    Other columns before or behind these, which its first line names, are left out.

    Raises:
        UserError: If the file cannot be read or has no such columns.
    """
    place = 0
    for where, text, words in rows(path):
        columns = [column.strip(' "') for column in re.split("[,;\t]", text)]
        if "ImageId" in columns:
            place = columns.index("ImageId")
            if columns[place + 1 : place + 2] != ["PredictionString"]:
                raise UserError(f"{where}: PredictionString does not follow ImageId; give Kaggle's own file")
        elif len(columns) > place + 1:
            yield TextLine(where, text, [columns[place], *columns[place + 1].split()])
        else:
            yield TextLine(where, text, words)


def read_solution(path: Path, classes: Classes) -> Source:
    """Read Kaggle's ``LOC_val_solution.csv``: ``ImageId,wnid x y x y wnid x y x y …``, 0-based inclusive.

    Raises:
        UserError: If a line is malformed, names several or unknown classes, or repeats an image.
    """
    labels: dict[str, int] = {}
    boxes: dict[str, IntArray] = {}
    for where, _, (name, *words) in prediction_strings(path):
        image_id = parse_id(name, where, classes.last_image)
        if image_id in labels:
            raise UserError(f"{where}: {image_id} comes twice; keep one line for each image")
        if not words or len(words) % 5 or len(set(words[::5])) != 1:
            raise UserError(
                f"{where}: {image_id} needs one class and four numbers a box; fetch the file anew"
            )
        labels[image_id] = classes.label(words[0], path)
        boxes[image_id] = half_open(
            [whole_numbers(words[i + 1 : i + 5], 4, where) for i in range(0, len(words), 5)]
        )
    return Source(path, labels, boxes, {}, frozenset(labels))


def read_localization(path: Path, last: int = OFFICIAL_COUNT) -> Source:
    """Read wsolevaluation's ``localization.txt``: ``val/ID.JPEG,x,y,x,y``, one box a line, 0-based inclusive.

    Images are numbered 1…``last``.

    Raises:
        UserError: If a line is malformed.
    """
    boxes = defaultdict(list)
    for where, _, (name, *words) in rows(path):
        boxes[parse_id(name, where, last)].append(whole_numbers(words, 4, where))
    return Source(path, boxes={i: half_open(b) for i, b in boxes.items()}, mentioned=frozenset(boxes))


def read_sizes(path: Path, last: int = OFFICIAL_COUNT) -> Source:
    """Read wsolevaluation's ``image_sizes.txt``: ``val/ID.JPEG,width,height``, images 1…``last``.

    Raises:
        UserError: If a line is malformed or repeats an image.
    """
    sizes = {}
    for image_id, (where, _, (_, *words)) in _once(path, last).items():
        width, height = whole_numbers(words, 2, where)
        sizes[image_id] = (width, height)
    return Source(path, sizes=sizes, mentioned=frozenset(sizes))


def read_labels(path: Path, classes: Classes) -> Source:
    """Read ``class_labels.txt``, or ``val.txt`` of Caffe or OpenMMLab: file name and class.

    The class is an index into the sorted WNIDs, from 0, or itself a WNID; further columns are not looked at.

    Raises:
        UserError: If a line is malformed or repeats an image, a label is none of the classes or not that of
            the WNID folder before the file's name, or the labels count from 1.
    """
    found = _once(path, classes.last_image)
    if not found or _numbers_its_lines(found.values()):
        raise UserError(f"{path}: states no labels; name another list (dataset.labels=)")
    numbered = {row.words[1] for row in found.values() if len(row.words) > 1}
    if str(len(classes.wnids)) in numbered and "0" not in numbered:
        raise UserError(f"{path}: labels 1…{len(classes.wnids)}: they {FROM_ONE}")
    labels = {image_id: _label(row, classes, path) for image_id, row in found.items()}
    named = {i: wnid[0] for i, row in found.items() if (wnid := _WNID.search(row.words[0]))}
    wrong = [i for i, wnid in named.items() if classes.labels.get(wnid) != labels[i]]
    if wrong:
        where, stated = found[wrong[0]].where, labels[wrong[0]]
        off = all(classes.labels.get(named[i]) == labels[i] - 1 for i in named)
        remedy = f"the labels {FROM_ONE}" if off else "correct the list"
        raise UserError(
            f"{where}: label {stated} is {classes.wnids[stated]}, but its folder is {named[wrong[0]]} "
            f"({len(wrong)} of {len(named)} so); {remedy}"
        )
    return Source(path, labels=labels, mentioned=frozenset(labels))


def lists_labels(path: Path) -> bool:
    """Return whether a list has a label behind each val image."""
    found = _without_heading(rows(path))
    labelled = [len(row.words) > 1 and _VAL in row.words[0] for row in found]
    return bool(found) and all(labelled) and not _numbers_its_lines(found)


def read_devkit_labels(path: Path, classes: Classes, count: int = OFFICIAL_COUNT) -> Source:
    """Read the devkit's validation ground truth: line ``n`` is the ILSVRC id of image number ``n``.

    Raises:
        UserError: If there are not ``count`` lines, or one is not the number of a class.
    """
    labels = {}
    for number, (where, _, words) in enumerate(rows(path), start=1):
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
    for where, _, words in rows(path):
        (number,) = whole_numbers(words, 1, where)
        images.add(parse_id(image_id_of(number), where, last))
    if not images:
        raise UserError(
            f"{path}: the blacklist is empty; fetch the devkit anew, or set dataset.blacklist=none"
        )
    return frozenset(images)


def _without_heading(found: Iterable[TextLine]) -> list[TextLine]:
    """Leave out a first line that names the columns: it names no image, and the second does."""
    lines = list(found)
    named = [_VAL in row.words[0] for row in lines[:2]]
    return lines[1:] if named == [False, True] else lines


def _numbers_its_lines(found: Collection[TextLine]) -> bool:
    """Return whether the number of its line stands behind each image, as in Kaggle's ``val.txt``."""
    return len(found) > 1 and all(row.words[1:2] == [str(n)] for n, row in enumerate(found, start=1))


def _label(row: TextLine, classes: Classes, path: Path) -> int:
    word = row.words[1] if len(row.words) > 1 else ""
    if word in classes.labels:
        return classes.labels[word]
    (label,) = whole_numbers(row.words[1:2], 1, row.where)
    if not 0 <= label < len(classes.wnids):
        raise UserError(
            f"{path}: {row.words[0]} has label {label}; labels are indices 0…{len(classes.wnids) - 1} into "
            "sorted WNIDs"
        )
    return label


def _once(path: Path, last: int) -> dict[str, TextLine]:
    """Read a line for each image, once."""
    found: dict[str, TextLine] = {}
    for row in _without_heading(rows(path)):
        image_id = parse_id(row.words[0], row.where, last)
        if image_id in found:
            raise UserError(f"{row.where}: {image_id} comes twice; keep one line for each image")
        found[image_id] = row
    return found
