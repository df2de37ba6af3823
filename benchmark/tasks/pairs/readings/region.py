"""The share of a heatmap's mass that lies in a given region of the image."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.heatmaps import upsample
from benchmark.core.options import Checked
from benchmark.core.types import BoolArray, FloatArray, Model
from benchmark.datasets.images import UnreadableImage, read_rgb
from benchmark.tasks.pairs.types import Asked, Pair

_OPTION = "reading.region.folder"


@dataclass(frozen=True)
class RegionReading(Checked, group="reading.region"):
    """The columns ``region_mass`` and ``region_share``: a region's share of the map and of what is seen.

    ``region_mass`` is ``Σ_{p in region} max(L_p, 0) / Σ_p max(L_p, 0)`` over the pixels ``p`` that the
    network has seen, the map ``L`` enlarged to the image as everywhere; 0 for a map without a positive value.
    A map that is everywhere the same has ``region_mass = region_share``. Both are float32.

    Attributes:
        folder: Of the regions: ``ID.png`` for each image, of the image's size, 0 outside the region. An image
            without a region has one of zeros.
    """

    name = "region"
    version = 2
    folder: str | None = None

    def check(self, model: Model) -> None:
        """Refuse a folder that is not there.

        Raises:
            UserError: With the option and what belongs there.
        """
        if self.folder is None or not Path(self.folder).is_dir():
            found = "no folder is named" if self.folder is None else "no such folder"
            raise UserError(f"{_OPTION}={self.folder or 'null'}: {found}; it holds ID.png for each image")

    def identity(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options with what the folder holds in the place of where it is."""
        return {**options, "folder": self._digest}

    @cached_property
    def _digest(self) -> str:
        files = sorted(Path(self.folder or ".").glob("*.png"))
        told = (f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files)
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def measure(self, asked: Asked) -> dict[str, Tensor]:
        """Return the map itself, ``[N, K, h, w]``."""
        return {"map": asked.maps.detach().float()}

    def finish(self, pair: Pair, values: Mapping[str, FloatArray]) -> dict[str, Any]:
        """Return both columns of one pair.

        Raises:
            UserError: If the region's file is missing, no image, or of another size than the image, or if
                the map is not finite.
        """
        pixels = upsample(values["map"], pair.view)
        region, seen = self._region(pair), np.isfinite(pixels)
        mass = np.maximum(pixels, 0, dtype=np.float64)
        total = mass.sum()
        return {
            "region_mass": np.float32(mass[region].sum() / total if total else 0),
            "region_share": np.float32(region[seen].mean()),
        }

    def _region(self, pair: Pair) -> BoolArray:
        path, view = Path(self.folder or ".") / f"{pair.sample.image_id}.png", pair.view
        try:
            found: BoolArray = read_rgb(path).max(axis=2) > 0
        except UnreadableImage as error:
            raise UserError(f"{error}; {_OPTION} holds ID.png for each image") from error
        if found.shape != (view.height, view.width):
            own = " x ".join(map(str, found.shape[::-1]))
            must = f"its image {view.width} x {view.height}; draw it in that size"
            raise UserError(f"{path}: {own} pixels, {must}")
        return found
