"""``./scripts/run`` with folders of a test's own."""

from functools import partial
from pathlib import Path

import pytest
from helpers.commands import Command


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded images, made once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run(command: Command, cache: Path, tmp_path: Path) -> Command:
    """``run("key=value", …)``: exit status, stdout and stderr of ``./scripts/run``."""
    return partial(command, "run", f"results_dir={tmp_path}", f"cache_dir={cache}")
