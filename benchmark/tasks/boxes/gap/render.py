"""A gap as text and as csv."""

import csv
import io
from collections.abc import Iterator

from benchmark.reporting.render.layout import Block, Layout, Panel, Strip
from benchmark.reporting.render.notes import Notes
from benchmark.reporting.text import NONE
from benchmark.tasks.boxes.gap.effect import Effect
from benchmark.tasks.boxes.gap.gap import Alone, Gap
from benchmark.tasks.boxes.gap.waterfall import CLASSIFICATION, REST, Step

_COLUMNS = ("points", "95 % interval", "worse / better", "error, %")
_HEADER = ("part", "knob", "setting", "effect", "low", "high", "n", "worse", "better", "error", "missing")


def layout(gap: Gap) -> Layout:
    """The waterfall, every setting alone, and what one must know to read them."""
    fall = gap.waterfall
    blocks = [_bar("published", "", NONE, fall.start)] if fall.published else []
    blocks += [_step(step) for step in fall.steps]
    blocks.append(_measured(gap))
    panels = [Panel(_COLUMNS, tuple(blocks))]
    tried = [one for one in gap.alone if one.effect]
    if tried:
        panels.append(Panel(_COLUMNS, tuple(_alone(one, fall.measured.value) for one in tried)))
    notes = (
        Notes("How to read it", tuple(_reading(gap))),
        Notes("Verdict", tuple(("", text) for text in (gap.verdict, gap.reproduced) if text)),
        Notes("Steps that need another run, until then part of another bar", tuple(_unmeasured(gap))),
        Notes("Settings that need another run, or do not apply", tuple(_missing(gap))),
    )
    part = "" if gap.complete else " [not the published images]"
    ends = (
        "the published number to the measured one"
        if fall.published
        else "the paper's conventions to the run's"
    )
    title = f"{gap.row}, {gap.metric}: from {ends}{part}"
    return Layout(title, tuple(panels), tuple(section for section in notes if section.items))


def _bar(knob: str, turn: str, points: str, error: float | None, *more: str) -> Block:
    cells = (points, *(more or (NONE, NONE)), NONE if error is None else f"{100 * error:.2f}")
    return Block((knob, turn), (Strip("", cells),))


def _effect(effect: Effect) -> tuple[str, str, str]:
    value, low, high, _ = effect.estimate
    points, *ends = (f"{round(100 * number, 2) + 0.0:+.2f}" for number in (value, low, high))
    counted = f"{effect.worse} / {effect.better}" if effect.worse or effect.better else NONE
    return points, NONE if low == high else f"{ends[0]} to {ends[1]}", counted


def _step(step: Step) -> Block:
    points, *more = _effect(step.effect)
    return _bar(step.knob, step.turn, points, step.error, *more)


def _alone(one: Alone, measured: float) -> Block:
    assert one.effect is not None
    points, *more = _effect(one.effect)
    return _bar(one.knob, one.name, points, measured + one.effect.estimate.value, *more)


def _measured(gap: Gap) -> Block:
    value, low, high, n = gap.waterfall.measured
    return _bar("measured", f"n = {n}", NONE, value, f"{100 * low:.2f} to {100 * high:.2f}", NONE)


def _reading(gap: Gap) -> Iterator[tuple[str, str]]:
    yield "run", gap.run
    yield "images", gap.images
    if gap.waterfall.published:
        yield (
            "walk",
            "begins at the published number; each step turns one convention from the paper's setting to the "
            "run's and keeps it; the points sum exactly to measured minus published",
        )
        yield (
            REST,
            "measured, with the paper's conventions as far as they could be computed, minus published with "
            "classification's share. Other images and weights, and whatever is left open: not decomposed",
        )
        share = "the difference in classification error, times the published share of right boxes among "
        yield CLASSIFICATION, f"{share}rightly classified images; on these images, so they have a part in it"
    yield (
        "95 % interval",
        "paired bootstrap over the images; of a step that changes no image, what 0 of n allows. "
        "worse / better: images that become wrong / stop being wrong",
    )
    if gap.same:
        yield "the same in paper and run, as far as is known", ", ".join(gap.same)
    yield "alone", "second table: what the run's error would be with one other setting, all else as it is"


def _unmeasured(gap: Gap) -> Iterator[tuple[str, str]]:
    for knob, turn, missing in gap.waterfall.unmeasured:
        yield f"{knob} ({turn})", missing


def _missing(gap: Gap) -> Iterator[tuple[str, str]]:
    return ((f"{one.knob}, {one.name}", one.missing) for one in gap.alone if not one.effect)


def rows(gap: Gap) -> str:
    """Everything as csv, numbers as fractions."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_HEADER)
    fall = gap.waterfall
    if fall.published:
        writer.writerow(("walk", "published", "", *[""] * 6, fall.start, ""))
    for knob, turn, missing in fall.unmeasured:
        writer.writerow(("walk", knob, turn, *[""] * 7, missing))
    for step in fall.steps:
        writer.writerow(("walk", step.knob, step.turn, *_numbers(step.effect), step.error, ""))
    value, low, high, n = fall.measured
    writer.writerow(("walk", "measured", "", "", low, high, n, "", "", value, ""))
    for one in gap.alone:
        after = value + one.effect.estimate.value if one.effect else ""
        numbers = _numbers(one.effect) if one.effect else ("",) * 6
        writer.writerow(("alone", one.knob, one.name, *numbers, after, one.missing))
    return buffer.getvalue()


def _numbers(effect: Effect) -> tuple[float, float, float, int, int, int]:
    return (*effect.estimate, effect.worse, effect.better)
