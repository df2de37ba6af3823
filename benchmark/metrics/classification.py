"""Classification error: the ground-truth class is not among the first n predictions."""

from dataclasses import dataclass

from benchmark.core.bootstrap import fractions
from benchmark.core.metric_options import require_bootstrap
from benchmark.core.types import Estimate, Records
from benchmark.metrics.common.top_k import top_errors


@dataclass(frozen=True)
class Classification:
    """``cls_top1`` and ``cls_top5``, errors over **all** images: the blacklist is of localization alone.

    Source: the ILSVRC devkit (protocol §5.1). ``cls_top5`` is left out where no image has
    five predictions.

    Attributes:
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """

    resamples: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse options out of range.

        Raises:
            UserError: Naming the option and its range.
        """
        require_bootstrap("classification", self.resamples, self.seed)

    def __call__(self, records: Records) -> dict[str, Estimate]:
        """The errors, each with its interval."""
        errors = top_errors(records, records.classes == records.labels[:, None])
        return fractions({f"cls_top{n}": error for n, error in errors.items()}, self.resamples, self.seed)
