"""A gap as a picture: the waterfall, and beside it every setting alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.reporting.figure import png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmark.tasks.boxes.gap.gap import Gap

_UP, _DOWN, _END = "tab:red", "tab:green", "0.4"


def picture(gap: Gap) -> bytes:
    """Draw the gap as png; the same bytes for the same numbers and the same matplotlib."""

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
        _walk(left, gap)
        _settings(right, gap)
        part = "" if gap.complete else " [not the published images]"
        figure.suptitle(f"{gap.row}, {gap.metric}{part}")

    tried = sum(one.effect is not None for one in gap.alone)
    return png(draw, 12, 0.34 * max(len(gap.waterfall.steps) + 2, tried) + 1.4)


def _walk(axes: Axes, gap: Gap) -> None:
    """Draw bars that begin where the one before ended."""
    fall = gap.waterfall
    names, at = ["published" if fall.published else "paper's conventions"], 100 * fall.start
    axes.barh(0, at, color=_END)
    for step in fall.steps:
        if step.effect is None:
            continue
        value, low, high, _ = (100 * number for number in step.effect.estimate)
        place = len(names)
        axes.barh(place, value, left=at, color=_UP if value > 0 else _DOWN)
        axes.plot([at + low, at + high], [place, place], color="black", linewidth=1)
        end = at + max(0, value, low, high)
        axes.annotate(f"{value:+.2f}", (end, place), (4, -3), textcoords="offset points")
        at += value
        names.append(step.convention)
    axes.barh(len(names), at, color=_END)
    axes.set_yticks(range(len(names) + 1), [*names, "measured"])
    axes.invert_yaxis()
    ends = [100 * fall.start, at, 100 * fall.measured.low, 100 * fall.measured.high]
    axes.set_xlim(max(min(ends) - 12, 0), min(max(ends) + 12, 104))
    axes.set_xlabel(f"{gap.metric}, error in %")


def _settings(axes: Axes, gap: Gap) -> None:
    """Draw the effect of each setting alone, with its interval."""
    names: list[str] = []
    for one in gap.alone:
        if one.effect is None:
            continue
        value, low, high, _ = (100 * number for number in one.effect.estimate)
        axes.plot([low, high], [len(names)] * 2, color="black", linewidth=1)
        axes.plot(value, len(names), "o", color=_UP if value > 0 else _DOWN if value < 0 else _END)
        names.append(f"{one.convention}: {one.change}")
    axes.axvline(0, color=_END, linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("alone, points on the run's error")
