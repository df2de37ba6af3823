"""Whether names name a class: by hand, and the chance against the hypergeometric distribution."""

from collections.abc import Sequence
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.handmade_pairs import number, pairs
from helpers.small_scenes import scene

from benchmark.core.bootstrap import resampled
from benchmark.core.errors import UserError
from benchmark.core.types import Box, View
from benchmark.reporting.neuron_names import names_of, write_names
from benchmark.tasks.pairs.metrics.neuron_names import NamedNeurons
from benchmark.tasks.pairs.readings.neurons import TopNeurons
from benchmark.tasks.pairs.types import Answers, Pairs

CLASSES = ("striped disc with ball", "tabby, tabby cat", "ring")


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Twenty units: disc, tabby cat, ring with too small an IoU, ringed, striped; the others bare."""
    found = {0: ("disc", 50), 1: ("tabby cat", 40), 2: ("ring", 5), 3: ("ringed", 30), 4: ("striped", 30)}
    rows = [(unit, "kind", name, 100, 50, both, 0.0, 1.0) for unit, (name, both) in found.items()]
    write_names(tmp_path / "names.csv", names_of(rows, {"units": 20}))
    return str(tmp_path / "names.csv")


def metric(table: str | None, **options: Any) -> NamedNeurons:
    return NamedNeurons("neuron_names", 1, table, **options)


def asked(images: str, label: Sequence[int], units: Any, alphas: Any = (2, 1, -2, -1)) -> Pairs:
    many = np.broadcast_to(np.array(alphas, np.float32), (len(images), 4))
    maps = np.zeros((len(images), 4, 1, 1))
    return pairs(images, label=label, units=np.array(units).astype(np.int32), alphas=many, unit_maps=maps)


def shares(table: str, made: Pairs, **options: Any) -> dict[str, float]:
    statistics = metric(table, **options)(Answers(made, None, CLASSES))
    return {name: number(statistic) for name, statistic in statistics.items()}


def test_a_class_is_named_by_words_of_its_name(table: str) -> None:
    own = [[4, 9, 8, 7], [1, 9, 8, 7], [2, 3, 8, 7], [8, 9, 0, 7]]
    made = asked("abcd", [0, 1, 2, 0], own)
    found = shares(table, made)
    # disc and striped are the first class's; "ringed" is not "ring", whose own unit has too small an IoU.
    assert found["neurons_name_class"] == 2 / 4
    assert found["neurons_name_class_macro"] == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert found["neurons_against"] == 1 / 4
    assert found["neurons_named"] == (1 / 2 + 1 / 2 + 1 / 2 + 0) / 4
    assert shares(table, made, least=0.03)["neurons_name_class"] == 3 / 4


def test_units_of_the_other_sign_do_not_count(table: str) -> None:
    made = asked("ab", [0, 0], [[0, 9, 8, 4], [9, 0, 8, 4]], (2, -1, -2, 1))
    assert shares(table, made) | {"neurons_named": 0.5} == shares(table, made)
    assert shares(table, made)["neurons_name_class"] == 1 / 2
    assert shares(table, made)["neurons_against"] == 0


def test_an_image_s_pairs_weigh_together_as_much_as_another_image_s(table: str) -> None:
    made = asked("aab", [0, 0, 0], [[0, 9, 8, 7], [9, 8, 7, 6], [9, 8, 7, 6]])
    assert shares(table, made)["neurons_name_class"] == pytest.approx(1 / 4)


def test_the_chance_is_the_hypergeometric_one(table: str) -> None:
    made = asked("abc", [0, 1, 2], [[0, 1, 2, 3]] * 3)
    every = metric(table, shuffles=4000)(Answers(made, None, CLASSES))
    found, gain = every["neurons_name_class_chance"], every["neurons_name_class_gain"]
    # Of 20 units two bear names of the first class, one of the second and none of the third.
    exact = sum(1 - comb(20 - own, 2) / comb(20, 2) for own in (2, 1, 0)) / 3
    assert number(found) == pytest.approx(exact, abs=0.01)
    assert number(gain) == pytest.approx(number(every["neurons_name_class"]) - number(found))
    # An interval over images of one shuffle each is wider than that of their mean.
    drawn = resampled(found.values, found.reduce, 500)
    means = resampled(found.values, lambda means: means.mean(axis=1), 500)
    assert drawn.std() > means.std()
    own = every["neurons_name_class"]
    np.testing.assert_array_equal(
        gain.values, own.values[:, :1] - found.values
    )  # the same images and shuffle


def test_a_sentence_says_which_units_speak_for_and_against(table: str) -> None:
    made = asked("a", [0], [[0, 9, 3, 1]], (2, 1, -2, -1))
    assert metric(table).sentences(Answers(made, None, CLASSES)) == [
        "striped disc with ball: because of disc (unit 0), no name (unit 9); "
        "in spite of ringed (unit 3), tabby cat (unit 1)"
    ]
    alike = asked("a", [1], [[5, 6, 8, 7]], (2, 1, 2, 1))
    assert metric(table).sentences(Answers(alike, None, CLASSES)) == [
        "tabby: because of no name (units 5, 6); in spite of nothing"
    ]


def test_a_unit_s_mask_is_where_its_map_is_above_its_threshold(table: str) -> None:
    made = asked("a", [0], [[0, 9, 3, 1]])
    made.columns["unit_maps"][0, 0] = 1.5  # above unit 0's threshold, 1.0, everywhere
    made.columns["unit_maps"][0, 2] = 0.5
    pixels = np.zeros((6, 4, 3), np.uint8)
    view = View(4, 6, Box(0, 1, 4, 5))
    panels = list(metric(table).panels(made, pixels, view, 5))
    assert len(panels) == len(metric(table).headings(5)) == 4
    wide = list(metric(table).panels(made, pixels, view, 12))
    assert [panel.caption[:1] for panel in wide[2:5]] == [()] * 3  # no units are left to fill these columns
    assert len(wide) == len(metric(table).headings(12)) == 10
    assert [panel.caption[0] for panel in panels] == ["0: disc", "9: no name", "3: ringed", "1: tabby cat"]
    assert panels[0].heat is not None
    assert panels[2].heat is not None
    assert panels[0].heat[:, 0].tolist() == [0, 1, 1, 1, 1, 0]
    assert not panels[2].heat.any()


def test_a_table_that_is_missing_or_of_another_layer_is_refused(table: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="table is not set"):
        metric(None).check(None, {})  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"nothing\.csv: cannot be read"):
        metric(str(tmp_path / "nothing.csv")).check(None, {})  # type: ignore[arg-type]
    with pytest.raises(UserError, match="has 20 units, and the layer has unit 20"):
        shares(table, asked("a", [0], [[20, 1, 2, 3]]))
    with pytest.raises(UserError, match="no names of classes"):
        metric(table)(Answers(asked("a", [0], [[0, 1, 2, 3]])))


def test_names_of_another_layer_are_refused_and_those_of_other_weights_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on, readings = scene(tmp_path, count=1), {"neurons": TopNeurons()}
    own = {"model": on.model.name, "layer": on.model.layers["last_conv"], "units": 4}

    def check(**origin: str) -> str:
        row = (0, "kind", "disc", 100, 50, 40, 0.0, 1.0)
        write_names(tmp_path / "names.csv", names_of([row], own | origin))
        metric(str(tmp_path / "names.csv")).check_scene(on, readings)
        return capsys.readouterr().err

    assert check(weights=on.model.weights.sha256) == check() == ""
    assert "measured with other weights than those of" in check(weights="ab" * 32)
    with pytest.raises(UserError, match=r"names of .*'s layer features\.9, and the row's is "):
        check(layer="features.9")
