"""Change every value of the shipped yamls in turn, and see that a fact notices each change.

``./scripts/mutate`` prints a line for each change; docs/facts.md tells what it found. The changes are made in
a copy of ``conf``, of which the working tree knows nothing.
"""

import argparse
import importlib
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import torchvision
import yaml

from benchmark.cli.app.places import CONF
from facts.layers import walk
from facts.shipped import TABLE, Keys, Shipped, dotted, numeric
from facts.test_facts import FACTS

WIDTH = 28


@dataclass(frozen=True)
class Change:
    """One value of one yaml, and what it is changed to."""

    yaml: str
    keys: Keys
    before: Any
    after: Any

    def __str__(self) -> str:
        cells = (self.yaml, dotted(self.keys), self.before, self.after)
        return " | ".join(f"{str(cell)[-WIDTH:]:<{WIDTH}}" for cell in cells)


def changes(shipped: Shipped, name: str) -> Iterator[Change]:
    """Each change of a yaml: numbers a little up and down, flags turned, layers and words to neighbours."""
    raw = shipped.raw(name)
    for keys, value in lists(raw):
        yield Change(name, keys, value, value[:-1])
    for keys, value in numeric(raw):
        yield from (Change(name, keys, value, other) for other in others(shipped, name, raw, keys, value))


def lists(node: Any, keys: Keys = ()) -> Iterator[tuple[Keys, list[Any]]]:
    """The lists of a yaml, of which one value may be missing; not what it inherits."""
    if isinstance(node, list) and node:
        yield keys, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from lists(value, (*keys, key)) if key != "defaults" else ()


def others(shipped: Shipped, name: str, raw: Any, keys: Keys, value: Any) -> Iterator[Any]:
    """The values that may stand for one: of a choice the others, of a number those near it."""
    if chosen := choices(raw, keys):
        yield from (other for other in chosen if other != value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from {value + 1, max(value - 1, 0)} - {value}
    elif isinstance(value, float):
        yield from (value * 1.01, value * 0.99, round(value + 0.05, 12)) if value else (0.01,)
    elif isinstance(value, str) and name.startswith("model/") and keys[0] == "layers":
        yield from layers(shipped, name, value)
    elif isinstance(value, str):
        yield from words(shipped, name, raw, keys, value)
    elif value is None:
        yield 1
    elif isinstance(value, list):
        yield [1]
    else:
        yield {"x": 1}


def layers(shipped: Shipped, name: str, layer: str) -> Iterator[str]:
    """The modules just before and after a layer, and all of its shape; none that gives the same tensor."""
    moments = walk(shipped.options(name))
    order = list(moments)
    place, own = order.index(layer), moments[layer]
    before = [other for other in order[:place] if moments[other] != own][-1:]
    after = [other for other in order[place:] if moments[other] != own][:1]
    alike = [other for other in order if moments[other].shape == own.shape and moments[other] != own]
    yield from dict.fromkeys([*before, *after, *alike])


def words(shipped: Shipped, name: str, raw: Any, keys: Keys, value: str) -> Iterator[str]:
    """The yamls, targets or names that stand beside one; else a name that does not exist."""
    key, group = str(keys[-1]), name.rpartition("/")[0]
    found: list[str] = []
    if key == "_target_":
        files = [shipped.raw(other) for other in shipped.names() if other.startswith(f"{group}/")]
        found = sorted({target for file in files for target in targets(file)})
    elif keys[0] == "defaults" or group.startswith("nets"):
        named = [key for key in keys[1:] if isinstance(key, str)] or [group]
        folder = named[-1].lstrip("/").partition("@")[0] if keys[0] == "defaults" else "model"
        found = sorted(path.stem for path in (shipped.conf / folder).glob("*.yaml"))
    elif name == TABLE and "=" in value:
        chosen = value.partition("=")[0]
        stems = sorted(path.stem for path in (shipped.conf / chosen).glob("*.yaml"))
        nets = [f"${{nets.{net}}}" for net in shipped.raw("nets/full")]
        found = [f"{chosen}={other}" for other in (nets if chosen == "model" else stems)]
    elif key == "architecture":
        found = torchvision.models.list_models(module=torchvision.models)
    elif keys[0] == "rename":
        found = list(dict.fromkeys(raw["rename"].values()))
    elif key == "order" and value in ("rgb", "bgr"):
        found = ["bgr", "rgb"]
    elif key == "weights":
        found = ["random", value]
    if value in found and len(found) > 1:
        place = found.index(value)
        yield from {found[place - 1], found[(place + 1) % len(found)]} - {value}
    else:
        yield f"{value}x"


def targets(node: Any) -> Iterator[str]:
    """The objects that a yaml makes."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [value] if key == "_target_" else targets(value)


def choices(raw: Any, keys: Keys) -> tuple[Any, ...]:
    """The values that an option's annotation lists, if it lists them."""
    node = raw[keys[0]] if isinstance(raw[keys[0]], dict) else raw
    with suppress(KeyError, AttributeError, TypeError):
        module, _, attribute = node["_target_"].rpartition(".")
        kind = get_type_hints(getattr(importlib.import_module(module), attribute))[str(keys[-1])]
        return get_args(kind) if get_origin(kind) is Literal else ()
    return ()


def write(conf: Path, change: Change) -> None:
    """Write a shipped yaml with one value changed into a copy of ``conf``."""
    raw: Any = Shipped().raw(change.yaml)
    node = raw
    for key in change.keys[:-1]:
        node = node[key]
    node[change.keys[-1]] = change.after
    text = (CONF / f"{change.yaml}.yaml").read_text(encoding="utf-8")
    package = "".join(f"{line}\n" for line in text.splitlines() if line.startswith("# @package"))
    (conf / f"{change.yaml}.yaml").write_text(
        package + yaml.safe_dump(raw, sort_keys=False), encoding="utf-8"
    )


def noticed(conf: Path, change: Change) -> str | None:
    """The first fact that does not hold, of those about the value or else its yaml; None if all hold."""
    shipped, facts = Shipped(conf), [fact for fact in FACTS if fact.yaml == change.yaml]
    for fact in sorted(facts, key=lambda fact: not fact.settles(dotted(change.keys))):
        try:
            with np.errstate(all="ignore"):  # a standard deviation of 0
                fact.check(shipped, fact.yaml)
        except Exception as error:  # a yaml that cannot even be built is noticed, too
            refused = "" if isinstance(error, AssertionError) else f", {type(error).__name__}"
            return f"{fact.source}{refused}"
    return None


def run(only: str) -> int:
    """Print every change and what notices it; return the number of those that nothing notices."""
    shipped, counts, survivors, start = Shipped(), Counter[str](), 0, time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder) / "conf"
        shutil.copytree(CONF, conf)
        for name in (name for name in shipped.names() if name.startswith(only)):
            for number, change in enumerate(changes(shipped, name)):
                if number == 0:
                    write(conf, replace(change, after=change.before))
                    assert noticed(conf, change) is None, f"{name} as it is: see ./scripts/test tests/facts"
                write(conf, change)
                seen = noticed(conf, change)
                print(f"{change} | {seen or 'NOTHING NOTICES IT'}", flush=True)
                counts[name.partition("/")[0]] += 1
                survivors += seen is None
            shutil.copy(CONF / f"{name}.yaml", conf / f"{name}.yaml")
    told = ", ".join(f"{group} {count}" for group, count in counts.items())
    seconds = time.process_time() - start
    print(f"{counts.total()} changes ({told}), {survivors} survivors, {seconds:.0f} s of processor time")
    return survivors


def main() -> int:
    parser = argparse.ArgumentParser(prog="mutate", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("only", nargs="?", default="", help="the beginning of the yamls' names, as model/vgg")
    return 1 if run(parser.parse_args().only) else 0


if __name__ == "__main__":
    sys.exit(main())
