"""Training by SEC's three losses: from seeds to networks, and from a network to the class of each pixel."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from benchmark.core.dense_crf import LEAST, Crf, at_least
from benchmark.core.device import reproducible
from benchmark.core.files import write_atomically
from benchmark.core.progress import Counter
from benchmark.core.seeds import SIDE
from benchmark.tasks.sec.losses import constrain_loss, expand_loss, seed_loss

if TYPE_CHECKING:
    from benchmark.core.types import ImageArray

_KEPT = 500  # steps after which a training that is killed goes on from there


class Lesson(NamedTuple):
    """One image as a network learns from it.

    Attributes:
        features: The network's input: activations ``[F, h, w]``, or pixels ``[3, h, w]``.
        pixels: ``[41, 41, 3]``, the image.
        seeds: For each network, the class of each cell ``[41, 41]``, or 254.
        present: ``[C]`` whether the image holds each class.
    """

    features: Tensor
    pixels: ImageArray
    seeds: Sequence[ImageArray]
    present: np.ndarray


class Segmenter(Protocol):
    """What is trained: a choice of ``conf/segmenter``."""

    @property
    def side(self) -> int | None:
        """Return the side of the image that is its input; ``None`` for a frozen network's activations."""

    @property
    def batch_size(self) -> int:
        """Return the number of images of a step."""

    @property
    def seed(self) -> int:
        """Return the seed of the order of the images, and of dropout."""

    def identity(self) -> dict[str, Any]:
        """Return what changes the trained network."""

    def sentence(self) -> str:
        """Return what is trained, for a reader."""

    def steps(self, images: int) -> int:
        """Return the number of steps for so many images."""

    def decay(self, step: int) -> float:
        """Return the factor on the learning rate at a step."""

    def net(self, lessons: Sequence[Lesson]) -> nn.Module:
        """Return an untrained network from inputs to scores ``[N, C + 1, h, w]``, the same each time."""

    def optimiser(self, net: nn.Module) -> torch.optim.Optimizer:
        """Return what changes its parameters."""

    def finished(self, net: nn.Module) -> nn.Module:
        """Return the trained network as it is used."""


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


def fit(
    lessons: Sequence[Lesson],
    options: Segmenter,
    crf: Crf | None = None,
    device: torch.device | None = None,
    kept: Path | None = None,
) -> list[nn.Module]:
    """Train one network for each set of seeds, on the same images in the same order, from the same start.

    The kernels of the CRF, which cost most of a small head's training, are made once for all networks.

    Args:
        lessons: The images.
        options: What is trained.
        crf: Of the constrain-to-boundary loss; ``None`` for SEC's.
        device: ``None`` for the CPU.
        kept: File of an unfinished training, which goes on from there; ``None`` to keep none.
    """
    crf, device = crf or Crf(), device or torch.device("cpu")
    nets = [options.net(lessons).to(device).train() for _ in lessons[0].seeds]
    optimisers = [options.optimiser(net) for net in nets]
    rates = [group["lr"] for group in optimisers[0].param_groups]
    steps = options.steps(len(lessons))
    begun = _restore(kept, nets, optimisers)
    with reproducible(), Counter("training on seeds", steps, begun, "steps") as counter:
        chosen = islice(_batches(len(lessons), options.batch_size, options.seed), steps)
        for step, places in enumerate(chosen):
            if step >= begun:
                for optimiser in optimisers:
                    for group, rate in zip(optimiser.param_groups, rates, strict=True):
                        group["lr"] = rate * options.decay(step)
                _step([lessons[place] for place in places], nets, optimisers, crf, options.seed + step)
                if kept and (step + 1) % _KEPT == 0 and step + 1 < steps:
                    _keep(kept, step + 1, nets, optimisers)
                counter.add(1)
    return [options.finished(net) for net in nets]


def _batches(count: int, size: int, seed: int) -> Iterator[list[int]]:
    """Yield the places of each step's images without end: all of them, in a new order each time."""
    order = np.random.default_rng(seed)
    while True:
        shuffled = order.permutation(count).tolist()
        yield from (shuffled[start : start + size] for start in range(0, count, size))


def _step(
    batch: Sequence[Lesson],
    nets: Sequence[nn.Module],
    optimisers: Sequence[torch.optim.Optimizer],
    crf: Crf,
    seed: int,
) -> None:
    device = next(nets[0].parameters()).device
    kernels = [crf.kernel(torch.from_numpy(one.pixels.astype(np.float32)).to(device)) for one in batch]
    features = torch.stack([one.features for one in batch]).to(device)
    present = torch.from_numpy(np.stack([one.present for one in batch])).to(device)
    for number, (net, optimiser) in enumerate(zip(nets, optimisers, strict=True)):
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed)  # of dropout: the same for all networks, and after a restart
            scores = scores_at(net, features)
        smooth = _smoothed(crf, kernels, scores.detach())
        seeds = torch.from_numpy(np.stack([one.seeds[number] for one in batch])).long().to(device)
        loss = sec_loss(scores, smooth, seeds.flatten(1), present)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()


def _keep(
    path: Path, step: int, nets: Sequence[nn.Module], optimisers: Sequence[torch.optim.Optimizer]
) -> None:
    content = io.BytesIO()
    states = {
        "nets": [net.state_dict() for net in nets],
        "optimisers": [one.state_dict() for one in optimisers],
    }
    torch.save({"step": step, **states}, content)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.getvalue())


def _restore(
    path: Path | None, nets: Sequence[nn.Module], optimisers: Sequence[torch.optim.Optimizer]
) -> int:
    """Return the number of steps that are done already."""
    if path is None or not path.is_file():
        return 0
    stored = torch.load(path, map_location="cpu", weights_only=True)
    for net, optimiser, *states in zip(nets, optimisers, stored["nets"], stored["optimisers"], strict=True):
        net.load_state_dict(states[0])
        optimiser.load_state_dict(states[1])
    return int(stored["step"])


@torch.no_grad()
def _smoothed(crf: Crf, kernels: Sequence[Tensor], scores: Tensor) -> Tensor:
    return torch.stack([crf.infer(kernel, one) for kernel, one in zip(kernels, scores, strict=True)])


@torch.no_grad()
def predicted(
    net: nn.Module, features: Tensor, size: tuple[int, int], kernel: Tensor | None = None
) -> ImageArray:
    """Return the class of each pixel ``[height, width]``, 0 the background.

    Args:
        net: The trained network.
        features: Its input ``[F, h, w]``, of the whole image.
        size: ``(width, height)`` of the image.
        kernel: Of a CRF at 41 x 41 that smooths the scores first; ``None`` for none.
    """
    scores = scores_at(net, features[None].to(next(net.parameters()).device)).cpu()
    marginals = scores.softmax(dim=1) if kernel is None else Crf().infer(kernel, scores)
    grid = marginals.reshape(1, -1, SIDE, SIDE)
    large = interpolate(grid, size[::-1], mode="bilinear", align_corners=False)
    best: ImageArray = large[0].argmax(dim=0).to(torch.uint8).numpy()
    return best
