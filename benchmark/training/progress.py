"""How a training goes, in lines on stderr."""

import sys
import time

from benchmark.training.distributed import World
from benchmark.training.job import Job
from benchmark.training.options import TrainOptions
from benchmark.training.state import Learner, Point

_SECONDS_BETWEEN_LINES = 20.0


class Teller:
    """Tells the curve's points: each validation, and one now and then between.

    Args:
        job: What is trained.
        learner: As it starts, or goes on.
        world: Only its leader speaks.
    """

    def __init__(self, job: Job[TrainOptions], learner: Learner, world: World) -> None:
        self._job, self._speaks, self._first = job, world.leads, learner.iteration
        self._began = self._spoke = time.monotonic()
        self._found = next(
            (point.found for point in reversed(learner.curve) if point.found is not None), None
        )
        if learner.iteration:
            self._say(f"goes on after iteration {learner.iteration}")
        elif job.origin:
            new = ", ".join(learner.left) or "none"
            self._say(f"{len(learner.copied)} layers from {job.origin}; new at random: {new}")
        else:
            self._say("all layers start at random")

    def tell(self, point: Point) -> None:
        """Take note of a point, and speak if it is time."""
        now, total = time.monotonic(), self._job.options.iterations
        self._found = self._found if point.found is None else point.found
        quiet = now - self._spoke < _SECONDS_BETWEEN_LINES
        if quiet and point.found is None and point.iteration < total:
            return
        self._spoke = now
        rate = (point.iteration - self._first) / max(now - self._began, 1e-9)
        left = (total - point.iteration) / max(rate, 1e-9)
        error = (
            "" if self._found is None else f", {self._job.options.objective.title} {100 * self._found:.1f} %"
        )
        speed = f"{rate * self._job.options.batch_size:.0f} images/s, {left:.0f} s left"
        self._say(f"{point.iteration}/{total}, {speed}, loss {point.loss:.3f}{error}")

    def _say(self, text: str) -> None:
        if self._speaks:
            print(f"{self._job.name}: {text}", file=sys.stderr, flush=True)
