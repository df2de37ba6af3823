"""A head that is trained on seeds by SEC's losses, and the experiment from its words to its table."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.commands import Command

from benchmark.core.dense_crf import Crf
from benchmark.core.paired import Statistic
from benchmark.tasks.pairs.types import ratios
from benchmark.tasks.sec.segmenters.head import SecTraining
from benchmark.tasks.sec.task import background_alone
from benchmark.tasks.sec.training import Lesson, fit, predicted

OPTIONS = SecTraining(hidden=8, epochs=10, batch_size=2, rate=0.03)


def lessons() -> list[Lesson]:
    """Four images of class 1 on the left or right; the first head's seeds are true, the second's mirrored."""
    made, random = [], np.random.default_rng(0)
    for left in (True, False, True, False):
        truth = np.zeros((41, 41), np.uint8)
        truth[:, slice(0, 20) if left else slice(21, 41)] = 1
        cells = torch.from_numpy(truth[::3, ::3].astype(np.float32))
        features = torch.stack([cells, 1 - cells]) + 0.1 * torch.from_numpy(
            random.random((2, 14, 14), np.float32)
        )
        pixels = np.repeat((truth * 160 + 40)[..., None], 3, axis=2)
        few = random.random((41, 41)) < 0.1
        seeds = [np.where(few, one, 254).astype(np.uint8) for one in (truth, truth[:, ::-1])]
        made.append(Lesson(features, pixels, seeds, np.array([True, False])))
    return made


def test_a_training_gives_the_same_head_again() -> None:
    one, other = (fit(lessons()[:2], replace(OPTIONS, epochs=2), Crf(iterations=1))[0] for _ in range(2))
    for first, second in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(first, second)


def test_a_head_learns_what_its_seeds_say() -> None:
    given = lessons()
    first, second = fit(given, OPTIONS, Crf(iterations=1))
    truth = np.zeros((60, 80), np.bool_)
    truth[:, :40] = True
    right, wrong = ((predicted(net, given[0].features, (80, 60)) == 1) == truth for net in (first, second))
    assert right.mean() > 0.9 > 0.3 > wrong.mean()
    kernel = Crf().kernel(torch.from_numpy(given[0].pixels.astype(np.float32)))
    assert ((predicted(first, given[0].features, (80, 60), kernel) == 1) == truth).mean() > 0.9


SMALL = (
    *("dataset.count=24", "val_set.count=24", "dataset.limit=12", "val_set.after=12"),
    *("val_set.limit=4", "task.training.epochs=1", "bootstrap.resamples=100", "pictures=0", "tracking=none"),
    "run.channels_last=true",  # which the stored activations are not
)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own
def test_the_experiment_trains_on_two_sets_of_seeds_and_says_that_the_paper_is_not_comparable(
    command: Command, tmp_path: Path
) -> None:
    words = ("run", "experiment=sec", *SMALL, f"results_dir={tmp_path}", f"cache_dir={tmp_path / 'cache'}")
    status, out, err = command(*words)
    assert status == 3, err  # in a step or two a network learns the background alone, and the table says so
    assert "vgg16/grad_cam" in out
    assert "(49.60)" in out
    assert "not comparable" in out
    assert re.search(r"training on seeds: \d+/\d+ steps, [\d.]+ steps/s", err)
    status, again, err = command(*words, "notes=true")
    assert status == 3
    assert "training on seeds" not in err
    assert "its network has learned the background alone" in again
    assert "vgg16/grad_cam" in again
    (table,) = tmp_path.glob("*/sec*.json")
    status, held, _ = command("verify", str(table))
    assert status == 4, "the trained network's numbers are not of these records"
    assert "miou" in held
    assert "not derived again, since no pair metric gives them" in held
    assert "as derived: " in held
    status, _, err = command(*words, "val_set.after=0")
    assert status == 2
    assert "in dataset and in val_set (4 so)" in err


def test_a_network_that_learned_the_background_alone_is_told() -> None:
    alive = np.array([[9.0, 0, 1, 10, 4, 5]])  # right, then unions: background and two classes
    dead = np.array([[9.0, 0, 0, 10, 4, 5]])
    rows = {name: {"miou": Statistic(("a",), values, ratios)} for name, values in (("a", alive), ("b", dead))}
    (told,) = background_alone(rows)
    assert told.startswith("FAILED: b: its network has learned the background alone")
