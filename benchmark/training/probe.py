"""A net whose classifier alone is trained, on features that one forward pass has stored."""

import sys
import time

import torch
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.models.weights.initial import load_matching
from benchmark.models.weights.parameters import randomize
from benchmark.pipeline.class_order import ClassOrder, class_order
from benchmark.training.distributed import World
from benchmark.training.features import Features, classifier, stored
from benchmark.training.head import Head, fit, held_out
from benchmark.training.job import Job
from benchmark.training.objective import Found
from benchmark.training.options import ProbeOptions
from benchmark.training.outcome import Trained
from benchmark.training.validate import concluded


def probe(job: Job[ProbeOptions], world: World) -> Trained:
    """Train a net's classifier; a killed one goes on with the features that are stored.

    Raises:
        UserError: If the datasets do not fit the model, the file to start from lacks a layer, an image cannot
            be read, or there are several processes.
    """
    if world.size > 1:
        raise UserError(f"a probe is trained by one process, not {world.size}; start it without torchrun")
    began = time.monotonic()
    layer = classifier(job.learning.model)
    orders = [class_order(scene, layer.out_features) for scene in (job.checking, job.learning)]
    copied = _filled(job, layer)
    learning = stored(job, job.learning, job.options.mirrored)
    checking = stored(job, job.checking, mirrored=False)
    strength, losses = _chosen(job, learning, orders[1])
    _set(layer, _fitted(job, learning, orders[1], [strength])[0])
    facts = {
        "features": {
            "images": len(learning.rows),
            "views": learning.values.shape[1],
            "of": layer.in_features,
        },
        "strength": strength,
        "held_out_loss": losses,
    }
    found = _measured(job, layer, checking, orders[0])
    state = {
        key: value.detach().cpu().contiguous()
        for key, value in job.learning.model.module.state_dict().items()
    }
    name = job.learning.model.layers["classifier"]
    return Trained(state, found, copied, [name], time.monotonic() - began, facts)


def _filled(job: Job[ProbeOptions], layer: nn.Linear) -> list[str]:
    """Every layer but the classifier from the file; the names of those."""
    model, settings = job.learning.model, job.learning.settings
    if job.origin is None:
        raise UserError("train.init: a probe needs the weights of a trained net")
    randomize(model.module, seed=job.options.seed)
    copied, left = load_matching(model.module, job.origin)
    name = model.layers["classifier"]
    lacking = [other for other in left if other != name]
    if lacking:
        more = f" and {len(lacking) - 1} more" * (len(lacking) > 1)
        raise UserError(
            f"{job.origin}: without layer {lacking[0]}{more} of {model.name}, and a probe trains the "
            "classifier alone; give the weights of the same net"
        )
    model.module.to(device=settings.torch_device, dtype=settings.dtype).to(
        memory_format=settings.memory_format
    )
    model.module.eval().requires_grad_(False)
    print(f"{job.name}: features of {job.origin}, {layer.in_features} an image", file=sys.stderr, flush=True)
    return [other for other in copied if other != name]


def _targets(job: Job[ProbeOptions], features: Features, order: ClassOrder) -> Tensor:
    rows = features.rows.tolist()
    samples = [job.learning.dataset.samples[row] for row in rows]
    targets = torch.from_numpy(job.options.objective.targets(samples, order))
    return targets.to(job.learning.settings.torch_device)


def _chosen(job: Job[ProbeOptions], features: Features, order: ClassOrder) -> tuple[float, dict[str, float]]:
    """The strength with the least loss on held-out training images, and the loss of each candidate."""
    options = job.options
    strengths = sorted(options.strengths, reverse=True)
    n = len(features.rows)
    if n < options.folds:
        raise UserError(f"train_set: {n} images for train.folds={options.folds}; give more images")
    if len(strengths) == 1:
        return strengths[0], {}
    objective, targets = options.objective, _targets(job, features, order)
    values = features.values.to(targets.device)
    sums = torch.zeros(len(strengths), dtype=torch.float64, device=targets.device)
    parts = held_out(
        values, targets, objective.loss, len(order.to_label), strengths, options.folds, options.seed
    )
    for out, logits in parts:
        sums += torch.stack([objective.loss(each, targets[out]) for each in logits]) * len(out)
    losses = (sums / n).tolist()
    best = min(range(len(strengths)), key=losses.__getitem__)  # the strongest of equals
    told = ", ".join(f"{s:g}: {loss:.4f}" for s, loss in zip(strengths, losses, strict=True))
    edge = ", at the end of train.strengths: widen it" if best in (0, len(strengths) - 1) else ""
    print(f"{job.name}: held-out loss {told}; takes {strengths[best]:g}{edge}", file=sys.stderr, flush=True)
    return strengths[best], {f"{s:g}": loss for s, loss in zip(strengths, losses, strict=True)}


def _fitted(
    job: Job[ProbeOptions], features: Features, order: ClassOrder, strengths: list[float]
) -> list[Head]:
    """Heads on all training images."""
    targets = _targets(job, features, order)
    views = features.values.shape[1]
    values = features.values.to(targets.device).flatten(0, 1)
    loss = job.options.objective.loss
    return fit(values, targets.repeat_interleave(views, 0), loss, len(order.to_label), strengths)


@torch.no_grad()
def _set(layer: nn.Linear, head: Head) -> None:
    layer.weight.copy_(head.weight)
    layer.bias.copy_(head.bias)


@torch.no_grad()
def _measured(job: Job[ProbeOptions], layer: nn.Linear, features: Features, order: ClassOrder) -> Found:
    """What the net finds on the validation images, of their stored features and the layer as it is saved."""
    objective, samples = job.options.objective, job.checking.dataset.samples
    targets = torch.from_numpy(objective.targets(samples, order)).to(layer.weight.device)
    table = layer.weight.new_zeros(
        len(samples), objective.width(len(order.to_label)) + 1, dtype=torch.float64
    )
    rows = features.rows.to(table.device)
    scores = layer(features.values[:, 0].to(layer.weight))
    table[rows, :-1] = objective.rows(scores, targets[rows])
    table[rows, -1] = 1
    return concluded(job.checking, objective, order, table)
