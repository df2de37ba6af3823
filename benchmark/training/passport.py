"""Passports of trained weights: how they were made, what they reach, and whether a re-training agrees."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors.torch import save as as_safetensors

from benchmark.core.errors import UserError
from benchmark.core.files import write_atomically
from benchmark.core.nested import without_folders
from benchmark.core.protocols import Dataset
from benchmark.core.provenance import made_by
from benchmark.models.weights.files import digest
from benchmark.pipeline.names import file_name
from benchmark.training.distributed import World
from benchmark.training.job import Job, Trained
from benchmark.training.options import TrainingOptions

Passport = Mapping[str, Any]
_NEEDED = {"name": str, "sha256": str, "n": int, "tolerance": int | float, "val_set": dict}
_MEASURES = {"cls_top1", "map"}
EMBEDDED = Path(__file__).resolve().parents[1] / "models" / "weights" / "embedded"
"""The weights that come with the package."""


def write(job: Job[TrainingOptions], trained: Trained, world: World) -> Passport:
    """Write weights, then the passport: where it is, the training is finished."""
    content = as_safetensors(dict(trained.state), {"format": "pt"})
    write_atomically(job.weights, content)
    published = job.options.published
    passport = {
        "name": job.name,
        "fingerprint": job.fingerprint,
        "sha256": sha256(content).hexdigest(),
        "bytes": len(content),
        **trained.found,
        "tolerance": job.options.tolerance,
        **trained.facts,
        "seconds": round(trained.seconds, 1),
        "processes": world.size,
        "command": list(job.command),
        "train_set": _dataset(job.learning.dataset),
        "val_set": _dataset(job.checking.dataset),
        "initialised_from": _origin(job, trained),
        **({} if published is None else {"published": asdict(published)}),
        "made_by": made_by(job.learning.settings.torch_device),
        "config": without_folders(job.config),
    }
    write_atomically(job.passport, json.dumps(passport, indent=1, ensure_ascii=False) + "\n")
    return passport


def _dataset(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "images": len(dataset.samples),
        "skipped": len(dataset.skipped),
    }


def _origin(job: Job[TrainingOptions], trained: Trained) -> dict[str, Any] | None:
    if job.origin is None:
        return None
    return {
        "file": job.origin.name,
        "sha256": digest(job.origin, "sha256"),
        "copied": list(trained.copied),
        "new": list(trained.left),
    }


def finished(job: Job[TrainingOptions]) -> Passport | None:
    """Return the passport of this very training, if it is finished and its weights are whole."""
    if not job.passport.is_file() or not job.weights.is_file():
        return None
    passport = read(job.passport)
    return passport if passport["sha256"] == digest(job.weights, "sha256") else None


def read(path: Path) -> Passport:
    """Read a passport from its file.

    Raises:
        UserError: If there is none, or it is no passport.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        kinds = _NEEDED | dict.fromkeys(_MEASURES & content.keys() or _MEASURES, int | float)
        if all(isinstance(content.get(key), kind) for key, kind in kinds.items()):
            return {**content, "val_set": {"images": None, **content["val_set"]}}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read as a passport ({error}); name another file") from None
    raise UserError(f"{path}: not a passport of trained weights; name another file")


def publish(job: Job[TrainingOptions], folder: Path) -> list[Path]:
    """Copy weights, then the passport, into a folder, and return where they are."""
    for path in (job.weights, job.passport):
        write_atomically(folder / path.name, path.read_bytes())
    return [folder / job.weights.name, folder / job.passport.name]


def replaced(job: Job[TrainingOptions], folder: Path) -> list[str]:
    """Return one line if publishing there puts these weights in the place of others."""
    there = folder / job.weights.name
    if not there.is_file() or digest(there, "sha256") == digest(job.weights, "sha256"):
        return []
    return [f"replaced: other weights of that name (sha256 {digest(there, 'sha256')[:8]}…) in {folder}"]


def compare(job: Job[TrainingOptions], reached: Passport) -> tuple[bool, str]:
    """Compare a training with the passport that ``train.passport`` names.

    Returns:
        Whether it does, or there is none; and one line that says so, empty where there is none.
    """
    path = expected(job)
    if path is None:
        return True, ""
    stated = read(path)
    if stated["name"] != reached["name"] or stated["val_set"]["images"] != reached["val_set"]["images"]:
        return True, f"not compared with {path}: of another net, or validated on other images"
    objective = job.options.objective
    if objective.key not in stated:
        return True, f"not compared with {path}: it states no {objective.title}"
    here, there = 100 * reached[objective.key], 100 * stated[objective.key]
    points = abs(here - there)
    agrees = points <= stated["tolerance"]
    verdict = "agrees with" if agrees else "FAILED: does not agree with"
    within = f"within {stated['tolerance']:g} points; {path}"
    return agrees, f"{objective.title} {here:.2f} % {verdict} the passport's {there:.2f} % ({within})"


def expected(job: Job[TrainingOptions]) -> Path | None:
    """Return the passport that a training is to agree with, if there is one."""
    option = job.options.passport
    if option not in ("auto", "none"):
        return Path(option).expanduser()
    usual = EMBEDDED / job.passport.name
    # What is published takes the place of the old passport: it need not agree with it.
    automatic = option == "auto" and job.options.publish is None and usual.is_file()
    return usual if automatic else None


def trained_weights(name: str, results: Path) -> Path:
    """Return the weights that ``trained:NAME`` means: the latest finished here, or those of the package.

    Raises:
        UserError: If there are none.
    """
    own = file_name(name)
    passports = (results / "training").glob(f"{own}-*/{own}.json")
    made = [weights for path in passports if (weights := path.with_suffix(".safetensors")).is_file()]
    if made:
        return max(made, key=lambda path: (path.stat().st_mtime_ns, str(path)))
    if (EMBEDDED / f"{own}.safetensors").is_file():
        return EMBEDDED / f"{own}.safetensors"
    raise UserError(f"train.init=trained:{name}: no such weights yet; first ./scripts/train model={name} …")
