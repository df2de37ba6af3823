"""Rank correlation of a method's maps with maps of where people look, from a folder of the user's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from scipy.stats import spearmanr

from benchmark.core.bootstrap import Numbers
from benchmark.core.errors import UserError
from benchmark.core.options import Count
from benchmark.core.paired import Statistic
from benchmark.core.types import Box, FloatArray
from benchmark.tasks.pairs.metrics.common.map_metric import MapMetric
from benchmark.tasks.pairs.statistics import answered, column, image_mean
from benchmark.tasks.pairs.types import Answers, ClassPolicy, Reading

if TYPE_CHECKING:
    from benchmark.pipeline.scene import Scene

_SUFFIXES = (".npy", ".png")


@dataclass(frozen=True)
class HumanCorrelation(MapMetric, group="pair_metric.human_correlation"):
    """Spearman's correlation of a map with a person's, both averaged over areas to a grid of cells.

    The Grad-CAM paper's measure of VQA (§8.2) by Das et al. (2016). A file is named by the id of the image
    and question, ``image1_q00012.png``, or by the image's alone; it covers the whole image. Pairs without a
    file do not count. A constant map has no correlation, and counts 0.

    ===============================  =================================================
    ``rank_correlation_human``       mean over the questions that have a person's map
    ===============================  =================================================

    Attributes:
        folder: Folder of the maps: grey ``.png``, or ``.npy`` of ``[h, w]`` numbers.
        grid: Cells along a side; the reading must store them.
    """

    folder: str | None = None
    grid: Count = 14
    gives: ClassVar[tuple[str, ...]] = ("rank_correlation_human",)

    def check(self, policy: ClassPolicy, readings: Mapping[str, Reading]) -> None:
        """Refuse a folder that does not exist, before anything is measured.

        Raises:
            UserError: With the option.
        """
        self._place()

    def check_scene(self, scene: Scene, readings: Mapping[str, Reading]) -> None:
        """Refuse a transform that shows a part of the image: people's maps are of all of it.

        Raises:
            UserError: With the option.
        """
        _, view = scene.transform(np.zeros((3, 4, 3), np.uint8), scene.model.input.size)
        if view.region != Box(0, 0, 4, 3):
            raise UserError(
                f"transform={scene.transform.name}: shows a part of the image, and people's maps "
                "(pair_metric.human_correlation) are of all of it; choose transform=warp"
            )

    def _place(self) -> Path:
        folder = Path(self.folder or "").expanduser()
        if not self.folder or not folder.is_dir():
            raise UserError(
                f"pair_metric.human_correlation.folder={self.folder}: there is no such folder; name one of "
                "maps called by image id"
            )
        return folder

    def __call__(self, answers: Answers) -> Mapping[str, Statistic]:
        """Return the correlation.

        Raises:
            UserError: If there is no such folder, no map of these images in it, or a file is no map.
        """
        pairs, option = answers.pairs, f"reading.summary.grids=[{self.grid}]"
        maps = column(pairs, f"grid{self.grid}", "summary", option).reshape(len(pairs), -1)
        people = {image: self._person(image) for image in dict.fromkeys(pairs.image_ids)}
        there = np.array([people[image] is not None for image in pairs.image_ids], np.bool_)
        if not there.any():
            raise UserError(
                f"pair_metric.human_correlation.folder={self.folder}: no map of these images, such as "
                f"{next(iter(people), 'IMAGE')}.png; name the folder that holds them"
            )
        values = np.zeros(len(pairs))
        for place in np.flatnonzero(there):
            person = people[pairs.image_ids[place]]
            assert person is not None
            values[place] = _correlation(maps[place].astype(np.float64), person)
        return answered({"rank_correlation_human": image_mean(pairs, values, there)})

    def _person(self, image: str) -> Numbers | None:
        """Return a person's map as cells ``[grid²]``; ``None`` if there is none."""
        folder = self._place()
        names = [image, image.rpartition("_q")[0]]
        paths = [folder / f"{name}{suffix}" for name in names if name for suffix in _SUFFIXES]
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            return None
        pixels = torch.from_numpy(_read(path))[None, None]
        cells: Numbers = F.adaptive_avg_pool2d(pixels, self.grid).double().numpy().ravel()
        return cells


def _correlation(own: Numbers, person: Numbers) -> float:
    constant = np.ptp(own) == 0 or np.ptp(person) == 0
    return 0.0 if constant else float(spearmanr(own, person).statistic)


def _read(path: Path) -> FloatArray:
    try:
        if path.suffix == ".npy":
            pixels = np.asarray(np.load(path, allow_pickle=False), np.float32)
        else:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("F"), np.float32)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path}: cannot be read as a map ({error}); mend or remove it") from None
    if pixels.ndim != 2 or not pixels.size or not np.isfinite(pixels).all():
        raise UserError(
            f"{path}: a map is [h, w] finite numbers, this is {list(pixels.shape)}; mend or remove it"
        )
    return pixels.copy()
