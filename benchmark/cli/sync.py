"""``./scripts/sync``: log a finished table to MLflow, as often as one likes."""

from pathlib import Path

from omegaconf import DictConfig

from benchmark.cli.app.build import build, published
from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.reporting.archive import read_table, result_file, results_folder
from benchmark.reporting.manifest import manifest_file
from benchmark.reporting.tracking.tracker import Tracked, Tracker

_BESIDE = (".md", ".csv", ".tex", ".txt", ".png", ".bib", ".html")
"""Files of a table; the last is the page of ./scripts/report."""


def main(cfg: DictConfig) -> int:
    """Log the table of ``results=FILE.json``; what is logged already stays as it is."""
    if cfg.results is None:
        raise UserError("results: name a table's json, such as results=results/ilsvrc_val/table1.json")
    path = Path(cfg.results).expanduser()
    archived = read_table(path, published)
    table, results = archived.table, results_folder(path)
    cfg.results_dir = str(results)  # the local database stands beside the results, wherever they lie
    tracker: Tracker = build(cfg.tracking)
    rendered = [path.with_name(f"{table.name}{suffix}") for suffix in _BESIDE]
    rendered.append(manifest_file(path))
    files: dict[str | None, list[Path]] = {None: [path, *(file for file in rendered if file.exists())]}
    lacking = 0
    for row, place in archived.records.items():
        records = results / place
        lacking += not records.exists()
        files[row] = [result_file(path.parent, table.name, row), *([records] if records.exists() else [])]
    if lacking:
        where = results / "records"
        print(f"{lacking} of {len(archived.records)} rows are logged without records: not in {where}")
    tracked = tracker.log(table, files)
    if tracked == Tracked():
        print("tracking is off; nothing was logged")
    tracked.tell()
    return ExitCode.MISTAKE if tracked.problems else ExitCode.COMPLETE
