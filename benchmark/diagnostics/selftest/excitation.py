"""Checks of excitation backprop: where the winning probability goes."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from benchmark.attribution.common.excitation import walk
from benchmark.core.types import ForwardPass, Operation
from benchmark.diagnostics.selftest.case import Case
from benchmark.diagnostics.selftest.check import Bound, Deviation, Subjects, relative, walking
from benchmark.models.forward import tensors

_READ = "excitation"
_CONTRAST = "penultimate"
_NORMS = ("local_response_norm", "batch_norm")
_AVERAGES = ("avg_pool2d", "adaptive_avg_pool2d", "mean")


def mass_is_conserved(subjects: Subjects) -> Iterator[Deviation]:
    """Check that the probabilities of each layer sum to 1, less what no unit below could take (§4.1).

    Lost is what enters a unit none of whose inputs excites it: ``Σ_j W+_ij a_j = 0``. The layers are taken
    from the scores down, as far as the first that fails: what is below it inherits its fault.
    """
    for case in _walked(subjects, "mwp"):
        if not case.has(_READ):
            continue
        bound = walking(case.settings)
        with case.arithmetic():
            forward = case.record((_READ,), operations=True)
            goal = forward.activations[_READ]
            for tensor in reversed([goal, *_cuts(forward, goal)]):
                deviation = _imbalance(case, forward, tensor, bound)
                entered = f"{list(tensor.shape[1:])} below {_readers(forward, tensor)}"
                yield Deviation(f"{case.model.name}, {entered}", deviation, bound)
                if not deviation <= bound.allowed:
                    break


def _imbalance(case: Case, forward: ForwardPass, tensor: Tensor, bound: Bound) -> float:
    """Return ``|Σ P + lost - 1|``, over ``Σ |P|`` if that is more than 1."""
    units = _at(case, forward, tensor)
    size = units.abs().sum(2).clamp(min=1)
    excess = units.sum(2) - 1
    if not bool((excess.abs() <= bound.allowed * size).all()):
        excess = excess + _lost(case, forward, tensor)
    return float((excess.abs() / size).max())


def contrast_sums_to_zero(subjects: Subjects) -> Iterator[Deviation]:
    """Check that at the layer of contrast the difference of the two probabilities sums to 0 (§4.4)."""
    for case in _walked(subjects, "c_mwp"):
        if _CONTRAST not in case.model.layers:
            continue
        with case.arithmetic():
            forward = case.record((_CONTRAST,), operations=True)
            units = walk(case.model, forward, case.classes, _CONTRAST, contrastive=True).flatten(2)
        deviation = units.sum(2).abs() / units.abs().sum(2)  # NaN where nothing is contrasted
        where = f"{case.model.name} at {case.model.layers[_CONTRAST]}"
        yield Deviation(where, float(deviation.max()), walking(case.settings))


def normalization_is_the_identity(subjects: Subjects) -> Iterator[Deviation]:
    """Check that what enters a unit of an LRN or batch norm goes to the same unit below it (§4.2)."""
    for case in _walked(subjects, "mwp"):
        with case.arithmetic():
            forward = case.record(("input",), operations=True)
            for operation in _norms(forward):
                below = operation.args[0] if operation.args else operation.kwargs["input"]
                measured, wanted = (_at(case, forward, tensor) for tensor in (below, operation.output))
                where = f"{case.model.name}, {_name(operation)} of {below.shape[1]} channels"
                yield Deviation(where, relative(measured, wanted), walking(case.settings))


def _walked(subjects: Subjects, method: str) -> Iterator[Case]:
    yield from (case for case in subjects.cases if method in case.methods)


def _at(case: Case, forward: ForwardPass, tensor: Tensor) -> Tensor:
    """Return the probabilities ``[N, K, units]`` of any recorded tensor."""
    there = replace(forward, activations={"there": tensor})
    return walk(case.model, there, case.classes, "there").flatten(2)


def _cuts(forward: ForwardPass, goal: Tensor) -> list[Tensor]:
    """Return the tensors after the goal through which every way from the scores to it leads."""
    last = {id(t): place for place, op in enumerate(forward.operations) for t in _inputs(op)}
    live, found = {id(goal)}, []
    for place, operation in enumerate(forward.operations):
        if live.isdisjoint(map(id, _inputs(operation))):
            continue
        live.update(map(id, tensors(operation.output)))
        waiting = {one for one in live if last.get(one, -1) > place}
        if waiting == {id(operation.output)}:
            found.append(operation.output)
    return found


def _lost(case: Case, forward: ForwardPass, above: Tensor) -> Tensor:
    """Return the mass ``[N, K]`` that entered units without a positive input on the way down to a tensor."""
    live = {id(above)}
    lost = torch.zeros(case.classes.shape, device=above.device)
    for operation in forward.operations:
        if live.isdisjoint(map(id, _inputs(operation))):
            continue
        live.update(map(id, tensors(operation.output)))
        total = _positive_input(operation)
        if total is not None:
            units = _at(case, forward, operation.output)
            lost = lost + (units * (total <= 0).flatten(1)[:, None]).sum(2)
    return lost


def _positive_input(operation: Operation) -> Tensor | None:
    """Return ``Σ_j W+_ij a_j`` of each unit, in the shape of the output; ``None`` if nothing can be lost."""
    if _name(operation) in _AVERAGES:
        return torch.as_tensor(operation.output)
    if _name(operation) not in ("conv2d", "linear"):
        return None
    given, weight, *rest = operation.args
    options = {key: value for key, value in operation.kwargs.items() if key != "bias"}
    total: Tensor = operation.function(given, weight.clamp(min=0), None, *rest[1:], **options)
    return total


def _norms(forward: ForwardPass) -> list[Operation]:
    """Return the first two and the last two normalizations whose input nothing else reads."""
    read = [id(t) for operation in forward.operations for t in _inputs(operation)]
    found = [op for op in forward.operations if _name(op) in _NORMS and read.count(id(op.args[0])) == 1]
    return [*found[:2], *found[2:][-2:]]


def _readers(forward: ForwardPass, tensor: Tensor) -> str:
    """Return the functions through whose rules the mass of a tensor came."""
    found = [_name(op) for op in forward.operations if any(t is tensor for t in _inputs(op))]
    return ", ".join(dict.fromkeys(found)) or "the scores"


def _inputs(operation: Operation) -> list[Tensor]:
    return list(tensors((operation.args, operation.kwargs)))


def _name(operation: Operation) -> str:
    return str(getattr(operation.function, "__name__", ""))
