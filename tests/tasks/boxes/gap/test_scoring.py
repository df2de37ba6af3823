"""Each convention of the scoring, the other way: on boxes where it shows, and on the known answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.handmade_records import records
from helpers.random_records import make

from benchmark.core.boxes import hits
from benchmark.core.errors import UserError
from benchmark.core.types import Records
from benchmark.datasets.ilsvrc import load
from benchmark.datasets.ilsvrc.classes import load_classes
from benchmark.datasets.ilsvrc.submission import read
from benchmark.metrics.common.top_k import top_errors
from benchmark.tasks.boxes.gap.scoring import Scoring, changed, outcomes

A, HALF, LESS, FAR = (0, 0, 10, 10), (0, 0, 10, 5), (0, 0, 10, 4), (50, 50, 60, 60)


def wrong(found: Records, **sides: Any) -> list[bool]:
    return [bool(one) for one in outcomes(found, Scoring(**sides), 1).wrong]


def test_as_it_stands_it_is_the_devkit_s_rule() -> None:
    found = make(5)
    for depth in (1, 5):
        located = hits(found.boxes, found.truth, found.owner, 0.5)
        errors = top_errors(found, (found.classes == found.labels[:, None]) & located)
        scored = outcomes(found, Scoring(), depth)
        assert (scored.wrong == errors[depth]).all()
        assert (scored.counted == ~found.blacklisted).all()


def test_half_of_a_box_is_enough_unless_more_than_half_is_asked() -> None:
    found = records([HALF, LESS, A], [[A], [A], [A]])
    assert wrong(found) == [False, True, False]
    assert wrong(found, overlap="more") == [True, True, False]


def test_without_the_pixel_of_the_border_areas_are_products_of_shorter_sides() -> None:
    """HALF in A: 4 * 9 of 9 * 9 is less than half, where 5 * 10 of 10 * 10 is half."""
    found = records([HALF, (0, 0, 10, 6)], [[A], [A]])
    assert wrong(found) == [False, False]
    assert wrong(found, pixels="corners") == [True, False]
    dot = records([(3, 3, 4, 4)], [[(3, 3, 4, 4)]])
    assert (wrong(dot), wrong(dot, pixels="corners")) == ([False], [True]), "a pixel has no area then"


def test_any_box_of_the_class_counts_unless_the_first_alone_does() -> None:
    found = records([FAR, A, A], [[A, FAR], [A, FAR], [FAR]])
    assert wrong(found) == [False, False, True]
    assert wrong(found, truth="first") == [True, False, True]


def test_an_image_without_a_box_is_wrong_whatever_the_rule() -> None:
    found = records([A, A], [[], [A]])
    assert wrong(found) == wrong(found, truth="first") == wrong(found, pixels="corners") == [True, False]


def test_blacklisted_images_are_left_out_of_the_average_unless_counted() -> None:
    found = records([FAR, A, A], [[A], [A], [A]], blacklisted=[True, False, False])
    assert outcomes(found, Scoring(), 1).error == 0
    assert outcomes(found, Scoring(blacklist="counted"), 1).error == pytest.approx(1 / 3)


def test_with_the_class_given_its_own_box_is_judged_and_the_guess_is_not() -> None:
    found = records([A, A, FAR], [[A]] * 3, guesses=[1, 0, 0], label_boxes=[A, FAR, A])
    assert wrong(found) == [True, False, True]
    assert wrong(found, target="given") == [False, True, False]
    with pytest.raises(UserError, match="no map of the given class"):
        wrong(records([A], [[A]]), target="given")


def test_more_guesses_than_were_kept_and_images_that_all_do_not_count_are_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"explain=loc_top5: the run kept 1 predictions .*run\.top_k=5"):
        outcomes(records([A], [[A]]), Scoring(), 5)
    banned = records([A], [[A]], blacklisted=[True])
    with pytest.raises(UserError, match="every one of these images is on the blacklist"):
        outcomes(banned, Scoring(), 1)
    assert outcomes(banned, Scoring(blacklist="counted"), 1).error == 0


def test_a_convention_or_side_that_does_not_exist_is_refused_by_name() -> None:
    assert changed(Scoring(), ["truth=first"]) == Scoring(truth="first")
    with pytest.raises(UserError, match=r"score\.truths: there is no such convention; choose blacklist"):
        changed(Scoring(), ["truths=first"])
    with pytest.raises(UserError, match=r"score\.truth=last: must be any \| first"):
        changed(Scoring(), ["truth=last"])


GOLDEN = {  # shared/data/README.md, "Known answers": scored by others, in %
    "alexNet": {"": 65.02, "blacklist=counted": 65.70, "overlap=more": 65.02, "pixels=corners": 65.15},
    "vgg16": {"": 54.33, "blacklist=counted": 55.22, "overlap=more": 54.33, "pixels=corners": 54.44},
}
FIRST_BOX = {"alexNet": 66.02, "vgg16": 55.63}


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, Records]:
    dataset: Any = load(ground_truth=str(shared / "ground_truth"))
    ids = load_classes().ilsvrc_ids
    return {name: read(shared / "golden_boxes" / f"{name}.txt", dataset, ids).records for name in GOLDEN}


@pytest.mark.slow
@pytest.mark.parametrize("name", GOLDEN)
def test_each_convention_gives_the_known_answer_on_50000_boxes(golden: dict[str, Records], name: str) -> None:
    known = GOLDEN[name] | {"truth=first": FIRST_BOX[name]}
    for words, answer in known.items():
        scoring = changed(Scoring(), [words] if words else [])
        error = outcomes(golden[name], scoring, 1).error
        assert round(100 * error, 2) == answer, words
    assert np.count_nonzero(golden[name].blacklisted) == 1762
