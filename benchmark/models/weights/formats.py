"""Read a file of parameters in the format that its content shows, whatever its name is."""

import bz2
import gzip
import io
import lzma
import pickletools
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO, cast

import numpy as np
import torch
from safetensors.torch import load

from benchmark.core.errors import UserError
from benchmark.models.weights.caffemodel import parse_caffemodel

_MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
"""The number with which ``torch.save`` begins a file that is no zip file."""
_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_COMMON = ("torch.", "collections.OrderedDict", "_codecs.")
_BLOBS = {0: "weight", 1: "bias"}
_COMPRESSED: Mapping[bytes, Callable[[BinaryIO], io.BufferedIOBase]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_FACTOR, _ALWAYS = 50, 2**26
"""Parameters hardly shrink when packed: what becomes this much larger, and than this, fills the memory."""
_HDF5 = (
    "an HDF5 file, which is not read here; if Caffe wrote it, convert it: "
    'python -c "import h5py, numpy as n; d = {{}}; '
    "h5py.File('{0}')['data'].visititems(lambda k, v: d.update({{k[:-1].replace('/', '.') + ('weight', "
    "'bias')[int(k[-1])]: v[()]}}) if hasattr(v, 'shape') else None); n.savez('{0}.npz', **d)\""
)
_SCRIPT = (
    "a TorchScript archive; save its tensors: python -c \"import torch; torch.save(torch.jit.load('{0}', "
    "map_location='cpu').state_dict(), '{0}.tensors.pth')\""
)
_CONVERT = (
    'where its code can be imported, and if you trust the file, keep its tensors: python -c "import torch; '
    "s = lambda v: v if torch.is_tensor(v) else v.state_dict() if hasattr(v, 'state_dict') else {{k: s(w) "
    "for k, w in v.items() if s(w) is not None}} if hasattr(v, 'items') else torch.as_tensor(v) if "
    "getattr(getattr(v, 'dtype', 0), 'kind', '-') in 'fiu' else None; "
    "torch.save(s(torch.load('{0}', map_location='cpu', weights_only=False)), '{0}.tensors.pth')\""
)


class Foreign:
    """The place of an object that is no tensor and of no plain type: it is not built, and no code is run.

    Attributes:
        kind: The dotted name of its type in the file.
    """

    kind = ""

    def __new__(cls, *_args: Any, **_options: Any) -> "Foreign":
        """Take the place of a call or of a new object."""
        return super().__new__(cls)

    def __init__(self, *_args: Any, **_options: Any) -> None: ...

    def __setstate__(self, _state: Any) -> None:
        """Leave the state of the object out."""


def read_content(path: Path) -> Any:
    """Read a file of parameters as nested mappings with tensors in them, as its trainer wrote them.

    Args:
        path: A file of ``torch.save`` (zipped or not), safetensors, a caffemodel, ``.npz``, or one of these
            compressed (gzip, bzip2, xz, or alone in a zip file). Of a caffemodel, the layer ``conv1/7x7_s2``
            becomes ``conv1.7x7_s2.weight`` and ``conv1.7x7_s2.bias``.

    Returns:
        What the file holds. Objects other than tensors, numbers, texts and their collections are
        :class:`Foreign`.

    Raises:
        UserError: If the file cannot be read, is damaged, or is of another format, with the remedy.
    """
    try:
        with path.open("rb") as file:
            return _read(path, file)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{path}: cannot be read ({reason}); name another file") from None


def convert(path: Path) -> str:
    """Return the command that keeps the tensors of a file whose objects only their own code can read."""
    return _CONVERT.format(path)


def _read(path: Path, file: BinaryIO) -> Any:
    start = file.read(512)
    file.seek(0)
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 2**27:  # a length, of any first byte
        return _whole(path, "a safetensors file", lambda: load(file.read()))
    unpack = next((each for magic, each in _COMPRESSED.items() if start.startswith(magic)), None)
    if unpack is not None:
        most = _most(path)
        content = _whole(path, "a compressed file", lambda: unpack(file).read(most + 1))
        _refuse_bomb(path, len(content))
        return _read(path, io.BytesIO(content))
    if start.startswith(b"PK\x03\x04"):
        return _whole(path, "a zip file", lambda: _read_zip(path, file))
    if start.startswith(b"\x80"):
        if len(start) > 64 and _MAGIC not in start[:64]:
            own = "load it with pickle, and save its tensors with torch.save"
            raise UserError(f"{path}: a pickle, but not one that torch.save wrote; {own}")
        return _read_pickle(path, file, [file] * 4)
    if start.startswith(b"\x89HDF"):
        raise UserError(f"{path}: {_HDF5.format(path)}")
    if start[257:262] == b"ustar":
        raise UserError(f"{path}: a tar archive; unpack it, and name the file in it")
    return {
        f"{name.replace('/', '.')}.{_BLOBS.get(place, f'blob{place}')}": torch.from_numpy(blob)
        for name, blobs in parse_caffemodel(path, file.read(), "file of parameters").items()
        for place, blob in enumerate(blobs)
    }


def _whole(path: Path, kind: str, read: Callable[[], Any]) -> Any:
    """Read a format that says itself where it ends; what fails is damaged."""
    try:
        return read()
    except UserError:
        raise
    except Exception as error:  # a wrong byte may lead the readers of these formats to raise anything
        raise _damaged(path, kind, error) from None


def _damaged(path: Path, kind: str, error: Exception) -> UserError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)[:100]
    size = path.stat().st_size
    return UserError(f"{path}: truncated or damaged, {kind} of {size:,} bytes ({reason}); get it again")


def _most(path: Path) -> int:
    return max(_FACTOR * path.stat().st_size, _ALWAYS)


def _refuse_bomb(path: Path, unpacked: int) -> None:
    """Refuse a file that unpacks to so much that it was made to fill the memory."""
    if unpacked > _most(path):
        size = path.stat().st_size
        raise UserError(
            f"{path}: {size:,} bytes that unpack to {_most(path):,} or more, as no parameters do; if they do "
            "all the same, unpack the file, and name what was in it"
        )


def _read_zip(path: Path, file: BinaryIO) -> Any:
    if not zipfile.is_zipfile(file):
        raise _damaged(path, "a zip file", ValueError("its table of contents, at its end, is not there"))
    with zipfile.ZipFile(file) as archive:
        _refuse_bomb(path, sum(each.file_size for each in archive.infolist()))
        names = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
        pickles = [name for name in names if name.rpartition("/")[2] == "data.pkl"]
        if pickles and any(name.endswith("constants.pkl") for name in names):
            raise UserError(f"{path}: {_SCRIPT.format(path)}")
        if pickles:
            if wrong := archive.testzip():  # torch itself compares no checksum
                raise _damaged(path, "a file of torch.save", ValueError(f"wrong checksum of {wrong}"))
            with archive.open(pickles[0]) as pickled:
                return _read_pickle(path, file, [cast(BinaryIO, pickled)])
        if names and all(name.endswith(".npy") for name in names):
            file.seek(0)
            arrays = _whole(path, "a numpy archive", lambda: dict(np.load(file, allow_pickle=False)))
            return {key.replace("/", "."): torch.from_numpy(array) for key, array in arrays.items()}
        if len(names) == 1:
            content = _whole(path, "a zip file", lambda: archive.read(names[0]))
            return _read(path, io.BytesIO(content))
    raise UserError(f"{path}: a zip file of {len(names)} files; unpack it, and name the file of parameters")


def _read_pickle(path: Path, file: BinaryIO, pickles: list[BinaryIO]) -> Any:
    """Read what ``torch.save`` wrote, with each type that torch does not know left out."""
    kinds = _whole(path, "a file of torch.save", lambda: list(_types(pickles)))
    stand_ins = _whole(
        path, "a file of torch.save", lambda: [_stand_in(kind) for kind in dict.fromkeys(kinds)]
    )
    own = isinstance(file, io.BufferedReader)
    file.seek(0)
    try:
        with torch.serialization.safe_globals(stand_ins):
            # Only the zip format can be mapped; and torch itself judges a path by its ending.
            mapped = own and zipfile.is_zipfile(path) and path.suffix.lower() != ".safetensors"
            return torch.load(path if mapped else file, map_location="cpu", weights_only=True, mmap=mapped)
    except UnpicklingError:
        # The text of the error recommends loading the file unsafely, so it is not repeated.
        foreign = [kind for kind in kinds if not kind.startswith(_COMMON)]
        needs = f"objects of {_few(foreign)}" if foreign else "more than tensors"
        text = f"{path}: a pickle that needs {needs}, and is not read as it could run code"
        raise UserError(f"{text}; {convert(path)}") from None
    except Exception as error:  # a wrong byte may lead the unpickler to raise anything
        raise _damaged(path, "a file of torch.save", error) from None


def _stand_in(kind: str) -> type[Foreign]:
    """Return a class that torch takes for the one of that name; it knows both by module and name."""
    module, _, name = kind.rpartition(".")
    return type(name, (Foreign,), {"kind": kind, "__module__": module, "__qualname__": name})


def _types(pickles: list[BinaryIO]) -> Iterator[str]:
    """Yield the dotted names that some pickles refer to, without unpickling them."""
    for pickled in pickles:
        texts: list[str] = []
        for code, argument, _ in pickletools.genops(pickled):
            if code.name in ("GLOBAL", "INST"):
                module, _, name = str(argument).partition(" ")
                yield f"{_PYTHON_2.get(module, module)}.{name}"
            elif code.name == "STACK_GLOBAL":
                yield ".".join(texts[-2:])
            elif isinstance(argument, str):
                texts.append(argument)


def _few(names: list[str]) -> str:
    names = [*dict.fromkeys(names)]
    more = f" and {len(names) - 3} more types" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
