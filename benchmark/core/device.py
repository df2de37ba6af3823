"""To the device and back without waiting, where the device allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """On its way to the device; what is computed there with it waits by itself."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def to_host(tensor: Tensor) -> Tensor:
    """On its way to the host: nothing may look at it there before an event after it has been waited for."""
    return tensor.to("cpu", non_blocking=tensor.device.type == "cuda")
