"""Launchers of other packages: a job that they lose ends no other, and the end says so in one line."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOSING = '''
"""A launcher that runs every job but one, of which it hears nothing more."""

from hydra.core.config_store import ConfigStore
from hydra.core.utils import run_job
from hydra.plugins.launcher import Launcher
from omegaconf import open_dict


class Losing(Launcher):
    def setup(self, *, hydra_context, task_function, config):
        self.context, self.function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides, initial_job_idx):
        for number, overrides in enumerate(job_overrides):
            cfg = self.context.config_loader.load_sweep_config(self.config, list(overrides))
            with open_dict(cfg):
                cfg.hydra.job.id = cfg.hydra.job.num = number
            try:
                run_job(
                    hydra_context=self.context, task_function=self.function, config=cfg,
                    job_dir_key="hydra.sweep.dir", job_subdir_key="hydra.sweep.subdir",
                )
            except BaseException:  # whatever kills a process
                pass
        raise RuntimeError("one job\\nhas no result")


ConfigStore.instance().store(
    group="hydra/launcher", name="losing", node={"_target_": "hydra_plugins.losing.Losing"}
)
'''
DEADLY = '''
import os


class Killed(BaseException):
    """As where the system kills a process: nothing of ours hears of it."""


def die(name):
    if "SUBMITIT_EXECUTOR" in os.environ:
        os._exit(9)
    raise Killed
'''
SUBMITIT = "hydra_plugins.hydra_submitit_launcher"


def swept(folder: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a sweep, in a process that finds the modules in a folder."""
    few = (
        "dataset.count=24",
        "dataset.limit=2",
        "tracking=none",
        "metric=[localization]",
        "model=vgg16_compact",
    )
    places = (
        f"results_dir={folder}/results",
        f"cache_dir={folder}/cache",
        "--config-dir",
        str(folder / "conf"),
    )
    line = [sys.executable, "-m", "benchmark", "-m", *few, *places, *words]
    found = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        line, env=os.environ | {"PYTHONPATH": found}, capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A launcher, and a localizer that ends its job."""
    for name, text in (
        ("hydra_plugins/losing.py", LOSING),
        ("deadly.py", DEADLY),
        ("conf/localizer/deadly.yaml", "_target_: deadly.die\nname: deadly\n"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_job_that_a_launcher_loses_is_told_and_the_others_make_the_table(folder: Path) -> None:
    status, printed, complaint = swept(folder, "localizer=gradcam_15,deadly,cam_20", "hydra/launcher=losing")
    assert (status, "Traceback" in complaint) == (1, False), complaint
    assert "vgg16_compact/grad_cam/gradcam_15" in printed
    assert "vgg16_compact/grad_cam/cam_20" in printed
    lost, count, launcher = complaint.splitlines()[-3:]
    assert "localizer=deadly: began and did not end: killed, out of memory or time" in lost
    assert count == "error: 1 of 3 jobs failed"
    assert launcher.startswith("error: hydra/launcher: RuntimeError: one job has no result; the same command")


def test_a_launcher_that_cannot_start_is_one_line(folder: Path) -> None:
    plugin = folder / "hydra_plugins" / "losing.py"
    plugin.write_text(LOSING.replace("        for number", "        job_overrides = ()\n        for number"))
    status, printed, complaint = swept(folder, "localizer=gradcam_15,cam_20", "hydra/launcher=losing")
    assert (status, printed, complaint.count("\n")) == (1, "", 1), complaint


def test_a_launcher_that_is_not_installed_is_one_line_with_the_remedy(folder: Path) -> None:
    absent = "hydra.launcher._target_=hydra_plugins.not_here.Launcher"
    status, printed, complaint = swept(folder, "localizer=gradcam_15,cam_20", "hydra/launcher=local", absent)
    assert (status, printed, complaint.count("\n")) == (2, "", 1), complaint
    assert complaint.startswith("error: hydra/launcher=local: not installed (No module named")
    assert "pip install --editable '.[slurm]'" in complaint


@pytest.mark.slow
def test_through_submitit_a_refused_value_and_a_lost_job_end_no_other(folder: Path) -> None:
    try:
        there = importlib.util.find_spec(SUBMITIT) is not None
    except ModuleNotFoundError:
        there = False
    if not there:
        pytest.skip("hydra-submitit-launcher is not installed (the extra slurm)")
    local = "hydra/launcher=local"
    status, printed, complaint = swept(folder, "localizer.threshold=0.15,2,0.3", local)
    assert (status, "Traceback" in complaint) == (2, False), complaint
    assert "grad_cam/threshold=0.3" in printed
    assert "localizer.threshold=2: must be a number in [0, 1)" in complaint
    assert complaint.endswith("error: 1 of 3 jobs failed\n")
    status, printed, complaint = swept(folder, "localizer=gradcam_15,deadly,cam_20", local)
    assert (status, "grad_cam/cam_20" in printed) == (1, True), complaint
    assert "localizer=deadly: began and did not end" in complaint
