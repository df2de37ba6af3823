"""Steps that begin at a published number and sum exactly to the measured one, each paired image by image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmark.core.bootstrap import Numbers, bootstrap, bounded, clopper_pearson
from benchmark.core.types import Estimate

if TYPE_CHECKING:
    from benchmark.tasks.boxes.gap.scoring import Outcomes

CLASSIFICATION = "classification"
REST = "images, and what is not known"


class Effect(NamedTuple):
    """A change of an error.

    Attributes:
        estimate: Error after less error before, its interval by the paired bootstrap over the images.
        worse: Images that were right, or not counted, and are wrong.
        better: Images that were wrong and are right, or not counted.
    """

    estimate: Estimate
    worse: int = 0
    better: int = 0


class State(NamedTuple):
    """The conventions at one point of the walk, and what they give on the run's images.

    Attributes:
        convention: Convention that the step to this state changes; empty for the first.
        change: The change in words: from what to what.
        outcomes: ``None`` where they need another run.
        missing: Then, why and with which command.
    """

    convention: str
    change: str
    outcomes: Outcomes | None
    missing: str = ""


class Step(NamedTuple):
    """One change of conventions: a bar of the walk, or a setting on its own.

    Attributes:
        convention: Convention that is changed; several names if the states between need another run.
        change: The change in words: from what to what, or to which setting.
        effect: Effect in fractions; ``None`` if it needs another run or does not apply.
        error: Measured error once it is done; ``None`` before anything was measured.
        missing: Without an effect, why and with which command.
    """

    convention: str
    change: str
    effect: Effect | None
    error: float | None = None
    missing: str = ""


class PublishedError(NamedTuple):
    """The error at which the walk begins.

    Attributes:
        error: The published number, a fraction.
        classification: The published classification error of the same predictions, or ``None``.
    """

    error: float
    classification: float | None = None


@dataclass(frozen=True)
class Waterfall:
    """The whole walk.

    Attributes:
        published: Error at its beginning; ``None`` if none is comparable, to begin at the first measured one.
        steps: Steps in order; their effects sum to ``measured - published``.
        measured: Error at its end.
        unmeasured: Steps of the walk without an effect of their own: it is part of :data:`REST`, or of a step
            with several conventions.
    """

    published: PublishedError | None
    steps: tuple[Step, ...]
    measured: Estimate
    unmeasured: tuple[Step, ...]

    @property
    def start(self) -> float:
        """Return the error at which the steps begin."""
        if self.published:
            return self.published.error
        return self.measured.value - sum(step.effect.estimate.value for step in self.steps if step.effect)


def waterfall(
    published: PublishedError | None,
    states: Sequence[State],
    classification: Sequence[float | None],
    resamples: int,
) -> Waterfall:
    """Walk from the paper's conventions, the first state, to the run's, the last.

    From the published number to the first state that was measured there is no pairing by image: that part is
    other images, other weights, and whatever else is not known. Of it, classification's share stands apart:
    the difference in classification error times the published share of right boxes among right classes.

    Args:
        published: Error at which to begin.
        states: The last one measured.
        classification: Classification error of each state, for the same depth; ``None`` where it was not
            measured.
        resamples: Number of bootstrap resamples.

    Raises:
        ValueError: If the last state was not measured.
    """
    final = states[-1].outcomes
    if final is None:
        raise ValueError("the run's own state must be measured")
    begin = next(number for number, state in enumerate(states) if state.outcomes)
    first = states[begin].outcomes or final
    steps = list(_remainder(published, first, classification[begin], resamples)) if published else []
    unmeasured = []
    for number, (state, then) in enumerate(pairwise(states)):
        if state.outcomes is None:
            inside = f"{state.convention} apart from " if number > begin else ""
            unmeasured.append(Step(inside + then.convention, then.change, None, missing=state.missing))
    steps += _steps(first, states[begin + 1 :], resamples)
    return Waterfall(published, tuple(steps), error(final, resamples), tuple(unmeasured))


def _remainder(
    published: PublishedError, first: Outcomes, classification: float | None, resamples: int
) -> Iterator[Step]:
    """List the two steps before anything can be paired."""
    value, low, high, n = error(first, resamples)
    base = published.error
    if published.classification is not None and classification is not None and published.classification < 1:
        right = (1 - published.error) / (1 - published.classification)
        share = (classification - published.classification) * right
        errors = f"{100 * published.classification:.2f} → {100 * classification:.2f} %"
        change = f"error {errors}, box accuracy as published"
        yield Step(CLASSIFICATION, change, Effect(Estimate(share, share, share, n)), None)
        base += share
    yield Step(REST, "", Effect(Estimate(value - base, low - base, high - base, n)), value)


def _steps(before: Outcomes, states: Sequence[State], resamples: int) -> Iterator[Step]:
    """Go from one measured state to the next; those between that were not measured are taken together."""
    pending: list[State] = []
    for state in states:
        pending.append(state)
        if state.outcomes is not None:
            conventions = ", ".join(one.convention for one in pending if one.convention)
            changes = ", ".join(one.change for one in pending if one.change)
            yield Step(conventions, changes, effect(before, state.outcomes, resamples), state.outcomes.error)
            before, pending = state.outcomes, []


def effect(before: Outcomes, after: Outcomes, resamples: int, seed: int = 0) -> Effect:
    """Measure the effect of going from one way of counting the same images to another.

    Each resample draws images, not outcomes, and takes both errors of them, also where the two do not count
    the same images. Where no image changes, every resample is alike; the interval then is that of a change
    that was seen in 0 of ``n`` images, in either direction (Clopper and Pearson).

    Args:
        before: Outcomes of all images.
        after: Outcomes of the same images in the same order.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    first, second = (found.wrong & found.counted for found in (before, after))
    n = int((before.counted | after.counted).sum())
    if (first == second).all() and (before.counted == after.counted).all():
        most = clopper_pearson(n)[0][1]
        low, high = -most, most
    else:
        columns = np.stack((first, before.counted, second, after.counted), axis=1)
        low, high = bootstrap(columns, _difference, resamples, seed)
    estimate = Estimate(after.error - before.error, low, high, n)
    return Effect(estimate, int((second & ~first).sum()), int((first & ~second).sum()))


def _difference(means: Numbers) -> Numbers:
    """Turn means of wrong and counted, before and after, into the difference of the errors."""
    wrong, counted = means[:, 0::2], means[:, 1::2]
    errors = np.divide(wrong, counted, out=np.zeros_like(wrong), where=counted > 0)
    difference: Numbers = errors[:, 1] - errors[:, 0]
    return difference


def error(found: Outcomes, resamples: int, seed: int = 0) -> Estimate:
    """Estimate the error itself, with its interval."""
    wrong = found.wrong[found.counted]
    interval = bootstrap(wrong, lambda means: means[:, 0], resamples, seed)
    return bounded(found.error, len(wrong), interval)
