"""Each source by itself: what it says, and what is refused with file and line."""

from pathlib import Path

import pytest

from benchmark.core.errors import UserError
from benchmark.datasets.ilsvrc.classes import check_synsets, load_classes
from benchmark.datasets.ilsvrc.crosscheck import Source, merge
from benchmark.datasets.ilsvrc.report import SourceReport
from benchmark.datasets.ilsvrc.text import half_open, parse_id
from benchmark.datasets.ilsvrc.text_annotations import (
    read_blacklist,
    read_devkit_labels,
    read_labels,
    read_localization,
    read_sizes,
    read_solution,
)
from benchmark.datasets.ilsvrc.xml_boxes import parse

CLASSES = load_classes()
ONE = "ILSVRC2012_val_00000001"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "given.txt"
    path.write_text(text)
    return path


def test_an_inclusive_box_of_one_pixel_covers_one_pixel() -> None:
    assert half_open([[3, 4, 3, 4]]).tolist() == [[3, 4, 4, 5]]
    assert half_open([]).shape == (0, 4)


def test_kaggles_csv_gives_class_and_all_boxes(tmp_path: Path) -> None:
    path = written(tmp_path, f"ImageId,PredictionString\r\n{ONE},n01751748 1 2 3 4 n01751748 5 6 7 8 \r\n")
    source = read_solution(path, CLASSES)
    assert source.labels == {ONE: CLASSES.wnids.index("n01751748")}
    assert source.boxes[ONE].tolist() == [[1, 2, 4, 5], [5, 6, 8, 9]]


def test_labels_may_be_separated_by_comma_or_by_space(tmp_path: Path) -> None:
    assert read_labels(written(tmp_path, f"val/{ONE}.JPEG,65\n"), CLASSES).labels == {ONE: 65}
    assert read_labels(written(tmp_path, f"{ONE}.JPEG 65\n"), CLASSES).labels == {ONE: 65}


def test_devkit_labels_are_ilsvrc_ids_one_a_line(tmp_path: Path) -> None:
    labels = read_devkit_labels(written(tmp_path, "490\n" + "1\n" * 49_999), CLASSES).labels
    assert len(labels) == 50_000
    assert labels[ONE] == 65
    assert CLASSES.wnids[labels["ILSVRC2012_val_00050000"]] == "n02119789"  # kit fox is the devkit's class 1


@pytest.mark.parametrize(
    "line",
    [
        f"{ONE},n01751748 1 2 3",
        f"{ONE},",
        f"{ONE},n01751748 1 2 3 x",
        f"{ONE},n01751748 1 2 3 4 n01440764 1 2 3 4",
        f"{ONE},n99999999 1 2 3 4",
        "cat,n01751748 1 2 3 4",
        "ILSVRC2012_val_00050001,n01751748 1 2 3 4",
        f"{ONE},n01751748 1 2 3 4\n{ONE},n01751748 1 2 3 4",
        f"{ONE},n01751748 1 2 3 99999999999999",
    ],
)
def test_a_broken_line_of_kaggles_csv_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(UserError, match=r"given\.txt"):
        read_solution(written(tmp_path, f"ImageId,PredictionString\n{line}\n"), CLASSES)


@pytest.mark.parametrize("line", [f"{ONE}.JPEG,1,2,3", f"{ONE}.JPEG,1,2,3,4,5", f"{ONE}.JPEG,1,2,3,4.5"])
def test_a_broken_line_of_boxes_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(UserError, match="line 2"):
        read_localization(written(tmp_path, f"{ONE}.JPEG,1,2,3,4\n{line}\n"))


@pytest.mark.parametrize("line", [f"{ONE}.JPEG,1", f"{ONE}.JPEG,500,375"])
def test_a_broken_line_of_sizes_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(UserError, match="line 2"):
        read_sizes(written(tmp_path, f"{ONE}.JPEG,500,375\n{line}\n"))


def test_a_label_out_of_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="1000"):
        read_labels(written(tmp_path, f"{ONE}.JPEG,1000\n"), CLASSES)


@pytest.mark.parametrize(
    "lines",
    [
        ["{1}.JPEG 66", "{2}.JPEG 1000"],
        ["n01751748/{1}.JPEG 66", "n01440764/{2}.JPEG 1"],
        ["val/n01751748/{1}.JPEG,66"],
    ],
    ids=["as 1000 occurs and 0 does not", "as folders of WNIDs say", "as one folder says"],
)
def test_labels_that_count_from_1_are_told_where_it_shows(tmp_path: Path, lines: list[str]) -> None:
    names = {"{1}": ONE, "{2}": "ILSVRC2012_val_00000002"}
    text = "\n".join(lines)
    for mark, name in names.items():
        text = text.replace(mark, name)
    with pytest.raises(UserError, match=r"given\.txt.*labels.* count from 1.*; subtract 1"):
        read_labels(written(tmp_path, text), CLASSES)


def test_labels_that_count_from_1_are_told_where_another_source_has_them(tmp_path: Path) -> None:
    ids = [f"ILSVRC2012_val_{number:08d}" for number in (1, 2, 3)]
    right = Source(Path("right"), labels=dict(zip(ids, (65, 970, 230), strict=True)))
    wrong = Source(Path("wrong"), labels={image_id: label + 1 for image_id, label in right.labels.items()})
    for sources in ([right, wrong], [wrong, right]):
        with pytest.raises(UserError, match=r"^wrong: its labels count from 1"):
            merge(sources, CLASSES)
    mixed = Source(Path("mixed"), labels={**right.labels, ids[0]: 66})
    with pytest.raises(UserError, match="00000001: label n01751748 in right, but n"):
        merge([right, mixed], CLASSES)


def test_labels_of_every_class_but_the_first_are_doubted_in_the_report() -> None:
    def line(labels: range) -> str:
        named = {f"ILSVRC2012_val_{number:08d}": number for number in labels}
        return SourceReport.of("labels", Source(Path("val.txt"), labels=named)).line

    assert line(range(1, 1000)).endswith(
        "every class has an image but the first: do its labels count from 1?"
    )
    assert line(range(1000)).endswith("val.txt")
    assert line(range(1, 9)).endswith("val.txt")


@pytest.mark.parametrize("text", ["490\n", "1\n" * 50_001, "0\n" * 50_000, "n01440764\n" * 50_000])
def test_devkit_labels_must_be_50000_ilsvrc_ids(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"given\.txt"):
        read_devkit_labels(written(tmp_path, text), CLASSES)


@pytest.mark.parametrize("text", ["", "0\n", "50001\n", "36 37\n", f"{ONE}\n"])
def test_a_blacklist_holds_image_numbers(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"given\.txt"):
        read_blacklist(written(tmp_path, text))


def test_a_binary_file_is_refused_as_text(tmp_path: Path) -> None:
    path = tmp_path / "given.txt"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(UserError, match=r"given\.txt"):
        read_blacklist(path)


def test_a_synset_list_in_another_order_is_refused_with_its_line(tmp_path: Path) -> None:
    wnids = list(CLASSES.wnids)
    check_synsets(written(tmp_path, "\n".join(wnids)), CLASSES)
    wnids[4], wnids[5] = wnids[5], wnids[4]
    with pytest.raises(UserError, match="line 5"):
        check_synsets(written(tmp_path, "\n".join(wnids)), CLASSES)
    with pytest.raises(UserError, match="line 1000"):
        check_synsets(written(tmp_path, "\n".join(CLASSES.wnids[:-1])), CLASSES)


def xml(inside: str) -> bytes:
    return f"<annotation>{inside}</annotation>".encode()


def box(name: str, corners: tuple[int | str, ...]) -> str:
    tags = zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=False)
    inside = "".join(f"<{tag}>{value}</{tag}>" for tag, value in tags)
    return f"<object><name>{name}</name><bndbox>{inside}</bndbox></object>"


def test_a_whole_number_with_a_fraction_is_the_same_in_every_source(tmp_path: Path) -> None:
    boxes = [
        parse(Path("a.xml"), xml(box("n01440764", ("0.0", "1", "2.0", "3")))).boxes,
        read_localization(written(tmp_path, f"{ONE}.JPEG,0.0,1,2.0,3\n")).boxes[ONE],
        read_solution(written(tmp_path, f"{ONE},n01440764 0.0 1 2.0 3\n"), CLASSES).boxes[ONE],
    ]
    assert [each.tolist() for each in boxes] == [[[0, 1, 3, 4]]] * 3
    assert read_sizes(written(tmp_path, f"{ONE}.JPEG 500.0 375")).sizes == {ONE: (500, 375)}
    assert read_blacklist(written(tmp_path, "36.0")) == {"ILSVRC2012_val_00000036"}


def test_an_xml_without_size_leaves_it_open() -> None:
    wnid, boxes, size = parse(Path("a.xml"), xml(box("n01440764", (0, 1, 2, 3))))
    assert (wnid, boxes.tolist(), size) == ("n01440764", [[0, 1, 3, 4]], None)


@pytest.mark.parametrize(
    "content",
    [
        xml(box("n01440764", (0, 1, 2, 3)) + box("n01443537", (0, 1, 2, 3))),
        xml(box("n01440764", (0, 1, 2))),
        xml(box("n01440764", (0, 1, 2, "3.5"))),
        xml("<object><name>n01440764</name></object>"),
        xml("<size><width>3</width></size>"),
        xml(box("n01440764", (0, 1, 2, 3)))[:-30],
        b"",
    ],
)
def test_a_broken_xml_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(UserError, match=r"a\.xml"):
        parse(Path("a.xml"), content)


@pytest.mark.parametrize("text", ["ILSVRC2012_val_1.JPEG", "ILSVRC2012_val_00000000", "val/", ""])
def test_only_the_official_images_have_an_id(text: str) -> None:
    with pytest.raises(UserError, match="here"):
        parse_id(text, "here")
