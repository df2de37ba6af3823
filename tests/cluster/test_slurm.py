"""Jobs of a real Slurm: killed, warned, finished by others; always the same records and the same table."""

import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from cluster.conftest import Slurm, Started
from helpers.clusters import CELL, made

pytestmark = pytest.mark.slow
pytest.importorskip("submitit", reason="hydra-submitit-launcher is not installed (the extra slurm)")
SCRIPT = Path(__file__).parents[2] / "scripts" / "slurm" / "run.sbatch"
SLURM = ("-m", "benchmark", "-m", "hydra/launcher=slurm")
WORKING = ("squeue", "--array", "--noheader", "--states=RUNNING", "--format=%i")


def workers(count: int) -> tuple[str, str]:
    return f"run.workers={count}", f"run.worker=range({count})"


def until(what: str, seconds: float = 120) -> Iterator[None]:
    """Look again and again, until the caller breaks."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")


def at_work(results: Path) -> str:
    """The job of a process that is making a shard; empty where there is none."""
    for claim in results.rglob("_claims/*.json"):
        with suppress(OSError, ValueError):
            pid = json.loads(claim.read_text())["pid"]
            lines = Path(f"/proc/{pid}/environ").read_text().split("\0")
            own = dict(line.split("=", 1) for line in lines if line.startswith("SLURM_"))
            # An array's last job has the number of the array.
            array = own.get("SLURM_ARRAY_JOB_ID")
            return f"{array}_{own['SLURM_ARRAY_TASK_ID']}" if array else own["SLURM_JOB_ID"]
    return ""


def logs(results: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(results.glob("jobs/*/logs/*.err")))


def test_jobs_killed_at_random_are_finished_by_fewer_with_the_same_bytes(
    node: Mapping[str, str], slurm: Slurm, start: Started, alone: Mapping[str, bytes], tmp_path: Path
) -> None:
    draw, results, killed = random.Random(13), tmp_path / "results", 0
    first = start(results, *SLURM, *CELL, *workers(3), env=node)
    for _ in until("jobs to kill"):
        jobs = slurm(*WORKING).split()
        if killed == 3 or (killed and not jobs):
            break
        if jobs and (killed or at_work(results)):
            slurm("scancel", "--quiet", "--signal=KILL", draw.choice(jobs))
            killed += 1
            time.sleep(draw.random())
    second = start(results, *SLURM, *CELL, *workers(2), env=node)
    _, told = second.communicate(timeout=180)
    assert second.returncode == 0, told
    assert made(results) == alone
    _, told = first.communicate(timeout=60)
    assert (first.returncode, "Traceback" in told) == (1, False), told
    assert "began and did not end" in told


def test_a_warned_job_is_requeued_and_goes_on_where_it_was(
    node: Mapping[str, str], slurm: Slurm, start: Started, alone: Mapping[str, bytes], tmp_path: Path
) -> None:
    results = tmp_path / "results"
    sweep = start(results, *SLURM, *CELL, *workers(1), env=node)
    for _ in until("a shard, and another one being made"):
        if list(results.rglob("records-00000.parquet")) and (job := at_work(results)):
            break
    slurm("scancel", "--signal=USR1", job)
    _, told = sweep.communicate(timeout=180)
    assert sweep.returncode == 0, told
    assert "Restarts=1 " in slurm("scontrol", "show", "--oneliner", "job", job)
    assert logs(results).count("SIGUSR1: what was finished is kept, and this job asks for another turn") == 1
    assert "Traceback" not in logs(results)
    assert made(results) == alone


def test_without_submitit_a_warned_array_and_a_job_after_it_make_the_table(
    node: Mapping[str, str], slurm: Slurm, own: Mapping[str, str], alone: Mapping[str, bytes], tmp_path: Path
) -> None:
    checkout, results = tmp_path / "checkout", tmp_path / "results"
    (checkout / "scripts").mkdir(parents=True)
    run = checkout / "scripts" / "run"
    run.write_text(f'#!/bin/sh\nexec {sys.executable} -m benchmark "$@"\n')
    run.chmod(0o755)
    environment = {**node, **own, "BENCHMARK_RESULTS": str(results)}

    def submit(*options: str) -> str:
        line = ["sbatch", "--parsable", *options, str(SCRIPT), *CELL]
        submitted = subprocess.run(
            line, cwd=checkout, env=environment, capture_output=True, text=True, check=True
        )
        return submitted.stdout.strip()

    array = submit("--array=1-2")
    table = submit(f"--dependency=afterany:{array}")
    for _ in until("a shard that is being made"):
        if job := at_work(results):
            break
    slurm("scancel", "--signal=USR1", job)
    for _ in until("the table"):
        told = slurm("scontrol", "show", "--oneliner", "job", table)
        if "JobState=COMPLETED" in told or "JobState=FAILED" in told:
            break
    log = "\n".join(path.read_text() for path in sorted(results.glob("jobs/slurm/*.log")))
    assert "ExitCode=0:0" in told, log
    assert log.count("error: terminated; what was finished is kept, the same command continues") == 1
    assert "worker 0 of 2 is done" in log
    assert "worker 1 of 2 is done" in log
    assert made(results) == alone
    assert list(checkout.iterdir()) == [checkout / "scripts"]


@pytest.mark.parametrize("action", ["up", "down"])
def test_without_the_packages_one_line_says_which(tmp_path: Path, action: str) -> None:
    for name in ("bash", "uname", "id", "realpath", "env"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    script = SCRIPT.parents[1] / "slurm-node"
    text = script.read_text().replace(":/usr/sbin:/sbin", "")
    (tmp_path / "slurm-node").write_text(text)
    line = ["bash", str(tmp_path / "slurm-node"), action, str(tmp_path / "node")]
    done = subprocess.run(line, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    lacking = (
        "error: not installed: munged slurmctld slurmd sbatch; as root type apt-get install slurm-wlm munge\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        (2, "", lacking) if action == "up" else (0, "", "")
    )
