"""The reading gives the curves' areas, one pair at a time, and refuses what they cannot mean."""

import numpy as np
import pytest
import torch
from helpers.small_models import googlenet_like, images, small
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.types import Box, Sample, View
from benchmark.models.forward import forward_pass
from benchmark.tasks.pairs.readings.deletion_insertion import DeletionInsertionAreas as Areas
from benchmark.tasks.pairs.readings.deletion_insertion import auc, curves
from benchmark.tasks.pairs.types import Asked, Pair

CLASSES = torch.tensor([[0, 3], [6, 0]])
PAIR = Pair(Sample("a", None, 0, np.zeros((0, 4), np.int32)), 0, View(12, 12, Box(0, 0, 12, 12)))


def asked(maps: Tensor | None = None, copies: int = 1) -> Asked:
    model = small(googlenet_like)
    generator = torch.Generator().manual_seed(2)
    maps = torch.randn((2, 2, 5, 5), generator=generator, dtype=torch.float64) if maps is None else maps
    return Asked(model, forward_pass(model, images(2 * copies), ()), CLASSES, maps)


def test_the_columns_are_the_areas_of_both_curves() -> None:
    given = asked()
    made = Areas(steps=6, score="logit", fill="grey").measure(given)
    options = Areas(steps=6, score="logit", fill="grey")
    deletion, insertion = auc(curves(given.model, images(2), given.maps, CLASSES, options)).float()
    assert torch.equal(made["deletion"], deletion)
    assert torch.equal(made["insertion"], insertion)


def test_a_finished_pair_keeps_its_two_numbers() -> None:
    reading = Areas(steps=3)
    values = {name: value[1, 0].numpy() for name, value in reading.measure(asked()).items()}
    made = reading.finish(PAIR, values)
    assert {name: np.asarray(value).dtype.name for name, value in made.items()} == {
        "deletion": "float32",
        "insertion": "float32",
    }
    assert made == values


def test_a_map_that_is_not_finite_spoils_its_own_pair_alone_and_is_refused() -> None:
    given = asked()
    given.maps[1, 0, 2, 2] = torch.inf
    reading = Areas(steps=3)
    made = reading.measure(given)
    assert made["deletion"].isnan().tolist() == [[False, False], [True, False]]
    with pytest.raises(UserError, match="NaN or infinity"):
        reading.finish(PAIR, {name: value[1, 0].numpy() for name, value in made.items()})


def test_several_views_of_an_image_are_refused() -> None:
    with pytest.raises(UserError, match="shows an image once"):
        Areas(steps=3).measure(asked(copies=3))


def test_options_out_of_range_are_refused_when_built_or_checked() -> None:
    with pytest.raises(UserError, match="steps=0"):
        Areas(steps=0)
    model = small(googlenet_like)
    with pytest.raises(UserError, match="at most 144, the pixels of the input"):
        Areas(steps=model.input.size**2 + 1).check(model)
