"""The cheap half: stored pairs to results and paired differences. Needs no image and no device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from benchmark.core.bootstrap import UNBOUNDED, bootstrap, bounded
from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count, Natural
from benchmark.core.paired import Statistic, joined
from benchmark.core.types import Difference, Estimate, OpenRow, Result
from benchmark.pipeline.results import conditions, files_of, first_line, unfinished, without_places
from benchmark.tasks.pairs.comparison import family
from benchmark.tasks.pairs.records import STORE, pairs_in
from benchmark.tasks.pairs.statistics import clustered
from benchmark.tasks.pairs.types import Answers, Pairs

if TYPE_CHECKING:
    from benchmark.tasks.pairs.plan import PairRow
    from benchmark.tasks.pairs.types import PairMetric


@dataclass(frozen=True)
class Measured:
    """A finished row: its result, and by metric the statistics that the estimates are made of."""

    result: Result
    statistics: Mapping[str, Statistic]


@dataclass(frozen=True)
class Resampling(Checked, group="bootstrap"):
    """The bootstrap over images.

    Attributes:
        resamples: Number of resamples, at least 1.
        seed: Seed of the draws, at least 0.
    """

    resamples: Count = 10_000
    seed: Natural = 0

    def estimate(self, statistic: Statistic) -> Estimate:
        """Return the number with its 95 % interval; from a single image only a fraction has bounds."""
        value = float(statistic.reduce(statistic.values.mean(axis=0, keepdims=True))[0])
        interval = bootstrap(statistic.values, statistic.reduce, self.resamples, self.seed)
        count = len(statistic.image_ids)
        if statistic.fraction:
            return bounded(value, count, interval)
        return Estimate(value, *(interval if count > 1 else UNBOUNDED), count)

    def difference(self, first: Statistic, second: Statistic) -> Estimate | None:
        """Return the first less the second over the images that both have; ``None`` if there is none."""
        both = joined(first, second)
        return self.estimate(both) if both else None


def result(row: PairRow, resampling: Resampling) -> Measured | OpenRow:
    """Return the numbers of a row's stored pairs, or how many of its shards are missing.

    Raises:
        UserError: If a stored file is damaged, a metric lacks a reading or a reference, or the method and its
            reference were not asked the same.
    """
    missing = unfinished(row.row, row.cells, STORE)
    if missing is not None:
        return missing
    stored = [STORE.read(files_of(cell, STORE)) for cell in row.cells]
    found = [pairs_in(shards, cell.folder) for shards, cell in zip(stored, row.cells, strict=True)]
    pairs, reference = found[0], found[1] if row.reference else None
    _refuse_unlike(row, pairs, reference)
    answers = Answers(pairs, reference, row.scene.dataset.class_names)
    statistics = statistics_of(row.metrics, answers)
    told = conditions(row.scene, [one for shards in stored for one in shards.made]) | {
        "protocol": _told(row),
        "resampling": vars(resampling),
    }
    estimates = {name: resampling.estimate(statistic) for name, statistic in statistics.items()}
    return Measured(
        Result(
            row=row.row,
            model=row.scene.model.name,
            method=row.cell.method.name,
            localizer=_protocol(row),
            fingerprint=row.cell.fingerprint,
            metrics=estimates,
            counts=_counts(row, answers),
            conditions=told,
            config=without_places(row.scene, {**row.config, "reading": row.question.identity["readings"]}),
        ),
        statistics,
    )


def statistics_of(metrics: Mapping[str, PairMetric], answers: Answers) -> dict[str, Statistic]:
    """Return what the numbers of all metrics are made of, by the numbers' names."""
    return {
        name: clustered(statistic, answers.pairs)
        for metric in metrics.values()
        for name, statistic in metric(answers).items()
    }


def _refuse_unlike(row: PairRow, pairs: Pairs, reference: Pairs | None) -> None:
    """Refuse runs with different images, since rows are compared by their position."""
    if reference is None or row.reference is None:
        return
    asked, held = ((one.image_ids, one.columns["label"].tolist()) for one in (pairs, reference))
    if asked != held:
        raise UserError(
            f"{row.cell.folder}, {row.reference.folder}: not of the same images and classes, such as where a "
            "file could be read in one run only; delete both and run again"
        )


def _protocol(row: PairRow) -> str:
    """Return the reference or the classes in a word or two, to stand under the row's name."""
    return f"{row.reference.method.name}, {row.question.protocol}" if row.reference else row.question.protocol


def _told(row: PairRow) -> str:
    """Return in a sentence every named, versioned part of the protocol with its meaning."""
    policy, readings = row.question.policy, row.question.readings.values()
    return "; ".join(
        [
            f"classes {policy.name} v{policy.version}",
            *(f"{reading.name} v{reading.version}" for reading in readings),
            *(f"{metric.name} v{metric.version}: {first_line(metric)}" for metric in row.metrics.values()),
        ]
    )


def _counts(row: PairRow, answers: Answers) -> dict[str, int]:
    return {
        "expected": len(row.scene.dataset.samples),
        "skipped": len(answers.pairs.skipped) + len(row.scene.dataset.skipped),
        **counted(answers),
    }


def counted(answers: Answers) -> dict[str, int]:
    """Return the counts that follow from the stored pairs alone."""
    pairs = answers.pairs
    found = {
        "done": pairs.done,
        "images_asked": len(set(pairs.image_ids)),
        "pairs": len(pairs),
        "unknown_classes": pairs.unknown,
    }
    for name, one in (("constant_maps", pairs), ("constant_reference_maps", answers.reference)):
        if one is not None and "constant" in one.columns:
            found[name] = int(one.columns["constant"].sum())
    return found


def differences(measured: Sequence[Measured], metric: str, resampling: Resampling) -> tuple[Difference, ...]:
    """Return paired differences of a metric between rows of one network and setting, the higher first."""
    rows = [one for one in measured if metric in one.statistics]
    rows.sort(key=lambda one: -one.result.metrics[metric].value)
    return tuple(
        Difference(a.result.row, b.result.row, metric, estimate)
        for a, b in combinations(rows, 2)
        if family(a.result.row) == family(b.result.row)
        and (estimate := resampling.difference(a.statistics[metric], b.statistics[metric]))
    )
