"""From counted pixels to the numbers of a row, with intervals over images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.core.bootstrap import Numbers, bounded, central
from benchmark.core.provenance import fingerprint
from benchmark.core.types import Estimate, FloatArray, IntArray, Result, Sample
from benchmark.pipeline.results import conditions, without_places
from benchmark.reporting.neuron_names import NeuronNames
from benchmark.tasks.neurons.dissect import Counts
from benchmark.tasks.neurons.recorder import StoredMaps

if TYPE_CHECKING:
    from benchmark.pipeline.cell import Cell
    from benchmark.pipeline.journal import Made

RULE = (
    "units active above their quantile of all cells; IoU over images labelled in the concept's category; "
    "named where the best IoU is above least"
)


@dataclass(frozen=True)
class Units:
    """A dissected layer: its names, and what they were made of.

    Attributes:
        names: The table of names.
        counts: Pixels of every image.
        limits: ``[C]`` thresholds.
        stored: Maps of every image.
        samples: The images.
    """

    names: NeuronNames
    counts: Counts
    limits: FloatArray
    stored: StoredMaps
    samples: Sequence[Sample]


@dataclass(frozen=True)
class Dissected:
    """A finished row."""

    result: Result
    units: Units


def numbers(ious: Numbers, names: IntArray, there: Numbers, least: float) -> Numbers:
    """Return share of units named, share of concepts named, mean IoU of a unit and its concept.

    Args:
        ious: ``[units, concepts]``.
        names: ``[units]`` the concept that each unit is held against.
        there: ``[concepts]`` pixels of each concept; one without any does not count.
        least: IoU that a name must exceed.
    """
    own = ious[np.arange(len(ious)), names]
    taken = np.unique(names[own > least])
    return np.array([(own > least).mean(), len(taken) / max((there > 0).sum(), 1), own.mean()])


METRICS = ("named_units", "named_concepts", "best_iou")


def estimates(counts: Counts, least: float, resamples: int, seed: int) -> dict[str, Estimate]:
    """Return the three numbers with 95 % percentile intervals over images drawn with replacement.

    A unit is held against the concept that all images name it by, in each resample as well: the best of many
    concepts, chosen anew, would be better by chance in almost every resample.
    """
    images = counts.truth.shape[0]
    whole = counts.ious()
    names = whole.argmax(axis=1).astype(np.int32)
    values = numbers(whole, names, counts.totals()[0][0], least)
    draws = np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), resamples)
    drawn = np.array([_of(counts, names, draw.astype(np.float64), least) for draw in draws])
    return {
        name: bounded(float(values[place]), images, central(drawn[:, place]))
        for place, name in enumerate(METRICS)
    }


def _of(counts: Counts, names: IntArray, weights: Numbers, least: float) -> Numbers:
    return numbers(counts.ious(weights), names, np.asarray(weights @ counts.truth), least)


def result(
    row: str,
    cell: Cell,
    units: Units,
    *,
    options: Mapping[str, Any],
    counted: Mapping[str, int],
    config: Mapping[str, Any],
    made: Sequence[Made],
) -> Dissected:
    """Return a row's numbers.

    Args:
        row: Name of the row.
        cell: Its cell.
        units: What was counted.
        options: Of the task, and the concepts' name and version.
        counted: Numbers of images.
        config: The row's configuration.
        made: Who made its shards.
    """
    scene, names, least = cell.scene, units.names, options["least"]
    kinds = {f"{kind}_units": number for kind, (number, _) in names.by_category(least).items()}
    content = [names.truth.tolist(), names.activation.tolist(), names.intersect.tolist()]
    told = {"protocol": f"{options['concepts']}: {RULE}", "dissection": dict(options)}
    made_of = Result(
        row=row,
        model=scene.model.name,
        method=cell.method.name,
        localizer=f"{options['concepts']}, IoU > {least:g}",
        fingerprint=fingerprint({"cell": cell.fingerprint, "options": dict(options), "counts": content}),
        metrics=estimates(units.counts, least, options["resamples"], options["seed"]),
        counts={**counted, "units": names.units, "named_units": len(names.above(least)), **kinds},
        conditions=conditions(scene, made) | told,
        config=without_places(scene, config),
    )
    return Dissected(made_of, units)
