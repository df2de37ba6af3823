"""``./scripts/explain`` on a drawn image, and photographs that their camera turned."""

from pathlib import Path

import numpy as np
import pytest
from helpers.commands import Command
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.datasets.embedded.scene import picture
from benchmark.datasets.images import UnreadableImage, read_upright
from benchmark.tasks.explain.images import image_files

_MODEL = ("model=googlenet_compact", "methods=[grad_cam,cam]")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "one.png"
    path.parent.mkdir()
    Image.fromarray(picture(0, 0).pixels).save(path)
    return path


def test_an_image_gets_a_sheet_arrays_and_overlays(photo: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "out"
    words = (str(photo.parent), "--top", "2", "--output", str(out), "--counterfactual", *_MODEL)
    status, printed, told = command("explain", *words)
    assert status == 0, told
    assert "Grad-CAM is CAM's positive part" in printed
    names = {path.name for path in out.iterdir()}
    assert {"sheet.png", "one.npz"} <= names
    assert len(names) == 2 + 3 * 2
    arrays = np.load(out / "one.npz")
    assert arrays["maps_grad_cam"].shape == (2, 7, 7)
    np.testing.assert_allclose(arrays["maps_grad_cam"], arrays["maps_cam"].clip(0) / 49, rtol=1e-4, atol=1e-5)
    assert (arrays["boxes_grad_cam"] == arrays["boxes_cam"]).all()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name the images"),
        (("nowhere.jpg",), "nowhere.jpg: there is no such image"),
        (("{photo}", "--classes", "zebra"), "no class 'zebra'"),
        (("{photo}", "methods=[gradcam]"), "there is no gradcam"),
        (("{photo}", "--top", "0"), "top=0"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    photo: Path, tmp_path: Path, command: Command, words: tuple[str, ...], said: str
) -> None:
    given = [word.format(photo=photo) for word in words]
    status, _, told = command("explain", *given, "--output", str(tmp_path / "out"), "model=googlenet_compact")
    assert status == 2
    assert said in told
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_shown_upright(tmp_path: Path, orientation: int) -> None:
    """The stored pixels are turned back by Pillow's own function."""
    from PIL import ImageOps

    pixels = np.random.default_rng(orientation).integers(0, 255, (6, 9, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path, exif=exif)
    with Image.open(path) as image:
        upright = np.array(ImageOps.exif_transpose(image))
    assert (read_upright(path) == upright).all()


def test_a_telephones_photograph_with_a_second_picture_in_it_is_read(tmp_path: Path) -> None:
    """MPO: a JPEG with a preview or gain map behind it."""
    photo, preview = Image.new("RGB", (9, 6), "red"), Image.new("RGB", (3, 2))
    photo.save(tmp_path / "photo.jpg", format="MPO", save_all=True, append_images=[preview])
    assert read_upright(tmp_path / "photo.jpg").shape == (6, 9, 3)


def test_an_animation_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(UnreadableImage, match="an animation of 2 frames"):
        read_upright(tmp_path / "a.gif")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no image"):
        image_files([tmp_path / "empty"])
