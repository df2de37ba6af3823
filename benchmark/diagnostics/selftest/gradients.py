"""Checks of Grad-CAM: what its weights are, and where its sign goes."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from benchmark.attribution.common.class_activation import weighted_sum
from benchmark.attribution.grad_cam import GradCAM
from benchmark.core.types import ForwardPass, Model
from benchmark.diagnostics.selftest.case import Case
from benchmark.diagnostics.selftest.check import Deviation, Subjects, relative, rounding
from benchmark.models.forward import find_layer, one_hot

_LAST = "last_conv"
_COUNTERFACTUAL = "grad_cam_counterfactual"


def grad_cam_is_cam(subjects: Subjects) -> Iterator[Deviation]:
    """Check ``L^c = ReLU(Σ_k w^c_k f^k) / Z`` before global average pooling and one linear layer (§3.1).

    There ``∂y^c/∂A^k_ij = w^c_k / Z`` in every one of the ``Z`` cells, so that ``α^c_k = w^c_k / Z``.
    """
    for case in _explained(subjects):
        if "cam" not in case.methods:
            continue
        with case.arithmetic():
            forward = case.record((_LAST,))
            cam = case.methods["cam"](case.model, forward, case.classes)
            measured = GradCAM()(case.model, forward, case.classes)
        cells = cam.shape[2] * cam.shape[3]
        yield Deviation(case.model.name, relative(measured * cells, cam.relu()), rounding(case.settings))


def weights_survive_pooling(subjects: Subjects) -> Iterator[Deviation]:
    """Check that ``Z α^c_k`` is the same before and after a max pooling (protocol §1.2).

    The pooling hands the gradient of each of its cells to one cell below it, so that their sums are equal.
    The map at either layer is computed here from the gradients at the other.
    """
    for case in _explained(subjects):
        pool = _pooling_after(case.model, _LAST)
        if pool is None:
            continue
        with case.arithmetic():
            forward = case.record((_LAST, pool))
            for layer, other in ((_LAST, pool), (pool, _LAST)):
                measured = GradCAM(layer=layer, relu=False)(case.model, forward, case.classes)
                wanted = weighted_sum(
                    _sums(forward, other, case) / measured[0, 0].numel(), forward.activations[layer]
                )
                where = f"{case.model.name} at {find_layer(case.model, layer)}"
                yield Deviation(where, relative(measured, wanted), rounding(case.settings))


def counterfactual_is_the_negative_part(subjects: Subjects) -> Iterator[Deviation]:
    """Check that Grad-CAM of ``-y^c`` is what its ReLU cuts off: ``max(-Σ_k α^c_k A^k, 0)`` (§7.5).

    So is the method of that name, which negates the weights and not the scores.
    """
    for case in _explained(subjects):
        with case.arithmetic():
            forward = case.record((_LAST,))
            signed = GradCAM(relu=False)(case.model, forward, case.classes)
            with case.model.module.register_forward_hook(lambda _module, _args, scores: -scores):
                negated = case.record((_LAST,))
            found = {case.model.name: GradCAM()(case.model, negated, case.classes)}
            if _COUNTERFACTUAL in case.methods:
                method = case.methods[_COUNTERFACTUAL]
                found[f"{case.model.name}/{_COUNTERFACTUAL}"] = method(case.model, forward, case.classes)
        wanted = signed.neg().clamp(min=0)
        for where, measured in found.items():
            yield Deviation(where, relative(measured, wanted), rounding(case.settings))


def _explained(subjects: Subjects) -> list[Case]:
    """Select the cases whose model says where its last convolution is."""
    return [case for case in subjects.cases if case.has(_LAST)]


def _sums(forward: ForwardPass, layer: str, case: Case) -> Tensor:
    """Return ``Σ_ij ∂y^c/∂A^k_ij``, ``[N, K, C]``, one class after the other."""
    maps = forward.activations[layer]
    rows = []
    for pick in one_hot(forward.logits, case.classes):
        (gradient,) = torch.autograd.grad(forward.logits, maps, pick, retain_graph=True)
        rows.append(gradient.double().sum((2, 3)) if maps.device.type != "mps" else gradient.sum((2, 3)))
    return torch.stack(rows, 1)


def _pooling_after(model: Model, layer: str) -> str | None:
    """Return the max pooling that is listed straight after a layer, if one is."""
    parts = [(name, part) for name, part in model.module.named_modules() if name and not [*part.children()]]
    own = find_layer(model, layer)
    following = [index for index, (name, _) in enumerate(parts) if name == own or name.startswith(f"{own}.")]
    name, part = (parts[following[-1] + 1 :] or [("", nn.Identity())])[0]
    return name if isinstance(part, nn.MaxPool2d) else None
