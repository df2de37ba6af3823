"""What holds for every pair metric that a yaml describes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.handmade_pairs import many, number, redrawn
from omegaconf import OmegaConf

from benchmark import models
from benchmark.cli.app.build import build
from benchmark.cli.app.places import CONF
from benchmark.core.errors import UserError
from benchmark.datasets.embedded.classes import KINDS
from benchmark.tasks.pairs.types import Answers, Pairs

OF_FILES = {"human_correlation"}
"""Metrics that read files of the user's, with tests of their own (tests/tasks/pairs/test_texts.py)."""
NAMES = sorted({path.stem for path in (CONF / "pair_metric").glob("*.yaml")} - OF_FILES)
ALWAYS = {"label", "labelled", "difficult", "classes", "rank", "logit", "share", "other_share"}
NAMED = {"table": str(Path(models.__file__).parent / "names" / "googlenet_compact.csv")}
SMALL: dict[str, dict[str, Any]] = {
    "pointing_recall": {"best": 4},
    "seeds": {"crf": False},
    "neuron_names": NAMED,
}
FIXED = {**SMALL, "pointing_recall": {"best": 4, "threshold": 0.5}}
CLASSES = tuple(kind.name for kind in KINDS)


def made(name: str, **options: Any) -> Any:
    nodes = dict(OmegaConf.load(CONF / "pair_metric" / f"{name}.yaml").items())
    assert list(nodes) == [name]
    return build(nodes[name], **options)


def answers(seed: int) -> Answers:
    pairs, reference = many(seed), many(seed + 100)
    shared = {key: pairs.columns[key] for key in ALWAYS}
    return Answers(pairs, Pairs(pairs.image_ids, {**reference.columns, **shared}, pairs.done), CLASSES)


@pytest.mark.parametrize("name", NAMES)
def test_it_bears_its_yaml_s_name_and_says_in_one_line_what_it_means(name: str) -> None:
    metric = made(name)
    assert (metric.name, metric.version >= 1) == (name, True)
    assert (type(metric).__doc__ or "").splitlines()[0].endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_its_statistics_are_of_distinct_images_in_stored_order(name: str) -> None:
    given = answers(seed=2)
    order = list(dict.fromkeys(given.pairs.image_ids))
    statistics = made(name, **SMALL.get(name, {}))(given)
    assert statistics
    for statistic in statistics.values():
        places = [order.index(image) for image in statistic.image_ids]
        assert places == sorted(set(places))
        assert statistic.values.dtype == np.float64
        assert statistic.values.shape[:1] == (len(places),)
        assert np.isfinite(statistic.values).all()
        assert statistic.reduce(statistic.values[:3]).shape == (3,)


@pytest.mark.parametrize("name", NAMES)
def test_a_resample_is_what_the_metric_gives_of_the_images_drawn(name: str) -> None:
    given, metric = answers(seed=3), made(name, **FIXED.get(name, {}))
    for key, statistic in metric(given).items():
        if key == "pointing_recall_best":
            continue  # its thresholds are those of all images, and a resample's would be its own
        random = np.random.default_rng(4)
        drawn = random.choice(statistic.image_ids, len(statistic.image_ids)).tolist()
        rows = [statistic.image_ids.index(image) for image in drawn]
        resampled = statistic.reduce(statistic.values[rows].mean(axis=0, keepdims=True))[0]
        assert given.reference is not None
        anew = metric(Answers(redrawn(given.pairs, drawn), redrawn(given.reference, drawn), CLASSES))
        assert number(anew[key]) == pytest.approx(resampled), key


@pytest.mark.parametrize("name", NAMES)
def test_pairs_without_its_columns_are_refused_with_the_reading_that_makes_them(name: str) -> None:
    given = answers(seed=2)
    bare = Pairs(given.pairs.image_ids, {key: given.pairs.columns[key] for key in ALWAYS}, given.pairs.done)
    readings = "summary|deletion_insertion|adversarial|region|seeds|neurons|in_out|answers"
    with pytest.raises(UserError, match=rf"no column \w+; run with reading=\[({readings})\]"):
        made(name, **SMALL.get(name, {}))(Answers(bare, bare))


@pytest.mark.parametrize("name", NAMES)
def test_no_pair_gives_no_number(name: str) -> None:
    given = answers(seed=2).pairs
    nothing = Pairs((), {key: column[:0] for key, column in given.columns.items()}, 0)
    assert made(name)(Answers(nothing, nothing)) == {}


@pytest.mark.parametrize("name", NAMES)
def test_it_gives_all_that_it_says_and_first_what_it_is_about(name: str) -> None:
    metric = made(name, **SMALL.get(name, {}))
    statistics = metric(answers(seed=2))
    assert set(metric.gives) == set(statistics)
    assert next(iter(statistics)) == metric.gives[0]
