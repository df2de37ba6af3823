"""The dataset as the loop sees it."""

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
    """ILSVRC2012 val, or the part of it that was found or asked for.

    Attributes:
        classes: The WNIDs, sorted; 1000 unless ``dataset.classes`` names others.
        class_names: Words of each class.
        ilsvrc_ids: The devkit's number (1…1000) of each class, as its submission files have it.
        samples: In the order asked for.
        skipped: Images left out by ``dataset.missing=skip``, each with what it lacks.
        fingerprint: See :func:`fingerprint`.
        report: What was recognised.
        name: The key in ``conf/dataset``.
        count: Images of the whole set.
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
        """Whether the whole set is in it, for ILSVRC val 50,000 images."""
        return len(self.samples) == self.count

    @property
    def conditions(self) -> dict[str, Any]:
        """What a reader of a number must know about the images and their truth, beside the fingerprint."""
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
    """sha256 of what can change a number.

    For each sample in the order of ids, one line: id, file size in bytes (0 without a file), WNID of the
    label, 0 or 1 for blacklisted, and the boxes, sorted and each once; after them the ids in the samples'
    own order. So it depends neither on where the files lie, nor on flat or WNID folders, nor on which
    source told the truth; it does not read the images, of which the size in bytes is the witness.
    """
    digest = hashlib.sha256(b"ilsvrc_val 1\n")
    for s in sorted(samples, key=lambda sample: sample.image_id):
        boxes = " ".join(",".join(map(str, box)) for box in box_set(s.boxes))
        line = f"{s.image_id} {sizes.get(s.image_id, 0)} {classes[s.label]} {s.blacklisted:d} {boxes}\n"
        digest.update(line.encode())
    digest.update(" ".join(sample.image_id for sample in samples).encode())
    return digest.hexdigest()
