"""Downloads from file URLs and from loopback: no test reaches the network."""

import hashlib
import platform
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from benchmark.core.errors import UserError
from benchmark.core.types import InputFormat
from benchmark.models.torchvision import load
from benchmark.models.weights.download import download
from benchmark.models.weights.files import find

CHECKSUM = f"sha256:{hashlib.sha256(b'content').hexdigest()[:8]}"


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "there").write_bytes(b"content")
    return (tmp_path / "there").as_uri()


def test_a_download_arrives_under_its_name_in_a_new_folder(source: str, tmp_path: Path) -> None:
    target = tmp_path / "new" / "net.pth"
    target.parent.mkdir()
    dead = subprocess.Popen(["true"])
    dead.wait()
    (target.parent / f".net.pth.{platform.node()}-{dead.pid}.tmp").write_bytes(b"cont")
    download(source, target, [CHECKSUM], "try again")
    assert target.read_bytes() == b"content"
    assert list(target.parent.iterdir()) == [target], "what a killed download left is gone"


def test_without_a_checksum_any_content_is_taken(source: str, tmp_path: Path) -> None:
    download(source, tmp_path / "net.pth", [], "try again")
    assert (tmp_path / "net.pth").read_bytes() == b"content"


def test_another_content_than_expected_leaves_nothing_behind(source: str, tmp_path: Path) -> None:
    target = tmp_path / "new" / "net.pth"
    with pytest.raises(UserError, match="another file"):
        download(source, target, ["sha256:00000000"], "try again")
    assert list(target.parent.iterdir()) == []


class _BreakingOff(BaseHTTPRequestHandler):
    """A server that promises more than it sends."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"content")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_a_download_that_breaks_off_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "new" / "net.pth"
    with ThreadingHTTPServer(("127.0.0.1", 0), _BreakingOff) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(UserError, match=r"broke off after 7 of 1,000,000 bytes"):
            download(f"http://127.0.0.1:{server.server_port}/net.pth", target, [], "try again")
        server.shutdown()
    assert list(target.parent.iterdir()) == []


def test_no_answer_is_one_line_with_file_url_and_remedy(tmp_path: Path) -> None:
    url, target = (tmp_path / "absent").as_uri(), tmp_path / "new" / "net.pth"
    with pytest.raises(UserError) as refused:
        download(url, target, [CHECKSUM], "try again later")
    for words in (url, "net.pth", "try again later", "weights_dir", "model.weights="):
        assert words in str(refused.value)
    assert list(target.parent.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(source: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot download"):
        download(source, tmp_path / "there" / "net.pth", [CHECKSUM], "try again")


def test_without_a_network_the_command_that_brings_the_weights_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nobody listens
    form = InputFormat(size=224, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    options: dict[str, Any] = {"input": form, "layers": {}, "weights_dir": str(tmp_path)}
    where = "brings it where there is a network, such as on a login node"
    with pytest.raises(UserError) as refused:
        load("alexnet", name="alexnet", weights="IMAGENET1K_V1", **options)
    assert f"./scripts/fetch model=alexnet weights_dir={tmp_path} {where}" in str(refused.value)
    with pytest.raises(UserError) as refused:
        find("vgg16CAM_train_iter_90000.caffemodel", str(tmp_path))
    assert f"./scripts/fetch model=vgg16_cam weights_dir={tmp_path} {where}" in str(refused.value)
