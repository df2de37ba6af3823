"""DeepLab-LargeFOV, all of which SEC's losses train.

Sources: Kolesnikov and Lampert's ``training/train.prototxt`` and ``solver.prototxt``; Chen et al., "Semantic
Image Segmentation with Deep Convolutional Nets and Fully Connected CRFs" (ICLR 2015), §3.1 and 4. It is
VGG-16 whose last pooling layers keep the resolution, whose conv5 is dilated by 2, and whose fc6 has 1,024
outputs for 4,096 and 3 x 3 places for 7 x 7, dilated by 12. 321 pixels give 41 x 41 cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count, Natural, Positive
from benchmark.models.caffe_layers import named, scaled
from benchmark.models.weights.files import digest, find
from benchmark.models.weights.parameters import load_file

if TYPE_CHECKING:
    from benchmark.tasks.sec.training import Lesson

_STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_MEAN = (104.0, 117.0, 123.0)  # blue, green, red
_CLASSIFIER = "fc8-SEC"
_MOMENTUM, _WEIGHT_DECAY, _GAMMA = 0.9, 0.0005, 0.1


@dataclass(frozen=True)
class DeepLabTraining(Checked, group="task.training"):
    """SEC's own training, by stochastic gradient descent with momentum 0.9 and weight decay 0.0005.

    Biases have twice the rate and no decay, the classifier ten times that of the others.

    Attributes:
        weights: File of the layers below the classifier, DeepLab's ``vgg16_20M.caffemodel``.
        weights_dir: Folder in which it is looked for.
        iterations: Steps.
        batch_size: Images of a step.
        rate: Learning rate.
        every: Steps after which the rate falls to a tenth.
        seed: Seed of the classifier, of the order of the images, and of dropout.
        width: Factor on the channels; the published file needs 1.
    """

    weights: str = "vgg16_20M.caffemodel"
    weights_dir: str | None = None
    iterations: Count = 8000
    batch_size: Count = 15
    rate: Positive = 1e-3
    every: Count = 2000
    seed: Natural = 0
    width: Positive = 1.0
    side: ClassVar[int] = 321
    """Its input is the whole image, warped to so many pixels along a side."""

    @cached_property
    def path(self) -> Path:
        """Return the file of the weights.

        Raises:
            UserError: If there is none.
        """
        try:
            return find(self.weights, self.weights_dir)
        except UserError as error:
            text = str(error).replace("model.weights=", "task.training.weights=")
            raise UserError(f"{text}; DeepLab's authors published it") from None

    def identity(self) -> dict[str, Any]:
        """Return what changes the trained network."""
        kept = {key: value for key, value in asdict(self).items() if key[:7] != "weights"}
        return {**kept, "sha256": digest(self.path, "sha256")}

    def sentence(self) -> str:
        """Return what is trained, for a reader."""
        return f"all of DeepLab-LargeFOV from {self.path.name}, {self.iterations} steps of {self.batch_size}"

    def steps(self, images: int) -> int:
        """Return the number of steps, whatever the number of images."""
        return self.iterations

    def decay(self, step: int) -> float:
        """Return the factor on the learning rate."""
        return float(_GAMMA ** (step // self.every))

    def net(self, lessons: Sequence[Lesson]) -> nn.Sequential:
        """Return the network from its file, with a classifier that is the same for the same seed.

        Raises:
            UserError: If the file does not fit.
        """
        net = deeplab_large_fov(len(lessons[0].present) + 1, self.width)
        load_file(net[:-1], self.path, ignore=("fc8",))
        classifier = net.get_submodule(_CLASSIFIER)
        assert isinstance(classifier, nn.Conv2d)
        draws = torch.Generator().manual_seed(self.seed)
        nn.init.normal_(classifier.weight, std=0.01, generator=draws)
        nn.init.zeros_(classifier.bias)  # type: ignore[arg-type]
        return net

    def optimiser(self, net: nn.Module) -> torch.optim.Optimizer:
        """Return the gradient descent of the authors' solver, each parameter with its rate and decay."""
        groups = []
        for name, parameter in net.named_parameters():
            bias, last = name.endswith(".bias"), name.startswith(_CLASSIFIER)
            rate = self.rate * (10 if last else 1) * (2 if bias else 1)
            groups.append({"params": [parameter], "lr": rate, "weight_decay": 0 if bias else _WEIGHT_DECAY})
        return torch.optim.SGD(groups, lr=self.rate, momentum=_MOMENTUM)

    def finished(self, net: nn.Module) -> nn.Module:
        """Return the network without dropout."""
        return net.eval()


def deeplab_large_fov(outputs: int, width: float = 1.0) -> nn.Sequential:
    """Build the network with fresh parameters; layers have the names of the authors' file.

    It maps pixels ``[N, 3, 321, 321]`` of 0…255, blue, green and red, to scores ``[N, outputs, 41, 41]``.

    Args:
        outputs: Number of classes, the background included.
        width: Factor on the channels of all other layers.
    """
    layers: dict[str, nn.Module] = {"centred": _Centred()}
    channels = 3
    for stage, widths in enumerate(_STAGES, start=1):
        wide = 2 if stage == len(_STAGES) else 1
        for number, full in enumerate(widths, start=1):
            filters = scaled(full, width)
            layers[f"conv{stage}_{number}"] = nn.Conv2d(channels, filters, 3, padding=wide, dilation=wide)
            layers[f"relu{stage}_{number}"] = nn.ReLU()
            channels = filters
        layers[f"pool{stage}"] = nn.MaxPool2d(3, 2 if stage <= 3 else 1, padding=1, ceil_mode=True)
    layers["pool5a"] = nn.AvgPool2d(3, 1, padding=1)  # what is beyond the border counts as 0, as in Caffe
    hidden = scaled(1024, width)
    layers["fc6"] = nn.Conv2d(channels, hidden, 3, padding=12, dilation=12)
    layers["relu6"], layers["drop6"] = nn.ReLU(), nn.Dropout(0.5)
    layers["fc7"] = nn.Conv2d(hidden, hidden, 1)
    layers["relu7"], layers["drop7"] = nn.ReLU(), nn.Dropout(0.5)
    layers[_CLASSIFIER] = nn.Conv2d(hidden, outputs, 1)
    return named(layers)


class _Centred(nn.Module):
    """Pixels of whole grey levels, without their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.mean: Tensor

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.float() - self.mean
