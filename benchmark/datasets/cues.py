"""Localization cues that others published: which cells of which image they give to which class.

Ours is an npz of the arrays ``images`` ``[n]``, ``offsets`` ``[n + 1]``, and for each cue ``classes`` (0 is
the background), ``rows`` and ``columns``. SEC's own file, ``localization_cues.pickle``, is read through an
unpickler that makes arrays and plain containers and nothing else, so that a stranger's file runs no code.
"""

import gzip
import itertools
import pickle
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.core.errors import UserError
from benchmark.core.seeds import NOBODY, SIDE
from benchmark.core.types import ImageArray

_NPZ = ("images", "offsets", "classes", "rows", "columns")
_REMEDY = "give the file as its authors published it"
UNREADABLE = (
    *(OSError, ValueError, EOFError, KeyError, IndexError, TypeError, AttributeError),
    *(pickle.UnpicklingError, zipfile.BadZipFile, zlib.error),
)
"""What a file that is cut off, or holds something else, makes numpy and pickle raise."""
_ARRAYS = {
    *(("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")),
    *(
        (f"numpy.{core}.multiarray", name)
        for core in ("core", "_core")
        for name in ("_reconstruct", "scalar")
    ),
}


@dataclass(frozen=True)
class Cues:
    """Cues of n images on a grid of 41 x 41 cells.

    Attributes:
        images: Identifiers, such as ``2007_000032``.
        offsets: ``[n + 1]``, where each image's cues begin and end.
        cells: ``[m, 3]`` class, row and column of each cue.
    """

    images: tuple[str, ...]
    offsets: Sequence[int]
    cells: ImageArray

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Return the number of each image."""
        return {image: place for place, image in enumerate(self.images)}

    def grid(self, place: int) -> ImageArray:
        """Return the class of each cell of an image ``[41, 41]``; 254 where there is no cue.

        Published cues are disjoint; of several in one cell the last counts.
        """
        seeds = np.full((SIDE, SIDE), NOBODY, np.uint8)
        classes, rows, columns = self.cells[self.offsets[place] : self.offsets[place + 1]].T
        seeds[rows, columns] = classes
        return seeds


def read_cues(path: Path) -> Cues:
    """Read published cues.

    Raises:
        UserError: If the file is missing or holds something else; it names the file and what it lacks.
    """
    try:
        if path.suffix == ".npz":
            with path.open("rb") as whole, np.load(whole, allow_pickle=False) as arrays:
                return _of_npz(path, dict(arrays))
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rb") as file:
            return _of_pickle(path, _Arrays(file, encoding="latin1").load())
    except UNREADABLE as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: cannot be read as cues ({reason}); {_REMEDY}") from error


def _of_npz(path: Path, arrays: Mapping[str, Any]) -> Cues:
    lacking = [name for name in _NPZ if name not in arrays]
    if lacking:
        raise UserError(f"{path}: has no array {lacking[0]}; cues have {', '.join(_NPZ)}")
    if any(arrays[name].dtype.kind not in "iu" for name in _NPZ[1:]):
        raise UserError(f"{path}: offsets, classes, rows and columns must be whole numbers; {_REMEDY}")
    cells = np.stack([arrays[name] for name in _NPZ[2:]], axis=1)
    return _checked(path, Cues(tuple(map(str, arrays["images"])), arrays["offsets"].tolist(), cells))


def _of_pickle(path: Path, content: Mapping[str, Any]) -> Cues:
    """Return SEC's cues, whose images are the numbers of SEC's ``input_list.txt``, if that is near."""
    near = (path.with_name("input_list.txt"), path.parents[1] / "input_list.txt")
    words = [line.split() for file in near if file.is_file() for line in file.read_text().splitlines()]
    names = {int(number): Path(name).stem for name, number in words}
    numbers = sorted(int(key.removesuffix("_cues")) for key in content if key.endswith("_cues"))
    each = [np.asarray(content[f"{number}_cues"]).reshape(3, -1).T for number in numbers]
    offsets = [0, *itertools.accumulate(map(len, each))]
    cells = np.concatenate([*each, np.zeros((0, 3), np.uint8)])
    images = tuple(names.get(number, str(number)) for number in numbers)
    return _checked(path, Cues(images, offsets, cells))


def _checked(path: Path, cues: Cues) -> Cues:
    cells = cues.cells
    if len(cues.offsets) != len(cues.images) + 1 or cues.offsets[-1] != len(cells):
        raise UserError(f"{path}: {len(cues.images)} images, but offsets of others; {_REMEDY}")
    if len(cells) and (cells[:, 1:].max() >= SIDE or cells.min() < 0 or cells[:, 0].max() >= NOBODY):
        raise UserError(f"{path}: a cue lies outside the {SIDE} x {SIDE} cells; {_REMEDY}")
    return Cues(cues.images, cues.offsets, cells.astype(np.uint8))


class _Arrays(pickle.Unpickler):
    """Makes numpy's arrays and plain containers alone."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ARRAYS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, and only arrays are read")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)
