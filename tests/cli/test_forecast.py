"""``forecast=here``: what a run would take, from a few of its images."""

from pathlib import Path

import pytest
from helpers.commands import Command

from benchmark.pipeline.forecast import Forecast, read_forecast


def test_a_forecast_measures_few_images_leaves_no_result_and_stands_beside_the_run(
    command: Command, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    few = ("dataset.count=24", f"cache_dir={tmp_path}/cache", "tracking=none", f"results_dir={results}")
    cell = ("model=vgg16_cam_compact", "method=cam", "metric=[localization]")
    status, printed, complaint = command("run", *few, *cell, "forecast=here", "forecast.probe=6")
    assert status == 0, complaint
    assert "forecast from 6 of 24 images of embedded:" in printed
    stages = ("decode", "transform", "forward", "cam", "vgg16_cam_compact/cam, boxes", "store")
    assert all(f"| vgg16_cam_compact | {name} |" in printed for name in stages)
    assert [path.name for path in results.iterdir() if path.name != "jobs"] == ["runs"]
    (kept,) = (results / "runs").rglob("*.json")
    found = read_forecast(kept)
    assert isinstance(found, Forecast)
    assert found.images == 24
    status, _, told = command("run", *few, *cell)
    assert status == 0, told
    assert "; the forecast of 24 images on this machine: its device, " in told
    assert "vgg16_cam_compact: decode" in told

    status, printed, _ = command("run", *few, *cell, "forecast=h100", "forecast.images=5000")
    assert (status, "5000 images on H100: its device of 66.9 TFLOPS" in printed) == (0, True)
    status, _, complaint = command("run", "-m", *few, *cell, "forecast=here")
    assert (status, "forecast: a sweep has none" in complaint) == (2, True)
    status, _, complaint = command("run", *few, *cell, "forecast=here", "run.workers=4")
    assert (status, "without it; forecast.devices=4 and forecast.cores" in complaint) == (2, True)
    status, _, complaint = command("run", *few, *cell, "forecast=here", "forecast.share=2")
    assert (status, "forecast.share=2: must be a number in (0, 1]" in complaint) == (2, True)


def test_a_forecast_that_is_ended_says_that_nothing_of_it_is_kept(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.cli.app.forecasting.spread", ended)
    few = ("dataset.count=24", f"cache_dir={tmp_path}/cache", "tracking=none", f"results_dir={tmp_path}")
    status, _, told = command("run", *few, "forecast=here")
    assert status == 130
    assert told.endswith("error: interrupted; a forecast keeps nothing, the same command begins anew\n")
