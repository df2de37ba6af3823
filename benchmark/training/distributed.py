"""The processes of one training, as torchrun starts them; one process without it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from benchmark.core.errors import UserError
from benchmark.pipeline.settings import RunSettings


@dataclass(frozen=True)
class World:
    """This process among those of a training.

    Attributes:
        settings: Settings with the device of this process.
        rank: Its number; number 0 alone writes, prints and tracks.
        size: Number of processes.
    """

    settings: RunSettings
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Return whether this process writes and prints."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """Return the module as it is trained: gradients become the mean over the processes.

        Batch norm takes its statistics over all processes on CUDA, and over each one's own images on a CPU,
        for which torch has no other.
        """
        if self.size == 1:
            return module
        device = self.settings.torch_device
        if device.type != "cuda":
            return DistributedDataParallel(module)
        synchronised = nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]
        return DistributedDataParallel(synchronised, device_ids=[device.index])

    def summed(self, values: Tensor) -> Tensor:
        """Return the sum over all processes."""
        if self.size == 1:
            return values
        total = values.clone()
        dist.all_reduce(total)
        return total

    def share(self, state: Mapping[str, Tensor]) -> None:
        """Give every process the values of number 0, in place."""
        if self.size > 1:
            for value in state.values():
                dist.broadcast(value, 0)

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def joined(settings: RunSettings) -> Iterator[World]:
    """Join the processes that torchrun started, as long as the context lasts.

    Raises:
        UserError: If torchrun starts more processes on a machine than it has GPUs to use.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(settings)
        return
    device = settings.torch_device
    if device.type not in ("cuda", "cpu"):
        raise UserError(f"run.device={device}: with torchrun give cuda (one GPU a process), cpu or auto")
    on_cuda = device.type == "cuda"
    if on_cuda:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if on_cuda else "gloo")
    try:
        yield World(replace(settings, device=str(device)), dist.get_rank(), size)
        dist.barrier()  # a process whose group the others have left while it works may be aborted at its end
    finally:
        dist.destroy_process_group()
