"""The yamls of conf/model, composed as the entry points do and built at random or from a file."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from benchmark.cli.app.build import build, plain
from benchmark.core.types import Model

CONF = Path(__file__).resolve().parents[2] / "conf"
NAMES = tuple(
    sorted(path.stem for path in (CONF / "model").glob("*.yaml") if "models.text." not in path.read_text())
)
"""Of classifiers; what needs a text beside the image has tests of its own (tests/models/text)."""


def options(name: str, *overrides: str) -> dict[str, Any]:
    """A model's yaml with overrides such as ``model.weights=random``, resolved."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = compose(overrides=[f"+model={name}", "+weights_dir=/nowhere", *overrides])
    resolved = plain(composed)["model"]
    assert isinstance(resolved, dict)
    return resolved


def make(name: str, *overrides: str) -> Model:
    model = build(OmegaConf.create(options(name, *overrides)))
    assert isinstance(model, Model)
    return model


@lru_cache(maxsize=1)  # one at a time: VGG-16 alone takes half a gigabyte
def random_model(name: str) -> Model:
    """The model at full width with random parameters, shared by consecutive tests; not to be changed."""
    return make(name, "model.weights=random")
