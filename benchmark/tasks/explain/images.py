"""Explain image files that belong to no dataset: heatmaps, boxes, arrays and overlays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmark.core.device import reproducible, to_device
from benchmark.core.errors import UserError
from benchmark.core.heatmaps import upsample
from benchmark.core.protocols import SeveralViews
from benchmark.core.types import Box, FloatArray, ImageArray, View
from benchmark.datasets.images import read_upright
from benchmark.models.forward import forward_pass
from benchmark.tasks.explain.classes import Outputs
from benchmark.transforms.normalize import to_input

if TYPE_CHECKING:
    from benchmark.core.protocols import Localizer, Method, Transform
    from benchmark.core.types import Model
    from benchmark.pipeline.settings import RunSettings

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".ppm")


@dataclass(frozen=True)
class Explainer:
    """What an image is explained with.

    Attributes:
        model: The network, on the run's device.
        methods: Methods by name.
        localizer: Makes a box of each map.
        transform: Transform from an image to the network's input.
        settings: Device and precision.
        outputs: The network's classes.
    """

    model: Model
    methods: Mapping[str, Method]
    localizer: Localizer
    transform: Transform
    settings: RunSettings
    outputs: Outputs

    def __post_init__(self) -> None:
        if isinstance(self.transform, SeveralViews):
            raise UserError(f"transform={self.transform.name}: an image is shown in one view; type warp")

    def __call__(self, path: Path, wanted: Sequence[int], top: int) -> ExplainedImage:
        """Explain an image file.

        Args:
            path: The file.
            wanted: Outputs; without any, the ``top`` best ones are taken.
            top: Number of those.

        Raises:
            UserError: If it cannot be read, or a method does not apply to the model.
        """
        pixels = read_upright(path)
        resampled, view = self.transform(pixels, self.model.input.size)
        settings = self.settings
        inputs = to_device(to_input(resampled, self.model.input)[None], settings.torch_device)
        inputs = inputs.to(settings.dtype, memory_format=settings.memory_format)
        methods = self.methods.values()
        layers = tuple(sorted({layer for method in methods for layer in method.layers}))
        with reproducible(), settings.autocast():
            forward = forward_pass(self.model, inputs, layers, any(each.operations for each in methods))
            scores = forward.logits.detach().float().softmax(dim=1)
            best = scores[0].topk(min(top, scores.shape[1])).indices
            given = torch.tensor(list(wanted), dtype=torch.int64, device=best.device)
            chosen = given if len(wanted) else best
            maps = {
                name: each(self.model, forward, chosen[None])[0].detach().float().cpu().numpy()
                for name, each in self.methods.items()
            }
        probabilities = scores[0, chosen].cpu().numpy()
        boxes = {name: self._boxes(each, view, pixels) for name, each in maps.items()}
        return ExplainedImage(path, pixels, view, tuple(chosen.tolist()), probabilities, maps, boxes)

    def _boxes(self, maps: FloatArray, view: View, pixels: ImageArray) -> tuple[Box | None, ...]:
        """Return each map's box, ``None`` of a map that yields none."""
        image = pixels if self.localizer.needs_image else None
        found = [self.localizer(np.ascontiguousarray(one), view, image) for one in maps]
        return tuple(None if each.empty else each.box for each in found)


@dataclass(frozen=True)
class ExplainedImage:
    """One image with the maps of K classes.

    Attributes:
        path: Its file.
        pixels: ``[H, W, 3]`` uint8, upright.
        view: The region of it that the network saw.
        classes: K outputs.
        scores: ``[K]`` float32, their probabilities.
        maps: Method to ``[K, h, w]`` float32, unnormalised.
        boxes: Method to K boxes in the image's pixels, ``None`` where the map is empty.
    """

    path: Path
    pixels: ImageArray
    view: View
    classes: tuple[int, ...]
    scores: FloatArray
    maps: Mapping[str, FloatArray]
    boxes: Mapping[str, tuple[Box | None, ...]]

    def heat(self, method: str, place: int) -> FloatArray:
        """Return a map's positive part in the image's pixels ``[H, W]``, as a share of its maximum."""
        pixels = upsample(np.ascontiguousarray(self.maps[method][place]), self.view)
        positive = np.where(np.isfinite(pixels), pixels, 0).clip(0)
        share: FloatArray = np.divide(positive, positive.max() or 1, dtype=np.float32)
        return share

    def arrays(self, outputs: Outputs) -> dict[str, np.ndarray]:
        """Return what is stored of it by name: classes, scores, view, each method's maps and boxes."""
        none = Box(-1, -1, -1, -1)
        boxes = {name: np.array([box or none for box in own], np.int32) for name, own in self.boxes.items()}
        return {
            "classes": np.array(self.classes, np.int64),
            "names": np.array([outputs.names[k] for k in self.classes], np.str_),
            "scores": self.scores,
            "region": np.array(self.view.region, np.int32),
            "size": np.array([self.view.width, self.view.height], np.int32),
            **{f"maps_{name}": own for name, own in self.maps.items()},
            **{f"boxes_{name}": own for name, own in boxes.items()},
        }


def image_files(named: Iterable[Path]) -> list[Path]:
    """Return image files: those that are named, and those in folders that are named, in order of their names.

    Raises:
        UserError: If a file or folder does not exist, or a folder holds no image.
    """
    found: list[Path] = []
    for path in named:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES)
            if not inside:
                raise UserError(f"{path}: holds no image ({', '.join(SUFFIXES)}); name another folder")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise UserError(f"{path}: there is no such image; name a file or a folder of images")
    return found


def names_of_files(paths: Sequence[Path]) -> Iterator[str]:
    """Yield a name for each image's own files, without suffix; two images of one name are numbered."""
    taken = {path.stem for path in paths}
    given: set[str] = set()
    for path in paths:
        name, number = path.stem, 1
        while name in given or (number > 1 and name in taken):
            number += 1
            name = f"{path.stem}-{number}"
        given.add(name)
        yield name
