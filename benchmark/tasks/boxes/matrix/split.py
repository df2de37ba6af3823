"""Held-out images: those on which thresholds are chosen, and all others, which alone are evaluated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset
from benchmark.core.provenance import fingerprint
from benchmark.core.text_lists import read_ids
from benchmark.core.types import BoolArray, Records, Sample


@dataclass(frozen=True)
class Rest:
    """A dataset without some of its images; see :class:`benchmark.core.protocols.Dataset`."""

    name: str
    classes: Sequence[str]
    class_names: Sequence[str]
    samples: Sequence[Sample]
    fingerprint: str
    annotations: str
    skipped: Mapping[str, str]
    conditions: Mapping[str, Any]
    complete: bool = field(default=False, init=False)


@dataclass(frozen=True)
class Split:
    """A dataset split into held-out images and all others.

    Attributes:
        dataset: All images; every one of them is measured.
        name: Name of the list of held-out images; empty without one.
        heldout: Their ids.
    """

    dataset: Dataset
    name: str = ""
    heldout: frozenset[str] = frozenset()

    @property
    def rest(self) -> Dataset:
        """Return the evaluated images as a dataset of its own; the dataset itself if nothing is held out."""
        whole = self.dataset
        if not self.heldout:
            return whole
        left_out = f"{len(self.heldout)} images of {self.name} left out"
        return Rest(
            name=whole.name,
            classes=whole.classes,
            class_names=whole.class_names,
            samples=tuple(sample for sample in whole.samples if sample.image_id not in self.heldout),
            fingerprint=fingerprint({"dataset": whole.fingerprint, "without": sorted(self.heldout)}),
            annotations=fingerprint({"dataset": whole.annotations, "without": sorted(self.heldout)}),
            skipped=whole.skipped,
            conditions={**whole.conditions, "heldout": left_out},
        )

    def tuning(self, records: Records) -> Records:
        """Return the records of the held-out images."""
        return select(records, self.heldout, inside=True)

    def evaluated(self, records: Records) -> Records:
        """Return the records of all others."""
        return select(records, self.heldout, inside=False)


def split_of(dataset: Dataset, heldout: str | None) -> Split:
    """Split a dataset by the file that names its held-out images, one id a line.

    Raises:
        UserError: If the file cannot be read, names what is no image of the dataset, or leaves nothing to
            choose on or to evaluate.
    """
    if heldout is None:
        return Split(dataset)
    path = Path(str(heldout)).expanduser()
    ids = read_ids(path)
    strange = sorted(ids - {sample.image_id for sample in dataset.samples})
    if strange:
        more = f" and {len(strange) - 1} more" if strange[1:] else ""
        raise UserError(
            f"heldout={heldout}: {strange[0]}{more}: no image of {dataset.name}; list only images of the "
            "dataset as it is chosen here (dataset.list and dataset.limit count)"
        )
    usable = [sample for sample in dataset.samples if not sample.blacklisted]
    if not any(sample.image_id in ids for sample in usable):
        raise UserError(f"heldout={heldout}: all its images are on the blacklist; list others")
    if all(sample.image_id in ids for sample in usable):
        raise UserError(f"heldout={heldout}: it leaves no image to evaluate; shorten the list")
    return Split(dataset, path.name, ids)


def select(records: Records, ids: frozenset[str], inside: bool) -> Records:
    """Select the records of the images that are among ``ids``, or of those that are not, in their order."""
    keep = np.array([(image in ids) == inside for image in records.image_ids], np.bool_)
    if keep.all():
        return records
    kept: BoolArray = keep[records.owner]
    row = np.cumsum(keep, dtype=np.int32) - 1
    names = (field.name for field in fields(records) if field.name not in ("truth", "owner"))
    columns = {name: getattr(records, name) for name in names}
    columns = {name: column[keep] for name, column in columns.items() if isinstance(column, np.ndarray)}
    return replace(
        records,
        image_ids=tuple(image for image, kept_too in zip(records.image_ids, keep, strict=True) if kept_too),
        truth=records.truth[kept],
        owner=row[records.owner[kept]].astype(np.int32),
        skipped={image: why for image, why in records.skipped.items() if (image in ids) == inside},
        **columns,
    )
