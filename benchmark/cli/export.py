"""``./scripts/export``: records as the ILSVRC devkit's submission text."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from benchmark.archive import read_table, results_folder
from benchmark.command import entry_point
from benchmark.config import published
from benchmark.datasets.ilsvrc import load_classes
from benchmark.devkit import write
from benchmark.errors import UserError
from benchmark.store import read_records
from benchmark.table import Table


@entry_point("export")
def main(cfg: DictConfig) -> int:
    """Write the boxes of each row of ``results=FILE.json``, or of ``row=NAME`` alone."""
    if cfg.results is None:
        raise UserError("results: name a table's json, such as results=results/ilsvrc_val/table1.json")
    path = Path(cfg.results).expanduser()
    archived = read_table(path, published)
    if cfg.row is not None and cfg.row not in archived.records:
        known = ", ".join(archived.records) or "none"
        raise UserError(f"row={cfg.row}: {path.name} has no records of it; measured rows: {known}")
    folder = Path(cfg.output).expanduser() if cfg.output else path.parent / archived.table.name
    for row, place in archived.records.items():
        if cfg.row in (None, row):
            target = folder / f"{row.replace('/', '-')}.txt"
            records = results_folder(path) / place
            if not records.is_file():
                raise UserError(
                    f"{records}: the row's records are not there; run it again, or bring them here"
                )
            write(target, read_records([records]), _numbers(archived.table, row))
            print(target)
    return 0


def _numbers(table: Table, row: str) -> Sequence[int]:
    """The devkit's number of each class: the official one, or its position in a list of one's own."""
    config = next(result.config for result in table.measured if result.row == row)
    own = bool(config.get("dataset", {}).get("classes"))
    return range(1, 2**31) if own else load_classes().ilsvrc_ids


if __name__ == "__main__":
    main()
