"""``./scripts/verify``: derive each printed number again from the stored records, and say what differs."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from benchmark.cli.app.places import EMBEDDED_WEIGHTS, PUBLISHED
from benchmark.cli.app.tables import Named, Stored, named
from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.core.types import Difference, Estimate, Result
from benchmark.models.weights.files import find
from benchmark.pipeline.changes import changed
from benchmark.pipeline.store import Shards, ShardStore, shards_of
from benchmark.reporting.archive import result_file, results_folder
from benchmark.reporting.manifest import listed_records, manifest_file, read_manifest, sha256
from benchmark.reporting.table import Table
from benchmark.reporting.text import grouped
from benchmark.reporting.verification import (
    Held,
    absent,
    hold_checks,
    hold_differences,
    hold_files,
    hold_hashes,
    hold_result,
    missing_files,
    settled,
)
from benchmark.tasks.boxes.stored import StoredRow, check_again
from benchmark.tasks.pairs.stored import StoredPairs, orders_again

_MOST = 20
"""Images that are listed of one file of records."""


def main(cfg: DictConfig) -> int:
    """Verify the table of ``results=FILE.json``."""
    places = [str(place) for place in ([] if cfg.results is None else [cfg.results])] + list(cfg.tables or ())
    if len(places) != 1:
        raise UserError("results: name one table's json, such as results=results/ilsvrc_val/table1.json")
    one = named(places[0])
    path, results = one.path.resolve(), results_folder(one.path)
    held, told = list[Held](), list[str]()
    manifest = read_manifest(path)
    if manifest is None:
        told.append(f"there is no {manifest_file(path).name} (./scripts/run writes it): no hash is checked")
    else:
        held.append(hold_hashes(manifest, path, results))
        held += _records(manifest, results)
        told += _inputs(cfg, manifest, one, results)
    stored, derived, partly = dict[str, Stored](), dict[str, Result](), set[str]()
    for row, result in one.measured.items():
        try:
            found = one.stored(row, partial(_shards, results))
            metrics, counts = found.again()
        except UserError as error:
            told.append(f"{row}: not derived again, {error}")
            continue
        stored[row], cell = found, result_file(path.parent, path.stem, row)
        name = cell.relative_to(path.parent).as_posix()
        foreign = {key: result.metrics[key] for key in found.foreign}
        if foreign:
            partly.add(row)
            told.append(f"{row}: {', '.join(foreign)}: not derived again, since no pair metric gives them")
        if manifest and manifest["results"].get(name) == sha256(cell):
            metrics = {key: settled(result.metrics.get(key), value) for key, value in metrics.items()}
        own = {key: value for key, value in result.metrics.items() if key not in foreign}
        held.append(hold_result(name, replace(result, metrics=own), metrics, counts))
        derived[row] = replace(result, metrics={**foreign, **metrics}, counts={**result.counts, **counts})
    table = one.archived.table
    pairs = _differences(table, stored)
    held.append(hold_differences(path.name, table.differences, pairs))
    checks = _checks(table, stored, derived, pairs, results)
    held.append(hold_checks(path.name, checks))
    told += _not_derived(table, pairs, checks)
    told += [
        f"{name} is not there, so that nothing of it was compared"
        for name in missing_files(table, path.parent)
    ]
    held += hold_files(_again(table, derived, pairs, checks), path.parent)
    return _tell(one, held, told, len(derived) - len(partly))


def _records(manifest: Mapping[str, Any], results: Path) -> Iterator[Held]:
    """Say of each file of records that is not the listed one, or whose shards are not, what differs in it."""
    for records in listed_records(manifest):
        file = results / records["file"]
        listed = {results / place: digest for place, digest in records["shards"].items()}
        there = [path for path in [file, *listed] if path.is_file()]
        digests = {file: records["sha256"], **listed}
        if file in there and len(there) > 1 and any(sha256(path) != digests[path] for path in there):
            apart = tuple(changed(file, shards_of(results, file)))
            more = (f"and {len(apart) - _MOST} more",) if len(apart) > _MOST else ()
            yield Held(records["file"], 0, (*apart[:_MOST], *more))


def _inputs(cfg: DictConfig, manifest: Mapping[str, Any], one: Named, results: Path) -> Iterator[str]:
    """Tell what the manifest says about inputs that the numbers are not derived from here."""
    lacking = absent(manifest, results)
    if lacking:
        told = f"{_counted(lacking, 'shard')} of those that the manifest lists not here"
        yield f"{told}; the files of all shards stand for them"
    weights, found, other = manifest["inputs"]["weights"], 0, list[str]()
    for entry in weights:
        for folder in (cfg.weights_dir, EMBEDDED_WEIGHTS):
            with suppress(UserError):
                same = sha256(find(str(entry["source"]), str(folder))) == entry["sha256"]
                found += same
                other += [] if same else [str(entry["source"])]
                break
    yield f"weights: {found} of {len(weights)} files are here, with the listed sha256" + (
        f"; {', '.join(other)}: here is another file of this name" if other else ""
    )
    numbers = manifest["inputs"]["published"]
    if numbers and sha256(PUBLISHED / numbers["file"]) != numbers["sha256"]:
        yield f"published numbers: {numbers['file']} has changed since the run"
    dataset, note = manifest["inputs"]["dataset"], one.archived.table.dataset
    same = dataset["fingerprint"] == note.fingerprint
    is_one = "as in the table" if same else f"in the table {note.fingerprint[:12]}"
    yield f"dataset: {dataset['name']}, fingerprint {dataset['fingerprint'][:12]}, {is_one}; no image is read"


def _shards(results: Path, store: ShardStore, file: Path) -> Shards:
    """Read the file of all shards; where it is not what was written, all the same, and else the shards."""
    with suppress(UserError):
        return store.read([file])
    with suppress(UserError):
        return store.unverified(file)
    return store.read(shards_of(results, file) or [file])


def _differences(table: Table, stored: Mapping[str, Stored]) -> dict[Difference, Estimate]:
    found = {}
    for one in table.differences:
        if one.first in stored and one.second in stored:
            again = stored[one.first].less(stored[one.second].statistics, one.metric)
            if again is not None:
                found[one] = again
    return found


def _checks(
    table: Table,
    stored: Mapping[str, Stored],
    derived: Mapping[str, Result],
    pairs: Mapping[Difference, Estimate],
    results: Path,
) -> dict[str, str]:
    """Return the sentences that follow from the records, by what the table holds in their place."""
    boxes = {row: one for row, one in stored.items() if isinstance(one, StoredRow)}
    of_pairs = {row: one for row, one in stored.items() if isinstance(one, StoredPairs)}
    found = {one: again for one in table.checks if (again := check_again(one, boxes, results))}
    return found | orders_again(_again(table, derived, pairs, {}), of_pairs)


def _not_derived(
    table: Table, pairs: Mapping[Difference, Estimate], checks: Mapping[str, str]
) -> Iterator[str]:
    lacking = len(table.differences) - len(pairs)
    if lacking:
        yield f"{_counted(lacking, 'paired difference')}: not derived again, nor are their rows"
    if len(table.checks) > len(checks):
        count = len(table.checks) - len(checks)
        yield f"not derived again: sentences of checks that only the hash of {table.name}.json holds: {count}"


def _again(
    table: Table,
    derived: Mapping[str, Result],
    pairs: Mapping[Difference, Estimate],
    checks: Mapping[str, str],
) -> Table:
    """Return the table with the numbers that follow from the records."""
    return replace(
        table,
        rows=tuple(derived.get(row.row, row) for row in table.rows),
        checks=tuple(checks.get(one, one) for one in table.checks),
        differences=tuple(one._replace(estimate=pairs.get(one, one.estimate)) for one in table.differences),
    )


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _tell(one: Named, held: list[Held], told: list[str], rows: int) -> int:
    table, apart = one.archived.table, 0
    print(f"{one.path}: {table.full_title}; {rows} of {len(one.measured)} measured rows derived again")
    for each in held:
        apart += len(each.apart)
        for text in each.apart:
            print(f"DIFFERS  {each.name}: {text}")
    hashes = manifest_file(one.path).name
    sound = [each for each in held if each.numbers and not each.apart]
    texts = (
        (each.name, f"{each.numbers} {'hashes' if each.name == hashes else 'numbers'}") for each in sound
    )
    for names, text in grouped(texts):
        print(f"as derived: {text} in {names}")
    words = [f"{each.name}: words alone differ, {each.reworded}" for each in held if each.reworded]
    for text in (*told, *words):
        print(f"note: {text}")
    total = sum(each.numbers for each in held if each.name != hashes)
    if apart:
        print(
            f"NOT SOUND: {_counted(apart, 'difference')}, listed above; {_counted(total, 'number')} compared"
        )
        return ExitCode.CHECKS_FAILED
    lacking = len(one.measured) - rows
    if lacking or not rows:
        print(
            f"NOT VERIFIED: {_counted(lacking, 'row')} not derived again, as told; otherwise nothing differs"
        )
        return ExitCode.ROWS_OPEN
    print(f"sound: all {total} numbers compared are what the records give")
    return ExitCode.COMPLETE
