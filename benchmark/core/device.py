"""Compute on a device of one's own, reproducibly, and without waiting for it where it allows that."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmark.core.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def cores() -> int:
    """Return how many cores this process may use: its share where a launcher started several."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, allowed // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


def own_gpu(device: str, worker: int, workers: int) -> str:
    """Return the GPU that this process has for itself among those of its machine.

    Args:
        device: What was asked for: ``cuda``, or one of them such as ``cuda:1``.
        worker: Number of this worker of a run.
        workers: Number of workers.

    Raises:
        UserError: If torchrun, or a launcher, started more processes here than there are GPUs; or if several
            were asked to use the same one.
    """
    import torch

    count, here = torch.cuda.device_count(), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    number, several = int(os.environ.get("LOCAL_RANK", worker)), max(workers, here)
    who = f"run.device={device}: process {number} of {several}"
    if number >= count and here > 1:
        raise UserError(f"{who} has no GPU, there are {count}; start so many processes on a machine")
    own = f"cuda:{number % count}"
    if device not in ("cuda", own) and count > 1 and several > 1:
        raise UserError(f"{who} has {own}; give cuda, for one each")
    return own if device == "cuda" and count > 1 else device


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


def keep_freed_memory() -> None:
    """Let this process keep freed memory for the next batch, where the C library is glibc.

    Otherwise every activation of more than 32 MB is mapped anew, and the system fills its pages with zeros:
    a tenth of the CPU time of a network's forward and backward pass.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    # M_TRIM_THRESHOLD and M_MMAP_MAX of malloc.h. A threshold for mapping would not do: glibc before 2.35
    # takes none above 32 MB.
    for option, value in ((-1, 2**31 - 1), (-4, 0)):
        ctypes.CDLL(None).mallopt(option, value)


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
