"""Write a study: pictures, one HTML page a pack without a server, the manifest, tasks for Label Studio."""

from __future__ import annotations

import hashlib
import html
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.provenance import fingerprint
from benchmark.datasets.images import read_sample
from benchmark.tasks.pairs.records import read_pairs
from benchmark.tasks.study.manifest import FILE, Item, Manifest, Pack, identified, read_manifest

if TYPE_CHECKING:
    from benchmark.tasks.study.choice import Key, PackPairs
    from benchmark.tasks.study.task import StudyOptions
    from benchmark.tasks.task import Outcome

_QUALITY = 92  # of the JPEG files
_TEXTS: Mapping[Pack, Mapping[str, Any]] = {
    "discrimination": {
        "title": "What do you see?",
        "intro": "Each picture shows the parts of a photograph that a computer program looked at. Say which "
        "of the two named things it shows. If you are not sure, choose what seems more likely.",
        "question": "Which of the two do you see?",
        "scale": [],
    },
    "trust": {
        "title": "Which robot is more reasonable?",
        "intro": "Two robots looked at the same photograph, and both named it correctly. Each picture shows "
        "what a robot based its decision on. Say which robot seems more reasonable.",
        "question": "Both robots see: {label}. Which robot is more reasonable?",
        "scale": [
            [2, "Robot 1 is clearly more reasonable"],
            [1, "Robot 1 is slightly more reasonable"],
            [0, "Both are equally reasonable"],
            [-1, "Robot 2 is slightly more reasonable"],
            [-2, "Robot 2 is clearly more reasonable"],
        ],
    },
}


def write_study(
    folder: Path, outcome: Outcome, asked: Mapping[Pack, PackPairs], options: StudyOptions
) -> list[Path]:
    """Write all files of a study.

    Args:
        folder: Made if it is not there.
        outcome: Table, images and stored pairs.
        asked: What each pack asks.
        options: Size of the pictures, and the seed.

    Returns:
        The manifest, the pages, and the files for Label Studio; nothing if nothing is asked.

    Raises:
        UserError: If a file cannot be written, pairs are damaged, or answers to another study lie there.
    """
    if not asked:
        return []
    pictures = _pictures(folder, outcome, asked, options.side)
    manifest = _manifest(outcome, asked, pictures, options.seed)
    written = [folder / FILE]
    refuse_answered(folder, manifest)
    write_atomically(written[0], manifest.text())
    for pack in asked:
        texts = {
            f"{pack}.html": page(manifest, pack),
            f"label-studio-{pack}.json": json.dumps(
                label_studio(manifest, pack), indent=1, ensure_ascii=False
            ),
            f"label-studio-{pack}.xml": _shipped(f"label-studio-{pack}.xml"),
        }
        for name, text in texts.items():
            write_atomically(folder / name, text)
            written.append(folder / name)
    return written


def refuse_answered(folder: Path, manifest: Manifest) -> None:
    """Keep the manifest that people's answers need."""
    if (folder / FILE).is_file() and any((folder / "answers").glob("*.csv")):
        before = read_manifest(folder / FILE).study
        if before != manifest.study:
            raise UserError(
                f"{folder}: holds answers to the study {before}, which other options or code made; move the "
                "folder away, then run again"
            )


def _pictures(
    folder: Path, outcome: Outcome, asked: Mapping[Pack, PackPairs], side: int
) -> dict[tuple[str, Key], tuple[str, str]]:
    """Write the picture of each row, image and class; return its name, which tells nothing, and sha256."""
    samples = {sample.image_id: sample for sample in outcome.dataset.samples}
    wanted: dict[str, dict[Key, None]] = {}
    for one in asked.values():
        for row in (row for rows in one.rows for row in rows):
            wanted.setdefault(row, {}).update(dict.fromkeys(one.keys))
    found = {}
    sizes = {
        image: _size(read_sample(samples[image]).shape, side) for keys in wanted.values() for image, _ in keys
    }
    for row, keys in wanted.items():
        pairs = read_pairs([outcome.records[row]])
        places = {
            key: n for n, key in enumerate(zip(pairs.image_ids, pairs.columns["label"].tolist(), strict=True))
        }
        for key in keys:
            data = _jpeg(pairs.columns["picture"][places[key]], sizes[key[0]])
            name = f"pictures/{fingerprint([row, *key, outcome.table.dataset.fingerprint])[:16]}.jpg"
            write_atomically(folder / name, data)
            found[row, key] = name, hashlib.sha256(data).hexdigest()
    return found


def _size(shape: Sequence[int], side: int) -> tuple[int, int]:
    height, width = shape[:2]
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _jpeg(pixels: np.ndarray[Any, Any], size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    shown = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BICUBIC)
    shown.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def _manifest(
    outcome: Outcome,
    asked: Mapping[Pack, PackPairs],
    pictures: Mapping[tuple[str, Key], tuple[str, str]],
    seed: int,
) -> Manifest:
    table = outcome.table
    return identified(
        title=table.title,
        dataset={
            "name": table.dataset.name,
            "images": table.dataset.images,
            "complete": table.dataset.complete,
            "fingerprint": table.dataset.fingerprint,
            "note": table.dataset.note,
        },
        seed=seed,
        visualizations={
            result.row: {
                "model": result.model,
                "method": result.method,
                "weights": str(result.conditions["weights"]["sha256"]),
                "fingerprint": result.fingerprint,
            }
            for result in table.measured
        },
        items=tuple(item for pack, one in asked.items() for item in _items(outcome, pack, one, pictures)),
        hashes=dict(pictures.values()),
    )


def _items(
    outcome: Outcome, pack: Pack, asked: PackPairs, pictures: Mapping[tuple[str, Key], tuple[str, str]]
) -> Iterator[Item]:
    names = [name.partition(",")[0] for name in outcome.dataset.class_names]
    labels: dict[str, list[int]] = {}
    for image, label in asked.keys:
        labels.setdefault(image, []).append(label)
    for group, key in enumerate(asked.keys):
        choices = sorted(names[label] for label in labels[key[0]]) if pack == "discrimination" else []
        for variant, rows in enumerate(asked.rows):
            identity = [pack, *key, *rows, outcome.table.dataset.fingerprint]
            yield Item(
                id=fingerprint(identity)[:10],
                pack=pack,
                group=group,
                variant=variant,
                image_id=key[0],
                label=names[key[1]],
                choices=tuple(choices),
                rows=tuple(rows),
                pictures=tuple(pictures[row, key][0] for row in rows),
            )


def page(manifest: Manifest, pack: Pack) -> str:
    """Return a pack's form, a whole page without right answers and names of methods and networks."""
    texts = _TEXTS[pack]
    items = [
        {
            "id": item.id,
            "group": item.group,
            "variant": item.variant,
            "choices": list(item.choices),
            "pictures": list(item.pictures),
            "label": "" if pack == "discrimination" else item.label,
        }
        for item in manifest.of(pack)
    ]
    content = {"study": manifest.study, "pack": pack, "seed": manifest.seed, "items": items, **texts}
    template = _shipped("form.html")
    # A script element ends at "</", wherever it stands.
    data = json.dumps(content, ensure_ascii=False).replace("</", "<\\/")
    return template.replace("{{title}}", html.escape(texts["title"])).replace("{{data}}", data)


def label_studio(manifest: Manifest, pack: Pack) -> list[dict[str, Any]]:
    """Return a pack as tasks of Label Studio, which serves the pictures from a folder of its local files."""
    tasks = []
    for item in manifest.of(pack):
        shown = {f"picture{n + 1}": f"/data/local-files/?d={name}" for n, name in enumerate(item.pictures)}
        choices: dict[str, Any] = (
            {"choices": [{"value": choice} for choice in item.choices]} if item.choices else {}
        )
        label = {"label": item.label} if pack == "trust" else {}
        tasks.append({"data": {"item": item.id, "study": manifest.study, **shown, **choices, **label}})
    return tasks


def _shipped(name: str) -> str:
    """Return the text of a file beside this one."""
    return files("benchmark.tasks.study").joinpath(name).read_text(encoding="utf-8")
