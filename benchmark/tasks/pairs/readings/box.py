"""The box that a localizer draws around a heatmap, and its overlap with the objects of the class."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from benchmark.core.boxes import iou
from benchmark.core.errors import UserError
from benchmark.core.masks import objects_of
from benchmark.core.options import Checked, unfit
from benchmark.core.protocols import Localizer
from benchmark.core.types import FloatArray, Model
from benchmark.pipeline.explain import relative
from benchmark.tasks.pairs.types import Asked, Pair


@dataclass(frozen=True)
class MapBoxReading(Checked, group="reading.box"):
    """The columns ``box``, int32 x0 y0 x1 y1, ``box_empty`` and ``box_iou`` of a map, as Table 1 draws it.

    ``box_empty`` says that no box followed from the map, so that it is the whole image; ``box_iou`` is the
    greatest overlap with a ground-truth box of the class, difficult ones included, 0 where there is none.

    Attributes:
        localizer: The protocol by which the box is drawn; one that looks at the map alone.
    """

    name = "box"
    version = 1
    localizer: Localizer

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.localizer):
            raise unfit(
                "reading.box.localizer", self.localizer, "a localizer, as conf/localizer describes it"
            )

    @property
    def parts(self) -> tuple[object, ...]:
        """Return what else its numbers depend on."""
        return (self.localizer,)

    def check(self, model: Model) -> None:
        """Refuse a localizer that needs the image's pixels.

        Raises:
            UserError: With the localizers that fit.
        """
        if self.localizer.needs_image:
            raise UserError(
                f"reading.box.localizer: {self.localizer.name} needs the image's pixels; choose one that "
                "draws its box from the map alone, such as gradcam_15 or cam_20"
            )

    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Return the map ``[N, K, h, w]`` as a share of its maximum, rounded as Table 1's are."""
        return {"relative": relative(asked.maps.detach())[0].float()}

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Draw the box of one pair's map.

        Raises:
            UserError: If the map holds NaN or infinity.
        """
        found = self.localizer(values["relative"], pair.view, None)
        objects, box = objects_of(pair.sample), np.array(found.box, np.int32)
        own = objects.boxes[objects.classes == pair.label]
        return {
            "box": box,
            "box_empty": np.bool_(found.empty),
            "box_iou": np.float32(iou(box, own).max(initial=0)),
        }
