"""A gap as text and as csv."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmark.reporting.render import csv
from benchmark.reporting.render.layout import Block, Layout, Notes, Subtable, block
from benchmark.reporting.text import NONE, shown
from benchmark.tasks.boxes.gap.waterfall import CLASSIFICATION, REST, Step

if TYPE_CHECKING:
    from benchmark.tasks.boxes.gap.gap import Gap

_COLUMNS = ("points", "95 % interval", "worse / better", "error, %")
_HEADER = (
    *("part", "convention", "setting", "effect", "low", "high", "n", "worse", "better", "error"),
    "missing",
)


def layout(gap: Gap) -> Layout:
    """Lay out the waterfall, every setting alone, and what one must know to read them."""
    fall = gap.waterfall
    value, low, high, n = fall.measured
    ends = f"{100 * low:.2f} to {100 * high:.2f}"
    walk = [_bar(Step("published", "", None, fall.start))] if fall.published else []
    walk += map(_bar, fall.steps)
    walk.append(block(("measured", f"n = {n}"), ("", (NONE, ends, NONE, shown("", value)))))
    alone = [_bar(step) for step in gap.alone if step.effect]
    notes = (
        Notes("How to read it", tuple(_reading(gap))),
        Notes("Verdict", tuple(("", text) for text in (gap.verdict, gap.reproduced) if text)),
        Notes(
            "Steps that need another run, until then part of another bar",
            tuple((f"{step.convention} ({step.change})", step.missing) for step in fall.unmeasured),
        ),
        Notes(
            "Settings that need another run, or do not apply",
            tuple(
                (f"{step.convention}, {step.change}", step.missing) for step in gap.alone if not step.effect
            ),
        ),
    )
    way = "published number to the measured one" if fall.published else "paper's conventions to the run's"
    part = "" if gap.complete else " [not the published images]"
    return Layout(
        title=f"{gap.row}, {gap.metric}: from the {way}{part}",
        subtables=tuple(Subtable(_COLUMNS, tuple(blocks)) for blocks in (walk, alone) if blocks),
        notes=tuple(section for section in notes if section.items),
    )


def _bar(step: Step) -> Block:
    points, ends, counted = NONE, NONE, NONE
    if step.effect:
        (value, low, high, _), worse, better = step.effect
        points, *bounds = (shown("", number, signed=True) for number in (value, low, high))
        ends = NONE if low == high else " to ".join(bounds)
        counted = f"{worse} / {better}" if worse or better else NONE
    return block((step.convention, step.change), ("", (points, ends, counted, shown("", step.error))))


def _reading(gap: Gap) -> Iterator[tuple[str, str]]:
    yield "run", gap.run
    yield "images", gap.images
    if gap.waterfall.published:
        yield (
            "walk",
            "begins at the published number; each step changes one convention from the paper's setting to "
            "the run's and keeps it; the points sum exactly to measured minus published",
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


def rows(gap: Gap) -> str:
    """Write everything as csv, numbers as fractions."""
    fall = gap.waterfall
    value, low, high, n = fall.measured
    found = [_row("walk", Step("published", "", None, fall.start))] if fall.published else []
    found += [_row("walk", step) for step in (*fall.unmeasured, *fall.steps)]
    found.append(("walk", "measured", "", None, low, high, n, None, None, value, ""))
    found += [_row("alone", step) for step in gap.alone]
    return csv.written(_HEADER, found)


def _row(part: str, step: Step) -> tuple[object, ...]:
    effect = step.effect
    numbers = (*effect.estimate, effect.worse, effect.better) if effect else (None,) * 6
    return (part, step.convention, step.change, *numbers, step.error, step.missing)
