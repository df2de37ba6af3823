"""What answers say: accuracy and trust with intervals that hold for other workers and other images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.core.bootstrap import UNBOUNDED, Numbers, bounded, central
from benchmark.core.options import Checked, Count, Natural
from benchmark.core.types import Difference, Estimate, Result
from benchmark.reporting.table import DatasetNote, Table
from benchmark.tasks.study.agreement import Level, alpha

if TYPE_CHECKING:
    from benchmark.reporting.published import Published
    from benchmark.tasks.study.answers import Answer
    from benchmark.tasks.study.manifest import Item, Manifest

RIGHT, RATING = "discrimination", "rating_trust"
"""The numbers: share of right answers, and mean rating from -2 to 2 in favour of the first network."""

_SECOND = "alexnet_voc"
"""The paper's second network of the trust study, which goes without saying."""


@dataclass(frozen=True)
class TwoWay(Checked, group="bootstrap"):
    """The bootstrap over workers and images at once (Owen, "The pigeonhole bootstrap", 2007).

    Workers are drawn with replacement, images likewise and independently, and an answer counts as often as
    its worker times its image. Its intervals are too wide where neither workers nor images differ, rather
    than too narrow where they do. Images, and not questions: both classes and all visualizations of an
    image are alike.

    Attributes:
        resamples: Number of resamples, at least 1.
        seed: Seed of the draws, at least 0.
    """

    resamples: Count = 10_000
    seed: Natural = 0


@dataclass(frozen=True)
class Answered:
    """The answers to one visualization: sums ``[workers, images]`` of values, and counts likewise."""

    values: Numbers
    counts: Numbers
    units: Sequence[Sequence[float]]

    @property
    def mean(self) -> float:
        """Return the mean of all answers."""
        return float(self.values.sum() / self.counts.sum())


def analyse(
    answers: Sequence[Answer], manifest: Manifest, bootstrap: TwoWay, published: Published | None
) -> Table:
    """Make the table of a study's answers.

    Args:
        answers: Answers to the manifest's questions, all of people or none.
        manifest: The study.
        bootstrap: Of the intervals.
        published: Numbers to stand beside; of simulated answers they are left out.

    Returns:
        A row a visualization; simulated ones say so in name, title and rows.
    """
    simulated = answers[0].simulated
    note = DatasetNote(**manifest.dataset)
    workers = sorted({answer.worker for answer in answers})
    images = sorted({answer.item.image_id for answer in answers})
    draws = _draws(len(workers), len(images), bootstrap)
    rows: list[Result] = []
    differences: list[Difference] = []
    checks = list(_about(answers, workers, images))
    for metric in (RIGHT, RATING):
        pack = [answer for answer in answers if (answer.item.pack == "trust") == (metric == RATING)]
        by_row: dict[str, list[Answer]] = {}
        for answer in sorted(pack, key=lambda one: one.item.variant):
            by_row.setdefault(row_of(answer.item, simulated), []).append(answer)
        found = {row: _answered(own, workers, images) for row, own in by_row.items()}
        level: Level = "interval" if metric == RATING else "nominal"
        drawn = {row: _means(one, draws) for row, one in found.items()}
        for row, one in found.items():
            estimate = _estimate(one, drawn[row], metric)
            rows.append(_result(row, metric, estimate, by_row[row], manifest))
            agreed = alpha(one.units, level)
            if agreed is not None:
                checks.append(f"{row}: Krippendorff's alpha ({level}) {agreed:.3f}")
        for a, b in combinations(sorted(found, key=lambda row: -found[row].mean), 2):
            apart = drawn[a] - drawn[b]
            ends = _ends(apart) if _several(found[a], found[b]) else UNBOUNDED
            n = int(min(found[a].counts.sum(), found[b].counts.sum()))
            differences.append(Difference(a, b, metric, Estimate(found[a].mean - found[b].mean, *ends, n)))
    return Table(
        name="study_answers_simulated" if simulated else "study_answers",
        title=f"{'SIMULATED answers, of nobody,' if simulated else 'Answers'} to study {manifest.study}",
        dataset=note,
        rows=tuple(rows),
        published=None if simulated else published,
        checks=tuple(checks),
        differences=tuple(differences),
    )


def row_of(item: Item, simulated: bool) -> str:
    """Name the row of a question's visualization: of two networks ``trust/METHOD``."""
    row = item.rows[0] if len(item.rows) == 1 else f"trust/{item.rows[0].partition('/')[2]}"
    return f"simulated/{row}" if simulated else row


def _about(answers: Sequence[Answer], workers: Sequence[str], images: Sequence[str]) -> Iterator[str]:
    who = "simulated workers, nobody was asked" if answers[0].simulated else "workers"
    yield f"{len(answers)} answers of {len(workers)} {who}, about {len(images)} images"
    yield "intervals: workers and images are drawn with replacement, both at once"


def _value(answer: Answer) -> float:
    """Return 1 for the right class and 0 for the other, or the rating."""
    return float(answer.value == answer.item.label) if answer.item.choices else float(answer.value)


def _answered(answers: Sequence[Answer], workers: Sequence[str], images: Sequence[str]) -> Answered:
    row, column = ({name: n for n, name in enumerate(names)} for names in (workers, images))
    values, counts = np.zeros((2, len(workers), len(images)))
    units: dict[str, list[float]] = {}
    for answer in answers:
        place = row[answer.worker], column[answer.item.image_id]
        values[place] += _value(answer)
        counts[place] += 1
        # Of two classes the place in the alphabet, which knows no right answer and makes chance a half.
        said = answer.item.choices.index(answer.value) if answer.item.choices else float(answer.value)
        units.setdefault(answer.item.id, []).append(said)
    return Answered(values, counts, list(units.values()))


def _draws(workers: int, images: int, bootstrap: TwoWay) -> tuple[Numbers, Numbers]:
    """Draw how often each worker ``[resamples, workers]`` and each image ``[resamples, images]`` counts."""
    rng = np.random.default_rng(bootstrap.seed)
    drawn = [rng.multinomial(n, np.full(n, 1 / n), bootstrap.resamples) for n in (workers, images)]
    return drawn[0].astype(np.float64), drawn[1].astype(np.float64)


def _means(one: Answered, draws: tuple[Numbers, Numbers]) -> Numbers:
    """Return the mean in each resample; NaN where it has no answer to this visualization."""
    sums, counts = (((draws[0] @ each) * draws[1]).sum(axis=1) for each in (one.values, one.counts))
    means: Numbers = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return means


def _several(*several: Answered) -> bool:
    """Return whether there are two workers and two images at least, so that a draw can differ."""
    return all((one.counts.sum(axis=axis) > 0).sum() > 1 for one in several for axis in (0, 1))


def _ends(drawn: Numbers) -> tuple[float, float]:
    there = drawn[np.isfinite(drawn)]
    return central(there) if len(there) else UNBOUNDED


def _estimate(one: Answered, drawn: Numbers, metric: str) -> Estimate:
    interval = _ends(drawn) if _several(one) else UNBOUNDED
    if metric == RIGHT and one.mean in (0.0, 1.0):
        fewest = int(min((one.counts.sum(axis=axis) > 0).sum() for axis in (0, 1)))
        interval = tuple(bounded(one.mean, fewest, interval)[1:3])  # type: ignore[assignment]
    return Estimate(one.mean, *interval, int(one.counts.sum()))


def _result(
    row: str, metric: str, estimate: Estimate, answers: Sequence[Answer], manifest: Manifest
) -> Result:
    seen: Mapping[str, Any] = {name: manifest.visualizations[name] for name in answers[0].item.rows}
    first = next(iter(seen.values()))
    return Result(
        row=row,
        model=" over ".join(one["model"] for one in seen.values() if one["model"] != _SECOND),
        method=first["method"],
        localizer="simulated answers" if answers[0].simulated else "answers",
        fingerprint=first["fingerprint"],
        metrics={metric: estimate},
        counts={
            "answers": len(answers),
            "workers": len({answer.worker for answer in answers}),
            "images": len({answer.item.image_id for answer in answers}),
            "questions": len({answer.item.id for answer in answers}),
        },
        conditions={
            "dataset": dict(manifest.dataset),
            "study": manifest.study,
            "source": "simulated" if answers[0].simulated else "people",
            "weights": {name: one["weights"] for name, one in seen.items()},
        },
        config={},
    )
