"""The pointing game with recall: a sweep done by hand, and the halves."""

import hashlib
from typing import Any

import numpy as np
import pytest
from helpers.handmade_pairs import many, number, pairs

from benchmark.core.errors import UserError
from benchmark.tasks.pairs.class_policies.labelled import Labelled
from benchmark.tasks.pairs.class_policies.labelled_and_top5 import LabelledAndTop5
from benchmark.tasks.pairs.class_policies.predicted import Predicted
from benchmark.tasks.pairs.metrics.pointing_recall import PointingRecall
from benchmark.tasks.pairs.types import Answers, ClassPolicy, Pairs


def metric(**options: Any) -> PointingRecall:
    return PointingRecall("pointing_recall", 1, **options)


def found(made: Pairs, **options: Any) -> dict[str, float]:
    return {name: number(statistic) for name, statistic in metric(**options)(Answers(made)).items()}


def by_hand() -> Pairs:
    """Two classes an image.

    =====  =====  =======  ========  =====  =====  =====  =====  ======
    image  there  maximum  distance  never  >= 1   >= 2   >= 3   always
    =====  =====  =======  ========  =====  =====  =====  =====  ======
    a      yes    3        0         right  right  right  right  -
    a      no     1        -         -      -      right  right  right
    b      yes    2        14.9      right  right  right  -      -
    b      yes    4        15        -      -      -      -      -
    c      no     2        -         -      -      -      right  right
    c      no     0        -         -      right  right  right  right
    =====  =====  =======  ========  =====  =====  =====  =====  ======
    """
    return pairs(
        "aabbcc",
        rank=[0, 1] * 3,
        labelled=[True, False, True, True, False, False],
        highest=[3, 1, 2, 4, 2, 0],
        own_distance=[0, np.inf, 14.9, 15, np.inf, np.inf],
    )


def test_a_sweep_by_hand() -> None:
    numbers = found(by_hand(), best=2)
    assert numbers["pointing_recall_never"] == pytest.approx(2 / 6)
    assert numbers["pointing_recall_always"] == pytest.approx(3 / 6)
    assert numbers["pointing_recall_best"] == pytest.approx(4 / 6)  # at 2 or at 3


@pytest.mark.parametrize(
    ("threshold", "right"), [(-9, 2), (1, 3), (2, 4), (2.5, 4), (3, 4), (3.01, 3), (9, 3)]
)
def test_a_fixed_threshold_keeps_the_maps_that_reach_it(threshold: float, right: int) -> None:
    assert found(by_hand(), best=2, threshold=threshold)["pointing_recall"] == pytest.approx(right / 6)


def test_worse_classes_and_difficult_ones_do_not_count() -> None:
    made = pairs(
        "aaaa",
        rank=[0, 1, 2, 3],
        labelled=[True, False, True, True],
        difficult=[False, False, True, False],
        highest=1,
        own_distance=[0, np.inf, 99, 99],
    )
    assert found(made, best=3)["pointing_recall_never"] == 1 / 2


def test_each_half_takes_the_best_threshold_of_the_other_the_lowest_of_equal_ones() -> None:
    made = many(seed=5)
    columns = made.columns
    half = np.array([hashlib.sha256(name.encode()).digest()[-1] % 2 for name in made.image_ids])
    assert set(half) == {0, 1}

    def right(row: int, threshold: float) -> bool:
        kept = float(columns["highest"][row]) >= threshold
        return kept and bool(columns["own_distance"][row] < 15) if columns["labelled"][row] else not kept

    hits, counted = 0, np.flatnonzero(~columns["difficult"]).tolist()
    for own in (0, 1):
        others = [row for row in counted if half[row] != own]
        maxima = columns["highest"][others].astype(np.float64)
        thresholds = [-np.inf, *(np.quantile(maxima, q) for q in np.linspace(0, 1, 51)), np.inf]
        shares = [np.mean([right(row, threshold) for row in others]) for threshold in thresholds]
        chosen = thresholds[shares.index(max(shares))]
        hits += sum(right(row, chosen) for row in counted if half[row] == own)
    numbers = found(made, best=4)
    assert numbers["pointing_recall"] == pytest.approx(hits / len(counted))
    assert numbers["pointing_recall"] <= numbers["pointing_recall_best"]


def test_maxima_that_tell_the_classes_apart_give_all_right_on_both_halves() -> None:
    made = many(seed=6)
    labelled = made.columns["labelled"]
    columns = {**made.columns, "highest": labelled * np.float32(10), "own_distance": np.zeros(len(made))}
    numbers = found(Pairs(made.image_ids, columns, made.done), best=4)
    assert numbers["pointing_recall"] == numbers["pointing_recall_best"] == 1


def test_without_another_half_there_is_no_threshold() -> None:
    made = pairs("aa", rank=[0, 1], labelled=[True, False], highest=[1, 0], own_distance=0)
    assert set(found(made, best=2)) == {f"pointing_recall_{n}" for n in ("best", "never", "always")}
    assert found(made, best=2, threshold=1)["pointing_recall"] == 1


@pytest.mark.parametrize("columns", [{"rank": [0, 0]}, {"rank": [0, 1], "labelled": True}])
def test_pairs_that_are_not_of_the_best_classes_are_refused(columns: dict[str, Any]) -> None:
    made = pairs("ab", **{"labelled": [True, False], "highest": 1, "own_distance": 0, **columns})
    with pytest.raises(UserError, match="2 best classes"):
        metric(best=2)(Answers(made))


@pytest.mark.parametrize(
    ("policy", "best"), [(LabelledAndTop5(), 5), (Predicted(count=5), 5), (Predicted(count=900), 1)]
)
def test_a_policy_that_asks_the_best_classes_will_do(policy: ClassPolicy, best: int) -> None:
    metric(best=best).check(policy, {})


@pytest.mark.parametrize(
    ("policy", "best"),
    [(Labelled(), 1), (Labelled(only=2), 1), (Predicted(count=4), 5), (LabelledAndTop5(), 6)],
)
def test_a_policy_that_leaves_out_a_best_class_is_refused(policy: ClassPolicy, best: int) -> None:
    with pytest.raises(UserError, match=f"classes={policy.name}: .*{best} best classes.*choose classes that"):
        metric(best=best).check(policy, {})
