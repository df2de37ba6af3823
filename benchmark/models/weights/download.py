"""Download of one file, which appears whole and with the right checksum, or not at all."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from uuid import uuid4

from torch.hub import download_url_to_file

from benchmark.core.errors import UserError
from benchmark.models.weights.files import matches


def download(url: str, target: Path, checksums: Sequence[str]) -> None:
    """Download to a temporary file beside ``target``, check it, rename it.

    Several processes may do so at once; the last one wins, with the same content.

    Args:
        url: Address of the file.
        target: Path to write; its folder is created.
        checksums: The content must match one of them, if there are any; see
            :mod:`benchmark.models.weights.files`.

    Raises:
        UserError: If there is no answer, no room, or not the expected content.
    """
    temporary = target.with_name(f".{target.name}.{uuid4().hex}.tmp")
    by_hand = f"put {target.name} into weights_dir by hand, or give model.weights=PATH"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        download_url_to_file(url, str(temporary), progress=sys.stderr.isatty())
        if checksums and not matches(temporary, checksums):
            raise UserError(
                f"{url}: what came is another file (expected {' or '.join(checksums)}); {by_hand}"
            )
        temporary.replace(target)
    except (OSError, HTTPException) as error:
        raise UserError(f"cannot download {url} to {target.parent} ({error}); {by_hand}") from None
    finally:
        with suppress(OSError):  # no folder, or nothing in it
            temporary.unlink()
