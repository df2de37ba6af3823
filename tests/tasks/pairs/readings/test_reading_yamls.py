"""Every yaml of a reading builds what its protocol names, under its own name."""

import inspect
from dataclasses import asdict
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from benchmark.cli.app.build import build
from benchmark.cli.app.places import CONF
from benchmark.core.errors import UserError
from benchmark.tasks.pairs.readings.deletion_insertion import DeletionInsertionAreas as Areas
from benchmark.tasks.pairs.types import Reading

YAMLS = sorted((CONF / "reading").glob("*.yaml"))


@pytest.mark.parametrize("path", YAMLS, ids=lambda path: str(path.stem))
def test_a_yaml_nests_under_its_name_and_satisfies_the_protocol(path: Path) -> None:
    assert list(OmegaConf.load(path)) == [path.stem]
    every = OmegaConf.create({"reading": OmegaConf.merge(*map(OmegaConf.load, YAMLS))})
    made = build(every.reading[path.stem])  # one may be made of others
    assert (made.name, type(made.version)) == (path.stem, int)
    for method in ("check", "measure", "finish"):
        wanted = list(inspect.signature(getattr(Reading, method)).parameters)[1:]
        assert list(inspect.signature(getattr(made, method)).parameters) == wanted


def test_the_yaml_of_deletion_and_insertion_has_each_option_with_its_default() -> None:
    cfg = dict(OmegaConf.load(CONF / "reading" / "deletion_insertion.yaml").deletion_insertion)
    del cfg["_target_"]
    assert cfg == asdict(Areas())


def test_an_option_that_a_reading_does_not_have_is_named() -> None:
    cfg = OmegaConf.load(CONF / "reading" / "deletion_insertion.yaml").deletion_insertion
    with pytest.raises(UserError, match="stride"):
        build(cfg, stride=3)
