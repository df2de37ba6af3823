"""The task ``sec``: a network trained to segment on each row's seeds, measured on other images' masks."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmark.core.code_hash import code_fingerprint
from benchmark.core.dense_crf import Crf
from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.paired import Statistic
from benchmark.core.progress import Counter
from benchmark.core.provenance import fingerprint
from benchmark.core.seeds import SIDE, Cells, count, overlap_parts
from benchmark.core.types import Box, Difference
from benchmark.datasets.images import read_sample
from benchmark.datasets.pixel_labels import averaged_cells, read_pixel_labels
from benchmark.pipeline.results import files_of
from benchmark.pipeline.scene import Scene
from benchmark.tasks.pairs.pictures import pair_sheet
from benchmark.tasks.pairs.plan import PairRow, plan_of
from benchmark.tasks.pairs.records import STORE, read_pairs
from benchmark.tasks.pairs.result import Measured, Resampling, result
from benchmark.tasks.pairs.seed_images import SeedImage, seed_images
from benchmark.tasks.pairs.types import ratios
from benchmark.tasks.sec.features import features_of, pixels_of
from benchmark.tasks.sec.training import Lesson, Segmenter, fit, predicted
from benchmark.tasks.task import Experiment, Outcome, refuse_options_of_boxes

if TYPE_CHECKING:
    from torch import Tensor, nn

    from benchmark.core.protocols import Dataset
    from benchmark.core.types import Model, Sample

NUMBERS = ("miou", "miou_crf")
"""Mean IoU of the head's classes; and after a dense CRF at 41 x 41 cells. At the masks' own pixels, both."""


@dataclass(frozen=True)
class SecTask:
    """The task ``sec``.

    Attributes:
        bootstrap: Bootstrap over images, for the confidence intervals.
        val_set: Images with masks on which the trained networks are measured.
        training: What is trained, and how.
        network: Frozen network whose activations every head is trained on; ``None`` where the images are.
        layer: Layer of these activations, a role or a module's name.
        share: A class's seeds are where its map exceeds this share of its maximum.
        background: The background's seeds are this share of the cells, those of the lowest saliency.
    """

    bootstrap: Resampling
    val_set: Dataset
    training: Segmenter
    network: Model | None = None
    layer: str = "last_conv"
    share: float = 0.2
    background: float = 0.1

    def check(self, words: Sequence[str]) -> None:
        """Refuse options of boxes: this task draws none."""
        refuse_options_of_boxes(words)

    def run(self, experiment: Experiment) -> Outcome:
        """Store the seeds, train a network on each row's, and tabulate their mean IoU and its differences.

        Raises:
            UserError: If the datasets have other classes, share an image, or a mask is missing.
        """
        self._refuse_unfit(experiment.dataset, self.val_set)
        plan = plan_of(experiment.dataset, experiment.settings, experiment.runs, experiment.rows)
        plan.refuse_nothing_to_measure()
        plan.measure()
        found = {name: result(row, self.bootstrap) for name, row in plan.rows.items()}
        done = {name: one for name, one in found.items() if isinstance(one, Measured)}
        rows = {name: plan.rows[name] for name in done}
        counted = self._counted(experiment, rows) if rows else {}
        measured = {name: self._joined(done[name], counted[name]) for name in done}
        table = experiment.tabulated(
            plan.in_order(found | {n: one.result for n, one in measured.items()}, [*plan.rows, *plan.open]),
            differences=tuple(self._differences(measured)),
            checks=(*self._checks(experiment.dataset, self.val_set), *background_alone(counted)),
        )
        return Outcome(
            table=table,
            dataset=plan.dataset,
            records={name: STORE.merge(files_of(row.cell, STORE)) for name, row in rows.items()},
            sheet=partial(pair_sheet, table=table, rows=plan.rows, count=experiment.pictures),
        )

    def _refuse_unfit(self, train: Dataset, val: Dataset) -> None:
        if (self.network is None) != (self.training.side is not None):
            raise UserError(
                "task.network: a head is trained on a frozen network, DeepLab on images; choose both by "
                "experiment=sec_deeplab, or by another experiment of SEC"
            )
        if tuple(train.classes) != tuple(val.classes):
            raise UserError(
                f"val_set={val.name}: other classes than dataset={train.name}; choose the same kind"
            )
        if not all("classes" in one.pixel_labels for one in val.samples):
            raise UserError(
                f"val_set={val.name}: no mask says which class each pixel is of; choose "
                "dataset@val_set=embedded_masks or dataset@val_set=voc2012"
            )
        twice = {one.image_id for one in train.samples} & {one.image_id for one in val.samples}
        if twice:
            raise UserError(
                f"{min(twice)}: in dataset and in val_set ({len(twice)} so); choose other images, such as "
                "with dataset.list and val_set.list"
            )

    def _checks(self, train: Dataset, val: Dataset) -> tuple[str, ...]:
        frozen = f" on {self.layer} of {self.network.name}, frozen" if self.network else ""
        return (
            f"miou: {self.training.sentence()}{frozen}, trained on seeds of {len(train.samples)} images, "
            f"measured on {len(val.samples)} of {val.name} ({val.fingerprint[:12]}); all other numbers are "
            "of the seeds",
        )

    def _counted(
        self, experiment: Experiment, rows: Mapping[str, PairRow]
    ) -> dict[str, dict[str, Statistic]]:
        """Train what is not stored, and return the statistics of each row."""
        first = next(iter(rows.values())).scene
        identity = {
            "seeds": [row.cell.fingerprint for row in rows.values()],
            "network": self.network
            and [self.network.weights.sha256, self.network.input.identity(), self.layer],
            "val": self.val_set.fingerprint,
            "options": [self.share, self.background, self.training.identity()],
            "code": code_fingerprint([fit, predicted, features_of, SecTask, type(self.training)]),
        }
        path = experiment.runs / f"sec-{fingerprint(identity)[:16]}.npz"
        if not path.is_file():
            images = {name: self._images(row) for name, row in rows.items()}
            lessons = self._lessons(
                images, self._inputs(experiment, first, experiment.dataset), len(first.dataset.classes)
            )
            device = None if self.network else experiment.settings.torch_device
            unfinished = path.with_suffix(".unfinished.pt")
            nets = fit(lessons, self.training, device=device, kept=unfinished)
            counts = _measured(nets, self.val_set, self._inputs(experiment, first, self.val_set))
            content = io.BytesIO()
            np.savez_compressed(content, counts=counts)
            write_atomically(path, content.getvalue())
            unfinished.unlink(missing_ok=True)
        with np.load(path) as stored:
            counts = stored["counts"]
        ids = tuple(sample.image_id for sample in self.val_set.samples)
        return {
            name: {
                number: Statistic(ids, np.concatenate(overlap_parts(Cells(*own[place])), axis=1), ratios)
                for place, number in enumerate(NUMBERS)
            }
            for name, own in zip(rows, counts, strict=True)
        }

    def _inputs(self, experiment: Experiment, scene: Scene, dataset: Dataset) -> Mapping[str, Tensor]:
        if self.network is None:
            return pixels_of(dataset, self.training.side or SIDE, experiment.settings.thread_count)
        seen = Scene(dataset, self.network, scene.transform, experiment.settings)
        return features_of(seen, self.layer, experiment.runs)

    def _images(self, row: PairRow) -> dict[str, SeedImage]:
        pairs = read_pairs(files_of(row.cell, STORE))
        return {one.image_id: one for one in seed_images(pairs)}

    def _lessons(
        self, images: Mapping[str, Mapping[str, SeedImage]], features: Mapping[str, Tensor], classes: int
    ) -> list[Lesson]:
        first, *others = images.values()
        lessons = []
        for image_id, image in first.items():
            own = [image, *(other[image_id] for other in others)]
            present = np.isin(np.arange(1, classes + 1), image.classes)
            seeds = [one.seeds(self.share, self.background) for one in own]
            lessons.append(Lesson(features[image_id], image.pixels, seeds, present))
        return lessons

    def _joined(self, seeds: Measured, own: Mapping[str, Statistic]) -> Measured:
        """Add the trained network's numbers to those of its seeds."""
        estimates = {name: self.bootstrap.estimate(one) for name, one in own.items()}
        told = {"training": self.training.identity(), "share": self.share}
        if self.network:
            told["layer"] = self.layer
        conditions = {**seeds.result.conditions, "sec": told}
        merged = replace(seeds.result, metrics={**estimates, **seeds.result.metrics}, conditions=conditions)
        return Measured(merged, {**own, **seeds.statistics})

    def _differences(self, measured: Mapping[str, Measured]) -> Sequence[Difference]:
        names = sorted(measured, key=lambda name: -measured[name].result.metrics["miou"].value)
        pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
        found = []
        for number in NUMBERS:
            for a, b in pairs:
                one, other = (measured[name].statistics[number] for name in (a, b))
                apart = self.bootstrap.difference(one, other)
                if apart is not None:
                    found.append(Difference(a, b, number, apart))
        return found


def background_alone(rows: Mapping[str, Mapping[str, Statistic]]) -> Iterator[str]:
    """Yield a failed check for each network that has no pixel right but of the background.

    Args:
        rows: Row to its numbers, whose values are intersections and unions of each class, background first.
    """
    for name, numbers in rows.items():
        values = numbers[NUMBERS[0]].values
        if not values[:, 1 : values.shape[1] // 2].any():
            yield (
                f"FAILED: {name}: its network has learned the background alone, and its miou means nothing; "
                "train longer (task.training.epochs) or at a smaller rate (task.training.rate)"
            )


def _measured(nets: Sequence[nn.Module], val: Dataset, features: Mapping[str, Tensor]) -> np.ndarray:
    """Return counts ``[nets, 2, 3, n, C + 1]``: without and with CRF; right, marked, there; images."""
    rows = []
    with Counter(f"segmenting {val.name}", len(val.samples)) as counter:
        for sample in val.samples:
            rows.append(_counts(sample, nets, features[sample.image_id], len(val.classes)))
            counter.add(1)
    return np.stack(rows, axis=3)


def _counts(sample: Sample, nets: Sequence[nn.Module], features: Tensor, classes: int) -> np.ndarray:
    """Return counts ``[nets, 2, 3, C + 1]`` of one image."""
    image = read_sample(sample)
    height, width = image.shape[:2]
    path = sample.pixel_labels.get("classes")
    if path is None:
        raise UserError(f"val_set, {sample.image_id}: has no mask; choose dataset@val_set=voc2012")
    truth = read_pixel_labels(path, (width, height), classes)[None]
    cells = averaged_cells(image, Box(0, 0, width, height), SIDE)
    kernel = Crf().kernel(torch.from_numpy(cells.astype(np.float32)))
    return np.array(
        [
            [
                [
                    one[0]
                    for one in count(predicted(net, features, (width, height), own)[None], truth, classes)
                ]
                for own in (None, kernel)
            ]
            for net in nets
        ]
    )
