"""Name the folders and files of results."""

import hashlib
from collections.abc import Sequence

from benchmark.core.protocols import Dataset

_LONGEST_STEM = 120


def label(dataset: Dataset) -> str:
    """Return the name of a dataset's results; only the whole official set has its bare name."""
    if dataset.complete:
        return dataset.name
    return f"{dataset.name}-{len(dataset.samples)}-{dataset.fingerprint[:8]}"


def stem(name: str, variation: Sequence[str]) -> str:
    """Return the name of a table's files: the experiment's, and what the user changed in it.

    It holds only what file systems and Hydra's command line take without quotes. A long one is cut, and ends
    in a hash of the whole: a file's name has room for 255 bytes, suffixes such as ``-curves.csv`` among them.
    """
    safe = ("".join(c if c.isalnum() or c in "._-" else "-" for c in change) for change in variation)
    whole = "+".join([name, *safe]).encode()
    if len(whole) <= _LONGEST_STEM:
        return whole.decode()
    return f"{whole[:_LONGEST_STEM].decode(errors='ignore')}-{hashlib.sha256(whole).hexdigest()[:8]}"
