"""Rank correlation: scipy as the oracle, and the rules of constant maps, signs and difficult pairs."""

import itertools
from typing import Any

import numpy as np
import pytest
from helpers.handmade_pairs import number, pairs
from scipy.stats import spearmanr

from benchmark.core.errors import UserError
from benchmark.tasks.pairs.class_policies.labelled import Labelled
from benchmark.tasks.pairs.metrics.rank_correlation import RankCorrelation
from benchmark.tasks.pairs.readings.summary import Summary
from benchmark.tasks.pairs.types import Answers, Pairs

RAMP = np.arange(196).reshape(14, 14)


def metric(**options: Any) -> RankCorrelation:
    return RankCorrelation("rank_correlation", 1, **options)


def maps_of(images: str, grid14: Any, **columns: Any) -> Pairs:
    return pairs(images, **{"grid14": grid14, "constant": False, **columns})


def found(own: Pairs, other: Pairs, **options: Any) -> dict[str, float]:
    statistics = metric(**{"grids": (14,), **options})(Answers(own, other))
    return {name: number(statistic) for name, statistic in statistics.items()}


def tied(seed: int, side: int, n: int = 12) -> np.ndarray[Any, Any]:
    """Random maps of few distinct values, half of them rectified, so that most cells are tied."""
    maps = np.random.default_rng(seed).integers(-4, 5, (n, side, side)).astype(np.float32)
    maps[::2] = np.maximum(maps[::2], 0)
    return maps


def tau_b(a: list[float], b: list[float]) -> float:
    """By its definition: over all pairs of cells."""
    both = list(itertools.combinations(zip(a, b, strict=True), 2))
    agree = sum(np.sign(p[0] - q[0]) * np.sign(p[1] - q[1]) for p, q in both)
    untied = [sum(p[axis] != q[axis] for p, q in both) for axis in (0, 1)]
    return float(agree / np.sqrt(untied[0] * untied[1]))


def test_spearman_with_many_ties_is_scipy_s_on_both_grids() -> None:
    own, other = ({"grid14": tied(s, 14), "grid28": tied(s + 1, 28)} for s in (1, 5))
    held, against = (pairs("abcdefghijkl", constant=False, **maps) for maps in (own, other))
    answers = Answers(held, against)
    statistics = metric()(answers)
    assert list(statistics) == ["rank_correlation", "constant_maps", "rank_correlation_28"]
    for grid, name in (("grid14", "rank_correlation"), ("grid28", "rank_correlation_28")):
        each = [spearmanr(a, b, axis=None).statistic for a, b in zip(own[grid], other[grid], strict=True)]
        np.testing.assert_allclose(statistics[name].values[:, 0], each, atol=1e-12)


def test_kendall_with_many_ties_is_tau_b_by_its_definition() -> None:
    own, other = tied(2, 14, 3), tied(3, 14, 3)
    statistics = metric(coefficient="kendall", grids=[14])(
        Answers(maps_of("abc", own), maps_of("abc", other))
    )
    each = [tau_b(a.ravel().tolist(), b.ravel().tolist()) for a, b in zip(own, other, strict=True)]
    assert list(statistics) == ["kendall", "constant_maps"]
    np.testing.assert_allclose(statistics["kendall"].values[:, 0], each, atol=1e-12)


@pytest.mark.parametrize(("sign", "rule"), [("abs", np.abs), ("relu", lambda m: np.maximum(m, 0))])
def test_the_sign_is_taken_of_the_map_and_of_the_reference(sign: str, rule: Any) -> None:
    own, other = tied(4, 14), tied(9, 14)
    statistic = metric(sign=sign)(
        Answers(
            pairs("abcdefghijkl", grid14=own, grid28=tied(1, 28), constant=False),
            pairs("abcdefghijkl", grid14=other, grid28=tied(2, 28), constant=False),
        )
    )["rank_correlation"]
    each = [spearmanr(rule(a), rule(b), axis=None).statistic for a, b in zip(own, other, strict=True)]
    np.testing.assert_allclose(statistic.values[:, 0], each, atol=1e-12)


def test_any_growing_function_of_a_map_correlates_wholly_and_its_negative_not_at_all() -> None:
    own = maps_of("ab", [np.exp(RAMP / 20), -RAMP])
    assert metric(grids=[14])(Answers(own, maps_of("ab", [RAMP, RAMP])))[
        "rank_correlation"
    ].values.tolist() == [[1.0], [-1.0]]


def test_the_mean_is_over_an_image_s_pairs_then_over_images() -> None:
    own = maps_of("aaab", [RAMP, RAMP, -RAMP, -RAMP])
    other = maps_of("aaab", [RAMP] * 4)
    assert found(own, other)["rank_correlation"] == pytest.approx((1 / 3 - 1) / 2)


@pytest.mark.parametrize(("constant", "expected"), [("zero", (1 / 2 + 0 + 0) / 3), ("leave_out", 1)])
def test_a_constant_map_counts_zero_or_is_left_out(constant: str, expected: float) -> None:
    flat = np.full((14, 14), 0.3)
    own = maps_of("aabc", [RAMP, flat, RAMP, flat])
    other = maps_of("aabc", [RAMP, RAMP, flat, flat])
    numbers = found(own, other, constant=constant)
    assert numbers["rank_correlation"] == pytest.approx(expected)
    assert numbers["constant_maps"] == pytest.approx((0.5 + 1 + 1) / 3)


def test_rounding_is_no_order_and_what_the_reading_calls_constant_is() -> None:
    noise = np.random.default_rng(0).random((14, 14))
    own = maps_of(
        "abcd", [0.3 + 1e-8 * noise, RAMP, -RAMP, 1e-8 * noise], constant=[False, True, False, False]
    )
    other = maps_of("abcd", [RAMP] * 4)
    numbers = metric(grids=[14])(Answers(own, other))["constant_maps"].values[:, 0]
    assert numbers.tolist() == [1, 1, 0, 0]
    rectified = metric(grids=[14], sign="relu")(Answers(own, other))["constant_maps"].values[:, 0]
    assert rectified.tolist() == [1, 1, 1, 0]


def test_a_class_of_difficult_objects_alone_is_left_out_or_kept() -> None:
    own = maps_of("ab", [RAMP, -RAMP], difficult=[False, True])
    other = maps_of("ab", [RAMP, RAMP], difficult=[False, True])
    assert found(own, other)["rank_correlation"] == 1
    assert found(own, other, difficult="keep")["rank_correlation"] == 0


def test_a_class_that_the_image_does_not_hold_counts() -> None:
    own = maps_of("ab", [RAMP, -RAMP], labelled=[True, False])
    assert found(own, maps_of("ab", [RAMP] * 2))["rank_correlation"] == 0


def test_no_pair_gives_no_number() -> None:
    nothing = maps_of("", np.zeros((0, 14, 14)))
    assert found(nothing, nothing) == {}


def test_thousands_of_pairs_are_taken_in_parts_each_once() -> None:
    random = np.random.default_rng(8)
    own, other = random.random((2, 2500, 2, 2)).astype(np.float32)
    names = [f"{i}" for i in range(2500)]
    statistic = metric(grids=[2])(
        Answers(pairs(names, grid2=own, constant=False), pairs(names, grid2=other, constant=False))
    )["rank_correlation_2"]
    ranks = [np.argsort(np.argsort(maps.reshape(2500, 4), axis=1), axis=1) for maps in (own, other)]
    expected = 1 - 6 * ((ranks[0] - ranks[1]) ** 2).sum(axis=1) / (4 * 15)  # without ties
    np.testing.assert_allclose(statistic.values[:, 0], expected, atol=1e-6)


def test_a_grid_that_was_not_stored_is_refused_with_the_option_that_stores_it() -> None:
    made = maps_of("a", [RAMP])
    with pytest.raises(
        UserError, match=r"grid7; run with reading=\[summary\] reading\.summary\.grids=\[7,14\]"
    ):
        metric(grids=[7, 14])(Answers(made, made))


def test_without_a_reference_it_is_asked_for() -> None:
    with pytest.raises(UserError, match="reference=occlusion"):
        metric()(Answers(maps_of("a", [RAMP])))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("coefficient", "pearson"),
        ("sign", "square"),
        ("constant", "one"),
        ("difficult", True),
        ("grids", []),
        ("grids", [28, 14]),
        ("grids", [0]),
    ],
)
def test_options_that_are_no_choice_are_refused(option: str, value: object) -> None:
    with pytest.raises(UserError, match=rf"rank_correlation\.{option}="):
        metric(**{option: value})


def test_what_it_gives_follows_its_options() -> None:
    assert metric().gives == ("rank_correlation", "rank_correlation_28", "constant_maps")
    assert metric(coefficient="kendall", grids=[7, 14]).gives == ("kendall_7", "kendall", "constant_maps")


def test_only_grids_that_the_reading_stores_are_accepted() -> None:
    metric(grids=[14]).check(Labelled(), {"summary": Summary()})
    with pytest.raises(UserError, match=r"grids=\[7,14\]: .* no grid of 7; .*summary\.grids=\[7,14,28\]"):
        metric(grids=[7, 14]).check(Labelled(), {"summary": Summary()})
