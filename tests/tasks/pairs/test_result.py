"""Stored pairs to numbers with intervals: against a bootstrap of plain loops, and by hand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import pair_scenes
from helpers.pair_scenes import (
    GRIDS,
    METRICS,
    OCCLUSION,
    Broken,
    made,
    multi_scene,
    parts,
    question,
    stored,
)
from scipy.stats import spearmanr

from benchmark.core.errors import UserError
from benchmark.core.paired import Statistic, first
from benchmark.core.types import OpenRow
from benchmark.pipeline.plan import Plan
from benchmark.pipeline.scene import Scene
from benchmark.tasks.pairs import result as results
from benchmark.tasks.pairs.metrics.rank_correlation import RankCorrelation
from benchmark.tasks.pairs.plan import PairRow
from benchmark.tasks.pairs.records import STORE, columns_of, metadata_of, read_pairs
from benchmark.tasks.pairs.result import Measured, Resampling, differences
from benchmark.tasks.pairs.types import ratios

NET = "googlenet_like"
FAST = Resampling(resamples=200)


def statistic(seed: int, n: int = 30, columns: int = 1, **options: Any) -> Statistic:
    values = np.random.default_rng(seed).standard_normal((n, columns))
    return Statistic(tuple(f"i{number}" for number in range(n)), values, **{"reduce": first, **options})


def drawn_one_by_one(numbers: Callable[[list[int]], float], n: int, times: int) -> tuple[float, float]:
    """The slow bootstrap: whole images drawn, the number made anew of each draw."""
    random = np.random.default_rng(99)
    found = sorted(numbers(random.integers(0, n, n).tolist()) for _ in range(times))
    return found[round(0.025 * (times - 1))], found[round(0.975 * (times - 1))]


def test_an_estimate_is_the_mean_with_the_interval_of_a_plain_bootstrap() -> None:
    one = statistic(1)
    made = Resampling().estimate(one)
    values = one.values[:, 0].tolist()
    assert made.value == pytest.approx(sum(values) / 30)
    assert made.n == 30
    low, high = drawn_one_by_one(lambda rows: sum(values[row] for row in rows) / 30, 30, 10_000)
    # Two bootstraps of 10,000 differ by their own chance: the quantile's standard error is 0.027 sigma.
    assert (made.low, made.high) == pytest.approx((low, high), abs=0.02)


def test_a_ratio_is_resampled_as_a_whole() -> None:
    random = np.random.default_rng(2)
    trials = random.integers(0, 3, (25, 2)).astype(np.float64)
    hits = np.floor(trials * random.random((25, 2)) + 0.4)
    one = statistic(0, 25, reduce=ratios)
    one = replace(one, values=np.concatenate([hits, trials], axis=1))

    def number(rows: list[int]) -> float:
        per_class = [(sum(hits[r, c] for r in rows), sum(trials[r, c] for r in rows)) for c in range(2)]
        return float(np.mean([hit / count for hit, count in per_class if count]))

    made = Resampling().estimate(one)
    assert made.value == pytest.approx(number(list(range(25))))
    low, high = drawn_one_by_one(number, 25, 5000)
    assert (made.low, made.high) == pytest.approx((low, high), abs=0.02)


def test_a_fraction_of_all_or_none_has_the_exact_interval_and_another_number_none() -> None:
    every, least = Statistic(("a", "b", "c"), np.ones((3, 1)), first, fraction=True), 0.025 ** (1 / 3)
    assert tuple(FAST.estimate(every)) == pytest.approx((1, least, 1, 3))
    none = replace(every, values=np.zeros((3, 1)))
    assert tuple(FAST.estimate(none)) == pytest.approx((0, 0, 1 - least, 3))
    assert FAST.estimate(replace(every, fraction=False)) == (1, 1, 1, 3)


def test_the_draws_are_those_of_the_seed() -> None:
    one = statistic(1)
    assert FAST.estimate(one) == FAST.estimate(one)
    assert FAST.estimate(one) != Resampling(200, seed=1).estimate(one)


def test_one_image_bounds_no_number_that_is_not_a_fraction() -> None:
    one = statistic(1, n=1)
    made = FAST.estimate(one)
    assert (made.value, made.n) == (one.values[0, 0], 1)
    assert (made.low, made.high) == (-np.inf, np.inf)
    assert np.isfinite(FAST.estimate(statistic(1, n=2))).all()


def test_a_share_of_one_image_s_pairs_may_be_any_of_another_image() -> None:
    half = Statistic(("a",), np.array([[1.0, 2.0]]), ratios, fraction=True)
    assert FAST.estimate(half) == (0.5, 0, 1, 1)


def test_one_common_image_tells_no_difference_from_zero() -> None:
    one = Statistic(("a", "b"), np.array([[1.0], [2]]), first)
    made = FAST.difference(one, Statistic(("b", "c"), np.array([[1.5], [9]]), first))
    assert made == (0.5, -np.inf, np.inf, 1)


def test_a_difference_is_paired_image_by_image() -> None:
    one = statistic(1)
    near = replace(one, values=one.values + 0.5 + 0.01 * statistic(2).values)
    made = Resampling().difference(near, one)
    assert made is not None
    each = (near.values - one.values)[:, 0].tolist()
    assert made.value == pytest.approx(sum(each) / 30)
    low, high = drawn_one_by_one(lambda rows: sum(each[row] for row in rows) / 30, 30, 10_000)
    assert (made.low, made.high) == pytest.approx((low, high), abs=2e-4)
    alone = Resampling().estimate(one)
    assert made.high - made.low < 0.05 * (alone.high - alone.low), "far narrower than either row's own"


def test_a_row_less_itself_is_zero_with_no_width() -> None:
    for one in (statistic(1), statistic(1, columns=4, reduce=ratios)):
        assert FAST.difference(one, one) == (0, 0, 0, 30)


def test_a_difference_is_over_the_images_that_both_have_whatever_their_order() -> None:
    one = Statistic(("a", "b", "c", "d"), np.array([[1.0], [2], [3], [40]]), first)
    other = Statistic(("c", "x", "b"), np.array([[0.5], [99], [1]]), first)
    made = FAST.difference(one, other)
    assert made is not None
    assert (made.value, made.n) == (((2 - 1) + (3 - 0.5)) / 2, 2)
    assert (made.low, made.high) == (1, 2.5)  # of two images, one may be drawn twice
    back = FAST.difference(other, one)
    assert back is not None
    assert (back.value, back.low, back.high, back.n) == (-1.75, -2.5, -1, 2)


def test_without_a_common_image_there_is_no_difference() -> None:
    one = statistic(1, 2)
    assert FAST.difference(one, replace(one, image_ids=("x", "y"))) is None


def planned(on: Scene, runs: Path, *methods: str) -> Plan[PairRow]:
    rows = [parts(on, f"{NET}/{method}", method) for method in methods or ("grad_cam", "cam", "backprop")]
    plan = pair_scenes.planned(on, runs, *rows)
    plan.measure()
    return plan


def measured(row: PairRow) -> Measured:
    found = results.result(row, FAST)
    assert isinstance(found, Measured)
    return found


def test_the_number_of_a_row_is_scipys_averaged_over_pairs_and_then_images(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    for row in planned(on, tmp_path / "runs").rows.values():
        assert row.reference is not None
        pairs, reference = stored(row.cell), stored(row.reference)
        estimates = measured(row).result.metrics
        for grid, name in ((4, "rank_correlation_4"), (5, "rank_correlation_5")):
            of_images: dict[str, list[float]] = {}
            for place, image in enumerate(pairs.image_ids):
                own, other = (p.columns[f"grid{grid}"][place].ravel() for p in (pairs, reference))
                value = 0.0 if np.ptp(own) == 0 or np.ptp(other) == 0 else spearmanr(own, other).statistic
                of_images.setdefault(image, []).append(float(value))
            by_hand = np.mean([np.mean(values) for values in of_images.values()])
            assert estimates[name].value == pytest.approx(by_hand)
            assert estimates[name].n == 4
            assert estimates[name].low <= by_hand <= estimates[name].high


def test_a_method_held_against_itself_is_in_perfect_order(tmp_path: Path) -> None:
    plan = planned(multi_scene(tmp_path), tmp_path / "runs", "occlusion")
    estimates = measured(plan.rows[f"{NET}/occlusion"]).result.metrics
    assert estimates["rank_correlation_4"][:3] == pytest.approx((1, 1, 1))


def test_a_result_tells_counts_protocol_metrics_and_reference(tmp_path: Path) -> None:
    on = multi_scene(tmp_path, unreadable="skip")
    (tmp_path / "image_003.png").write_bytes(b"")
    on.dataset.skipped["image_x"] = "not wanted"  # type: ignore[index]
    row = planned(on, tmp_path / "runs", "cam").rows[f"{NET}/cam"]
    found = measured(row).result
    assert found.counts == {
        "expected": 7,
        "done": 6,
        "skipped": 2,
        "images_asked": 3,
        "pairs": 6,
        "unknown_classes": 0,
        "constant_maps": int(stored(row.cell).columns["constant"].sum()),
        "constant_reference_maps": 0,
    }
    assert (found.row, found.model, found.method) == (f"{NET}/cam", NET, "cam")
    assert found.localizer == "occlusion, labelled v1"
    assert found.fingerprint == row.cell.fingerprint
    assert found.conditions["resampling"] == {"resamples": 200, "seed": 0}
    assert "labelled v1; summary v1; rank_correlation v1: " in found.conditions["protocol"]
    assert found.config["reference"] == {"name": "occlusion", "patch": OCCLUSION.patch}


def test_constant_maps_are_counted_for_method_and_reference(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    row = planned(on, tmp_path / "runs", "cam").rows[f"{NET}/cam"]
    path = STORE.file(row.cell.folder, 0)
    pairs, (how,) = read_pairs([path]), STORE.read([path]).made
    changed = replace(pairs, columns={**pairs.columns, "constant": np.array([True, False, True])})
    STORE.write(row.cell.shard(0), columns_of(changed), metadata_of(changed), how)
    assert measured(row).result.counts["constant_maps"] == 2 + int(
        stored(row.cell).columns["constant"][3:].sum()
    )


def test_every_maker_of_method_and_reference_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on = multi_scene(tmp_path)
    row = planned(on, tmp_path / "runs", "cam").rows[f"{NET}/cam"]
    assert row.reference is not None
    STORE.file(row.reference.folder, 1).unlink()
    monkeypatch.setattr("benchmark.core.provenance.made_by", lambda device: {"commit": "another"})
    made(row.reference.scene, question(), [row.reference])
    makers = measured(row).result.conditions["made_by"]
    assert len(makers) == 2
    assert {"commit": "another", "batch_size": 3} in makers


@pytest.mark.parametrize("whose", ["cell", "reference"])
def test_one_missing_shard_leaves_the_row_open(tmp_path: Path, whose: str) -> None:
    row = planned(multi_scene(tmp_path), tmp_path / "runs", "cam").rows[f"{NET}/cam"]
    STORE.file(getattr(row, whose).folder, 2).unlink()
    assert results.result(row, FAST) == OpenRow(
        f"{NET}/cam", NET, "cam", "1 of 10 shards are not done yet", True
    )


def test_a_reference_of_other_pairs_is_refused_and_not_compared_by_place(tmp_path: Path) -> None:
    on = multi_scene(tmp_path, unreadable="skip")
    row = planned(on, tmp_path / "runs", "cam").rows[f"{NET}/cam"]
    assert row.reference is not None
    (tmp_path / "image_001.png").write_bytes(b"")
    STORE.file(row.reference.folder, 1).unlink()
    made(row.reference.scene, question(), [row.reference])
    with pytest.raises(UserError, match=r"not of the same images and classes.*delete both") as caught:
        results.result(row, FAST)
    assert str(row.reference.folder) in str(caught.value)


def test_numbers_need_neither_images_nor_network(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    plan = planned(on, tmp_path / "runs")
    before = [measured(row).result for row in plan.rows.values()]
    for image in tmp_path.glob("*.png"):
        image.unlink()
    on.model.module.forward = Broken().forward
    assert [measured(row).result for row in plan.rows.values()] == before


def test_each_row_has_the_metrics_that_it_asked_for(tmp_path: Path) -> None:
    plan = planned(multi_scene(tmp_path), tmp_path / "runs", "backprop")
    row = plan.rows[f"{NET}/backprop"]
    kendall = replace(
        row,
        metrics={"rank_correlation": RankCorrelation("rank_correlation", 1, "kendall", grids=GRIDS)},
    )
    assert set(measured(row).result.metrics) == {"rank_correlation_4", "rank_correlation_5", "constant_maps"}
    assert set(measured(kendall).result.metrics) == {"kendall_4", "kendall_5", "constant_maps"}
    assert row.metrics == METRICS


def test_a_row_without_a_reference_says_so(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    row = planned(on, tmp_path / "runs", "cam").rows[f"{NET}/cam"]
    with pytest.raises(UserError, match=r"needs maps to compare with; add method@reference="):
        results.result(replace(row, reference=None), FAST)


def test_rows_are_compared_with_those_of_their_network_and_setting_the_higher_first(tmp_path: Path) -> None:
    on = multi_scene(tmp_path)
    plan = planned(on, tmp_path / "runs")
    found = [measured(row) for row in plan.rows.values()]
    lone = replace(found[0], result=replace(found[0].result, row=f"{NET}/grad_cam/patch=9"))
    made = differences([*found, lone], "rank_correlation_4", FAST)
    assert len(made) == 3
    values = {one.result.row: one.result.metrics["rank_correlation_4"].value for one in found}
    for one in made:
        assert values[one.first] >= values[one.second]
        assert one.estimate.value == pytest.approx(values[one.first] - values[one.second])
        assert one.estimate.low <= one.estimate.value <= one.estimate.high
        assert one.metric == "rank_correlation_4"
    assert differences(found, "pointing", FAST) == ()
