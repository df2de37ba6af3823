"""The classifier's inputs for a whole dataset, computed once and kept in shards.

A shard is whole or absent, so a pass that was killed goes on where it was. The folder is named by everything
that a feature depends on; probes that differ in their head alone share it.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from safetensors.torch import save as as_safetensors
from torch import Tensor, nn

from benchmark.core.code_hash import code_fingerprint
from benchmark.core.device import reproducible
from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.progress import Counter
from benchmark.core.protocols import SeveralViews
from benchmark.core.provenance import fingerprint, package_versions
from benchmark.core.types import Model, Sample
from benchmark.models.weights.files import digest
from benchmark.pipeline.batches import read_batches
from benchmark.pipeline.names import file_name
from benchmark.pipeline.scene import Scene
from benchmark.training.job import Job
from benchmark.training.options import ProbeOptions
from benchmark.training.validate import groups

_OF_THE_HEAD = ("weights", "weights_dir", "checksums", "ignore", "rename", "classes", "note", "outputs")
"""Options of a model that change no feature, or whose content is in the fingerprint anyway."""


@dataclass(frozen=True)
class Features:
    """The classifier's inputs.

    Attributes:
        values: ``[n, V, D]`` of the images that could be read; ``V`` is 2 where each was also seen mirrored.
        rows: ``[n]`` place of each among the dataset's samples.
    """

    values: Tensor
    rows: Tensor


def classifier(model: Model) -> nn.Linear:
    """Return the layer that turns features into logits.

    Raises:
        UserError: If the model has none, or one that is not linear with a bias.
    """
    name = model.layers.get("classifier")
    layer = None if name is None else model.module.get_submodule(name)
    if not isinstance(layer, nn.Linear) or layer.bias is None:
        kind = "none" if layer is None else f"{name}, {type(layer).__name__}"
        raise UserError(
            f"model={model.name}: a probe needs a linear layer with a bias in the role classifier, here "
            f"{kind}; choose another model"
        )
    return layer


def stored(job: Job[ProbeOptions], scene: Scene, mirrored: bool) -> Features:
    """Return the features of every image of a scene; what is missing on disk is computed.

    Args:
        job: Its model holds the parameters, on the device and in evaluation mode.
        scene: The images.
        mirrored: Whether each is seen mirrored as well.

    Raises:
        UserError: If an image cannot be read, or the transform shows each several times.
    """
    if isinstance(scene.transform, SeveralViews):
        raise UserError(f"transform={scene.transform.name}: a probe sees an image once; set transform=warp")
    folder = _folder(job, scene, mirrored)
    pieces = []
    images = len(scene.dataset.samples)
    with (
        ThreadPoolExecutor(scene.settings.thread_count) as pool,
        Counter(f"{job.name}: features of {scene.dataset.name}", images) as counter,
        reproducible(),
    ):
        for shard in scene.shards:
            path = folder / f"{shard.start:07d}.safetensors"
            kept = _read(path)
            partial = kept is not None and len(kept["rows"]) < len(shard)
            if kept is None or (partial and scene.settings.unreadable == "error"):
                kept = _computed(scene, shard, mirrored, pool)
                write_atomically(path, as_safetensors(kept))
            pieces.append(kept)
            counter.add(len(shard))
    values, rows = (torch.cat([piece[key] for piece in pieces]) for key in ("values", "rows"))
    return Features(values, rows)


def _folder(job: Job[ProbeOptions], scene: Scene, mirrored: bool) -> Path:
    model, settings = scene.model, scene.settings
    config = {key: value for key, value in job.config["model"].items() if key not in _OF_THE_HEAD}
    family = import_module(job.config["model"]["_target_"].rpartition(".")[0])
    identity = {
        "model": {**config, "input": model.input.identity()},
        "origin": None if job.origin is None else digest(job.origin, "sha256"),
        "dataset": scene.dataset.fingerprint,
        "transform": job.config["transform"],
        "settings": settings.identity(),
        "mirrored": mirrored,
        "packages": package_versions(),
        "code": code_fingerprint([family, scene.transform, stored]),
    }
    return job.results / "training" / "features" / f"{file_name(job.name)}-{fingerprint(identity)[:8]}"


def _read(path: Path) -> dict[str, Tensor] | None:
    """Read a shard, or ``None`` where it is absent or damaged."""
    try:
        kept = load(path.read_bytes())
        return kept if kept.keys() == {"values", "rows"} else None
    except (OSError, SafetensorError):
        return None


def _computed(scene: Scene, shard: range, mirrored: bool, pool: Executor) -> dict[str, Tensor]:
    samples = scene.dataset.samples[shard.start : shard.stop]
    place = {sample.image_id: number for number, sample in zip(shard, samples, strict=True)}
    values, rows = [], []
    for seen, read in _seen(scene, groups(samples, scene.settings.batch_size), mirrored, pool):
        values.append(seen)
        rows += [place[sample.image_id] for sample in read]
    views = 2 if mirrored else 1
    if not values:
        values.append(torch.zeros(0, views, classifier(scene.model).in_features))
    return {"values": torch.cat(values), "rows": torch.tensor(rows, dtype=torch.int64)}


@torch.no_grad()
def _seen(
    scene: Scene, samples: Iterable[Sequence[Sample]], mirrored: bool, pool: Executor
) -> Iterator[tuple[Tensor, Sequence[Sample]]]:
    """Yield features ``[N, V, D]`` of each batch, with their samples."""
    module, settings = scene.model.module, scene.settings
    heard: list[Tensor] = []
    hook = classifier(scene.model).register_forward_pre_hook(lambda _layer, args: heard.append(args[0]))
    try:
        for batch in read_batches(scene, samples, pool):
            if batch.samples:
                given = batch.inputs.to(settings.torch_device, settings.dtype)
                heard.clear()
                with settings.autocast():
                    for seen in (given, given.flip(-1)) if mirrored else (given,):
                        module(seen.to(memory_format=settings.memory_format))
                yield torch.stack(heard, dim=1).to(settings.dtype).cpu(), batch.samples
    finally:
        hook.remove()
