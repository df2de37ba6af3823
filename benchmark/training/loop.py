"""The training itself: from a job to the parameters of a net."""

import sys
import time
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
from benchmark.training.state import CurvePoint, Learner, resume, save, start
from benchmark.training.validate import measure

_DROPOUT = 2
"""Kind of random stream; see :mod:`benchmark.training.loader`."""
_SECONDS_BETWEEN_LINES = 20.0


def train(job: Job[TrainOptions], world: World) -> Trained:
    """Train a net, or go on with it where a checkpoint is; the leader prints its progress on stderr.

    Raises:
        UserError: If the datasets do not fit the model, an image cannot be read, a file cannot be written, or
            the training diverges.
    """
    options, model = job.options, job.learning.model
    if options.batch_size % world.size:
        raise UserError(
            f"train.batch_size={options.batch_size}: must be a multiple of the {world.size} processes"
        )
    with torch.no_grad():
        outputs = model.module(torch.zeros(1, 3, model.input.size, model.input.size)).shape[1]
    class_order(job.checking, outputs)  # refused before hours of work, not after
    targets = options.objective.targets(job.learning.dataset.samples, class_order(job.learning, outputs))
    pictures = Pictures(job.learning, targets, options)
    learner = start(job, pictures)
    resume(job, learner)
    session = _Session(job, world, learner, outputs)
    own = spans(learner.iteration, options.iterations, options.batch_size, world.rank, world.size)
    on_cuda = job.learning.settings.torch_device.type == "cuda"
    for inputs, aims in batches(pictures, own, options.workers, pinned=on_cuda):
        session.step(inputs, aims)
        session.keep()
    return session.finish()


class _Session:
    """One start of a training: what each iteration does, and what is due between them."""

    def __init__(self, job: Job[TrainOptions], world: World, learner: Learner, outputs: int) -> None:
        self.job, self.options, self.settings = job, job.options, job.learning.settings
        self.world, self.learner, self.outputs = world, learner, outputs
        self.net = world.wrap(learner.net)
        self.first, self.before = learner.iteration, learner.seconds
        self.began = self.printed = time.monotonic()
        self.found = next((point.found for point in learner.curve[::-1] if point.found is not None), None)
        if learner.iteration:
            self._print(f"goes on after iteration {learner.iteration}")
        elif job.origin:
            new = ", ".join(learner.left) or "none"
            self._print(f"{len(learner.copied)} layers from {job.origin}; new at random: {new}")
        else:
            self._print("all layers start at random")

    @property
    def seconds(self) -> float:
        """Return the seconds spent until now, over all starts."""
        return time.monotonic() - self.began + self.before

    def step(self, inputs: Tensor, targets: Tensor) -> None:
        """Do one iteration: the loss of a batch, its gradient, one change of the parameters."""
        learner, options, settings = self.learner, self.options, self.settings
        device = settings.torch_device
        inputs = inputs.to(device, settings.dtype, non_blocking=True, memory_format=settings.memory_format)
        targets = targets.to(device, non_blocking=True)
        for group in learner.optimizer.param_groups:
            group["lr"] = options.lr_at(learner.iteration) * group["factor"]
        draws = [options.seed, _DROPOUT, learner.iteration, self.world.rank]
        torch.manual_seed(int(np.random.SeedSequence(draws).generate_state(1)[0]))
        self.net.train()
        with settings.autocast():
            logits = self.net(inputs)
        wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
        loss = options.objective.loss(wide, targets)
        learner.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        learner.optimizer.step()
        learner.loss = learner.loss.to(device) + loss.detach()
        learner.iteration += 1
        learner.pending += 1

    def keep(self) -> None:
        """Do what is due after an iteration: a point of the curve, a validation, a checkpoint."""
        done, options = self.learner.iteration, self.options
        last, validates = done == options.iterations, done % options.validate_every == 0
        if last or validates or done % options.log_every == 0:
            self._add_point(validates and not last)
        if self.world.leads and (last or done % options.checkpoint_every == 0):
            save(self.job, self.learner, self.seconds)

    def finish(self) -> Trained:
        """Return the parameters as they are saved, and what the validation finds of exactly these."""
        plain, learner = self._plain(), self.learner
        state = plain.state_dict()
        if self.options.half:
            state = {key: _halved(key, value) for key, value in state.items()}
            plain.load_state_dict(state)  # back in float32, rounded
        on_host = {key: value.detach().cpu().contiguous() for key, value in state.items()}
        facts = {"iterations": self.options.iterations}
        return Trained(on_host, self._measure(plain), learner.copied, learner.left, self.seconds, facts)

    def _add_point(self, validates: bool) -> None:
        learner = self.learner
        loss = float(self.world.summed(learner.loss)) / (self.world.size * learner.pending)
        if not np.isfinite(loss):
            raise UserError(f"{self.job.name} diverged before iteration {learner.iteration}; lower train.lr")
        found = self._measure(self._plain())[self.options.objective.key] if validates else None
        lr = self.options.lr_at(learner.iteration - 1)
        learner.curve.append(CurvePoint(learner.iteration, lr, loss, found, self.seconds))
        learner.loss, learner.pending = torch.zeros_like(learner.loss), 0
        self._report(learner.curve[-1])

    def _plain(self) -> nn.Module:
        """Return the plain net as it is now, the same in every process."""
        plain = self.learner.settle()
        self.world.share(plain.state_dict())
        return plain

    def _measure(self, plain: nn.Module) -> dict[str, Any]:
        return measure(self.job.checking, plain, self.options.objective, self.outputs, self.world)

    def _report(self, point: CurvePoint) -> None:
        """Print each validation, the end, and a line now and then between."""
        now, options = time.monotonic(), self.options
        if point.found is not None:
            self.found = point.found
        elif now - self.printed < _SECONDS_BETWEEN_LINES and point.iteration < options.iterations:
            return
        self.printed = now
        rate = (point.iteration - self.first) / max(now - self.began, 1e-9)
        left = (options.iterations - point.iteration) / max(rate, 1e-9)
        speed = f"{rate * options.batch_size:.0f} images/s, {left:.0f} s left"
        found = "" if self.found is None else f", {options.objective.title} {100 * self.found:.1f} %"
        self._print(f"{point.iteration}/{options.iterations}, {speed}, loss {point.loss:.3f}{found}")

    def _print(self, text: str) -> None:
        if self.world.leads:
            print(f"{self.job.name}: {text}", file=sys.stderr, flush=True)


def _halved(key: str, value: Tensor) -> Tensor:
    if not value.is_floating_point():
        return value
    half = value.half()
    if not half.isfinite().all():
        raise UserError(f"train.half=true: {key} is too large for half precision; set train.half=false")
    return half
