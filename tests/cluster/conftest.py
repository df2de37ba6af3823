"""A real Slurm of one node, brought up once; and commands that run in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from helpers.clusters import CELL, made

NODE = Path(__file__).parents[2] / "scripts" / "slurm-node"
Slurm = Callable[..., str]
"""A command's words to what it prints."""
Started = Callable[..., "subprocess.Popen[str]"]
"""A command's words to its process."""


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment in which Slurm's commands reach the node; the test is skipped where there is none."""
    folder = tmp_path_factory.mktemp("slurm") / "node"
    up = subprocess.run([NODE, "up", folder], capture_output=True, text=True, timeout=60, check=False)
    if up.returncode:
        subprocess.run([NODE, "down", folder], timeout=60, check=False)
        pytest.skip(f"no Slurm here: {up.stderr.strip()}")
    again = subprocess.run([NODE, "up", folder], capture_output=True, text=True, timeout=60, check=True)
    assert again.stdout == up.stdout
    shell = ["bash", "-c", f"{up.stdout}\nenv -0"]
    told = subprocess.run(shell, capture_output=True, text=True, check=True).stdout
    yield dict(line.split("=", 1) for line in told.split("\0") if line)
    subprocess.run([NODE, "down", folder], timeout=60, check=True)
    assert not folder.exists()


@pytest.fixture
def slurm(node: Mapping[str, str]) -> Slurm:
    """``slurm("squeue", "--noheader")``: what one of its commands prints."""

    def run(*words: str) -> str:
        done = subprocess.run(words, env=node, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    return run


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded images, made once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def own(cache: Path) -> Mapping[str, str]:
    """What a process needs to find this checkout and the images, whatever folder it is started in."""
    found = os.pathsep.join([str(NODE.parents[1]), os.environ.get("PYTHONPATH", "")])
    return {"PYTHONPATH": found, "OMP_NUM_THREADS": "1", "BENCHMARK_CACHE": str(cache)}


@pytest.fixture
def start(own: Mapping[str, str], tmp_path: Path) -> Iterator[Started]:
    """``start(results, "-m", "benchmark", "key=value", …)``: Python in a working folder that stays empty."""
    here = tmp_path / "here"
    here.mkdir()

    def run(results: Path, *words: str, env: Mapping[str, str] = os.environ) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=here,
            env={**env, **own, "BENCHMARK_RESULTS": str(results)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    yield run
    assert list(here.iterdir()) == []


@pytest.fixture(scope="session")
def alone(own: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """The files that one process makes that nobody disturbs."""
    results = tmp_path_factory.mktemp("alone")
    line = [sys.executable, "-m", "benchmark", *CELL]
    environment = {**os.environ, **own, "BENCHMARK_RESULTS": str(results)}
    subprocess.run(line, env=environment, check=True, capture_output=True, timeout=300)
    return made(results)
