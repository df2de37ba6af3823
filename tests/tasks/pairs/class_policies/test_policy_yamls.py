"""Every yaml of a class policy builds what its protocol names, with the defaults that the code has."""

import inspect
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from benchmark.cli.app.build import build
from benchmark.cli.app.places import CONF
from benchmark.tasks.pairs.types import ClassPolicy

YAMLS = sorted((CONF / "classes").glob("*.yaml"))


@pytest.mark.parametrize("path", YAMLS, ids=lambda path: str(path.stem))
def test_a_yaml_builds_a_policy_of_its_name(path: Path) -> None:
    made = build(OmegaConf.load(path))
    assert (made.name, type(made.version)) == (path.stem, int)
    wanted = list(inspect.signature(ClassPolicy.__call__).parameters)[1:]
    assert list(inspect.signature(made).parameters) == wanted
    assert made == type(made)()
