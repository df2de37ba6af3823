"""The shipped yamls, as they lie and as Hydra composes them; also those of a changed copy of ``conf``."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from benchmark.cli.app.build import build, plain
from benchmark.cli.app.places import CONF

GROUPS = (
    *("model", "localizer", "method", "transform"),
    *("metric", "pair_metric", "reading", "classes", "task", "dataset", "nets", "concepts"),
)
TABLE = "experiment/table1"
"""The groups whose values are held against facts, and the table whose rows choose among them."""
LABELS = {"name", "note", "version", "title"}
PLACES = {"weights_dir", "root", "images", "boxes", "labels", "devkit", "ground_truth", "instances", "list"}
COMPUTERS = {"batch", "device", "threads", "worker", "workers"}
PRINTED = {"hydra", "pictures", "notes"}
NO_NUMBER = LABELS | PLACES | COMPUTERS | PRINTED
"""Keys whose values change no number: names, places of files, who computes how much, what is printed."""
NEEDED = {"localizer/max_box": ["localizer.threshold=0.3"]}


@dataclass(frozen=True)
class Shipped:
    """A folder of yamls, by names such as ``model/vgg16``; what was composed once is kept."""

    conf: Path = CONF
    _composed: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def names(self) -> list[str]:
        files = (path for group in GROUPS for path in sorted((self.conf / group).rglob("*.yaml")))
        names = (str(path.relative_to(self.conf).with_suffix("")) for path in files)
        return [*names, TABLE, "run/default", "config"]

    def raw(self, name: str) -> dict[str, Any]:
        """The file as it lies."""
        found = yaml.safe_load((self.conf / f"{name}.yaml").read_text(encoding="utf-8"))
        assert isinstance(found, dict)
        return found

    def options(self, name: str) -> Any:
        """The file as a run composes it, with what it inherits."""
        group, _, choice = name.partition("/")
        if name not in self._composed:
            words = [f"+{group}={choice}", "+weights_dir=/nowhere", *NEEDED.get(name, [])]
            with initialize_config_dir(str(self.conf), version_base="1.3"):
                self._composed[name] = plain(compose(overrides=words))[group]
        return self._composed[name]

    def built(self, name: str) -> Any:
        return build(OmegaConf.create(self.options(name)))


@dataclass(frozen=True)
class Fact:
    """A published fact about one yaml.

    Attributes:
        yaml: The file, such as ``model/vgg16``.
        keys: The beginnings of the dotted keys that it settles.
        states: The fact, in words.
        source: Who says so: a paper's section, a file of its authors, torchvision, or that it is our choice.
        check: Raises where the yaml departs from it.
    """

    yaml: str
    keys: tuple[str, ...]
    states: str
    source: str
    check: Callable[[Shipped, str], None]

    def __str__(self) -> str:
        return f"{self.yaml}: {', '.join(self.keys)}"

    def settles(self, key: str) -> bool:
        return any(key == own or key.startswith(f"{own}.") for own in self.keys)


Keys = tuple[str | int, ...]


def dotted(path: Keys) -> str:
    return ".".join(map(str, path))


def leaves(node: Any, path: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Each value of a yaml, with the keys and indices that lead to it; an empty list is a value itself."""
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list) and node:
        for index, value in enumerate(node):
            yield from leaves(value, (*path, index))
    else:
        yield path, node


def numeric(raw: Mapping[str, Any]) -> Iterator[tuple[Keys, Any]]:
    """The values of a yaml that can change a number."""
    for path, value in leaves(raw):
        refers = isinstance(value, str) and value.startswith("${") and path[-1] != "classes"
        if not NO_NUMBER & {str(key) for key in path} and not refers and value not in ("_self_", "???"):
            yield path, value
