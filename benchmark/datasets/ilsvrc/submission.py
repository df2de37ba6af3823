"""The submission text of the ILSVRC devkit, written and read.

Line i is image i in the order of the image ids. It holds one to five predictions, best first, each of five
whole numbers ``label xmin ymin xmax ymax``: the devkit's class number (1…1000) and a 0-based **inclusive**
box in original pixels (protocol §5.1). The official MATLAB/Octave scorer reads the same file.

The format cannot say which images a subset has, so ``<file>.images.txt`` lies beside it: one image id a line,
in the file's order.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmark.core.boxes import from_inclusive, to_inclusive
from benchmark.core.errors import UserError
from benchmark.core.files import read_text, write_atomically
from benchmark.core.protocols import Dataset
from benchmark.core.types import IntArray, Records, Sample

_MOST = 5
_LIMIT = 2**31 - 1
_SHAPE = "1 to 5 times 'label xmin ymin xmax ymax'"


def images_path(path: Path) -> Path:
    """Return the path of the list of images that belongs to a submission text."""
    return path.with_name(f"{path.name}.images.txt")


def write(path: Path, records: Records, ilsvrc_ids: Sequence[int]) -> None:
    """Write the submission text, and the list of its images beside it.

    Args:
        path: The text to write; its list of images goes to :func:`images_path`.
        records: Images with at least one prediction each; the first five predictions are written.
        ilsvrc_ids: The devkit's class number of each class of ``records``, in their order.

    Raises:
        UserError: If an image has no prediction, or the files cannot be written.
    """
    order = np.argsort(records.image_ids, kind="stable")
    ids = [records.image_ids[row] for row in order]
    boxes, classes = to_inclusive(records.boxes), records.classes
    lines = [_line(ids[i], classes[row], boxes[row], ilsvrc_ids) for i, row in enumerate(order)]
    try:
        path.unlink(missing_ok=True)  # so that an interruption never leaves the old text beside the new list
    except OSError as error:
        raise UserError(f"{path}: cannot be replaced ({error.strerror}); name another file") from error
    write_atomically(images_path(path), "".join(f"{image_id}\n" for image_id in ids))
    write_atomically(path, "".join(lines))


def _line(image_id: str, classes: IntArray, boxes: IntArray, ilsvrc_ids: Sequence[int]) -> str:
    predictions = [(c, box) for c, box in zip(classes.tolist(), boxes.tolist(), strict=True) if c >= 0]
    if not predictions:
        raise UserError(
            f"{image_id}: no class was predicted, which the devkit's text cannot say; leave it out"
        )
    return " ".join(str(n) for c, box in predictions[:_MOST] for n in (ilsvrc_ids[c], *box)) + "\n"


def read(path: Path, dataset: Dataset, ilsvrc_ids: Sequence[int]) -> Records:
    """Read a submission text, whoever wrote it.

    Spaces, tabs and commas separate; ``12.0`` is read as 12. Lines may hold different numbers of predictions.
    If ``<file>.images.txt`` exists, it says which image each line is; otherwise the lines are the dataset's
    images in the order of their ids.

    Args:
        path: The text.
        dataset: Labels, ground-truth boxes and blacklist of at least the images of the text.
        ilsvrc_ids: The devkit's class number of each of the dataset's classes, in their order.

    Returns:
        Records of five predictions an image, -1 if the line has fewer; scores, peaks and unannotated sizes
        are unknown. Images of the dataset that the text leaves out are ``skipped``.

    Raises:
        UserError: If the text is malformed or does not fit the dataset, with file and line.
    """
    predictions = _predictions(path, {number: label for label, number in enumerate(ilsvrc_ids)})
    samples = _samples(path, len(predictions), {sample.image_id: sample for sample in dataset.samples})
    listed = {sample.image_id for sample in samples}
    absent = [sample.image_id for sample in dataset.samples if sample.image_id not in listed]
    return _records(samples, predictions, dict.fromkeys(absent, f"not in {path.name}"))


def _predictions(path: Path, labels: Mapping[int, int]) -> IntArray:
    """Read label and half-open box of each prediction, ``[n, 5, 5]``, with label -1 if there is none."""
    rows = [_numbers(where, line, labels) for where, line in _lines(path)]
    if not rows:
        raise UserError(f"{path}: is empty; give one line an image, {_SHAPE}")
    predictions = np.array(rows, np.int32).reshape(-1, _MOST, 5)
    predictions[..., 1:] = from_inclusive(predictions[..., 1:])
    return predictions


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each line with its place, for error messages."""
    text = read_text(path, "give a text in the devkit's form")
    for number, line in enumerate(text.splitlines(), start=1):
        yield f"{path}, line {number}", line


def _numbers(where: str, line: str, labels: Mapping[int, int]) -> list[int]:
    """Parse five times label and inclusive box, padded with the label -1."""
    words = line.replace(",", " ").split()
    if not words:
        raise UserError(f"{where}: is empty; an image needs at least one prediction, {_SHAPE}")
    if len(words) % 5 or len(words) > 5 * _MOST:
        raise UserError(f"{where}: has {len(words)} numbers; it must be {_SHAPE}")
    try:
        numbers = list(map(int, words))
    except ValueError:
        numbers = [_whole(where, word) for word in words]
    for start in range(0, len(numbers), 5):
        _check(where, numbers[start : start + 5], labels)
        numbers[start] = labels[numbers[start]]
    return numbers + [-1, 0, 0, -1, -1] * (_MOST - len(numbers) // 5)


def _whole(where: str, word: str) -> int:
    try:
        value = float(word)
    except ValueError:
        raise UserError(f"{where}: {word!r} is not a number; it must be {_SHAPE}") from None
    if not value.is_integer():
        raise UserError(f"{where}: {word} is not a whole number; round boxes to whole pixels")
    return int(value)


def _check(where: str, prediction: list[int], labels: Mapping[int, int]) -> None:
    number, x0, y0, x1, y1 = prediction
    if number not in labels:
        known = f"{min(labels)}…{max(labels)}"
        raise UserError(
            f"{where}: {number} is not a class of the dataset; give the devkit's numbers, {known}"
        )
    if x1 < x0 or y1 < y0:
        raise UserError(f"{where}: box {x0} {y0} {x1} {y1} is reversed; give xmin ymin xmax ymax")
    if min(prediction) < -_LIMIT or max(prediction) >= _LIMIT:
        raise UserError(f"{where}: box {x0} {y0} {x1} {y1} has no such pixel; give original pixels")


def _samples(path: Path, count: int, known: Mapping[str, Sample]) -> list[Sample]:
    """Return the sample of each line."""
    listing = images_path(path)
    listed = listing.exists()
    ids = [line.strip() for _, line in _lines(listing)] if listed else sorted(known)
    if len(ids) != count:
        images = f"{len(ids)} images in {listing.name}" if listed else f"the dataset's {len(ids)} images"
        raise UserError(f"{path}: has {count} lines for {images}; list one id a line in {listing.name}")
    if len(set(ids)) < len(ids):
        raise UserError(f"{listing}: names {_first_repeated(ids)} twice; give each id once")
    for number, image_id in enumerate(ids, start=1):
        if image_id not in known:
            raise UserError(f"{listing}, line {number}: the dataset has no image {image_id!r}; see dataset=…")
    return [known[image_id] for image_id in ids]


def _first_repeated(ids: Sequence[str]) -> str:
    return next(image_id for image_id, count in Counter(ids).items() if count > 1)


def _records(samples: Sequence[Sample], predictions: IntArray, skipped: Mapping[str, str]) -> Records:
    count, top = predictions.shape[:2]
    truth = [sample.boxes.reshape(-1, 4) for sample in samples]
    return Records(
        image_ids=tuple(sample.image_id for sample in samples),
        labels=np.array([sample.label for sample in samples], np.int32),
        sizes=np.array([sample.size or (-1, -1) for sample in samples], np.int32),
        blacklisted=np.array([sample.blacklisted for sample in samples], np.bool_),
        truth=np.concatenate(truth).astype(np.int32),
        owner=np.repeat(np.arange(count, dtype=np.int32), [len(boxes) for boxes in truth]),
        classes=predictions[..., 0],
        scores=np.full((count, top), np.nan, np.float32),
        boxes=predictions[..., 1:],
        peaks=np.full((count, top, 2), -1, np.int32),
        empty=np.zeros((count, top), np.bool_),
        skipped=skipped,
    )
