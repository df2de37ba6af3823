"""Say under which conditions stored records were made. Needs neither images nor a device."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.core import provenance
from benchmark.core.types import OpenRow

if TYPE_CHECKING:
    from benchmark.pipeline.cell import Cell
    from benchmark.pipeline.journal import Made
    from benchmark.pipeline.scene import Scene
    from benchmark.pipeline.store import ShardStore

_PLACES = {"model": ("weights", "weights_dir", "classes"), "method": ("folder",)}
"""Options that say where files lie, by group."""


def files_of(cell: Cell, store: ShardStore) -> list[Path]:
    """Return where all shards of a cell's records lie, or will lie."""
    return [store.file(cell.folder, number) for number in range(len(cell.scene.shards))]


def unfinished(row: str, cells: Sequence[Cell], store: ShardStore) -> OpenRow | None:
    """Return the open row that says how many shards of some cells are missing; ``None`` if none is."""
    files = [file for cell in cells for file in files_of(cell, store)]
    absent = sum(not file.exists() for file in files)
    reason = f"{absent} of {len(files)} shards are not done yet"
    first = cells[0]
    return OpenRow(row, first.scene.model.name, first.method.name, reason, True) if absent else None


def without_places(scene: Scene, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with paths cut to their last part, and without the options of workers.

    Where files lie is no condition of a number: what they hold is, by its hash.
    """
    cut = {
        group: {k: _last_part(v) if k in places else v for k, v in config[group].items()}
        for group, places in _PLACES.items()
        if group in config
    }
    dataset = {k: _last_part(v) for k, v in config["dataset"].items()}
    return {**config, **cut, "dataset": dataset, "run": scene.settings.identity()}


def _last_part(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _last_part(part) for key, part in value.items()}
    return Path(value).name if isinstance(value, str) else value


def first_line(component: object) -> str:
    """Return the first sentence of a component's documentation."""
    return (inspect.getdoc(type(component)) or "").partition("\n")[0]


def conditions(scene: Scene, made: Sequence[Made]) -> dict[str, Any]:
    """Return what is needed to judge the numbers; it is the same for two runs of the same thing."""
    makers = {provenance.fingerprint(dict(entry.by)): dict(entry.by) for entry in made}
    dataset, model = scene.dataset, scene.model
    return {
        "dataset": {
            **dataset.conditions,
            "name": dataset.name,
            "images": len(dataset.samples),
            "complete": dataset.complete,
            "fingerprint": dataset.fingerprint,
        },
        "weights": {key: value for key, value in asdict(model.weights).items() if key != "read" or value},
        "input": model.input.identity(),
        "layers": dict(model.layers),
        "transform": scene.transform.name,
        "run": scene.settings.identity(),
        "made_by": [makers[key] for key in sorted(makers)],
    }
