"""What segmentation seeds are made of: the map on SEC's grid, the background's saliency, and the truth."""

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate, unfold

from benchmark.core.errors import UserError
from benchmark.core.options import Checked
from benchmark.core.seeds import SIDE, VOID
from benchmark.core.types import FloatArray, ForwardPass, ImageArray, Model
from benchmark.datasets.cues import Cues, read_cues
from benchmark.datasets.images import read_sample
from benchmark.datasets.pixel_labels import averaged_cells, middle_cells, read_pixel_labels
from benchmark.models.forward import find_layer
from benchmark.tasks.pairs.types import Asked, Pair

_GRID = (SIDE, SIDE)


@dataclass(frozen=True)
class SeedMaps(Checked, group="reading.seeds"):
    """A class's map and what stands beside it, on 41 x 41 cells, as SEC's authors make their cues.

    ===========  ===============  ===================================================================
    column       type             meaning
    ===========  ===============  ===================================================================
    seed_map     float32 41 x 41  the map, bilinearly with aligned corners, or averaged if it is finer
    saliency     float32 41 x 41  of the background: the largest absolute gradient over the channels of
                                  an early layer, all outputs' gradients set to 1, the median of 3 x 3
    seed_truth   uint8 41 x 41    class of the pixel in the middle of each cell: 0, label + 1, 255 void
    seed_image   uint8 41 x 41x3  the image, averaged over each cell
    ===========  ===============  ===================================================================

    Source: SEC (ECCV 2016), ``weak-localization/*.ipynb``. There the grid is the network's own, for an input
    of 321 pixels.

    Attributes:
        layer: Early layer whose gradient is the background's saliency, a role or a module's name.
        cues: File of published cues, which take the place of the map (1 in a cue of the class, else 0) and of
            the saliency (0 in a cue of the background, else 1); ``None`` for the method's own maps.
    """

    name = "seeds"
    version = 1
    layer: str = "excitation"
    cues: str | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        """Return the layers whose activations are recorded."""
        return (self.layer,)

    @property
    def operations(self) -> bool:
        """Return whether operations are recorded: none."""
        return False

    def __post_init__(self) -> None:
        """Read the file of cues, if there is one."""
        super().__post_init__()
        given = None if self.cues is None else read_cues(Path(self.cues).expanduser())
        object.__setattr__(self, "_given", given)

    def identity(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options with what the file of cues holds in the place of where it is."""
        if self.cues is None:
            return dict(options)
        return {**options, "cues": sha256(Path(self.cues).expanduser().read_bytes()).hexdigest()}

    def check(self, model: Model) -> None:
        """Refuse a model without the early layer.

        Raises:
            UserError: If it has no such role and no such module.
        """
        find_layer(model, self.layer)

    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Return maps ``[N, K, 41, 41]``, and the saliency of each image, ``[N, K, 41, 41]`` likewise."""
        saliency = self._saliency(asked.forward).expand(-1, asked.maps.shape[1], -1, -1)
        return {"seed_map": _resized(asked.maps.detach().float()), "saliency": saliency}

    def _saliency(self, forward: ForwardPass) -> Tensor:
        """Return the saliency ``[N, 1, 41, 41]``, made once for all methods of a forward pass."""
        kept: tuple[Callable[[], Tensor | None], Tensor] | None = self.__dict__.get("_kept")
        if kept is None or kept[0]() is not forward.logits:
            total, layer = forward.logits.sum(), forward.activations[self.layer]
            (gradient,) = torch.autograd.grad(total, layer, retain_graph=True)
            made = _median(_resized(gradient.abs().amax(dim=1, keepdim=True).float()))
            kept = weakref.ref(forward.logits), made
            object.__setattr__(self, "_kept", kept)
        return kept[1]

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return the columns above.

        Raises:
            UserError: If a value is not finite, the image has no mask, or the cues lack the image.
        """
        for name in ("seed_map", "saliency"):
            if not np.isfinite(values[name]).all():
                raise UserError(f"NaN or infinity in {name}; use run.precision=float32, check the weights")
        own = dict(values) if self._cues is None else _published(self._cues, pair)
        return {**own, "seed_truth": _truth(pair), "seed_image": _pixels(pair)}

    @property
    def _cues(self) -> Cues | None:
        found: Cues | None = self.__dict__["_given"]
        return found


def _resized(maps: Tensor) -> Tensor:
    """Bring maps ``[N, K, h, w]`` to the grid: a finer one is averaged, any other enlarged."""
    if min(maps.shape[-2:]) > SIDE:
        return adaptive_avg_pool2d(maps, _GRID)
    return interpolate(maps, _GRID, mode="bilinear", align_corners=True)


def _median(maps: Tensor) -> Tensor:
    """Return the median of 3 x 3 cells ``[N, 1, h, w]``, mirrored at the borders as scipy does."""
    height, width = maps.shape[-2:]
    rows, columns = (
        torch.arange(-1, side + 1).clamp(0, side - 1).to(maps.device) for side in (height, width)
    )
    around = unfold(maps[:, :, rows][:, :, :, columns], 3)
    return around.median(dim=1).values.reshape(-1, 1, height, width)


def _published(cues: Cues, pair: Pair) -> dict[str, FloatArray]:
    own = pair.sample.image_id
    place = cues.places.get(own, cues.places.get(f"2007_{own}"))
    if place is None:
        raise UserError("reading.seeds.cues has no such image; choose the images that it has (dataset.list)")
    grid = cues.grid(place)
    return {
        "seed_map": (grid == pair.label + 1).astype(np.float32),
        "saliency": (grid != 0).astype(np.float32),
    }


def _truth(pair: Pair) -> ImageArray:
    path = pair.sample.pixel_labels.get("classes")
    if path is None:
        raise UserError("no mask says which class each pixel is of; choose dataset=voc2012 or embedded_masks")
    labels = read_pixel_labels(path, (pair.view.width, pair.view.height), VOID)
    return middle_cells(labels, pair.view.region, SIDE)


def _pixels(pair: Pair) -> ImageArray:
    return averaged_cells(read_sample(pair.sample), pair.view.region, SIDE)
