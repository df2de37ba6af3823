"""Gather what a report page says about a table of boxes, reading each row's records once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.core.errors import UserError
from benchmark.core.types import Result
from benchmark.reporting.page.content import BoxDetails, Kinds
from benchmark.tasks.boxes.page.curves import curve
from benchmark.tasks.boxes.page.errors import Mistakes, judged, kinds_of, limits_of, paired_tests
from benchmark.tasks.boxes.page.gallery import Gallery, class_name, sample_of
from benchmark.tasks.boxes.records import STORE, read_records
from benchmark.tasks.boxes.stored import Build, stored_row

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset
    from benchmark.reporting.archive import Archived


def records_of(archived: Archived, results: Path) -> Iterator[tuple[Result, Path]]:
    """Yield the measured rows of a table that have records of boxes, with their files."""
    for row in archived.table.measured:
        place = archived.records.get(row.row, "")
        if place.endswith(STORE.suffix):
            yield row, results / place


def box_details(
    archived: Archived, results: Path, build: Build, dataset: Dataset | None, images: int, room: int
) -> BoxDetails | None:
    """Read the records of a table's rows.

    Args:
        archived: The table.
        results: The results folder, that records are named relative to.
        build: Makes the rows' metrics.
        dataset: The images of the table, if they are at hand.
        images: Images of the gallery, at most.
        room: Bytes that all pictures and maps may take.

    Returns:
        What they say; ``None`` for a table that draws no boxes.

    Raises:
        UserError: If a file is damaged.
    """
    rows = list(records_of(archived, results))
    if not rows:
        return None
    found = BoxDetails()
    gallery = Gallery(dataset, sample_of(dataset, images)) if dataset and images else None
    verdicts: dict[str, Mistakes] = {}
    for row, path in ((row, path) for row, path in rows if path.exists()):
        verdicts[row.row] = _read(found, row, path, build, dataset, gallery)
    found.tests = paired_tests(verdicts)
    found.classes = _names(found.kinds, dataset)
    if gallery is not None and gallery.rows:
        found.gallery = gallery.content(room)
    return found


def _read(
    found: BoxDetails,
    row: Result,
    path: Path,
    build: Build,
    dataset: Dataset | None,
    gallery: Gallery | None,
) -> Mistakes:
    """Take from one row's records what the page shows of it; they are large, and not kept."""
    records = read_records([path])
    classes = len(dataset.classes) if dataset else int(records.labels.max(initial=0)) + 1
    over = curve(row, records)
    if over is not None:
        found.curves[row.row] = over
    found.kinds[row.row] = kinds_of(row, records, classes)
    if gallery is not None:
        heatmaps = path.parents[2] / "runs" / path.parent.name
        gallery.add(row.row, records, limits_of(row), heatmaps)
    try:
        return judged(records, stored_row(row, records, build).metrics)
    except UserError as error:
        found.unjudged[row.row] = str(error)
        return Mistakes(records.image_ids, {})


def _names(kinds: Mapping[str, Kinds], dataset: Dataset | None) -> list[str]:
    if dataset:
        return [class_name(dataset, label) for label in range(len(dataset.classes))]
    most = max((len(one.classes) for one in kinds.values()), default=0)
    return [f"class {label}" for label in range(most)]


def refuse_other_images(archived: Archived, dataset: Dataset) -> None:
    """Refuse images that the table was not measured on.

    Raises:
        UserError: Naming both fingerprints.
    """
    theirs, ours = archived.table.dataset.fingerprint[:12], dataset.fingerprint[:12]
    if theirs != ours:
        raise UserError(
            f"dataset {dataset.name}: its images are others ({ours}) than those of {archived.table.name} "
            f"({theirs}); name the options that the run had, such as dataset.limit"
        )
