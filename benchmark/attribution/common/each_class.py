"""Do for one class after the other what would not fit into memory for all at once."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from benchmark.models.forward import one_hot


def each_class(logits: Tensor, classes: Tensor, make: Callable[[Tensor], Tensor]) -> Iterator[Tensor]:
    """Yield ``make(signal)`` for each column of ``classes``, whose signal ``[N, C]`` is one-hot.

    On a CPU, a column is not made where each image has had its class before, as the label's after the
    predicted classes: what was made of them is yielded again. On a GPU that could not be known without
    waiting for it.

    Args:
        logits: ``[N, C]`` scores.
        classes: ``[N, K]`` int64 output indices.
        make: Returns ``[N, …]``, each image's entry made of its own row of the signal alone.
    """
    made: list[Tensor] = []
    images = torch.arange(len(classes))
    for column, signal in enumerate(one_hot(logits, classes)):
        before = _before(classes, column)
        found = make(signal) if before is None else torch.stack(made)[before, images]
        if classes.device.type == "cpu":
            made.append(found)
        yield found


def _before(classes: Tensor, column: int) -> Tensor | None:
    """Return for each image an earlier column with the same class ``[N]``; ``None`` if one has no such."""
    if not column or classes.device.type != "cpu":
        return None
    known = classes.numpy()
    same = known[:, :column] == known[:, column, None]
    return torch.from_numpy(same.argmax(1)) if same.any(1).all() else None
