"""The difference of two rows' errors, image by image."""

import numpy as np
import pytest
from helpers.random_records import make

from benchmark.core.paired import paired
from benchmark.core.types import Records
from benchmark.metrics.gt_known import GtKnown
from benchmark.metrics.localization import Localization
from benchmark.tasks.boxes.comparison import Judge


def test_a_difference_is_the_mean_over_images_and_its_interval_that_of_their_changes() -> None:
    draw = np.random.default_rng(0)
    first, second = draw.random(400) < 0.4, draw.random(400) < 0.3
    found = paired(first, second)
    change = first.astype(float) - second
    spread = 1.96 * change.std() / np.sqrt(len(change))
    assert (found.value, found.n) == (change.mean(), 400)
    assert (found.low, found.high) == pytest.approx((found.value - spread, found.value + spread), abs=0.006)


def test_rows_that_agree_on_every_image_may_differ_by_what_none_of_n_images_excludes() -> None:
    same = np.arange(36) % 3 == 0
    most = 1 - 0.025 ** (1 / 36)
    assert list(paired(same, same)) == pytest.approx([0.0, -most, most, 36])


@pytest.mark.parametrize("metric", [Localization(), GtKnown()])
def test_a_metric_judges_each_image_as_its_error_counts_them(metric: Judge) -> None:
    records: Records = make(seed=5)
    judged, estimates = metric.wrong(records), metric(records)  # type: ignore[operator]
    assert judged
    for name, wrong in judged.items():
        assert wrong[~records.blacklisted].mean() == pytest.approx(estimates[name].value)
