"""Held-out images and all others: nothing is lost, doubled or mixed."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from helpers.random_records import make
from helpers.small_scenes import Folder, folder

from benchmark.core.errors import UserError
from benchmark.core.types import Records
from benchmark.tasks.boxes.matrix.split import Split, select, split_of


@pytest.fixture
def images(tmp_path: Path) -> Folder:
    return folder(tmp_path, 10)


def listed(tmp_path: Path, *ids: str) -> str:
    path = tmp_path / "heldout.txt"
    path.write_text("".join(f"{image}\n" for image in ids))
    return str(path)


def of_image(records: Records, image: str) -> dict[str, object]:
    """Everything that is known of one image, as plain lists."""
    row = records.image_ids.index(image)
    found: dict[str, object] = {"truth": records.truth[records.owner == row].tolist()}
    for column in fields(records):
        values = getattr(records, column.name)
        if isinstance(values, np.ndarray) and column.name not in ("truth", "owner"):
            found[column.name] = values[row].tolist()
    return found


def test_both_parts_together_are_the_records_image_by_image() -> None:
    records = make(seed=2, skipped={"a": "why", "b": "why not"})
    ids = frozenset([*records.image_ids[3:50:4], "a"])
    parts = [select(records, ids, inside) for inside in (True, False)]
    assert [set(part.image_ids) <= ids for part in parts] == [True, False]
    assert sum(map(len, parts)) == len(records)
    assert [dict(part.skipped) for part in parts] == [{"a": "why"}, {"b": "why not"}]
    for part in parts:
        assert (np.diff(part.owner) >= 0).all()
        for image in part.image_ids:
            assert of_image(part, image) == of_image(records, image)


def test_what_is_evaluated_is_a_dataset_of_its_own(images: Folder, tmp_path: Path) -> None:
    split = split_of(images, listed(tmp_path, "image_001.png", "image_007"))
    assert split.name == "heldout.txt"
    rest = split.rest
    assert [s.image_id[-1] for s in rest.samples] == list("02345689")
    assert not rest.complete
    assert rest.fingerprint not in (
        images.fingerprint,
        replace(split, heldout=frozenset("x")).rest.fingerprint,
    )
    assert rest.conditions["heldout"] == "2 images of heldout.txt left out"


def test_without_a_list_it_is_the_dataset_itself(images: Folder) -> None:
    assert split_of(images, None).rest is images
    records = make(seed=2)
    assert Split(images).evaluated(records) is records


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        (["image_001", "cat", "dog"], r"heldout=.*heldout.txt: cat and 1 more: no image of folder"),
        ([f"image_{n:03}" for n in range(10)], "leaves no image to evaluate"),
        (["image_000", "image_005"], "all its images are on the blacklist"),
        ([f"image_{n:03}" for n in (1, 2, 3, 4, 6, 7, 8, 9)], "leaves no image to evaluate"),
        ([], "names no image"),
        (["image_001", "image_001"], "image_001 is named twice"),
    ],
)
def test_a_list_that_cannot_serve_is_refused_in_one_line(
    images: Folder, tmp_path: Path, ids: list[str], says: str
) -> None:
    with pytest.raises(UserError, match=says) as refused:
        split_of(images, listed(tmp_path, *ids))
    assert "\n" not in str(refused.value)


def test_a_list_that_is_not_there_is_named(images: Folder) -> None:
    with pytest.raises(UserError, match=r"/nowhere/x\.txt"):
        split_of(images, "/nowhere/x.txt")
