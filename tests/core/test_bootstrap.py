import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from benchmark.core.bootstrap import bootstrap, bounded, clopper_pearson, fractions
from benchmark.core.errors import UserError

Numbers = npt.NDArray[np.float64]


def mean(means: Numbers) -> Numbers:
    return means[:, 0]


def explicit(values: npt.NDArray[np.generic], resamples: int, seed: int) -> Numbers:
    """Means of resamples drawn image by image, ``[resamples, t]``."""
    rng = np.random.default_rng(seed)
    rows = values.reshape(len(values), -1).astype(np.float64)
    return np.stack([rows[rng.integers(0, len(rows), len(rows))].mean(axis=0) for _ in range(resamples)])


@pytest.mark.parametrize("right", [1, 7, 30])
def test_the_resampled_mean_of_zeros_and_ones_is_binomial(right: int) -> None:
    values = np.arange(40) < right
    low, high = bootstrap(values, mean, 200_000)
    assert low * 40 == pytest.approx(stats.binom.ppf(0.025, 40, right / 40), abs=0)
    assert high * 40 == pytest.approx(stats.binom.ppf(0.975, 40, right / 40), abs=0)
    drawn = explicit(values, 20_000, seed=1)[:, 0] * 40
    expected = stats.binom.pmf(np.arange(41), 40, right / 40)
    found = np.bincount(drawn.round().astype(int), minlength=41) / len(drawn)
    assert np.abs(found - expected).sum() / 2 < 0.02  # total variation; sampling alone gives about 0.01


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_of_a_maximum_is_that_of_explicit_resampling(seed: int) -> None:
    values = np.random.default_rng(seed).random((150, 5)) < [0.4, 0.5, 0.52, 0.5, 0.3]
    found = bootstrap(values, lambda means: means.max(axis=1), 20_000)
    expected = np.quantile(explicit(values, 20_000, seed=9).max(axis=1), [0.025, 0.975])
    assert found == pytest.approx(expected, abs=1.01 / 150)  # one image


def test_numbers_that_all_differ_are_resampled_as_well() -> None:
    values = np.random.default_rng(0).normal(3, 2, 400)
    low, high = bootstrap(values, mean, 5_000)
    margin = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - margin, values.mean() + margin), abs=0.02)


def test_the_interval_depends_on_the_seed_but_not_on_the_order_of_the_images() -> None:
    values = np.random.default_rng(0).random((300, 4)) < 0.5
    interval = bootstrap(values, lambda means: means.max(axis=1), 500)
    shuffled = np.random.default_rng(1).permutation(values)
    assert bootstrap(shuffled, lambda means: means.max(axis=1), 500) == interval
    assert bootstrap(values, lambda means: means.max(axis=1), 500, seed=1) != interval


def test_about_95_percent_of_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(0)
    samples = rng.random((400, 500)) < 0.3
    intervals = [bootstrap(sample, mean, 1_000, seed) for seed, sample in enumerate(samples)]
    covered = np.mean([low <= 0.3 <= high for low, high in intervals])
    assert 0.92 <= covered <= 0.98


@pytest.mark.parametrize("n", [1, 2, 50, 50_000])
def test_none_and_all_of_n_have_the_exact_interval(n: int) -> None:
    none, every = clopper_pearson(n)
    exact = [stats.binomtest(k, n).proportion_ci(method="exact") for k in (0, n)]
    assert none == pytest.approx((exact[0].low, exact[0].high))
    assert every == pytest.approx((exact[1].low, exact[1].high))


def test_a_fraction_of_zero_or_one_does_not_claim_certainty() -> None:
    found = fractions({"none": np.zeros(50, np.bool_), "all": np.ones(50, np.bool_)})
    assert tuple(found["none"]) == pytest.approx((0, 0, 1 - 0.025 ** (1 / 50), 50))
    assert tuple(found["all"]) == pytest.approx((1, 0.025 ** (1 / 50), 1, 50))


def test_a_fraction_lies_in_its_interval_and_names_its_images() -> None:
    found = fractions({"some": np.arange(100) < 30, "nothing": np.zeros(0, np.bool_)})
    assert set(found) == {"some"}
    assert found["some"].value == 0.3
    assert found["some"].n == 100
    assert 0.2 < found["some"].low < 0.3 < found["some"].high < 0.4


def test_no_resamples_are_refused() -> None:
    with pytest.raises(UserError, match="resamples is 0"):
        fractions({"some": np.ones(3, np.bool_)}, resamples=0)


def test_of_one_image_a_fraction_that_is_neither_none_nor_all_may_be_any() -> None:
    assert bounded(0.5, 1, (0.5, 0.5)) == (0.5, 0, 1, 1)
    assert tuple(bounded(1.0, 1, (1.0, 1.0))) == pytest.approx((1, 0.025, 1, 1))
    assert bounded(0.5, 2, (0.0, 1.0)) == (0.5, 0, 1, 2)
    assert bounded(0.5, 20, (0.4, 0.6)) == (0.5, 0.4, 0.6, 20)
