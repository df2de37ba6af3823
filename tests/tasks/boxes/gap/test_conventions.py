"""The settings of ``conf/explain-gap.yaml``: each is something that exists."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from helpers.handmade import TABLE1

from benchmark.cli.app.places import CONF
from benchmark.reporting.published import load
from benchmark.tasks.boxes.gap.overrides import key_of, parted
from benchmark.tasks.boxes.gap.scoring import Scoring, changed

SETTINGS: dict[str, Any] = yaml.safe_load((CONF / "explain-gap.yaml").read_text(encoding="utf-8"))
CONVENTIONS: dict[str, dict[str, Any]] = SETTINGS["conventions"]
PAPER: dict[str, dict[str, list[str]]] = SETTINGS["paper"]


def every_setting() -> Iterator[list[str]]:
    for choices in CONVENTIONS.values():
        for told in choices.values():
            yield from [told] if isinstance(told, list) else told.values()
    for row in PAPER.values():
        yield from row.values()


def test_the_conventions_are_those_of_the_issue_in_the_order_from_the_net_to_the_score() -> None:
    assert list(CONVENTIONS) == [
        *("weights", "preprocessing", "layer", "upsampling", "component", "threshold"),
        *("blacklist", "ground truth", "IoU", "target class"),
    ]


def test_the_rows_with_conventions_of_their_own_are_published_and_their_conventions_exist() -> None:
    assert set(PAPER) <= set(load(TABLE1).rows)
    for row in PAPER.values():
        assert set(row) <= set(CONVENTIONS)


def test_every_choice_of_a_group_and_every_convention_of_the_scoring_exists() -> None:
    for setting in every_setting():
        overrides, scoring = parted(setting)
        assert changed(Scoring(), scoring) != Scoring() or not scoring
        for word in overrides:
            key, _, choice = word.partition("=")
            if "." in key:
                assert (CONF / key_of(word).partition(".")[0]).is_dir()
            else:
                assert (CONF / key / f"{choice}.yaml").is_file(), word


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_settings_under_a_model_name_are_of_models_that_exist(convention: str) -> None:
    for told in CONVENTIONS[convention].values():
        for model in told if isinstance(told, dict) else ():
            assert (CONF / "model" / f"{model}.yaml").is_file()
