"""A part of a dataset: images by id, a number of images, or a seeded sample that spreads over the classes."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from benchmark.core.errors import UserError
from benchmark.core.types import Sample

Order = Literal["id", "stratified"]


def read_ids(path: Path) -> frozenset[str]:
    """Read image ids from a text file: one a line, with or without folder and suffix; # starts a comment.

    Raises:
        UserError: If the file cannot be read, names no image, or names one twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: the list of images cannot be read ({error}); see dataset.list") from error
    ids = [Path(line.strip()).stem for line in lines if line.strip() and not line.startswith("#")]
    if not ids:
        raise UserError(f"{path}: the list names no image; put one id or file name on each line")
    twice = [image_id for image_id, count in Counter(ids).items() if count > 1]
    if twice:
        raise UserError(f"{path}: {twice[0]} is named twice; name each image once")
    return frozenset(ids)


def arrange(samples: Iterable[Sample], order: Order, seed: int, limit: int | None) -> tuple[Sample, ...]:
    """Return at most ``limit`` samples, by id or so that every beginning spreads over the classes.

    ``stratified`` ranks the images of each class by sha256 of seed and id, then takes all first ranks, all
    second ranks, and so on, ordered within a rank by the same hash. As long as no class is exhausted, the
    first ``n`` hold each of ``C`` classes ``n // C`` or ``n // C + 1`` times. The order depends on seed, ids
    and labels alone.
    """
    by_id = sorted(samples, key=lambda sample: sample.image_id)
    return tuple(by_id if order == "id" else _stratified(by_id, seed))[:limit]


def _stratified(samples: Sequence[Sample], seed: int) -> list[Sample]:
    seen: Counter[int] = Counter()
    ranks = {}
    shuffled = sorted(samples, key=lambda sample: _hash(sample, seed))
    for sample in shuffled:
        ranks[sample.image_id] = seen[sample.label]
        seen[sample.label] += 1
    # The sort is stable, so the hash decides within a rank.
    return sorted(shuffled, key=lambda sample: ranks[sample.image_id])


def _hash(sample: Sample, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {sample.image_id}".encode()).digest()
