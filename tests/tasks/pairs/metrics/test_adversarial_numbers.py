"""What an attack does, written out pair by pair."""

import numpy as np
import pytest
from helpers.handmade_pairs import number, pairs
from scipy.stats import spearmanr

from benchmark.tasks.pairs.metrics.adversarial import Adversarial
from benchmark.tasks.pairs.types import Answers

METRIC = Adversarial("adversarial", 1)


def test_the_numbers_are_those_of_the_pairs_that_count() -> None:
    random = np.random.default_rng(0)
    clean = random.standard_normal((5, 14, 14))
    attacked = clean + random.standard_normal((5, 14, 14))
    clean[1] = 0.5
    made = pairs(
        "aabcd",
        labelled=[True, True, True, True, False],
        rank=[0, 3, 0, 1, 0],
        attack_self=[False, False, False, True, False],
        attack_before=[0.1, 0.2, 0.3, 0.9, 0.9],
        attack_after=[0.99995, 0.9, 1.0, 0, 0],
        attack_rank=[1, 0, 5, 0, 0],
        grid14=clean,
        attacked_grid14=attacked,
        constant=[False, True, False, False, False],
        attacked_constant=False,
        box=[[0, 0, 10, 10]] * 5,
        attacked_box=[[0, 0, 10, 10], [0, 0, 10, 5], [10, 10, 20, 20], [0, 0, 1, 1], [0, 0, 1, 1]],
        box_iou=[0.5, 0.4, 0.6, 1, 1],
        attacked_box_iou=[0.4, 0.4, 0.5, 1, 1],
        own_distance=[0, 20, 14, 0, 0],
        attacked_own_distance=[15, 0, 40, 0, 0],
    )
    found = {name: number(one) for name, one in METRIC(Answers(made)).items()}
    rho = [spearmanr(clean[row].ravel(), attacked[row].ravel()).statistic for row in (0, 2)]
    assert found == pytest.approx(
        {
            "target": (0.949975 + 1) / 2,
            "target_before": (0.15 + 0.3) / 2,
            "target_sure": (0.5 + 1) / 2,
            "class_first": 0.25,
            "class_first_before": (0.5 + 1) / 2,
            "rank_correlation_clean": (rho[0] / 2 + rho[1]) / 2,
            "box_right": 0.5,
            "box_right_before": (0.5 + 1) / 2,
            "box_kept": 0.75 / 2,
            "pointing_after": 0.25,
            "pointing_before": (0.5 + 1) / 2,
        },
        abs=1e-6,
    )
