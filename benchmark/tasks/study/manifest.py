"""What a study shows and which answer is right: kept by the experimenter, and not part of the forms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from benchmark.core.errors import UserError
from benchmark.core.provenance import fingerprint

Pack = Literal["discrimination", "trust"]
FILE = "manifest.json"
SCALE = (-2, -1, 0, 1, 2)
"""Answers of the trust pack: how much more reasonable the first network is than the second."""


@dataclass(frozen=True)
class Item:
    """One question.

    Attributes:
        id: Says nothing of what it shows.
        pack: ``discrimination``: which of two classes is seen; ``trust``: which of two networks is more
            reasonable.
        group: Number of the image and class within the pack; the same in each visualization.
        variant: Number of the visualization within the pack.
        image_id: The image.
        label: The class in words; of the discrimination pack the right answer.
        choices: Both classes of the image, sorted; empty in the trust pack.
        rows: Row of each picture: one, or the first network's and the second's.
        pictures: Files of the pictures, relative to the form.
    """

    id: str
    pack: Pack
    group: int
    variant: int
    image_id: str
    label: str
    choices: tuple[str, ...]
    rows: tuple[str, ...]
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """A study.

    Attributes:
        study: Identifier, made of all below.
        title: Of the experiment.
        dataset: Name, number of images, fingerprint, and whether they are the whole official set.
        seed: Of the choice of images, and of each worker's order.
        visualizations: Row to its model, method and cell's fingerprint.
        items: Questions.
        hashes: sha256 of each picture.
    """

    study: str
    title: str
    dataset: Mapping[str, Any]
    seed: int
    visualizations: Mapping[str, Mapping[str, str]]
    items: tuple[Item, ...]
    hashes: Mapping[str, str]

    def of(self, pack: Pack) -> list[Item]:
        """Return the questions of a pack."""
        return [item for item in self.items if item.pack == pack]

    def text(self) -> str:
        """Return the manifest as json."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def identified(**parts: Any) -> Manifest:
    """Make a manifest with its identifier."""
    bare = Manifest(study="", **parts)
    return Manifest(study=fingerprint(json.loads(bare.text()))[:12], **parts)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest back.

    Raises:
        UserError: If it is missing, or is not what was written.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        lists = ("choices", "rows", "pictures")
        items = tuple(Item(**item | {key: tuple(item[key]) for key in lists}) for item in content["items"])
        return Manifest(**content | {"items": items})
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no such manifest; it lies beside the form, which ./scripts/run "
            "experiment=study makes: name it with manifest=FILE"
        ) from None
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise UserError(
            f"{path}: is no manifest of a study ({type(error).__name__}: {error}); make it again"
        ) from error
