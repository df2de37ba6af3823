"""Average precision by hand, and against the rule spelled out level by level."""

import random

import numpy as np
import pytest

from benchmark.training.average_precision import average_precision, by_class, interpolated


def by_the_rule(scores: list[float], positive: list[bool], levels: int = 10) -> float:
    """At each recall 0/10 … 10/10 the best precision of any cut that reaches it, each cut counted anew."""
    cuts = []
    for threshold in set(scores):
        taken = [truth for score, truth in zip(scores, positive, strict=True) if score >= threshold]
        cuts.append((sum(taken), len(taken)))
    reached = [
        max(hits / taken for hits, taken in cuts if levels * hits >= level * sum(positive))
        for level in range(levels + 1)
    ]
    return sum(reached) / (levels + 1)


@pytest.mark.parametrize("seed", range(40))
def test_it_is_the_mean_over_eleven_levels_whatever_the_ties(seed: int) -> None:
    generator = random.Random(seed)
    n = generator.randint(1, 60)
    scores = [generator.randint(0, 12) / 4 if seed % 2 else generator.gauss(0, 1) for _ in range(n)]
    positive = [generator.random() < 0.3 for _ in range(n - 1)] + [True]
    assert average_precision(scores, positive).voc2007 == pytest.approx(
        by_the_rule(scores, positive), abs=1e-12
    )


@pytest.mark.parametrize(
    ("positive_by_rank", "eleven", "area"),
    [
        ([True], 1.0, 1.0),
        ([True, True, False], 1.0, 1.0),
        ([False, True], 0.5, 0.5),
        # Recall 1/2 at precision 1: levels 0 … 0.5 see 1, the five others see 2/3.
        ([True, False, True], (6 + 5 * 2 / 3) / 11, (1 + 2 / 3) / 2),
        # A worse precision on the way is lifted by a better one at a higher recall.
        ([False, True, True], 2 / 3, 2 / 3),
        ([False, False, False, True], 0.25, 0.25),
    ],
)
def test_small_rankings_by_hand(positive_by_rank: list[bool], eleven: float, area: float) -> None:
    scores = [-float(rank) for rank in range(len(positive_by_rank))]
    assert average_precision(scores, positive_by_rank) == pytest.approx((eleven, area))


def test_a_recall_of_exactly_a_level_reaches_it() -> None:
    """10 positives: after k of them recall is k/10, which no rounding may put below the level."""
    positive = [True] * 3 + [False] + [True] * 7
    expected = (4 * 1.0 + 7 * 10 / 11) / 11
    assert average_precision([-float(rank) for rank in range(11)], positive)[0] == pytest.approx(expected)


def test_the_order_of_the_images_does_not_matter_where_scores_are_equal() -> None:
    scores, positive = [1.0, 1.0, 1.0, 0.0], [True, False, False, True]
    once = average_precision(scores, positive)
    assert once == average_precision(scores[::-1], positive[::-1])
    assert once == average_precision(scores, [False, False, True, True])
    assert [part.tolist() for part in interpolated(scores, positive)] == [[0.5, 0.5], [0.5, 1]]


def test_ignored_images_and_classes_without_a_positive_are_left_out() -> None:
    scores = np.array([[3.0, 1.0, 5.0], [2.0, 2.0, 4.0], [1.0, 3.0, 3.0]])
    truth = np.array([[-1, 1, 0], [0, 0, 0], [1, 0, -1]])
    first, second, third = by_class(scores, truth)
    assert first == average_precision([2, 1], [False, True])
    assert second == average_precision([1, 2, 3], [True, False, False])
    assert third is None
