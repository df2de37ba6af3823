"""Who holds a claim, whatever its file says."""

import json
import os
import platform
import time
from pathlib import Path

import pytest

from benchmark.core.claims import EXPIRY, Claims, holder

HERE = platform.node()


@pytest.mark.parametrize(
    ("claim", "held_by"),
    [
        ({"host": "another", "pid": 1}, "another:1"),
        ({"host": HERE, "pid": os.getppid()}, f"{HERE}:{os.getppid()}"),
        ("", "another process"),
        ({"host": HERE, "pid": 2**22 + 1}, None),
        *((claim, None) for claim in ("{", [1], None, {}, {"host": HERE}, {"host": HERE, "pid": "a"})),
        ({"host": HERE, "pid": 10**30}, None),
    ],
)
def test_a_claim_is_held_by_whom_it_names_and_void_where_it_names_nobody(
    tmp_path: Path, claim: object, held_by: str | None
) -> None:
    path = tmp_path / "claim.json"
    path.write_text(claim if isinstance(claim, str) else json.dumps(claim))
    assert holder(path) == held_by
    assert Claims().take(path) is (held_by is None)


@pytest.mark.parametrize("seconds", [-2 * EXPIRY, 2 * EXPIRY])
def test_a_claim_of_a_time_far_off_is_void(tmp_path: Path, seconds: float) -> None:
    path = tmp_path / "claim.json"
    path.write_text(json.dumps({"host": "another", "pid": 1}))
    os.utime(path, (time.time() + seconds,) * 2)
    assert holder(path) is None
