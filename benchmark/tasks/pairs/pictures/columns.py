"""The columns of a sheet of pairs: each row's maps, beside those that they are held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmark.pipeline.cell import Cell
from benchmark.pipeline.results import files_of
from benchmark.pipeline.scene import Scene
from benchmark.tasks.pairs.plan import PairRow
from benchmark.tasks.pairs.protocols import PairMetric
from benchmark.tasks.pairs.ranking import family
from benchmark.tasks.pairs.records import STORE, read_pairs
from benchmark.tasks.pairs.types import Pairs

Key = tuple[str, int]
"""Image and class of a pair."""


@dataclass(frozen=True)
class Column:
    """One method's maps on one scene.

    Attributes:
        model: The network and the row's settings, in words.
        method: The method, in words.
        scene: Model, images, transform.
        cell: Where the pairs lie.
        metrics: Of the row; none of a column that others are held against.
        reference: Place of the column that it is held against; ``None`` where it is held against none.
    """

    model: str
    method: str
    scene: Scene
    cell: Cell
    metrics: Mapping[str, PairMetric] = field(default_factory=dict)
    reference: int | None = None


def columns_of(rows: Mapping[str, PairRow]) -> list[Column]:
    """A column a row; those of one reference beside each other, that before them."""
    groups: dict[Path | None, list[tuple[str, PairRow]]] = {}
    for name, row in rows.items():
        groups.setdefault(row.reference.folder if row.reference else None, []).append((name, row))
    found: list[Column] = []
    for members in groups.values():
        name, first = members[0]
        place = None
        if first.reference is not None:
            place = len(found)
            against = f"{first.reference.method.name} (reference)"
            found.append(Column(_model(name, first), against, first.scene, first.reference))
        found += [
            Column(_model(name, row), _method(name), row.scene, row.cell, row.metrics, place)
            for name, row in members
        ]
    return found


def _model(name: str, row: PairRow) -> str:
    return ", ".join(filter(None, (row.scene.model.name, family(name)[1])))


def _method(row: str) -> str:
    return row.split("/")[1] if "/" in row else row


def stored(column: Column) -> Pairs:
    """All its pairs.

    Raises:
        UserError: If a file is missing or damaged.
    """
    return read_pairs(files_of(column.cell, STORE))


def part(pairs: Pairs, rows: Sequence[int]) -> Pairs:
    """Only the given rows."""
    ids = tuple(pairs.image_ids[row] for row in rows)
    places = np.array(rows, np.intp)
    return Pairs(ids, {name: values[places] for name, values in pairs.columns.items()}, len(set(ids)))


def by_key(pairs: Pairs, images: Sequence[str]) -> dict[Key, Pairs]:
    """Each pair of the given images by itself."""
    wanted = set(images)
    labels = pairs.columns["label"].tolist()
    keys = enumerate(zip(pairs.image_ids, labels, strict=True))
    return {key: part(pairs, [row]) for row, key in keys if key[0] in wanted}
