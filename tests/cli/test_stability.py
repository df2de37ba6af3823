"""``./scripts/stability`` prints a line for each way to compute and each method that accepts the model."""

from pathlib import Path

import pytest
from helpers.commands import Command


@pytest.mark.slow
def test_each_way_and_method_has_a_line_and_a_refused_method_a_reason(
    command: Command, tmp_path: Path
) -> None:
    few = ("dataset.count=24", "dataset.limit=1", "run.top_k=2", f"cache_dir={tmp_path}")
    words = ("model=vgg16_compact", "methods=[grad_cam,cam,c_mwp]", "~ways.float16", "~ways.channels_last")
    status, printed, complaint = command("stability", *few, *words, "+ways.half.batch_size=1")
    assert status == 0, complaint
    assert "not compared: cam: method cam needs global average pooling" in printed
    assert "images: 1 of embedded, 2 classes each" in printed
    rows = [line.strip("| ").split(" | ") for line in printed.splitlines() if line.startswith("| ")][2:]
    ways = ("the same again", "2 threads", "batches of 1", "float64", "bfloat16", "half")
    assert [row[:2] for row in rows] == [[way, method] for way in ways for method in ("grad_cam", "c_mwp")]
    assert rows[0][2:] == ["0.0e+00"] * 4 + ["0 of 2", "1.00"]


@pytest.mark.slow
def test_a_way_with_an_option_that_a_run_does_not_have_is_refused(command: Command) -> None:
    status, _, complaint = command("stability", "+ways.half.precison=float16")
    assert status == 2
    assert "precison" in complaint
    assert len(complaint.splitlines()) == 1
