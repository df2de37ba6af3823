"""Shards of three images, so that a dataset of ten has several."""

import pytest


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the shards of a small dataset smaller than in use."""
    monkeypatch.setattr("benchmark.pipeline.scene.LEAST", 3)
