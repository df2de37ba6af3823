from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from helpers.random_records import make

from benchmark.core.errors import UserError
from benchmark.core.types import Records, Sample
from benchmark.datasets.ilsvrc.submission import Submission, images_path, read, write
from benchmark.metrics.classification import Classification
from benchmark.metrics.localization import Localization

IDS = (490, 361, 171, 822, 297, 482, 13, 704)  # of eight classes


@dataclass
class Handful:
    """A dataset of truth alone."""

    samples: Sequence[Sample]
    name: str = "handful"
    classes: Sequence[str] = "abcdefgh"
    class_names: Sequence[str] = "abcdefgh"
    complete: bool = False
    fingerprint: str = ""
    annotations: str = ""
    skipped: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)


def dataset_of(records: Records) -> Handful:
    return Handful(
        tuple(
            Sample(
                image_id=image_id,
                path=None,
                label=int(records.labels[row]),
                boxes=records.truth[records.owner == row],
                blacklisted=bool(records.blacklisted[row]),
                size=(100, 100) if row % 2 else None,
            )
            for row, image_id in enumerate(records.image_ids)
        )
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "boxes.txt"


def three(path: Path, text: str) -> Records:
    """What a text says of three images."""
    path.write_text(text, encoding="utf-8")
    return read(path, dataset_of(make(0, n=3)), IDS).records


def test_a_line_is_class_number_and_inclusive_box_up_to_five_times(path: Path) -> None:
    classes = np.array([[2, 0, -1]], np.int32)
    boxes = np.array([[[3, 4, 10, 20], [0, 0, 1, 1], [0, 0, 0, 0]]], np.int32)
    write(path, make(0, n=1, k=3, classes=classes, boxes=boxes), IDS)
    assert path.read_text() == "171 3 4 9 19 490 0 0 0 0\n"
    assert images_path(path).read_text() == "image_00000\n"


@pytest.mark.parametrize("k", [1, 3, 5])
def test_what_was_written_is_read_again(path: Path, k: int) -> None:
    records = make(1, k=k)
    write(path, records, IDS)
    again = read(path, dataset_of(records), IDS).records
    assert again.image_ids == records.image_ids
    for column in ("labels", "blacklisted", "truth", "owner"):
        assert (getattr(again, column) == getattr(records, column)).all()
    assert (again.classes[:, :k] == records.classes).all()
    assert (again.boxes[:, :k] == records.boxes).all()
    assert (again.classes[:, k:] == -1).all()
    assert again.boxes.dtype == again.classes.dtype == np.int32
    assert Localization()(again) == Localization()(records)
    assert Classification()(again) == Classification()(records)


def test_of_more_than_five_guesses_five_are_written(path: Path) -> None:
    write(path, make(0, k=8), IDS)
    assert {len(line.split()) for line in path.read_text().splitlines()} == {25}


def test_lines_are_in_the_order_of_the_image_ids_whatever_the_records_order(path: Path) -> None:
    records = make(0)
    order = np.random.default_rng(0).permutation(60)
    ids = tuple(f"image_{row:05}" for row in order)
    write(path, make(0, image_ids=ids), IDS)
    listed = images_path(path).read_text().split()
    assert listed == sorted(ids)
    first = int(np.flatnonzero(order == 0)[0])
    label, x0 = path.read_text().split()[:2]
    assert (int(label), int(x0)) == (IDS[records.classes[first, 0]], records.boxes[first, 0, 0])


def test_a_subset_is_scored_against_the_whole_and_the_rest_is_counted(path: Path) -> None:
    records = make(0)
    write(path, records, IDS)
    listed = images_path(path).read_text().split()
    kept = [1, 5, 30]
    path.write_text("".join(f"{line}\n" for i, line in enumerate(path.read_text().splitlines()) if i in kept))
    images_path(path).write_text("".join(f"val/{listed[i]}.JPEG 7\n" for i in kept))
    part = read(path, dataset_of(records), IDS).records
    assert part.image_ids == tuple(listed[i] for i in kept)
    assert (part.labels == records.labels[kept]).all()
    assert len(part.skipped) == 57
    assert set(part.skipped.values()) == {"not in boxes.txt"}


def test_without_a_list_the_lines_are_the_datasets_images_in_the_order_of_their_ids(path: Path) -> None:
    records = make(0)
    write(path, records, IDS)
    images_path(path).unlink()
    samples = dataset_of(records).samples
    backwards = read(path, Handful(list(samples)[::-1]), IDS).records
    assert backwards.image_ids == records.image_ids
    assert (backwards.labels == records.labels).all()


def test_unknowns_are_marked_as_unknown(path: Path) -> None:
    records = three(path, "490 0 0 1 1\n" * 3)
    assert np.isnan(records.scores).all()
    assert (records.peaks == -1).all()
    assert not records.empty.any()
    assert records.sizes.tolist() == [[-1, -1], [100, 100], [-1, -1]]
    assert records.label_boxes is None
    assert records.curve is None


@pytest.mark.parametrize(
    "line",
    [
        "361 1 2 3 4",
        "361 1 2 3 4 ",
        "  361\t1\t2\t3\t4",
        "361,1,2,3,4",
        "361, 1, 2, 3, 4",
        '"361";"1";"2";"3";"4"',
        "# ours\n361 1 2 3 4",
        "361 1 2 3 4" + 4 * " -1 -1 -1 -1 -1",
        "361 1.0 2.0 3.0 4.0",
        "3.61e2 1 2 3 4",
        "361 1 2 3 4 490 5 5 6 6",
        "361 1 2 3 4" + 4 * " 0 0 0 0 0",
        "361 1 2 3 4" + 6 * " 490 5 5 6 6",
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_people_write_is_read(path: Path, line: str, ending: str) -> None:
    records = three(path, "\ufeff" + ending.join([line] * 3 + ["", " "]))
    assert (records.classes[:, 0] == 1).all()
    assert (records.boxes[:, 0] == [1, 2, 4, 5]).all()


GOOD = "490 0 0 9 9\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        (GOOD + "\n" + GOOD, "line 2: is empty"),
        (GOOD * 2, "has 2 lines for the dataset's 3 images"),
        (GOOD * 4, "has 4 lines for the dataset's 3 images"),
        ("id,boxes\n" + GOOD * 3, "line 1: has 2 columns"),
        (GOOD + "490 0 0 9\n" + GOOD, "line 2: has 4 columns"),
        (GOOD + "490 0 0 nine 9\n" + GOOD, "line 2: '0 0 nine 9' where 4 numbers are expected"),
        (GOOD + "490 0 0 inf 9\n" + GOOD, "line 2: '0 0 inf 9' where 4 numbers are expected"),
        (GOOD + "490 0 0 nan 9\n" + GOOD, "line 2: '0 0 nan 9' where 4 numbers are expected"),
        (GOOD + "0 0 0 9 9\n" + GOOD, "line 2: 0 is not a class"),
        (GOOD + "n01440764 0 0 9 9\n" + GOOD, "line 2: 'n01440764' where a number is"),
        (GOOD + "1001 0 0 9 9\n" + GOOD, "line 2: 1001 is not a class"),
        (GOOD + "490 0 0 9 9999999999\n" + GOOD, "line 2: '0 0 9 9999999999' where .* original pixels"),
    ],
)
def test_a_malformed_text_is_refused_with_its_line(path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UserError, match="boxes.txt.*" + complaint) as refusal:
        three(path, text)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("listing", "complaint"),
    [
        ("image_00000\nimage_00001\n", "3 lines for 2 images in boxes.txt.images.txt"),
        ("image_00000\nimage_00001\nimage_00001\n", "images.txt: names image_00001 twice"),
        ("image_00000\nimage_00001\nelsewhere\n", "images.txt, line 3: the dataset has no image 'elsewhere'"),
    ],
)
def test_a_list_of_images_that_does_not_fit_is_refused(path: Path, listing: str, complaint: str) -> None:
    images_path(path).write_text(listing)
    with pytest.raises(UserError, match=complaint):
        three(path, GOOD * 3)


def test_what_is_not_text_or_not_there_is_refused(path: Path) -> None:
    dataset = dataset_of(make(0, n=3))
    with pytest.raises(UserError, match=r"boxes.txt: cannot be read \(No such file"):
        read(path, dataset, IDS)
    path.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(UserError, match="it is not text"):
        read(path, dataset, IDS)
    with pytest.raises(UserError, match="cannot be read"):
        read(path.parent, dataset, IDS)


def test_an_image_without_a_guess_is_not_written(path: Path) -> None:
    classes = make(0).classes.copy()
    classes[7] = -1
    with pytest.raises(UserError, match="image_00007: no class was predicted"):
        write(path, make(0, classes=classes), IDS)
    assert not path.exists()


def test_a_text_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be"):
        write(tmp_path / "file" / "boxes.txt", make(0), IDS)
    with pytest.raises(UserError, match="cannot be"):
        write(tmp_path, make(0), IDS)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_boxes_may_reach_beyond_the_image_as_the_devkit_allows(path: Path) -> None:
    records = three(path, "490 -3 -4 500 600\n" * 3)
    assert records.boxes[0, 0].tolist() == [-3, -4, 501, 601]


def m_file(lines: Sequence[str], samples: Sequence[Sample], depth: int) -> float:
    """The devkit's ``eval_clsloc.m`` in its own order of operations: localization error of ``depth`` guesses.

    ``dlmread`` gives a matrix as wide as the longest line, with zeros where others end.
    """
    rows = [[float(word) for word in line.replace(",", " ").split()] for line in lines]
    width = min(max(map(len, rows)), 5 * depth)
    errors = []
    for row, sample in zip(rows, samples, strict=True):
        padded = (row + [0.0] * width)[:width]
        wrong = 1
        for start in range(0, width, 5):
            label, x1, y1, x2, y2 = padded[start : start + 5]
            if label != IDS[sample.label]:
                continue
            for gx1, gy1, gx2, gy2 in (sample.boxes - [0, 0, 1, 1]).tolist():
                iw = min(x2, gx2) - max(x1, gx1) + 1
                ih = min(y2, gy2) - max(y1, gy1) + 1
                union = (x2 - x1 + 1) * (y2 - y1 + 1) + (gx2 - gx1 + 1) * (gy2 - gy1 + 1) - iw * ih
                if iw > 0 and ih > 0 and iw * ih / union >= 0.50:
                    wrong = 0
        if not sample.blacklisted:
            errors.append(wrong)
    return sum(errors) / len(errors)


@pytest.mark.parametrize("digits", [0, 1, 6])
@pytest.mark.parametrize("most", [5, 8])
def test_errors_are_those_of_the_devkits_m_file(path: Path, digits: int, most: int) -> None:
    """Zeros in fixed columns, fractions, more than five predictions a line, in one text of 2,000 images."""
    records, rng = make(digits, n=2000, k=8), np.random.default_rng(most)
    dataset = dataset_of(records)
    lines = []
    for row in range(2000):
        groups = []
        for place in range(rng.integers(1, most + 1)):
            x0, y0, x1, y1 = records.boxes[row, place] - [0, 0, 1, 1] + rng.random(4).round(digits)
            if not (row + place) % 13:  # reversed, by less than a pixel or by more
                x1 = x0 - (0.5 if row % 2 else 3)
            corners = " ".join(f"{value:.{digits}f}" for value in (x0, y0, x1, y1))
            groups.append(f"{IDS[records.classes[row, place]]} {corners}")
        if not row % 7:
            groups.insert(0, "0 0 0 0 0")
        lines.append(" ".join(groups + ["0 0 0 0 0"] * (5 - len(groups))))
    path.write_text("\n".join(lines))
    found = read(path, dataset, IDS)
    measured = Localization(resamples=1)(found.records)
    assert measured["loc_top1"].value == m_file(lines, dataset.samples, 1)
    assert measured["loc_top5"].value == m_file(lines, dataset.samples, 5)
    told = " ".join(found.remarks)
    assert "predictions are zeros" in told
    assert "boxes are reversed" in told
    assert ("fractional" in told) == (digits > 0)
    assert ("beyond the fifth" in told) == any(len(line.split()) > 25 for line in lines)


def test_an_image_of_zeros_alone_has_no_prediction(path: Path) -> None:
    path.write_text(GOOD * 2 + "0 0 0 0 0\n")
    found = read(path, dataset_of(make(0, n=3)), IDS)
    assert found.records.classes.tolist()[2] == [-1] * 5
    assert found.remarks == ("1 predictions are zeros or -1 alone, which stand for none, as by the devkit",)


WNIDS = (
    "n01440764",
    "n01443537",
    "n01484850",
    "n01491361",
    "n01494475",
    "n01496331",
    "n01498041",
    "n01514668",
)


def kaggles(path: Path, *lines: str, head: str = "ImageId,PredictionString") -> Submission:
    dataset = dataset_of(make(0, n=3))
    dataset.classes = WNIDS
    path.write_text("\n".join([head, *lines]) + "\n")
    return read(path, dataset, IDS)


def test_kaggles_csv_names_its_images_and_numbers_classes_by_sorted_wnid(path: Path) -> None:
    wnid = kaggles(
        path, "image_00001,n01443537 1 2 3 4 n01440764 5 6 7 8 ", 'image_00000,"n01514668 0 0 9 9"'
    )
    number = kaggles(path, "image_00001.JPEG,2 1 2 3 4 1 5 6 7 8", "image_00000,8 0 0 9 9")
    assert wnid.remarks == ()
    assert number.remarks == (
        "2 images have numbers as classes, which are lines of LOC_synset_mapping.txt, from 1",
    )
    for records in (wnid.records, number.records):
        assert records.image_ids == ("image_00001", "image_00000")
        assert records.classes.tolist() == [[1, 0, -1, -1, -1], [7, -1, -1, -1, -1]]
        assert records.boxes[0, :2].tolist() == [[1, 2, 4, 5], [5, 6, 8, 9]]
        assert dict(records.skipped) == {"image_00002": "not in boxes.txt"}


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_kaggles_csv_may_have_folders_and_another_separator(path: Path, between: str) -> None:
    found = kaggles(
        path,
        f"val/image_00000.JPEG{between}1 0 0 9 9",
        f"val\\image_00001.JPEG{between}",
        head=f"ImageId{between}PredictionString",
    )
    assert found.records.image_ids == ("image_00000", "image_00001")
    assert found.records.classes[:, 0].tolist() == [0, -1]
    assert not any("does not have" in remark for remark in found.remarks)


def test_kaggles_csv_may_have_other_columns_and_images_and_none_predicted(path: Path) -> None:
    found = kaggles(
        path,
        "0,image_00000,1 0 0 9 9,x",
        "1,image_00002,,",
        "2,else,1 0 0 9 9,",
        head=',"ImageId","PredictionString",note',
    )
    assert found.records.image_ids == ("image_00000", "image_00002")
    assert found.records.classes[:, 0].tolist() == [0, -1]
    assert "1 images have no prediction, and count as errors" in found.remarks
    assert "1 lines are about images that the dataset does not have, and are not counted" in found.remarks


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("image_00000,n99999999 0 0 9 9", "line 2: 'n99999999' where"),
        ("image_00000,9 0 0 9 9", r"line 2: 9 is not a class.*LOC_synset_mapping\.txt, 1…8"),
        ("image_00000,1 0 0 9", "line 2: has 4 columns"),
        ("image_00000,1 0 0 9 9\nimage_00000,1 0 0 9 9", "names image_00000 twice"),
        ("ILSVRC2012_test_00000001,1 0 0 9 9", "no image of the dataset, but ILSVRC2012_test_00000001"),
        ("", "no image of the dataset, but nothing"),
    ],
)
def test_a_malformed_csv_is_refused(path: Path, line: str, complaint: str) -> None:
    with pytest.raises(UserError, match="boxes.txt.*" + complaint):
        kaggles(path, line)
