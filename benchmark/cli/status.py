"""``./scripts/status``: how far the last experiment is, and who is making it."""

from pathlib import Path

from omegaconf import DictConfig

from benchmark.core.exit_codes import ExitCode
from benchmark.pipeline.agenda import RowStatus, latest, status


def main(cfg: DictConfig) -> int:
    """Print one line a row; the exit code says whether all shards are there."""
    runs = Path(cfg.results_dir).expanduser().resolve() / "runs"
    agenda = latest(runs)
    print(f"{agenda.dataset}; {runs}")
    found = {row: status(parts, runs) for row, parts in agenda.rows.items()}
    width = max(map(len, [*found, *agenda.open]), default=0)
    for row, one in found.items():
        damaged = f", {one.damaged} damaged" if one.damaged else ""
        print(f"{row:<{width}}  {one.done}/{one.count} shards{damaged}{_about(one)}")
    for row, reason in agenda.open.items():
        print(f"{row:<{width}}  open: {reason}")
    if any(one.done < one.count for one in found.values()):
        return ExitCode.UNFINISHED
    return ExitCode.ROWS_OPEN if agenda.open else ExitCode.COMPLETE


def _about(row: RowStatus) -> str:
    count, pace = max(1, len(row.makers)), ""
    if row.left and row.rate:
        makers = f"{count} makers" if count > 1 else "one maker"
        pace = f", {row.rate:.1f} images/s each, {row.left / row.rate / count:.0f} s left for {makers}"
    return pace + (f", being made by {', '.join(row.at_work)}" if row.makers else "")
