"""Progress of a training, in lines on stderr."""

import sys
import time

from benchmark.training.distributed import World
from benchmark.training.job import Job
from benchmark.training.options import TrainOptions
from benchmark.training.state import CurvePoint, Learner

_SECONDS_BETWEEN_LINES = 20.0


class Progress:
    """Prints the curve's points: each validation, and one now and then between.

    Args:
        job: What is trained.
        learner: As it starts, or goes on.
        world: Only its leader prints.
    """

    def __init__(self, job: Job[TrainOptions], learner: Learner, world: World) -> None:
        self._job, self._prints, self._first = job, world.leads, learner.iteration
        self._began = self._last = time.monotonic()
        self._found = next((point.found for point in learner.curve[::-1] if point.found is not None), None)
        if learner.iteration:
            self._print(f"goes on after iteration {learner.iteration}")
        elif job.origin:
            new = ", ".join(learner.left) or "none"
            self._print(f"{len(learner.copied)} layers from {job.origin}; new at random: {new}")
        else:
            self._print("all layers start at random")

    def add(self, point: CurvePoint) -> None:
        """Take note of a point, and print a line if it is time."""
        now, options = time.monotonic(), self._job.options
        quiet = now - self._last < _SECONDS_BETWEEN_LINES
        if point.found is not None:
            self._found = point.found
        elif quiet and point.iteration < options.iterations:
            return
        self._last = now
        rate = (point.iteration - self._first) / max(now - self._began, 1e-9)
        left = (options.iterations - point.iteration) / max(rate, 1e-9)
        speed = f"{rate * options.batch_size:.0f} images/s, {left:.0f} s left"
        found = "" if self._found is None else f", {options.objective.title} {100 * self._found:.1f} %"
        self._print(f"{point.iteration}/{options.iterations}, {speed}, loss {point.loss:.3f}{found}")

    def _print(self, text: str) -> None:
        if self._prints:
            print(f"{self._job.name}: {text}", file=sys.stderr, flush=True)
