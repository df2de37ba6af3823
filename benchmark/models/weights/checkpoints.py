"""Find a network's parameters in what a trainer saved: under any key, with any prefix, beside anything."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.models.weights.formats import Foreign, convert

_WRAPPERS = frozenset({"module", "_orig_mod"})
"""What DataParallel and ``torch.compile`` put into a name, around the network or around a part of it."""
_AVERAGED = re.compile(r"(^|_)(ema|swa|averaged?)(_|$)", re.IGNORECASE)
_UNCOUNTED = "num_batches_tracked"  # torch 0.4 did not save it, and nothing reads it

_Place = tuple[str, ...]


def parameters_in(
    path: Path, content: Any, own: Collection[str], rename: Mapping[str, str], entry: str | None = None
) -> tuple[Mapping[str, Tensor], str]:
    """Return the tensors that are a network's parameters, and what was unwrapped to get them.

    All tensors of nested mappings are known by the keys on the way to them, split at dots. The parameters are
    those below the place, such as ``state_dict.model``, under which most of the network's own names are.

    Args:
        path: The file, to be named in messages.
        content: What it holds.
        own: Names of the network's parameters and buffers.
        rename: Names of layers in the file, each with the network's name for it.
        entry: A key on the way, where several places hold such parameters; without it, averages (EMA, SWA)
            are read only if there is nothing else.

    Returns:
        Tensors under the network's names and under all other names of the same place; and a sentence for the
        reader, empty if the tensors were all that the file holds.

    Raises:
        UserError: If there are no named tensors, several places hold such parameters, ``entry`` is none of
            them, two layers get the same name, or a tensor is sparse, quantized, complex or without values.
    """
    named = dict(_tensors(content))
    if not named or () in named:
        raise _no_tensors(path, content)
    wrappers = _WRAPPERS - {part for name in own for part in name.split(".")}
    counters = {"n_averaged"}.difference(own)  # of torch's AveragedModel, beside the parameters
    bare = {place: tuple(part for part in place if part not in wrappers) for place in named}
    at = _place(path, list(bare.values()), own, rename, entry)
    inside = [place for place in named if bare[place][: len(at)] == at and place[-1] not in counters]
    state = {_renamed(".".join(bare[place][len(at) :]), rename): named[place] for place in inside}
    if len(state) < len(inside):
        raise UserError(f"{path}: two layers of one name after model.rename; name each layer once")
    odd = [key for key, value in state.items() if not _plain(value)]
    if odd:
        dense = "save dense tensors of real numbers"
        raise UserError(f"{path}: {odd[0]} is sparse, quantized, complex or without values; {dense}")
    taken_out = sorted(wrappers.intersection(*[{part for place in inside for part in place}]))
    return state, _told(at, taken_out, _beside(content, at, bare))


def _tensors(content: Any, place: _Place = ()) -> Iterator[tuple[_Place, Tensor]]:
    """Yield every tensor in nested mappings, with its place."""
    if isinstance(content, Tensor):
        yield place, content.detach()
    elif isinstance(content, np.ndarray) and content.dtype.kind in "fiu":
        yield place, torch.from_numpy(content)
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from _tensors(value, (*place, *str(key).split(".")))


def _plain(value: Tensor) -> bool:
    """Return whether a tensor can be copied into a parameter."""
    dense = value.layout == torch.strided and not value.is_meta
    return dense and not value.is_quantized and not value.is_complex()


def _no_tensors(path: Path, content: Any) -> UserError:
    values = content.values() if isinstance(content, Mapping) else ()
    foreign = [*dict.fromkeys(value.kind for value in (content, *values) if isinstance(value, Foreign))]
    if foreign:
        whole = f"{path}: holds whole objects ({', '.join(foreign[:3])}) and no state dict"
        return UserError(f"{whole}; {convert(path)}")
    return UserError(f"{path}: holds no state dict; save one with torch.save(model.state_dict(), …)")


def _place(
    path: Path, names: list[_Place], own: Collection[str], rename: Mapping[str, str], entry: str | None
) -> _Place:
    """Return the place under which most of a network's own names are."""
    hits = Counter(
        name[:start]
        for name in names
        for start in range(len(name))
        if name[-1] != _UNCOUNTED and _renamed(".".join(name[start:]), rename) in own
    )
    asked = {place for place in hits if entry is None or entry in (*place, ".".join(place))}
    if entry is not None and not asked:
        whole = max(hits.values(), default=0) / 2  # and not every block of the network
        named = [".".join(place) for place, count in hits.items() if place and count >= whole]
        there = ", ".join(named) or "none"
        raise UserError(f"{path}: model.entry={entry} holds no parameters of this network; there are {there}")
    plain = {place for place in asked if not any(map(_AVERAGED.search, place))}
    if entry is None and plain:
        asked = plain
    if not asked:  # another network's
        return ()
    most = max(hits[place] for place in asked)
    best = sorted((place for place in asked if hits[place] == most), key=lambda place: (len(place), place))
    if len(best) > 1 and most > 1:
        choices = " or ".join(f"+model.entry={'.'.join(place)}" for place in best if place)
        raise UserError(f"{path}: several places hold parameters of this network; choose {choices}")
    return best[0]


def _beside(content: Any, at: _Place, bare: Mapping[_Place, _Place]) -> list[str]:
    """Return what a file holds beside the parameters: its other keys, and other parts on the way to them."""
    found = []
    for key in content if isinstance(content, Mapping) else ():
        start = tuple(str(key).split("."))
        if not any(place[: len(start)] == start and name[: len(at)] == at for place, name in bare.items()):
            found.append(str(key))
    for name in bare.values():
        shared = next((i for i, (a, b) in enumerate(zip(name, at, strict=False)) if a != b), len(at))
        if 0 < shared < len(at):
            found.append(".".join(name[: shared + 1]))
    return list(dict.fromkeys(found))


def _told(at: _Place, taken_out: list[str], beside: list[str]) -> str:
    """Say what was unwrapped, in one sentence without its full stop."""
    parts = [f"parameters under {'.'.join(at)}"] * bool(at)
    parts += [f"{' and '.join(taken_out)} taken out of their names"] * bool(taken_out)
    averaged = [name for name in beside if any(map(_AVERAGED.search, name.split(".")))]
    shown = [f"{name} (+model.entry={name})" if name in averaged else name for name in beside]
    few = shown[:12] + [f"{len(shown) - 12} more"] * (len(shown) > 12)
    return "; ".join(parts + [f"not read: {', '.join(few)}"] * bool(few))


def _renamed(key: str, rename: Mapping[str, str]) -> str:
    layer, dot, part = key.rpartition(".")
    return rename.get(layer, layer) + dot + part
