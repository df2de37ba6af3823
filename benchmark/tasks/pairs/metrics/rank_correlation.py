"""Rank correlation of a method's maps with its reference's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from scipy.stats import kendalltau

from benchmark.core.bootstrap import Numbers
from benchmark.core.errors import UserError
from benchmark.core.options import Count
from benchmark.core.paired import Statistic
from benchmark.core.types import BoolArray
from benchmark.tasks.pairs.metrics.common.map_metric import MapMetric
from benchmark.tasks.pairs.metrics.common.ranks import even, spearman
from benchmark.tasks.pairs.statistics import answered, column, image_mean
from benchmark.tasks.pairs.types import Answers, ClassPolicy, Pairs, Reading

_NAMES = {"spearman": "rank_correlation", "kendall": "kendall"}
_SIGNS: dict[str, Callable[[Numbers], Numbers]] = {
    "signed": lambda maps: maps,
    "abs": np.abs,
    "relu": lambda maps: np.maximum(maps, 0),
}
_USUAL = 14  # the grid that a name does not tell
_AT_ONCE = 2048


@dataclass(frozen=True)
class RankCorrelation(MapMetric, group="pair_metric.rank_correlation"):
    """The rank correlation of a method's map with the reference's (the occlusion map), over a grid of cells.

    It is the Grad-CAM paper's measure of faithfulness (§5.3), of which it states neither grid nor coefficient
    nor sign; protocol §6.3 gives the reasons for the defaults. Both maps are averaged over the cells of a
    grid over the network's input, changed as ``sign`` says, and ranked; equal values get the average of their
    ranks. (Zeros that a ReLU leaves stay exactly zero in an average over zeros, and so are ties.)

    ``rank_correlation`` is that of a 14 x 14 grid, ``rank_correlation_28`` of 28 x 28, and so on; Kendall's
    are ``kendall`` and ``kendall_28``. Each is the mean over the pairs of an image, then over the images.
    ``constant_maps`` is the share of pairs of which either map is constant on the first grid: as a whole, or
    since its cells differ by less than a millionth of the largest.

    Attributes:
        coefficient: ``spearman``, Pearson's correlation of the ranks, or ``kendall``, Kendall's tau-b.
        sign: How the cells of both maps are changed before they are ranked: ``signed``, ``abs`` or ``relu``.
        constant: How a pair with a constant map counts: as ``zero``, no correlation, or ``leave_out``.
        difficult: How pairs of a class count of which all objects are difficult: ``leave_out`` or ``keep``.
            Those of a class that the image does not hold always count.
        grids: Numbers of cells along a side, ascending; the reading must store them.
    """

    coefficient: Literal["spearman", "kendall"] = "spearman"
    sign: Literal["signed", "abs", "relu"] = "signed"
    constant: Literal["zero", "leave_out"] = "zero"
    difficult: Literal["leave_out", "keep"] = "leave_out"
    grids: Annotated[tuple[Count, ...], "ascending", "not empty"] = (14, 28)
    needs_reference: ClassVar[bool] = True

    @property
    def gives(self) -> tuple[str, ...]:
        """Return the names of its statistics: the correlation on each grid, and ``constant_maps``."""
        return (*(self._name(grid) for grid in self.grids), "constant_maps")

    def check(self, policy: ClassPolicy, readings: Mapping[str, Reading]) -> None:
        """Refuse a grid that the reading ``summary`` does not store; accept any classes.

        Raises:
            UserError: With the names of both options.
        """
        stored = set(getattr(readings["summary"], "grids", self.grids))
        lacking = [grid for grid in self.grids if grid not in stored]
        if lacking:
            own, every, there = (
                ",".join(map(str, grids))
                for grids in (self.grids, sorted(stored.union(lacking)), sorted(stored))
            )
            raise UserError(
                f"pair_metric.rank_correlation.grids=[{own}]: the reading summary stores no grid of "
                f"{lacking[0]}; choose of {there}, or add reading.summary.grids=[{every}]"
            )

    def _name(self, grid: int) -> str:
        return _NAMES[self.coefficient] + ("" if grid == _USUAL else f"_{grid}")

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return the correlations, and the share of constant maps.

        Raises:
            UserError: If there is no reference, or the pairs lack the columns of the reading ``summary``.
        """
        if answers.reference is None:
            raise UserError(
                "reference: rank_correlation needs maps to compare with; add method@reference=occlusion"
            )
        pairs = answers.pairs
        counted = np.full(len(pairs), True) if self.difficult == "keep" else ~pairs.columns["difficult"]
        found: dict[str, Statistic] = {}
        for grid in self.grids:
            own, other = self._cells(pairs, grid), self._cells(answers.reference, grid)
            flat = _flat(pairs, own) | _flat(answers.reference, other)
            values = self._correlations(own, other, counted & ~flat)
            kept = counted & ~flat if self.constant == "leave_out" else counted
            found[self._name(grid)] = image_mean(pairs, values, kept)
            found.setdefault("constant_maps", image_mean(pairs, flat, counted, fraction=True))
        return answered(found)

    def _cells(self, pairs: Pairs, grid: int) -> Numbers:
        """Return the values that are ranked, ``[n, cells]`` float64."""
        option = f"reading.summary.grids=[{','.join(map(str, self.grids))}]"
        maps = column(pairs, f"grid{grid}", "summary", option).astype(np.float64)
        return _SIGNS[self.sign](maps.reshape(len(maps), grid**2))

    def _correlations(self, own: Numbers, other: Numbers, wanted: BoolArray) -> Numbers:
        """Return the correlation of each wanted pair ``[n]``, 0 elsewhere, a few thousand pairs at a time."""
        values = np.zeros(len(wanted))
        rows = np.flatnonzero(wanted)
        correlate = {"spearman": spearman, "kendall": kendall}[self.coefficient]
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            values[part] = correlate(own[part], other[part])
        return values


def kendall(left: Numbers, right: Numbers) -> Numbers:
    """Return Kendall's tau-b of each row of ``[n, m]`` with the same row of the other; none is constant."""
    taus = [kendalltau(a, b).statistic for a, b in zip(left, right, strict=True)]
    return np.array(taus, np.float64)


def _flat(pairs: Pairs, cells: Numbers) -> BoolArray:
    """Return which maps have one value only, ``[n]``.

    The reading says whether the whole map is constant. The cells can be constant although it is not, if its
    differences average out or the change of sign removes them; sums of equal numbers may differ by rounding.
    """
    flat: BoolArray = column(pairs, "constant", "summary") | even(cells)
    return flat
