"""``./scripts/cues``: published localization cues, scored as our own seeds are."""

from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from benchmark.core.errors import UserError
from benchmark.core.seeds import count, ratio_parts
from benchmark.core.text_lists import read_ids
from benchmark.core.types import ImageArray
from benchmark.datasets.cues import read_cues
from benchmark.datasets.pixel_labels import read_pixel_labels
from benchmark.reporting.text import shown


def main(cfg: DictConfig) -> int:
    """Print precision and recall of cues, cells pooled for each class and then averaged over classes."""
    if cfg.cues is None or cfg.truth is None:
        raise UserError("give cues=FILE and truth=FILE, the masks at 41 x 41 (docs/segmentation.md)")
    cues, truth = read_cues(Path(cfg.cues).expanduser()), _truth(Path(cfg.truth).expanduser())
    images = [image for image in cues.images if image in truth]
    if cfg.list is not None:
        listed = read_ids(Path(cfg.list).expanduser())
        images = [image for image in images if image in listed or image.removeprefix("2007_") in listed]
    if not images:
        raise UserError(f"{cfg.truth}: has none of the images of {cfg.cues}; give masks of the same images")
    seeds = np.stack([cues.grid(cues.places[image]) for image in images])
    cells = count(seeds, np.stack([truth[image] for image in images]), int(cfg.classes))
    print(f"{len(images)} of {len(cues.images)} images of {cfg.cues}")
    for name, (hits, trials) in ratio_parts(cells).items():
        pooled = hits.sum(axis=0), trials.sum(axis=0)
        there = pooled[1] > 0
        print(f"{name:<21} {shown(name, float((pooled[0][there] / pooled[1][there]).mean()))}")
    return 0


def _truth(path: Path) -> dict[str, ImageArray]:
    """Read masks at 41 x 41: an npz of ``images`` and ``masks``, or a folder of PNG files of that size."""
    if path.is_dir():
        return {file.stem: read_pixel_labels(file, (41, 41), 20) for file in sorted(path.glob("*.png"))}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(zip(map(str, arrays["images"]), arrays["masks"], strict=True))
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: no masks in it ({error}); give images and masks as npz, or PNG") from error
