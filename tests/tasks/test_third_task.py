"""A task of one's own is a folder, or a file, beside the others: nothing in the package knows it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import tiny_task
from helpers.commands import Command
from helpers.small_scenes import METHODS, scene
from helpers.tiny_task import STORE, PositiveShares

from benchmark.core.types import Result
from benchmark.datasets.images import read_sample
from benchmark.models.forward import forward_pass
from benchmark.pipeline.rows import Row
from benchmark.pipeline.scene import Scene
from benchmark.tasks.task import Experiment
from benchmark.transforms import Warp, to_input


def experiment(on: Scene, results: Path, *methods: str) -> Experiment:
    rows = []
    for method in methods:
        config: dict[str, Any] = {
            "model": {"_target_": "helpers.small_models.as_model", "name": on.model.name},
            "transform": {"name": "warp"},
            "method": {"name": method},
            "dataset": {},
            "run": {},
        }
        parts = {"model": on.model, "transform": Warp(), "method": METHODS[method]}
        rows.append(Row(f"small/{method}", config, (), parts.__getitem__))
    return Experiment("shares", "Shares", tuple(rows), on.dataset, on.settings, results)


def test_its_records_are_what_a_plain_loop_finds(tmp_path: Path) -> None:
    on = scene(tmp_path)
    outcome = PositiveShares(0.5).run(experiment(on, tmp_path / "results", "cam", "grad_cam"))
    assert [row.row for row in outcome.table.rows] == ["small/cam", "small/grad_cam"]
    for name, path in outcome.records.items():
        frame = pd.read_parquet(path)
        method = METHODS[name.partition("/")[2]]
        for sample, found in zip(on.dataset.samples, frame["share"], strict=True):
            pixels, _ = on.transform(read_sample(sample), on.model.input.size)
            forward = forward_pass(on.model, to_input(pixels, on.model.input)[None], method.layers)
            heatmap = method(on.model, forward, torch.tensor([[sample.label]]))[0, 0]
            assert found == pytest.approx(float((heatmap > 0).float().mean()))
    (first, _) = outcome.table.rows
    assert isinstance(first, Result)
    shares = pd.read_parquet(outcome.records["small/cam"])["share"]
    assert first.metrics["mostly_positive"].value == np.mean(shares >= 0.5)


def test_a_killed_run_of_it_goes_on_and_another_metric_needs_no_network(tmp_path: Path) -> None:
    on = scene(tmp_path)
    whole = PositiveShares().run(experiment(on, tmp_path / "whole", "cam"))
    PositiveShares().run(experiment(on, tmp_path / "parts", "cam"))
    for path in list((tmp_path / "parts").rglob("shares-*2.parquet")):
        path.unlink()
    resumed = PositiveShares().run(experiment(on, tmp_path / "parts", "cam"))
    assert resumed.table.rows[0].metrics == whole.table.rows[0].metrics  # type: ignore[union-attr]

    forward = on.model.module.forward

    def asked(x: torch.Tensor) -> torch.Tensor:
        assert len(x) == 1, "before a run one input is tried; images come in batches"
        logits: torch.Tensor = forward(x)
        return logits

    on.model.module.forward = asked
    stricter = PositiveShares(0.9).run(experiment(on, tmp_path / "parts", "cam"))
    assert stricter.table.rows[0].metrics["mostly_positive"].n == 10  # type: ignore[union-attr]


def test_a_yaml_outside_the_checkout_names_it(command: Command, tmp_path: Path) -> None:
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "shares.yaml").write_text(
        f"""\
# @package _global_
task:
  _target_: {tiny_task.__name__}.PositiveShares
  least: 0.25
table:
  name: shares
  title: Positive shares on {{dataset}}
  rows:
    googlenet/cam: [model=googlenet_compact, method=cam]
    googlenet/grad_cam: [model=googlenet_compact, method=grad_cam]
"""
    )
    results = tmp_path / "results"
    words = ("--config-dir", str(tmp_path / "conf"), "experiment=shares", f"results_dir={results}")
    status, printed, complaint = command("run", *words, "dataset.limit=8", "tracking=none")
    assert status == 0, complaint
    assert "googlenet/grad_cam" in printed
    (made,) = results.glob("embedded-8-*/shares.json")
    assert list(json.loads(made.read_text())["rows"]) == ["googlenet/cam", "googlenet/grad_cam"]
    assert sum(path.is_dir() for path in (results / "runs").glob("*/share-*")) == 2
    assert len(list((results / "records").glob(f"*/share-*{STORE.suffix}"))) == 2
