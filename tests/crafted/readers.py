"""Every reader of files that others write, with small whole files of its kind."""

import bz2
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import scipy.io
import torch
from helpers import coco_trees, voc_trees
from helpers.caffe_wire import FORMATS, random_blobs
from helpers.random_records import make as random_records
from PIL import Image
from pycocotools import mask
from torch import nn

from benchmark.cli.app.places import PUBLISHED
from benchmark.core import text_lists
from benchmark.core.types import Box, Sample, View
from benchmark.datasets.coco import instances, outlines
from benchmark.datasets.ilsvrc import classes as synsets
from benchmark.datasets.ilsvrc import submission, text_annotations, xml_boxes
from benchmark.datasets.images import inspect, read_rgb
from benchmark.datasets.voc import annotation
from benchmark.models.assembly import read_mean_image
from benchmark.models.weights.caffemodel import read_caffemodel
from benchmark.models.weights.parameters import load_file
from benchmark.pipeline.cell import ShardKey
from benchmark.pipeline.heatmap_store import Heatmaps, read_heatmaps, write_heatmaps
from benchmark.pipeline.journal import Made, made_of, note_file, pace
from benchmark.reporting import published
from benchmark.reporting.archive import read_result, read_table
from benchmark.tasks.boxes.records import STORE, columns_of, metadata_of, read_records
from benchmark.training import passport

_RESULTS = PUBLISHED.parent / "reference"
_TRAINED = Path(passport.__file__).parents[1] / "models/weights/embedded/alexnet_compact.json"
_CLASSES = synsets.Classes(("n00000001", "n00000002", "n00000003"), (2, 3, 1), ("one", "two", "three"))
_VAL = "ILSVRC2012_val_0000000"


@dataclass(frozen=True)
class Reader:
    """A reader.

    Attributes:
        whole: Contents that it takes.
        read: Reads a file, and uses what it holds as far as a run does.
        name: Name of the file.
    """

    whole: tuple[bytes, ...]
    read: Callable[[Path], object]
    name: str = "file"


@dataclass(frozen=True)
class _Images:
    """What the reader of submissions asks of a dataset."""

    samples: tuple[Sample, ...]
    classes: tuple[str, ...] = _CLASSES.wnids


def readers(scratch: Path) -> dict[str, Reader]:
    """Return every reader by name; whole files are made below ``scratch``."""
    return {
        "caffemodel": Reader(_caffemodels(), read_caffemodel, "net.caffemodel"),
        "weights": Reader(_weights(), _load_weights, "net.pth"),
        "mean image": Reader(_means(), lambda path: read_mean_image(path, 2)),
        "ILSVRC's xml": Reader((_xml(),), lambda path: xml_boxes.parse(path, path.read_bytes())),
        "VOC's xml": Reader(_voc(), lambda path: annotation.parse(path, path.read_bytes())),
        "Kaggle's csv": _lines(
            f"ImageId,PredictionString\n{_VAL}1,n00000001 1 2 3 4 n00000001 0 0 9 9 \n",
            lambda path: text_annotations.read_solution(path, _CLASSES),
        ),
        "localization.txt": _lines(
            f"val/{_VAL}1.JPEG,1,2,3,4\nval/{_VAL}2.JPEG,0,0,9,9\n", text_annotations.read_localization
        ),
        "image_sizes.txt": _lines(
            f"val/{_VAL}1.JPEG,10,20\nval/{_VAL}2.JPEG,30,40\n", text_annotations.read_sizes
        ),
        "class_labels.txt": _lines(
            f"val/{_VAL}1.JPEG,0\nval/{_VAL}2.JPEG,2\n",
            lambda path: text_annotations.read_labels(path, _CLASSES),
        ),
        "devkit's labels": _lines(
            "1\n3\n2\n", lambda path: text_annotations.read_devkit_labels(path, _CLASSES, 3)
        ),
        "devkit's blacklist": _lines("36\n50\n", text_annotations.read_blacklist),
        "devkit's meta.mat": Reader(_meta(), lambda path: synsets.check_meta(path, _CLASSES)),
        "list of classes": _lists_of_classes(),
        "list of images": _lines(f'# mine\n{_VAL}1.JPEG 3\n"{_VAL}2"\r\n\n', text_lists.read_ids),
        "submission": Reader(_submissions(), _read_submission),
        "COCO's json": Reader((json.dumps(coco_trees.content()).encode(),), _read_coco),
        "images": Reader(_pictures(), _look),
        "parquet shards": Reader(
            _shards(scratch), lambda path: read_records([path]), "records-00003.parquet"
        ),
        "parquet of all shards": Reader(
            _merged(scratch), lambda path: read_records([path]), "all.records.parquet"
        ),
        "heatmap shards": Reader(_heatmaps(scratch), read_heatmaps, "heatmaps-00000.npz"),
        "journal": Reader(
            (Made({"device": "cpu"}, 1.5).note().encode(),), _read_journal, "records-00003.json"
        ),
        "result json": Reader(_some(_RESULTS / "embedded/table1", "*.json"), read_result),
        "table json": Reader(_some(_RESULTS / "embedded", "table1.json"), _read_table),
        "published yaml": Reader(_some(PUBLISHED, "*.yaml"), published.load),
        "passport json": Reader((_TRAINED.read_bytes(),), passport.read),
    }


def _lines(text: str, read: Callable[[Path], object]) -> Reader:
    return Reader((text.encode(), text.encode("utf-16")), read)


def _some(folder: Path, pattern: str) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(folder.glob(pattern))[:3])


def _caffemodels() -> tuple[bytes, ...]:
    blobs = random_blobs({"conv1/7x7": [(2, 3, 2, 2), (2,)], "fc": [(3, 2), (3,)]})
    return tuple(each.net(blobs) for each in FORMATS.values())


def _small_net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 2, 2), nn.BatchNorm2d(2), nn.Linear(2, 3))


def _load_weights(path: Path) -> object:
    return load_file(_small_net(), path)


def _weights() -> tuple[bytes, ...]:
    torch.manual_seed(0)
    state = _small_net().state_dict()
    arrays = {key: value.numpy() for key, value in state.items()}
    zipped, old, npz = (io.BytesIO() for _ in range(3))
    torch.save({"state_dict": state, "epoch": 3, "args": {"lr": 0.1}}, zipped)
    torch.save(state, old, _use_new_zipfile_serialization=False)
    np.savez(npz, **arrays)
    tensors = safetensors.torch.save(state)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net.safetensors", tensors)
    plain = (zipped.getvalue(), old.getvalue(), npz.getvalue(), tensors)
    return (*plain, gzip.compress(tensors), bz2.compress(tensors), packed.getvalue())


def _means() -> tuple[bytes, ...]:
    array = np.random.default_rng(0).integers(0, 255, (1, 3, 4, 4)).astype(np.float32)
    npy = io.BytesIO()
    np.save(npy, array)
    return (*(each.blob(array) for each in FORMATS.values()), npy.getvalue())


def _xml() -> bytes:
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"
    thing = f"<object><name>n00000001</name>{box}</object>"
    size = "<size><width>50</width><height>60</height><depth>3</depth></size>"
    return f'<?xml version="1.0"?>\n<annotation>{size}{thing}{thing}</annotation>'.encode()


def _voc() -> tuple[bytes, ...]:
    return tuple(voc_trees.xml(picture).encode() for picture in voc_trees.PICTURES)


def _meta() -> tuple[bytes, ...]:
    rows = list(zip(_CLASSES.ilsvrc_ids, _CLASSES.wnids, strict=True))
    table = np.array(rows, dtype=[("ILSVRC2012_ID", "O"), ("WNID", "O")])
    found = []
    for compressed in (False, True):
        file = io.BytesIO()
        scipy.io.savemat(file, {"synsets": table}, do_compression=compressed)
        found.append(file.getvalue())
    return tuple(found)


def _lists_of_classes() -> Reader:
    words = "n00000001 one, first\nn00000002 two\nn00000003 three\n"
    keras = {
        str(n): [wnid, name]
        for n, (wnid, name) in enumerate(zip(_CLASSES.wnids, _CLASSES.names, strict=True))
    }
    index = {wnid: n for n, wnid in enumerate(_CLASSES.wnids)}
    whole = (words, json.dumps(keras), json.dumps(index), json.dumps(list(_CLASSES.wnids)))

    def read(path: Path) -> None:
        text_lists.read_class_list(path)
        synsets.check_synsets(path, _CLASSES)
        synsets.read_classes(path)

    return Reader(tuple(text.encode() for text in whole), read)


def _submissions() -> tuple[bytes, ...]:
    devkit = "1 0 0 9 9 2 1 1 5 5\n3 0 0 9.5 9\n0 0 0 0 0\n"
    csv = f"ImageId,PredictionString\n{_VAL}1,n00000001 0 0 9 9\n{_VAL}2,2 1 1 5 5 1 0 0 3 3\n{_VAL}3,\n"
    return devkit.encode(), csv.encode()


def _read_submission(path: Path) -> object:
    box = np.array([[0, 0, 5, 5]], np.int32)
    images: Any = _Images(tuple(Sample(f"{_VAL}{n}", None, 0, box, size=(20, 20)) for n in (1, 2, 3)))
    return submission.read(path, images, _CLASSES.ilsvrc_ids)


def _read_coco(path: Path) -> None:
    for crowds in (True, False):
        found = instances.read(path, crowds)
        for picture in found.pictures.values():
            picture.objects()
            for runs in outlines.Outlines.of(picture.segmentations(), picture.size):
                mask.decode(runs)


def _pictures() -> tuple[bytes, ...]:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    found = []
    for kind, form, options in (
        *(
            ("RGB", "JPEG", {}),
            ("RGB", "JPEG", {"progressive": True}),
            ("L", "JPEG", {}),
            ("CMYK", "JPEG", {}),
        ),
        *(("RGB", "PNG", {}), ("RGBA", "PNG", {}), ("P", "PNG", {}), ("P", "GIF", {}), ("RGB", "BMP", {})),
        ("RGB", "WEBP", {}),
    ):
        file = io.BytesIO()
        image.convert(kind).save(file, form, **options)
        found.append(file.getvalue())
    return tuple(found)


def _look(path: Path) -> None:
    inspect(path, decode=False)
    read_rgb(path)


def _shards(scratch: Path) -> tuple[bytes, ...]:
    return tuple(_shard(scratch, seed).read_bytes() for seed in (0, 1))


def _shard(scratch: Path, seed: int) -> Path:
    drawn = random_records(seed, n=4, k=2)
    records = replace(
        drawn,
        label_peaks=np.zeros((4, 2), np.int32),
        label_empty=np.zeros(4, np.bool_),
        overlaps=np.zeros((4, 4)),
    )
    key = ShardKey(scratch / f"net-cam-{seed}" / "boxes", "a run", 3, dict.fromkeys(records.image_ids))
    STORE.write(key, columns_of(records), metadata_of(records), Made({}, 0.0))
    return STORE.file(key.folder, 3)


def _merged(scratch: Path) -> tuple[bytes, ...]:
    return (STORE.merge([_shard(scratch / "runs", 0)]).read_bytes(),)


def _heatmaps(scratch: Path) -> tuple[bytes, ...]:
    maps = np.random.default_rng(0).random((2, 3, 4, 4)).astype(np.float32)
    view = View(20, 20, Box(0, 0, 20, 20))
    found = Heatmaps(
        ("a", "b"),
        np.zeros((2, 2), np.int32),
        np.zeros((2, 2), np.float32),
        maps,
        np.ones((2, 3), np.float32),
        (view, view),
        {"c": "truncated"},
    )
    path = scratch / "crafted" / "heatmaps-00000.npz"
    write_heatmaps(path, found, Made({}, 0.0))
    return (path.read_bytes(),)


def _read_journal(path: Path) -> None:
    shard = path.with_suffix(".parquet")
    note_file(shard).parent.mkdir(exist_ok=True)
    note_file(shard).write_bytes(path.read_bytes())
    made_of(shard)
    pace(shard)


def _read_table(path: Path) -> object:
    link = path.parent / "table1"
    if not link.exists():
        link.symlink_to(_RESULTS / "embedded/table1")
    return read_table(path, lambda name: published.load(PUBLISHED / f"{name}.yaml"))
