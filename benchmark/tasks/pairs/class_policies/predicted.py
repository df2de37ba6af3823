"""The classes that the network predicts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count
from benchmark.core.types import IntArray, Sample


@dataclass(frozen=True)
class Predicted(Checked, group="classes"):
    """The network's best outputs, whatever the image holds.

    An output that is not one of the dataset's classes is among them too, and gives no pair.

    Attributes:
        name: The policy's key in ``conf/classes``.
        count: Number of outputs, the best first.
        version: Raised whenever a change of the code can change a choice.

    Raises:
        UserError: If ``count`` is out of its range.
    """

    name: str = "predicted"
    count: Count = 1
    version: int = field(default=1, init=False)

    def __call__(self, samples: Sequence[Sample], outputs: IntArray, logits: Tensor) -> Tensor:
        """Return outputs ``[N, count]``.

        Raises:
            UserError: If the network has fewer outputs.
        """
        if self.count > logits.shape[1]:
            raise UserError(f"classes.count={self.count}: the model has only {logits.shape[1]} outputs")
        return logits.topk(self.count, dim=1).indices
