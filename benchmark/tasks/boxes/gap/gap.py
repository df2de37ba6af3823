"""A gap as one value: what is printed and drawn of it."""

from dataclasses import dataclass

from benchmark.tasks.boxes.gap.effect import Effect
from benchmark.tasks.boxes.gap.waterfall import Waterfall


@dataclass(frozen=True)
class Alone:
    """One other setting of one knob, everything else as in the run.

    Attributes:
        knob: What is turned.
        name: The setting.
        effect: On the run's error, fractions; ``None`` where it needs another run or does not apply.
        missing: Then, why, and with which command.
    """

    knob: str
    name: str
    effect: Effect | None
    missing: str = ""


@dataclass(frozen=True)
class Gap:
    """Everything about the distance between a published and a measured number.

    Attributes:
        row: The row's name.
        metric: ``loc_top1`` or ``loc_top5``.
        images: What it was measured on, in one line.
        complete: Whether that is the whole official set.
        waterfall: The walk from the published number.
        run: Model, method and protocol, in one line.
        same: Knobs that are alike in paper and run, as far as is known.
        alone: Every other setting on its own.
        verdict: On the row's number, with its reasons; or why there is none.
        reproduced: What another study measured, in a sentence; empty for none.
    """

    row: str
    metric: str
    images: str
    complete: bool
    run: str
    waterfall: Waterfall
    same: tuple[str, ...]
    alone: tuple[Alone, ...]
    verdict: str
    reproduced: str
