"""A collection of one's own classes, in ILSVRC's layout."""

import shutil
from pathlib import Path

import pytest
from helpers.ilsvrc_trees import Picture, write_devkit, write_images, write_solution, write_text, write_xml

from benchmark.core.errors import UserError
from benchmark.datasets.ilsvrc import IlsvrcVal, load, load_classes

# The trees' writer knows official classes; of these a person keeps three, and calls them his own.
PICTURES = (
    Picture(1, 7, ((0, 0, 19, 11),)),
    Picture(2, 970, ((3, 4, 9, 10),)),
    Picture(3, 65, ((5, 2, 6, 8),)),
)
LIST = "n01514668 my cock\nn01751748 sea snake, of mine\nn09193705 alp\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_images(tmp_path / "Data/CLS-LOC/val", PICTURES)
    write_xml(tmp_path / "Annotations/CLS-LOC/val", PICTURES)
    write_solution(tmp_path, PICTURES)
    (tmp_path / "LOC_synset_mapping.txt").write_text(LIST)
    return tmp_path


def own(root: Path, **options: object) -> IlsvrcVal:
    return load(root=root, **{"classes": "LOC_synset_mapping.txt", "name": "mine", "count": 3, **options})


def test_its_list_replaces_the_official_classes(root: Path) -> None:
    dataset = own(root)
    assert dataset.classes == ("n01514668", "n01751748", "n09193705")
    assert dataset.class_names == ("my cock", "sea snake, of mine", "alp")
    assert dataset.ilsvrc_ids == (1, 2, 3)
    assert [sample.label for sample in dataset.samples] == [0, 2, 1]
    assert dataset.name == "mine"


def test_it_is_complete_when_all_its_images_are_there(root: Path) -> None:
    assert own(root).complete
    assert not own(root, count=4).complete
    assert not own(root, limit=2).complete
    assert "1 of the 4 images are not here" in "\n".join(own(root, count=4).report.lines())
    assert "not here" not in "\n".join(own(root).report.lines())


def test_the_same_images_under_other_classes_are_another_dataset(root: Path) -> None:
    (root / "LOC_synset_mapping.txt").rename(root / "list.txt")
    assert own(root, classes=root / "list.txt").fingerprint == load(root=root).fingerprint, "same WNIDs"
    assert [sample.label for sample in load(root=root).samples] == [7, 970, 65]


def test_a_class_that_is_not_on_the_list_is_refused(root: Path) -> None:
    (root / "LOC_synset_mapping.txt").write_text("\n".join(LIST.splitlines()[:2]))
    with pytest.raises(UserError, match=r"n09193705 is not a WNID of the 2 classes.*dataset\.classes="):
        own(root)


@pytest.mark.parametrize(
    "text",
    ["", "n00000002 b\nn00000001 a\n", "n00000001 a\nn00000001 a\n", "cat a\n", "n1 a\n"],
    ids=["nothing", "unsorted", "one of them twice", "a word", "too short"],
)
def test_a_list_must_have_each_class_once_in_sorted_order(root: Path, text: str) -> None:
    (root / "LOC_synset_mapping.txt").write_text(text)
    with pytest.raises(UserError, match=r"dataset\.classes=.*sorted order"):
        own(root)


def test_the_official_classes_list_of_the_same_folder_is_not_taken_for_granted(root: Path) -> None:
    with pytest.raises(UserError, match=r"LOC_synset_mapping\.txt, line 1: n01514668.*dataset\.classes="):
        load(root=root)


def test_its_images_are_numbered_beyond_those_of_ilsvrc(root: Path) -> None:
    more = (*PICTURES, Picture(50_001, 7, ((0, 0, 3, 3),)))
    for part in ("Data", "Annotations"):
        shutil.rmtree(root / part)
    write_images(root / "Data/CLS-LOC/val", more)
    write_xml(root / "Annotations/CLS-LOC/val", more)
    write_solution(root, more)
    write_text(root / "text", more)
    (root / "blacklist.txt").write_text("50001\n")
    (root / "text/class_labels.txt").unlink()  # its labels are indices into the official list
    dataset = own(root, count=4, ground_truth=root / "text")
    assert dataset.samples[-1].image_id == "ILSVRC2012_val_00050001"
    assert [sample.blacklisted for sample in dataset.samples] == [False, False, False, True]
    (root / "LOC_synset_mapping.txt").unlink()
    with pytest.raises(UserError, match=r"ILSVRC2012_val_00050001.* is not an image of ILSVRC2012 val"):
        load(root=root)


def test_labels_as_numbers_of_the_classes_are_read_if_there_are_as_many_as_images(root: Path) -> None:
    shutil.rmtree(root / "Annotations")
    path = root / "ILSVRC2012_validation_ground_truth.txt"
    path.write_text("1\n3\n2\n")
    assert [sample.label for sample in own(root).samples] == [0, 2, 1]
    path.write_text("1\n3\n4\n")
    with pytest.raises(UserError, match=r"line 3: 4 is not an ILSVRC id 1…3"):
        own(root)
    path.write_text("1\n3\n")
    with pytest.raises(UserError, match="2 lines where 3 are expected"):
        own(root)


def test_the_devkit_of_ilsvrc_does_not_fit_them(root: Path) -> None:
    write_devkit(root / "devkit/data")
    with pytest.raises(UserError):
        own(root)


@pytest.mark.parametrize("count", [0, -1, True, "3"])
def test_the_size_of_the_set_must_be_a_count(root: Path, count: object) -> None:
    with pytest.raises(UserError, match=r"dataset\.count="):
        own(root, count=count)


def test_a_list_that_is_nowhere_is_named(root: Path) -> None:
    with pytest.raises(UserError, match=r"dataset\.classes=absent\.txt"):
        own(root, classes="absent.txt")


@pytest.mark.parametrize("options", [{"classes": None}, {}])
def test_another_number_of_images_does_not_go_by_the_official_name(
    root: Path, options: dict[str, object]
) -> None:
    with pytest.raises(
        UserError, match=r"dataset\.count=3: ilsvrc_val has 50000 images; .*dataset\.name=mine"
    ):
        own(root, name="ilsvrc_val", **options)


def test_other_classes_do_not_go_by_the_official_name_and_the_official_ones_do(root: Path) -> None:
    with pytest.raises(UserError, match=r"dataset\.classes=.*not the classes of ilsvrc_val; .*name=mine"):
        load(root=root, classes="LOC_synset_mapping.txt")
    (root / "LOC_synset_mapping.txt").unlink()
    official = root / "official.txt"
    official.write_text("".join(f"{wnid} some words\n" for wnid in load_classes().wnids))
    assert load(root=root, classes=official).fingerprint == load(root=root).fingerprint
