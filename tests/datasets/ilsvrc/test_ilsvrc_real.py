"""The real files, whose counts are stated in the README of the folder they come from."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from benchmark.core.errors import UserError
from benchmark.datasets.ilsvrc import IlsvrcVal, ilsvrc_ids, load, load_classes
from benchmark.datasets.ilsvrc.classes import check_meta, check_synsets
from benchmark.datasets.images import read_sample
from benchmark.datasets.selection import arrange


@pytest.fixture(scope="module")
def originals(shared: Path) -> IlsvrcVal:
    return load(root=shared / "ilsvrc_originals", ground_truth=shared / "ground_truth")


@pytest.fixture(scope="module")
def truth(shared: Path) -> IlsvrcVal:
    return load(ground_truth=shared / "ground_truth")


def test_the_originals_are_136_images_of_117_classes_22_with_several_boxes(originals: IlsvrcVal) -> None:
    assert len(originals.samples) == 136
    assert len({sample.label for sample in originals.samples}) == 117
    assert sum(len(sample.boxes) > 1 for sample in originals.samples) == 22
    assert not originals.complete


def test_all_seven_sources_of_the_originals_are_read_and_agree(originals: IlsvrcVal) -> None:
    kinds = Counter(source.kind for source in originals.report.sources)
    assert kinds == Counter(["xml", "solution", "localization", "sizes", "labels", "devkit labels"])
    assert len(originals.report.checked) == 3


def test_every_original_decodes_to_its_annotated_size(originals: IlsvrcVal) -> None:
    for sample in originals.samples[::8]:
        assert read_sample(sample).shape[1::-1] == sample.size


def test_the_warped_set_is_634_images(shared: Path) -> None:
    dataset = load(root=shared / "ilsvrc_warped")
    assert len(dataset.samples) == 634
    assert {sample.size for sample in dataset.samples} == {(227, 227)}


def test_warped_boxes_are_refused_beside_the_original_truth(shared: Path) -> None:
    with pytest.raises(UserError, match=r"227x227.*image_sizes\.txt"):
        load(root=shared / "ilsvrc_warped", ground_truth=shared / "ground_truth")


def test_the_truth_is_50000_images_80477_boxes_1762_of_them_blacklisted(truth: IlsvrcVal) -> None:
    assert truth.complete
    assert sum(len(sample.boxes) for sample in truth.samples) == 80_477
    assert sum(sample.blacklisted for sample in truth.samples) == 1_762
    assert Counter(sample.label for sample in truth.samples) == dict.fromkeys(range(1000), 50)
    assert sum(len(sample.boxes) == 1 for sample in truth.samples) == 38_285  # protocol, section 5.2


def test_boxes_are_those_of_the_text_file_one_pixel_longer(truth: IlsvrcVal, shared: Path) -> None:
    rows = np.loadtxt(
        shared / "ground_truth/localization.txt", delimiter=",", usecols=(1, 2, 3, 4), dtype=np.int32
    )
    boxes = np.concatenate([sample.boxes for sample in truth.samples])
    assert np.array_equal(boxes, rows + np.array([0, 0, 1, 1]))


def test_the_fingerprint_does_not_depend_on_which_source_tells_the_truth(shared: Path) -> None:
    root = shared / "ilsvrc_originals"
    fingerprints = {
        load(images=root / "Data/CLS-LOC/val", boxes=root / "Annotations/CLS-LOC/val").fingerprint,
        load(images=root / "Data/CLS-LOC/val", boxes=root / "LOC_val_solution.csv").fingerprint,
        load(
            images=root / "Data/CLS-LOC/val", ground_truth=shared / "ground_truth", blacklist="none"
        ).fingerprint,
    }
    assert len(fingerprints) == 1


def test_a_stratified_1000_holds_every_class_once(truth: IlsvrcVal) -> None:
    assert len({sample.label for sample in arrange(truth.samples, "stratified", 3, 1000)}) == 1000


def test_our_classes_are_the_devkits(shared: Path) -> None:
    classes = load_classes()
    check_synsets(shared / "ground_truth/synset_words.txt", classes)
    check_meta(shared / "ground_truth/meta.mat", classes)
    synsets = scipy.io.loadmat(shared / "ground_truth/meta.mat", squeeze_me=True)["synsets"]
    words = {str(s["WNID"]): str(s["words"]) for s in synsets}
    assert [words[wnid] for wnid in classes.wnids] == list(classes.names)
    assert ilsvrc_ids(["n02119789", "n03255030"]) == (1, 1000)


def test_a_meta_file_that_is_none_is_refused(shared: Path) -> None:
    with pytest.raises(UserError, match="devkit"):
        check_meta(shared / "ground_truth/class_labels.txt", load_classes())
