"""The part of a dataset that a user selects, and how images with missing files are treated."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count, Natural
from benchmark.core.text_lists import read_ids
from benchmark.core.types import Sample

Order = Literal["id", "stratified"]
SPLIT_REMEDY = "correct the list, or choose the split that has it (dataset.split=)"


@dataclass(frozen=True)
class Selection(Checked, group="dataset"):
    """The options by which a user selects images of a dataset.

    Attributes:
        list: File with the ids of the images to use, one a line.
        limit: Largest number of images to use, the first in ``order``.
        order: ``id``, or ``stratified``: a seeded order of which every beginning spreads over the classes.
        seed: Seed of the stratified order.
        missing: Treatment of an image without its file or annotation: ``error``, or ``skip`` (and count).
    """

    list: Path | None = None
    limit: Count | None = None
    order: Order = "id"
    seed: Natural = 0
    missing: Literal["error", "skip"] = "error"

    @classmethod
    def parse(cls, **given: Any) -> Self:
        """Check options as they come from a command line.

        Raises:
            UserError: If an option is out of range or the list does not exist, with the option's name.
        """
        return cls(**{**given, "list": existing("list", given.get("list"))})

    def listed(self) -> frozenset[str] | None:
        """Read the ids of the list; ``None`` without a list.

        Raises:
            UserError: As :func:`benchmark.core.text_lists.read_ids`.
        """
        return None if self.list is None else read_ids(self.list)

    def wanted(self, there: Collection[str], fault: str, remedy: str = "correct the list") -> tuple[str, ...]:
        """Return the sorted ids of the list, or of all images without a list.

        Args:
            there: Ids of all images of the dataset.
            fault: What is wrong with a listed image that is not one of them, for the error message.
            remedy: Advice for the error message.

        Raises:
            UserError: If the list names an image that is not there.
        """
        listed = self.listed()
        if listed is None:
            return tuple(sorted(there))
        absent = sorted(listed.difference(there))
        if absent:
            so = f"{len(absent)} of {len(listed)} so"
            raise UserError(f"{absent[0]} of dataset.list {fault} ({so}); {remedy}")
        return tuple(sorted(listed))

    def skipped(self, incomplete: Mapping[str, str], wanted: Collection[str], remedy: str) -> dict[str, str]:
        """Return the images to leave out, each with what it lacks.

        Args:
            incomplete: What each incomplete image lacks, by image id.
            wanted: Ids of all selected images.
            remedy: Advice for the error message.

        Raises:
            UserError: If incomplete images are an error (``missing``), or no image would be left.
        """
        if incomplete and (self.missing == "error" or len(incomplete) == len(wanted)):
            first = min(incomplete)
            some = len(incomplete) < len(wanted)
            leave = "; or leave such images out (dataset.missing=skip)" if some else ""
            so = f"{len(incomplete)} of {len(wanted)} images so"
            raise UserError(f"{first}: {incomplete[first]} ({so}); {remedy}{leave}")
        return dict(sorted(incomplete.items()))

    def arrange(self, samples: Iterable[Sample]) -> tuple[Sample, ...]:
        """Return the samples in the selected order, at most ``limit`` of them."""
        return arrange(samples, self.order, self.seed, self.limit)


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


def existing(option: str, value: str | Path | None, remedy: str = "correct it") -> Path | None:
    """Return the path that an option names, or ``None`` if the option is not set.

    Raises:
        UserError: If nothing exists at that path.
    """
    if value is None or str(value) == "":
        return None
    path = Path(value).expanduser()
    if not path.exists():
        raise UserError(f"dataset.{option}={value}: there is nothing at that path; {remedy}")
    return path


def file_sizes(paths: Iterable[Path]) -> list[int | None]:
    """Return the size of each file in bytes, ``None`` for a file that does not exist.

    Threads hide the latency of network file systems.

    Raises:
        UserError: If a file cannot be accessed.
    """
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(_size, paths))


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check permissions") from error
