"""Procedural images in ILSVRC's own layout, so that everything can be run without ImageNet.

This folder only makes the files; the reader of ILSVRC val reads them as any other files of that layout.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import PIL

from benchmark.core.code_hash import code_fingerprint
from benchmark.core.errors import UserError
from benchmark.core.locks import locked
from benchmark.core.options import check
from benchmark.core.progress import Counter
from benchmark.core.provenance import fingerprint
from benchmark.datasets import pixel_labels
from benchmark.datasets.embedded import classes, draw, files, scene

__all__ = ["ready"]


def ready(split: str, images: int, cache: str) -> str:
    """Make one split in Kaggle's CLS-LOC layout unless it exists, and return its root folder.

    The folder's name depends on everything that its bytes depend on (this code, Pillow's version, the number
    of images). It appears whole or not at all, and is made by one process while others wait.

    Args:
        split: ``val`` (flat folder) or ``train`` (a folder a class); the two share no image.
        images: Number of images, at least one of each class.
        cache: Folder for files that can be made again.

    Returns:
        The folder, as ``dataset.root`` takes it.

    Raises:
        UserError: If there is no such split, too few images, or the cache cannot be written.
    """
    check("dataset.root.split", split, Literal["val", "train"])
    check("dataset.count", images, Annotated[int, f"[{len(classes.KINDS)}, inf)"])
    made_of = {
        "code": code_fingerprint([classes, draw, scene, files, pixel_labels]),
        "pillow": PIL.__version__,
        "images": images,
    }
    root = Path(cache).expanduser().absolute() / f"embedded-{fingerprint(made_of)[:12]}" / split
    if not root.is_dir():
        with _alone(root):
            if not root.is_dir():
                _make(root, split, images)
    return str(root)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with locked(root.with_suffix(".lock")):
            yield
    except OSError as error:
        remedy = "name a folder for it with cache_dir= or $BENCHMARK_CACHE"
        raise UserError(f"{root}: cannot be written ({error.strerror or error}); {remedy}") from error


def _make(root: Path, split: str, images: int) -> None:
    """Write the split beside its final place, then rename it, so that an existing folder is complete."""
    half = root.with_name(f".{split}.half")
    shutil.rmtree(half, ignore_errors=True)  # what an interrupted process left
    with Counter(f"making the embedded dataset, {split}", images) as counter:
        files.write_tree(half, split, images, counter.add)
    half.replace(root)
