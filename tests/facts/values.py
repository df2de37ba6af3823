"""Facts that are values: what a source states, and the keys of a yaml that have to say the same."""

from collections.abc import Iterator, Mapping
from typing import Any

from facts.shipped import Fact, Shipped, leaves

Stated = Mapping[str, Mapping[str, Any]]
"""Source to the values it states, by dotted key; of ``_target_`` the last words."""
LACKING = object()


def _at(raw: Any, key: str) -> Any:
    """The value at a dotted key, whose parts may hold dots themselves."""
    for path, value in leaves(raw):
        if ".".join(map(str, path)) == key:
            return value
    for part in key.split("."):
        if isinstance(raw, list):
            raw = raw[int(part)]
        else:
            raw = raw.get(part, LACKING) if isinstance(raw, Mapping) else LACKING
    return raw


def _fact(yaml: str, source: str, values: Mapping[str, Any]) -> Fact:
    def check(shipped: Shipped, name: str) -> None:
        raw = shipped.raw(name)
        for key, stated in values.items():
            found = _at(raw, key)
            if key.endswith("_target_"):
                found = ".".join(found.split(".")[-1 - stated.count(".") :])
            assert (key, found, type(found)) == (key, stated, type(stated))

    told = ", ".join(f"{key} is {value}" for key, value in values.items())
    return Fact(yaml, tuple(values), told, source, check)


def values(facts: Mapping[str, Stated]) -> Iterator[Fact]:
    """One fact for each source of each yaml."""
    for yaml, stated in facts.items():
        for source, of in stated.items():
            yield _fact(yaml, source, of)
