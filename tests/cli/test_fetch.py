"""``./scripts/fetch``: weights are brought to where runs look, from a file in place of the network."""

import shutil
from pathlib import Path

import pytest
from helpers.commands import Command

import benchmark.cli.fetch
from benchmark.models.weights import files

FILE = "vgg16_cam_compact.safetensors"
EMBEDDED = Path(files.__file__).parent / "embedded"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The address of a net's file."""
    path = tmp_path / "mirror" / FILE
    path.parent.mkdir()
    shutil.copy(EMBEDDED / FILE, path)
    monkeypatch.setattr(
        benchmark.cli.fetch,
        "published",
        lambda name: ("vgg16_cam_compact", path.as_uri()) if name == FILE else None,
    )
    return path


def test_weights_are_brought_once_verified_and_what_only_the_user_has_is_told(
    command: Command, mirror: Path, tmp_path: Path
) -> None:
    place = tmp_path / "weights"
    net = ("model=vgg16_cam_compact", f"model.weights_dir={place}")
    status, printed, _ = command("fetch", *net)
    assert (status, printed.splitlines()[-1]) == (0, "1 of 1 nets have their weights")
    assert f"vgg16_cam_compact: {FILE}, sha256 " in printed
    assert [path.name for path in place.iterdir()] == [FILE]
    mirror.unlink()
    assert command("fetch", *net)[0] == 0, "it is there"
    mirror.write_bytes(b"another file")
    (place / FILE).unlink()
    status, printed, _ = command("fetch", *net)
    assert (status, "what came is another file" in printed) == (4, True)
    assert list(place.iterdir()) == []
    status, printed, _ = command("fetch", *net, "model.weights=own.pth")
    assert (status, "put the file there" in printed) == (4, True)


def test_all_nets_of_an_experiment_are_gone_over_once(command: Command) -> None:
    status, printed, _ = command("fetch", "experiment=table1", "dataset=embedded")
    assert status == 0
    assert [line.partition(":")[0] for line in printed.splitlines()] == [
        *("vgg16_compact", "vgg16_cam_compact", "alexnet_compact", "googlenet_compact"),
        "4 of 4 nets have their weights",
    ]
