"""``./scripts/export``: records as the ILSVRC devkit's submission text."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from benchmark.cli.app.build import published
from benchmark.core.errors import UserError
from benchmark.datasets.ilsvrc import load, load_classes
from benchmark.datasets.ilsvrc.submission import write
from benchmark.pipeline.names import file_name
from benchmark.reporting.archive import read_table, results_folder
from benchmark.reporting.table import Table
from benchmark.tasks.boxes.records import STORE, read_records


def main(cfg: DictConfig) -> int:
    """Write the boxes of each row of ``results=FILE.json``, or of ``row=NAME`` alone."""
    if cfg.results is None:
        raise UserError("results: name a table's json, such as results=results/ilsvrc_val/table1.json")
    path = Path(cfg.results).expanduser()
    archived = read_table(path, published)
    boxed = {row: place for row, place in archived.records.items() if place.endswith(STORE.suffix)}
    if not boxed:
        raise UserError(f"{path}: has no records of boxes to write; name the json of a table of boxes")
    if cfg.row is not None and cfg.row not in boxed:
        raise UserError(f"row={cfg.row}: {path.name} has no records of it; measured rows: {', '.join(boxed)}")
    folder = Path(cfg.output).expanduser() if cfg.output else path.parent / archived.table.name
    for row, place in boxed.items():
        if cfg.row in (None, row):
            target = folder / f"{file_name(row)}.txt"
            records = results_folder(path) / place
            if not records.is_file():
                raise UserError(
                    f"{records}: the row's records are not there; run it again, or bring them here"
                )
            write(target, read_records([records]), _numbers(archived.table, row))
            print(target)
    return 0


def _numbers(table: Table, row: str) -> Sequence[int]:
    """Return the devkit's number of each class: the official one, or its position in a list of one's own.

    Raises:
        UserError: If the row was measured on another dataset than ILSVRC's, whose classes have none.
    """
    config = next(result.config for result in table.measured if result.row == row)
    dataset = config.get("dataset", {})
    if dataset.get("_target_") != f"{load.__module__}.{load.__name__}":
        raise UserError(
            f"{row}: the classes of {table.dataset.name} have no numbers of the devkit's; "
            "name a table of dataset=ilsvrc_val"
        )
    return range(1, 2**31) if dataset.get("classes") else load_classes().ilsvrc_ids
