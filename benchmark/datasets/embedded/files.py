"""The files of the embedded dataset: JPEG, XML and csv, as in Kaggle's CLS-LOC tree, and two PNG an image.

``SegmentationClass/val/ILSVRC2012_val_00000001.png`` says which class's object each pixel shows (0 none, else
label + 1, in VOC's colours), and ``SegmentationParts/…`` which part of the object (0 none, 1 body, 2 the
body's second colour, 3 head). Both also show the distractors, objects of other classes, which have no box.
"""

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from benchmark.datasets.embedded.classes import KINDS, WNIDS
from benchmark.datasets.embedded.scene import Picture, picture
from benchmark.datasets.pixel_labels import FOLDERS, write_pixel_labels

_SEEDS = {"val": 0, "train": 1}
_QUALITY = 90  # of the JPEG files


def write_tree(root: Path, split: str, images: int, made: Callable[[int], None]) -> None:
    """Write one split: images, annotations, class list and solution; call ``made(1)`` after each image."""
    root.mkdir(parents=True)
    names = [f"{wnid} {kind.name}\n" for wnid, kind in zip(WNIDS, KINDS, strict=True)]
    (root / "LOC_synset_mapping.txt").write_text("".join(names), encoding="utf-8")
    lines = ["ImageId,PredictionString\n"]
    for number in range(images):
        shown = picture(_SEEDS[split], number)
        below, name = _place(split, number)
        _write_image(root / "Data" / "CLS-LOC" / below / f"{name}.JPEG", shown)
        _write_pixel_labels(root, below / f"{name}.png", shown)
        _write_annotation(root / "Annotations" / "CLS-LOC" / below / f"{name}.xml", shown)
        lines.append(f"{name},{' '.join(_boxes(shown))}\n")
        made(1)
    (root / f"LOC_{split}_solution.csv").write_text("".join(lines), encoding="utf-8")


def _place(split: str, number: int) -> tuple[Path, str]:
    """Return folder and name of an image, as ``val`` and ``ILSVRC2012_val_00000001``.

    In the training split they are as ``train/n90000000`` and ``n90000000_1``.
    """
    if split == "val":
        return Path("val"), f"ILSVRC2012_val_{number + 1:08d}"
    wnid = WNIDS[number % len(KINDS)]
    return Path("train", wnid), f"{wnid}_{number // len(KINDS) + 1}"


def _write_image(path: Path, shown: Picture) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(shown.pixels).save(path, "JPEG", quality=_QUALITY)


def _write_pixel_labels(root: Path, below: Path, shown: Picture) -> None:
    for kind, labels in ("classes", shown.classes), ("parts", shown.parts):
        write_pixel_labels(root / FOLDERS[kind] / below, labels)


def _boxes(shown: Picture) -> list[str]:
    """Return each box as ``WNID xmin ymin xmax ymax``, 0-based inclusive as in ILSVRC's files."""
    return [f"{WNIDS[shown.label]} {box.x0} {box.y0} {box.x1 - 1} {box.y1 - 1}" for box in shown.boxes]


def _write_annotation(path: Path, shown: Picture) -> None:
    height, width = shown.pixels.shape[:2]
    tags = ("name", "xmin", "ymin", "xmax", "ymax")
    objects = []
    for line in _boxes(shown):
        name, *corners = (f"<{tag}>{word}</{tag}>" for tag, word in zip(tags, line.split(), strict=True))
        objects.append(f"<object>{name}<bndbox>{''.join(corners)}</bndbox></object>\n")
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"<annotation>\n<filename>{path.stem}</filename>\n{size}\n{''.join(objects)}</annotation>\n"
    path.write_text(text, encoding="utf-8")
