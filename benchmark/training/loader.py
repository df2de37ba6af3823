"""Training images in an order that is known in advance.

Position ``p`` of a training is the ``p mod n``-th image of the seeded permutation number ``p div n``; its
augmentation is drawn from ``(seed, p)``. Iteration ``i`` sees positions ``i B … (i + 1) B - 1``. So a resumed
training, and one on several processes or decoding workers, sees what an uninterrupted one does.
"""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmark.core.errors import UserError
from benchmark.core.types import ImageArray, InputFormat
from benchmark.datasets.images import UnreadableImage, read_rgb
from benchmark.pipeline.scene import Scene
from benchmark.training.augment import augmented
from benchmark.training.objective import Targets
from benchmark.training.options import TrainOptions
from benchmark.transforms import to_input

_ORDER, _AUGMENTATION = 0, 1
"""Kinds of random streams of one seed."""


def spans(first: int, last: int, batch: int, rank: int = 0, size: int = 1) -> list[range]:
    """Return the positions that a process sees in each iteration.

    Args:
        first: Iteration to start with.
        last: Iteration to stop before.
        batch: Images of an iteration over all processes, a multiple of ``size``.
        rank: Number of the process.
        size: Number of processes.
    """
    own = batch // size
    starts = (iteration * batch + rank * own for iteration in range(first, last))
    return [range(start, start + own) for start in starts]


class Pictures(Dataset[tuple[Tensor, Tensor] | str]):
    """Images of a training by their position.

    Args:
        scene: Dataset and model.
        targets: Targets of the training, one row an image.
        options: Seed, augmentation and how much is kept decoded.

    Raises:
        UserError: If the dataset has no image, or one without a file.
    """

    def __init__(self, scene: Scene, targets: Targets, options: TrainOptions) -> None:
        samples = scene.dataset.samples
        lacking = next((sample.image_id for sample in samples if sample.path is None), None)
        if lacking is not None or not samples:
            raise UserError(f"train_set: no image file of {lacking or scene.dataset.name}; name their folder")
        # Only these go to the workers: a million samples with their boxes would be gigabytes in each.
        self._paths = [str(sample.path) for sample in samples]
        self._targets = torch.from_numpy(targets)
        self._form: InputFormat = scene.model.input
        self._options = options
        self._kept: dict[int, ImageArray] = {}
        self._room = options.cache  # bytes

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor] | str:
        """Return the input ``[3, S, S]`` and its target; a text where the image cannot be read."""
        epoch, place = divmod(position, len(self._paths))
        index = int(permutation(self._options.seed, epoch, len(self._paths))[place])
        try:
            image = self._image(index)
        except UnreadableImage as error:
            return str(error)
        random = np.random.default_rng([self._options.seed, _AUGMENTATION, position])
        pixels = augmented(image, self._form.size, self._options.augmentation, random)
        return to_input(pixels, self._form), self._targets[index]

    def _image(self, index: int) -> ImageArray:
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        image = read_rgb(Path(self._paths[index]))
        if image.nbytes <= self._room:
            self._room -= image.nbytes
            self._kept[index] = image
        return image


@lru_cache(maxsize=2)
def permutation(seed: int, epoch: int, count: int) -> npt.NDArray[np.int64]:
    """Return the order of one epoch, ``[count]`` indices of images."""
    return np.random.default_rng([seed, _ORDER, epoch]).permutation(count)


def batches(
    pictures: Pictures, positions: Sequence[range], workers: int, pinned: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the inputs ``[n, 3, S, S]`` and targets ``[n, …]`` of each iteration.

    Args:
        pictures: Images to read.
        positions: Positions of each iteration; see :func:`spans`.
        workers: Processes that decode ahead; 0: none. It changes no batch.
        pinned: Whether to put them where a CUDA device can fetch them.

    Raises:
        UserError: For an image that cannot be read.
    """
    # Workers are started afresh: a fork of a process with threads, or with a CUDA context, may hang.
    methods = multiprocessing.get_all_start_methods()
    context = ("forkserver" if "forkserver" in methods else "spawn") if workers else None
    loader = DataLoader(
        pictures,
        batch_sampler=positions,  # type: ignore[arg-type]  # a range is as good as a list
        num_workers=workers,
        collate_fn=_collate,
        pin_memory=pinned,
        worker_init_fn=_start_worker,
        multiprocessing_context=context,
        generator=torch.Generator(),  # torch's own is dropout's
    )
    for batch in loader:
        if isinstance(batch, str):
            raise UserError(f"{batch}; every training image must be readable")
        yield batch


def _collate(read: list[tuple[Tensor, Tensor] | str]) -> tuple[Tensor, Tensor] | str:
    good = [item for item in read if not isinstance(item, str)]
    if len(good) < len(read):
        return next(item for item in read if isinstance(item, str))
    return torch.stack([tensor for tensor, _ in good]), torch.stack([target for _, target in good])


def _start_worker(_number: int) -> None:
    cv2.setNumThreads(0)  # one process, one core
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the training process's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
