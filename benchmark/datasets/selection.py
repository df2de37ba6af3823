"""The part of a dataset that a user selects, and how images with missing files are treated."""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from benchmark.core.errors import UserError
from benchmark.core.options import Checked, Count, Natural
from benchmark.core.types import Sample
from benchmark.datasets.subset import Order, arrange, read_ids


@dataclass(frozen=True)
class Selection(Checked, group="dataset"):
    """The options by which a user selects images of a dataset.

    Attributes:
        list: File with the ids of the images to use, one a line.
        limit: Largest number of images to use, the first in ``order``.
        order: ``id``, or ``stratified``: a seeded order of which every beginning spreads over the labels.
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

    def wanted(self, there: Collection[str], where: str) -> tuple[str, ...]:
        """Return the sorted ids of the list, or of all images without a list.

        Raises:
            UserError: If the list names an image that is not there.
        """
        if self.list is None:
            return tuple(sorted(there))
        listed = read_ids(self.list)
        absent = sorted(listed.difference(there))
        if absent:
            raise UserError(
                f"{absent[0]} of dataset.list is not in {where} ({len(absent)} of {len(listed)} so); "
                "correct the list, or choose the split that has it (dataset.split=)"
            )
        return tuple(sorted(listed))

    def skipped(self, lacking: Mapping[str, str], wanted: Collection[str], remedy: str) -> dict[str, str]:
        """Return the images to leave out, each with what it lacks.

        Args:
            lacking: What each incomplete image lacks, by image id.
            wanted: Ids of all selected images.
            remedy: Advice for the error message.

        Raises:
            UserError: If incomplete images are an error (``missing``), or no image would be left.
        """
        if lacking and (self.missing == "error" or len(lacking) == len(wanted)):
            first = min(lacking)
            some = len(lacking) < len(wanted)
            leave = "; or leave such images out (dataset.missing=skip)" if some else ""
            raise UserError(
                f"{first}: {lacking[first]} ({len(lacking)} of {len(wanted)} images so); {remedy}{leave}"
            )
        return dict(sorted(lacking.items()))

    def arrange(self, samples: Iterable[Sample]) -> tuple[Sample, ...]:
        """Return the samples in the selected order, at most ``limit`` of them."""
        return arrange(samples, self.order, self.seed, self.limit)


def existing(option: str, value: str | Path | None) -> Path | None:
    """Return the path that an option names, or ``None`` if the option is not set.

    Raises:
        UserError: If nothing exists at that path.
    """
    if value is None or str(value) == "":
        return None
    path = Path(value).expanduser()
    if not path.exists():
        raise UserError(f"dataset.{option}={value}: there is nothing at that path; correct it")
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
