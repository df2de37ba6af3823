"""Submissions to ILSVRC's localization task: the devkit's text, written and read, and Kaggle's csv, read.

Line i of the devkit's text is image i in the order of the image ids. It holds predictions, best first, each
of five numbers ``label xmin ymin xmax ymax``: the devkit's class number (1…1000) and a 0-based **inclusive**
box in original pixels (protocol §5.1). The official MATLAB/Octave scorer reads the same file. As its
``eval_clsloc.m`` does, :func:`read` looks at the first five predictions of a line, takes fractional
coordinates, and takes zeros (``0 0 0 0 0``), or as many -1, for no prediction.

The format cannot say which images a subset has, so ``<file>.images.txt`` lies beside it: one image id a line,
in the file's order.

Kaggle's csv, ``ImageId,PredictionString``, names the image of each line. Its boxes are the same; its classes
are WNIDs, or numbers of lines of ``LOC_synset_mapping.txt``, from 1: another order than the devkit's.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import numpy as np

from benchmark.core.boxes import to_inclusive
from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.protocols import Dataset
from benchmark.core.text_lists import columns, list_ids, numbers, read_text, rows
from benchmark.core.types import FloatBoxes, IntArray, Records, Sample
from benchmark.datasets.ilsvrc.text_annotations import prediction_strings

_MOST = 5
_SHAPE = "1 to 5 times 'label xmin ymin xmax ymax'"
_FIVE = "give label xmin ymin xmax ymax in original pixels"
_GIVE = "give a text, not packed, in the devkit's form or Kaggle's"
_NONE = [-1.0, 0.0, 0.0, -1.0, -1.0]
_REMARKS = {
    "beyond": "predictions beyond the fifth of their line are not looked at, as by the devkit",
    "elsewhere": "lines are about images that the dataset does not have, and are not counted",
    "fractions": "boxes have fractional coordinates; nothing is rounded, as by the devkit",
    "nothing": "images have no prediction, and count as errors",
    "numbered": "images have numbers as classes, which are lines of LOC_synset_mapping.txt, from 1",
    "padding": "predictions are zeros or -1 alone, which stand for none, as by the devkit",
    "reversed": "boxes are reversed and overlap nothing, as by the devkit; a box is xmin ymin xmax ymax",
}


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


@dataclass(frozen=True)
class Submission:
    """A submission that was read.

    Attributes:
        records: Five predictions an image, -1 where there are fewer; scores, peaks and unannotated sizes are
            unknown. Images of the dataset that the file leaves out are ``skipped``.
        remarks: What was found and taken as the devkit takes it, each with its count.
    """

    records: Records
    remarks: tuple[str, ...]


def read(path: Path, dataset: Dataset, ilsvrc_ids: Sequence[int]) -> Submission:
    """Read a submission, whoever wrote it; the module's beginning describes its two forms.

    If ``<file>.images.txt`` exists, it says which image each line of a text is; otherwise the lines are the
    dataset's images in the order of their ids.

    Args:
        path: The text or csv.
        dataset: Labels, ground-truth boxes and blacklist of at least the images of a text.
        ilsvrc_ids: The devkit's class number of each of the dataset's classes, in their order.

    Raises:
        UserError: If the file is malformed or does not fit the dataset, with file and line.
    """
    known = {sample.image_id: sample for sample in dataset.samples}
    counts: Counter[str] = Counter()
    if _is_kaggles(path):
        named = {wnid: label for label, wnid in enumerate(dataset.classes)}
        numbered = {str(label + 1): label for label in named.values()}
        samples, lines = _kaggles(path, known, counts)
        parse = _Line(numbered | named, f"WNIDs, or lines of LOC_synset_mapping.txt, 1…{len(named)}", counts)
    else:
        samples, lines = [], _lines(path)
        labels = {str(number): label for label, number in enumerate(ilsvrc_ids)}
        parse = _Line(labels, f"the devkit's numbers, {min(ilsvrc_ids)}…{max(ilsvrc_ids)}", counts)
    found = np.array([parse(where, words) for where, words in lines], np.float64).reshape(-1, _MOST, 5)
    samples = samples or _samples(path, len(lines), known)
    given, boxes = found[..., 0] >= 0, found[..., 1:]
    counts["reversed"] = int((given & (boxes[..., 2:] < boxes[..., :2]).any(axis=-1)).sum())
    counts["fractions"] = int((given & (boxes % 1 != 0).any(axis=-1)).sum())
    listed = {sample.image_id for sample in samples}
    absent = [image_id for image_id in known if image_id not in listed]
    remarks = tuple(f"{count} {_REMARKS[what]}" for what, count in sorted(counts.items()) if count)
    return Submission(_records(samples, found, dict.fromkeys(absent, f"not in {path.name}")), remarks)


def _is_kaggles(path: Path) -> bool:
    """Return whether a file begins as Kaggle's csv does."""
    return "ImageId" in next((row.words for row in rows(path, _GIVE)), ())


@dataclass(frozen=True)
class _Line:
    """Parser of the predictions of one image.

    Attributes:
        labels: Label of each class, as the file writes it.
        known: What classes a file may name, for error messages.
        counts: Counts of what is taken as the devkit takes it; increased by each call.
    """

    labels: Mapping[str, int]
    known: str
    counts: Counter[str]

    def __call__(self, where: str, words: Sequence[str]) -> list[float]:
        """Return label and inclusive box of five predictions, with the label -1 where there is none."""
        if len(words) % 5:
            raise UserError(f"{where}: has {len(words)} columns; it must be {_SHAPE}")
        self.counts["beyond"] += max(len(words) // 5 - _MOST, 0)
        found: list[float] = []
        for start in range(0, min(len(words), 5 * _MOST), 5):
            found += self._prediction(where, words[start], words[start + 1 : start + 5])
        return found + _NONE * (_MOST - len(found) // 5)

    def _prediction(self, where: str, word: str, corners: Sequence[str]) -> list[float]:
        box = numbers(corners, 4, where, _FIVE)
        label = self.labels.get(word)
        if label is None:  # not as the dataset writes it: 490.0, 3.61e2, or no class
            (number,) = numbers([word], 1, where, f"give {self.known}")
            if {number, *box} in ({0}, {-1}):
                self.counts["padding"] += 1
                return _NONE
            label = self.labels.get(f"{number:.15g}")
        if label is None:
            raise UserError(f"{where}: {word} is not a class of the dataset; give {self.known}")
        return [label, *box]


def _lines(path: Path) -> list[tuple[str, list[str]]]:
    """Return place and words of each line of the devkit's text but comments and empty lines at its end."""
    text = read_text(path, _GIVE).rstrip()
    if not text:
        raise UserError(f"{path}: is empty; give one line an image, {_SHAPE}")
    found = [
        (f"{path}, line {number}", columns(line))
        for number, line in enumerate(text.splitlines(), start=1)
        if not line.lstrip().startswith("#")
    ]
    for where, words in found:
        if not words:
            raise UserError(f"{where}: is empty; an image without a prediction has zeros, 0 0 0 0 0")
    return found


def _samples(path: Path, count: int, known: Mapping[str, Sample]) -> list[Sample]:
    """Return the sample of each line of the devkit's text."""
    listing = images_path(path)
    listed = listing.exists()
    ids = list_ids(listing) if listed else sorted(known)
    if len(ids) != count:
        images = f"{len(ids)} images in {listing.name}" if listed else f"the dataset's {len(ids)} images"
        raise UserError(f"{path}: has {count} lines for {images}; list one id a line in {listing.name}")
    _refuse_repeated(ids, listing)
    for number, image_id in enumerate(ids, start=1):
        if image_id not in known:
            raise UserError(
                f"{listing}, line {number}: the dataset has no image {image_id!r}; list the ids as it has "
                "them, or choose another dataset="
            )
    return [known[image_id] for image_id in ids]


def _kaggles(
    path: Path, known: Mapping[str, Sample], counts: Counter[str]
) -> tuple[list[Sample], list[tuple[str, list[str]]]]:
    """Return sample, place and words of each line of Kaggle's csv whose image the dataset has."""
    found = [
        (PureWindowsPath(name).stem, (where, words)) for where, _, (name, *words) in prediction_strings(path)
    ]
    _refuse_repeated([image_id for image_id, _ in found], path)
    kept = {image_id: line for image_id, line in found if image_id in known}
    if not kept:
        first = found[0][0] if found else "nothing"
        raise UserError(f"{path}: names no image of the dataset, but {first}; give a csv of the same images")
    counts["elsewhere"] = len(found) - len(kept)
    counts["nothing"] = sum(not words for _, words in kept.values())
    counts["numbered"] = sum(words[0].isdigit() for _, words in kept.values() if words)
    return [known[image_id] for image_id in kept], list(kept.values())


def _refuse_repeated(ids: Sequence[str], where: Path) -> None:
    for image_id, count in Counter(ids).items():
        if count > 1:
            raise UserError(f"{where}: names {image_id} twice; give each id once")


def _records(samples: Sequence[Sample], found: FloatBoxes, skipped: Mapping[str, str]) -> Records:
    count, top = found.shape[:2]
    truth = [sample.boxes.reshape(-1, 4) for sample in samples]
    boxes = found[..., 1:] + [0, 0, 1, 1]
    whole = (boxes == np.floor(boxes)).all()
    return Records(
        image_ids=tuple(sample.image_id for sample in samples),
        labels=np.array([sample.label for sample in samples], np.int32),
        sizes=np.array([sample.size or (-1, -1) for sample in samples], np.int32),
        blacklisted=np.array([sample.blacklisted for sample in samples], np.bool_),
        truth=np.concatenate(truth).astype(np.int32),
        owner=np.repeat(np.arange(count, dtype=np.int32), [len(boxes) for boxes in truth]),
        classes=found[..., 0].astype(np.int32),
        scores=np.full((count, top), np.nan, np.float32),
        boxes=boxes.astype(np.int32) if whole else boxes,
        peaks=np.full((count, top, 2), -1, np.int32),
        empty=np.zeros((count, top), np.bool_),
        skipped=skipped,
    )
