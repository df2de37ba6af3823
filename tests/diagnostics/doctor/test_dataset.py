"""The count of a dataset's images."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from helpers.small_scenes import Folder, folder
from PIL import Image

from benchmark.core.types import Sample
from benchmark.diagnostics.doctor.dataset import Examination, class_fault, count, examine

BOXES = np.array([[0, 0, 4, 4]], np.int32)


def census(samples: list[Sample], decode: bool = True) -> Examination:
    seen: list[int] = []
    with ThreadPoolExecutor(2) as pool:
        found = examine(samples, decode, pool, seen.append)
    assert sum(seen) == sum(sample.path is not None for sample in samples)
    return found


def test_every_kind_of_image_is_counted(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds: dict[str, Image.Image] = {
        "plain": Image.new("RGB", (8, 6)),
        "grey": Image.new("L", (8, 6)),
        "cmyk": Image.new("CMYK", (8, 6)),
    }
    samples = []
    for name, image in kinds.items():
        image.save(tmp_path / f"{name}.jpg", exif=exif if name == "plain" else Image.Exif())
        samples.append(Sample(name, tmp_path / f"{name}.jpg", 0, BOXES, size=(8, 6)))
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "plain.jpg").read_bytes()[:200])
    samples += [
        Sample("broken", tmp_path / "broken.jpg", 0, BOXES),
        Sample("gone", tmp_path / "gone.jpg", 0, BOXES),
        replace(samples[0], size=(6, 8)),
        Sample("alone", None, 0, BOXES),
    ]
    found = census(samples)
    assert (found.modes["RGB"], found.grey, found.modes["CMYK"]) == (2, 1, 1)
    assert found.exif_rotated == 2
    assert len(found.unreadable) == 2
    assert all(name in line for name, line in zip(("broken", "gone"), found.unreadable, strict=True))
    assert len(found.misfits) == 1
    assert "1 grey, 1 CMYK" in "\n".join(found.lines())


def named(classes: tuple[str, ...], names: tuple[str, ...]) -> Any:
    # Any: the protocol asks for settable attributes, these are frozen.
    return Folder((), classes=classes, class_names=names)


def test_a_dataset_is_counted_in_words(tmp_path: Path) -> None:
    dataset: Any = folder(tmp_path, 10)
    said = "\n".join(count(dataset))
    for words in ("10, not the complete", "15; 5 images", "7 of 7 classes", "2 images, left out", "0 images"):
        assert words in said


def test_classes_out_of_order_doubled_or_unnamed_are_a_fault() -> None:
    names = ("n00000001", "n00000002")
    assert not class_fault(named(names, names))
    assert "sorted" in class_fault(named(names[::-1], names))
    assert "twice" in class_fault(named((names[0],) * 2, names))
    assert "names" in class_fault(named(names, names[:1]))
    assert not class_fault(named(("dog", "cat"), ("dog", "cat")))
