"""What every test may use: where the real data lies, if it does."""

from pathlib import Path

import pytest
from hypothesis import settings

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
