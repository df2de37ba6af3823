"""From the heatmaps of one image to its boxes."""

import numpy as np
import pytest
from helpers.small_scenes import LOCALIZERS

from benchmark.core.errors import UserError
from benchmark.core.protocols import Localizer
from benchmark.core.types import Box, FloatArray, Sample, View
from benchmark.localizers.wsol import WsolMaxBoxAcc
from benchmark.tasks.boxes.locate import Slots, collect, locate

VIEW = View(12, 8, Box(0, 0, 12, 8))
SAMPLE = Sample("lake", None, 3, np.array([[0, 0, 6, 4]], np.int32), blacklisted=True)


@pytest.fixture
def strict() -> Localizer:
    """Boxes at 0.6 of the maximum."""
    return LOCALIZERS["strict"]


def spots(*corners: tuple[int, int]) -> FloatArray:
    """Maps ``[k, 8, 12]``, each with one cell, whose box on ``VIEW`` is that cell."""
    maps = np.zeros((len(corners), 8, 12), np.float32)
    for one, (y, x) in zip(maps, corners, strict=True):
        one[y, x] = 1
    return maps


def slots(maps: FloatArray, *classes: int) -> Slots:
    return Slots(np.array(classes, np.int32), np.zeros(len(classes), np.float32), maps, VIEW)


def test_the_labels_box_is_of_its_own_map_whether_it_was_predicted_or_not(strict: Localizer) -> None:
    maps = spots((1, 1), (2, 7), (5, 9))
    predicted = locate(strict, SAMPLE, slots(maps, 6, 3))
    assert [found.box for found in predicted.found] == [(1, 1, 2, 2), (7, 2, 8, 3), (7, 2, 8, 3)]
    unforeseen = locate(strict, SAMPLE, slots(maps, 6, -1))  # -1: an output that is no class of the dataset
    assert [found.box for found in unforeseen.found][1:] == [(7, 2, 8, 3), (9, 5, 10, 6)]


def test_records_say_of_each_map_what_is_its_own(strict: Localizer) -> None:
    maps = spots((1, 1), (2, 7), (5, 9))
    maps[0] = 0
    records = collect([locate(strict, SAMPLE, slots(maps, 6, 5))], strict.grid, {})
    assert records.image_ids == ("lake",)
    assert records.blacklisted.tolist() == [True]
    assert records.sizes.tolist() == [[12, 8]]
    assert records.peaks.tolist() == [[[0, 0], [7, 2]]]
    assert records.empty.tolist() == [[True, False]]
    assert records.label_peaks is not None
    assert records.label_empty is not None
    assert records.curve is not None
    assert records.label_peaks.tolist() == [[9, 5]]
    assert records.label_empty.tolist() == [False]
    assert records.curve.tolist() == [[[9, 5, 10, 6]] * 2]


def test_a_localizer_that_counts_overlaps_itself_is_given_the_truth_and_believed() -> None:
    localizer = WsolMaxBoxAcc("wsol_maxboxacc_v1", 2, size=12, step=0.5)
    image = slots(spots((1, 1), (2, 7)), 6)
    records = collect([locate(localizer, SAMPLE, image)], localizer.grid, {})
    boxes, overlaps = localizer.curve_and_overlaps(image.maps[-1], image.view, SAMPLE.boxes)
    assert records.overlaps is not None
    assert records.overlaps.tolist() == [overlaps.tolist()]
    assert records.curve is not None
    assert records.curve.tolist() == [boxes.tolist()]


def test_what_is_located_no_longer_holds_on_to_the_maps(strict: Localizer) -> None:
    kept = locate(strict, SAMPLE, slots(spots((1, 1), (2, 7), (5, 9)), 6, 3)).slots.maps
    assert kept.size == 0
    assert kept.base is None


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["maps", "scores"])
def test_what_is_not_finite_is_refused_with_row_and_image(
    strict: Localizer, broken: float, where: str
) -> None:
    image = slots(spots((1, 1), (2, 7)), 6)
    getattr(image, where).flat[0] = broken
    with pytest.raises(UserError, match=r"^image lake: NaN or infinity"):
        locate(strict, SAMPLE, image)
