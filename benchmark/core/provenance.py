"""What is needed to distrust a number: commit, device, versions, and a fingerprint of what can change it."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import platform
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

NUMERIC_PACKAGES = ("torch", "torchvision", "numpy", "scipy", "opencv-python-headless", "pillow")
"""Packages whose version can move a pixel, a heatmap or a box."""


def fingerprint(value: Any) -> str:
    """sha256 of a value's canonical json: keys sorted, no white space."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def code_fingerprint(parts: Iterable[Any]) -> str:
    """sha256 of the source of modules or of the modules that define the given objects.

    Comments, docstrings and layout do not count: a number is measured again only when the code that makes it
    changes, and always then. So no one has to remember to raise a version for the cache's sake.
    """
    files = {Path(inspect.getfile(part if isinstance(part, ModuleType) else type(part))) for part in parts}
    return fingerprint(sorted((path.name, _normalised(path)) for path in files))


@cache
def _normalised(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [s for s in body if not _is_bare_string(s)]  # type: ignore[attr-defined]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_bare_string(node: Any) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def package_versions(names: Iterable[str] = NUMERIC_PACKAGES) -> dict[str, str]:
    """Installed versions; ``"-"`` for a package that is not installed under that name."""
    return {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


@cache
def commit() -> dict[str, str | bool]:
    """The checkout's commit, and whether what makes the numbers differs from it.

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
    """The commit, the device and the software that a number is made with."""
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        **commit(),
        "device": f"{device.type} ({name})",
        "python": platform.python_version(),
        **package_versions(),
    }
