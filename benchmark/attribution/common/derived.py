"""Tensors that are made from a frozen parameter once, and not with every batch."""

from collections.abc import Callable, MutableMapping

from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

_State = tuple[object, ...]
_kept: MutableMapping[Tensor, dict[str, tuple[_State, Tensor]]] = WeakTensorKeyDictionary()


def derived(weight: Tensor, name: str, make: Callable[[Tensor], Tensor]) -> Tensor:
    """Return ``make(weight)``, kept as long as the parameter lives and is neither changed nor moved.

    What is no parameter, such as the product of a parametrisation, is made anew each time.

    Args:
        weight: The parameter.
        name: Of what is made of it; the same name stands for the same function.
        make: Makes it.
    """
    if not isinstance(weight, nn.Parameter) or weight.is_inference():  # the latter does not count its changes
        return make(weight)
    state = (weight._version, weight.data_ptr(), weight.dtype, weight.device)
    known = _kept.setdefault(weight, {})
    if name not in known or known[name][0] != state:
        known[name] = (state, make(weight.detach()))
    return known[name][1]
