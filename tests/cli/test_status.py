"""``./scripts/status``: rows, shards and makers, from the files alone."""

import json
import os
import re
import time
from pathlib import Path

from helpers.commands import Command


def test_a_run_is_complete_or_told_row_by_row_with_who_is_making_it(command: Command, tmp_path: Path) -> None:
    place = f"results_dir={tmp_path}/results"
    assert command("status", place)[0] == 2, "nothing has begun"
    few = ("dataset.count=24", "dataset.limit=18", f"cache_dir={tmp_path}/cache", "tracking=none")
    cell = ("model=vgg16_cam_compact", "method=cam", "metric=[localization]")
    assert command("run", place, *few, *cell)[0] == 0
    status, printed, _ = command("status", place)
    assert (status, printed.splitlines()[1:]) == (0, ["vgg16_cam_compact/cam  2/2 shards"])
    (tmp_path / "results" / "runs" / "agendas" / "gone.json").symlink_to("nowhere")
    assert command("status", place)[0] == 0
    (tmp_path / "results" / "runs" / "agendas" / "gone.json").unlink()
    (shard,) = (tmp_path / "results").rglob("records-00001.parquet")
    shard.unlink()
    claim = shard.parent / "_claims" / "records-00001.json"
    claim.parent.mkdir(exist_ok=True)
    claim.write_text(json.dumps({"host": "node7", "pid": 99}))
    status, printed, _ = command("status", place)
    assert (status, printed.splitlines()[0].startswith("embedded, 18 images; ")) == (5, True)
    assert re.fullmatch(
        r"vgg16_cam_compact/cam  1/2 shards, \d+\.\d images/s each, \d+ s left for one maker, "
        r"being made by node7:99",
        printed.splitlines()[1],
    )
    for damage in (b"", b"PAR1 and no more", shard.with_name("records-00000.parquet").read_bytes()[:-9]):
        shard.write_bytes(damage)
        assert "  1/2 shards, 1 damaged, " in command("status", place)[1]
    os.utime(claim, (time.time() - 600,) * 2)
    assert command("status", place)[1].endswith("being made by node7:99 (no sign of it for 10 min)\n")
    for each in shard.parent.glob("records-*"):
        each.unlink()
    claim.unlink()
    assert command("status", place)[1].splitlines()[1:] == ["vgg16_cam_compact/cam  0/2 shards"]
    assert command("run", place, *few, *cell)[0] == 0, (
        "a table that was made once is no reason to leave them so"
    )
    assert command("status", place)[:1] == (0,)
    for agenda in (tmp_path / "results" / "runs" / "agendas").iterdir():
        agenda.write_text("{")
    status, _, complaint = command("status", place)
    assert (status, "is damaged" in complaint) == (2, True)
