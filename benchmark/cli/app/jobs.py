"""What each job of a sweep leaves behind for its end."""

import json
from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

_FILE = "job.json"


def record_job(words: Sequence[str], status: int, message: str) -> None:
    """Keep how a job ended, in its folder below the sweep's.

    Args:
        words: What it was composed from.
        status: Its exit status.
        message: What went wrong, in one line; empty if nothing did.
    """
    folder = Path(HydraConfig.get().runtime.output_dir)
    content = {"words": list(words), "status": status, "message": message}
    (folder / _FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
