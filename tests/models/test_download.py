"""Downloads from file URLs: no test reaches the network."""

import hashlib
from pathlib import Path

import pytest

from benchmark.core.errors import UserError
from benchmark.models.torchvision import download

CHECKSUM = f"sha256:{hashlib.sha256(b'content').hexdigest()[:8]}"


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "there").write_bytes(b"content")
    return (tmp_path / "there").as_uri()


def test_a_download_arrives_under_its_name_in_a_new_folder(source: str, tmp_path: Path) -> None:
    target = tmp_path / "new" / "net.pth"
    download(source, target, [CHECKSUM])
    assert target.read_bytes() == b"content"
    assert list(target.parent.iterdir()) == [target]


def test_without_a_checksum_any_content_is_taken(source: str, tmp_path: Path) -> None:
    download(source, tmp_path / "net.pth", [])
    assert (tmp_path / "net.pth").read_bytes() == b"content"


def test_another_content_than_expected_leaves_nothing_behind(source: str, tmp_path: Path) -> None:
    target = tmp_path / "new" / "net.pth"
    with pytest.raises(UserError, match="another file"):
        download(source, target, ["sha256:00000000"])
    assert list(target.parent.iterdir()) == []


def test_no_answer_is_one_line_with_file_url_and_remedy(tmp_path: Path) -> None:
    url, target = (tmp_path / "absent").as_uri(), tmp_path / "new" / "net.pth"
    with pytest.raises(UserError) as refused:
        download(url, target, [CHECKSUM])
    for words in (url, "net.pth", "weights_dir", "model.weights="):
        assert words in str(refused.value)
    assert list(target.parent.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(source: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot download"):
        download(source, tmp_path / "there" / "net.pth", [CHECKSUM])
