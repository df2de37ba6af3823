"""Numbers of answers and captions from drawn maps: in/out, accuracy, people and the centre baseline."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.small_scenes import scene
from PIL import Image
from scipy.stats import spearmanr

from benchmark.attribution.centre import Centre
from benchmark.core.errors import UserError
from benchmark.core.paired import Statistic
from benchmark.core.types import Box, ForwardPass, Sample, View
from benchmark.tasks.pairs.metrics.answer_accuracy import AnswerAccuracy
from benchmark.tasks.pairs.metrics.human_correlation import HumanCorrelation
from benchmark.tasks.pairs.metrics.in_out import InOutRatio
from benchmark.tasks.pairs.metrics.pointing_game import PointingGame
from benchmark.tasks.pairs.readings.in_out import InOut
from benchmark.tasks.pairs.result import Resampling
from benchmark.tasks.pairs.statistics import clustered
from benchmark.tasks.pairs.types import Answers, Pair, Pairs
from benchmark.transforms import CenterCrop

VIEW = View(8, 8, Box(0, 0, 8, 8))


def value(statistic: Statistic) -> float:
    return float(statistic.reduce(statistic.values.mean(0, keepdims=True))[0])


def pairs(ids: tuple[str, ...], **columns: Any) -> Pairs:
    return Pairs(ids, {name: np.asarray(values) for name, values in columns.items()}, len(ids))


def read(heat: np.ndarray, *sides: int) -> tuple[float, float]:
    sample = Sample("i", None, 3, np.array([sides], np.int32))
    found = InOut().finish(Pair(sample, 3, VIEW), {"map": heat.astype(np.float32)})
    return float(found["inside"]), float(found["outside"])


def test_means_inside_and_outside_are_shares_of_the_whole_mean() -> None:
    heat = np.zeros((8, 8))
    heat[:4] = 3
    heat[4:, :4] = -7  # counts as nothing
    assert read(heat, 0, 0, 8, 4) == (2, 0)
    assert read(heat, 4, 2, 8, 6) == pytest.approx((1, 1))
    assert read(np.full((2, 2), 5.0), 1, 1, 3, 7) == pytest.approx((1, 1))
    assert read(np.full((2, 2), -5.0), 1, 1, 3, 7) == (1, 1)
    inside, outside = read(heat, 0, 0, 8, 8)
    assert inside == 1
    assert np.isnan(outside)


def test_the_ratio_is_of_means_over_pairs_and_captions_stand_apart_from_words() -> None:
    of = pairs(("a", "a", "b", "b"), label=[0, 2, 0, 1], inside=[2, 3, 4, np.nan], outside=[0.5, 1, 1, 1])
    found = InOutRatio("in_out", 1, caption=0)(Answers(of))
    assert {name: value(one) for name, one in found.items()} == {"in_out_caption": 4, "in_out": 3}
    together = InOutRatio("in_out", 1)(Answers(of))
    assert value(together["in_out"]) == pytest.approx((2 + 3 + 4) / (0.5 + 1 + 1) * 1)


def test_accuracy_is_over_questions_and_its_interval_over_images() -> None:
    ids = ("room_1_q0", "room_1_q1", "room_2_q2")
    of = pairs(ids, rank=[0, 3, 0], answer=[True, True, True], blind_rank=[1.0, 0.0, 2.0])
    found = AnswerAccuracy("answer_accuracy", 1)(Answers(of))
    assert {name: value(one) for name, one in found.items()} == pytest.approx(
        {"accuracy": 2 / 3, "accuracy_question": 1 / 3, "accuracy_gain": 1 / 3}
    )
    assert found["accuracy"].image_ids == ("room_1", "room_2")
    alone = pairs(ids, rank=[0, 3, 0], answer=[True] * 3, blind_rank=[np.nan] * 3)
    assert list(AnswerAccuracy("answer_accuracy", 1)(Answers(alone))) == ["accuracy"]


def test_an_interval_is_of_images_with_all_their_questions_and_the_number_stays() -> None:
    """Against the loop that draws images and takes all questions of each."""
    random = np.random.default_rng(0)
    of_image = np.repeat(np.arange(12), random.integers(1, 6, 12))
    count = len(of_image)
    inside = 1 + random.random(12)[of_image]  # alike within an image
    of = pairs(
        tuple(f"{image}_q{n}" for n, image in enumerate(of_image)),
        label=np.zeros(count, int),
        inside=inside,
        outside=1 + random.random(count),
        image=np.array([f"{image}.png" for image in of_image]),
    )
    apart = InOutRatio("in_out", 1)(Answers(of))["in_out"]
    found = clustered(apart, of)
    assert clustered(apart, pairs(of.image_ids)) is apart, "images without a text"
    assert found.image_ids == tuple(f"{image}.png" for image in range(12))
    assert value(found) == pytest.approx(value(apart), rel=1e-12)
    drawn = [
        np.concatenate([np.flatnonzero(of_image == i) for i in random.integers(0, 12, 12)])
        for _ in range(4000)
    ]
    slow = np.quantile([inside[d].mean() / of.columns["outside"][d].mean() for d in drawn], [0.025, 0.975])
    estimate = Resampling(4000).estimate(found)
    np.testing.assert_allclose(estimate[1:3], slow, atol=0.01)
    plain = Resampling(4000).estimate(apart)
    assert estimate.high - estimate.low > 1.2 * (plain.high - plain.low)


def test_labels_that_are_left_out_do_not_point() -> None:
    of = pairs(
        ("a", "a", "b"),
        label=[0, 1, 2],
        own_distance=[0.0, 20.0, 3.0],
        labelled=[True] * 3,
        difficult=[False] * 3,
        share=[0.5] * 3,
        classes=[2] * 3,
    )
    every, words = (PointingGame("pointing_game", 1, leave_out=out)(Answers(of)) for out in ((), (0,)))
    assert value(every["pointing"]) == pytest.approx(2 / 3)
    assert value(words["pointing"]) == pytest.approx(1 / 2)


def test_peoples_maps_are_found_by_question_or_image_and_averaged_to_the_grid(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grids = rng.random((3, 4, 4)).astype(np.float32)
    person, other = rng.random((8, 8)).astype(np.float32), rng.integers(0, 255, (8, 8)).astype(np.uint8)
    np.save(tmp_path / "room1_q0.npy", person)
    Image.fromarray(other).save(tmp_path / "room1.png")
    metric = HumanCorrelation("human_correlation", 1, folder=str(tmp_path), grid=4)
    of = pairs(("room1_q0", "room1_q1", "room2_q0"), grid4=grids)
    found = metric(Answers(of))["rank_correlation_human"]
    halves = [one.astype(float).reshape(4, 2, 4, 2).mean((1, 3)).ravel() for one in (person, other)]
    expected = [spearmanr(own.ravel(), one).statistic for own, one in zip(grids, halves, strict=False)]
    assert found.image_ids == ("room1_q0", "room1_q1")
    np.testing.assert_allclose(found.values[:, 0], expected, atol=1e-6)


def test_a_folder_without_peoples_maps_or_with_a_broken_one_is_one_line(tmp_path: Path) -> None:
    of = Answers(pairs(("room1_q0",), grid14=np.zeros((1, 14, 14), np.float32)))
    with pytest.raises(UserError, match=r"no such folder"):
        HumanCorrelation("human_correlation", 1, folder=str(tmp_path / "none"))(of)
    metric = HumanCorrelation("human_correlation", 1, folder=str(tmp_path))
    with pytest.raises(UserError, match=r"no map of these images, such as room1_q0.png"):
        metric(of)
    (tmp_path / "room1.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"room1.png: cannot be read as a map"):
        metric(of)
    np.save(tmp_path / "room1.npy", np.zeros((2, 3, 4)))
    with pytest.raises(UserError, match=r"a map is \[h, w\] finite numbers, this is \[2, 3, 4\]"):
        metric(of)


def test_a_transform_that_shows_a_part_of_the_image_is_refused_for_people_s_maps(tmp_path: Path) -> None:
    metric = HumanCorrelation("human_correlation", 1, folder=str(tmp_path))
    on = scene(tmp_path, count=1)
    metric.check_scene(on, {})
    with pytest.raises(UserError, match=r"^transform=center_crop: shows a part of the image"):
        metric.check_scene(replace(on, transform=CenterCrop()), {})


def test_the_centre_baseline_peaks_in_the_middle_and_falls_by_the_distance_alone() -> None:
    forward = ForwardPass(torch.rand(2, 3, 8, 8), torch.rand(2, 4), {})
    maps = Centre()(None, forward, torch.zeros(2, 3, dtype=torch.int64))  # type: ignore[arg-type]
    assert maps.shape == (2, 3, 29, 29)
    assert int(maps[1, 2].argmax()) == 14 * 29 + 14
    y, x = np.mgrid[-14:15, -14:15] / 28
    np.testing.assert_allclose(maps[0, 0].numpy(), np.exp(-(x**2 + y**2) / (2 * 0.25**2)), rtol=1e-5)
