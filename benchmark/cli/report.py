"""``./scripts/report``: one self-contained HTML page of finished tables, from stored records alone."""

import base64
import sys
from pathlib import Path
from typing import Annotated, Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from benchmark.cli.app.build import build, dataset_of, plain, published
from benchmark.cli.app.cell_command import cell_command
from benchmark.cli.app.finished import dataset_options
from benchmark.cli.app.groups import choices, compose
from benchmark.cli.app.tables import metric_of
from benchmark.cli.app.words import quoted
from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.core.files import write_atomically
from benchmark.core.options import check
from benchmark.core.protocols import Dataset
from benchmark.pipeline.agenda import latest, status
from benchmark.reporting.archive import Archived, read_table, results_folder
from benchmark.reporting.page.content import Chapter
from benchmark.reporting.page.render import MOST_BYTES, render
from benchmark.tasks.boxes.page.details import box_details, records_of, refuse_other_images
from benchmark.tasks.boxes.page.gallery import BUDGET

_MOST_IMAGES = 400
_SHEET = 2_000_000
"""Bytes of a picture sheet that still finds room on the page."""


def main(cfg: DictConfig) -> int:
    """Write the page of the tables that were named, or of the newest one that is finished."""
    check("images", cfg.images, Annotated[int, f"[0, {_MOST_IMAGES}]"])
    page_file = Path(cfg.output).expanduser() if cfg.output else None
    if page_file is not None and page_file.suffix.lower() not in (".html", ".htm"):  # such as a table's json
        raise UserError(f"output={cfg.output}: a page ends in .html; name such a file")
    paths = _named(cfg) or [_newest(Path(cfg.results_dir).expanduser())]
    tables = {path: _finished(path) for path in paths}
    typed = dataset_of(cfg) if cfg.get("dataset") else None
    room = BUDGET // len(tables)
    chapters = [_chapter(cfg, path, archived, typed, room) for path, archived in tables.items()]
    page = render(chapters).encode()
    if len(page) > MOST_BYTES:
        size = f"{len(page) / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f}"
        raise UserError(f"images={cfg.images}: the page has {size}; name fewer tables or a smaller images=N")
    target = page_file or paths[0].with_name(f"{chapters[0].table.name}.html")  # a stem may hold dots
    write_atomically(target, page)
    for chapter in chapters:
        print(*chapter.remarks, sep="\n", end="\n" * bool(chapter.remarks))
    print(f"{target}: {len(page) / 1e6:.1f} MB; open it in a browser")
    return ExitCode.COMPLETE


def _named(cfg: DictConfig) -> list[Path]:
    names = cfg.results if isinstance(cfg.results, ListConfig) else [cfg.results]
    return [Path(str(name)).expanduser() for name in names if name is not None]


def _newest(results: Path) -> Path:
    """Return the newest finished table, and say which it is.

    Raises:
        UserError: If there is none.
    """
    files = sorted(results.glob("*/*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files:
        try:
            _finished(path)
        except UserError:
            continue  # another json than a table's, or a table of which rows are being made
        print(f"{path}: the newest finished table below {results}")
        _tell_unfinished(results / "runs", path)
        return path
    begun = any((results / "runs" / "agendas").glob("*.json"))
    remedy = "the same ./scripts/run ends the one that has begun" if begun else "./scripts/run makes one"
    raise UserError(f"{results}: there is no finished table; {remedy}")


def _tell_unfinished(runs: Path, table: Path) -> None:
    """Say on stderr that a later experiment is not finished, so that nobody takes this table for its."""
    agendas = [path.stat().st_mtime for path in (runs / "agendas").glob("*.json")]
    if max(agendas, default=0.0) > table.stat().st_mtime:
        parts = [status(parts, runs) for parts in latest(runs).rows.values()]
        if any(one.done < one.count for one in parts):
            print("a later run is not finished: ./scripts/status says how far it is", file=sys.stderr)


def _finished(path: Path) -> Archived:
    """Read a table of which no row is being made.

    Raises:
        UserError: If it is none, or a row is unfinished.
    """
    archived = read_table(path, published)
    rows = [row.row for row in archived.table.open if row.unfinished]
    if rows:
        raise UserError(
            f"{path}: the run is not finished ({', '.join(rows)}); the same ./scripts/run ends it, and "
            "./scripts/status says how far it is"
        )
    if not archived.table.measured:
        raise UserError(f"{path}: not one row is measured; {archived.table.open[0].reason}")
    return archived


def _chapter(cfg: DictConfig, path: Path, archived: Archived, typed: Dataset | None, room: int) -> Chapter:
    """Gather all that the page says of a table."""
    results, remarks = results_folder(path), list[str]()
    drawn = any(file.exists() for _, file in records_of(archived, results))
    dataset = _images(cfg, path, archived, typed, remarks) if cfg.images and drawn else None
    boxes = box_details(archived, results, metric_of, dataset, cfg.images, room)
    lacking = [row for row, place in archived.records.items() if not (results / place).exists()]
    if lacking:
        remarks.append(f"Only the table's numbers are shown of rows without records: {', '.join(lacking)}.")
    unjudged = boxes.unjudged if boxes else {}
    remarks += [f"Without paired differences of {row}: {reason}." for row, reason in unjudged.items()]
    sheet = "" if boxes and boxes.gallery else _sheet(path.with_name(f"{archived.table.name}.png"))
    commands = {row.row: cell_command(archived.table.name, row) for row in archived.table.measured}
    return Chapter(archived.table, path.name, commands, boxes, sheet, tuple(remarks))


def _images(
    cfg: DictConfig, path: Path, archived: Archived, typed: Dataset | None, remarks: list[str]
) -> Dataset | None:
    """Return the images of a table, those that were typed or those of its run; else say why there is none."""
    name = archived.table.dataset.name
    if typed is not None:
        refuse_other_images(archived, typed)
        return typed
    options: Any = dataset_options(results_folder(path), path.resolve())
    if options is None and name in choices("dataset"):
        options = plain(compose([f"dataset={name}", f"cache_dir={quoted(cfg.cache_dir)}"]).dataset)
    try:
        dataset: Dataset = build(OmegaConf.create(options or {}))
        refuse_other_images(archived, dataset)
    except (UserError, AttributeError) as error:
        reason = error if options else "where the images lie is not known"
        remarks.append(f"Without gallery ({reason}): name the images, dataset={name} dataset.root=DIR.")
        return None
    return dataset


def _sheet(path: Path) -> str:
    if not path.is_file() or path.stat().st_size > _SHEET:
        return ""
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
