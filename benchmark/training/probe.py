"""A net whose classifier alone is trained, on features that one forward pass has stored."""

import sys
import time
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.models.weights.parameters import load_matching, randomize
from benchmark.pipeline.class_order import ClassOrder, class_order
from benchmark.training.distributed import World
from benchmark.training.features import Features, classifier, stored
from benchmark.training.head import fit, held_out
from benchmark.training.job import Job, Trained
from benchmark.training.options import ProbeOptions
from benchmark.training.validate import concluded


def probe(job: Job[ProbeOptions], world: World) -> Trained:
    """Train a net's classifier; a killed training goes on with the features that are stored.

    Raises:
        UserError: If the datasets do not fit the model, the file to start from lacks a layer, an image cannot
            be read, or there are several processes.
    """
    if world.size > 1:
        raise UserError(f"a probe is trained by one process, not {world.size}; start it without torchrun")
    began = time.monotonic()
    model, options = job.learning.model, job.options
    layer = classifier(model)
    validation, training = (class_order(scene, layer.out_features) for scene in (job.checking, job.learning))
    copied = _fill(job, layer)
    learning = stored(job, job.learning, options.mirrored)
    checking = stored(job, job.checking, mirrored=False)
    targets = _targets(job, learning, training)
    strength, losses = _strength(job, learning, targets, layer.out_features)
    views = learning.values.shape[1]
    values, repeated = learning.values.to(targets.device).flatten(0, 1), targets.repeat_interleave(views, 0)
    (head,) = fit(values, repeated, options.objective.loss, layer.out_features, [strength])
    with torch.no_grad():
        layer.weight.copy_(head.weight)
        layer.bias.copy_(head.bias)
    facts = {
        "features": {"images": len(learning.rows), "views": views, "of": layer.in_features},
        "strength": strength,
        "held_out_loss": losses,
    }
    found = _measure(job, layer, checking, validation)
    state = {key: value.detach().cpu().contiguous() for key, value in model.module.state_dict().items()}
    return Trained(state, found, copied, [model.layers["classifier"]], time.monotonic() - began, facts)


def _fill(job: Job[ProbeOptions], layer: nn.Linear) -> list[str]:
    """Copy every layer but the classifier from the file; the names of those."""
    model, settings, name = job.learning.model, job.learning.settings, job.learning.model.layers["classifier"]
    assert job.origin is not None, "ProbeOptions refuse init=null"
    randomize(model.module, seed=job.options.seed)
    copied, left = load_matching(model.module, job.origin)
    lacking = [other for other in left if other != name]
    if lacking:
        more = f" and {len(lacking) - 1} more" * (len(lacking) > 1)
        raise UserError(
            f"{job.origin}: without layer {lacking[0]}{more} of {model.name}, and a probe trains the "
            "classifier alone; give the weights of the same net"
        )
    module = model.module.to(device=settings.torch_device, dtype=settings.dtype)
    module.to(memory_format=settings.memory_format).eval().requires_grad_(False)
    print(f"{job.name}: features of {job.origin}, {layer.in_features} an image", file=sys.stderr, flush=True)
    return [other for other in copied if other != name]


def _targets(job: Job[ProbeOptions], features: Features, order: ClassOrder) -> Tensor:
    samples = [job.learning.dataset.samples[row] for row in features.rows.tolist()]
    targets = torch.from_numpy(job.options.objective.targets(samples, order))
    return targets.to(job.learning.settings.torch_device)


def _strength(
    job: Job[ProbeOptions], features: Features, targets: Tensor, outputs: int
) -> tuple[float, dict[str, float]]:
    """Choose the strength with the least loss on held-out images; return the loss of each candidate too."""
    options, n = job.options, len(features.rows)
    strengths = sorted(options.strengths, reverse=True)
    if n < options.folds:
        raise UserError(f"train_set: {n} images for train.folds={options.folds}; give more images")
    if len(strengths) == 1:
        return strengths[0], {}
    loss, values = options.objective.loss, features.values.to(targets.device)
    sums = torch.zeros(len(strengths), dtype=torch.float64, device=targets.device)
    for out, logits in held_out(values, targets, loss, outputs, strengths, options.folds, options.seed):
        sums += torch.stack([loss(each, targets[out]) for each in logits]) * len(out)
    losses = {f"{s:g}": value for s, value in zip(strengths, (sums / n).tolist(), strict=True)}
    best = min(range(len(strengths)), key=list(losses.values()).__getitem__)  # the strongest of equals
    candidates = ", ".join(f"{name}: {value:.4f}" for name, value in losses.items())
    edge = ", at the end of train.strengths: widen it" if best in (0, len(strengths) - 1) else ""
    print(f"{job.name}: held-out loss {candidates}; takes {strengths[best]:g}{edge}", file=sys.stderr)
    return strengths[best], losses


@torch.no_grad()
def _measure(
    job: Job[ProbeOptions], layer: nn.Linear, features: Features, order: ClassOrder
) -> dict[str, Any]:
    """Measure the net on the validation images, by their stored features and the layer as it is saved."""
    objective, samples = job.options.objective, job.checking.dataset.samples
    device, width = layer.weight.device, objective.width(layer.out_features) + 1
    targets = torch.from_numpy(objective.targets(samples, order)).to(device)
    table = torch.zeros(len(samples), width, dtype=torch.float64, device=device)
    rows = features.rows.to(device)
    table[rows, :-1] = objective.rows(layer(features.values[:, 0].to(layer.weight)), targets[rows])
    table[rows, -1] = 1
    return concluded(job.checking, objective, order, table)
