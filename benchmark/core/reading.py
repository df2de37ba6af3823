"""Read files that another host may replace meanwhile."""

import errno
from pathlib import Path

_TRIES = 3


def read_whole(path: Path) -> bytes:
    """Read a file that another host may replace meanwhile, upon which NFS calls an open one stale.

    Raises:
        OSError: If it cannot be read.
    """
    for _ in range(_TRIES):
        try:
            return path.read_bytes()
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
    return path.read_bytes()
