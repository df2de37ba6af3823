"""The subjects of every oracle, and the largest deviation from each in pytest's summary."""

from collections.abc import Callable

import pytest
import torch
from helpers.relative_error import relative_error
from helpers.reports import ORACLE_DEVIATION
from helpers.subjects import CASES, REAL, Subject, label, subject_of
from torch import Tensor

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
