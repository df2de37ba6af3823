"""No file of an explained image takes the place of another's."""

from pathlib import Path

import numpy as np

from benchmark.core.types import Box, View
from benchmark.datasets.ilsvrc.classes import load_classes
from benchmark.tasks.explain.classes import Outputs
from benchmark.tasks.explain.images import ExplainedImage, names_of_files
from benchmark.tasks.explain.output import write_files


def test_images_of_one_name_are_numbered_past_those_that_bear_the_number() -> None:
    paths = [Path(name) for name in ("x/a.jpg", "y/a.png", "a-2.jpg", "b.jpg", "z/a.jpg")]
    assert list(names_of_files(paths)) == ["a", "a-3", "a-2", "b", "a-4"]


def test_two_classes_of_one_name_have_an_overlay_each(tmp_path: Path) -> None:
    """ILSVRC's 134 and 517 are both a crane."""
    view, box = View(8, 6, Box(0, 0, 8, 6)), Box(1, 1, 3, 3)
    maps = np.random.default_rng(0).random((3, 2, 2)).astype(np.float32)
    pixels, scores = np.zeros((6, 8, 3), np.uint8), np.zeros(3, np.float32)
    classes = (134, 281, 517)
    one = ExplainedImage(Path("a.jpg"), pixels, view, classes, scores, {"cam": maps}, {"cam": (box,) * 3})
    known = load_classes()
    written = write_files(tmp_path, "a", one, Outputs(known.wnids, known.names))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in written)
    assert {path.name for path in written} == {
        "a.npz",
        "a-cam-tabby.png",
        "a-cam-crane_134.png",
        "a-cam-crane_517.png",
    }
