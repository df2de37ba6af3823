"""What a table says about its images."""

from types import SimpleNamespace
from typing import Any, cast

from benchmark.tasks.task import note_of


def test_what_a_dataset_was_read_from_is_told_in_words() -> None:
    conditions = {"images": 3, "complete": True, "truth": ["solution", "xml"], "skipped": 0}
    dataset = SimpleNamespace(name="own", samples=[], complete=True, fingerprint="f", conditions=conditions)
    assert note_of(cast(Any, dataset)).note == "truth solution and xml, skipped 0"
