"""The sheet of images of two classes: for each, what speaks for it, in which detail, and what against it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmark.attribution.common import class_activation as channels
from benchmark.attribution.common import relu_rules as guided
from benchmark.attribution.grad_cam import GradCAM
from benchmark.attribution.grad_cam_counterfactual import GradCAMCounterfactual
from benchmark.attribution.guided_grad_cam import GuidedGradCAM
from benchmark.core import provenance
from benchmark.core.code_hash import code_fingerprint
from benchmark.core.device import reproducible
from benchmark.core.masks import objects_of
from benchmark.core.protocols import Method
from benchmark.core.threads import threads
from benchmark.core.types import FloatArray, ImageArray, IntArray, Sample, View
from benchmark.datasets.images import UnreadableImage, read_sample
from benchmark.models.forward import forward_pass
from benchmark.pipeline.batches import Batch, read_batches
from benchmark.pipeline.class_order import class_order
from benchmark.pipeline.results import files_of
from benchmark.pipeline.scene import Scene
from benchmark.tasks.boxes.pictures import gather, legend, tile
from benchmark.tasks.boxes.pictures import png as stamp
from benchmark.tasks.boxes.pictures import text as words
from benchmark.tasks.pairs.pictures import counterfactual
from benchmark.tasks.pairs.pictures import overlay as marks
from benchmark.tasks.pairs.pictures.counterfactual import Pair, sheet
from benchmark.tasks.pairs.pictures.exhibit import Exhibit
from benchmark.tasks.pairs.plan import PairRow
from benchmark.tasks.pairs.records import STORE, read_pairs
from benchmark.tasks.pairs.types import Pairs

_TWO = 2
_HOW = (gather, channels, guided, counterfactual, legend, marks, tile, words)


@dataclass(frozen=True)
class _Methods:
    """As the rows have them, with their options; as their yaml has them where no row has."""

    plain: GradCAM
    guided: GuidedGradCAM
    against: GradCAMCounterfactual

    @property
    def each(self) -> tuple[Method, ...]:
        return self.plain, self.guided, self.against


@dataclass(frozen=True)
class _Image:
    """An image of two classes: its sample, its pixels, its two labels."""

    sample: Sample
    pixels: ImageArray
    labels: IntArray


def counterfactual_sheet(path: Path, exhibit: Exhibit) -> list[Path]:
    """Make the sheet of images of two labelled classes, a PNG.

    Images are those of which the first finished row was asked both classes, none of them all difficult;
    model and transform are that row's. The few maps are made anew: of Guided Grad-CAM no colours are stored.

    Args:
        path: Where it goes. What is there and shows the same stays as it is.
        exhibit: Table, rows, number of images.

    Returns:
        Its path; nothing where no image is wanted, there is none of two classes, or no row is finished.

    Raises:
        UserError: If a stored file is damaged, the network cannot be explained by all three methods, or the
            sheet cannot be written.
    """
    finished = exhibit.finished
    if not exhibit.count or not finished:
        return []
    first = next(iter(finished.values()))
    scene, methods = first.scene, _methods(first.scene, list(finished.values()))
    identity = {
        "table": [exhibit.table.name, exhibit.table.dataset.name],
        "cell": first.cell.fingerprint,
        "methods": repr(methods),
        "count": exhibit.count,
        "code": code_fingerprint([methods, *methods.each, *_HOW]),
        "packages": provenance.package_versions(("matplotlib", "pillow", "torch")),
    }
    fingerprint = provenance.fingerprint(identity)
    if stamp.stored(path) == fingerprint:
        return [path]
    wanted = _labels(read_pairs(files_of(first.cell, STORE)))
    samples = [sample for sample in scene.dataset.samples if sample.image_id in wanted]
    picked = [samples[place] for place in gather.chosen(samples, exhibit.count)]
    images = [image for sample in picked if (image := _read(sample, wanted[sample.image_id]))]
    if not images:
        return []
    title = (
        f"{exhibit.table.name} on {exhibit.table.dataset.name}, {scene.model.name}: {len(images)} of "
        f"{len(samples)} images with two labelled classes, {gather.HOW_CHOSEN}"
    )
    sheet(path, list(made(scene, methods, images)), title, fingerprint)
    return [path]


def _methods(scene: Scene, rows: Sequence[PairRow]) -> _Methods:
    own = [row.cell.method for row in rows if row.scene is scene]
    plain = next((method for method in own if isinstance(method, GradCAM)), GradCAM())
    fine = next((method for method in own if isinstance(method, GuidedGradCAM)), GuidedGradCAM())
    against = next(
        (method for method in own if isinstance(method, GradCAMCounterfactual)), GradCAMCounterfactual()
    )
    return _Methods(plain, fine, against)


def _labels(pairs: Pairs) -> dict[str, IntArray]:
    """Images of two classes, both asked and neither all difficult, with those ``[2]``."""
    columns = pairs.columns
    counted = columns["labelled"] & ~columns["difficult"] & (columns["classes"] == _TWO)
    found: dict[str, list[int]] = {}
    for row in np.flatnonzero(counted):
        found.setdefault(pairs.image_ids[row], []).append(int(columns["label"][row]))
    return {image: np.array(labels, np.int32) for image, labels in found.items() if len(labels) == _TWO}


def _read(sample: Sample, labels: IntArray) -> _Image | None:
    try:
        return _Image(sample, read_sample(sample), labels)
    except UnreadableImage:
        return None


def made(scene: Scene, methods: _Methods, images: Sequence[_Image]) -> Iterator[Pair]:
    """Two pairs an image, their maps by one forward pass a batch."""
    scene.prepare()
    by_id = {image.sample.image_id: image for image in images}
    size = scene.settings.batch_size  # never more at once than the run itself
    groups = [[i.sample for i in images[start : start + size]] for start in range(0, len(images), size)]
    with threads(scene.settings.thread_count) as pool:
        for batch in read_batches(scene, groups, pool):
            if batch.samples:
                yield from _explained(scene, methods, batch, [by_id[s.image_id] for s in batch.samples])


def _explained(scene: Scene, methods: _Methods, batch: Batch, images: Sequence[_Image]) -> Iterator[Pair]:
    settings, model = scene.settings, scene.model
    device = settings.torch_device
    inputs = batch.inputs.to(device).to(settings.dtype, memory_format=settings.memory_format)
    layers = sorted({layer for method in methods.each for layer in method.layers})
    with reproducible(), settings.autocast():
        forward = forward_pass(model, inputs, layers)
        outputs = class_order(scene, forward.logits.shape[1]).to_output
        chosen = outputs[np.stack([image.labels for image in images])]
        classes = torch.from_numpy(chosen).long().to(device)
        plain, against = (_host(m(model, forward, classes)) for m in (methods.plain, methods.against))
        colours = [_host(signed) for signed in methods.guided.products(model, forward, classes)]
    step = -1 if model.input.order == "bgr" else 1
    for number, image in enumerate(images):
        for place in range(_TWO):
            rgb = np.ascontiguousarray(np.moveaxis(colours[place][number], 0, -1)[..., ::step])
            maps = plain[number, place], rgb, against[number, place]
            yield _pair(scene, image, place, batch.views[number], maps)


def _host(tensor: torch.Tensor) -> FloatArray:
    array: FloatArray = tensor.detach().float().cpu().numpy()
    return array


def _pair(
    scene: Scene, image: _Image, place: int, view: View, maps: tuple[FloatArray, FloatArray, FloatArray]
) -> Pair:
    objects = objects_of(image.sample)
    label = int(image.labels[place])
    own = objects.classes == label
    name = scene.dataset.class_names[label].partition(",")[0]
    boxes = objects.boxes[own], objects.boxes[~own]
    return Pair(image.sample.image_id, name, image.pixels, view, *boxes, *maps)
