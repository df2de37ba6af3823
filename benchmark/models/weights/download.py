"""Bring a published file of weights: whole or not at all, with its checksum verified."""

import os
import platform
import shutil
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

from rich.console import Console
from rich.progress import wrap_file

from benchmark.core.errors import UserError
from benchmark.core.files import sweep
from benchmark.models.weights.files import matches

_SILENCE = 30.0
"""Seconds without an answer after which there is no network: a firewall may drop what it refuses."""


def download(url: str, target: Path, checksums: Sequence[str], remedy: str) -> None:
    """Download to a temporary file beside ``target``, check it, rename it.

    Several processes may do so at once; the last one wins, with the same content.

    Args:
        url: Address of the file.
        target: Path to write; its folder is created.
        checksums: The content must match one of them, if there are any; see
            :mod:`benchmark.models.weights.files`.
        remedy: What to do where there is no answer.

    Raises:
        UserError: If there is no answer, no room, or not the expected content.
    """
    temporary = target.with_name(f".{target.name}.{platform.node()}-{os.getpid()}.tmp")
    by_hand = f"put {target.name} into weights_dir by hand, or give model.weights=PATH"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent)
        _copy(url, temporary, target.name)
        if checksums and not matches(temporary, checksums):
            raise UserError(
                f"{url}: what came is another file (expected {' or '.join(checksums)}); {by_hand}"
            )
        temporary.replace(target)
    except (OSError, HTTPException, ValueError) as error:
        raise UserError(
            f"cannot download {url} to {target.parent} ({error}); {remedy}; or {by_hand}"
        ) from None
    finally:
        with suppress(OSError):  # no folder, or nothing in it
            temporary.unlink()


def _copy(url: str, path: Path, name: str) -> None:
    console = Console(stderr=True)
    request = Request(url, headers={"User-Agent": "gradcam-benchmark"})
    with urlopen(request, timeout=_SILENCE) as answer, path.open("wb") as file:
        size = int(answer.headers.get("Content-Length") or 0)
        title = f"{name}, {size / 1e6:,.1f} MB" if size else name
        if not console.is_terminal:
            console.print(f"{title}, from {url}", soft_wrap=True, highlight=False)
        bar = wrap_file(answer, size, description=title, console=console, disable=not console.is_terminal)
        with bar as counted:
            shutil.copyfileobj(counted, file, 2**20)
        file.flush()
        os.fsync(file.fileno())
    if size and path.stat().st_size != size:
        raise OSError(f"it broke off after {path.stat().st_size:,} of {size:,} bytes")
