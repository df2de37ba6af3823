"""What every kind of training ends with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from benchmark.training.objective import Found


@dataclass(frozen=True)
class Trained:
    """A net at the end of its training.

    Attributes:
        state: The plain net's parameters as they are to be saved.
        found: On the validation images, of exactly these parameters.
        copied: Layers that started from given weights.
        left: Layers that started at random.
        seconds: Spent on it over all starts.
        facts: What else the passport is to say of how they came about, plain.
    """

    state: Mapping[str, Tensor]
    found: Found
    copied: Sequence[str]
    left: Sequence[str]
    seconds: float
    facts: Mapping[str, Any]
