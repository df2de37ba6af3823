"""Heatmaps that were made elsewhere: read from a folder by image and class."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmark.core.errors import UserError
from benchmark.core.options import Checked
from benchmark.core.provenance import fingerprint

if TYPE_CHECKING:
    from benchmark.core.protocols import Dataset
    from benchmark.core.types import FloatArray, ForwardPass, Model

_IMAGES = (".jpeg", ".jpg", ".png")
_DAMAGED = (OSError, ValueError, EOFError, LookupError, RuntimeError, MemoryError, SyntaxError, TokenError)
"""What numpy, zipfile and zarr raise of a changed byte, beside errors of their own."""
_Key = tuple[str, str | None]
"""Image and class; no class where a file holds the one map of its image."""


@dataclass(frozen=True)
class FromFiles(Checked, group="method"):
    """Maps made elsewhere, one an image and class, of which the network here gives the classes alone.

    For the image ``NAME`` and the class ``ID`` (for ILSVRC a WNID) a map ``[h, w]`` is, below ``folder``,

    * ``NAME/ID.npy``, or the array ``ID`` in ``NAME.npz``, or in a zarr group the array ``NAME/ID``;
    * ``NAME.npy``, of the ground-truth class alone, as wsolevaluation writes ``val/NAME.JPEG.npy``.

    It is unnormalised, of one size for all images, and covers what the transform shows of the image. Another
    class than the ground truth may have no map: its box is the whole image then, as of an empty map, which no
    localization error looks at.

    Attributes:
        name: The method's key in ``conf/method``.
        folder: The folder, or zarr group.
        missing: ``error`` refuses a run with images that have no map of their ground-truth class; ``empty``
            counts them as empty maps, whose box is the whole image.
        layers: Always empty: nothing is read of the forward pass.
        operations: Whether the method needs the recorded operations of the forward pass.
    """

    folder: str | None = None
    missing: Literal["error", "empty"] = "error"
    name: str = "from_files"
    layers: tuple[str, ...] = field(default=(), init=False)
    operations: bool = field(default=False, init=False)

    def check(self, model: Model) -> None:
        """Refuse whatever shows images that belong to no dataset.

        Raises:
            UserError: Always; a run that knows names of images calls :meth:`check_images`.
        """
        raise UserError(
            "method=from_files reads maps by the names of a dataset's images: ./scripts/run with task=boxes "
            "alone takes it"
        )

    def __call__(self, model: Model, forward: ForwardPass, classes: Tensor) -> Tensor:
        """Refuse, as :meth:`check` does."""
        self.check(model)
        raise AssertionError

    def digest(self) -> str:
        """Return the sha256 over names and values of all maps.

        Raises:
            UserError: If there is no such folder, or a map cannot be used.
        """
        return self._maps.digest

    def check_images(self, dataset: Dataset) -> None:
        """Refuse a dataset with images that have no map, and tell how many maps are of none of its images.

        Raises:
            UserError: With their number and the first one's names; and as :meth:`digest`.
        """
        samples = dataset.samples
        wanted = [(sample.image_id, dataset.classes[sample.label]) for sample in samples]
        lacking = [(image, label) for image, label in wanted if not self._maps.place(image, label, True)]
        if lacking and (self.missing == "error" or len(lacking) == len(samples)):
            image, label = lacking[0]
            rest = (
                "" if len(lacking) == len(samples) else ", or count them as empty with method.missing=empty"
            )
            raise UserError(
                f"method.folder={self.folder}: {len(lacking)} of {len(samples)} images have no map of their "
                f"ground-truth class, the first {image}; make {image}/{label}.npy (docs/models.md){rest}"
            )
        others = self._maps.others({sample.image_id for sample in samples}, set(dataset.classes))
        if others:
            told = f"{len(others)} maps are of no image and class of {dataset.name}, the first {others[0]}"
            print(f"method.folder={self.folder}: {told}; they are left out", file=sys.stderr)

    def maps(self, images: Sequence[str], classes: Sequence[Sequence[str]]) -> Tensor:
        """Return heatmaps ``[N, K, h, w]``, zero where there is no map.

        Args:
            images: Identifiers of N images.
            classes: Of each image, identifiers of K classes; the last one is the ground truth.
        """
        return torch.from_numpy(
            np.stack(
                [
                    np.stack([self._maps.read(image, one, one == own[-1]) for one in own])
                    for image, own in zip(images, classes, strict=True)
                ]
            )
        )

    @cached_property
    def _maps(self) -> _Maps:
        if self.folder is None:
            raise UserError("method.folder: name the folder of the maps (docs/models.md)")
        return _Maps(self.folder)


class _Place(NamedTuple):
    """Where a map is: its file, or group, and the array in it, which has no name in a .npy."""

    file: str
    array: str

    def __str__(self) -> str:
        return f"{self.file}#{self.array}" if self.array else self.file


class _Maps:
    """All maps of a folder, looked through once: where each is, their size and their hash."""

    def __init__(self, folder: str) -> None:
        self.root = Path(folder).expanduser()
        if not self.root.is_dir():
            raise UserError(f"method.folder={folder}: there is no such folder; name that of the maps")
        self.zarr = any((self.root / name).is_file() for name in ("zarr.json", ".zgroup"))
        self.places: dict[_Key, _Place] = {}
        self.twice: dict[_Key, _Place] = {}
        self._last: tuple[str, Mapping[str, npt.NDArray[Any]]] = ("", {})
        sizes: dict[tuple[int, ...], _Place] = {}
        hashes, broken = [], []
        for keys, place, array in self._every():
            for key in keys:
                if self.places.setdefault(key, place) != place:
                    self.twice[key] = place
            flaw = _flaw(array)
            if flaw is None:
                sizes.setdefault(_map(array).shape, place)
                if len(sizes) > 1:
                    first = next(iter(sizes))
                    flaw = (
                        f"{list(_map(array).shape)} where {sizes[first]} is {list(first)}; give all one size"
                    )
            if flaw is not None:
                broken.append(f"{place}: {flaw}")
            values = np.ascontiguousarray(array)
            hashes.append(
                [str(place), str(values.dtype), list(values.shape), hashlib.sha256(values.data).hexdigest()]
            )
        if broken:
            more = f" ({len(broken)} of {len(hashes)} maps are of no use)" if len(broken) > 1 else ""
            raise UserError(f"{self.root / broken[0]}{more}")
        if not sizes:
            raise UserError(f"method.folder={folder}: holds no maps; docs/models.md says how they are named")
        self.size = next(iter(sizes))
        self.digest = fingerprint(sorted(hashes))

    def place(self, image: str, one: str, is_label: bool) -> _Place | None:
        """Return where the map of an image and class is, ``None`` if there is none."""
        keys: list[_Key] = [(image, one), *([(image, None)] if is_label else [])]
        key = next((key for key in keys if key in self.places), None)
        if key in self.twice:
            both = f"{self.places[key]} and {self.twice[key]}"
            raise UserError(f"{self.root}: {both} are of one image; leave one of them there")
        return None if key is None else self.places[key]

    def others(self, images: Collection[str], classes: Collection[str]) -> list[_Place]:
        """Return the places of maps of other images and classes than these."""
        used = {
            place
            for (image, one), place in self.places.items()
            if image in images and (one is None or one in classes)
        }
        return sorted({*self.places.values()} - used)

    def read(self, image: str, one: str, is_label: bool) -> FloatArray:
        """Return a map, all zero where there is none."""
        place = self.place(image, one, is_label)
        if place is None:
            return np.zeros(self.size, np.float32)
        if self._last[0] != place.file:
            self._last = (place.file, self._arrays(place.file))
        return _map(self._last[1][place.array]).astype(np.float32)

    def _every(self) -> Iterator[tuple[list[_Key], _Place, npt.NDArray[Any]]]:
        """Yield each map with the images and classes that it may be of, and its place."""
        if self.zarr:
            for image, group in self._group().groups():
                for one, array in group.arrays():
                    yield [(image, one)], _Place(image, one), array[:]
            return
        for path in sorted(self.root.rglob("*")):
            if path.suffix in (".npy", ".npz"):
                name = path.relative_to(self.root).as_posix()  # the hash is the same on every system
                for key, array in self._arrays(name).items():
                    yield _keys(Path(name), key), _Place(name, key), array

    def _arrays(self, name: str) -> Mapping[str, npt.NDArray[Any]]:
        if self.zarr:
            return {key: array[:] for key, array in self._group()[name].arrays()}
        path = self.root / name
        try:
            with path.open("rb") as file:
                held = np.load(io.BytesIO(file.read()), allow_pickle=False)
            return {"": held} if isinstance(held, np.ndarray) else dict(held)
        except (*_DAMAGED, zipfile.BadZipFile, zlib.error) as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)[:100]
            raise UserError(f"{path}: cannot be read ({reason}); make it again") from None

    def _group(self) -> Any:
        try:
            return import_module("zarr").open_group(self.root, mode="r")
        except ImportError:
            raise UserError(
                f"method.folder={self.root}: a zarr group, and the package zarr is not installed; bring it "
                "with: .venv/bin/python -m pip install --editable '.[zarr]', or save the maps as .npy"
            ) from None
        except _DAMAGED as error:
            raise UserError(
                f"{self.root}: no whole zarr group ({type(error).__name__}); make it again"
            ) from None


def _keys(path: Path, array: str) -> list[_Key]:
    """Return what an array in a file may be of: in ``NAME.npz`` by class, ``NAME/ID.npy``, ``NAME.npy``."""
    name, parent = _without_suffix(path.stem), _without_suffix(path.parent.name)
    return [(name, array)] if array else [(parent, path.stem), (name, None)]


def _without_suffix(name: str) -> str:
    """Return the name of an image without the suffix of its file."""
    return Path(name).stem if Path(name).suffix.lower() in _IMAGES else name


def _map(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return ``[h, w]``; a batch or channel of one in front is left out."""
    while array.ndim > 2 and len(array) == 1:
        array = array[0]
    return array


def _flaw(array: npt.NDArray[Any]) -> str | None:
    """Say why an array is no map, and the remedy."""
    if array.dtype.kind not in "fiu":
        return f"holds {array.dtype}, no numbers; save real numbers"
    if _map(array).ndim != 2 or not array.size:
        return f"a map is [h, w], this is {list(array.shape)}; save one map an image and class"
    if np.isfinite(array).all() and np.abs(array).max() <= np.finfo(np.float32).max:
        return None
    return "holds NaN, infinity or more than float32 can hold; make it again, or delete it"
