"""Finding files of weights, and refusing the wrong ones."""

import hashlib
import os
import re
from pathlib import Path

import pytest

from benchmark.core.errors import UserError
from benchmark.models.weights.files import digest, find, matches, verified

CONTENT = b"parameters"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SHA1 = hashlib.sha1(CONTENT).hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "store" / "net.pth"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


def test_a_file_is_found_by_its_path_or_in_the_folder(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(file.parent)
    assert find(str(file), None) == file
    assert find("net.pth", folder) == file
    monkeypatch.chdir(file.parent.parent)
    assert find("store/net.pth", "/nowhere").samefile(file)
    assert find("net.pth", "store").samefile(file)


def test_a_path_relative_to_the_working_directory_comes_first(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "net.pth"
    own.write_bytes(b"others")
    monkeypatch.chdir(tmp_path)
    assert find("net.pth", str(file.parent)).samefile(own)


def test_a_tilde_means_home(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(file.parent.parent))
    assert find("~/store/net.pth", None) == file
    assert find("net.pth", "~/store") == file


def test_an_absent_file_is_refused_with_every_place_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        find("net.pth", str(tmp_path))
    assert str(refused.value).startswith(f"no weights file at net.pth and {tmp_path / 'net.pth'}; put")
    for words in ("model.weights=", "weights_dir="):
        assert words in str(refused.value)


def test_weights_that_a_training_makes_are_told_with_its_command(tmp_path: Path) -> None:
    """Which one it is stands at the head of the model's yaml."""
    told = set()
    for path in (Path(__file__).parents[3] / "conf" / "model").glob("*.yaml"):
        text = path.read_text()
        file = re.search(r"^weights: (\w+)\.safetensors", text, re.MULTILINE)
        made = re.search(r"^#.*\./scripts/train experiment=(\w+)", text, re.MULTILINE)
        if made is not None and file is not None and "embedded" not in made[1]:
            with pytest.raises(UserError, match=rf"make it by \./scripts/train experiment={made[1]} "):
                find(f"{file[1]}.safetensors", str(tmp_path))
            told.add(made[1])
    assert {"easy_vqa", "daquar", "voc2007_captions", "voc2007_probe"} <= told


def test_a_place_that_cannot_be_looked_at_holds_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no weights file"):
        find("n" * 5000, str(tmp_path))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no weights file"):
        find(str(tmp_path), None)


@pytest.mark.parametrize(
    "checksums",
    [
        [],
        [f"sha256:{SHA256}"],
        [f"sha1:{SHA1}"],
        [f"sha256:{SHA256[:8].upper()}"],
        ["sha1:" + "0" * 40, f"sha1:{SHA1}"],
    ],
)
def test_any_checksum_that_matches_passes(file: Path, checksums: list[str]) -> None:
    weights = verified(file, checksums, "a note")
    assert (weights.source, weights.sha256, weights.note) == ("net.pth", SHA256, "a note")


def test_wrong_weights_are_refused_with_found_expected_and_the_way_to_accept_them(file: Path) -> None:
    with pytest.raises(UserError) as refused:
        verified(file, ["sha256:deadbeef", "sha1:deadbeef"], "")
    for words in (str(file), "10 bytes", SHA256, SHA1, "sha256:deadbeef", "model.checksums=[]"):
        assert words in str(refused.value)


@pytest.mark.parametrize(
    "checksum", ["", SHA256, "sha256:", "sha256:xyzxyzxy", "sha256:abc", "crc32:12345678"]
)
def test_what_is_no_checksum_is_refused_even_beside_one_that_matches(file: Path, checksum: str) -> None:
    with pytest.raises(UserError, match=r"model\.checksums"):
        verified(file, [f"sha256:{SHA256}", checksum], "")


def test_a_digest_is_taken_again_when_the_file_changes(file: Path) -> None:
    assert digest(file, "sha256") == SHA256
    file.write_bytes(b"parameterz")
    os.utime(file, ns=(1, 1))  # the same size; the time tells
    assert not matches(file, [f"sha256:{SHA256}"])
    assert digest(file, "sha256") == hashlib.sha256(b"parameterz").hexdigest()


def test_a_file_that_vanished_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        digest(tmp_path / "gone.pth", "sha256")
