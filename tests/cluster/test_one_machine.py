"""Several processes of one machine, of the local launcher and of torchrun, make what one makes alone."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import hydra
import pytest
from cluster.conftest import Started
from helpers.clusters import CELL, made
from omegaconf import OmegaConf

import benchmark.cli.app.entry_point  # noqa: F401 - registers what the configurations refer to
from benchmark.cli.app.places import CONF

pytest.importorskip("submitit", reason="hydra-submitit-launcher is not installed (the extra slurm)")
LOCAL = ("-m", "benchmark", "-m", *CELL, "run.workers=2", "run.worker=range(2)", "hydra/launcher=local")
TORCHRUN = ("-m", "torch.distributed.run", "--nproc_per_node=2", "-m", "benchmark", *CELL)


@pytest.mark.slow
@pytest.mark.parametrize("line", [LOCAL, TORCHRUN], ids=["local launcher", "torchrun"])
def test_two_processes_make_the_bytes_of_one(
    start: Started, alone: Mapping[str, bytes], tmp_path: Path, line: tuple[str, ...]
) -> None:
    results = tmp_path / "results"
    together = start(results, *line)
    told = together.communicate(timeout=300)[1]
    assert together.returncode == 0, told
    if line is TORCHRUN:
        assert "worker 1 of 2 is done; the table is made by the same command without torchrun" in told
        assert not list(results.glob("embedded-*"))
        table = start(results, "-m", "benchmark", *CELL)
        told = table.communicate(timeout=300)[1]
        assert table.returncode == 0, told
    assert made(results) == alone


@pytest.mark.slow
def test_a_killed_job_of_the_local_launcher_ends_no_other_and_the_table_is_made(
    start: Started, alone: Mapping[str, bytes], tmp_path: Path
) -> None:
    results = tmp_path / "results"
    sweep = start(results, *LOCAL)
    while not (notes := list(results.glob("jobs/*/0/*.json"))) or not list(results.rglob("_claims/*.json")):
        assert sweep.poll() is None, "the run ended before a job could be killed"
        time.sleep(0.1)
    os.kill(json.loads(notes[0].read_text())["pid"], signal.SIGKILL)
    told = sweep.communicate(timeout=300)[1]
    assert (sweep.returncode, "error: 1 of 2 jobs failed" in told) == (1, True), told
    assert made(results) == alone


@pytest.mark.slow
def test_ctrl_c_ends_the_jobs_of_the_local_launcher_in_one_line(start: Started, tmp_path: Path) -> None:
    sweep = start(tmp_path / "results", *LOCAL)
    while not list(tmp_path.rglob("_claims/*.json")):
        assert sweep.poll() is None, "the run ended before it could be interrupted"
        time.sleep(0.1)
    os.killpg(sweep.pid, signal.SIGINT)
    told = sweep.communicate(timeout=60)[1]
    assert told == "error: interrupted; what was finished is kept, the same command continues\n"
    assert sweep.returncode == 130


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("seen", [None, "2,3", ""])
def test_jobs_of_the_local_launcher_see_the_gpus_that_are_seen_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shell: str, seen: str | None
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if seen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("config", ["hydra/launcher=local"], return_hydra_config=True)
    cfg.hydra.launcher.submitit_folder = str(tmp_path)
    setup = OmegaConf.to_container(cfg.hydra.launcher, resolve=True)["setup"]  # type: ignore[index, call-overload]
    job = "python3 -c \"import os; print(os.getppid(), os.environ.get('CUDA_VISIBLE_DEVICES'))\""
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}  # as submitit starts it
    process = subprocess.Popen(
        [shell, "-c", " && ".join([*setup, job])], env=hidden, stdout=subprocess.PIPE, text=True
    )
    # The launcher names its job by its parent, which must be this shell.
    assert process.communicate()[0] == f"{process.pid} {seen}\n"


def test_the_launcher_of_ray_composes_by_the_words_of_the_pages() -> None:
    pytest.importorskip("hydra_plugins.hydra_ray_launcher", reason="hydra-ray-launcher is not installed")
    words = ["hydra/launcher=ray", "+hydra.launcher.ray.remote.num_gpus=1", "run.workers=8", "run.worker=3"]
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("config", words, return_hydra_config=True)
    assert cfg.hydra.launcher.ray.remote == {"num_gpus": 1}
