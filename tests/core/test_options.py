"""Options declared by annotations, and that every option of every plug-in is checked by them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from omegaconf import OmegaConf

from benchmark.cli.app.build import build
from benchmark.cli.app.places import CONF
from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count, Fraction, Grid, Share

GROUPS = ("classes", "localizer", "method", "metric", "pair_metric", "reading", "run", "transform")


@dataclass(frozen=True)
class Tool(Checked, group="tool"):
    threshold: Fraction = 0.5
    limit: Count | None = None
    order: Literal["id", "stratified"] = "id"
    sides: Literal[4, 8] = 8
    flip: bool = True
    name: str = "tool"
    grid: Grid = ()
    area: tuple[Share, Share] = (0.5, 1.0)
    steps: Annotated[tuple[Count, ...], "ascending", "not empty"] = (1,)
    level: Annotated[float, "(0, inf)"] = 1.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"threshold": 1}, "tool.threshold=1: must be a number in [0, 1)"),
        ({"threshold": float("nan")}, "tool.threshold=nan: must be a number in [0, 1)"),
        ({"threshold": False}, "tool.threshold=false: must be a number in [0, 1)"),
        ({"threshold": None}, "tool.threshold=null: must be a number in [0, 1)"),
        ({"threshold": "0.5"}, "tool.threshold=0.5: must be a number in [0, 1)"),
        ({"limit": 0}, "tool.limit=0: must be a whole number from 1 up, or null"),
        ({"limit": 2.0}, "tool.limit=2.0: must be a whole number from 1 up, or null"),
        ({"limit": True}, "tool.limit=true: must be a whole number from 1 up, or null"),
        ({"order": "stratifed"}, "tool.order=stratifed: must be id | stratified; did you mean stratified?"),
        ({"order": 1}, "tool.order=1: must be id | stratified"),
        ({"sides": 6}, "tool.sides=6: must be 4 | 8"),
        ({"flip": "no"}, "tool.flip=no: must be true or false"),
        ({"flip": 1}, "tool.flip=1: must be true or false"),
        ({"name": 3}, "tool.name=3: must be a text"),
        ({"grid": [0.5, 0.5]}, "tool.grid=[0.5, 0.5]: must be a list of ascending numbers in [0, 1)"),
        ({"grid": 0.5}, "tool.grid=0.5: must be a list of ascending numbers in [0, 1)"),
        ({"grid": ("a",)}, "tool.grid=['a']: must be a list of ascending numbers in [0, 1)"),
        ({"area": [0.5]}, "tool.area=[0.5]: must be a list of 2 numbers in (0, 1]"),
        ({"steps": []}, "tool.steps=[]: must be a list of ascending whole numbers from 1 up, not empty"),
        ({"level": 0}, "tool.level=0: must be a number above 0"),
        ({"level": float("inf")}, "tool.level=inf: must be a number above 0"),
    ],
)
def test_an_option_that_its_annotation_does_not_allow_is_one_line(given: Any, said: str) -> None:
    with pytest.raises(UserError) as refused:
        Tool(**given)
    assert str(refused.value) == said


def test_the_ends_of_ranges_are_taken_and_values_get_their_declared_type() -> None:
    given: Any = {"threshold": 0, "limit": 1, "grid": [0, 0.5], "area": [1, 1], "sides": 4}
    made = Tool(**given)
    assert made == Tool(0.0, 1, sides=4, grid=(0.0, 0.5), area=(1.0, 1.0))
    assert type(made.threshold) is float


def test_a_subclass_adds_options_and_keeps_the_group() -> None:
    @dataclass(frozen=True)
    class Finer(Tool):
        depth: Count = 1

    with pytest.raises(UserError, match=r"^tool\.depth=0: must be a whole number from 1 up$"):
        Finer(depth=0)


def options() -> Iterator[tuple[str, Any, str]]:
    """Where a user finds it, its yaml's node and its key: each option of each plug-in."""
    for group in GROUPS:
        for path in sorted((CONF / group).glob("*.yaml")):
            loaded: Any = _whole(OmegaConf.to_container(OmegaConf.load(path)))
            loaded.pop("defaults", None)
            nested = "_target_" not in loaded
            node = loaded[path.stem] if nested else loaded
            where = f"{group}.{path.stem}" if nested else group
            for key in node:
                if key != "_target_":
                    yield where, node, str(key)


def _whole(node: Any) -> Any:
    """A yaml's node with that of another plug-in in the place of ``${GROUP.NAME}``."""
    if isinstance(node, dict):
        return {key: _whole(value) for key, value in node.items()}
    named = re.fullmatch(r"\$\{(reading)\.(\w+)\}", node) if isinstance(node, str) else None
    if named is None:
        return node
    loaded: Any = OmegaConf.to_container(OmegaConf.load(CONF / named[1] / f"{named[2]}.yaml"))
    return _whole(loaded[named[2]])


@pytest.mark.parametrize(("where", "node", "key"), list(options()))
def test_every_option_of_every_plug_in_is_checked_where_it_is_made(where: str, node: Any, key: str) -> None:
    filled = {name: 0.5 for name, value in node.items() if value == "???"}
    with pytest.raises(UserError, match=rf"^{where}\.{key}={{[^\n]*: must be [^\n]*$"):
        build({**node, **filled, key: {"of": "no type"}})
