"""The 700 real images: counts held against an independent loop and against VOC's own class lists."""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmark.core.masks import labelled
from benchmark.datasets.images import read_sample
from benchmark.datasets.multi_label import ManyObjects
from benchmark.datasets.voc import load


@pytest.fixture(scope="module")
def tree(shared: Path) -> Path:
    return shared / "voc2007_subset" / "VOCdevkit" / "VOC2007"


@pytest.fixture(scope="module", params=["train", "val"])
def dataset(request: pytest.FixtureRequest, tree: Path) -> ManyObjects:
    return load(root=str(tree), split=request.param)


def test_400_images_of_train_and_300_of_val_are_parts_of_their_splits(dataset: ManyObjects) -> None:
    assert len(dataset.samples) == {"voc2007_train": 400, "voc2007": 300}[dataset.name]
    assert not dataset.complete


def test_objects_are_those_of_a_plain_loop_over_the_xml(dataset: ManyObjects, tree: Path) -> None:
    expected: Counter[tuple[str, str, bool, int, int, int, int]] = Counter()
    for sample in dataset.samples:
        for node in ElementTree.parse(tree / f"Annotations/{sample.image_id}.xml").iter("object"):
            box = {child.tag: int(str(child.text)) for child in next(c for c in node if c.tag == "bndbox")}
            corners = (box["xmin"] - 1, box["ymin"] - 1, box["xmax"], box["ymax"])
            hard = node.findtext("difficult") == "1"
            expected[sample.image_id, str(node.findtext("name")), hard, *corners] += 1
    found: Counter[tuple[str, str, bool, int, int, int, int]] = Counter()
    for sample in dataset.samples:
        objects = sample.objects
        assert objects is not None
        for label, box, hard in zip(objects.classes, objects.boxes.tolist(), objects.difficult, strict=True):
            found[sample.image_id, dataset.classes[label], bool(hard), *box] += 1
    assert found == expected


def test_labelled_classes_are_those_of_vocs_own_class_lists(dataset: ManyObjects, tree: Path) -> None:
    """``ImageSets/Main/cat_val.txt`` says 1 (present), 0 (difficult objects alone) or -1."""
    split = "val" if dataset.name == "voc2007" else "train"
    for label, name in enumerate(dataset.classes):
        lines = (tree / f"ImageSets/Main/{name}_{split}.txt").read_text().split("\n")
        stated = dict(line.split() for line in lines if line)
        for sample in dataset.samples:
            plain, every = labelled(sample), labelled(sample, difficult=True)
            expected = "1" if label in plain else "0" if label in every else "-1"
            assert stated[sample.image_id] == expected


def test_sizes_are_those_of_the_decoded_images(dataset: ManyObjects) -> None:
    for sample in dataset.samples[::20]:
        assert read_sample(sample).shape[1::-1] == sample.size
