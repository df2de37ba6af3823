"""Name the folders and files of results."""

import hashlib
from collections.abc import Iterable, Sequence

from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset

_LONGEST_STEM = 120
_KEPT = "._-+="


def file_name(name: str) -> str:
    """Return a name of a model, row or table as a file's, without suffix.

    A slash becomes a dash. Other characters that a file system or a shell may take for something else do too,
    and a long name is cut: then a hash of the whole keeps two names apart. File systems take 255 bytes.

    >>> file_name("vgg16/grad_cam"), file_name("timm/resnet50.a1_in1k"), file_name("my net")
    ('vgg16-grad_cam', 'timm-resnet50.a1_in1k', 'my-net-b973a0eb')
    """
    plain = name.replace("/", "-")
    safe = "".join(c if c.isalnum() or c in _KEPT else "-" for c in plain)
    safe = f"-{safe[1:]}" if safe.startswith(".") else safe
    return _cut(safe, name) if safe == plain else f"{_cut(safe, safe)}-{_digest(name)}"


def label(dataset: Dataset) -> str:
    """Return the name of a dataset's results; only the whole official set has its bare name."""
    name = file_name(dataset.name)
    return name if dataset.complete else f"{name}-{len(dataset.samples)}-{dataset.fingerprint[:8]}"


def stem(name: str, variation: Sequence[str]) -> str:
    """Return the name of a table's files: the experiment's, and what the user changed in it.

    It holds only what file systems and Hydra's command line take without quotes. A long one is cut, and ends
    in a hash of the whole: suffixes such as ``-curves.csv`` need room as well.
    """
    safe = ("".join(c if c.isalnum() or c in "._-" else "-" for c in change) for change in variation)
    whole = "+".join([file_name(name), *safe])
    return _cut(whole, whole)


def refuse_shared_files(rows: Iterable[str], table: str) -> None:
    """Refuse rows whose files would have one name.

    Raises:
        UserError: Naming two of them.
    """
    files: dict[str, str] = {}
    for row in rows:
        other = files.setdefault(file_name(row).lower(), row)
        if other != row:
            raise UserError(f"table {table}: rows {other} and {row} share a file; rename one of them")


def _cut(text: str, whole: str) -> str:
    content = text.encode()
    if len(content) <= _LONGEST_STEM:
        return text
    return f"{content[:_LONGEST_STEM].decode(errors='ignore')}-{_digest(whole)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
