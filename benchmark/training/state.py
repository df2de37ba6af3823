"""State of a training: parameters, the optimizer's memory, the curve. One checkpoint keeps it."""

import copy
import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.models.weights.parameters import load_matching, randomize
from benchmark.training.job import Job
from benchmark.training.loader import Pictures, batches, spans
from benchmark.training.norms import add_norms, calibrate, folded
from benchmark.training.options import TrainOptions


class CurvePoint(NamedTuple):
    """A line of the curve.

    Attributes:
        iteration: Iterations done.
        lr: Learning rate of the last of them.
        loss: Mean over the images since the last line.
        found: The objective's main number on the validation images; ``None`` where it was not measured.
        seconds: Spent on training and validation until here, over all starts.
    """

    iteration: int
    lr: float
    loss: float
    found: float | None
    seconds: float


@dataclass
class Learner:
    """A net in training.

    Attributes:
        plain: The model's own module, filled by :meth:`settle`.
        net: The module that is trained, with norms where the options ask for them.
        optimizer: Optimizer of its parameters.
        copied: Layers that started from given weights.
        left: Layers that started at random.
        iteration: Iterations done.
        loss: Sum of the losses since the last point of the curve.
        pending: Number of losses in that sum.
        curve: Points so far.
        seconds: Spent before this start.
    """

    plain: nn.Module
    net: nn.Module
    optimizer: torch.optim.Optimizer
    copied: list[str]
    left: list[str]
    iteration: int = 0
    loss: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))
    pending: int = 0
    curve: list[CurvePoint] = field(default_factory=list)
    seconds: float = 0.0

    def settle(self) -> nn.Module:
        """Return the plain net as it is now, its norms folded."""
        self.plain.load_state_dict(folded(self.net))
        return self.plain


def start(job: Job[TrainOptions], pictures: Pictures) -> Learner:
    """Make a net for its first iteration: at random, then what the given weights have for it."""
    model, options, settings = job.learning.model, job.options, job.learning.settings
    module = model.module
    randomize(module, seed=options.seed)
    layers = [name for name, part in module.named_modules() if [*part.parameters(recurse=False)]]
    copied, left = load_matching(module, job.origin) if job.origin else ([], layers)
    module.to(device=settings.torch_device, dtype=settings.dtype).to(memory_format=settings.memory_format)
    plain = copy.deepcopy(module)
    if options.batch_norm:
        _norm(job, pictures, copied)
    module.requires_grad_(True)
    optimizer = _optimizer(module, copied, options)
    return Learner(plain, module, optimizer, copied, left)


def _norm(job: Job[TrainOptions], pictures: Pictures, copied: list[str]) -> None:
    model, settings = job.learning.model, job.learning.settings
    add_norms(model.module, [model.layers["classifier"]] if "classifier" in model.layers else [])
    model.module.to(device=settings.torch_device, dtype=settings.dtype)
    if copied:
        first = next(iter(batches(pictures, spans(0, 1, job.options.batch_size), 0, False)))[0]
        calibrate(model.module, copied, first.to(settings.torch_device, settings.dtype))


def _optimizer(module: nn.Module, copied: list[str], options: TrainOptions) -> torch.optim.Optimizer:
    """Return four kinds of parameters: with and without decay, copied and new."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        layer = name.rpartition(".")[0].removesuffix(".layer").removesuffix(".norm")
        is_new = bool(copied) and layer not in copied
        groups.setdefault((parameter.ndim > 1, is_new), []).append(parameter)
    kinds = [
        {
            "params": parameters,
            "weight_decay": options.weight_decay if decays else 0.0,
            "factor": options.new_layers_lr if is_new else 1.0,
        }
        for (decays, is_new), parameters in groups.items()
    ]
    if options.optimizer == "adamw":
        return torch.optim.AdamW(kinds, lr=options.lr)
    return torch.optim.SGD(kinds, lr=options.lr, momentum=options.momentum)


_KEPT = ("iteration", "pending", "seconds", "loss", "copied", "left")


def save(job: Job[TrainOptions], learner: Learner, seconds: float) -> None:
    """Write the checkpoint and the curve, each whole or not at all."""
    content = {key: getattr(learner, key) for key in _KEPT} | {
        "fingerprint": job.fingerprint,
        "seconds": seconds,
        "net": learner.net.state_dict(),
        "optimizer": learner.optimizer.state_dict(),
        "curve": [tuple(point) for point in learner.curve],
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(job.checkpoint, buffer.getvalue())
    write_atomically(job.curve, as_csv(learner.curve, job.options.objective.column))


def resume(job: Job[TrainOptions], learner: Learner) -> None:
    """Continue from the checkpoint, if there is one.

    Raises:
        UserError: If it cannot be read, or is of another training.
    """
    if not job.checkpoint.exists():
        return
    remedy = f"delete {job.folder} to train anew"
    try:
        kept: dict[str, Any] = torch.load(job.checkpoint, map_location="cpu", weights_only=True)
        if kept["fingerprint"] != job.fingerprint:
            raise UserError(f"{job.checkpoint}: of another training; {remedy}")
        learner.net.load_state_dict(kept["net"])
        learner.optimizer.load_state_dict(kept["optimizer"])
        learner.curve = [CurvePoint(*values) for values in kept["curve"]]
        for key in _KEPT:
            setattr(learner, key, kept[key])
    except UserError:
        raise
    except Exception as error:  # whatever the bytes make the unpickler stumble over
        reason = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise UserError(f"{job.checkpoint}: cannot be continued ({reason}); {remedy}") from error


def from_csv(path: Path) -> list[CurvePoint]:
    """Read the curve that :func:`save` wrote."""
    lines = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))[1:]
    return [
        CurvePoint(int(iteration), float(lr), float(loss), float(found) if found else None, float(seconds))
        for iteration, lr, loss, found, seconds in lines
    ]


def as_csv(curve: list[CurvePoint], column: str) -> str:
    """Return the curve with a header, its measure named ``column``; what was not measured is empty."""
    lines = [f"iteration,lr,loss,{column},seconds"]
    for iteration, lr, loss, found, seconds in curve:
        measured = "" if found is None else f"{found:.6f}"
        lines.append(f"{iteration},{lr:.6g},{loss:.6f},{measured},{seconds:.1f}")
    return "\n".join([*lines, ""])
