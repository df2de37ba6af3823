"""``./scripts/clean``: show, and remove if asked to, what is of no use below the results."""

import shutil
from pathlib import Path

from omegaconf import DictConfig

from benchmark.core.errors import UserError
from benchmark.core.exit_codes import ExitCode
from benchmark.core.options import check
from benchmark.pipeline.unused import Unused, left_by_the_dead, unused_runs


def main(cfg: DictConfig) -> int:
    """Print one line for each file or folder of no use, and how much room all of them take."""
    check("remove", cfg.remove, bool)
    results = Path(cfg.results_dir).expanduser().resolve()
    if not results.is_dir():
        raise UserError(
            f"results_dir={cfg.results_dir}: there is no such folder; name the one of your results"
        )
    runs = list(unused_runs(results))
    folders = [run.path for run in runs if run.path.is_dir()]
    places = [results, Path(cfg.weights_dir).expanduser().resolve()]
    left = [one for one in left_by_the_dead(places) if not any(map(one.path.is_relative_to, folders))]
    for one in (*runs, *left):
        shown = one.path.relative_to(results) if one.path.is_relative_to(results) else one.path
        print(f"{shown}: {one.reason}, {_room(one.size)}")
        if cfg.remove:
            _remove(one)
    room = _room(sum(one.size for one in (*runs, *left)))
    told = f"{len(runs)} runs, {len(left)} claims and temporary files, {room}"
    done = "removed" if cfg.remove else "./scripts/clean remove=true removes them"
    print(f"{told}: {done}" if runs or left else "there is nothing to remove")
    return ExitCode.COMPLETE


def _remove(one: Unused) -> None:
    try:
        if one.path.is_dir():
            shutil.rmtree(one.path)
        else:
            one.path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"{one.path}: cannot be removed ({error.strerror or error}); mend its rights"
        ) from error


def _room(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
