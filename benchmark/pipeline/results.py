"""The cheap half: records to results. Needs neither images nor a device."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.core import provenance
from benchmark.core.protocols import Metric
from benchmark.core.types import Estimate, OpenRow, Records, Result
from benchmark.pipeline.cell import Cell, Scene
from benchmark.pipeline.plan import Twins
from benchmark.pipeline.store import Made, merge, read_made, read_records, record_file

_TOLERATED = 1e-3
_FILES_OF_A_MODEL = ("weights", "weights_dir", "classes")


def result(scene: Scene, cell: Cell, metrics: Mapping[str, Metric]) -> Result | OpenRow:
    """What a cell's records say, or how many of its shards are missing."""
    files = [record_file(cell.folder, number) for number in range(len(scene.shards))]
    absent = sum(not file.exists() for file in files)
    if absent:
        reason = f"{absent} of {len(files)} shards are not done yet"
        return OpenRow(cell.row, scene.model.name, cell.method.name, reason)
    records = read_records(files)
    return Result(
        row=cell.row,
        model=scene.model.name,
        method=cell.method.name,
        localizer=cell.recipe.protocol,
        fingerprint=cell.fingerprint,
        metrics=measure(records, metrics),
        counts=counts(scene, records),
        conditions=conditions(scene, read_made(files)) | {"protocol": first_line(cell.localizer)},
        config=without_places(scene, cell.recipe.config),
    )


def merged_records(scene: Scene, cell: Cell) -> Path:
    """One file with all records of a finished cell."""
    return merge(cell.folder, [record_file(cell.folder, number) for number in range(len(scene.shards))])


def without_places(scene: Scene, config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with paths cut to their last part, and without how the work was shared out.

    Where files lie is no condition of a number: what they hold is, by its hash.
    """
    model = {k: _last_part(v) if k in _FILES_OF_A_MODEL else v for k, v in config["model"].items()}
    dataset = {k: _last_part(v) for k, v in config["dataset"].items()}
    return {**config, "model": model, "dataset": dataset, "run": scene.settings.identity()}


def _last_part(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _last_part(part) for key, part in value.items()}
    return Path(value).name if isinstance(value, str) else value


def first_line(component: object) -> str:
    """What a component says of itself, in a sentence."""
    return (inspect.getdoc(type(component)) or "").partition("\n")[0]


def measure(records: Records, metrics: Mapping[str, Metric]) -> dict[str, Estimate]:
    """All metrics' estimates by name."""
    return {name: value for metric in metrics.values() for name, value in metric(records).items()}


def counts(scene: Scene, records: Records) -> dict[str, int]:
    """What was expected, done and left out."""
    return {
        "expected": len(scene.dataset.samples),
        "done": len(records),
        "skipped": len(records.skipped) + len(scene.dataset.skipped),
        "blacklisted": int(records.blacklisted.sum()),
        "maps": int(records.empty.size),
        "empty_maps": int(records.empty.sum()),
        "empty_label_maps": int(np.sum(records.label_empty)) if records.label_empty is not None else 0,
    }


def conditions(scene: Scene, made: Sequence[Made]) -> dict[str, Any]:
    """What is needed to distrust the numbers. Nothing here differs between two runs of the same thing."""
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
        "weights": asdict(model.weights),
        "input": model.input.identity(),
        "layers": dict(model.layers),
        "transform": scene.transform.name,
        "run": scene.settings.identity(),
        "made_by": [makers[key] for key in sorted(makers)],
    }


def compare(twins: Twins) -> str:
    """Whether two rows agree box for box, as a sentence that begins with FAILED if they do not.

    The boxes of the predicted classes and of the ground-truth class are compared, image by image. Two ways to
    the same map differ in the last bits of their floats, which can move a box by a pixel where a value lies
    just at the threshold: up to one box in a thousand may, and is counted.
    """
    title = f"{twins.first.row} = {twins.second.row}, box for box"
    shards = range(len(twins.scene.shards))
    files = [[record_file(cell.folder, n) for n in shards] for cell in (twins.first, twins.second)]
    if not all(file.exists() for pair in files for file in pair):
        return f"{title}: not yet checked, shards are missing"
    equal, total = same_boxes(*(read_records(pair) for pair in files))
    verdict = "" if total - equal <= _TOLERATED * total else "FAILED: "
    return f"{verdict}{title}: {equal} of {total} boxes equal"


def same_boxes(first: Records, second: Records) -> tuple[int, int]:
    """How many boxes of two sets of records are equal, of how many."""
    pairs = [(first.boxes, second.boxes), (first.label_boxes, second.label_boxes)]
    equal = [(a == b).all(axis=-1) for a, b in pairs if a is not None and b is not None]
    return sum(int(part.sum()) for part in equal), sum(part.size for part in equal)
