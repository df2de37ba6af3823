"""From stored records to each image's outcome: by the devkit's rule, or with a convention changed."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchmark.core.boxes import matches
from benchmark.core.errors import UserError
from benchmark.core.options import Checked
from benchmark.core.types import BoolArray, IntArray, Records

DEPTHS = {"loc_top1": 1, "loc_top5": 5}
"""The errors that can be explained, and how many predictions each looks at."""

_IOU = 0.5


@dataclass(frozen=True)
class Scoring(Checked, group="score"):
    """A rule for right and wrong; as it stands here, the ILSVRC devkit's (protocol §5.1).

    Attributes:
        blacklist: Whether the average leaves these images out.
        truth: Whether any box of the class may be met, or only the first of the annotation's.
        pixels: ``inclusive``: a box of one pixel has area 1 (``x2 - x1 + 1``); ``corners``: it has none.
        overlap: Overlap of a right box: at least half, or more than half.
        target: ``predicted``: class and its own box must be right; ``given``: the class is given, the box of
            its own map is judged, and there is one prediction whatever the depth.
    """

    blacklist: Literal["left_out", "counted"] = "left_out"
    truth: Literal["any", "first"] = "any"
    pixels: Literal["inclusive", "corners"] = "inclusive"
    overlap: Literal["at_least", "more"] = "at_least"
    target: Literal["predicted", "given"] = "predicted"


def changed(scoring: Scoring, words: Sequence[str]) -> Scoring:
    """Change some conventions of a rule, each as ``truth=first``.

    Raises:
        UserError: If there is no such convention, or it has no such side.
    """
    pairs: dict[str, Any] = dict(word.split("=", 1) for word in words)
    known = [field.name for field in fields(scoring)]
    for name in pairs:
        if name not in known:
            raise UserError(f"score.{name}: there is no such convention; choose {', '.join(known)}")
    return replace(scoring, **pairs)


@dataclass(frozen=True)
class Outcomes:
    """The outcome of each image under a rule.

    Attributes:
        wrong: ``[n]`` whether it counts as an error.
        counted: ``[n]`` whether it is part of the average.
    """

    wrong: BoolArray
    counted: BoolArray

    @property
    def error(self) -> float:
        """Share of wrong images among those counted."""
        return float(self.wrong[self.counted].mean())


def outcomes(records: Records, scoring: Scoring, depth: int) -> Outcomes:
    """Score records under a rule.

    Args:
        records: Predictions, boxes and ground truth.
        scoring: The rule.
        depth: Number of predictions that may be right.

    Raises:
        UserError: If a map, a prediction or every single image that the rule looks at is missing.
    """
    if depth > records.classes.shape[1]:
        raise UserError(
            f"explain=loc_top{depth}: the run kept {records.classes.shape[1]} predictions an image; "
            f"run.top_k={depth}, or explain=loc_top1"
        )
    if scoring.target == "given":
        if records.label_boxes is None:
            raise UserError("score.target=given: these records have no map of the given class")
        boxes, possible = records.label_boxes[:, None], np.ones((len(records), 1), np.bool_)
    else:
        boxes = records.boxes[:, :depth].astype(np.int32)  # a run records whole pixels
        possible = records.classes[:, :depth] == records.labels[:, None]
    right: BoolArray = possible & _met(boxes, records, scoring)
    every = np.ones(len(records), np.bool_)
    counted = every if scoring.blacklist == "counted" else ~records.blacklisted
    if not counted.any():
        raise UserError(
            "every one of these images is on the blacklist, so that there is no error; add others"
        )
    return Outcomes(np.logical_not(right.any(axis=1)), counted)


def _met(boxes: IntArray, records: Records, scoring: Scoring) -> BoolArray:
    """Return ``[n, k]``, whether each box meets the ground truth of its image."""
    truth, owner = records.truth, records.owner
    if scoring.truth == "first":
        owner, first = np.unique(owner, return_index=True)
        truth = truth[first]
    found = np.zeros(boxes.shape[:2], np.bool_)
    one, column = np.nonzero(_enough(boxes[owner], truth[:, None], scoring))
    found[owner[one], column] = True
    return found


def _enough(a: IntArray, b: IntArray, scoring: Scoring) -> BoolArray:
    """Return whether boxes overlap enough; counts are whole numbers, so equality is exact."""
    if scoring.pixels == "inclusive" and scoring.overlap == "at_least":
        return matches(a, b, _IOU)
    less = 0 if scoring.pixels == "inclusive" else 1
    shared = _area(np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:]), less)
    union = _area(a[..., :2], a[..., 2:], less) + _area(b[..., :2], b[..., 2:], less) - shared
    twice = 2 * shared  # 2 i >= u is i / u >= 1/2; without an area nothing is met
    met: BoolArray = ((twice >= union) if scoring.overlap == "at_least" else (twice > union)) & (union > 0)
    return met


def _area(low: IntArray, high: IntArray, less: int) -> npt.NDArray[np.int64]:
    sides = np.maximum(high.astype(np.int64) - low - less, 0)
    product: npt.NDArray[np.int64] = sides[..., 0] * sides[..., 1]
    return product
