"""What a tracker keeps of a table and of its cells, as plain names and values. Pure."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from benchmark.core.nested import flatten
from benchmark.core.types import Result
from benchmark.reporting.lines import lines
from benchmark.reporting.table import Table
from benchmark.reporting.text import one_line

_KEY_LENGTH, _PARAM_LENGTH, _TAG_LENGTH = 250, 6000, 5000
"""MLflow's limits; the shortest of its databases'."""

_VOLATILE = re.compile(r"(tracking|hydra|table|results_dir|weights_dir|run\.(worker|workers|threads))(\.|$)")
"""Options that differ between two runs of the same thing: tags, since a parameter can never be changed."""


@dataclass(frozen=True)
class Logged:
    """One run of a tracker.

    Attributes:
        name: Name that is shown.
        identity: Tags by which the run is found again.
        tags: The others.
        params: The configuration's leaves by dotted key.
        metrics: Finite numbers.
    """

    name: str
    identity: Mapping[str, str]
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]


def table_run(table: Table) -> Logged:
    """Describe the run of a table on a dataset: the same one when rows are added to it."""
    left_open = "".join(f"\n* open: {row.row}: {one_line(row.reason)}" for row in table.open)
    tags = {
        "table": table.name,
        "dataset": table.dataset.name,
        "dataset.fingerprint": table.dataset.fingerprint,
        "dataset.complete": str(table.dataset.complete).lower(),
        "published": _beside(table),
        "rows": f"{len(table.measured)} of {len(table.rows)} measured",
        "mlflow.note.content": f"{table.title}\n\n{table.dataset}\n{left_open}",
    }
    identity = {"table.key": _digest(f"{table.name}\n{table.dataset.fingerprint}")}
    return Logged(f"{table.name} on {table.dataset.name}", identity, _fitting(tags, _TAG_LENGTH), {}, {})


def _beside(table: Table) -> str:
    """Say what the published numbers are to the measured ones."""
    if table.published is None:
        return ""
    return "comparable" if table.comparable else f"not comparable: {table.not_comparable}"


def cell_run(table: Table, result: Result) -> Logged:
    """Describe the run of a cell: the same one as long as its fingerprint is."""
    config = flatten(result.config)
    aside = {key: value for key, value in config.items() if _VOLATILE.match(key) or _is_place(value)}
    conditions = flatten(result.conditions)
    tags = {
        **{f"config.{key}": value for key, value in aside.items()},
        **conditions,
        "row": result.row,
        "model": result.model,
        "method": result.method,
        "protocol": result.localizer,
        "commit": _gathered(conditions, "commit"),
        "dirty": _gathered(conditions, "dirty"),
    }
    params = {key: value for key, value in config.items() if key not in aside}
    identity = {"fingerprint": result.fingerprint, "row.key": _digest(result.row)}
    return Logged(
        result.row,
        identity,
        _fitting(tags, _TAG_LENGTH),
        _fitting(params, _PARAM_LENGTH),
        _metrics(table, result),
    )


def training_run(passport: Mapping[str, Any]) -> Logged:
    """Describe the run of a net's training, by what stands in its passport."""
    leaves = flatten({key: value for key, value in passport.items() if key not in ("config", "fingerprint")})
    config = flatten(passport["config"])
    params = {key: value for key, value in config.items() if not _is_place(value)}
    measured = ("cls_top1", "cls_top5", "map", "map_area", "n", "seconds")
    metrics = {f"final_{key}": float(passport[key]) for key in measured if key in passport}
    identity = {"fingerprint": passport["fingerprint"], "sha256": passport["sha256"]}
    tags = {key: value for key, value in leaves.items() if key not in identity}
    return Logged(
        passport["name"], identity, _fitting(tags, _TAG_LENGTH), _fitting(params, _PARAM_LENGTH), metrics
    )


def _metrics(table: Table, result: Result) -> dict[str, float]:
    """List each metric with its interval, its difference from a comparable published number, and counts."""
    metrics: dict[str, float] = {f"count_{name}": float(count) for name, count in result.counts.items()}
    for name, estimate in result.metrics.items():
        metrics |= {name: estimate.value, f"{name}_n": float(estimate.n)}
        ends = {f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        metrics |= {end: bound for end, bound in ends.items() if math.isfinite(bound)}
    for line in lines(table):
        if line.row == result.row and line.difference is not None:
            metrics[f"{line.metric}_difference"] = line.difference
    return {_key(name): value for name, value in metrics.items()}


def _gathered(conditions: Mapping[str, str], name: str) -> str:
    """Join all values of a condition, wherever it stands: several workers may have made one cell."""
    values = {value for key, value in conditions.items() if key.rpartition(".")[2] == name}
    return ", ".join(sorted(values)) or "not recorded"


def _is_place(value: str) -> bool:
    return value.startswith(("/", "~", "./", "../")) or "://" in value


def _fitting(values: Mapping[str, str], length: int) -> dict[str, str]:
    """Fit keys and values to what MLflow takes; what is cut says so, and stands in full in config.yaml."""
    return {_key(key): _cut(value, length) for key, value in values.items() if value}


def _cut(value: str, length: int) -> str:
    mark = " … (cut; see the artifacts)"
    return value if len(value) <= length else value[: length - len(mark)] + mark


def _key(key: str) -> str:
    """Use MLflow's alphabet, and no empty or dotted part of what it takes for a path."""
    safe = re.sub(r"[^\w.\- :/]", "_", key, flags=re.ASCII)
    return "/".join(part if part.strip(".") else "_" for part in safe.split("/"))[:_KEY_LENGTH]


def _digest(text: Any) -> str:
    return sha256(str(text).encode()).hexdigest()
