"""A measured accuracy held against chance: what a net has that knows nothing of the classes."""

from benchmark.diagnostics.doctor.model import Accuracy
from benchmark.diagnostics.doctor.verdict import Z999, wilson

_ENOUGH = 20
_SUSPICIOUS = 0.05


def fault(measured: Accuracy, outputs: int) -> str:
    """What a top-1 accuracy near chance means; nothing if it is above it, or too few images tell.

    Near is 5 % and less; of few outputs also more, if the accuracy's 99.9 % interval reaches down to chance
    and not up to half-way from chance to perfection: one that reaches both decides nothing.

    Args:
        measured: On at least one image.
        outputs: Of the model, among which chance would choose.
    """
    if measured.n < _ENOUGH:
        return ""
    chance = 1 / outputs
    low, high = wilson(measured.top1, measured.n, Z999)
    if measured.top1 > _SUSPICIOUS and (low > chance or high > (1 + chance) / 2):
        return ""
    return (
        f"top-1 accuracy {measured.top1:.1%} on {measured.n} images is near chance ({chance:.1%}): "
        "the order of classes or channels or the mean is wrong, or the weights are untrained; "
        "give trained weights (model.weights=FILE) and their own class order (model.classes=FILE)"
    )
