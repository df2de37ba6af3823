"""The embedded dataset: exact, reproducible, as hard as it says, and read by ILSVRC's own loader."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.datasets.embedded import ready
from benchmark.datasets.embedded.classes import BODIES, HEADS, KINDS, TEXTURES, WNIDS
from benchmark.datasets.embedded.draw import draw
from benchmark.datasets.embedded.scene import Picture, picture
from benchmark.datasets.ilsvrc import load, load_train
from benchmark.datasets.pixel_labels import read_pixel_labels

VAL = 0
MANY = [picture(VAL, number) for number in range(240)]


def share(shown: Picture) -> float:
    """Of the image, the largest box's."""
    height, width = shown.pixels.shape[:2]
    return float(max((b.x1 - b.x0) * (b.y1 - b.y0) for b in shown.boxes) / (height * width))


def test_classes_differ_in_body_texture_and_head_and_each_sign_alone_leaves_several() -> None:
    signs = [(kind.body, kind.texture, kind.head) for kind in KINDS]
    assert len({(body, texture) for body, texture, _ in signs}) == len(KINDS) == 24
    assert len({(body, head) for body, _, head in signs}) == len(KINDS)
    for axis, names in enumerate((BODIES, TEXTURES, HEADS)):
        assert set(Counter(sign[axis] for sign in signs).values()) == {24 // len(names)}
    assert len({kind.name for kind in KINDS}) == len(set(WNIDS)) == 24
    assert list(WNIDS) == sorted(WNIDS)


def test_an_image_depends_on_its_number_and_split_alone() -> None:
    again = picture(VAL, 17)
    np.testing.assert_array_equal(again.pixels, MANY[17].pixels)
    assert again.boxes == MANY[17].boxes
    assert picture(1, 17).pixels.shape != MANY[17].pixels.shape
    assert [shown.label for shown in MANY[:48]] == [*range(24), *range(24)]


def test_boxes_lie_inside_and_apart() -> None:
    for shown in MANY:
        height, width = shown.pixels.shape[:2]
        for number, box in enumerate(shown.boxes):
            assert 0 <= box.x0 < box.x1 <= width
            assert 0 <= box.y0 < box.y1 <= height
            for other in shown.boxes[:number]:
                assert box.x1 < other.x0 or other.x1 < box.x0 or box.y1 < other.y0 or other.y1 < box.y0


def test_a_box_is_tight_round_what_was_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without noise, and on one flat grey, whatever differs from grey is an object."""
    monkeypatch.setattr("benchmark.datasets.embedded.scene._DISTRACTED", 0.0)
    monkeypatch.setattr("benchmark.datasets.embedded.scene._SEVERAL", 0.0)
    grey = 5.0
    monkeypatch.setattr(
        "benchmark.datasets.embedded.scene._background",
        lambda dice, label, height, width: np.full((height, width, 3), grey),
    )
    for number in range(72):
        shown = picture(VAL, number)
        # Noise is below 14; every colour is above 30, so a pixel that is mostly object is brighter than this.
        painted = shown.pixels.max(axis=2) > grey + 14
        rows, columns = np.flatnonzero(painted.any(1)), np.flatnonzero(painted.any(0))
        (box,) = shown.boxes
        found = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        assert np.abs(np.subtract(found, box)).max() <= 1, (number, found, box)


def test_sizes_and_company_are_as_varied_as_promised() -> None:
    shares = sorted(map(share, MANY))
    assert shares[0] < 0.08
    assert shares[-1] > 0.7
    several = sum(len(shown.boxes) > 1 for shown in MANY) / len(MANY)
    assert 0.15 < several < 0.35
    shapes = {shown.pixels.shape for shown in MANY}
    assert len(shapes) > 200
    assert min(h / w for h, w, _ in shapes) < 0.6 < 1.6 < max(h / w for h, w, _ in shapes)
    places = [
        ((b.x0 + b.x1) / 2 / s.pixels.shape[1], (b.y0 + b.y1) / 2 / s.pixels.shape[0])
        for s in MANY
        for b in s.boxes
    ]
    assert np.std(places, axis=0).min() > 0.1


def test_colour_alone_does_not_tell_the_class() -> None:
    """The nearest class mean of mean colours, leaving one out, is right hardly more often than chance."""
    train = [picture(1, number) for number in range(480)]
    means = np.array([shown.pixels.mean((0, 1)) for shown in train])
    labels = np.array([shown.label for shown in train])
    centres = np.array([means[labels == label].mean(0) for label in range(24)])
    asked = np.array([shown.pixels.mean((0, 1)) for shown in MANY])
    nearest = ((asked[:, None] - centres) ** 2).sum(-1).argmin(1)
    assert (nearest == [shown.label for shown in MANY]).mean() < 3 / 24


def test_every_object_has_a_head_and_two_colours() -> None:
    axis = np.linspace(-1, 1, 81)
    u, v = np.meshgrid(axis, axis)
    for kind in KINDS:
        whole, second, head = draw(kind, u, v, 3.0)
        assert 0.05 < head.sum() / whole.sum() < 0.5
        assert 0.1 < second.sum() / whole.sum() < 0.75
        assert not (second & head).any()
        assert not ((second | head) & ~whole).any()


def test_the_files_are_read_by_the_loader_of_ilsvrc_val(tmp_path: Path) -> None:
    root = ready("val", 48, str(tmp_path))
    dataset = load(root=root, classes="LOC_synset_mapping.txt", name="embedded", count=48, blacklist="none")
    assert dataset.name == "embedded"
    assert dataset.complete
    assert tuple(dataset.classes) == WNIDS
    assert dataset.class_names[0] == KINDS[0].name
    for sample, shown in zip(dataset.samples, MANY, strict=False):
        assert sample.label == shown.label
        assert {tuple(map(int, box)) for box in sample.boxes} == {tuple(box) for box in shown.boxes}
        assert sample.path is not None
        with Image.open(sample.path) as image:
            stored = np.asarray(image, dtype=np.float64)
        assert stored.shape == shown.pixels.shape
        assert np.abs(stored - shown.pixels).mean() < 12  # JPEG


def test_it_is_made_once_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("benchmark.datasets.embedded.files.picture", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            ready("val", 24, str(tmp_path))
    assert not list(tmp_path.glob("*/val"))
    first = Path(ready("val", 24, str(tmp_path)))
    stamps = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    assert Path(ready("val", 24, str(tmp_path))) == first
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*")} == stamps
    assert len(list(first.rglob("*.JPEG"))) == len(list(first.rglob("*.xml"))) == 24
    assert Path(ready("val", 25, str(tmp_path))) != first


def _interrupted(split: int, number: int) -> Picture:
    if number == 3:
        raise KeyboardInterrupt
    return picture(split, number)


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dataset\.root\.split=test"):
        ready("test", 48, str(tmp_path))
    with pytest.raises(UserError, match=r"dataset\.count=3"):
        ready("val", 3, str(tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="BENCHMARK_CACHE"):
        ready("val", 24, str(tmp_path / "file"))


def test_the_masks_of_an_image_lie_in_its_boxes_and_touch_each_of_their_sides() -> None:
    for shown in MANY:
        own = shown.classes == shown.label + 1
        outside = own.copy()
        for box in shown.boxes:
            inside = own[box.y0 : box.y1, box.x0 : box.x1]
            outside[box.y0 : box.y1, box.x0 : box.x1] = False
            assert inside[[0, -1]].any(1).all()
            assert inside[:, [0, -1]].any(0).all()
        assert not outside.any()
        np.testing.assert_array_equal(shown.parts > 0, shown.classes > 0)
    distracted = sum(bool({*np.unique(shown.classes)} - {0, shown.label + 1}) for shown in MANY)
    assert 0.3 < distracted / len(MANY) < 0.45


def test_a_pixel_is_the_part_that_covers_most_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red stands for the body, green for its second colour, blue for the head, without light or noise."""
    module = "benchmark.datasets.embedded.scene"
    monkeypatch.setattr(f"{module}._colours", lambda dice: tuple(200.0 * np.eye(3)))
    monkeypatch.setattr(
        f"{module}._background", lambda dice, label, height, width: np.zeros((height, width, 3))
    )
    monkeypatch.setattr(f"{module}._SLOPE", 0.0)
    monkeypatch.setattr(f"{module}._NOISE", (0.0, 0.0))
    for number in range(24):
        shown = picture(VAL, number)
        shares = shown.pixels.astype(int)
        expected = np.where(shares.sum(2) > 100, shares.argmax(2) + 1, 0)
        np.testing.assert_array_equal(shown.parts, expected)
        assert set(np.unique(expected)) == {0, 1, 2, 3}


def test_the_loaders_know_the_png_files_of_both_splits(tmp_path: Path) -> None:
    for split, read in (("val", load), ("train", load_train)):
        root = ready(split, 24, str(tmp_path))
        only = {"blacklist": "none"} if split == "val" else {}
        dataset = read(root=root, classes="LOC_synset_mapping.txt", name="embedded", count=24, **only)
        for sample in dataset.samples:
            shown = picture(split == "train", sample.label)
            for kind, expected in (("classes", shown.classes), ("parts", shown.parts)):
                found = read_pixel_labels(sample.pixel_labels[kind], expected.shape[::-1], 24)
                np.testing.assert_array_equal(found, expected)
