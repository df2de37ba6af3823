"""What a metric says of each single pair in words, as a csv beside the table."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.core.files import write_atomically
from benchmark.pipeline.names import file_name
from benchmark.pipeline.results import files_of
from benchmark.tasks.pairs.records import STORE, read_pairs
from benchmark.tasks.pairs.types import Answers, Illustrated

if TYPE_CHECKING:
    from benchmark.tasks.pairs.plan import PairRow


def sentences(path: Path, row: PairRow) -> list[Path]:
    """Write a row's sentences beside a picture sheet, with the columns ``image``, ``class``, ``sentence``.

    Args:
        path: The picture sheet's; the row's name is put before its suffix, which becomes ``.csv``.
        row: A finished row.

    Returns:
        The file, nothing if no metric of the row has sentences.
    """
    metrics = [metric for metric in row.metrics.values() if isinstance(metric, Illustrated)]
    if not metrics:
        return []
    pairs, classes = read_pairs(files_of(row.cell, STORE)), row.scene.dataset.class_names
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", "class", "sentence"])
    names = (classes[label] for label in pairs.columns["label"])
    spoken = metrics[0].sentences(Answers(pairs, None, classes))
    writer.writerows(zip(pairs.image_ids, names, spoken, strict=True))
    file = path.with_name(f"{path.stem}-{file_name(row.row)}-sentences.csv")
    write_atomically(file, text.getvalue())
    return [file]
