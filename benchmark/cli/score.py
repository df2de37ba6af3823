"""``./scripts/score``: anybody's boxes, scored by the devkit's rule."""

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from benchmark.cli.app.build import build, dataset_of
from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset, Metric
from benchmark.core.types import Estimate
from benchmark.datasets.ilsvrc import submission as devkit
from benchmark.reporting.text import better


def main(cfg: DictConfig) -> int:
    """Print every metric of one submission text, with its interval and its protocol."""
    path = Path(cfg.predictions)
    if not path.is_file():
        reason = "is a folder" if path.is_dir() else "there is no such file"
        raise UserError(f"{path}: {reason}; give predictions=FILE in the devkit's form or Kaggle's")
    metrics: dict[str, Metric] = {name: build(node) for name, node in cfg.metric.items()}
    dataset = dataset_of(cfg)
    submission = devkit.read(path, dataset, _numbers(dataset))
    found = {name: metric(submission.records) for name, metric in metrics.items()}
    console = Console(highlight=False, markup=False)
    console.print(_heading(path, dataset, submission), soft_wrap=True)
    console.print()
    console.print(_table(found.values()))
    for what, names in better(name for estimates in found.values() for name in estimates).items():
        console.print(f"{what}: {', '.join(names)}")
    for name, metric in metrics.items():
        console.print()
        console.print(_protocol(metric) if found[name] else f"{name}: this file cannot answer it.")
    return 0


def _numbers(dataset: Dataset) -> tuple[int, ...]:
    """Return the number that the devkit's text has for each class."""
    numbers: tuple[int, ...] | None = getattr(dataset, "ilsvrc_ids", None)
    if numbers is None:
        raise UserError(
            f"dataset {dataset.name}: its classes have no numbers of the devkit's; choose dataset=ilsvrc_val"
        )
    return numbers


def _heading(path: Path, dataset: Dataset, submission: devkit.Submission) -> str:
    records = submission.records
    size = "the complete set" if dataset.complete else "not the complete official set"
    blacklisted = int(records.blacklisted.sum())
    lines = [f"{path}: {len(records)} images of {dataset.name} ({size}), {blacklisted} of them blacklisted"]
    if records.skipped:
        lines.append(f"{len(records.skipped)} images of the dataset are not in the file and are not counted")
    return "\n".join([*lines, *submission.remarks])


def _table(found: Iterable[Mapping[str, Estimate]]) -> Table:
    """Show percent, with the interval and the number of images behind each."""
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    table.add_column("metric")
    for heading in ("%", "95 % interval", "images"):
        table.add_column(heading, justify="right")
    for name, (value, low, high, n) in (row for estimates in found for row in estimates.items()):
        table.add_row(name, f"{100 * value:.2f}", f"{100 * low:.2f} – {100 * high:.2f}", str(n))
    return table


def _protocol(metric: Metric) -> str:
    """Describe a metric by its options and its own docstring, without markup."""
    text = (inspect.getdoc(type(metric)) or "").partition("Attributes:")[0]
    paragraphs = [" ".join(part.split()) for part in text.replace("`", "").replace("**", "").split("\n\n")]
    return "\n".join([repr(metric), *filter(None, paragraphs)])
