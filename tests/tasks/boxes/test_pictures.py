"""The picture sheet of boxes shows what was recorded and kept in the run, and no network runs for it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers.pair_scenes import counted
from helpers.small_scenes import cell, made, records, scene
from skimage.measure import label

from benchmark.core.types import FloatArray
from benchmark.metrics.localization import Localization
from benchmark.pipeline.exhibits import exhibit_files, read_exhibits
from benchmark.reporting import sheet
from benchmark.reporting.sheet import Panel, PictureSheet
from benchmark.reporting.table import DatasetNote, Table
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.pictures import picture_sheet
from benchmark.tasks.boxes.records import STORE
from benchmark.tasks.boxes.result import result

ROWS = (("grad_cam", "max_box"), ("cam", "strict"), ("backprop", "grabcut"))
Cells = dict[str, BoxCell]


@pytest.fixture
def cells(tmp_path: Path) -> Cells:
    """Three measured rows on ten images."""
    on = scene(tmp_path)
    found = [cell(on, tmp_path / "runs", method, localizer) for method, localizer in ROWS]
    made(on, found)
    return {one.row: one for one in found}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[PictureSheet]:
    """The sheets that are drawn, as what they show."""
    found: list[PictureSheet] = []

    def spy(content: PictureSheet, fingerprint: str) -> bytes:
        found.append(content)
        return fingerprint.encode()

    monkeypatch.setattr(sheet, "drawn", spy)
    return found


def table(cells: Cells) -> Table:
    dataset = next(iter(cells.values())).scene.dataset
    note = DatasetNote(dataset.name, len(dataset.samples), dataset.complete, dataset.fingerprint)
    rows = tuple(result(one, {"localization": Localization(resamples=10)}) for one in cells.values())
    return Table("small", "Small", note, rows)


def panels(cells: Cells, drawn: list[PictureSheet], path: Path, count: int = 10) -> Sequence[Sequence[Panel]]:
    assert picture_sheet(path, table(cells), cells, count) == [path]
    return drawn[-1].rows


def test_boxes_classes_and_scores_are_the_recorded_ones(
    cells: Cells, drawn: list[PictureSheet], tmp_path: Path
) -> None:
    rows = panels(cells, drawn, tmp_path / "sheet.png")
    assert [name for name, _ in drawn[0].headings] == ["image and class", *cells]
    for number, one in enumerate(cells.values(), start=1):
        recorded = records(one)
        assert [row[0].caption[1] for row in rows] == list(recorded.image_ids)
        assert [row[number].box for row in rows] == [tuple(box) for box in recorded.boxes[:, 0].tolist()]
        names = zip(recorded.classes[:, 0], recorded.scores[:, 0], strict=True)
        assert [row[number].caption[0] for row in rows] == [f"thing {c} {100 * s:.0f} %" for c, s in names]


def test_what_is_marked_right_adds_up_to_the_table_s_number(
    cells: Cells, drawn: list[PictureSheet], tmp_path: Path
) -> None:
    rows = panels(cells, drawn, tmp_path / "sheet.png")
    for number, row in enumerate(table(cells).measured, start=1):
        wrong = [not panel[number].right for panel in rows]
        assert np.mean(wrong) == pytest.approx(row.metrics["loc_top1_all"].value, abs=1e-12)
        assert all("wrong class" not in panel[number].caption[1] for panel in rows if panel[number].right)


def largest_segment(heat: FloatArray, threshold: float) -> list[tuple[int, ...]]:
    """By scikit-image: boxes of the largest segments above a threshold."""
    parts = label(heat > np.float32(threshold) * heat.max(), connectivity=2)  # type: ignore[no-untyped-call]
    sizes = np.bincount(parts.ravel())[1:]
    boxes: list[tuple[int, ...]] = []
    for number in np.flatnonzero(sizes == sizes.max()) + 1:
        y, x = np.nonzero(parts == number)
        boxes.append((x.min(), y.min(), x.max() + 1, y.max() + 1))
    return boxes


def test_the_heatmap_shown_is_the_one_that_the_box_was_drawn_from(
    cells: Cells, drawn: list[PictureSheet], tmp_path: Path
) -> None:
    for row in panels(cells, drawn, tmp_path / "sheet.png"):
        for panel, threshold in zip(row[1:], (0.15, 0.6), strict=False):
            assert panel.heat is not None
            assert panel.pixels is not None
            assert panel.heat.shape == panel.pixels.shape[:2]
            assert "empty" in panel.caption[1] or panel.box in largest_segment(panel.heat, threshold)
        assert row[3].heat is not None, "also where the map is too large to be stored for all images"


def test_no_network_runs_for_a_sheet_and_a_map_that_is_not_there_is_said(
    cells: Cells, drawn: list[PictureSheet], tmp_path: Path
) -> None:
    first = next(iter(cells.values()))
    seen = counted(first.scene)
    for file in exhibit_files(first.heatmap_folder):
        file.unlink()
    rows = panels(cells, drawn, tmp_path / "sheet.png")
    assert [[panel.lost for panel in row] for row in rows] == [[False, True, False, False]] * 10
    assert all(row[1].box and row[1].caption for row in rows)
    assert seen == []


def test_boxes_from_stored_heatmaps_keep_the_maps_that_a_sheet_may_show(cells: Cells) -> None:
    first = next(iter(cells.values()))
    before = read_exhibits(first.heatmap_folder)
    for file in (*exhibit_files(first.heatmap_folder), *first.folder.glob("*.parquet")):
        file.unlink()
    seen = counted(first.scene)
    made(first.scene, [first])
    after = read_exhibits(first.heatmap_folder)
    assert seen == []
    assert list(after) == list(before)
    assert all((after[key].values == before[key].values).all() for key in before)


def test_a_sheet_depends_on_its_rows_their_order_its_images_and_the_kept_maps(
    cells: Cells, drawn: list[PictureSheet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[object] = []
    monkeypatch.setattr(sheet, "make", lambda _, identity, gather: shown.append(identity))
    few, turned = {row: cells[row] for row in list(cells)[:2]}, dict(reversed(cells.items()))
    for some, count in ((cells, 6), (cells, 6), (cells, 5), (few, 6), (turned, 6)):
        picture_sheet(tmp_path / "sheet.png", table(some), some, count)
    exhibit_files(next(iter(cells.values())).heatmap_folder)[0].unlink()
    picture_sheet(tmp_path / "sheet.png", table(cells), cells, 6)
    assert shown[0] == shown[1]
    assert len({str(identity) for identity in shown}) == 5


def test_there_is_no_sheet_without_pictures_cells_or_all_shards(cells: Cells, tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    assert picture_sheet(path, table(cells), cells, 0) == []
    assert picture_sheet(path, table(cells), {}, 4) == []
    one = cells["googlenet_like/cam"]
    STORE.file(one.folder, len(one.scene.shards) - 1).unlink()
    assert picture_sheet(path, table(cells), cells, 4) == []
    assert not path.exists()


def test_an_image_that_the_run_or_the_sheet_cannot_read_is_left_out(
    drawn: list[PictureSheet], tmp_path: Path
) -> None:
    on = scene(tmp_path, unreadable="skip")
    first, second = (on.dataset.samples[number].path for number in (4, 7))
    assert first
    assert second
    whole = first.read_bytes()
    first.write_bytes(whole[:50])
    one = cell(on, tmp_path / "runs", "grad_cam", "max_box")
    made(on, [one])
    first.write_bytes(whole)
    second.write_bytes(b"no image")
    rows = panels({one.row: one}, drawn, tmp_path / "sheet.png")
    left = sorted({sample.image_id for sample in on.dataset.samples} - {row[0].caption[1] for row in rows})
    assert left == ["image_004", "image_007"]
