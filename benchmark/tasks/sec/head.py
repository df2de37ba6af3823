"""A small segmentation head on stored activations, trained by SEC's three losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from benchmark.core.dense_crf import LEAST, Crf, at_least
from benchmark.core.device import reproducible
from benchmark.core.options import Checked, Count, Natural, Positive
from benchmark.core.progress import Counter
from benchmark.core.seeds import SIDE
from benchmark.tasks.sec.losses import constrain_loss, expand_loss, seed_loss

if TYPE_CHECKING:
    from benchmark.core.types import ImageArray


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


class Lesson(NamedTuple):
    """One image as the head learns from it.

    Attributes:
        features: ``[F, h, w]``.
        pixels: ``[41, 41, 3]``, the image.
        seeds: Of each head, the class of each cell ``[41, 41]``, or 254.
        present: ``[C]`` whether the image holds each class.
    """

    features: Tensor
    pixels: ImageArray
    seeds: Sequence[ImageArray]
    present: np.ndarray


def head(channels: int, options: SecTraining, classes: int) -> nn.Sequential:
    """Return an untrained head; it is the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        return nn.Sequential(
            nn.Conv2d(channels, options.hidden, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(options.hidden, classes + 1, 1),
        )


def scores_at(net: nn.Module, features: Tensor) -> Tensor:
    """Return scores ``[N, C + 1, 41 * 41]`` of activations ``[N, F, h, w]``, enlarged bilinearly."""
    large = interpolate(net(features), (SIDE, SIDE), mode="bilinear", align_corners=True)
    return large.flatten(2)


def sec_loss(scores: Tensor, smooth: Tensor, seeds: Tensor, present: Tensor) -> Tensor:
    """Return the sum of the three losses of scores ``[N, C + 1, n]`` and the CRF's marginals.

    SEC's code adds its least probability to the network's, so that a cell that is sure of another class than
    its seed still learns; it raises the CRF's to it, of which nothing learns.
    """
    p = (scores.softmax(dim=1) + LEAST) / (1 + scores.shape[1] * LEAST)
    return seed_loss(p, seeds) + expand_loss(p, present) + constrain_loss(p, at_least(smooth))


def fit(lessons: Sequence[Lesson], options: SecTraining, crf: Crf | None = None) -> list[nn.Sequential]:
    """Train one head for each set of seeds, on the same images in the same order, from the same start.

    The kernels of the CRF, which cost most, are made once for all heads.
    """
    crf = crf or Crf()
    first = lessons[0]
    scale = torch.stack([one.features.abs().mean() for one in lessons]).mean().clamp(min=1e-12)
    nets = [head(len(first.features), options, len(first.present)) for _ in first.seeds]
    optimisers = [torch.optim.Adam(net.parameters(), lr=options.rate) for net in nets]
    order = np.random.default_rng(options.seed)
    with reproducible(), Counter("training on seeds", options.epochs * len(lessons)) as counter:
        for _ in range(options.epochs):
            shuffled = order.permutation(len(lessons))
            for start in range(0, len(lessons), options.batch_size):
                batch = [lessons[place] for place in shuffled[start : start + options.batch_size].tolist()]
                kernels = [crf.kernel(torch.from_numpy(one.pixels.astype(np.float32))) for one in batch]
                features = torch.stack([one.features for one in batch]) / scale
                present = torch.from_numpy(np.stack([one.present for one in batch]))
                for number, (net, optimiser) in enumerate(zip(nets, optimisers, strict=True)):
                    scores = scores_at(net, features)
                    smooth = _smoothed(crf, kernels, scores.detach())
                    seeds = torch.from_numpy(np.stack([one.seeds[number] for one in batch])).long()
                    loss = sec_loss(scores, smooth, seeds.flatten(1), present)
                    optimiser.zero_grad()
                    torch.autograd.backward(loss)
                    optimiser.step()
                counter.add(len(batch))
    for net in nets:  # so that it takes the activations as they are
        first_layer = net[0]
        assert isinstance(first_layer, nn.Conv2d)
        first_layer.weight.data /= scale
    return nets


@torch.no_grad()
def _smoothed(crf: Crf, kernels: Sequence[Tensor], scores: Tensor) -> Tensor:
    return torch.stack([crf.infer(kernel, one) for kernel, one in zip(kernels, scores, strict=True)])


@torch.no_grad()
def predicted(
    net: nn.Module, features: Tensor, size: tuple[int, int], kernel: Tensor | None = None
) -> ImageArray:
    """Return the class of each pixel ``[height, width]``, 0 the background.

    Args:
        net: The head.
        features: ``[F, h, w]`` of the whole image.
        size: ``(width, height)`` of the image.
        kernel: Of a CRF at 41 x 41 that smooths the scores first; ``None`` for none.
    """
    scores = scores_at(net, features[None])
    marginals = scores.softmax(dim=1) if kernel is None else Crf().infer(kernel, scores)
    grid = marginals.reshape(1, -1, SIDE, SIDE)
    large = interpolate(grid, size[::-1], mode="bilinear", align_corners=False)
    best: ImageArray = large[0].argmax(dim=0).to(torch.uint8).numpy()
    return best
