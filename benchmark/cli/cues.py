"""``./scripts/cues``: published localization cues, scored as our own seeds are."""

from pathlib import Path
from typing import Annotated

import numpy as np
from omegaconf import DictConfig

from benchmark.core.errors import UserError
from benchmark.core.options import check
from benchmark.core.seeds import SIDE, count, ratio_parts
from benchmark.core.text_lists import read_ids
from benchmark.core.types import ImageArray
from benchmark.datasets.cues import UNREADABLE, read_cues
from benchmark.datasets.pixel_labels import VOID, read_pixel_labels
from benchmark.reporting.text import shown


def main(cfg: DictConfig) -> int:
    """Print precision and recall of cues, cells pooled for each class and then averaged over classes."""
    if cfg.cues is None or cfg.truth is None:
        raise UserError("give cues=FILE and truth=FILE, the masks at 41 x 41 (docs/segmentation.md)")
    classes = check("class_count", cfg.class_count, Annotated[int, "[1, 253]"])
    cues, truth = read_cues(Path(cfg.cues).expanduser()), _truth(Path(cfg.truth).expanduser(), classes)
    images = [image for image in cues.images if image in truth]
    if cfg.list is not None:
        listed = read_ids(Path(cfg.list).expanduser())
        images = [image for image in images if image in listed or image.removeprefix("2007_") in listed]
    if not images:
        raise UserError(f"{cfg.truth}: has none of the images of {cfg.cues}; give masks of the same images")
    seeds = np.stack([cues.grid(cues.places[image]) for image in images])
    cells = count(seeds, np.stack([truth[image] for image in images]), classes)
    print(f"{len(images)} of {len(cues.images)} images of {cfg.cues}")
    for name, (hits, trials) in ratio_parts(cells).items():
        pooled = hits.sum(axis=0), trials.sum(axis=0)
        there = pooled[1] > 0
        mean = shown(name, float((pooled[0][there] / pooled[1][there]).mean())) if there.any() else "no cell"
        print(f"{name:<21} {mean}")
    return 0


def _truth(path: Path, classes: int) -> dict[str, ImageArray]:
    """Read masks at 41 x 41: an npz of ``images`` and ``masks``, or a folder of PNG files of that size."""
    if path.is_dir():
        return {
            file.stem: read_pixel_labels(file, (SIDE, SIDE), classes) for file in sorted(path.glob("*.png"))
        }
    remedy = f"give images and masks [n, {SIDE}, {SIDE}] as npz, or a folder of PNG"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            images, masks = arrays["images"].tolist(), arrays["masks"]
            truth = dict(zip(map(str, images), masks, strict=True))
    except UNREADABLE as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: no masks in it ({reason}); {remedy}") from error
    if masks.shape[1:] != (SIDE, SIDE) or masks.dtype.kind not in "iu":
        raise UserError(f"{path}: its masks are {masks.dtype} {list(masks.shape)}; {remedy}")
    beyond = masks[((masks > classes) & (masks != VOID)) | (masks < 0)]
    if beyond.size:
        raise UserError(f"{path}: class {beyond[0]} in it, but classes end at {classes} and void is {VOID}")
    return truth
