"""Steps that begin at a published number and sum exactly to the measured one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmark.core.types import Estimate
from benchmark.tasks.boxes.gap.effect import Effect, effect, error
from benchmark.tasks.boxes.gap.scoring import Outcomes

CLASSIFICATION = "classification"
REST = "images, and what is not known"


@dataclass(frozen=True)
class State:
    """The conventions at one point of the walk, and what they give on the run's images.

    Attributes:
        knob: What the step that ends here changes; empty for the first.
        turn: From what to what, in words.
        outcomes: ``None`` where that needs another run.
        missing: Then, why and with which command.
    """

    knob: str
    turn: str
    outcomes: Outcomes | None
    missing: str = ""


@dataclass(frozen=True)
class Step:
    """One bar.

    Attributes:
        knob: What is changed; several names where the points between them need another run.
        turn: From what to what.
        effect: In fractions.
        error: Measured error once it is done; ``None`` before anything was measured.
    """

    knob: str
    turn: str
    effect: Effect
    error: float | None


@dataclass(frozen=True)
class Published:
    """Where the walk begins.

    Attributes:
        error: The published number, a fraction.
        classes: The published classification error of the same guesses, or ``None``.
    """

    error: float
    classes: float | None = None


@dataclass(frozen=True)
class Waterfall:
    """The whole walk.

    Attributes:
        published: Where it begins; ``None`` where no number is comparable: then at the first measured error.
        steps: In order; their effects sum to ``measured - published``.
        measured: Where it ends.
        unmeasured: Steps of the walk that need another run, so that their effect is part of :data:`REST`, or
            of a step with several knobs; each with its turn, and why or the command.
    """

    published: Published | None
    steps: tuple[Step, ...]
    measured: Estimate
    unmeasured: tuple[tuple[str, str, str], ...]

    @property
    def start(self) -> float:
        """The error that the steps begin at."""
        if self.published:
            return self.published.error
        return self.measured.value - sum(step.effect.estimate.value for step in self.steps)


def waterfall(
    published: Published | None,
    states: Sequence[State],
    classes: Sequence[float | None],
    resamples: int,
) -> Waterfall:
    """Walk from the paper's conventions, the first state, to the run's, the last.

    From the published number to the first state that was measured there is no pairing by image: that part is
    other images, other weights, and whatever else is not known. Of it, classification's share is told apart:
    the difference in classification error times the published share of right boxes among right classes.

    Args:
        published: Where to begin.
        states: The last one measured.
        classes: Classification error of each state, for the same depth; ``None`` where it was not measured.
        resamples: Of the bootstrap.

    Raises:
        ValueError: If the last state was not measured.
    """
    measured = [number for number, state in enumerate(states) if state.outcomes]
    if not measured or measured[-1] != len(states) - 1:
        raise ValueError("the run's own state must be measured")
    first = states[measured[0]].outcomes
    assert first is not None
    steps = list(_remainder(published, first, classes[measured[0]], resamples)) if published else []
    steps += _steps(states[measured[0] :], resamples)
    final = states[-1].outcomes
    assert final is not None
    unmeasured = tuple(
        (
            f"{state.knob} apart from {then.knob}" if number > measured[0] else then.knob,
            then.turn,
            state.missing,
        )
        for number, (state, then) in enumerate(pairwise(states))
        if state.outcomes is None
    )
    return Waterfall(published, tuple(steps), error(final, resamples), unmeasured)


def _remainder(
    published: Published, first: Outcomes, classes: float | None, resamples: int
) -> Iterator[Step]:
    """The two bars before anything can be paired."""
    found = error(first, resamples)
    share = 0.0
    if published.classes is not None and classes is not None and published.classes < 1:
        right = (1 - published.error) / (1 - published.classes)
        share = (classes - published.classes) * right
        told = f"error {100 * published.classes:.2f} → {100 * classes:.2f} %, box accuracy as published"
        yield Step(CLASSIFICATION, told, Effect(Estimate(share, share, share, found.n), 0, 0), None)
    base = published.error + share
    rest = Estimate(found.value - base, found.low - base, found.high - base, found.n)
    yield Step(REST, "", Effect(rest, 0, 0), found.value)


def _steps(states: Sequence[State], resamples: int) -> Iterator[Step]:
    """From one measured state to the next; those between that were not measured are taken together."""
    before = states[0].outcomes
    pending: list[State] = []
    for state in states[1:]:
        pending.append(state)
        if before is None or state.outcomes is None:
            continue
        knobs, turns = (", ".join(filter(None, parts)) for parts in zip(*_named(pending), strict=True))
        yield Step(knobs, turns, effect(before, state.outcomes, resamples), state.outcomes.error)
        before, pending = state.outcomes, []


def _named(states: Sequence[State]) -> list[tuple[str, str]]:
    return [(state.knob, state.turn) for state in states]
