"""The measure by which maps are compared."""

import math

import torch
from helpers.relative_error import relative_error


def test_the_error_is_that_of_the_worst_map_in_units_of_its_own_largest_value() -> None:
    wanted = torch.tensor([[[[1.0, 0.0]], [[0.0, -100.0]]]])
    change = torch.tensor([[[[0.0, 0.25]], [[1.0, 0.0]]]])
    assert relative_error(wanted + change, wanted) == 0.25
    assert relative_error(wanted, wanted) == 0


def test_an_empty_map_must_be_met_exactly_and_empty_maps_alone_prove_nothing() -> None:
    wanted = torch.tensor([[[[1.0, 0.0]], [[0.0, 0.0]]]])
    assert relative_error(wanted, wanted) == 0
    assert relative_error(wanted + 1e-30, wanted) == math.inf
    assert math.isnan(relative_error(0 * wanted, 0 * wanted))
    assert math.isnan(relative_error(math.nan * wanted, wanted))
