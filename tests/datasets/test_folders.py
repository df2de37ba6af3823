"""What others leave in a dataset's folders, and how image files are called, in each dataset alike."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import coco_trees, ilsvrc_trees, voc_trees

from benchmark.core.errors import UserError
from benchmark.datasets import coco, ilsvrc, voc
from benchmark.datasets.folders import is_clutter, is_image, list_images

FOLDERS = (
    "lost+found",
    "@eaDir",
    "__MACOSX",
    ".ipynb_checkpoints",
    ".Trash-1000",
    "$RECYCLE.BIN",
    "#recycle",
)
FILES = ("Thumbs.db", ".DS_Store", "desktop.ini", "._{image}")


def flat_val(root: Path) -> Path:
    ilsvrc_trees.flat_with_bbox(root)
    return root / "val"


def val_in_class_folders(root: Path) -> Path:
    ilsvrc_trees.wnid_folders(root)
    return root / "val" / ilsvrc_trees.PICTURES[0].wnid


def train(root: Path) -> Path:
    ilsvrc_trees.write_train(root / "train")
    return root / "train"


def train_in_a_class(root: Path) -> Path:
    return train(root) / ilsvrc_trees.PICTURES[0].wnid


def voc_images(root: Path) -> Path:
    return voc_trees.make(root) / "JPEGImages"


def coco_images(root: Path) -> Path:
    return coco_trees.make(root) / "val2014"


PLACES: dict[Callable[[Path], Path], Callable[..., Any]] = {
    flat_val: ilsvrc.load,
    val_in_class_folders: ilsvrc.load,
    train: ilsvrc.load_train,
    train_in_a_class: ilsvrc.load_train,
    voc_images: voc.load,
    coco_images: coco.load,
}


@pytest.fixture(params=PLACES, ids=lambda make: make.__name__)
def images(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Callable[[], Any]]:
    """A folder of images, and what loads the dataset that it belongs to."""
    folder = request.param(tmp_path)
    return folder, lambda: PLACES[request.param](root=str(tmp_path))


def test_what_systems_leave_is_ignored_and_counted(images: tuple[Path, Callable[[], Any]]) -> None:
    folder, load = images
    before = load()
    first = next(before.samples[0].path.parent.glob("*"))
    left = [*FOLDERS, *(name.format(image=first.name) for name in FILES)]
    for name in left[: len(FOLDERS)]:
        (folder / name).mkdir()
        (folder / name / first.name).write_bytes(b"x")
    for name in left[len(FOLDERS) :]:
        (folder / name).write_bytes(b"x")
    after = load()
    assert after.fingerprint == before.fingerprint
    assert [sample.path for sample in after.samples] == [sample.path for sample in before.samples]
    assert f"ignored     {len(left)} other files, such as " in "\n".join(after.report.lines())


@pytest.mark.parametrize("suffix", [".JPG", ".jpeg", ".jpg", ".JPEG", ".png", ".PNG"])
def test_an_image_is_found_under_each_of_its_suffixes(
    images: tuple[Path, Callable[[], Any]], suffix: str
) -> None:
    folder, load = images
    before = load()
    for path in [path for path in folder.rglob("*") if is_image(path.name)]:
        path.rename(path.with_suffix(suffix))
    after = load()
    assert after.fingerprint == before.fingerprint
    assert all(sample.path.is_file() for sample in after.samples)


def test_of_two_suffixes_the_named_one_is_taken(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "b.JPEG", "._b.jpg", "c.txt"):
        (tmp_path / name).write_bytes(b"")
    listing = list_images(tmp_path)
    assert listing.ignored == ("._b.jpg", "c.txt")
    assert [listing.find(f"{stem}.jpg").name for stem in "abc"] == ["a.jpg", "b.JPEG", "c.jpg"]
    assert listing.find("a.png").name == "a.png"


def test_no_image_is_clutter() -> None:
    assert not any(map(is_clutter, ("ILSVRC2012_val_00000001.JPEG", "n01440764", "2007_000032.jpg")))


def test_lists_and_annotations_that_a_mac_left_are_not_read(tmp_path: Path) -> None:
    ilsvrc_trees.image_net_org(tmp_path)
    data = tmp_path / "ILSVRC2012_devkit_t12/data"
    for path in (*data.iterdir(), *(tmp_path / "ILSVRC2012_bbox_val_v3/val").iterdir()):
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7")
    report = ilsvrc.load(root=tmp_path).report
    assert "ignored     4 other files, such as ._ILSVRC2012_val_" in "\n".join(report.lines())
    tree = voc_trees.make(tmp_path)
    (tree / "ImageSets/Main/._val.txt").write_bytes(b"\0\5\x16\7")
    with pytest.raises(UserError, match=r"it has train, val$"):
        voc.load(root=str(tmp_path), split="vall")


@pytest.mark.parametrize(
    ("make", "load", "root"),
    [
        *((voc_trees.make, voc.load, root) for root in ("..", "VOCdevkit/VOC2007/JPEGImages")),
        *((coco_trees.make, coco.load, root) for root in ("..", "annotations", "val2014")),
    ],
)
def test_of_a_root_above_or_below_the_right_one_is_named(
    tmp_path: Path, make: Callable[[Path], Path], load: Callable[..., Any], root: str
) -> None:
    (tmp_path / "data").mkdir()
    make(tmp_path / "data")
    with pytest.raises(UserError, match=r"set dataset\.root=") as caught:
        load(root=str(tmp_path / "data" / root))
    named = str(caught.value).partition("set dataset.root=")[2].partition(",")[0]
    assert load(root=named).samples


@pytest.mark.parametrize(
    ("make", "load", "archive", "folder"),
    [
        (voc_trees.make, voc.load, "VOCtrainval_06-Nov-2007.tar", "VOCdevkit"),
        (coco_trees.make, coco.load, "annotations_trainval2014.zip", "annotations"),
        (coco_trees.make, coco.load, "val2014.zip", "val2014"),
    ],
)
def test_a_packed_archive_is_named_with_the_command_that_unpacks_it(
    tmp_path: Path, make: Callable[[Path], Path], load: Callable[..., Any], archive: str, folder: str
) -> None:
    if archive.endswith(".zip") and shutil.which("unzip") is None:
        pytest.skip("the command that a zip needs, unzip, is not here")
    make(tmp_path)
    before = load(root=str(tmp_path)).fingerprint
    stem, kind = archive.rsplit(".", 1)
    shutil.make_archive(str(tmp_path / stem), kind, tmp_path, folder)
    shutil.rmtree(tmp_path / folder)
    with pytest.raises(UserError, match=f"{archive}: still packed; unpack it: ") as caught:
        load(root=str(tmp_path))
    subprocess.run(["bash", "-ec", str(caught.value).partition("unpack it: ")[2]], check=True)
    assert load(root=str(tmp_path)).fingerprint == before
