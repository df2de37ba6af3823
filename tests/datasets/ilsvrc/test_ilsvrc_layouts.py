"""Wrong roots, packed archives and lists that come along: each is used, or told with what to do."""

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import ilsvrc_trees as trees
from helpers.ilsvrc_trees import PICTURES

from benchmark.core.errors import UserError
from benchmark.datasets.ilsvrc import load, load_train


def refused(call: Callable[..., object], **options: object) -> str:
    with pytest.raises(UserError) as caught:
        call(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def named_root(message: str) -> str:
    found = re.search(r"set dataset\.root=([^,]+),", message)
    assert found, message
    return found[1]


@pytest.mark.parametrize(
    ("tree", "root"),
    [
        (trees.kaggle, ".."),
        (trees.kaggle_unpacked, ".."),
        (trees.kaggle_unpacked, "ILSVRC/Data"),
        (trees.kaggle_unpacked, "ILSVRC/Data/CLS-LOC"),
        (trees.kaggle_unpacked, "ILSVRC/Data/CLS-LOC/val"),
        (trees.flat_with_bbox, "val"),
        (trees.flat_with_bbox, "bbox"),
        (trees.text_beside_images, "val"),
        (trees.wnid_folders, ".."),
        (trees.image_net_org, "ILSVRC2012_devkit_t12"),
    ],
)
def test_of_a_root_above_or_below_the_right_one_is_named(
    tmp_path: Path, tree: Callable[[Path], None], root: str
) -> None:
    tree(tmp_path / "data")
    message = refused(load, root=tmp_path / "data" / root)
    assert len(load(root=named_root(message)).samples) == len(PICTURES)


@pytest.mark.parametrize("root", ["..", "train/n01440764", "val"])
def test_the_right_root_of_training_images_is_named(tmp_path: Path, root: str) -> None:
    trees.write_train(tmp_path / "data/train")
    for name in ("train/n01440764", "val"):
        (tmp_path / "data" / name).mkdir(exist_ok=True)
    message = refused(load_train, root=tmp_path / "data" / root)
    assert len(load_train(root=named_root(message)).samples) == len(PICTURES)


def pack(archive: Path, folder: Path, *names: str) -> None:
    """Write an archive of some of a folder's content, and remove the content."""
    archive.parent.mkdir(exist_ok=True)
    if archive.suffix == ".zip":
        shutil.make_archive(str(archive.with_suffix("")), "zip", folder)
    else:
        with tarfile.open(archive, "w:gz" if archive.suffix in (".tgz", ".gz") else "w") as file:
            for name in names:
                file.add(folder / name, name)
    shutil.rmtree(folder)


def unpack(message: str) -> dict[str, str]:
    """Run the commands of a message; returns the options that it names."""
    commands = message.partition("unpack: ")[2]
    assert commands, message
    then = dict(re.findall(r" \(then dataset\.(\w+)=([^)]+)\)", commands))
    subprocess.run(["bash", "-ec", re.sub(r" \(then [^)]+\)", "", commands)], check=True)
    return then


def archives_of_image_net_org(root: Path) -> None:
    """As image-net.org has them: images flat, annotations in val/, the devkit in its own folder."""
    work = root.parent / "work"
    trees.write_images(work)
    pack(root / "ILSVRC2012_img_val.tar", work, *(f"{picture.image_id}.JPEG" for picture in PICTURES))
    trees.write_xml(work / "val")
    pack(root / "ILSVRC2012_bbox_val_v3.tgz", work, "val")
    trees.write_devkit(work / "ILSVRC2012_devkit_t12/data")
    pack(root / "ILSVRC2012_devkit_t12.tar.gz", work, "ILSVRC2012_devkit_t12")


@pytest.mark.parametrize("writable", [True, False])
def test_packed_archives_are_named_with_the_commands_that_unpack_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writable: bool
) -> None:
    root = tmp_path / "my data"
    archives_of_image_net_org(root)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(os, "access", lambda path, mode: writable)
    options: dict[str, object] = {"root": root}
    message = refused(load, **options)
    assert all(str(archive) in message for archive in root.iterdir())
    options |= unpack(message)
    dataset = load(**options)
    assert [sample.image_id for sample in dataset.samples] == [picture.image_id for picture in PICTURES]
    assert {source.kind for source in dataset.report.sources} == {"xml", "devkit labels"}
    assert any(line.startswith("unused ") and "devkit_t12.tar.gz" in line for line in dataset.report.lines())
    assert {path.name for path in (tmp_path / "here").iterdir()} == (set() if writable else {"ILSVRC"})


def test_of_archives_those_are_named_whose_content_is_missing(tmp_path: Path) -> None:
    archives_of_image_net_org(tmp_path / "root")
    trees.write_images(tmp_path / "root/val")
    message = refused(load, root=tmp_path / "root")
    assert "img_val.tar" not in message
    unpack(message)
    assert len(load(root=tmp_path / "root").samples) == len(PICTURES)


def test_a_packed_devkit_is_named_where_labels_are_missing(tmp_path: Path) -> None:
    archives_of_image_net_org(tmp_path / "root")
    (tmp_path / "root/ILSVRC2012_bbox_val_v3.tgz").unlink()
    trees.write_images(tmp_path / "root/val")
    trees.write_text(tmp_path / "root")
    (tmp_path / "root/class_labels.txt").unlink()
    unpack(refused(load, root=tmp_path / "root"))
    assert load(root=tmp_path / "root").samples[0].label == PICTURES[0].label


@pytest.mark.skipif(shutil.which("unzip") is None, reason="the command that a zip needs, unzip, is not here")
def test_kaggles_zip_is_named_with_its_command(tmp_path: Path) -> None:
    trees.kaggle_unpacked(tmp_path / "work")
    pack(tmp_path / "root/imagenet-object-localization-challenge.zip", tmp_path / "work")
    unpack(refused(load, root=tmp_path / "root"))
    assert len(load(root=tmp_path / "root").samples) == len(PICTURES)


def test_the_training_images_unpack_with_one_line(tmp_path: Path) -> None:
    trees.write_train(tmp_path / "work/classes")
    for folder in sorted((tmp_path / "work/classes").iterdir()):
        pack(folder.with_suffix(".tar"), folder, *(path.name for path in folder.iterdir()))
    names = [path.name for path in (tmp_path / "work/classes").iterdir()]
    pack(tmp_path / "root/ILSVRC2012_img_train.tar", tmp_path / "work/classes", *names)
    unpack(refused(load_train, root=tmp_path / "root"))
    assert len(load_train(root=tmp_path / "root").samples) == len(PICTURES)


LABELS = {
    "caffe": "".join(f"{p.image_id}.JPEG {p.label}\n" for p in PICTURES),
    "openmmlab with its mark": "\ufeff" + "".join(f"{p.image_id}.JPEG\t{p.label}\r\n" for p in PICTURES),
    "with a heading": "filename,label\n" + "".join(f"{p.image_id}.JPEG,{p.label}\n" for p in PICTURES),
    "wnids": "".join(f'"{p.image_id}.JPEG","{p.wnid}"\n' for p in PICTURES),
}


@pytest.mark.parametrize("text", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("place", ["", "meta", "data/ilsvrc12"])
def test_val_txt_states_the_labels(tmp_path: Path, text: str, place: str) -> None:
    trees.text_beside_images(tmp_path)
    (tmp_path / "class_labels.txt").unlink()
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / place / "val.txt").write_text(text, newline="")
    dataset = load(root=tmp_path)
    assert [sample.label for sample in dataset.samples] == [picture.label for picture in PICTURES]
    assert ("labels", tmp_path / place / "val.txt") in [source[:2] for source in dataset.report.sources]
    (tmp_path / place / "val.txt").write_text(text.replace("65", "66").replace("n01751748", "n01440764"))
    trees.write_xml(tmp_path / "bbox/val")
    message = refused(load, root=tmp_path)
    assert "ILSVRC2012_val_00000001: label" in message
    assert "val.txt" in message
    assert load(root=tmp_path, labels=tmp_path / "bbox/val").fingerprint == dataset.fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{p.image_id} {n}\n" for n, p in enumerate(PICTURES, start=1)),
        "ILSVRC2012_val_00000001\n",
        "a 1\n",
        "",
    ],
    ids=["Kaggle's, with numbers of lines", "images alone", "another task's", "empty"],
)
def test_a_val_txt_without_labels_is_named_and_not_used(tmp_path: Path, text: str) -> None:
    trees.kaggle(tmp_path)
    (tmp_path / "val.txt").write_text(text)
    dataset = load(root=tmp_path)
    (line,) = [line for line in dataset.report.lines() if line.startswith("unused")]
    assert str(tmp_path / "val.txt") in line
    assert "dataset.labels=" in line
    assert str(tmp_path / "val.txt") in refused(load, root=tmp_path, labels=tmp_path / "val.txt")


def test_what_else_lies_in_the_root_is_named(tmp_path: Path) -> None:
    trees.kaggle(tmp_path)
    names = ("LOC_train_solution.csv", "a.json", "b.mat", "c.txt", "d.zip")
    (tmp_path / "0.txt").write_text(PICTURES[0].image_id)
    for name in (*names, "readme", ".hidden.txt"):
        (tmp_path / name).write_text("")
    (line,) = [
        line
        for line in load(root=tmp_path, list=tmp_path / "0.txt").report.lines()
        if line.startswith("unused")
    ]
    assert "LOC_train_solution.csv" in line
    assert "and 1 more" in line
    assert not any(
        line.startswith("unused")
        for line in load(
            images=tmp_path / "Data/CLS-LOC/val", boxes=tmp_path / "LOC_val_solution.csv"
        ).report.lines()
    )
