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
from benchmark.reporting.render import in_short
from benchmark.reporting.table import DatasetNote, Table
from benchmark.reporting.text import NONE, interval, one_line, shown

_KEY_LENGTH, _PARAM_LENGTH, _TAG_LENGTH = 250, 6000, 5000
"""MLflow's limits; the shortest of its databases'."""
_NOTE = "mlflow.note.content"
_SOURCE = {"mlflow.source.name": "gradcam-benchmark", "mlflow.source.type": "LOCAL"}
_DIGITS = 12


@dataclass(frozen=True)
class Logged:
    """One run of a tracker.

    Attributes:
        name: Name that is shown.
        identity: Tags by which the run is found again.
        tags: The others.
        params: What runs are told apart by, in few words; of a training, its options by dotted key.
        metrics: Finite numbers.
        dataset: The images that it was measured on, if they are known.
    """

    name: str
    identity: Mapping[str, str]
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    dataset: DatasetNote | None = None


def table_run(table: Table) -> Logged:
    """Describe the run of a table on a dataset: the same one when rows are added to it.

    Its description is the table in Markdown, as it is printed on a terminal.
    """
    tags = {
        "table": table.name,
        "dataset": table.dataset.name,
        "dataset.fingerprint": table.dataset.fingerprint,
        "dataset.complete": str(table.dataset.complete).lower(),
        "published": _beside(table),
        "rows": f"{len(table.measured)} of {len(table.rows)} measured",
        **_SOURCE,
        _NOTE: in_short(table) if table.rows else table.title,
    }
    identity = {"table.key": _digest(f"{table.name}\n{table.dataset.fingerprint}")}
    name = f"{table.name} on {table.dataset.name}"
    return Logged(name, identity, _fitting(tags, _TAG_LENGTH), {}, {}, table.dataset)


def _beside(table: Table) -> str:
    """Say what the published numbers are to the measured ones."""
    if table.beside is None:
        return ""
    return "comparable" if table.comparable else f"not comparable: {table.not_comparable}"


def cell_run(table: Table, result: Result) -> Logged:
    """Describe the run of a cell: the same one as long as its fingerprint is.

    Its params are what cells are told apart by; all options and conditions are in its artifacts.
    """
    conditions, weights = flatten(result.conditions), result.conditions.get("weights")
    localizer, transform = result.config.get("localizer"), result.conditions.get("transform")
    commit = _gathered(conditions, "commit")
    params = {
        "model": result.model,
        "method": result.method,
        "localizer" if localizer else "protocol": result.localizer,
        "threshold": flatten(localizer or {}).get("threshold", ""),
        "transform": str(transform or ""),
        "dataset": f"{table.dataset.name} ({table.dataset.images} images)",
        "weights": _weights(weights) if isinstance(weights, Mapping) else "",
    }
    tags = {
        "row": result.row,
        "commit": commit,
        "dirty": _gathered(conditions, "dirty"),
        "device": _gathered(conditions, "device"),
        "weights.sha256": conditions.get("weights.sha256", ""),
        "dataset.fingerprint": table.dataset.fingerprint,
        **_SOURCE,
        "mlflow.source.git.commit": "" if "," in commit else commit,
        _NOTE: _about(table, result),
    }
    identity = {"fingerprint": result.fingerprint, "row.key": _digest(result.row)}
    return Logged(
        result.row,
        identity,
        _fitting(tags, _TAG_LENGTH),
        _fitting(params, _PARAM_LENGTH),
        _metrics(table, result),
        table.dataset,
    )


def _weights(weights: Mapping[str, Any]) -> str:
    return f"{weights.get('source')} ({str(weights.get('sha256'))[:_DIGITS]})"


def _about(table: Table, result: Result) -> str:
    """Describe a cell in Markdown: its numbers beside the published ones, the verdicts, its protocol."""
    head = ["| metric | measured | 95 % interval | published | verdict |", "|---|---:|---:|---:|---|"]
    body = [
        f"| {table.titles.get(line.metric, line.metric)} | {shown(line.metric, line.measured)} | "
        f"{interval(line.metric, line.low, line.high)} | {shown(line.metric, line.published)} | "
        f"{line.verdict.word if line.verdict else NONE} |"
        for line in lines(table)
        if line.row == result.row
    ]
    protocol = one_line(result.conditions.get("protocol", ""))
    told = [f"{result.row} of “{one_line(table.title)}”", result.localizer, protocol]
    spaced = (line.replace(" | ", " &nbsp; | ") for line in [head[0], *body])  # MLflow gives cells no padding
    return "\n".join([next(spaced), head[1], *spaced, "", ". ".join(filter(None, told))])


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
    """List each metric with its interval, its difference from a comparable published number, and counts.

    Over how many images each is an average, the result's json says, which is an artifact.
    """
    metrics = dict[str, float]()
    for name in sorted(
        result.metrics, key=lambda name: name != "loc_top1"
    ):  # MLflow's plots begin with the first
        estimate = result.metrics[name]
        metrics[name] = estimate.value
        ends = {f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        metrics |= {end: bound for end, bound in ends.items() if math.isfinite(bound)}
    for line in lines(table):
        if line.row == result.row and line.difference is not None:
            metrics[f"{line.metric}_difference"] = line.difference
    metrics |= {f"count_{name}": float(count) for name, count in result.counts.items()}
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
