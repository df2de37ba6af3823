"""A small ILSVRC2012 val in every layout that people have it in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.datasets.ilsvrc import load_classes

Inclusive = tuple[int, int, int, int]
CLASSES = load_classes()


@dataclass(frozen=True)
class Picture:
    """What the files say of one image; boxes 0-based inclusive."""

    number: int
    label: int
    boxes: tuple[Inclusive, ...]
    size: tuple[int, int] = (20, 12)

    @property
    def image_id(self) -> str:
        return f"ILSVRC2012_val_{self.number:08d}"

    @property
    def wnid(self) -> str:
        return CLASSES.wnids[self.label]


PICTURES = (
    Picture(1, 65, ((0, 0, 19, 11),)),
    Picture(2, 970, ((3, 4, 9, 10), (1, 1, 1, 1))),
    Picture(36, 65, ((5, 2, 6, 8),), size=(30, 24)),
    Picture(50_000, 7, ((2, 3, 4, 5),)),
)
"""Number 36 is on the blacklist."""


def write_images(folder: Path, pictures: tuple[Picture, ...] = PICTURES, wnid_folders: bool = False) -> None:
    for picture in pictures:
        target = folder / picture.wnid if wnid_folders else folder
        target.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(picture.number)
        pixels = rng.integers(0, 256, (picture.size[1], picture.size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(target / f"{picture.image_id}.JPEG", "JPEG")


def write_train(folder: Path, pictures: tuple[Picture, ...] = PICTURES) -> None:
    """As the train split has them: a folder a class, names of WNID and number, no boxes."""
    for picture in pictures:
        target = folder / picture.wnid
        target.mkdir(parents=True, exist_ok=True)
        pixels = np.full((picture.size[1], picture.size[0], 3), picture.number % 256, np.uint8)
        Image.fromarray(pixels).save(target / f"{picture.wnid}_{picture.number}.JPEG", "JPEG")


def write_xml(folder: Path, pictures: tuple[Picture, ...] = PICTURES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        objects = "".join(
            f"<object><name>{picture.wnid}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin>"
            f"<xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
            for x0, y0, x1, y1 in picture.boxes
        )
        width, height = picture.size
        size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
        (folder / f"{picture.image_id}.xml").write_text(f"<annotation>{size}{objects}</annotation>")


def write_solution(folder: Path, pictures: tuple[Picture, ...] = PICTURES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["ImageId,PredictionString"]
    for picture in pictures:
        boxes = " ".join(f"{picture.wnid} {x0} {y0} {x1} {y1}" for x0, y0, x1, y1 in picture.boxes)
        lines.append(f"{picture.image_id},{boxes} ")
    (folder / "LOC_val_solution.csv").write_text("\r\n".join(lines) + "\r\n")


def write_text(folder: Path, pictures: tuple[Picture, ...] = PICTURES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = {picture: f"val/{picture.image_id}.JPEG" for picture in pictures}
    boxes = [f"{names[p]},{','.join(map(str, box))}" for p in pictures for box in p.boxes]
    (folder / "localization.txt").write_text("\n".join(boxes))
    (folder / "class_labels.txt").write_text("\n".join(f"{names[p]},{p.label}" for p in pictures))
    (folder / "image_sizes.txt").write_text(
        "\n".join(f"{names[p]},{p.size[0]},{p.size[1]}" for p in pictures)
    )


def write_devkit(folder: Path, pictures: tuple[Picture, ...] = PICTURES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    labels = dict.fromkeys(range(1, 50_001), 1)
    labels |= {picture.number: CLASSES.ilsvrc_ids[picture.label] for picture in pictures}
    text = "\n".join(str(label) for _, label in sorted(labels.items()))
    (folder / "ILSVRC2012_validation_ground_truth.txt").write_text(text)
    (folder / "ILSVRC2014_clsloc_validation_blacklist.txt").write_text("36\n50\n")
    # The same devkits hold this for another task, about other images.
    (folder / "ILSVRC2014_det_validation_blacklist.txt").write_text("1\n")


def write_synsets(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(f"{w} {n}\n" for w, n in zip(CLASSES.wnids, CLASSES.names, strict=True)), encoding="utf-8"
    )


def kaggle(root: Path, pictures: tuple[Picture, ...] = PICTURES) -> None:
    write_images(root / "Data/CLS-LOC/val", pictures)
    write_xml(root / "Annotations/CLS-LOC/val", pictures)
    write_solution(root, pictures)
    write_synsets(root / "LOC_synset_mapping.txt")


def kaggle_unpacked(root: Path) -> None:
    write_images(root / "ILSVRC/Data/CLS-LOC/val")
    write_xml(root / "ILSVRC/Annotations/CLS-LOC/val")
    write_solution(root)
    write_synsets(root / "LOC_synset_mapping.txt")


def image_net_org(root: Path) -> None:
    write_images(root / "ILSVRC2012_img_val")
    write_xml(root / "ILSVRC2012_bbox_val_v3/val")
    write_devkit(root / "ILSVRC2012_devkit_t12/data")


def archives_unpacked_in_one_folder(root: Path) -> None:
    write_images(root)
    write_xml(root / "val")  # as ILSVRC2012_bbox_val_v3.tgz unpacks


def images_and_xml_side_by_side(root: Path) -> None:
    write_images(root / "val")
    write_xml(root / "val")


def flat_with_bbox(root: Path) -> None:
    write_images(root / "val")
    write_xml(root / "bbox/val")


def wnid_folders(root: Path) -> None:
    write_images(root / "val", wnid_folders=True)
    write_xml(root / "bbox/val")


def wnid_folders_and_csv(root: Path) -> None:
    write_images(root, wnid_folders=True)
    write_solution(root)


def text_beside_images(root: Path) -> None:
    write_images(root / "val")
    write_text(root)


LAYOUTS: dict[str, Callable[[Path], None]] = {
    make.__name__: make
    for make in (
        *(kaggle, kaggle_unpacked, image_net_org, flat_with_bbox),
        *(wnid_folders, wnid_folders_and_csv, text_beside_images),
        *(archives_unpacked_in_one_folder, images_and_xml_side_by_side),
    )
}
