"""The places that a configuration refers to, in a checkout and as installed from a wheel."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from benchmark.core.errors import UserError

_PACKAGE = Path(__file__).resolve().parents[2]
_CHECKOUT = _PACKAGE.parent
_INSTALLED = (
    _PACKAGE / "conf"
).is_dir()  # by a wheel, which holds what lies beside the package in a checkout
CONF = _PACKAGE / "conf" if _INSTALLED else _CHECKOUT / "conf"
"""The package's own configuration."""
PUBLISHED = _PACKAGE / "published_numbers" if _INSTALLED else _CHECKOUT / "results" / "published"
"""The published numbers."""

EMBEDDED_WEIGHTS = _PACKAGE / "models" / "weights" / "embedded"
"""The weights that come with the package."""


def job_folder(results: str, command: str, words: Any) -> str:
    """Name the folder that Hydra keeps a command's configuration in, by its words.

    Below results that cannot be written, but may well be read, it is a temporary one.
    """
    if not isinstance(results, str):
        raise UserError(f"results_dir={'null' if results is None else results}: name a folder")
    name = "run" if command == "config" else command
    digest = hashlib.sha256(json.dumps([str(word) for word in words]).encode()).hexdigest()
    folder = Path(results).expanduser().absolute()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(existing, os.W_OK):
        folder = Path(tempfile.gettempdir(), f"gradcam-benchmark-{os.getuid()}")
    return str(folder / "jobs" / f"{name}-{digest[:8]}")


def register() -> None:
    """Make the resolvers known that ``conf`` uses."""
    for name, place in {
        "repository": Path.cwd() if _INSTALLED else _CHECKOUT,
        "embedded_weights": EMBEDDED_WEIGHTS,
        "package": _PACKAGE,
    }.items():
        OmegaConf.register_new_resolver(name, lambda place=place: str(place), replace=True)
    # Cached, so that every job of a sweep sees the sweep's folder and not one of its own words.
    OmegaConf.register_new_resolver("job_folder", job_folder, replace=True, use_cache=True)


register()
