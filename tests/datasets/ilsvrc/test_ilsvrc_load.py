"""The dataset read from every layout, and from broken ones."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import ilsvrc_trees as trees
from helpers.ilsvrc_trees import LAYOUTS, PICTURES

from benchmark.core.errors import UserError
from benchmark.core.protocols import Dataset
from benchmark.datasets.ilsvrc import IlsvrcVal, load
from benchmark.datasets.images import read_sample
from benchmark.datasets.pixel_labels import write_pixel_labels

IDS = [picture.image_id for picture in PICTURES]


@pytest.fixture(params=LAYOUTS)
def any_root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    LAYOUTS[request.param](tmp_path)
    return tmp_path


@pytest.fixture
def kaggle_root(tmp_path: Path) -> Path:
    trees.kaggle(tmp_path)
    return tmp_path


def assert_is_the_small_set(dataset: IlsvrcVal) -> None:
    assert [sample.image_id for sample in dataset.samples] == IDS
    for sample, picture in zip(dataset.samples, PICTURES, strict=True):
        assert sample.label == picture.label
        assert dataset.classes[sample.label] == picture.wnid
        half_open = [(x0, y0, x1 + 1, y1 + 1) for x0, y0, x1, y1 in picture.boxes]
        assert sample.boxes.tolist() == [list(box) for box in half_open]
        assert sample.boxes.dtype == np.int32


def test_every_layout_gives_the_same_samples_and_images(any_root: Path) -> None:
    dataset = load(root=any_root)
    assert_is_the_small_set(dataset)
    for sample, picture in zip(dataset.samples, PICTURES, strict=True):
        assert read_sample(sample).shape == (picture.size[1], picture.size[0], 3)


def test_the_fingerprint_depends_neither_on_layout_nor_on_source_nor_on_place(tmp_path: Path) -> None:
    fingerprints = set()
    for name, make in LAYOUTS.items():
        make(tmp_path / name)
        fingerprints.add(load(root=tmp_path / name, blacklist="none").fingerprint)
    assert len(fingerprints) == 1


def test_a_read_only_root_is_read_and_nothing_is_written(any_root: Path) -> None:
    before = sorted(any_root.rglob("*"))
    for path in [any_root, *before]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert_is_the_small_set(load(root=any_root))
        assert sorted(any_root.rglob("*")) == before
    finally:
        for path in [any_root, *any_root.rglob("*")]:
            path.chmod(0o755)


def test_it_is_a_dataset_with_the_1000_classes(kaggle_root: Path) -> None:
    dataset = load(root=kaggle_root)
    assert isinstance(dataset, Dataset)
    assert len(dataset.classes) == len(dataset.class_names) == len(dataset.ilsvrc_ids) == 1000
    assert not dataset.complete
    assert dataset.report.layout == "flat"


def test_kaggles_csv_above_the_folder_ilsvrc_is_found_from_inside(tmp_path: Path) -> None:
    trees.kaggle_unpacked(tmp_path)
    dataset = load(root=tmp_path / "ILSVRC")
    assert {source.kind for source in dataset.report.sources} == {"xml", "solution"}


def test_each_part_can_be_named_by_itself(tmp_path: Path) -> None:
    trees.write_images(tmp_path / "a/pictures")
    trees.write_xml(tmp_path / "b/notes")
    trees.write_devkit(tmp_path / "c")
    trees.write_text(tmp_path / "d")
    blacklist = tmp_path / "left_out.txt"
    blacklist.write_text("2\n")
    dataset = load(
        images=tmp_path / "a/pictures",
        boxes=tmp_path / "b/notes",
        labels=tmp_path / "d/class_labels.txt",
        devkit=tmp_path / "c",
        blacklist=blacklist,
    )
    assert_is_the_small_set(dataset)
    assert [s.image_id for s in dataset.samples if s.blacklisted] == [IDS[1]]
    assert {source.kind for source in dataset.report.sources} == {"xml", "labels"}


def test_named_boxes_are_read_instead_of_those_found(kaggle_root: Path, tmp_path: Path) -> None:
    wrong = (replace(PICTURES[0], boxes=((7, 7, 8, 8),)), *PICTURES[1:])
    trees.write_xml(kaggle_root / "Annotations/CLS-LOC/val", wrong)
    assert_is_the_small_set(load(root=kaggle_root, boxes=kaggle_root / "LOC_val_solution.csv"))


def test_truth_alone_needs_no_image(tmp_path: Path) -> None:
    trees.write_text(tmp_path)
    dataset = load(ground_truth=tmp_path)
    assert_is_the_small_set(dataset)
    assert all(sample.path is None for sample in dataset.samples)
    with pytest.raises(UserError, match=r"dataset\.root"):
        read_sample(dataset.samples[0])


def test_images_from_root_are_checked_against_a_second_ground_truth(
    kaggle_root: Path, tmp_path: Path
) -> None:
    truth = tmp_path / "truth"
    trees.write_text(truth)
    trees.write_devkit(truth)
    dataset = load(root=kaggle_root, ground_truth=truth)
    assert_is_the_small_set(dataset)
    assert [sample.blacklisted for sample in dataset.samples] == [False, False, True, False]
    assert dataset.report.annotated_only == 50_000 - len(PICTURES)


def test_a_blacklist_is_found_switched_off_or_reported_as_absent(tmp_path: Path) -> None:
    trees.image_net_org(tmp_path)
    found, off = load(root=tmp_path), load(root=tmp_path, blacklist="none")
    assert [sample.image_id for sample in found.samples if sample.blacklisted] == [IDS[2]]
    assert not any(sample.blacklisted for sample in off.samples)
    assert found.fingerprint != off.fingerprint
    assert (found.conditions["blacklist"], off.conditions["blacklist"]) == ("used", "switched off")
    (tmp_path / "ILSVRC2012_devkit_t12/data/ILSVRC2014_clsloc_validation_blacklist.txt").unlink()
    assert load(root=tmp_path).conditions["blacklist"] == "not found"


def test_file_names_may_carry_the_class(tmp_path: Path) -> None:
    trees.flat_with_bbox(tmp_path)
    for picture in PICTURES:
        path = tmp_path / "val" / f"{picture.image_id}.JPEG"
        path.rename(path.with_name(f"{picture.image_id}_{picture.wnid}.JPEG"))
    assert_is_the_small_set(load(root=tmp_path))


def test_other_files_beside_the_images_are_ignored_and_named(tmp_path: Path) -> None:
    trees.flat_with_bbox(tmp_path)
    (tmp_path / "val/.DS_Store").write_text("")
    assert load(root=tmp_path).report.ignored == (".DS_Store",)


def test_a_link_to_the_image_folder_is_not_a_second_one(tmp_path: Path) -> None:
    trees.image_net_org(tmp_path)
    (tmp_path / "val").symlink_to(tmp_path / "ILSVRC2012_img_val")
    assert_is_the_small_set(load(root=tmp_path))


class TestFingerprint:
    def test_changes_with_a_box(self, kaggle_root: Path) -> None:
        before = load(root=kaggle_root).fingerprint
        moved = (replace(PICTURES[0], boxes=((0, 0, 19, 10),)), *PICTURES[1:])
        trees.write_xml(kaggle_root / "Annotations/CLS-LOC/val", moved)
        trees.write_solution(kaggle_root, moved)
        assert load(root=kaggle_root).fingerprint != before

    def test_changes_with_a_label(self, tmp_path: Path) -> None:
        trees.flat_with_bbox(tmp_path)
        before = load(root=tmp_path).fingerprint
        trees.write_xml(tmp_path / "bbox/val", (replace(PICTURES[0], label=66), *PICTURES[1:]))
        assert load(root=tmp_path).fingerprint != before

    def test_changes_with_an_image_file(self, kaggle_root: Path) -> None:
        before = load(root=kaggle_root).fingerprint
        with (kaggle_root / f"Data/CLS-LOC/val/{IDS[0]}.JPEG").open("ab") as file:
            file.write(b"\0")
        assert load(root=kaggle_root).fingerprint != before

    def test_changes_with_one_pixel_of_a_mask_beside_the_images(self, kaggle_root: Path) -> None:
        folder, (width, height) = kaggle_root / "SegmentationClass/val", PICTURES[0].size
        without, labels = load(root=kaggle_root), np.zeros((height, width), np.uint8)
        prints = {(without.fingerprint, without.annotations)}
        for row in range(3):
            labels[:] = 0
            labels[row, 0] = 1
            write_pixel_labels(folder / f"{IDS[0]}.png", labels)
            found = load(root=kaggle_root)
            prints.add((found.fingerprint, found.annotations))
        assert [len(set(each)) for each in zip(*prints, strict=True)] == [4, 4]

    def test_changes_with_the_subset_and_the_order(self, kaggle_root: Path) -> None:
        whole = load(root=kaggle_root)
        part = load(root=kaggle_root, limit=3)
        shuffled = load(root=kaggle_root, order="stratified", seed=0)
        assert [s.image_id for s in shuffled.samples] != [s.image_id for s in whole.samples]
        assert len({whole.fingerprint, part.fingerprint, shuffled.fingerprint}) == 3

    def test_does_not_change_with_the_order_or_repetition_of_boxes(self, tmp_path: Path) -> None:
        trees.flat_with_bbox(tmp_path)
        before = load(root=tmp_path).fingerprint
        boxes = PICTURES[1].boxes
        again = replace(PICTURES[1], boxes=(boxes[1], boxes[0], boxes[1]))
        trees.write_xml(tmp_path / "bbox/val", (PICTURES[0], again, *PICTURES[2:]))
        assert load(root=tmp_path).fingerprint == before


class TestDisagreement:
    """Every contradiction is refused with the image and both sources."""

    @staticmethod
    def refused(*words: str, **options: object) -> None:
        with pytest.raises(UserError) as caught:
            load(**options)
        message = str(caught.value)
        assert "\n" not in message
        for word in words:
            assert word in message

    def test_of_boxes(self, kaggle_root: Path) -> None:
        moved = (PICTURES[0], replace(PICTURES[1], boxes=((3, 4, 9, 9),)), *PICTURES[2:])
        trees.write_solution(kaggle_root, moved)
        self.refused(IDS[1], "boxes", "LOC_val_solution.csv", "Annotations", root=kaggle_root)

    def test_of_a_lacking_box(self, kaggle_root: Path) -> None:
        fewer = (PICTURES[0], replace(PICTURES[1], boxes=PICTURES[1].boxes[:1]), *PICTURES[2:])
        trees.write_solution(kaggle_root, fewer)
        self.refused(IDS[1], "LOC_val_solution.csv", root=kaggle_root)

    def test_of_labels(self, kaggle_root: Path) -> None:
        trees.write_solution(kaggle_root, (*PICTURES[:3], replace(PICTURES[3], label=8)))
        self.refused(IDS[3], "label", "LOC_val_solution.csv", "Annotations", root=kaggle_root)

    def test_of_sizes(self, kaggle_root: Path, tmp_path: Path) -> None:
        trees.write_text(tmp_path / "gt", (*PICTURES[:3], replace(PICTURES[3], size=(20, 13))))
        self.refused(
            *(IDS[3], "20x12", "20x13", "image_sizes.txt", "Annotations"),
            root=kaggle_root,
            ground_truth=tmp_path / "gt",
        )

    def test_of_devkit_labels(self, tmp_path: Path) -> None:
        trees.image_net_org(tmp_path)
        devkit = tmp_path / "ILSVRC2012_devkit_t12/data"
        trees.write_devkit(devkit, (replace(PICTURES[0], label=66), *PICTURES[1:]))
        self.refused(IDS[0], "label", "validation_ground_truth", root=tmp_path)

    def test_of_a_class_folder(self, tmp_path: Path) -> None:
        trees.write_images(tmp_path / "val", (replace(PICTURES[0], label=66), *PICTURES[1:]), True)
        trees.write_xml(tmp_path / "bbox/val")
        self.refused(IDS[0], "label", "bbox", root=tmp_path)

    def test_of_two_blacklists(self, kaggle_root: Path, tmp_path: Path) -> None:
        truth = tmp_path / "truth"
        (truth / "data").mkdir(parents=True)
        (truth / "blacklist.txt").write_text("36\n")
        (truth / "data/blacklist.txt").write_text("37\n")
        self.refused("different blacklists", "dataset.blacklist=", root=kaggle_root, ground_truth=truth)


class TestBrokenInput:
    """What is missing or cannot be true is refused in one line that says what to do."""

    refused = staticmethod(TestDisagreement.refused)

    def test_no_place_at_all(self) -> None:
        self.refused("dataset.root", "docs/data.md")
        self.refused("dataset.root", "docs/data.md", root=None)

    def test_a_path_that_does_not_exist(self, tmp_path: Path) -> None:
        self.refused("dataset.root", "nowhere", root=tmp_path / "nowhere")
        self.refused("dataset.blacklist", "nowhere", ground_truth=tmp_path, blacklist=tmp_path / "nowhere")

    def test_a_root_that_is_a_file(self, tmp_path: Path) -> None:
        archive = tmp_path / "ILSVRC2012_img_val.tar"
        archive.write_bytes(b"")
        self.refused(f"unpack: mkdir -p {tmp_path}/val && tar -xf {archive} -C", root=archive)
        (tmp_path / "list.csv").write_bytes(b"")
        self.refused("list.csv: not a folder", "docs/data.md", root=tmp_path / "list.csv")
        self.refused("dataset.boxes=", "unpack: ", root=tmp_path, boxes=archive)

    def test_an_empty_root(self, tmp_path: Path) -> None:
        self.refused(str(tmp_path), "ILSVRC2012_val_*.JPEG", "docs/data.md", root=tmp_path)

    def test_the_training_set(self, tmp_path: Path) -> None:
        folder = tmp_path / "n01440764"
        folder.mkdir()
        (folder / "n01440764_10026.JPEG").write_bytes(b"")
        self.refused("ILSVRC2012_val_*.JPEG", root=tmp_path)

    def test_images_without_any_box(self, tmp_path: Path) -> None:
        trees.write_images(tmp_path / "val", wnid_folders=True)
        self.refused("no boxes", "dataset.boxes=", root=tmp_path)

    def test_truth_without_any_label(self, tmp_path: Path) -> None:
        trees.write_text(tmp_path)
        (tmp_path / "class_labels.txt").unlink()
        self.refused("no labels;", "dataset.labels=", ground_truth=tmp_path)
        (tmp_path / "val.txt").write_text("ILSVRC2012_val_00000001 1\nILSVRC2012_val_00000002 2\n")
        self.refused(f"no labels ({tmp_path / 'val.txt'} gives no", "dataset.labels=", ground_truth=tmp_path)

    def test_an_empty_folder_of_truth(self, tmp_path: Path) -> None:
        self.refused(f"{tmp_path}: no boxes", "dataset.boxes=", ground_truth=tmp_path)

    def test_annotations_of_only_a_part(self, tmp_path: Path) -> None:
        trees.flat_with_bbox(tmp_path)
        (tmp_path / f"bbox/val/{IDS[1]}.xml").unlink()
        self.refused("1 of 4 images", IDS[1], "dataset.missing=skip", root=tmp_path)
        dataset = load(root=tmp_path, missing="skip")
        assert [sample.image_id for sample in dataset.samples] == [IDS[0], *IDS[2:]]
        assert dataset.skipped == {IDS[1]: "no label"}

    def test_an_xml_without_object(self, tmp_path: Path) -> None:
        trees.flat_with_bbox(tmp_path)
        trees.write_xml(tmp_path / "bbox/val", (replace(PICTURES[0], boxes=()),))
        self.refused("1 of 4 images", IDS[0], root=tmp_path)

    def test_two_image_folders(self, tmp_path: Path) -> None:
        trees.flat_with_bbox(tmp_path)
        trees.write_images(tmp_path / "ILSVRC2012_img_val")
        self.refused("dataset.images=", root=tmp_path)

    def test_an_image_that_is_there_twice(self, tmp_path: Path) -> None:
        trees.wnid_folders(tmp_path)
        trees.write_images(tmp_path / "val", PICTURES[:1])
        self.refused(IDS[0], "twice", root=tmp_path)

    def test_a_broken_link(self, tmp_path: Path) -> None:
        trees.flat_with_bbox(tmp_path)
        path = tmp_path / f"val/{IDS[0]}.JPEG"
        path.unlink()
        path.symlink_to(tmp_path / "nowhere")
        self.refused(IDS[0], "link", root=tmp_path)

    def test_a_wnid_folder_of_no_class(self, tmp_path: Path) -> None:
        trees.flat_with_bbox(tmp_path)
        (tmp_path / "val/n99999999").mkdir()
        (tmp_path / f"val/{IDS[0]}.JPEG").rename(tmp_path / f"val/n99999999/{IDS[0]}.JPEG")
        self.refused("n99999999", root=tmp_path)

    @pytest.mark.parametrize(
        "box", [(0, 0, 20, 11), (0, 0, 19, 12), (-1, 0, 5, 5), (9, 0, 8, 5), (0, 5, 3, 4)]
    )
    def test_a_box_outside_or_reversed(self, tmp_path: Path, box: trees.Inclusive) -> None:
        trees.flat_with_bbox(tmp_path)
        trees.write_xml(tmp_path / "bbox/val", (replace(PICTURES[0], boxes=(box,)), *PICTURES[1:]))
        self.refused(IDS[0], " ".join(map(str, box)), root=tmp_path)

    def test_resized_images_with_boxes_from_a_source_without_sizes(self, tmp_path: Path) -> None:
        trees.wnid_folders_and_csv(tmp_path)
        trees.write_images(tmp_path, (replace(PICTURES[0], size=(10, 6)),), wnid_folders=True)
        with pytest.raises(UserError, match=IDS[0]):
            read_sample(load(root=tmp_path).samples[0])

    def test_wrong_choices(self, kaggle_root: Path) -> None:
        self.refused("dataset.missing=ignore", root=kaggle_root, missing="ignore")
        self.refused("dataset.order=random", root=kaggle_root, order="random")
        for limit in (0, -1, 1.5, "all", True):
            self.refused("dataset.limit", root=kaggle_root, limit=limit)

    def test_a_folder_without_permission(self, kaggle_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        secret = kaggle_root / "Annotations/CLS-LOC/val"
        scan = os.scandir

        def scandir(folder: Path) -> object:  # chmod would not keep root, whom tests may run as, out
            if Path(folder) == secret:
                raise PermissionError(errno.EACCES, "Permission denied", str(folder))
            return scan(folder)

        monkeypatch.setattr(os, "scandir", scandir)
        self.refused(str(secret), "permissions", root=kaggle_root)


class TestSubset:
    def test_a_list_names_images_with_or_without_folder_and_suffix(self, kaggle_root: Path) -> None:
        names = kaggle_root / "names.txt"
        names.write_text(f"# two of them\nval/{IDS[3]}.JPEG\n\n{IDS[0]}\n")
        dataset = load(root=kaggle_root, list=names)
        assert [sample.image_id for sample in dataset.samples] == [IDS[0], IDS[3]]

    @pytest.mark.parametrize("place", ["root", "ground_truth"])
    def test_a_listed_image_that_is_not_there_is_named(self, tmp_path: Path, place: str) -> None:
        trees.text_beside_images(tmp_path)
        names = tmp_path / "names.txt"
        names.write_text(f"{IDS[0]}\nILSVRC2012_val_00000003\n")
        TestDisagreement.refused("ILSVRC2012_val_00000003", "dataset.list", list=names, **{place: tmp_path})

    def test_a_limit_keeps_the_first(self, kaggle_root: Path) -> None:
        assert [s.image_id for s in load(root=kaggle_root, limit=2).samples] == IDS[:2]
        assert len(load(root=kaggle_root, limit=99).samples) == len(PICTURES)

    def test_a_stratified_beginning_holds_each_class_once(self, kaggle_root: Path) -> None:
        for seed in range(5):
            samples = load(root=kaggle_root, order="stratified", limit=3, seed=seed).samples
            assert len({sample.label for sample in samples}) == 3
