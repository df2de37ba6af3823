"""A picture sheet shows what it is given where it belongs, and is drawn again only when that changed."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from benchmark.core.types import Box, FloatArray
from benchmark.reporting import sheet
from benchmark.reporting.figure import DPI
from benchmark.reporting.sheet import Panel, PictureSheet, drawn, make

Pixels = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]
BLUE, PINK, GREEN, WHITE = (0x56, 0xE0, 0xFF), (0xFF, 0x6A, 0xD5), (0x00, 0x9E, 0x73), (255, 255, 255)
RIGHT, WRONG, RED = (0x00, 0x72, 0xB2), (0xC4, 0x4E, 0x00), (200, 10, 30)


def image(high: int = 40, wide: int = 40) -> Pixels:
    return np.full((high, wide, 3), RED, np.uint8)


def of(*panels: Panel, rows: int = 1, title: str = "Title") -> PictureSheet:
    headings = tuple((f"method {number}", "protocol") for number in range(len(panels)))
    return PictureSheet(title, ("two images",), headings, (panels,) * rows)


def rendered(content: PictureSheet) -> Pixels:
    with Image.open(io.BytesIO(drawn(content, "0"))) as shown:
        return np.asarray(shown.convert("RGB"))


def extent(shown: Pixels, colour: Colour) -> tuple[int, int, int, int]:
    """Half-open ``x0 y0 x1 y1`` of all pixels of about a colour; zeros where there are none."""
    y, x = np.nonzero((np.abs(shown.astype(int) - colour) < 18).all(axis=-1))
    return (int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1) if len(x) else (0, 0, 0, 0)


def crop(panel: Panel) -> Pixels:
    """A panel's image as it is drawn, beside the image alone."""
    shown = rendered(of(Panel(pixels=panel.pixels), panel))
    x0, y0, x1, y1 = extent(shown, RED)
    pitch = round((sheet._WIDE + sheet._GAP) * DPI)
    middle = (x0 + x1) // 2  # of both, where the panel shows the image's own colour too
    x0, y0, x1, y1 = extent(shown[:, : max(middle, 204)], RED)
    return shown[y0:y1, x0 + pitch : x1 + pitch]


@pytest.mark.parametrize("shape", [(40, 40), (40, 20), (20, 40), (400, 640)])
def test_a_box_lies_where_it_lies_in_the_image(shape: tuple[int, int]) -> None:
    high, wide = shape
    box = Box(wide // 4, high // 4, wide // 2, high * 3 // 4)
    rows = np.array([box], np.int32)
    for panel, colour in (
        (Panel(pixels=image(*shape), box=box), BLUE),
        (Panel(pixels=image(*shape), others=rows), GREEN),
        (Panel(pixels=image(*shape), truth=rows), WHITE),
    ):
        found = crop(panel)
        scale = found.shape[1] / wide
        assert extent(found, colour) == pytest.approx([scale * edge for edge in box], abs=3)


def test_an_image_is_shown_whole_in_its_aspect() -> None:
    for high, wide in ((40, 80), (80, 40), (70, 100)):
        shown = crop(Panel(pixels=image(high, wide)))
        assert shown.shape[1] / shown.shape[0] == pytest.approx(wide / high, rel=0.03)


def test_the_peak_is_ringed_where_it_is() -> None:
    shown = crop(Panel(pixels=image(), peak=(30, 10)))
    x0, y0, x1, y1 = extent(shown, PINK)
    scale = len(shown) / 40
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx((30.5 * scale, 10.5 * scale), abs=1.5)


def test_a_stronger_heatmap_is_brighter() -> None:
    ramp: FloatArray = np.broadcast_to(np.linspace(0, 1, 40, dtype=np.float32), (40, 40))
    row = crop(Panel(pixels=image(), heat=ramp))[20, 3:-3].astype(int).sum(-1)
    assert (np.diff(row) >= -3).all()
    assert row[-1] - row[0] > 200


def test_a_map_in_colours_is_grey_where_it_is_0_and_brighter_or_darker_by_its_sign() -> None:
    signed = np.zeros((40, 40, 3), np.float32)
    signed[:20, :20, 0], signed[20:, 20:, 2] = 1, -1
    shown = crop(Panel(pixels=image(), heat=signed))
    assert shown[20, 20].tolist() == pytest.approx([255, 128, 128], abs=2)
    assert shown[-20, -20].tolist() == pytest.approx([128, 128, 0], abs=2)
    assert shown[20, -20].tolist() == pytest.approx([128, 128, 128], abs=2)


def test_a_verdict_has_a_colour_and_no_verdict_has_none() -> None:
    panel = Panel(("cat", "IoU 0.5"))
    for right, colours in ((True, [RIGHT]), (False, [WRONG]), (None, [])):
        shown = rendered(of(replace(panel, right=right)))
        assert [colour for colour in (RIGHT, WRONG) if any(extent(shown, colour))] == colours


def test_a_long_caption_stays_under_its_own_panel() -> None:
    short, long = (rendered(of(Panel(("cat", text)), Panel())) for text in ("x", "W" * 300))
    assert short.shape == long.shape
    _, x = np.nonzero((short != long).any(-1))
    assert x.max() <= (sheet._EDGE + sheet._WIDE) * DPI


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All lines of the sheets that are drawn."""
    found: list[str] = []
    plain = sheet._Page.say

    def spy(page: sheet._Page, x: float, y: float, text: str, *room: float, **style: Any) -> None:
        found.append(text)
        plain(page, x, y, text, *room, **style)

    monkeypatch.setattr(sheet._Page, "say", spy)
    return found


def test_what_is_not_stored_is_said_and_counted(said: list[str]) -> None:
    drawn(of(Panel(pixels=image()), Panel(pixels=image(), lost=True), rows=3), "0")
    assert "two images; heatmaps not stored: 3" in said
    said.clear()
    drawn(of(Panel(pixels=image())), "0")
    assert "two images" in said


def test_columns_that_find_no_room_are_named(said: list[str]) -> None:
    drawn(of(*[Panel(pixels=image())] * 16), "0")
    assert "two images; not shown: method 14, protocol; method 15, protocol" in said
    assert said.count("method 13") == 1
    assert "method 14" not in said


def test_the_columns_are_named_again_every_six_rows(said: list[str]) -> None:
    drawn(of(Panel(pixels=image()), rows=13), "0")
    assert said.count("method 0") == 3


def test_a_sign_of_mathematics_in_a_name_is_a_sign(said: list[str]) -> None:
    drawn(of(Panel(("$x_1$", r"a\frac$b$"), image()), title=r"$\undefined$"), "0")
    assert "$x_1$" in said


def content(title: str = "Title") -> Callable[[], PictureSheet]:
    return lambda: of(Panel(pixels=image()), title=title)


def refused() -> PictureSheet:
    raise AssertionError("nothing was to be gathered")


def test_a_sheet_that_shows_the_same_is_left_as_it_is_and_otherwise_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "code_fingerprint", lambda _: "code")
    path = tmp_path / "sheet.png"
    assert make(path, {"count": 1}, content()) == [path]
    first = path.read_bytes()
    assert make(path, {"count": 1}, refused) == [path]
    assert path.read_bytes() == first
    path.write_bytes(first[:-100])
    assert make(path, {"count": 1}, content()) == [path]
    assert path.read_bytes() == first, "the same bytes, without a date in them"
    make(path, {"count": 2}, content("Another"))
    assert path.read_bytes() != first
    with Image.open(path) as image:
        assert image.info.keys() - {"dpi"} == {"fingerprint"}


def test_a_sheet_without_a_row_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    assert make(path, {}, lambda: PictureSheet("Title", (), (), ())) == []
    assert not path.exists()
