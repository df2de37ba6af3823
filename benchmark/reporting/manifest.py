"""The manifest of a finished table: the hash of everything that it was made of, and every command.

``TABLE/made_of/manifest.json``, below the folder of the rows' json files::

    commands        what was typed, for the whole table and for each row; how to print and verify it again
    made_by         commit, device and package versions of each kind of maker
    inputs
        dataset     name, number of images, fingerprint (sha256 of all of it that can change a number)
        weights     source, sha256 and rows of each file
        published   file of published numbers, with its sha256; null for none
        records     for each row its file, below the results folder, with sha256, and the shards it is made of
        references  the same of the records that a row's are compared with, for each row that has such
    results         sha256 of the table's json and of each row's

Paths are relative: of records and shards to the results folder, of results to that of the table's json.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.provenance import fingerprint
from benchmark.core.reading import read_whole
from benchmark.pipeline.store import shards_of
from benchmark.reporting.archive import Archived, result_file, results_folder
from benchmark.reporting.cite import citation

if TYPE_CHECKING:
    from benchmark.core.types import Result


@dataclass(frozen=True)
class Commands:
    """What to type.

    Attributes:
        run: Makes the whole table.
        rows: Row to the command that makes it alone.
    """

    run: str
    rows: Mapping[str, str]


def manifest_file(archive: Path) -> Path:
    """Return where the manifest of a table's json lies."""
    return archive.with_name(archive.stem) / "made_of" / "manifest.json"


def write_manifest(
    archive: Path, archived: Archived, published: Path | None, commands: Commands
) -> list[Path]:
    """Write the manifest of a table that is on disk, and what a paper says about it.

    Args:
        archive: The table's json.
        archived: What it holds.
        published: File of its published numbers, if it has some.
        commands: What made it.

    Returns:
        Both files.

    Raises:
        UserError: If a file cannot be read, or the manifest not be written.
    """
    results, measured = results_folder(archive), archived.table.measured
    note, place = archived.table.dataset, f"results/{archive.resolve().relative_to(results).as_posix()}"
    content = {
        "commands": {
            "run": commands.run,
            "rows": {row: command for row, command in commands.rows.items() if row in archived.records},
            "table": f"./scripts/table results={place}",
            "verify": f"./scripts/verify results={place}",
        },
        "made_by": _makers(measured),
        "inputs": {
            "dataset": {"name": note.name, "images": note.images, "fingerprint": note.fingerprint},
            "weights": _weights(measured),
            "published": published and {"file": published.name, "sha256": sha256(published)},
            "records": {row: _records(results, place) for row, place in archived.records.items()},
            "references": {row: _records(results, place) for row, place in archived.references.items()},
        },
        "results": {
            path.relative_to(archive.parent).as_posix(): sha256(path) for path in _results(archive, measured)
        },
    }
    path = manifest_file(archive)
    write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    cited = archive.with_name(f"{archive.stem}.bib")
    write_atomically(cited, citation(archived.table, content, year_of(archive)))
    return [path, cited]


def year_of(archive: Path) -> int:
    """Return the year in which a table's json was written."""
    return datetime.fromtimestamp(archive.stat().st_mtime, UTC).year


def read_manifest(archive: Path) -> dict[str, Any] | None:
    """Return the manifest of a table's json; ``None`` if there is none.

    Raises:
        UserError: If it is none, or lacks a part.
    """
    path = manifest_file(archive)
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _ = content["results"].items(), content["commands"]["run"], content["inputs"]["records"].items()
        _ = [content["inputs"][key] for key in ("dataset", "weights", "published")]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not a whole manifest ({error}); ./scripts/run makes it again") from error
    return content


def listed_records(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a manifest says of each file of records, once: file, sha256 and shards."""
    inputs = manifest["inputs"]
    every = [*inputs["records"].values(), *inputs.get("references", {}).values()]
    return list({one["file"]: one for one in every}.values())


def sha256(path: Path) -> str:
    """Return the sha256 of a file.

    Raises:
        UserError: If it cannot be read.
    """
    try:
        return hashlib.sha256(read_whole(path)).hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error


def _results(archive: Path, measured: Sequence[Result]) -> Iterator[Path]:
    yield archive
    yield from (result_file(archive.parent, archive.stem, row.row) for row in measured)


def _records(results: Path, place: str) -> dict[str, Any]:
    shards = shards_of(results, results / place)
    return {
        "file": place,
        "sha256": sha256(results / place),
        "shards": {path.relative_to(results).as_posix(): sha256(path) for path in shards},
    }


def _weights(measured: Sequence[Result]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in measured:
        weights = row.conditions.get("weights")
        if isinstance(weights, Mapping):
            entry: dict[str, Any] = {
                "source": weights.get("source"),
                "sha256": weights.get("sha256"),
                "rows": [],
            }
            found.setdefault(fingerprint(dict(weights)), entry)["rows"].append(row.row)
    return list(found.values())


def _makers(measured: Sequence[Result]) -> list[dict[str, Any]]:
    makers = (dict(maker) for row in measured for maker in row.conditions.get("made_by") or ())
    return list({fingerprint(maker): maker for maker in makers}.values())
