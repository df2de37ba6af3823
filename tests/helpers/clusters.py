"""What several processes make, byte by byte."""

from pathlib import Path

CELL = ("model=vgg16_cam_compact", "method=cam", "dataset.count=96", "run.batch_size=1", "tracking=none")
"""One cell of six shards, whose images take a while each."""
_OWN = {"jobs", "finished", "agendas", "_journal"}
"""What says who made it, and how it was started."""


def made(results: Path) -> dict[str, bytes]:
    """Records, tables and all else below a results folder that no accident may change."""
    files = (path for path in results.rglob("*") if path.is_file())
    return {
        str(path.relative_to(results)): path.read_bytes() for path in files if _OWN.isdisjoint(path.parts)
    }
