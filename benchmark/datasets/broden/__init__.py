"""Broden, the images on which Network Dissection names units, read where they lie. They have no classes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.core.types import Sample
from benchmark.datasets.broden.index import BrodenTree, broden_tree, by_split
from benchmark.datasets.image_set import ImageSet
from benchmark.datasets.selection import SPLIT_REMEDY, Selection, file_sizes

__all__ = ["BrodenTree", "broden_tree", "load"]

WHOLE = 63_305
"""Number of images of Broden 1.0, from its index.csv as the paper's table 1 counts them."""


@dataclass(frozen=True)
class _BrodenReport:
    tree: BrodenTree
    images: int

    def lines(self) -> list[str]:
        """Say what was found."""
        return [f"images      {self.images} of {self.tree.root / 'index.csv'}"]


def load(root: str | None = None, split: str | None = None, name: str = "broden", **options: Any) -> ImageSet:
    """Read Broden's list of images, and write nothing there.

    Args:
        root: Folder that ``broden1_224.zip`` (or ``_227``) unpacks to.
        split: ``train`` or ``val``; ``None`` for both, as NetDissect takes them.
        name: Name of the results.
        **options: See :class:`benchmark.datasets.selection.Selection`.

    Raises:
        UserError: If anything is missing or damaged, with the file or option and the remedy.
    """
    selection, tree = Selection.parse(**options), broden_tree(root)
    files = by_split(tree, split)
    wanted = selection.wanted(files, f"is not in {tree.root / 'index.csv'}", SPLIT_REMEDY)
    paths = [tree.root / "images" / files[one] for one in wanted]
    sizes = dict(zip(wanted, file_sizes(paths), strict=True))
    places = dict(zip(wanted, paths, strict=True))
    incomplete = {one: f"there is no {places[one]}" for one in wanted if sizes[one] is None}
    skipped = selection.skipped(incomplete, wanted, "unpack the images anew")
    none = np.zeros((0, 4), np.int32)
    samples = [Sample(one, places[one], 0, none, bytes=sizes[one]) for one in wanted if one not in skipped]
    return ImageSet(
        name=name,
        classes=(),
        class_names=(),
        samples=selection.arrange(samples),
        skipped=skipped,
        version="broden 1",
        line=lambda sample: f"{sample.image_id} {sample.bytes or 0}",
        report=_BrodenReport(tree, len(files)),
        count=WHOLE,
    )
