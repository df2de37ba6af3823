"""A table's folder: what can be read again, on any machine, without records, images or a model.

::

    results/<dataset>/
        table1.json               the table: title, rows in order, open rows, checks, published file
        table1/vgg16-grad_cam.json  one result a cell, with all its conditions
        table1.md .csv .tex .txt  rendered from the above
        table1.png                a few images with each row's heatmap and box (benchmark/reporting/sheet.py)
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.types import Difference, OpenRow, Result
from benchmark.reporting.published import Published
from benchmark.reporting.result_json import estimate_node, read_estimate, read_result, write_result
from benchmark.reporting.table import DatasetNote, Table


def result_file(folder: Path, stem: str, row: str) -> Path:
    """Return where a row's json lies."""
    return folder / stem / f"{row.replace('/', '-')}.json"


@dataclass(frozen=True)
class Archived:
    """A table, and where what belongs to it lies.

    Attributes:
        table: The table.
        published: Name of the file of published numbers, without suffix; ``None`` for none.
        records: Row to the file of its records, relative to the results folder.
    """

    table: Table
    published: str | None
    records: Mapping[str, str]


def write_table(folder: Path, archived: Archived) -> Path:
    """Write a table and its results below a dataset's folder, under the table's name.

    Returns:
        The table's json.

    Raises:
        UserError: If two rows would share one file, or the folder cannot be written.
    """
    table = archived.table
    files: dict[str, str] = {}
    for row in table.rows:
        other = files.setdefault(result_file(folder, table.name, row.row).name.lower(), row.row)
        if other != row.row:
            raise UserError(
                f"table {table.name}: rows {other} and {row.row} share a file; rename one of them"
            )
    for result in table.measured:
        write_result(result_file(folder, table.name, result.row), result)
    content = {
        "name": table.name,
        "title": table.title,
        "published": archived.published,
        "records": dict(archived.records),
        "dataset": asdict(table.dataset),
        "rows": [row.row for row in table.rows],
        "open": {row.row: asdict(row) for row in table.open},
        "checks": list(table.checks),
        "differences": [
            one._asdict() | {"estimate": estimate_node(one.estimate)} for one in table.differences
        ],
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
    content = _read(path)
    try:
        name = content["published"]
        rows = tuple(_row(path, content, row) for row in content["rows"])
        table = Table(
            name=content["name"],
            title=content["title"],
            dataset=DatasetNote(**content["dataset"]),
            rows=rows,
            published=published(name) if name else None,
            checks=tuple(content["checks"]),
            differences=tuple(_difference(one) for one in content.get("differences", ())),
        )
        return Archived(table, name, content["records"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a table of ours ({error}); make it again with ./scripts/run") from error


def results_folder(path: Path) -> Path:
    """Return the results folder of a table's json, two folders up; records are named relative to it."""
    return path.resolve().parent.parent


def _row(path: Path, content: dict[str, Any], row: str) -> Result | OpenRow:
    if row in content["open"]:
        return OpenRow(**content["open"][row])
    return read_result(result_file(path.parent, content["name"], row))


def _difference(node: dict[str, Any]) -> Difference:
    return Difference(**(node | {"estimate": read_estimate("differences", node["estimate"])}))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such table; ./scripts/run makes it") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); make it again with ./scripts/run") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: not a table of ours; name the table's json")
    return content
