"""How far heatmaps and boxes move when one network is computed in other ways: precision, threads, batches."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmark.core.boxes import iou
from benchmark.core.errors import UserError
from benchmark.core.progress import Counter
from benchmark.core.protocols import SeveralViews
from benchmark.core.types import BoolArray, FloatArray, IntArray
from benchmark.datasets.images import read_sample
from benchmark.diagnostics.selftest.check import relative as apart
from benchmark.pipeline.batches import read_batches
from benchmark.pipeline.explain import forwarded, relative

if TYPE_CHECKING:
    from benchmark.core.protocols import Localizer, Method
    from benchmark.core.types import Sample
    from benchmark.pipeline.batches import Batch
    from benchmark.pipeline.scene import Scene
    from benchmark.pipeline.settings import RunSettings


@dataclass(frozen=True)
class Way:
    """A way to compute the same heatmaps.

    Attributes:
        settings: Device, precision, memory format and batch size.
        torch_threads: Threads of PyTorch's own operations on a CPU; ``None`` for as many as it has chosen.
    """

    settings: "RunSettings"
    torch_threads: int | None = None


class Seen(NamedTuple):
    """What one way gave for a batch.

    Attributes:
        classes: ``[N, K]`` outputs that were explained.
        maps: Method to its heatmaps ``[N, K, h, w]``, in float64 on the CPU.
        boxes: Method to their boxes ``[N * K, 4]``, as a run makes them.
    """

    classes: Tensor
    maps: Mapping[str, Tensor]
    boxes: Mapping[str, IntArray]


@dataclass
class Movement:
    """How far the heatmaps of a method, or the boxes alone of two methods, are apart.

    Attributes:
        changes: Of each map, the greatest absolute difference of a cell as a share of the reference map's
            greatest absolute value; nothing where boxes of two methods are compared.
        sums: Of each batch, the worst map's sum of absolute differences over the mean sum of the reference's
            absolute values: what ``./scripts/selftest`` bounds.
        overlaps: Of each map, the IoU of the two boxes.
        equal: Of each map, whether the two boxes are equal.
        moved: Image, number of its class, and both boxes, of each map whose boxes differ.
    """

    changes: list[FloatArray] = field(default_factory=list)
    sums: list[float] = field(default_factory=list)
    overlaps: list[npt.NDArray[np.float64]] = field(default_factory=list)
    equal: list[BoolArray] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)

    def add(self, samples: Sequence["Sample"], first: IntArray, second: IntArray) -> None:
        """Take in the boxes ``[N * K, 4]`` of the maps of N images."""
        self.overlaps.append(iou(first, second))
        self.equal.append((first == second).all(axis=-1))
        for number in np.flatnonzero(~self.equal[-1]).tolist():
            image, rank = divmod(number, len(first) // len(samples))
            boxes = f"{first[number].tolist()}, not {second[number].tolist()}"
            self.moved.append(f"{samples[image].image_id}, class {rank + 1}: {boxes}")


def movements(
    scene: "Scene",
    methods: Sequence["Method"],
    localizer: "Localizer",
    ways: Mapping[str, Way],
    twins: Sequence[tuple[str, str]] = (),
) -> dict[tuple[str, str], Movement]:
    """Compute the heatmaps of a scene's images in several ways, and compare each with the first.

    The classes are the ``top_k`` best of each image by the first way, so that all ways explain the same.

    Args:
        scene: Images, model and transform.
        methods: Those that accept the model.
        localizer: Makes the boxes.
        ways: The reference, and the others, by name.
        twins: Pairs of methods whose boxes are compared in each way, the reference included.

    Returns:
        Way and method, or way and ``first = second``, to what moved.

    Raises:
        UserError: If the transform shows an image several times, or an image cannot be read.
    """
    if isinstance(scene.transform, SeveralViews):
        raise UserError(
            f"transform={scene.transform.name}: choose one that shows an image once, such as warp"
        )
    found: dict[tuple[str, str], Movement] = {}
    counter = Counter(scene.model.name, len(scene.dataset.samples))
    with counter, ThreadPoolExecutor(scene.settings.thread_count) as pool:
        groups = [samples for shard in range(len(scene.shards)) for samples in scene.batches(shard)]
        for batch in read_batches(scene, groups, pool):
            wanted: Seen | None = None
            for name, way in ways.items() if batch.samples else ():
                seen = _seen(scene, methods, localizer, way, batch, wanted and wanted.classes)
                for first, second in twins:
                    pair = found.setdefault((name, f"{first} = {second}"), Movement())
                    pair.add(batch.samples, seen.boxes[first], seen.boxes[second])
                if wanted is None:
                    wanted = seen
                    continue
                for method in seen.maps:
                    moved = found.setdefault((name, method), Movement())
                    moved.changes.append(_change(seen.maps[method], wanted.maps[method]))
                    moved.sums.append(apart(seen.maps[method], wanted.maps[method]))
                    moved.add(batch.samples, seen.boxes[method], wanted.boxes[method])
            counter.add(len(batch.samples) + len(batch.skipped))
    return found


def _seen(
    scene: "Scene",
    methods: Sequence["Method"],
    localizer: "Localizer",
    way: Way,
    batch: "Batch",
    classes: Tensor | None,
) -> Seen:
    """Explain a batch in one way, in parts of the way's batch size."""
    scene, size = replace(scene, settings=way.settings), way.settings.batch_size
    scene.prepare()
    chosen, maps = list[Tensor](), {method.name: list[Tensor]() for method in methods}
    with _threads(way.torch_threads):
        for start in range(0, len(batch.inputs), size):
            part = slice(start, start + size)
            with forwarded(scene, methods, batch.inputs[part], batch.samples[part]) as forward:
                top = forward.logits.topk(way.settings.top_k).indices
                each = top if classes is None else classes[part].to(top.device)
                chosen.append(each.cpu())
                for method in methods:
                    maps[method.name].append(method(scene.model, forward, each).detach())
    whole = {name: torch.cat(parts) for name, parts in maps.items()}
    boxes = {name: _boxes(localizer, batch, each) for name, each in whole.items()}
    return Seen(torch.cat(chosen), {name: each.cpu().double() for name, each in whole.items()}, boxes)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _boxes(localizer: "Localizer", batch: "Batch", maps: Tensor) -> IntArray:
    """Return one box a map, ``[N * K, 4]``, of what a run would store."""
    stored = relative(maps)[0].float().cpu().numpy()
    boxes = []
    for sample, view, each in zip(batch.samples, batch.views, stored, strict=True):
        pixels = read_sample(sample) if localizer.needs_image else None
        boxes += [localizer(heatmap, view, pixels).box for heatmap in each]
    return np.array(boxes, np.int32)


def _change(maps: Tensor, wanted: Tensor) -> FloatArray:
    """Return ``max |a - b| / max |b|`` of each map, ``[N * K]``; 0 where both are zero throughout."""
    most = (maps - wanted).abs().amax((-2, -1)).flatten()
    peak = wanted.abs().amax((-2, -1)).flatten()
    return torch.where(most == 0, 0.0, most / peak).numpy()
