"""Parts of a dataset: named, counted, spread over the classes."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.core.errors import UserError
from benchmark.core.text_lists import read_ids
from benchmark.core.types import Sample
from benchmark.datasets.selection import arrange


def samples(labels: list[int]) -> list[Sample]:
    boxes = np.zeros((1, 4), np.int32)
    return [Sample(f"image{i:04d}", None, label, boxes) for i, label in enumerate(labels)]


def ids(chosen: tuple[Sample, ...]) -> list[str]:
    return [sample.image_id for sample in chosen]


@given(st.integers(1, 6), st.integers(1, 8), st.integers(1, 60), st.integers(0, 5))
def test_every_stratified_beginning_is_balanced(classes: int, each: int, limit: int, seed: int) -> None:
    chosen = arrange(samples(sorted([*range(classes)] * each)), "stratified", seed, limit)
    counts = Counter(sample.label for sample in chosen)
    assert max(counts.values()) - min(counts.get(label, 0) for label in range(classes)) <= 1
    assert len(chosen) == min(limit, classes * each)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_an_order_depends_on_nothing_but_ids_labels_and_seed(labels: list[int], random: object) -> None:
    given_ = samples(labels)
    mixed = [*reversed(given_)]
    for order in ("id", "stratified"):
        assert ids(arrange(given_, order, 1, None)) == ids(arrange(mixed, order, 1, None))
        assert sorted(ids(arrange(given_, order, 1, None))) == ids(tuple(given_))


def test_another_seed_gives_another_order() -> None:
    given_ = samples([*range(20)])
    assert ids(arrange(given_, "stratified", 0, None)) != ids(arrange(given_, "stratified", 1, None))


def test_the_stratified_order_is_the_same_everywhere_and_forever() -> None:
    # By hand: printf '0 image000%d' | sha256sum, for 0…3, sorted by label's rank and then by hash.
    chosen = arrange(samples([0, 0, 1, 1]), "stratified", 0, None)
    assert ids(chosen) == ["image0002", "image0001", "image0003", "image0000"]


def test_a_list_that_is_empty_doubled_or_absent_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    with pytest.raises(UserError, match=r"list\.txt"):
        read_ids(path)
    for text, words in (("\n# nothing\n", "no image"), ("a.JPEG\nb/a\n", "a is named twice")):
        path.write_text(text)
        with pytest.raises(UserError, match=words):
            read_ids(path)
