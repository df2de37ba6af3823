"""The training itself: from a job to the parameters of a net."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.pipeline.class_order import class_order
from benchmark.training.distributed import World
from benchmark.training.job import Job, Trained
from benchmark.training.loader import Pictures, batches, spans
from benchmark.training.options import TrainOptions
from benchmark.training.progress import Progress
from benchmark.training.state import CurvePoint, Learner, resume, save, start
from benchmark.training.validate import measure

_DROPOUT = 2
"""Kind of random stream; see :mod:`benchmark.training.loader`."""


@dataclass(frozen=True)
class _Session:
    """One start of a training."""

    job: Job[TrainOptions]
    world: World
    learner: Learner
    progress: Progress
    outputs: int
    began: float

    @property
    def seconds(self) -> float:
        """Return the seconds spent until now, over all starts."""
        return time.monotonic() - self.began


def train(job: Job[TrainOptions], world: World) -> Trained:
    """Train a net, or go on with it where a checkpoint is.

    Raises:
        UserError: If the datasets do not fit the model, an image cannot be read, a file cannot be written, or
            the training diverges.
    """
    options, device = job.options, job.learning.settings.torch_device
    if options.batch_size % world.size:
        raise UserError(
            f"train.batch_size={options.batch_size}: must be a multiple of the {world.size} processes"
        )
    outputs = _outputs(job)
    class_order(job.checking, outputs)  # refused before hours of work, not after
    order = class_order(job.learning, outputs)
    targets = options.objective.targets(job.learning.dataset.samples, order)
    pictures = Pictures(job.learning, targets, options)
    learner = start(job, pictures)
    resume(job, learner)
    began = time.monotonic() - learner.seconds
    session = _Session(job, world, learner, Progress(job, learner, world), outputs, began)
    net = world.wrap(learner.net)
    own = spans(learner.iteration, options.iterations, options.batch_size, world.rank, world.size)
    for inputs, aims in batches(pictures, own, options.workers, pinned=device.type == "cuda"):
        _step(session, net, inputs, aims)
        _keep(session)
    return _finish(session)


def _outputs(job: Job[TrainOptions]) -> int:
    """Return the number of classes that the model tells apart."""
    model = job.learning.model
    with torch.no_grad():
        logits = model.module(torch.zeros(1, 3, model.input.size, model.input.size))
    return int(logits.shape[1])


def _step(session: _Session, net: nn.Module, inputs: Tensor, targets: Tensor) -> None:
    """One iteration: the loss of a batch, its gradient, one change of the parameters."""
    learner, options, settings = session.learner, session.job.options, session.job.learning.settings
    device = settings.torch_device
    inputs = inputs.to(device, settings.dtype, non_blocking=True, memory_format=settings.memory_format)
    targets = targets.to(device, non_blocking=True)
    for group in learner.optimizer.param_groups:
        group["lr"] = options.lr_at(learner.iteration) * group["factor"]
    draws = [options.seed, _DROPOUT, learner.iteration, session.world.rank]
    torch.manual_seed(int(np.random.SeedSequence(draws).generate_state(1)[0]))
    net.train()
    with settings.autocast():
        logits = net(inputs)
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    loss = options.objective.loss(wide, targets)
    learner.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    learner.optimizer.step()
    learner.loss = learner.loss.to(device) + loss.detach()
    learner.iteration += 1
    learner.pending += 1


def _keep(session: _Session) -> None:
    """Do what is due after an iteration: a point of the curve, a validation, a checkpoint."""
    options, done = session.job.options, session.learner.iteration
    last, validates = done == options.iterations, done % options.validate_every == 0
    if last or validates or done % options.log_every == 0:
        _add_point(session, validates and not last)
    if session.world.leads and (last or done % options.checkpoint_every == 0):
        save(session.job, session.learner, session.seconds)


def _add_point(session: _Session, validates: bool) -> None:
    job, learner, world = session.job, session.learner, session.world
    loss = float(world.summed(learner.loss)) / (world.size * learner.pending)
    if not np.isfinite(loss):
        raise UserError(f"{job.name} diverged before iteration {learner.iteration}; lower train.lr")
    found = _measured(session, _settled(session))[job.options.objective.key] if validates else None
    point = CurvePoint(
        learner.iteration, job.options.lr_at(learner.iteration - 1), loss, found, session.seconds
    )
    learner.curve.append(point)
    learner.loss, learner.pending = torch.zeros_like(learner.loss), 0
    session.progress.add(point)


def _settled(session: _Session) -> nn.Module:
    """Return the plain net as it is now, the same in every process."""
    plain = session.learner.settle()
    session.world.share(plain.state_dict())
    return plain


def _finish(session: _Session) -> Trained:
    """Return the parameters as they are saved, and the error of exactly these."""
    plain = _settled(session)
    state = plain.state_dict()
    if session.job.options.half:
        state = {key: _halved(key, value) for key, value in state.items()}
        plain.load_state_dict(state)  # back in float32, rounded
    found, learner = _measured(session, plain), session.learner
    on_host = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    facts = {"iterations": session.job.options.iterations}
    return Trained(on_host, found, learner.copied, learner.left, session.seconds, facts)


def _measured(session: _Session, plain: nn.Module) -> dict[str, Any]:
    objective = session.job.options.objective
    return measure(session.job.checking, plain, objective, session.outputs, session.world)


def _halved(key: str, value: Tensor) -> Tensor:
    if not value.is_floating_point():
        return value
    half = value.half()
    if not half.isfinite().all():
        raise UserError(f"train.half=true: {key} is too large for half precision; set train.half=false")
    return half
