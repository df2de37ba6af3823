"""Schedules by hand, and options out of range in one line."""

from typing import Any

import pytest

from benchmark.core.errors import UserError
from benchmark.training.options import Augmentation, Schedule, TrainOptions


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule("constant"), {0: 1, 99: 1}),
        (Schedule("constant", warmup=4), {0: 0.25, 1: 0.5, 3: 1, 4: 1}),
        (Schedule("step", step=40, gamma=0.1), {0: 1, 39: 1, 40: 0.1, 79: 0.1, 80: 0.01}),
        (Schedule("step", step=2, gamma=0.5, warmup=4), {0: 0.25, 1: 0.5, 2: 0.375, 3: 0.5, 4: 0.25}),
        (Schedule("cosine"), {0: 1, 50: 0.5, 25: 0.5 + 0.5**1.5, 100: 0}),
        (Schedule("cosine", warmup=20), {0: 0.05, 19: 1, 20: 1, 60: 0.5, 100: 0}),
    ],
)
def test_the_learning_rate_is_as_reckoned_by_hand(schedule: Schedule, expected: dict[int, float]) -> None:
    options = TrainOptions(iterations=100, lr=0.2, schedule=schedule)
    for iteration, factor in expected.items():
        assert options.lr_at(iteration) == pytest.approx(0.2 * factor, abs=1e-12)


def test_the_default_schedule_is_the_cam_authors_solver() -> None:
    options = TrainOptions(iterations=160_000)
    rates = [options.lr_at(iteration) for iteration in (0, 39_999, 40_000, 80_000, 159_999)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-5, 1e-6])
    assert (options.optimizer, options.momentum, options.weight_decay) == ("sgd", 0.9, 5e-4)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"iterations": 0}, "train.iterations=0"),
        ({"iterations": 1.5}, "train.iterations=1.5"),
        ({"batch_size": True}, "train.batch_size=true"),
        ({"optimizer": "adam"}, "train.optimizer=adam: must be sgd | adamw; did you mean adamw?"),
        ({"lr": -0.1}, "train.lr=-0.1"),
        ({"lr": "fast"}, "train.lr=fast"),
        ({"batch_norm": "maybe"}, "train.batch_norm=maybe"),
        ({"weight_decay": -1}, "train.weight_decay=-1"),
        ({"label_smoothing": 1}, "train.label_smoothing=1"),
        ({"workers": -1}, "train.workers=-1"),
    ],
)
def test_an_option_out_of_range_is_named(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says.replace("|", r"\|")):
        TrainOptions(**{"iterations": 10, **wrong})


@pytest.mark.parametrize(
    ("part", "wrong", "says"),
    [
        (Schedule, {"kind": "cosin"}, r"train\.schedule\.kind=cosin"),
        (Schedule, {"step": 0}, r"train\.schedule\.step=0"),
        (Schedule, {"gamma": 2}, r"train\.schedule\.gamma=2"),
        (Augmentation, {"crop": [0.5]}, r"train\.augmentation\.crop=\[0\.5\]"),
        (Augmentation, {"crop": [0.9, 0.5]}, r"train\.augmentation\.crop"),
        (Augmentation, {"crop": [0, 0.5]}, r"train\.augmentation\.crop"),
        (Augmentation, {"crop": 0.5}, r"train\.augmentation\.crop=0\.5"),
        (Augmentation, {"flip": "no"}, r"train\.augmentation\.flip=no"),
        (Augmentation, {"ratio": 0.5}, r"train\.augmentation\.ratio=0\.5"),
        (Augmentation, {"colour": 1}, r"train\.augmentation\.colour=1"),
    ],
)
def test_a_nested_option_out_of_range_is_named(part: Any, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        part(**wrong)


def test_what_cannot_change_the_weights_is_not_in_their_identity() -> None:
    same = TrainOptions(iterations=5, workers=3, cache=1, checkpoint_every=2, publish="x", tolerance=9.0)
    assert same.identity() == TrainOptions(iterations=5).identity()
    for other in ({"seed": 1}, {"batch_norm": True}, {"schedule": Schedule("cosine")}, {"half": True}):
        changed: dict[str, Any] = {"iterations": 5, **other}
        assert TrainOptions(**changed).identity() != same.identity()
