"""A file is read as what it holds, under any name; only what is damaged is called damaged."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import subprocess
import sys
import zipfile
from argparse import Namespace
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.caffe_wire import Format, nested
from safetensors.torch import save
from torch import Tensor, nn

from benchmark.core.errors import UserError
from benchmark.models.weights.formats import read_content

STATE = {"conv.weight": torch.arange(24.0).view(2, 3, 2, 2), "conv.bias": torch.tensor([0.5, -1])}
ARRAYS = {"conv": [value.numpy() for value in STATE.values()]}


def torch_file(content: Any, zipped: bool = True) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, content in members.items():
            zipped.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{key: value.numpy() for key, value in STATE.items()})  # type: ignore[arg-type]
    return buffer.getvalue()


def oldest_caffemodel() -> bytes:
    """``layers`` that hold a V0 ``layer`` with the name and the blobs,, as of early Caffe."""
    form = Format(v1=True)
    blobs = b"".join(nested(50, form.blob(blob)) for blob in ARRAYS["conv"])
    inner = nested(1, b"conv") + nested(2, b"conv") + blobs
    return nested(1, b"net") + nested(2, nested(1, inner) + nested(2, b"data") + nested(3, b"conv"))


NET = Format().net(ARRAYS)
WHOLE: dict[str, bytes] = {
    "torch, zip": torch_file(STATE),
    "torch, legacy": torch_file(STATE, zipped=False),
    "safetensors": save(STATE),
    "npz": npz(),
    "caffemodel": NET,
    "caffemodel of V1": Format(v1=True).net(ARRAYS),
    "caffemodel of V0": oldest_caffemodel(),
    "caffemodel, gzip": gzip.compress(NET),
    "caffemodel, bzip2": bz2.compress(NET),
    "caffemodel, xz": lzma.compress(NET),
    "caffemodel, alone in a zip": archive(net__caffemodel=NET),
    "torch, gzip": gzip.compress(torch_file(STATE)),
    "torch, legacy, alone in a zip": archive(net__pth=torch_file(STATE, zipped=False)),
}


def written(content: bytes, folder: Path, name: str = "net.bin") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def refused(content: bytes, folder: Path) -> str:
    path = written(content, folder)
    with pytest.raises(UserError) as error:
        read_content(path)
    text = str(error.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.replace(str(path), "FILE").removeprefix("FILE: ")


@pytest.mark.parametrize("name", ["net.bin", "net.caffemodel", "net.safetensors", "net.pth", "best"])
@pytest.mark.parametrize("kind", WHOLE)
def test_every_format_is_read_under_every_name(kind: str, name: str, tmp_path: Path) -> None:
    found = read_content(written(WHOLE[kind], tmp_path, name))
    assert set(found) == set(STATE)
    for key, value in STATE.items():
        assert torch.equal(found[key].reshape(value.shape), value)


@pytest.mark.parametrize("kind", ["torch, zip", "torch, gzip"])
def test_overwritten_numbers_of_a_zipped_torch_file_are_told(kind: str, tmp_path: Path) -> None:
    content, right = WHOLE["torch, zip"], STATE["conv.weight"].numpy().tobytes()
    wrong = content.replace(right, right[:40] + b"\0\0\xc0\x7f" + right[44:])
    assert wrong != content
    text = refused(gzip.compress(wrong) if "gzip" in kind else wrong, tmp_path)
    assert text.startswith("truncated or damaged, a file of torch.save of")
    assert "wrong checksum of archive/data/0" in text


@pytest.mark.parametrize("kind", [kind for kind in WHOLE if "zip" not in kind or "torch" in kind])
@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_what_is_cut_short_is_called_truncated(kind: str, cut: float, tmp_path: Path) -> None:
    content = WHOLE[kind]
    text = refused(content[: int(cut * len(content))], tmp_path)
    assert text.startswith("truncated")
    assert text.endswith(("get it again", "get the file again"))


OTHER = {
    "nothing": (b"", "(it is empty)"),
    "a web page": (b"<!DOCTYPE html><html>404</html>", "a web page was saved in its place"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "run git lfs pull"),
    "a prototxt": (b'name: "GoogleNet"\nlayer {\n  name: "data"\n}\n', "a prototxt"),
    "any bytes": (bytes(range(256)), "not a file of parameters, or damaged"),
    "a text": (b"\n\nsome words\n", "not a file of parameters"),
    "several files in a zip": (archive(a=b"1", b=b"2"), "a zip file of 2 files; unpack it"),
    "a plain pickle": (pickle.dumps([*range(99)], protocol=2), "not one that torch.save wrote"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file, which is not read here"),
}


@pytest.mark.parametrize("kind", OTHER)
def test_another_file_is_named_and_not_called_truncated(kind: str, tmp_path: Path) -> None:
    content, words = OTHER[kind]
    text = refused(content, tmp_path)
    assert words in text
    assert "truncated" not in text
    assert "weights_only=True" not in text, "no advice to load it unsafely without a word"


class Ours:
    """A trainer's own type, whose making would be seen."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1

    def __setstate__(self, state: Any) -> None:
        type(self).made += 1


class Settings(dict[str, Any]):
    """A mapping of a trainer's own, as EasyDict is."""


PLAIN: dict[str, Any] = {
    "a namespace": Namespace(lr=0.1, model="resnet50"),
    "a path": Path("runs/1"),
    "a numpy number": np.float64(76.1),
    "a numpy array": np.arange(3),
    "a type": np.dtype("float32"),
    "a function": print,
    "an object of the trainer's own": Ours(),
}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "pickle"])
@pytest.mark.parametrize("kind", PLAIN)
def test_what_is_saved_beside_the_tensors_is_not_built_and_does_no_harm(
    kind: str, zipped: bool, tmp_path: Path
) -> None:
    content = torch_file({"args": PLAIN[kind], "model": STATE}, zipped)
    before = Ours.made
    found = read_content(written(content, tmp_path))
    assert Ours.made == before
    assert all(torch.equal(found["model"][key], STATE[key]) for key in STATE)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("echo built > built",)


def test_no_code_of_a_file_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = refused(torch_file({"model": STATE, "args": Evil()}), tmp_path)
    assert "objects of posix.system" in text or "objects of nt.system" in text
    assert "truncated" not in text
    assert not (tmp_path / "built").exists()


def _converted(text: str, folder: Path) -> Any:
    """What the command in a refusal makes, typed as it is printed."""
    command = text.partition("python -c ")[2].replace("FILE", str(folder / "net.bin"))
    line = f"{sys.executable} -c {command}"
    subprocess.run(line, shell=True, check=True, env={**os.environ, "PYTHONPATH": str(folder)})
    (made,) = [path for path in folder.iterdir() if path.name.startswith("net.bin.")]
    return read_content(made)


def _sequential() -> nn.Module:
    module = nn.Sequential(nn.Conv2d(3, 2, 2))
    module[0].load_state_dict({key.removeprefix("conv."): value for key, value in STATE.items()})
    return module


NEEDS: dict[str, tuple[Callable[[], Any], str, Callable[[Any], dict[str, Tensor]]]] = {
    "a whole module": (_sequential, "container.Sequential", lambda made: made),
    "a module in a checkpoint": (
        lambda: {"epoch": 3, "net": _sequential()},
        "container.Sequential",
        lambda made: made["net"],
    ),
    "a mapping of another type": (
        lambda: {"epoch": 3, "model": defaultdict(list, STATE)},
        "collections.defaultdict",
        lambda made: {key.replace("conv", "0"): value for key, value in made["model"].items()},
    ),
    "numpy's arrays": (
        lambda: {key.replace("conv", "0"): value.numpy() for key, value in STATE.items()},
        "whole objects (numpy",
        lambda made: made,
    ),
}


@pytest.mark.parametrize("kind", NEEDS)
def test_a_pickle_that_needs_more_names_the_type_and_the_command_that_converts_it(
    kind: str, tmp_path: Path
) -> None:
    from benchmark.models.weights.checkpoints import parameters_in

    make, named, state = NEEDS[kind]
    path = written(torch_file(make()), tmp_path)
    with pytest.raises(UserError) as error:
        parameters_in(path, read_content(path), ["0.weight", "0.bias"], {})
    assert named in str(error.value)
    assert "truncated" not in str(error.value)
    made = state(_converted(str(error.value), tmp_path))
    assert all(torch.equal(made[key.replace("conv", "0")], value) for key, value in STATE.items())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_torchscript_archive_is_told_with_the_command_that_converts_it(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(_sequential()), tmp_path / "net.bin")
    text = refused((tmp_path / "net.bin").read_bytes(), tmp_path)
    assert "a TorchScript archive" in text
    assert set(_converted(text, tmp_path)) == {"0.weight", "0.bias"}


H5PY = """
import numpy
class File(dict):
    def __init__(self, path):
        self["data"] = self
    def visititems(self, see):
        see("conv1", self)
        for place in range(2):
            see(f"conv1/7x7/{place}", {0: numpy.ones((2, 3)), 1: numpy.zeros(2)}[place])
numpy.ndarray.__getitem__
"""


def test_the_command_for_hdf5_makes_a_file_that_is_read(tmp_path: Path) -> None:
    text = refused(OTHER["HDF5"][0], tmp_path)
    (tmp_path / "h5py.py").write_text(H5PY, encoding="utf-8")  # in its place: it is no dependency
    found = _converted(text, tmp_path)
    assert {key: list(value.shape) for key, value in found.items()} == {
        "conv1.7x7.weight": [2, 3],
        "conv1.7x7.bias": [2],
    }
