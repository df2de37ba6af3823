"""What every test may use: where the real data lies, if it does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.commands import Command, started
from helpers.reports import ORACLE_DEVIATION
from hydra.core.hydra_config import HydraConfig
from hypothesis import settings

import benchmark.cli.app.schema  # noqa: F401 - makes the types known that the yaml files name

# No test times anything; examples are drawn the same way each time.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real images, boxes and weights; the test is skipped, and says so, without it."""
    if not SHARED.is_dir():
        pytest.skip(f"the real data is not here ({SHARED})")
    return SHARED


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """``command("run", "key=value", …)``: exit status, stdout and stderr of a command."""
    yield lambda *words: started(monkeypatch, capsys, words)
    HydraConfig.instance().cfg = None  # which the process of a command takes with it


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line an oracle, network and type."""
    found: dict[tuple[str, str, str], tuple[float, float]] = {}
    for report in (one for some in terminalreporter.stats.values() for one in some):
        for name, told in getattr(report, "user_properties", ()):
            if name == ORACLE_DEVIATION and report.when == "call":
                oracle, net, dtype, deviation, allowed = told
                before = found.get((oracle, net, dtype), (0.0, allowed))
                found[oracle, net, dtype] = max((deviation, allowed), before)
    if found:
        terminalreporter.section("oracle deviations: the largest relative error of any map")
    for (oracle, net, dtype), (deviation, allowed) in sorted(found.items()):
        line = f"{oracle:<40} {net:<22} {dtype}  {deviation:.1e} of {allowed:.0e} allowed"
        terminalreporter.write_line(line)
