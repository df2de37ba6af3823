"""The map of an image to which adversarial noise was added, and what the network says of that image."""

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Natural, Positive, Share, unfit
from benchmark.core.types import FloatArray, Model
from benchmark.models.forward import forward_pass, output_count
from benchmark.tasks.pairs.readings.common.attack import Attack, Attacked, targeted_pgd
from benchmark.tasks.pairs.types import Asked, Pair, Reading
from benchmark.transforms.normalize import input_of, pixels_of


@dataclass(frozen=True)
class AdversarialReading(Checked, group="reading.adversarial"):
    """What other readings say of the map of the same class once the image is attacked (paper, §6.2).

    The network's input is brought back to pixels of 0…255 and rounded; targeted PGD changes each channel of a
    pixel by at most ``epsilon`` levels (:mod:`benchmark.tasks.pairs.readings.common.attack`); the network is
    asked again, and the map of the pair's class is made of that answer. The changed image is in 8 bits, as a
    file would hold it. Columns, beside ``attacked_NAME`` for each column NAME of the readings in ``of``:

    ======================  =======  =====================================================================
    column                  type     meaning
    ======================  =======  =====================================================================
    attack_target           int32    output whose probability was raised
    attack_self             bool     whether that is the pair's own class
    attack_steps            int32    steps taken
    attack_before           float32  the target's probability on the clean image
    attack_after            float32  on the attacked one
    attack_class            float32  the probability of the pair's class on the attacked image
    attack_rank             int32    its place among the attacked image's scores, 0 the best
    ======================  =======  =====================================================================

    Attributes:
        of: The readings that are made of the attacked image's map, by name.
        epsilon: Greatest change of a channel, in levels of 1/255; 0 rounds the image and changes no more.
        step: Change of a step, in levels.
        steps: Greatest number of steps; with 0 and a random start, noise of the same size without an aim.
        start: Whether to start from the ``clean`` image or a ``random`` one in the ball, the same difference
            for every image.
        seed: Seed of that difference.
        enough: An image whose target has a greater probability is left as it is; 1: none.
        target: Output to raise; ``None`` for each image's least probable one.
    """

    name = "adversarial"
    version = 1
    costly = True
    of: Mapping[str, Reading]
    epsilon: Natural = 8
    step: Positive = 1.0
    steps: Natural = 40
    start: Literal["clean", "random"] = "clean"
    seed: Natural = 0
    enough: Share = 0.9999
    target: Natural | None = None
    _last: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not all(hasattr(reading, "measure") for reading in self.of.values()):
            raise unfit("reading.adversarial.of", self.of, "readings, each by its name")

    @property
    def parts(self) -> tuple[object, ...]:
        """Return what else its numbers depend on."""
        return tuple(self.of.values())

    def check(self, model: Model) -> None:
        """Refuse a target that the network does not have, and what the other readings refuse.

        Raises:
            UserError: With the outputs that there are.
        """
        if self.target is not None and self.target >= (count := output_count(model)):
            must = f"below {count}, the number of outputs of {model.name}; or null"
            raise unfit("reading.adversarial.target", self.target, must)
        for reading in self.of.values():
            reading.check(model)

    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Attack the images and read their maps, ``[N, K, …]``; it waits for the device after each step.

        Raises:
            UserError: If the transform shows each image several times, so that no single input is the image.
        """
        if asked.method is None or len(asked.forward.inputs) != len(asked.maps):
            raise UserError("reading=adversarial: needs a transform that shows an image once")
        form, method = asked.model.input, asked.method
        targets = self._targets(asked.forward.logits.detach())
        attacked = self._attacked(asked, targets)
        inputs = input_of(attacked.pixels, form).to(asked.forward.inputs)
        forward = forward_pass(asked.model, inputs, method.layers, method.operations)
        again = asked._replace(forward=forward, maps=method(asked.model, forward, asked.classes).detach())
        before, after = (_probabilities(one.logits.detach()) for one in (asked.forward, forward))
        own = after.gather(1, asked.classes)
        shape, goal = asked.classes.shape, targets[:, None]
        return {
            "attack_target": goal.expand(shape),
            "attack_self": goal == asked.classes,
            "attack_steps": attacked.steps[:, None].expand(shape),
            "attack_before": before.gather(1, goal).expand(shape),
            "attack_after": after.gather(1, goal).expand(shape),
            "attack_class": own,
            "attack_rank": (
                forward.logits.detach()[:, None] > forward.logits.gather(1, asked.classes)[..., None]
            ).sum(2),
            **{
                f"{name}/{key}": value
                for name, reading in self.of.items()
                for key, value in reading.measure(again).items()
            },
        }

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the columns above.

        Raises:
            UserError: If the attacked image's map is not finite.
        """
        kinds = {"attack_target": np.int32, "attack_steps": np.int32, "attack_rank": np.int32}
        columns: dict[str, Any] = {
            name: np.asarray(value).astype(kinds.get(name, value.dtype))
            for name, value in values.items()
            if "/" not in name
        }
        for name, reading in self.of.items():
            own = {key.partition("/")[2]: one for key, one in values.items() if key.startswith(f"{name}/")}
            columns |= {f"attacked_{key}": one for key, one in reading.finish(pair, own).items()}
        return columns

    def _targets(self, logits: Tensor) -> Tensor:
        if self.target is None:
            return logits.argmin(1)
        return torch.full_like(logits[:, 0], self.target, dtype=torch.int64)

    def _attacked(self, asked: Asked, targets: Tensor) -> Attacked:
        """Return the attacked images; every method of a batch is shown the same, which are made once."""
        inputs, form = asked.forward.inputs, asked.model.input
        if not self._last or self._last[0]() is not inputs:
            clean = pixels_of(inputs.detach(), form).round().clamp(0, 255)
            steps = self.steps if self.epsilon else 0  # within a ball of one image there is nowhere to go
            options = Attack(self.epsilon, self.step, steps, self.enough)
            made = targeted_pgd(
                lambda pixels: asked.model.module(input_of(pixels, form)),
                clean,
                targets,
                options,
                self._start(clean),
            )
            self._last[:] = [weakref.ref(inputs), made]
        found: Attacked = self._last[1]
        return found

    def _start(self, clean: Tensor) -> Tensor | None:
        if self.start == "clean":
            return None
        shape, generator = clean.shape[1:], torch.Generator().manual_seed(self.seed)
        noise = torch.randint(-self.epsilon, self.epsilon + 1, shape, generator=generator)
        return noise.to(clean)


def _probabilities(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32)).softmax(1).float()
