"""Compare rows of boxes image by image."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from benchmark.core.bootstrap import Numbers, bootstrap, clopper_pearson
from benchmark.core.protocols import Metric
from benchmark.core.types import BoolArray, Difference, Estimate, Records
from benchmark.pipeline.results import files_of
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.records import STORE, read_records

_RESAMPLES = 10_000


@runtime_checkable
class Judge(Protocol):
    """A metric that says of each image whether it counts as an error."""

    def wrong(self, records: Records) -> dict[str, BoolArray]:
        """Return ``[n]`` for each error of the metric, by name."""
        ...


def differences(
    rows: Mapping[str, BoxCell],
    metrics: Mapping[str, Mapping[str, Metric]],
    pairs: Iterable[tuple[str, str]],
) -> Iterator[Difference]:
    """Yield the difference of the first error that both rows' metrics judge images by.

    Rows that are not finished, and rows of which other images were skipped, are not compared.

    Args:
        rows: Those that can be measured.
        metrics: Metrics of each row, by name.
        pairs: The rows to compare.
    """
    for first, second in pairs:
        files = [files_of(rows[row], STORE) for row in (first, second) if row in rows]
        if len(files) < 2 or not all(file.exists() for each in files for file in each):
            continue
        one, other = (read_records(each) for each in files)
        ours, theirs = _wrong(metrics[first], one), _wrong(metrics[second], other)
        name = next((name for name in ours if name in theirs), None)
        counted = ~one.blacklisted
        if name is not None and one.image_ids == other.image_ids and counted.any():
            yield Difference(first, second, name, paired(ours[name][counted], theirs[name][counted]))


def _wrong(metrics: Mapping[str, Metric], records: Records) -> dict[str, BoolArray]:
    """Return the errors of every metric that judges images."""
    judges = [metric for metric in metrics.values() if isinstance(metric, Judge)]
    return {name: wrong for judge in judges for name, wrong in judge.wrong(records).items()}


def paired(first: BoolArray, second: BoolArray) -> Estimate:
    """Return the first error less the second, with its interval by the bootstrap over the images.

    Where no image changes, every resample is alike; the interval then is that of a change that was seen in 0
    of ``n`` images, in either direction (Clopper and Pearson).
    """
    change = first.astype(np.int8) - second.astype(np.int8)
    if change.any():
        interval = bootstrap(change, _mean, _RESAMPLES)
    else:
        most = clopper_pearson(len(change))[0][1]
        interval = (-most, most)
    return Estimate(float(change.mean()), *interval, len(change))


def _mean(means: Numbers) -> Numbers:
    mean: Numbers = means[:, 0]
    return mean
