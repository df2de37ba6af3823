"""Settings of the computation: device, precision, batch size, workers."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from benchmark.core import provenance
from benchmark.core.device import cores, own_gpu
from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count, Natural, unfit

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class RunSettings(Checked, group="run"):
    """Options of ``conf/run``; what addresses a number is in :meth:`identity`.

    A command's configuration is checked against these types as it is composed, before PyTorch is imported.

    Attributes:
        device: ``auto`` (CUDA where there is one), or a torch device. Where a process sees several GPUs, it
            takes one by its ``LOCAL_RANK`` (torchrun) or its number as a worker.
        precision: ``float32``, ``float64``, or ``bfloat16``/``float16`` by autocast.
        channels_last: Memory format of inputs and parameters.
        compile: Mode of ``torch.compile`` for what precedes the layers that methods read (``reduce-overhead``
            are CUDA graphs); ``None`` compiles nothing.
        batch_size: Images of one forward pass, at least 1.
        top_k: Predicted classes that get a box, at least 1.
        unreadable: What becomes of a shard with images that cannot be read: ``error`` leaves it undone, and
            the run ends with an error after all other shards; ``skip`` leaves out those images, counted.
        threads: Number of threads that decode images and extract boxes; ``None`` for one a core.
        worker: Number of this worker, from 0; it begins in its own part of the shards.
        workers: Number of workers. Each takes the next shard that nobody has finished or is making.
    """

    device: str | int = "auto"
    precision: Literal["float32", "float64", "bfloat16", "float16"] = "float32"
    channels_last: bool = False
    compile: Literal["default", "reduce-overhead"] | None = None
    batch_size: Count = 16
    top_k: Count = 5
    unreadable: Literal["error", "skip"] = "error"
    threads: Count | None = None
    worker: Natural = 0
    workers: Count = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.worker >= self.workers:
            raise unfit("run.worker", self.worker, f"a whole number in 0 … {self.workers - 1}")

    @property
    def torch_device(self) -> torch.device:
        """Return the device itself.

        Raises:
            UserError: If there is no such device here, or it is not this process's own.
        """
        import torch

        name = self.device if isinstance(self.device, str) else f"cuda:{self.device}"
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        if name.startswith("cuda") and torch.cuda.is_available():
            name = own_gpu(name, self.worker, self.workers)
        try:
            torch.empty(0, device=name)
            return torch.device(name)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"run.device={self.device}: not usable here ({reason}); use auto or cpu"
            ) from None

    @property
    def dtype(self) -> torch.dtype:
        """Return the type of parameters and inputs, which the two autocast precisions keep in float32."""
        import torch

        return torch.float64 if self.precision == "float64" else torch.float32

    @property
    def memory_format(self) -> torch.memory_format:
        """Return the memory format of parameters and inputs."""
        import torch

        return torch.channels_last if self.channels_last else torch.contiguous_format

    @property
    def thread_count(self) -> int:
        """Return the number of threads that decode images and extract boxes."""
        return self.threads or cores()

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which a forward pass and its methods run."""
        if self.precision in ("float32", "float64"):
            return nullcontext()
        import torch

        return torch.autocast(self.torch_device.type, dtype=getattr(torch, self.precision))

    def identity(self) -> dict[str, Any]:
        """Return the settings that can change a number by more than rounding: they address what is stored."""
        return {
            "precision": self.precision,
            "channels_last": self.channels_last,
            "top_k": self.top_k,
        }

    def made_by(self) -> dict[str, Any]:
        """Return commit, software, device and the other settings that can change a number by rounding alone.

        They are recorded with each shard, which another device and another batch size may complete.
        """
        how = {"compile": self.compile} if self.compile else {}
        return {**provenance.made_by(self.torch_device), "batch_size": self.batch_size, **how}
