"""A small segmentation head on a frozen network's stored activations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from benchmark.core.options import Checked, Count, Natural, Positive

if TYPE_CHECKING:
    from benchmark.tasks.sec.training import Lesson


@dataclass(frozen=True)
class SecTraining(Checked, group="task.training"):
    """The training of the head; SEC fine-tunes all of DeepLab-LargeFOV for 8,000 iterations of 15 images.

    Attributes:
        hidden: Channels between the head's 3 x 3 and its 1 x 1 convolution.
        epochs: Passes over the images.
        batch_size: Images of a step.
        rate: Adam's learning rate.
        seed: Seed of the initial parameters and of the order of the images.
    """

    hidden: Count = 64
    epochs: Count = 6
    batch_size: Count = 8
    rate: Positive = 3e-3
    seed: Natural = 0
    side: ClassVar[None] = None
    """Its input is no image, but a frozen network's activations."""

    def identity(self) -> dict[str, Any]:
        """Return what changes the trained head."""
        return asdict(self)

    def sentence(self) -> str:
        """Return what is trained, for a reader."""
        return f"heads of {self.hidden} channels"

    def steps(self, images: int) -> int:
        """Return the number of steps for so many images."""
        return self.epochs * -(-images // self.batch_size)

    def decay(self, step: int) -> float:
        """Return the factor on the learning rate, which stays."""
        return 1.0

    def net(self, lessons: Sequence[Lesson]) -> nn.Sequential:
        """Return an untrained head; it is the same for the same seed and images."""
        first = lessons[0]
        scale = torch.stack([one.features.abs().mean() for one in lessons]).mean().clamp(min=1e-12)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return nn.Sequential(
                _Divided(scale),
                nn.Conv2d(len(first.features), self.hidden, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(self.hidden, len(first.present) + 1, 1),
            )

    def optimiser(self, net: nn.Module) -> torch.optim.Optimizer:
        """Return Adam."""
        return torch.optim.Adam(net.parameters(), lr=self.rate)

    def finished(self, net: nn.Module) -> nn.Module:
        """Return the head so that it takes the activations as they are."""
        assert isinstance(net, nn.Sequential)
        divided, first, *others = net
        assert isinstance(divided, _Divided)
        assert isinstance(first, nn.Conv2d)
        first.weight.data /= divided.scale
        return nn.Sequential(first, *others)


class _Divided(nn.Module):
    """Activations over their mean size, so that one learning rate fits all networks."""

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)
        self.scale: Tensor

    def forward(self, features: Tensor) -> Tensor:
        return features / self.scale
