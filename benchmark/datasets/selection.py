"""Which images of a dataset are asked for, and what becomes of those that lack something."""

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
    """The options that datasets of several classes an image share.

    Attributes:
        list: File of image ids to keep, one a line.
        limit: Keep at most so many images, the first in ``order``.
        order: ``id``, or ``stratified``: seeded, every beginning spreads over the labels.
        seed: Of the stratified order.
        missing: What happens to an image without its file or annotation: ``error``, or ``skip`` (and count).
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
            UserError: Naming the option, if a choice is not one or the list is not there.
        """
        return cls(**{**given, "list": existing("list", given.get("list"))})

    def wanted(self, there: Collection[str], where: str) -> tuple[str, ...]:
        """Sorted ids: those of the list, or all that are there.

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
        """Image id to what it lacks, where that is to be borne.

        Args:
            lacking: Likewise.
            wanted: All images that are asked for.
            remedy: What to do about it.

        Raises:
            UserError: If it is not, or if no image would be left.
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
        """In the order asked for, no more than asked for."""
        return arrange(samples, self.order, self.seed, self.limit)


def existing(option: str, value: str | Path | None) -> Path | None:
    """The path that an option names; ``None`` where it names none.

    Raises:
        UserError: If there is nothing.
    """
    if value is None or str(value) == "":
        return None
    path = Path(value).expanduser()
    if not path.exists():
        raise UserError(f"dataset.{option}={value}: there is nothing at that path; correct it")
    return path


def file_sizes(paths: Iterable[Path]) -> list[int | None]:
    """Bytes of each file, ``None`` where there is no such file; threads hide a file server's latency.

    Raises:
        UserError: If one cannot be looked at.
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
