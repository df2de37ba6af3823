"""What the reading of segmentation seeds stores of a pair, against scipy, autograd and the mask itself."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.small_models import googlenet_like, images, small
from PIL import Image
from scipy.ndimage import median_filter
from torch import Tensor
from torch.nn.functional import interpolate

from benchmark.core.errors import UserError
from benchmark.core.types import Box, Sample, View
from benchmark.datasets.pixel_labels import write_pixel_labels
from benchmark.models.forward import forward_pass
from benchmark.tasks.pairs.readings.seeds import SeedMaps
from benchmark.tasks.pairs.types import Asked, Pair

VIEW = View(82, 41, Box(0, 0, 82, 41))
NOTHING = {name: np.zeros((41, 41), np.float32) for name in ("seed_map", "saliency")}


def measured(maps: Tensor) -> dict[str, Tensor]:
    model = small(googlenet_like, torch.float32)
    passed = forward_pass(model, images(2, dtype=torch.float32), ("excitation",))
    return SeedMaps().measure(Asked(model, passed, torch.zeros(2, maps.shape[1], dtype=torch.int64), maps))


def pair(folder: Path, image_id: str = "2007_000001") -> Pair:
    truth = np.zeros((41, 82), np.uint8)
    truth[:, 41:], truth[0] = 3, 255
    write_pixel_labels(folder / "mask.png", truth)
    Image.fromarray(np.repeat((truth == 3)[..., None] * np.uint8(90), 3, axis=2)).save(folder / "image.png")
    labels = {"classes": folder / "mask.png"}
    sample = Sample(
        image_id, folder / "image.png", 2, np.zeros((0, 4), np.int32), size=(82, 41), pixel_labels=labels
    )
    return Pair(sample, 2, VIEW)


def test_a_map_is_enlarged_to_the_grid_or_averaged_if_it_is_finer() -> None:
    maps = torch.randn(2, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    expected = interpolate(maps, (41, 41), mode="bilinear", align_corners=True)
    torch.testing.assert_close(measured(maps)["seed_map"], expected)
    fine = torch.randn(2, 1, 82, 82, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        measured(fine)["seed_map"], fine.reshape(2, 1, 41, 2, 41, 2).mean((3, 5)), rtol=1e-4, atol=1e-6
    )


def test_the_saliency_is_scipys_median_of_the_largest_gradient_of_all_outputs() -> None:
    found = measured(torch.zeros(2, 3, 7, 7))["saliency"]
    model = small(googlenet_like, torch.float32)
    passed = forward_pass(model, images(2, dtype=torch.float32), ("excitation",))
    ones = torch.ones_like(passed.logits)
    (gradient,) = torch.autograd.grad(passed.logits, passed.activations["excitation"], ones)
    largest = gradient.abs().amax(1, keepdim=True)
    large = interpolate(largest, (41, 41), mode="bilinear", align_corners=True)[:, 0].numpy()
    for image in range(2):
        for place in range(3):
            np.testing.assert_allclose(found[image, place], median_filter(large[image], 3), rtol=1e-5)


def test_truth_and_colours_are_those_of_the_cells(tmp_path: Path) -> None:
    columns = SeedMaps().finish(pair(tmp_path), NOTHING)
    truth = columns["seed_truth"]
    assert (truth[0] == 255).all()
    assert (truth[1:, :20] == 0).all()
    assert (truth[1:, 21:] == 3).all()
    assert columns["seed_image"][5, [3, 38]].tolist() == [[0] * 3, [90] * 3]


@pytest.mark.parametrize("image_id", ["2007_000001", "000001"])
def test_published_cues_take_the_place_of_map_and_saliency(tmp_path: Path, image_id: str) -> None:
    file = tmp_path / "cues.npz"
    cells = {"classes": [3, 0], "rows": [4, 9], "columns": [5, 7]}
    arrays: dict[str, Any] = {name: np.array(values, np.uint8) for name, values in cells.items()}
    np.savez(file, images=np.array(["2007_000001"]), offsets=np.array([0, 2]), **arrays)
    columns = SeedMaps(cues=str(file)).finish(pair(tmp_path, image_id), NOTHING)
    assert np.argwhere(columns["seed_map"] == 1).tolist() == [[4, 5]]
    assert np.argwhere(columns["saliency"] == 0).tolist() == [[9, 7]]
    with pytest.raises(UserError, match=r"reading\.seeds\.cues has no such image"):
        SeedMaps(cues=str(file)).finish(pair(tmp_path, "other"), NOTHING)


def test_what_the_file_of_cues_holds_and_not_where_it_is_counts(tmp_path: Path) -> None:
    told = []
    for number, row in enumerate((4, 4, 5)):
        file = tmp_path / f"{number}.npz"
        one = {"classes": 3, "rows": row, "columns": 5}
        arrays: dict[str, Any] = {name: np.array([value], np.uint8) for name, value in one.items()}
        np.savez(file, images=np.array(["a"]), offsets=np.array([0, 1]), **arrays)
        told.append(SeedMaps(cues=str(file)).identity({"layer": "x", "cues": str(file)}))
    assert told[0] == told[1] != told[2]
    assert SeedMaps().identity({"layer": "x", "cues": None}) == {"layer": "x", "cues": None}


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    bare = Pair(Sample("a", tmp_path / "a.png", 0, np.zeros((0, 4), np.int32)), 0, VIEW)
    with pytest.raises(UserError, match="choose dataset=voc2012 or embedded_masks"):
        SeedMaps().finish(bare, NOTHING)
    with pytest.raises(UserError, match="NaN or infinity in seed_map"):
        SeedMaps().finish(bare, {**NOTHING, "seed_map": np.full((41, 41), np.nan, np.float32)})
    with pytest.raises(UserError, match="conv9"):
        SeedMaps(layer="conv9").check(small(googlenet_like))
