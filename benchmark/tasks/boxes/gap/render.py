"""A gap as text and as csv."""

from collections.abc import Iterator

from benchmark.reporting.render import csv
from benchmark.reporting.render.layout import Block, Layout, Notes, Panel, block
from benchmark.reporting.text import NONE, shown
from benchmark.tasks.boxes.gap.gap import Gap
from benchmark.tasks.boxes.gap.waterfall import CLASSIFICATION, REST, Effect

_COLUMNS = ("points", "95 % interval", "worse / better", "error, %")
_HEADER = (
    *("part", "convention", "setting", "effect", "low", "high", "n", "worse", "better", "error"),
    "missing",
)


def layout(gap: Gap) -> Layout:
    """Lay out the waterfall, every setting alone, and what one must know to read them."""
    fall = gap.waterfall
    value, low, high, n = fall.measured
    walk = [_bar("published", "", error=fall.start)] if fall.published else []
    walk += [_bar(step.convention, step.change, step.effect, step.error) for step in fall.steps]
    interval = f"{100 * low:.2f} to {100 * high:.2f}"
    walk.append(block(("measured", f"n = {n}"), ("", (NONE, interval, NONE, shown("", value)))))
    alone = [
        _bar(one.convention, one.name, one.effect, value + one.effect.estimate.value)
        for one in gap.alone
        if one.effect
    ]
    notes = (
        Notes("How to read it", tuple(_reading(gap))),
        Notes("Verdict", tuple(("", text) for text in (gap.verdict, gap.reproduced) if text)),
        Notes(
            "Steps that need another run, until then part of another bar",
            tuple((f"{name} ({change})", why) for name, change, why in fall.unmeasured),
        ),
        Notes(
            "Settings that need another run, or do not apply",
            tuple((f"{one.convention}, {one.name}", one.missing) for one in gap.alone if not one.effect),
        ),
    )
    ends = "published number to the measured one" if fall.published else "paper's conventions to the run's"
    part = "" if gap.complete else " [not the published images]"
    return Layout(
        title=f"{gap.row}, {gap.metric}: from the {ends}{part}",
        panels=tuple(Panel(_COLUMNS, tuple(blocks)) for blocks in (walk, alone) if blocks),
        notes=tuple(section for section in notes if section.items),
    )


def _bar(name: str, change: str, effect: Effect | None = None, error: float | None = None) -> Block:
    points, interval, counted = NONE, NONE, NONE
    if effect:
        points, low, high = (shown("", number, signed=True) for number in effect.estimate[:3])
        certain = effect.estimate.low == effect.estimate.high
        interval = NONE if certain else f"{low} to {high}"
        counted = f"{effect.worse} / {effect.better}" if effect.worse or effect.better else NONE
    return block((name, change), ("", (points, interval, counted, shown("", error))))


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
    fall, nothing = gap.waterfall, (None,) * 6
    value, low, high, n = fall.measured
    found: list[tuple[object, ...]] = []
    if fall.published:
        found.append(("walk", "published", None, *nothing, fall.start, None))
    found += [("walk", name, change, *nothing, None, missing) for name, change, missing in fall.unmeasured]
    found += [
        ("walk", step.convention, step.change, *_numbers(step.effect), step.error, None)
        for step in fall.steps
    ]
    found.append(("walk", "measured", None, None, low, high, n, None, None, value, None))
    for one in gap.alone:
        after = value + one.effect.estimate.value if one.effect else None
        numbers = _numbers(one.effect) if one.effect else nothing
        found.append(("alone", one.convention, one.name, *numbers, after, one.missing))
    return csv.written(_HEADER, found)


def _numbers(effect: Effect) -> tuple[float, float, float, int, int, int]:
    return (*effect.estimate, effect.worse, effect.better)
