"""What is needed to distrust a number: commit, device, versions, and a fingerprint of what can change it."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

NUMERIC_PACKAGES = ("torch", "torchvision", "numpy", "scipy", "opencv-python-headless", "pillow")
"""Packages whose version can move a pixel, a heatmap or a box."""


def fingerprint(value: Any) -> str:
    """Return the sha256 of a value's canonical json: keys sorted, no white space."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def package_versions(names: Iterable[str] = NUMERIC_PACKAGES) -> dict[str, str]:
    """Return installed versions; ``"-"`` for a package that is not installed under that name."""
    return {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


@cache
def commit() -> dict[str, str | bool]:
    """Return the checkout's commit, and whether the files that make the numbers differ from it.

    ``results/`` does not count as a change: a run writes there.
    """
    root = Path(__file__).resolve().parents[2]
    head = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", "benchmark", "conf", "pyproject.toml")
    return {"commit": head or "unknown", "dirty": bool(changes) if head else False}


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def made_by(device: torch.device) -> dict[str, str | bool]:
    """Return the commit, the device and the software that a number is made with."""
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        **commit(),
        "device": f"{device.type} ({name})",
        "python": platform.python_version(),
        **package_versions(),
    }
