"""The planted tag: on the stated share of a class's images, exactly where its region says, nowhere else."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmark.core.errors import UserError
from benchmark.datasets.embedded.tags import picture, ready, regions
from benchmark.datasets.ilsvrc import load, load_train


def test_each_class_has_the_tag_on_the_stated_share_of_its_images() -> None:
    has = np.array([picture("train", number, (0.22, 0.9)).has for number in range(100)])
    assert has[::2].sum() == 11
    assert has[1::2].sum() == 45
    assert has[1:21:2].sum() == 9, "spread, and not the first ones"


def test_the_region_is_where_the_tag_changes_the_image_and_covers_no_more_of_the_object_than_it_must() -> (
    None
):
    for number in range(6):
        plain, tagged = (picture("val", number, (share, share)) for share in (0, 1))
        changed = np.argwhere((plain.pixels != tagged.pixels).any(2))
        (y0, x0), (y1, x1) = changed.min(0).tolist(), (changed.max(0) + 1).tolist()
        assert tagged.tag == plain.tag == (x0, y0, x1, y1)
        assert (plain.has, tagged.has, plain.boxes == tagged.boxes) == (False, True, True)


def test_both_splits_are_read_as_ilsvrc_s_and_have_a_region_for_each_image(tmp_path: Path) -> None:
    val, train = (ready(split, 8, str(tmp_path), [0.5, 1]) for split in ("val", "train"))
    assert ready("val", 8, str(tmp_path), [0.5, 1]) == val
    common: dict[str, Any] = {"classes": "LOC_synset_mapping.txt", "count": 8}
    checked = load(root=val, name="embedded_tagged", blacklist="none", **common)
    learnt = load_train(root=train, name="embedded_tagged_train", **common)
    assert sorted(sample.label for sample in checked.samples) == [0] * 4 + [1] * 4
    assert sorted(sample.label for sample in learnt.samples) == [0] * 4 + [1] * 4
    for number, sample in enumerate(checked.samples):
        made = picture("val", number, (0.5, 1))
        region = np.asarray(Image.open(Path(regions(val)) / f"{sample.image_id}.png"))
        wanted = np.zeros(made.pixels.shape[:2], np.uint8)
        wanted[made.tag.y0 : made.tag.y1, made.tag.x0 : made.tag.x1] = 255 * made.has
        assert (region == wanted).all()
        assert sample.boxes.tolist() == [list(box) for box in made.boxes]
    assert {path.stem for path in Path(regions(train)).iterdir()} == {one.image_id for one in learnt.samples}


def test_an_odd_split_or_share_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dataset\.root\.tagged=\[0.5, 2\]"):
        ready("val", 8, str(tmp_path), [0.5, 2])
    with pytest.raises(UserError, match=r"dataset\.root\.split=test"):
        ready("test", 8, str(tmp_path), [0.5, 0.5])
