"""Tables of pairs on a small scene, for the tests of the sheets beside them."""

from dataclasses import replace
from pathlib import Path

from benchmark.tasks.pairs.run import measure

from benchmark.pipeline.scene import Scene
from benchmark.reporting.table import DatasetNote, Table
from benchmark.tasks.pairs.metrics.pointing_game import PointingGame
from benchmark.tasks.pairs.pictures.exhibit import Exhibit
from benchmark.tasks.pairs.plan import PairParts, PairPlan
from benchmark.tasks.pairs.result import Measured, Resampling, result
from helpers.pair_scenes import parts

NET = "googlenet_like"
FAST = Resampling(resamples=10)


def alone(on: Scene, row: str, method: str, policy: str = "labelled") -> PairParts:
    """A row without a reference."""
    pointing = {"pointing_game": PointingGame("pointing_game", 1)}
    return replace(parts(on, row, method, None, policy), metrics=lambda: pointing)


def planned(on: Scene, folder: Path, *rows: PairParts, run: bool = True) -> PairPlan:
    plan = PairPlan(on.dataset, on.settings, folder / "runs")
    for row in rows:
        plan.add(row)
    for scene, question, cells in plan.work() if run else ():
        measure(scene, question, cells)
    return plan


def exhibit(plan: PairPlan, count: int = 3) -> Exhibit:
    found = [result(row, FAST) for row in plan.rows.values()]
    rows = tuple(one.result if isinstance(one, Measured) else one for one in found)
    note = DatasetNote("folder", len(plan.dataset.samples), False, plan.dataset.fingerprint)
    return Exhibit(Table("small", "Small", note, rows), plan.rows, count)
