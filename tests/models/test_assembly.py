"""Freezing and checking a module."""

from pathlib import Path
from typing import Any

import pytest
from torch import nn

from benchmark.core.errors import UserError
from benchmark.core.types import InputFormat, Model, Weights
from benchmark.models.assembly import ModelSpec, assemble

LAYERS = {"last_conv": "conv", "classifier": "fc"}


def module() -> nn.Sequential:
    parts = nn.Sequential(nn.Dropout(inplace=True), nn.ReLU(inplace=True))
    parts.add_module("conv", nn.Conv2d(1, 2, 1))
    parts.add_module("fc", nn.Linear(2, 3))
    return parts.train()


def spec(**changes: Any) -> ModelSpec:
    form = InputFormat(4, [1, 2, 3], [1, 1, 1])  # type: ignore[arg-type]  # lists, as a yaml gives them
    return ModelSpec(**{"name": "net", "input": form, "layers": LAYERS, "weights": "random", **changes})


def made(**changes: Any) -> Model:
    return assemble(module(), spec(**changes), Weights("somewhere", "0" * 64))


def test_a_model_is_frozen_and_does_nothing_in_place() -> None:
    model = made()
    assert not any(part.training or getattr(part, "inplace", False) for part in model.module.modules())
    assert not any(parameter.requires_grad for parameter in model.module.parameters())


def test_an_input_format_becomes_hashable_numbers() -> None:
    assert made().input == InputFormat(4, (1.0, 2.0, 3.0))
    assert hash(made().input)


def test_a_role_without_a_layer_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"layers\.last_conv=konv: net has no such layer; nearest: conv"):
        made(layers={"last_conv": "konv"})
    with pytest.raises(UserError, match="nearest: 0, 1, conv"):
        made(layers={"last_conv": ""})


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (InputFormat(4, (0, 0, 0), order="BGR"), "order=BGR"),
        (InputFormat(0, (0, 0, 0)), "size >= 1"),
        (InputFormat(4, (0, 0, 0), (1, 0, 1)), "stds other than 0"),
        (InputFormat(4, (0, 0)), "three means"),  # type: ignore[arg-type]
    ],
)
def test_an_input_format_out_of_range_is_refused(form: InputFormat, words: str) -> None:
    with pytest.raises(UserError, match=words):
        spec(input=form)


@pytest.mark.parametrize(
    "changes", [{"weights": None}, {"weights": ""}, {"checksums": "sha1:0"}, {"ignore": "aux"}]
)
def test_options_of_another_kind_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=rf"model\.{next(iter(changes))}="):
        spec(**changes)


def test_classes_are_read_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("cat\ndining table\n dog \n\n", encoding="utf-8")
    assert made(classes=str(path)).classes == ("cat", "dining table", "dog")
    assert made().classes is None


@pytest.mark.parametrize(
    "text",
    [
        "n02085620 Chihuahua\nn01440764 tench, Tinca tinca\nn01443537 goldfish\n",
        '{"0": ["n02085620", "Chihuahua"], "1": ["n01440764", "tench"], "2": ["n01443537", "goldfish"]}',
    ],
    ids=["synset_words.txt", "imagenet_class_index.json"],
)
def test_classes_of_a_synset_list_are_its_wnids(text: str, tmp_path: Path) -> None:
    path = tmp_path / "classes"
    path.write_text(text, encoding="utf-8")
    assert made(classes=str(path)).classes == ("n02085620", "n01440764", "n01443537")


@pytest.mark.parametrize(
    ("text", "words"),
    [("cat\ndog", "2 identifiers for 3 outputs"), ("cat\ncat\ndog", "'cat' is there twice")],
)
def test_classes_that_do_not_fit_are_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words):
        made(classes=str(path))


def test_classes_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"model\.classes="):
        made(classes=str(tmp_path / "absent.txt"))
