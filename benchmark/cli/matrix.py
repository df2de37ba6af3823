"""``./scripts/matrix``: methods by box protocols for one model, from one run's records."""

from collections.abc import Mapping
from pathlib import Path

from omegaconf import DictConfig, ListConfig
from rich.console import Console

from benchmark.cli.app.build import build, plain
from benchmark.cli.app.finish import exit_code
from benchmark.cli.app.groups import typed
from benchmark.cli.app.planning import announce, plan_of, refuse_wrong_options
from benchmark.cli.app.rows import ComposedRow, composed, refuse_fixed, variation
from benchmark.cli.app.words import written
from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.protocols import Metric
from benchmark.core.provenance import fingerprint
from benchmark.pipeline.names import label, stem
from benchmark.reporting.archive import Archived, result_file, write_table
from benchmark.reporting.render import csv, markdown, terminal
from benchmark.reporting.render.summary import WIDTH
from benchmark.reporting.table import Table
from benchmark.reporting.tracking.tracker import Tracker
from benchmark.tasks.boxes.matrix.evaluate import CHOSEN, Evaluated, choose, evaluate
from benchmark.tasks.boxes.matrix.matrix import Matrix
from benchmark.tasks.boxes.matrix.plot import picture
from benchmark.tasks.boxes.matrix.render import curves_csv, layouts, summary
from benchmark.tasks.boxes.matrix.split import Split, split_of
from benchmark.tasks.task import note_of

_IOU = 0.5

_LISTS = ("methods", "localizers", "baselines")


def main(cfg: DictConfig) -> int:
    """Measure what is missing, choose thresholds if images are held out, then write what is stored."""
    results = Path(cfg.results_dir).expanduser().resolve()
    tracker: Tracker = build(cfg.tracking)
    metrics: dict[str, Metric] = {str(name): build(node) for name, node in cfg.metric.items()}
    iou = float(getattr(metrics.get("gt_known"), "iou", _IOU))
    rows = _rows(cfg)
    refuse_wrong_options(rows)
    plan = plan_of(cfg, rows, results / "runs")
    split = split_of(plan.dataset, cfg.heldout)
    announce(plan.dataset)
    plan.measure()
    chosen = choose(plan, split, iou, build)
    plan.measure(list(chosen.values()))
    cells = {**plan.rows, **chosen}
    found = {name: Evaluated(one) for name, one in plan.open.items()}
    found |= {name: evaluate(cell, split, metrics, iou) for name, cell in cells.items()}
    names = [name for row in rows for name in (row.name, row.name + CHOSEN) if name in found]
    matrix = _matrix(cfg, {name: found[name] for name in names}, split)
    _write(matrix, results / label(split.rest), tracker, cfg.notes)
    return exit_code(matrix.table)


def _rows(cfg: DictConfig) -> list[ComposedRow]:
    for option, example in zip(_LISTS, ("grad_cam,cam", "gradcam_15,cam_20", "whole_image"), strict=True):
        if not isinstance(cfg[option], ListConfig) or not (cfg[option] or option == "baselines"):
            raise UserError(f"{option}={cfg[option]}: give a list, such as {option}=[{example}]")
    refuse_fixed(typed(), ("method", "localizer"))
    methods, localizers, baselines = ([str(name) for name in cfg[option]] for option in _LISTS)
    boxes = {name: written("localizer", name) for name in (*localizers, *baselines)}
    named = {f"{m}/{b}": [written("method", m), boxes[b]] for m in methods for b in localizers}
    named |= {name: [boxes[name]] for name in baselines}
    return composed(named, typed())


def _matrix(cfg: DictConfig, found: Mapping[str, Evaluated], split: Split) -> Matrix:
    model = cfg.model.name
    table = Table(
        name=stem(f"matrix-{model}", _variation(cfg)),
        title=f"{model}: methods by box protocols on {split.rest.name}",
        dataset=note_of(split.rest),
        rows=tuple(entry.row for entry in found.values()),
    )
    curves = {row: entry.curve for row, entry in found.items() if entry.curve is not None}
    return Matrix(table, curves, split, plain(cfg.panels), plain(cfg.bounds))


def _variation(cfg: DictConfig) -> list[str]:
    """Return what the user changed in the matrix; a part of it is named by a hash instead of its lists."""
    lists = {option: list(cfg[option]) for option in _LISTS}
    named = ("model=", *(f"{option}=" for option in _LISTS))
    changes = [change for change in variation(typed()) if not change.startswith(named)]
    listed = any(word.startswith(named[1:]) for word in typed())
    return [*([f"part-{fingerprint(lists)[:8]}"] if listed else []), *changes]


def _write(matrix: Matrix, folder: Path, tracker: Tracker, notes: bool) -> None:
    """Write the files, print the matrix, and log it to MLflow."""
    table = matrix.table
    shown = layouts(matrix)
    files: dict[str, str | bytes] = {
        ".md": "\n".join(map(markdown.render, shown)),
        ".txt": "\n".join(map(terminal.render, shown)),
        ".csv": csv.render(table),
        "-curves.csv": curves_csv(matrix),
        ".png": picture(matrix),
    }
    written = [write_table(folder, Archived(table, None, {}))]
    for suffix, content in files.items():
        written.append(folder / f"{table.name}{suffix}")
        write_atomically(written[-1], content)
    for layout in shown if notes else (summary(matrix),):
        terminal.show(layout, Console(), WIDTH)
    print("\nwritten, with all notes:", *written, sep="\n  ", flush=True)
    kept: dict[str | None, list[Path]] = {None: written}
    kept |= {row.row: [result_file(folder, table.name, row.row)] for row in table.measured}
    tracker.log(table, kept).tell()
