"""Segmentation seeds: which cells a method's maps give to the classes that an image is known to hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.core.bootstrap import Numbers
from benchmark.core.dense_crf import Crf
from benchmark.core.options import Fraction
from benchmark.core.paired import Statistic
from benchmark.core.seeds import count, overlap_parts, ratio_parts
from benchmark.core.types import ImageArray
from benchmark.tasks.pairs.metrics.common.map_metric import MapMetric
from benchmark.tasks.pairs.seed_images import SeedImage, seed_images
from benchmark.tasks.pairs.types import Answers, ratios

_SHARES = ("seed_precision", "seed_recall", "background_precision", "background_recall")


@dataclass(frozen=True)
class Seeds(MapMetric, group="pair_metric.seeds"):
    """How many of the seeds' cells are right, and how many of the true cells have a seed.

    Source: SEC (ECCV 2016), whose rules :mod:`benchmark.core.seeds` has; the Grad-CAM paper's §4.2 replaces
    its maps. Cells are pooled for each class over all images, then classes are averaged; void never.
    Which classes an image holds is known, as it is to SEC.

    ========================  ==========================================================================
    ``seed_miou``             mean intersection over union of the background and all classes, where a cell
                              has the class whose map is the largest share of its own maximum, and is
                              background if none exceeds ``share``
    ``seed_precision``        share of the cells marked as a class that are of it
    ``seed_recall``           share of a class's cells that are marked as it
    ``background_precision``  the same two of the background's seeds
    ``background_recall``
    ``seed_miou_crf``         as ``seed_miou``, after a dense CRF on the image at 41 x 41; these shares, and
                              ``share`` for the background, divided by their sum, are its probabilities
    ========================  ==========================================================================

    Attributes:
        share: A class's seeds are where its map exceeds this share of its maximum.
        background: The background's seeds are this share of the cells, those of the lowest saliency.
        crf: Whether to give ``seed_miou_crf``, which takes about a tenth of a second an image.
    """

    share: Fraction = 0.2
    background: Fraction = 0.1
    crf: bool = True
    reads: ClassVar[tuple[str, ...]] = ("seeds",)

    @property
    def gives(self) -> tuple[str, ...]:
        """Return the names of its statistics."""
        return ("seed_miou", *_SHARES, *(("seed_miou_crf",) if self.crf else ()))

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return the numbers above, of the images with a class that they hold.

        Raises:
            UserError: If the pairs lack the columns of the reading ``seeds``.
        """
        images = list(seed_images(answers.pairs))
        if not images:
            return {}
        truth = np.stack([one.truth for one in images])
        classes = max(int(truth[truth < _RESERVED].max()), *(int(one.classes.max()) for one in images))
        ids = tuple(one.image_id for one in images)

        def statistic(parts: tuple[Numbers, Numbers]) -> Statistic:
            return Statistic(ids, np.concatenate(parts, axis=1), ratios)

        def overlap(labels: list[ImageArray]) -> Statistic:
            return statistic(overlap_parts(count(np.stack(labels), truth, classes)))

        seeds = np.stack([one.seeds(self.share, self.background) for one in images])
        found = {"seed_miou": overlap([one.named(one.scores(self.share).argmax(axis=0)) for one in images])}
        for name, parts in ratio_parts(count(seeds, truth, classes)).items():
            found[name] = statistic(parts)
        if self.crf:
            found["seed_miou_crf"] = overlap([self._smoothed(one) for one in images])
        return found

    def _smoothed(self, image: SeedImage) -> ImageArray:
        """Return the class of each cell after the CRF."""
        import torch

        from benchmark.core.dense_crf import at_least

        scores = torch.from_numpy(image.scores(self.share)).flatten(1)
        probabilities = at_least(scores / scores.sum(dim=0).clamp(min=1e-12))
        crf = Crf()
        kernel = crf.kernel(torch.from_numpy(image.pixels.astype(np.float32)))
        best = crf.infer(kernel, probabilities.log()).argmax(dim=0)
        return image.named(best.numpy().reshape(image.truth.shape))


_RESERVED = 254  # numbers from here on are no classes
