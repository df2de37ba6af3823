"""What only reads results waits for no library that only a measurement needs."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "torchvision", "matplotlib", "mlflow", "pandas", "sklearn", "scipy", "cv2")
SCORING_HALF = ("core", "metrics", "reporting", "datasets")
COMMANDS = ("table", "score", "sync", "status", "export", "run")


def modules(room: str) -> list[str]:
    """Every module of a room, by its dotted name."""
    paths = sorted((ROOT / "benchmark" / room).rglob("*.py"))
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)
    return [name.removesuffix(".__init__") for name in names]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([name for room in SCORING_HALF for name in modules(room)], id="scoring half"),
        *(
            pytest.param([f"benchmark.cli.{name}"], id=name)
            for name in ("table", "score", "status", "sync", "export", "run", "clean", "fetch")
        ),
    ],
)
def test_reading_results_imports_nothing_that_only_a_measurement_needs(names: list[str]) -> None:
    code = f"import sys, {', '.join(names)}; print(*sorted(sys.modules.keys() & {set(HEAVY)}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
