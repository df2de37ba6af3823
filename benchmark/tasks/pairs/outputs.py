"""Classes of images as the outputs that a method explains, on the device."""

from itertools import zip_longest

import numpy as np
import torch
from torch import Tensor

from benchmark.core.device import to_device
from benchmark.core.types import IntArray


def outputs_of(labels: list[list[int]], outputs: IntArray, device: torch.device) -> Tensor:
    """Return outputs ``[N, K]`` int64 of each image's classes, padded with -1, without waiting.

    Args:
        labels: Classes of each of N images, indices into the dataset's ``classes``; K is at least 1.
        outputs: ``[classes]``, the network's output for each of the dataset's classes.
        device: The device to copy them to.
    """
    columns = [*zip_longest(*labels, fillvalue=-1)] or [(-1,) * len(labels)]
    rows = np.array(columns, np.int64).reshape(len(columns), len(labels)).T
    found = np.where(rows < 0, -1, outputs[rows]).astype(np.int64)
    return to_device(torch.from_numpy(found), device)
