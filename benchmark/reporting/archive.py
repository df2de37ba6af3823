"""A table's folder, which can be read on any machine without records, images or a model.

::

    results/<dataset>/
        table1.json                 the table: title, rows in order, open rows, checks, published file
        table1/vgg16-grad_cam.json  one result a cell, with all its conditions
        table1/made_of/manifest.json  hashes of all that it was made of, and the commands
        table1.md .csv .tex .txt    rendered from the above
        table1.png                  a few images with each row's heatmap and box
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.types import Difference, Estimate, OpenRow, Result
from benchmark.pipeline.names import file_name, refuse_shared_files
from benchmark.reporting.table import DatasetNote, Table

if TYPE_CHECKING:
    from benchmark.reporting.published import Published

_T = TypeVar("_T")


@dataclass(frozen=True)
class Archived:
    """A table, and the paths of what belongs to it.

    Attributes:
        table: The table.
        published: Name of the file of published numbers, without suffix; ``None`` for none.
        records: Row to the file of its records, relative to the results folder.
        references: Row to the file of the records that its own are compared with, likewise.
    """

    table: Table
    published: str | None
    records: Mapping[str, str]
    references: Mapping[str, str] = field(default_factory=dict)


def result_file(folder: Path, stem: str, row: str) -> Path:
    """Return where a row's json lies."""
    return folder / stem / f"{file_name(row)}.json"


def results_folder(path: Path) -> Path:
    """Return the results folder of a table's json, two folders up; records are named relative to it."""
    return path.resolve().parent.parent


def write_table(folder: Path, archived: Archived) -> Path:
    """Write a table and its results below a dataset's folder, under the table's name.

    Returns:
        The table's json.

    Raises:
        UserError: If two rows would share one file, or the folder cannot be written.
    """
    table = archived.table
    refuse_shared_files((row.row for row in table.rows), table.name)
    for result in table.measured:
        write_result(result_file(folder, table.name, result.row), result)
    content = {
        "name": table.name,
        "title": table.title,
        "published": archived.published,
        "records": dict(archived.records),
        **({"references": dict(archived.references)} if archived.references else {}),
        "dataset": asdict(table.dataset),
        "rows": [row.row for row in table.rows],
        "open": {row.row: asdict(row) for row in table.open},
        "checks": list(table.checks),
        "differences": [one._asdict() | {"estimate": _node(one.estimate)} for one in table.differences],
    }
    path = folder / f"{table.name}.json"
    write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return path


def read_table(path: Path, published: Callable[[str], Published]) -> Archived:
    """Read a table back.

    Args:
        path: The table's json.
        published: Reads published numbers by name.

    Raises:
        UserError: If a file is missing or is not what was written.
    """

    def make(content: dict[str, Any]) -> Archived:
        _refuse_another(path, content)
        name, opened = content["published"], content["open"]
        rows = (
            OpenRow(**opened[row])
            if row in opened
            else read_result(result_file(path.parent, content["name"], row))
            for row in content["rows"]
        )
        table = Table(
            name=content["name"],
            title=content["title"],
            dataset=DatasetNote(**content["dataset"]),
            rows=tuple(rows),
            published=published(name) if name else None,
            checks=tuple(content["checks"]),
            differences=tuple(
                Difference(**(one | {"estimate": _estimate(one["estimate"])}))
                for one in content.get("differences", ())
            ),
        )
        return Archived(table, name, content["records"], content.get("references", {}))

    return _read(path, "table", make)


def _refuse_another(path: Path, content: Any) -> None:
    """Refuse a whole file that is not a table's but another one which lies below the results."""
    if isinstance(content, list):
        raise UserError(
            f"{path}: a list, such as that of the claims of experiment=paper, and no table; read "
            f"{path.with_suffix('.md')}, or name the json of one of its experiments' tables"
        )
    if isinstance(content, Mapping) and {"row", "metrics"} <= content.keys():
        raise UserError(f"{path}: one row, and no table; name that of all its rows, {path.parent}.json")


def write_result(path: Path, result: Result) -> None:
    """Write a cell's json: keys sorted, floats in full, whole or absent.

    Raises:
        UserError: If the folder cannot be written.
        ValueError: If a number is not finite: json has no NaN, and a metric that has no value is left out.
        TypeError: If the conditions or the configuration hold anything but plain json values.
    """
    content = asdict(result) | {"metrics": {name: _node(value) for name, value in result.metrics.items()}}
    try:
        text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"{result.row}: {error}") from error
    write_atomically(path, text + "\n")


def read_result(path: Path) -> Result:
    """Read a cell's json back; what :func:`write_result` wrote comes back equal.

    Raises:
        UserError: If the file is missing, truncated, or not a result.
    """
    return _read(path, "result", _result)


def _read(path: Path, kind: str, make: Callable[[dict[str, Any]], _T]) -> _T:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return make(content)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such {kind}; ./scripts/run makes it") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name the json of a {kind}") from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"{path}: not a whole {kind} ({reason}); make it again with ./scripts/run") from error


def _result(content: dict[str, Any]) -> Result:
    expected = {field.name: str if field.type == "str" else dict for field in fields(Result)}
    wrong = [name for name, kind in expected.items() if type(content.get(name)) is not kind]
    if wrong or len(content) > len(expected):
        raise ValueError(f"{', '.join(wrong or content)} is not what a result has there")
    if not all(type(count) is int for count in content["counts"].values()):
        raise ValueError("counts are whole numbers")
    return Result(**(content | {"metrics": {k: _estimate(node) for k, node in content["metrics"].items()}}))


def _node(estimate: Estimate) -> dict[str, float | int | None]:
    """Turn an estimate into plain json, an end of the interval that has no bound into null."""
    low, high = float(estimate.low), float(estimate.high)
    return {
        "value": float(estimate.value),
        "low": None if low == -math.inf else low,
        "high": None if high == math.inf else high,
        "n": int(estimate.n),
    }


def _estimate(node: Any) -> Estimate:
    """Read back what :func:`_node` made of an estimate."""
    value, low, high, n = (node[key] for key in Estimate._fields)
    numbers = [value, *(end for end in (low, high) if end is not None)]
    if type(n) is not int or not all(type(one) in (int, float) and math.isfinite(one) for one in numbers):
        raise ValueError(f"{node} is no estimate")
    return Estimate(
        float(value), -math.inf if low is None else float(low), math.inf if high is None else float(high), n
    )
