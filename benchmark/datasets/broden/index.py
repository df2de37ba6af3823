"""Broden's index (Bau et al. 2017): which images there are, and where the labels of each category are."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmark.core.errors import UserError
from benchmark.core.text_lists import read_text
from benchmark.datasets.selection import existing

_META = ("image", "split", "ih", "iw", "sh", "sw")
_REMEDY = "unpack broden1_224.zip anew"


@dataclass(frozen=True)
class BrodenTree:
    """A folder as ``broden1_224.zip`` unpacks: ``index.csv``, ``category.csv``, ``c_*.csv``, ``images``.

    Attributes:
        root: The folder.
    """

    root: Path

    @cached_property
    def images(self) -> dict[str, dict[str, str]]:
        """Return the rows of ``index.csv`` by the image's file name below ``images``.

        Raises:
            UserError: If the file is missing or lacks a column.
        """
        found = {row["image"]: row for row in self._rows("index.csv", ("image", "split"))}
        if not found:
            raise UserError(f"{self.root / 'index.csv'}: names no image; {_REMEDY}")
        return found

    def labels(self, image: str) -> dict[str, list[str]]:
        """Return an image's labels by category: files below ``images``, or numbers that hold throughout."""
        row = self.images[image]
        parts = {key: [one for one in (value or "").split(";") if one] for key, value in row.items()}
        return {key: each for key, each in parts.items() if key not in _META and each}

    @cached_property
    def numbers(self) -> dict[str, dict[int, str]]:
        """Return by category the names of its labels by their number in the files.

        Raises:
            UserError: If a file is missing, lacks a column, or a number is none.
        """
        categories = [row["name"] for row in self._rows("category.csv", ("name",))]
        return {category: dict(self._numbered(f"c_{category}.csv")) for category in categories}

    def _numbered(self, name: str) -> Iterator[tuple[int, str]]:
        for line, row in enumerate(self._rows(name, ("number", "name")), start=2):
            if not row["number"].isdecimal():
                raise UserError(f"{self.root / name}, line {line}: {row['number']} is no number; {_REMEDY}")
            if int(row["number"]):  # 0 stands for what has no label
                yield int(row["number"]), row["name"]

    def _rows(self, name: str, wanted: tuple[str, ...]) -> list[dict[str, str]]:
        path = self.root / name
        table = csv.DictReader(read_text(path, _REMEDY).splitlines())
        lacking = [column for column in wanted if column not in (table.fieldnames or ())]
        if lacking:
            raise UserError(f"{path}: has no column {lacking[0]}; {_REMEDY}")
        return list(table)


def broden_tree(root: str | None) -> BrodenTree:
    """Find the tree in a folder.

    Raises:
        UserError: If the folder is not named, or there is no ``index.csv`` in it.
    """
    folder = existing("root", root)
    if folder is None:
        raise UserError("dataset.root is not set; name the folder of Broden, which holds index.csv")
    if not (folder / "index.csv").is_file():
        raise UserError(
            f"dataset.root={root}: there is no index.csv; name the folder that broden1_224.zip has"
        )
    return BrodenTree(folder)


def by_split(tree: BrodenTree, split: str | None) -> Mapping[str, str]:
    """Return image id, the name without its suffix, to file name, of one split or of all images.

    Raises:
        UserError: If no image is of that split.
    """
    files = {
        name.rpartition(".")[0]: name for name, row in tree.images.items() if split in (None, row["split"])
    }
    if not files:
        there = ", ".join(sorted({row["split"] for row in tree.images.values()}))
        raise UserError(f"dataset.split={split}: {tree.root / 'index.csv'} has {there}; choose one, or null")
    return files
