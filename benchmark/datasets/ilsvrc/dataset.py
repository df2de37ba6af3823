"""ILSVRC val as the pipeline sees it, and its fingerprint."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.core.types import Sample
from benchmark.datasets.ilsvrc.crosscheck import box_set
from benchmark.datasets.ilsvrc.report import LayoutReport
from benchmark.datasets.ilsvrc.text import OFFICIAL_COUNT


@dataclass(frozen=True)
class IlsvrcVal:
    """ILSVRC2012 val, or the part of it that was found and selected.

    Attributes:
        classes: The WNIDs, sorted; 1000 unless ``dataset.classes`` names others.
        class_names: Each class in words.
        ilsvrc_ids: The devkit's number (1…1000) of each class, as used in its submission files.
        samples: The selected images, in the selected order.
        skipped: Images left out by ``dataset.missing=skip``, each with what it lacks.
        fingerprint: See :func:`fingerprint`.
        report: What was found on disk.
        name: The key in ``conf/dataset``.
        count: Number of images of the whole set.
    """

    classes: tuple[str, ...]
    class_names: tuple[str, ...]
    ilsvrc_ids: tuple[int, ...]
    samples: tuple[Sample, ...]
    skipped: Mapping[str, str]
    fingerprint: str
    report: LayoutReport
    name: str = "ilsvrc_val"
    count: int = OFFICIAL_COUNT

    @property
    def complete(self) -> bool:
        """Return whether the whole set is in it, for ILSVRC val 50,000 images."""
        return len(self.samples) == self.count

    @property
    def conditions(self) -> dict[str, Any]:
        """Return what is stored with every number about the images and their annotations."""
        return {
            "images": len(self.samples),
            "complete": self.complete,
            "layout": self.report.layout,
            "truth": sorted({source.kind for source in self.report.sources}),
            "blacklist": self.report.blacklist_state,
            "blacklisted": sum(sample.blacklisted for sample in self.samples),
            "skipped": len(self.skipped),
        }


def fingerprint(samples: Sequence[Sample], classes: Sequence[str], sizes: Mapping[str, int]) -> str:
    """Return the sha256 of everything about the images that can change a number.

    For each sample in the order of ids, one line: id, file size in bytes (0 without a file), WNID of the
    label, 0 or 1 for blacklisted, and the boxes, sorted and each once; after them the ids in the samples' own
    order. So it depends neither on where the files lie, nor on flat or WNID folders, nor on which source had
    the annotations. Pixels are not read: the size in bytes stands for them.
    """
    digest = hashlib.sha256(b"ilsvrc_val 1\n")
    for s in sorted(samples, key=lambda sample: sample.image_id):
        boxes = " ".join(",".join(map(str, box)) for box in box_set(s.boxes))
        line = f"{s.image_id} {sizes.get(s.image_id, 0)} {classes[s.label]} {s.blacklisted:d} {boxes}\n"
        digest.update(line.encode())
    digest.update(" ".join(sample.image_id for sample in samples).encode())
    return digest.hexdigest()
