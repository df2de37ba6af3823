"""The sheet of failures shows misclassified images alone, with both classes' boxes and maps as stored."""

from pathlib import Path

import numpy as np
import pytest
from helpers.small_scenes import cell, made, records, scene

from benchmark.core.boxes import iou
from benchmark.pipeline.heatmap_store import heatmap_file, read_heatmaps
from benchmark.reporting import sheet
from benchmark.reporting.sheet import PictureSheet
from benchmark.reporting.table import DatasetNote, Table
from benchmark.tasks.boxes.cell import BoxCell
from benchmark.tasks.boxes.failures import failure_sheet
from benchmark.tasks.boxes.result import result


@pytest.fixture
def cells(tmp_path: Path) -> dict[str, BoxCell]:
    """Two measured rows on ten images, of which the second's maps are not stored, as large ones are not."""
    on = scene(tmp_path)
    found = [cell(on, tmp_path / "runs", *row) for row in (("grad_cam", "max_box"), ("backprop", "max_box"))]
    made(on, found)
    for path in found[1].heatmap_folder.glob("heatmaps-*.npz"):
        path.unlink()
    return {one.row: one for one in found}


@pytest.fixture
def content(monkeypatch: pytest.MonkeyPatch, cells: dict[str, BoxCell], tmp_path: Path) -> PictureSheet:
    shown: list[PictureSheet] = []

    def spy(content: PictureSheet, fingerprint: str) -> bytes:
        shown.append(content)
        return fingerprint.encode()

    monkeypatch.setattr(sheet, "drawn", spy)
    dataset = next(iter(cells.values())).scene.dataset
    note = DatasetNote(dataset.name, len(dataset.samples), dataset.complete, dataset.fingerprint)
    table = Table("small", "Small", note, tuple(result(one, {}) for one in cells.values()))
    assert failure_sheet(tmp_path / "none.png", table, cells, 0) == []
    assert failure_sheet(tmp_path / "sheet.png", table, cells, 4) == [tmp_path / "sheet.png"]
    return shown[0]


def test_it_shows_both_maps_and_boxes_of_misclassified_images(
    content: PictureSheet, cells: dict[str, BoxCell]
) -> None:
    first = next(iter(cells.values()))
    own, dataset = records(first), first.scene.dataset
    wrong = [
        i for i, k, label in zip(own.image_ids, own.classes[:, 0], own.labels, strict=True) if k != label
    ]
    shown = [row[0].caption[1] for row in content.rows]
    assert len(shown) == min(4, len(wrong))
    assert set(shown) <= set(wrong)
    assert shown == sorted(shown)
    truth = {sample.image_id: sample.boxes for sample in dataset.samples}
    for image, row in zip(shown, content.rows, strict=True):
        place = own.image_ids.index(image)
        assert own.label_boxes is not None
        for panel, box in zip(row[1:3], (own.boxes[place, 0], own.label_boxes[place]), strict=True):
            assert panel.box == tuple(box.tolist())
            overlap = float(iou(box, truth[image]).max())
            assert panel.caption[1].endswith(f"IoU {overlap:.2f}")
            assert panel.right == (overlap >= 0.5)
        assert row[1].caption[1].startswith("class wrong")
        assert row[1].caption[0].startswith(f"thing {own.classes[place, 0]} ")
        assert row[2].caption[0] == f"thing {own.labels[place]}"


def test_the_maps_are_the_stored_ones_and_a_map_that_is_not_stored_is_said(
    content: PictureSheet, cells: dict[str, BoxCell]
) -> None:
    first = next(iter(cells.values()))
    shards = [read_heatmaps(heatmap_file(first.heatmap_folder, n)) for n in range(len(first.scene.shards))]
    assert len(shards) > 1
    maps = {image: one.maps[n] for one in shards for n, image in enumerate(one.image_ids)}
    for row in content.rows:
        for panel, slot in ((row[1], 0), (row[2], -1)):
            assert panel.heat is not None
            cells_of = maps[row[0].caption[1]][slot].clip(0)
            corners = panel.heat[[0, 0, -1, -1], [0, -1, 0, -1]] * cells_of.max()
            np.testing.assert_allclose(corners, cells_of[[0, 0, -1, -1], [0, -1, 0, -1]], atol=2e-3)
        assert [panel.lost for panel in row] == [False, False, False, True, True]
        assert row[3].box is not None
