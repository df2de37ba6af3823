"""The picture sheet: it shows what was recorded, and is made again only when something changed."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmark.pipeline.run import measure
from helpers.small_scenes import cell, scene
from PIL import Image
from skimage.measure import label

from benchmark.core.errors import UserError
from benchmark.core.types import Box, FloatArray, Sample
from benchmark.metrics.localization import Localization
from benchmark.pipeline.cell import Cell, Scene
from benchmark.pipeline.results import merged_records, result
from benchmark.pipeline.store import read_records, record_file
from benchmark.reporting.table import DatasetNote, Table
from benchmark.tasks.boxes.pictures import checked_count, picture_sheet
from benchmark.tasks.boxes.pictures.draw import verdict
from benchmark.tasks.boxes.pictures.gather import chosen, gather
from benchmark.tasks.boxes.pictures.sheet import Guess
from benchmark.tasks.boxes.pictures.text import cut, width, wrapped
from benchmark.tasks.boxes.pictures.tile import DARK, GUESS, SIDE, TRUTH, fitted, placed, tile

ROWS = (("grad_cam", "max_box"), ("cam", "strict"), ("backprop", "grabcut"))
Cells = dict[str, tuple[Scene, Cell]]


@pytest.fixture
def cells(tmp_path: Path) -> Cells:
    """Three measured rows on ten images."""
    on = scene(tmp_path)
    made = [cell(on, tmp_path / "runs", method, localizer) for method, localizer in ROWS]
    measure(on, made)
    return {one.row: (on, one) for one in made}


def table(cells: Cells) -> Table:
    dataset = next(iter(cells.values()))[0].dataset
    note = DatasetNote(dataset.name, len(dataset.samples), dataset.complete, dataset.fingerprint)
    rows = tuple(result(on, one, {"localization": Localization(resamples=10)}) for on, one in cells.values())
    return Table("small", "Small", note, rows)


def sheet(cells: Cells, path: Path, count: int = 4) -> list[Path]:
    return picture_sheet(path, table(cells), cells, count)


def samples(labels: Sequence[int]) -> list[Sample]:
    none = np.zeros((0, 4), np.int32)
    return [Sample(f"{number:03d}", None, one, none) for number, one in enumerate(labels)]


def test_images_are_spread_over_the_dataset_and_over_its_classes() -> None:
    one_in_three_alike = samples([number % 3 for number in range(30)])
    picked = chosen(one_in_three_alike, 3)
    assert [index // 10 for index in picked] == [0, 1, 2]
    assert {one_in_three_alike[index].label for index in picked} == {0, 1, 2}
    assert chosen(samples([5] * 30), 3) == [5, 15, 25], "one class: the middle of each part"
    assert chosen(samples([1, 2]), 6) == [0, 1]
    assert chosen([], 6) == []


def test_an_image_that_the_devkit_does_not_score_is_chosen_only_where_there_is_no_other() -> None:
    scored = samples(range(4))
    out = [replace(sample, blacklisted=sample.label == 2) for sample in scored]
    assert (chosen(scored, 1), chosen(out, 1)) == ([2], [3])
    assert chosen([replace(sample, blacklisted=True) for sample in scored], 1) == [2]


def test_boxes_classes_and_scores_are_the_recorded_ones(cells: Cells) -> None:
    columns = gather(cells, range(10))
    for number, (on, one) in enumerate(cells.values()):
        records = read_records([record_file(one.folder, shard) for shard in range(len(on.shards))])
        assert [column.image_id for column in columns] == list(records.image_ids)
        guesses = [column.guesses[number] for column in columns]
        assert [tuple(guess.box) for guess in guesses] == [tuple(row) for row in records.boxes[:, 0].tolist()]
        assert [guess.score for guess in guesses] == records.scores[:, 0].tolist()
        assert [guess.name for guess in guesses] == [f"thing {c}" for c in records.classes[:, 0]]


def largest_segment(heat: FloatArray, threshold: float) -> list[tuple[int, ...]]:
    """By scikit-image: boxes of the largest segments above a threshold."""
    parts = label(heat > np.float32(threshold) * heat.max(), connectivity=2)  # type: ignore[no-untyped-call]
    sizes = np.bincount(parts.ravel())[1:]
    boxes: list[tuple[int, ...]] = []
    for number in np.flatnonzero(sizes == sizes.max()) + 1:
        y, x = np.nonzero(parts == number)
        boxes.append((x.min(), y.min(), x.max() + 1, y.max() + 1))
    return boxes


@pytest.mark.parametrize("stored", [True, False])
def test_the_heatmap_shown_is_the_one_that_the_box_was_drawn_from(cells: Cells, stored: bool) -> None:
    if not stored:
        for _, one in cells.values():
            for file in one.heatmap_folder.glob("*.npz"):
                file.unlink()
    for column in gather(cells, range(10)):
        for guess, threshold in zip(column.guesses, (0.15, 0.6), strict=False):
            assert guess.heat.shape == column.pixels.shape[:2]
            assert guess.empty or tuple(guess.box) in largest_segment(guess.heat, threshold)


def test_what_is_marked_right_adds_up_to_the_table_s_number(cells: Cells) -> None:
    columns = gather(cells, range(10))
    for number, row in enumerate(table(cells).measured):
        wrong = [not column.guesses[number].right for column in columns]
        assert np.mean(wrong) == pytest.approx(row.metrics["loc_top1_all"].value, abs=1e-12)


def test_a_sheet_that_shows_the_same_is_left_as_it_is_and_otherwise_made_again(
    cells: Cells, tmp_path: Path
) -> None:
    path = tmp_path / "sheet.png"
    assert sheet(cells, path) == [path]
    first, stamp = path.read_bytes(), path.stat().st_mtime_ns
    assert sheet(cells, path) == [path]
    assert path.stat().st_mtime_ns == stamp
    path.write_bytes(first[:100])
    sheet(cells, path)
    assert path.read_bytes() == first, "the same bytes, without a date in them"
    with Image.open(path) as image:
        assert image.info.keys() == {"fingerprint"}
    for fewer in ({row: cells[row] for row in list(cells)[:2]}, dict(reversed(cells.items()))):
        sheet(fewer, path)
        assert path.read_bytes() != first
    sheet(cells, path, count=3)
    assert path.read_bytes() != first


def test_every_row_and_every_image_has_a_tile_of_the_same_size(cells: Cells, tmp_path: Path) -> None:
    def size(rows: int, count: int) -> tuple[int, int]:
        some = {row: cells[row] for row in list(cells)[:rows]}
        (path,) = sheet(some, tmp_path / f"{rows}-{count}.png", count)
        with Image.open(path) as image:
            return image.size

    assert size(3, 7)[0] - size(3, 5)[0] == 2 * (size(3, 6)[0] - size(3, 5)[0]) > 2 * SIDE
    assert size(3, 6)[1] - size(1, 6)[1] == 2 * (size(2, 6)[1] - size(1, 6)[1]) > 2 * SIDE


def test_there_is_no_sheet_without_pictures_cells_or_all_shards(cells: Cells, tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    assert sheet(cells, path, count=0) == []
    assert picture_sheet(path, table(cells), {}, 4) == []
    on, one = cells["googlenet_like/cam"]
    record_file(one.folder, len(on.shards) - 1).unlink()
    assert sheet(cells, path) == []
    assert not path.exists()


def test_an_image_that_cannot_be_read_is_left_out(cells: Cells, tmp_path: Path) -> None:
    dataset = next(iter(cells.values()))[0].dataset
    broken = dataset.samples[4]
    assert broken.path
    broken.path.write_bytes(b"no image")
    assert [column.image_id for column in gather(cells, [3, 4, 5])] == ["image_003", "image_005"]
    for sample in dataset.samples:
        assert sample.path
        sample.path.unlink(missing_ok=True)
    assert sheet(cells, tmp_path / "sheet.png") == []


def test_an_image_that_the_run_left_out_is_left_out(tmp_path: Path) -> None:
    on = scene(tmp_path, unreadable="skip")
    file = on.dataset.samples[4].path
    assert file
    whole = file.read_bytes()
    file.write_bytes(whole[:50])
    one = cell(on, tmp_path / "runs", "grad_cam", "max_box")
    measure(on, [one])
    file.write_bytes(whole)
    assert "image_004" in read_records([merged_records(on, one)]).skipped
    assert [c.image_id for c in gather({one.row: (on, one)}, [3, 4])] == ["image_003"]


@pytest.mark.parametrize("value", [-1, 1.5, "6", None, True])
def test_a_number_of_pictures_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(UserError, match=f"pictures={value}: give the number of images"):
        checked_count(value)


def where(shown: Image.Image, colour: str) -> list[int]:
    """Half-open extent of all pixels of a colour."""
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    y, x = np.nonzero((np.asarray(shown) == wanted).all(axis=-1))
    return [int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1]


@pytest.mark.parametrize(("height", "width_"), [(SIDE, SIDE), (SIDE // 2, SIDE), (SIDE, SIDE // 2)])
def test_boxes_lie_where_they_lie_in_the_image(height: int, width_: int) -> None:
    image = np.full((height, width_, 3), 90, np.uint8)
    box, truth = Box(10, 20, 51, 62), Box(30, 5, 70, 80)
    left, top, _, _ = fitted(width_, height)
    shown = tile(image, np.array([truth], np.int32), np.zeros((height, width_), np.float32), box)
    assert shown.size == (SIDE, SIDE)
    shift = np.array([left, top, left, top])
    assert where(shown, GUESS) == (shift + box).tolist()
    assert where(shown, TRUTH)[:2] == (shift + truth)[:2].tolist()
    assert where(tile(image, np.array([truth], np.int32)), DARK) == (shift + truth).tolist()


def test_a_box_of_the_whole_image_covers_it_and_one_of_a_pixel_is_seen() -> None:
    for wide, tall in ((500, 375), (33, 500), (1, 1), (3000, 2)):
        left, top, w, h = fitted(wide, tall)
        assert max(w, h) == SIDE
        assert placed(Box(0, 0, wide, tall), wide, tall) == (left, top, left + w - 1, top + h - 1)
        x0, y0, x1, y1 = placed(Box(wide - 1, tall - 1, wide, tall), wide, tall)
        assert left <= x0 <= x1 == left + w - 1
        assert top <= y0 <= y1 == top + h - 1


def test_a_stronger_map_is_brighter_and_more_coloured() -> None:
    image = np.full((SIDE, SIDE, 3), 128, np.uint8)
    heat = np.broadcast_to(np.linspace(0, 1, SIDE, dtype=np.float32), (SIDE, SIDE))
    shown = np.asarray(tile(image, np.zeros((0, 4), np.int32), heat).convert("L"), int)[0]
    assert (np.diff(shown) >= -1).all()
    assert shown[-1] - shown[0] > 100


def test_a_verdict_says_what_is_lacking() -> None:
    right = Guess(np.zeros((1, 1), np.float32), Box(0, 0, 1, 1), "cat", 0.9, True, 0.5, True, False)
    assert verdict(right) == "✓ IoU 0.50"
    assert verdict(replace(right, right=False, iou=0.25)) == "✗ IoU 0.25"
    assert verdict(replace(right, right=False, known=False)) == "✗ class (IoU 0.50)"
    assert verdict(replace(right, empty=True)) == "✓ empty map, IoU 0.50"


def test_a_long_name_is_cut_in_its_middle_and_a_long_title_between_words() -> None:
    name = "Greater Swiss Mountain dog of a very long name"
    shown = cut(name, 100)
    assert width(shown) <= 100 < width(name)
    start, end = shown.split("…")
    assert name.startswith(start)
    assert name.endswith(end)
    assert cut("cat", 100) == "cat"
    lines = wrapped("one two three four five six", 90)
    assert " ".join(lines) == "one two three four five six"
    assert len(lines) > 1
