"""The anatomy of the errors: what went wrong with class and box, as shares of the images."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from benchmark.core.bootstrap import fractions
from benchmark.core.boxes import hits
from benchmark.core.options import Share
from benchmark.core.paired import Statistic, outcomes
from benchmark.core.types import BoolArray, Estimate, Records
from benchmark.metrics.common.anatomy import KINDS, Thresholds, anatomy
from benchmark.metrics.common.overlap import OverlapMetric


@dataclass(frozen=True)
class Anatomy(OverlapMetric, group="metric.anatomy"):
    """What went wrong: one kind for each image, as shares that sum to one, without blacklisted images.

    The kinds are defined in :func:`benchmark.metrics.common.anatomy.anatomy`: ``right`` (one minus
    ``loc_top1``), ``class_wrong``, ``empty_map``, ``several_objects``, ``off_target``, ``too_big``,
    ``too_small``. Of the images whose class is wrong, ``wrong_class_box_right`` is the share on which the
    predicted class's box is right nevertheless, and ``wrong_class_label_right`` that on which the box of the
    ground-truth class's own map is. With ``of=label`` the kinds are those of that map, and these two shares
    are left out.

    Attributes:
        of: The box of the most probable class, ``predicted``, or of the ground-truth class's map, ``label``.
        touch: Least intersection over union of a box that is on the object at all.
        inside: Least share of an object's area inside the box for the box to hold it.
    """

    of: Literal["predicted", "label"] = "predicted"
    touch: Share = 0.1
    inside: Share = 0.5
    needs_curve: ClassVar[bool] = False

    def __call__(self, records: Records) -> dict[str, Estimate]:
        """Return the shares, each with its confidence interval."""
        kinds, counted = anatomy(records, self.of, self.limits), ~records.blacklisted
        shares = {name: (kinds == place)[counted] for place, name in enumerate(KINDS)}
        if self.of == "predicted":
            shares |= self._of_wrong_classes(records, counted & (kinds == KINDS.index("class_wrong")))
        return fractions(shares, self.resamples, self.seed)

    def statistics(self, records: Records) -> dict[str, Statistic]:
        """Return each share of all images as a statistic of them, to be compared with another run's."""
        kinds, counted = anatomy(records, self.of, self.limits), ~records.blacklisted
        shares = {name: np.equal(kinds, place) for place, name in enumerate(KINDS)}
        return {name: outcomes(records.image_ids, share, counted) for name, share in shares.items()}

    @property
    def limits(self) -> Thresholds:
        """Return the thresholds between the kinds."""
        return Thresholds(self.iou, self.touch, self.inside)

    def _of_wrong_classes(self, records: Records, wrong: BoolArray) -> dict[str, BoolArray]:
        found = {"wrong_class_box_right": records.boxes[:, :1]}
        if records.label_boxes is not None:
            found["wrong_class_label_right"] = records.label_boxes[:, None]
        return {
            name: hits(boxes, records.truth, records.owner, self.iou)[wrong, 0]
            for name, boxes in found.items()
        }
