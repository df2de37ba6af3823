"""Compute on a device: reproducibly, and without waiting for it where it allows that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Send a tensor to the device; what is computed there with it waits by itself."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def to_host(tensor: Tensor) -> Tensor:
    """Send a tensor to the host, where nothing may look at it before :func:`sent_by` has been waited for."""
    return tensor.to("cpu", non_blocking=tensor.device.type == "cuda")


def sent_by(device: torch.device) -> torch.cuda.Event | None:
    """Return the event that ends all that was asked of a device so far; ``None`` where nothing is pending."""
    if device.type != "cuda":
        return None
    import torch

    event: torch.cuda.Event = torch.cuda.current_stream(device).record_event()
    return event


@contextmanager
def reproducible() -> Iterator[None]:
    """Switch off what makes a device's numbers vary: TF32, and cuDNN's search for the fastest kernel.

    On CUDA the order of atomic sums stays open (excitation backprop and gradients through max pooling whose
    windows overlap): there heatmaps differ from run to run, as far as ``docs/precision.md`` says of each
    method, which is by the last digits for Grad-CAM and CAM alone.
    """
    import torch

    backend, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = backend.deterministic, backend.benchmark, backend.allow_tf32, matmul.allow_tf32
    backend.deterministic, backend.benchmark, backend.allow_tf32, matmul.allow_tf32 = (
        True,
        False,
        False,
        False,
    )
    try:
        yield
    finally:
        backend.deterministic, backend.benchmark, backend.allow_tf32, matmul.allow_tf32 = before
