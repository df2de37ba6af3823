"""The walk: its steps sum to the difference, whatever is missing on the way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.tasks.boxes.gap.scoring import Outcomes
from benchmark.tasks.boxes.gap.waterfall import CLASSIFICATION, REST, PublishedError, State, Step, waterfall

N = 40


def state(seed: int, present: bool = True) -> State:
    rng = np.random.default_rng(seed)
    found = Outcomes(rng.random(N) < 0.5, rng.random(N) < 0.9)
    return State(
        f"convention {seed}", f"a → {seed}", found if present else None, "" if present else f"run {seed}"
    )


@given(st.lists(st.booleans(), max_size=5), st.floats(0, 1), st.floats(0, 0.9), st.floats(0, 1))
def test_the_steps_sum_to_measured_minus_published(
    present: list[bool], published: float, classes: float, measured_classes: float
) -> None:
    states = [state(number, there) for number, there in enumerate([*present, True])]
    fall = waterfall(
        PublishedError(published, classes),
        states,
        [measured_classes if s.outcomes else None for s in states],
        20,
    )
    total = sum(step.effect.estimate.value for step in fall.steps if step.effect)
    assert fall.start + total == pytest.approx(fall.measured.value, abs=1e-12)
    assert fall.start == published
    last = states[-1].outcomes
    assert last is not None
    assert fall.measured.value == last.error


def test_without_a_published_number_the_walk_begins_at_the_first_measured_state() -> None:
    fall = waterfall(None, [state(0), state(1)], [None, None], 20)
    first = state(0).outcomes
    assert first is not None
    assert fall.start == pytest.approx(first.error)
    assert [step.convention for step in fall.steps] == ["convention 1"]


def test_what_cannot_be_measured_at_the_beginning_is_part_of_the_rest_and_is_named() -> None:
    fall = waterfall(
        PublishedError(0.5), [state(0, False), state(1, False), state(2), state(3)], [None] * 4, 20
    )
    assert [step.convention for step in fall.steps] == [REST, "convention 3"]
    assert fall.unmeasured == (
        Step("convention 1", "a → 1", None, missing="run 0"),
        Step("convention 2", "a → 2", None, missing="run 1"),
    )


def test_steps_around_a_state_that_cannot_be_measured_are_taken_together() -> None:
    fall = waterfall(PublishedError(0.5), [state(0), state(1, False), state(2)], [None] * 3, 20)
    assert [(step.convention, step.change) for step in fall.steps] == [
        (REST, ""),
        ("convention 1, convention 2", "a → 1, a → 2"),
    ]
    (step,) = fall.unmeasured
    assert step == Step("convention 1 apart from convention 2", "a → 2", None, missing="run 1")


def test_the_share_of_classification_keeps_the_published_share_of_right_boxes() -> None:
    """Published: 40 % right in class, 20 % in both, so every second box. Measured: 60 % in class: 30 %."""
    fall = waterfall(PublishedError(0.8, 0.6), [state(0)], [0.4], 20)
    first, rest = fall.steps
    assert first.convention == CLASSIFICATION
    assert first.effect is not None
    assert rest.effect is not None
    assert first.effect.estimate.value == pytest.approx(0.7 - 0.8)
    assert rest.effect.estimate.value == pytest.approx(fall.measured.value - 0.7)
    low, high = rest.effect.estimate[1:3]
    assert (low, high) == pytest.approx((fall.measured.low - 0.7, fall.measured.high - 0.7))


def test_a_run_that_is_not_there_is_a_defect_of_the_caller() -> None:
    with pytest.raises(ValueError, match="must be measured"):
        waterfall(None, [state(0), state(1)._replace(outcomes=None)], [None, None], 20)
