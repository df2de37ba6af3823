"""Possible causes of a low accuracy: the same images once more, with one thing changed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from typing import TYPE_CHECKING

from scipy.stats import binomtest
from torch import Tensor

from benchmark.datasets.ilsvrc.classes import load_classes
from benchmark.diagnostics.doctor.model import ranks

if TYPE_CHECKING:
    from benchmark.core.types import InputFormat
    from benchmark.pipeline.scene import Scene

_SURE = 0.001


def convict(scene: Scene, rank: Tensor, count: int, pool: Executor) -> list[str]:
    """Return one line for each change under which more of the images are right, beyond chance.

    The comparison is McNemar's exact one: of the images that exactly one of both gets right, whether more
    than half are the changed net's, at the level of 0.1 %. So it needs neither a published number nor a fair
    sample.

    Args:
        scene: The net as it is.
        rank: :func:`benchmark.diagnostics.doctor.model.ranks` of it.
        count: Number of images that :func:`ranks` was given.
        pool: Threads to read on.
    """
    before = rank == 0
    found = []
    for change, changed in _changes(scene):
        after = ranks(changed, count, pool) == 0
        gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
        if gained > lost and binomtest(gained, gained + lost, alternative="greater").pvalue < _SURE:
            rates = f"{100 * float(before.float().mean()):.1f} to {100 * float(after.float().mean()):.1f} %"
            found.append(f"{change} brings top-1 accuracy from {rates} of the same {len(before)} images")
    return found


def _changes(scene: Scene) -> Iterator[tuple[str, Scene]]:
    model = scene.model
    other = {"rgb": "bgr", "bgr": "rgb"}[model.input.order]
    yield f"model.input.order={other}", replace(scene, model=replace(model, input=turned(model.input, other)))
    names = load_classes()
    by_id = sorted(zip(names.ilsvrc_ids, names.wnids, strict=True))
    orders = {
        "the devkit's class order (ILSVRC ids; name it by model.classes=FILE)": [wnid for _, wnid in by_id],
        "the order of sorted WNIDs (model.classes=null)": list(names.wnids),
    }
    used = tuple(scene.dataset.classes if model.classes is None else model.classes)
    if len(used) == len(by_id) and set(scene.dataset.classes) <= set(names.wnids):
        for words, order in orders.items():
            if tuple(order) != used:
                yield words, replace(scene, model=replace(model, classes=tuple(order)))


def turned(form: InputFormat, order: str) -> InputFormat:
    """Return the format with its channels in the other order, each colour with its own mean and deviation."""
    return replace(form, order=order, mean=form.mean[::-1], std=form.std[::-1])
