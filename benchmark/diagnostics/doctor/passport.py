"""Passports of networks: file, input, and the error that their authors measured.

One yaml a net in ``benchmark/passports``, by the model's name; the nets that come with the package have
theirs beside the weights, as ``./scripts/train`` wrote it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmark.core.errors import UserError
from benchmark.core.types import InputFormat, Model

_PACKAGE = Path(__file__).resolve().parents[2] / "models"
FOLDER = _PACKAGE / "passports"
"""A yaml for each net whose numbers somebody published."""
EMBEDDED = _PACKAGE / "weights" / "embedded"
"""A json for each net that comes with the package."""


@dataclass(frozen=True)
class Expected:
    """A classification error that somebody measured.

    Attributes:
        dataset: The key of all the images that it was measured on.
        transform: The key of the preprocessing that comes nearest to theirs.
        top1: Top-1 error, fraction.
        top5: Top-5 error, fraction.
        source: Who measured it, and how their preprocessing differs.
        tolerance: Fraction by which a sound reproduction may differ beyond chance.
        mean_image: Whether the mean image was subtracted, not the mean pixel.
    """

    dataset: str
    transform: str
    top1: float
    top5: float
    source: str
    tolerance: float
    mean_image: bool = False


@dataclass(frozen=True)
class Passport:
    """The known facts of a network.

    Attributes:
        name: The model's key.
        file: The weights' file name.
        where: Where to get it.
        checksums: ``sha256:HEX`` or ``sha1:HEX`` of the file, at least the first 8 digits; none if unknown.
        input: Input format that the network expects.
        expected: Errors measured, of which a dataset and a transform may have several.
    """

    name: str
    file: str
    where: str
    checksums: tuple[str, ...]
    input: InputFormat
    expected: tuple[Expected, ...]

    def lines(self, model: Model) -> list[str]:
        """Return the passport for a reader, without the errors."""
        known = ", ".join(self.checksums) or "none published"
        same = {True: ": this file's", False: ": NOT this file's", None: ""}[self.is_of(model)]
        return [f"passport    {self.file}, from {self.where}", f"  its hash  {known}{same}"]

    def is_of(self, model: Model) -> bool | None:
        """Return whether the model's weights are the passport's file; ``None`` where no sha256 is known."""
        starts = [text.removeprefix("sha256:") for text in self.checksums if text.startswith("sha256:")]
        if any(model.weights.sha256.startswith(start) for start in starts):
            return True
        return False if starts and len(starts) == len(self.checksums) else None

    def misfits(self, model: Model) -> list[str]:
        """Return one line for each option of the model's input that is not the passport's."""
        found = []
        for option in ("size", "order", "scale", "mean", "std"):
            stated, has = getattr(self.input, option), getattr(model.input, option)
            if option == "mean" and model.input.mean_image is not None:
                continue
            if stated != has:
                found.append(
                    f"model.input.{option}={_short(has)}: {model.name} was trained with {_short(stated)}; "
                    "set it so, or passport=none for a net of another training"
                )
        return found

    def expectation(self, dataset: str, transform: str, mean_image: bool) -> Expected | None:
        """Return the error for these images and transform, with the same kind of mean if there is one."""
        fitting = [e for e in self.expected if (e.dataset, e.transform) == (dataset, transform)]
        return min(fitting, key=lambda e: e.mean_image != mean_image, default=None)


def chosen(option: Any, model: Model) -> Passport | None:
    """Return the passport that the option ``passport`` means: ``auto``, ``none``, or the name of a net.

    Raises:
        UserError: If there is no passport of that name, or it cannot be understood.
    """
    if option is None or option == "none":
        return None
    found = find(model.name if option == "auto" else str(option))
    if found is None and option != "auto":
        names = sorted(path.stem for path in (*FOLDER.glob("*.yaml"), *EMBEDDED.glob("*.json")))
        raise UserError(f"passport={option}: choose auto, none, or one of {', '.join(names)}")
    return found


def find(name: str) -> Passport | None:
    """Find the passport of the model of that name, if it has one.

    Raises:
        UserError: If the file cannot be understood.
    """
    written, trained = FOLDER / f"{name}.yaml", EMBEDDED / f"{name}.json"
    try:
        if written.is_file():
            return _written(name, yaml.safe_load(written.read_text(encoding="utf-8")))
        if trained.is_file():
            content = json.loads(trained.read_text(encoding="utf-8"))
            # A model of texts feeds its backbone as that one's passport says, and has no errors of classes.
            return None if "backbone" in content["config"]["model"] else _trained(name, content)
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        path = written if written.is_file() else trained
        reason = " ".join(f"{type(error).__name__} {error}".split())
        raise UserError(f"{path}: not a passport ({reason}); correct it, or passport=none") from None
    return None


def _written(name: str, content: Mapping[str, Any]) -> Passport:
    expected = tuple(_expected(entry) for entry in content["expected"])
    form, checksums = _input(content["input"]), tuple(content["checksums"])
    return Passport(name, content["file"], content["where"], checksums, form, expected)


def _expected(entry: Mapping[str, Any]) -> Expected:
    fractions = {key: entry[key] / 100 for key in ("top1", "top5", "tolerance")}
    return Expected(**{"dataset": "ilsvrc_val", **entry, **fractions})


def _trained(name: str, content: Mapping[str, Any]) -> Passport:
    config = content["config"]
    measured = Expected(
        dataset=content["val_set"]["name"],
        transform=config["transform"]["name"],
        top1=content["cls_top1"],
        top5=content["cls_top5"],
        source=f"measured at the end of its training on {content['n']} images",
        tolerance=content["tolerance"] / 100,
    )
    form, checksums = _input(config["model"]["input"]), (f"sha256:{content['sha256']}",)
    return Passport(name, f"{name}.safetensors", "this package", checksums, form, (measured,))


def _input(content: Mapping[str, Any]) -> InputFormat:
    (m0, m1, m2), (s0, s1, s2) = (map(float, content[key]) for key in ("mean", "std"))
    return InputFormat(content["size"], (m0, m1, m2), (s0, s1, s2), content["order"], float(content["scale"]))


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{','.join(f'{number:g}' for number in value)}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
