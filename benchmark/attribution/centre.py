"""The centre baseline: a Gaussian in the middle of the image, whatever the network and the target."""

from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.core.options import Checked, Positive
from benchmark.core.types import ForwardPass, Model

_SIDE = 29  # cells, an odd number, so that one of them is the middle


@dataclass(frozen=True)
class Centre(Checked, group="method"):
    """A map that is no explanation: ``exp(-r² / 2σ²)`` of the distance ``r`` from the image's middle.

    Its maximum is the centre point. People look at and photograph what is in the middle, so that it does well
    in every comparison of maps with boxes or with people's attention; a method is worth what it adds to it.

    Attributes:
        name: The method's key in ``conf/method``.
        sigma: Standard deviation, as a share of the input's side.
    """

    name: str = "centre"
    sigma: Positive = 0.25
    layers = ()
    operations = False

    def check(self, model: Model) -> None:
        """Accept every model."""

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Return the same map ``[N, K, 29, 29]`` for each image and target, 1 in the middle."""
        there = torch.ones_like(forward.inputs[:, :1, 0, 0] + 0 * forward.logits.detach().gather(1, classes))
        away = torch.linspace(-0.5, 0.5, _SIDE).to(there).square()
        gaussian = (-(away[:, None] + away) / (2 * self.sigma**2)).exp()
        return there[..., None, None] * gaussian
