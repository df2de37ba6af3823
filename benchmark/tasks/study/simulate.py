"""Answers of workers that do not exist, with planted accuracies, to try the analysis: called simulated."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count, Natural, NonNegative, unfit
from benchmark.tasks.study.answers import COLUMNS, SIMULATED
from benchmark.tasks.study.manifest import SCALE, Item, Manifest


@dataclass(frozen=True)
class Simulation(Checked, group="simulated"):
    """Workers who are right as often as was planted, each and on each image a little more or less often.

    Each sees every image and class in one visualization, as the form assigns them. A rating is a binomial
    number of four trials, less two.

    Attributes:
        workers: Number of workers.
        accuracy: Share of right answers by the method's name.
        rating: Mean rating from -2 to 2 by the method's name.
        spread: Standard deviation of a worker's and of an image's share about the planted one; means over all
            workers and images are as planted.
        seed: Of all draws.
    """

    workers: Count = 40
    accuracy: Mapping[str, float] = field(default_factory=dict)
    rating: Mapping[str, float] = field(default_factory=dict)
    spread: NonNegative = 0.08
    seed: Natural = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in self.accuracy.items():
            if not 0 <= float(value) <= 1:
                raise unfit(f"simulated.accuracy.{name}", value, "a number in [0, 1]")
        for name, value in self.rating.items():
            if not min(SCALE) <= float(value) <= max(SCALE):
                raise unfit(f"simulated.rating.{name}", value, "a number in [-2, 2]")

    def planted(self, item: Item) -> float:
        """Return a question's planted share: of right answers, or of a rating's trials.

        Raises:
            UserError: If none was given for its method.
        """
        method = item.rows[0].partition("/")[2]
        name, values = ("rating", self.rating) if item.pack == "trust" else ("accuracy", self.accuracy)
        if method not in values:
            raise UserError(f"simulated.{name}: has no {method}; give simulated.{name}.{method}=VALUE")
        value = float(values[method])
        return (value - min(SCALE)) / (max(SCALE) - min(SCALE)) if item.pack == "trust" else value

    def answers(self, manifest: Manifest) -> Iterator[tuple[str, ...]]:
        """Yield rows of :data:`COLUMNS`."""
        rng = np.random.default_rng(self.seed)
        images = {image: n for n, image in enumerate(sorted({item.image_id for item in manifest.items}))}
        of_worker, of_image = (self._effects(rng, n) for n in (self.workers, len(images)))
        variants = {
            pack: 1 + max(i.variant for i in manifest.items if i.pack == pack) for pack in _packs(manifest)
        }
        for number in range(self.workers):
            for item in manifest.items:
                if item.variant != (item.group + number) % variants[item.pack]:
                    continue
                share = self.planted(item) + of_worker[number] + of_image[images[item.image_id]]
                share = min(max(share, 0.0), 1.0)
                yield (
                    *(
                        manifest.study,
                        item.pack,
                        f"simulated-{number:03d}",
                        item.id,
                        self._said(rng, item, share),
                    ),
                    *("", "", "", SIMULATED),
                )

    def _effects(self, rng: np.random.Generator, count: int) -> np.ndarray:
        drawn = rng.normal(0, self.spread, count)
        return np.asarray(drawn - drawn.mean())

    def _said(self, rng: np.random.Generator, item: Item, share: float) -> str:
        if item.pack == "trust":
            return str(int(rng.binomial(max(SCALE) - min(SCALE), share)) + min(SCALE))
        right = bool(rng.random() < share)
        return item.label if right else next(choice for choice in item.choices if choice != item.label)

    def text(self, manifest: Manifest) -> str:
        """Return the answers as the form's csv."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(self.answers(manifest))
        return buffer.getvalue()


def _packs(manifest: Manifest) -> set[str]:
    return {item.pack for item in manifest.items}
