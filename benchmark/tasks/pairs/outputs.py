"""Classes of images as the outputs that a method is asked for, on the device."""

import numpy as np
import torch
from torch import Tensor

from benchmark.core.device import to_device
from benchmark.core.types import IntArray
from benchmark.tasks.pairs.types import padded


def outputs_of(labels: list[list[int]], outputs: IntArray, device: torch.device) -> Tensor:
    """Outputs ``[N, K]`` int64 of each image's classes, filled up with -1; the device is not waited for.

    Args:
        labels: Of each of N images, indices into the dataset's ``classes``.
        outputs: ``[classes]`` output of each of them.
        device: Where they are asked for.
    """
    rows = padded(labels)
    asked = np.where(rows < 0, -1, outputs[rows]).astype(np.int64)
    return to_device(torch.from_numpy(asked), device)
