"""The classes of a network's outputs in words, and those that a person names."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.core.errors import UserError
from benchmark.datasets.embedded.classes import KINDS, WNIDS
from benchmark.datasets.ilsvrc.classes import load_classes

if TYPE_CHECKING:
    from benchmark.core.types import Model

_SHOWN = 8


@dataclass(frozen=True)
class Outputs:
    """The outputs of a network.

    Attributes:
        identifiers: WNIDs, or numbers where nothing is known.
        names: In words; synonyms are separated by ``", "``.
    """

    identifiers: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, model: Model, count: int) -> Outputs:
        """Name a model's outputs: by its own list, as ILSVRC's 1,000, or as the embedded 24 classes."""
        ilsvrc = load_classes()
        known = dict(zip(ilsvrc.wnids, ilsvrc.names, strict=True))
        known |= {wnid: kind.name for wnid, kind in zip(WNIDS, KINDS, strict=True)}
        listed = model.classes
        if listed is None:
            orders = {len(ilsvrc.wnids): ilsvrc.wnids, len(WNIDS): WNIDS}
            listed = orders.get(count, tuple(map(str, range(count))))
        return cls(listed, tuple(known.get(name, name) for name in listed))

    def short(self, output: int) -> str:
        """Return the first of an output's names."""
        return self.names[output].partition(",")[0]

    def find(self, wanted: str) -> int:
        """Return the output that a person means: by number, identifier, name, synonym or part of one name.

        Raises:
            UserError: If none or several outputs are meant.
        """
        word = wanted.strip().lower()
        if word.isdecimal() and int(word) < len(self.names):
            return int(word)
        synonyms = [[self.identifiers[k].lower(), *self._synonyms(k)] for k in range(len(self.names))]
        found = [k for k, own in enumerate(synonyms) if word in own]
        found = found or [k for k, name in enumerate(self.names) if word and word in name.lower()]
        if len(found) == 1:
            return found[0]
        if found:
            listed = self._listed(found)
            raise UserError(f"classes: {wanted!r} is in {len(found)} classes; type one of: {listed}")
        near = difflib.get_close_matches(word, [name for own in synonyms for name in own], n=3)
        nearest = (
            f"nearest: {', '.join(near)}" if near else f"the first of its classes: {self._listed([0, 1])}"
        )
        numbers = f"numbers are 0 to {len(self.names) - 1}; " if word.lstrip("-").isdecimal() else ""
        raise UserError(f"classes: the network has no class {wanted!r}; {numbers}{nearest}")

    def _synonyms(self, output: int) -> Sequence[str]:
        return self.names[output].lower().split(", ")

    def _listed(self, outputs: Sequence[int]) -> str:
        more = f", … ({len(outputs)})" if len(outputs) > _SHOWN else ""
        return ", ".join(f"{self.short(k)} ({self.identifiers[k]})" for k in outputs[:_SHOWN]) + more
