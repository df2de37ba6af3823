"""The subjects of every oracle, and the largest deviation from each in pytest's summary."""

from collections.abc import Callable

import pytest
import torch
from conftest import ORACLE_DEVIATION
from torch import Tensor

from oracles.subjects import CASES, REAL, Subject, label, subject_of

ALLOWED = {torch.float32: 1e-4, torch.float64: 1e-10}


@pytest.fixture(scope="session", params=CASES, ids=label)
def subject(request: pytest.FixtureRequest) -> Subject:
    """A full-size network with images and classes, one at a time in memory."""
    name, dtype = request.param
    return subject_of(name, dtype, request.getfixturevalue("shared") if name == REAL else None)


@pytest.fixture
def agree(
    subject: Subject, record_property: Callable[[str, object], None]
) -> Callable[[str, Tensor, Tensor], None]:
    """Asserts that our maps ``[N, K, …]`` are an oracle's, and keeps the deviation for the summary."""

    def compare(oracle: str, measured: Tensor, wanted: Tensor) -> None:
        assert measured.dtype == wanted.dtype
        assert measured.shape == wanted.shape
        deviation, dtype = relative_error(measured, wanted), subject.inputs.dtype
        record_property(ORACLE_DEVIATION, (oracle, subject.name, str(dtype)[6:], deviation, ALLOWED[dtype]))
        assert deviation <= ALLOWED[dtype]

    return compare


def relative_error(measured: Tensor, wanted: Tensor) -> float:
    """Of the worst map: its largest difference, over the largest magnitude in the oracle's map.

    A map that is all zero must be met exactly, else the error is infinite; of all-zero maps alone it is NaN.
    """
    difference, scale = (x.abs().flatten(2).amax(2) for x in (measured - wanted, wanted))
    if not bool((scale > 0).any()):
        return float("nan")
    return float(torch.where(difference == 0, 0.0, difference / scale).max())
