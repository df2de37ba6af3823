"""Each image has exactly one kind of error, by definitions that drawn boxes pin down."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers.handmade_records import records
from helpers.random_records import make, random_boxes

from benchmark.core.errors import UserError
from benchmark.core.types import Records
from benchmark.metrics.anatomy import Anatomy
from benchmark.metrics.common.anatomy import KINDS, Thresholds, anatomy
from benchmark.metrics.gt_known import GtKnown
from benchmark.metrics.localization import Localization

OBJECT = [40, 40, 60, 60]
TWO = [[0, 0, 20, 20], [30, 0, 50, 20]]
DRAWN = [
    ("right", [40, 40, 60, 50], [OBJECT]),  # half of the object: an IoU of exactly 0.5
    ("too_small", [40, 40, 60, 49], [OBJECT]),
    ("too_big", [40, 40, 60, 81], [OBJECT]),
    ("too_big", [50, 40, 70, 60], [OBJECT]),  # as large, beside it
    ("off_target", [57, 40, 97, 60], [OBJECT]),  # an IoU of 60 / 1140
    ("off_target", [0, 0, 9, 9], []),
    ("several_objects", [0, 0, 50, 20], TWO),
    ("several_objects", [10, 0, 40, 20], TWO),  # half of each
    ("too_big", [11, 0, 60, 20], TWO),  # less than half of the first
]


def kinds(of: Records, *args: Any) -> list[str]:
    return [KINDS[kind] for kind in anatomy(of, *args)]


def test_drawn_boxes_have_the_kind_that_one_sees() -> None:
    named, boxes, truths = zip(*DRAWN, strict=True)
    made = records(boxes, truths)
    assert kinds(made) == [*named]
    assert set(kinds(replace(made, empty=np.ones((len(DRAWN), 1), np.bool_)))) == {"right", "empty_map"}
    assert set(kinds(replace(made, labels=made.labels + 1))) == {"class_wrong"}


def by_pixels(box: Any, truths: Any) -> str:
    """The kind of one box in 100 x 100 pixels, written out over sets of pixels."""
    pixels = [{(x, y) for x in range(x0, x1) for y in range(y0, y1)} for x0, y0, x1, y1 in [box, *truths]]
    own, objects = pixels[0], pixels[1:]
    overlaps = [len(own & one) / len(own | one) for one in objects]
    best = objects[overlaps.index(max(overlaps))]
    if max(overlaps) >= 0.5:
        return "right"
    if sum(2 * len(own & one) >= len(one) for one in objects) >= 2:
        return "several_objects"
    if max(overlaps) < 0.1:
        return "off_target"
    return "too_big" if len(own) >= len(best) else "too_small"


def test_random_boxes_have_the_kind_that_their_pixels_give() -> None:
    rng = np.random.default_rng(4)
    small = np.array([0, 0, 1, 1]) * rng.integers(5, 60, (60, 1))
    boxes = (small + np.tile(rng.integers(0, 40, (60, 2)), 2)).astype(np.int32)
    made = make(4, labels=np.zeros(60, np.int32), classes=np.zeros((60, 5), np.int32))
    made = replace(made, boxes=np.repeat(boxes[:, None], 5, 1), label_boxes=random_boxes(rng, 60))
    wanted = [by_pixels(boxes[row], made.truth[made.owner == row]) for row in range(60)]
    assert kinds(made) == wanted
    assert {"right", "several_objects", "off_target", "too_small"} <= set(wanted)


@pytest.mark.parametrize("seed", range(3))
def test_the_shares_are_whole_and_agree_with_the_devkit_s_errors(seed: int) -> None:
    made = make(seed, label_empty=np.zeros(60, np.bool_))
    shares, own = Anatomy()(made), Anatomy(of="label")(made)
    assert sum(shares[kind].value for kind in KINDS) == pytest.approx(1)
    assert shares["right"].value == pytest.approx(1 - Localization()(made)["loc_top1"].value)
    assert own["right"].value == pytest.approx(1 - GtKnown()(made)["gt_known"].value)
    assert (set(own), own["class_wrong"].value) == (set(KINDS), 0)
    wrong = ~made.blacklisted & (made.classes[:, 0] != made.labels)
    named = GtKnown()(replace(made, blacklisted=~wrong))["gt_known"]
    assert shares["wrong_class_label_right"].value == pytest.approx(1 - named.value)
    assert shares["wrong_class_label_right"].n == wrong.sum()


def test_thresholds_move_the_kinds() -> None:
    made = records([[40, 40, 60, 50], [57, 40, 97, 60], [10, 0, 40, 20]], [[OBJECT], [OBJECT], TWO])
    limits = Thresholds(iou=0.6, touch=0.05, inside=0.51)
    assert kinds(made, "predicted", limits) == ["too_small", "too_big", "too_big"]
    assert Anatomy(iou=0.6, touch=0.05, inside=0.51).limits == limits


def test_the_label_s_own_map_must_be_there() -> None:
    with pytest.raises(UserError, match=r"metric.anatomy.of=label: these records hold no map"):
        Anatomy(of="label")(make(0, label_boxes=None))
