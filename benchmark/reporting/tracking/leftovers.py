"""What killed or racing processes left in MLflow: runs that are open, and runs that are there twice."""

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmark.core.locks import alive

OURS = {"made_by": "gradcam-benchmark"}
"""The tag of the experiments that this package made."""
LOGGED_BY = "logged_by"
"""The tag that says which process logs a run, or did so last, and since when."""
FILES, LACKING = "files", "not stored"
"""The tag that says whether a run has its files, and its value as long as it has not."""
_IDENTITIES = ("table.key", "fingerprint", "row.key", "sha256", "mlflow.parentRunId")
_LONG = timedelta(days=1)
"""A run that another host has been logging for so long is taken for abandoned; it takes minutes at most."""


def this_process() -> dict[str, str]:
    """Return the tag by which this process says that it logs a run."""
    return {LOGGED_BY: f"{platform.node()}:{os.getpid()} {datetime.now(UTC).isoformat(timespec='seconds')}"}


def tidied(client: Any, experiment: str, nobody_else: bool) -> Iterator[str]:
    """Close runs that nobody logs any more as KILLED, and delete what is there twice.

    Where processes cannot share a lock, such as those of two users of one server, each may find no run of a
    cell and make one. Each comes here at its end, so that the last of them sees all, and the oldest stays.

    Args:
        client: MLflow's.
        experiment: Identifier of the experiment in which this process has just logged, whoever made it. Open
            runs are looked for in all others that this package made as well.
        nobody_else: Whether no other process of this package can be logging there.

    Yields:
        What there was, each in one line.
    """
    runs = list(_runs(client, [experiment], ""))
    wanted = " and ".join(f"tags.`{name}` = '{value}'" for name, value in OURS.items())
    others = {each.experiment_id for each in client.search_experiments(filter_string=wanted)} - {experiment}
    runs += _runs(client, sorted(others), "attributes.status = 'RUNNING'") if others else []
    unfinished = [run for run in runs if run.info.status == "RUNNING" or run.data.tags.get(FILES) == LACKING]
    living = {run.info.run_id for run in unfinished if not _left(run, nobody_else)}
    doubles = _doubles([run for run in runs if run.info.experiment_id == experiment], living)
    for run_id in doubles:
        client.delete_run(run_id)
    open_ones = {run.info.run_id for run in runs if run.info.status == "RUNNING"} - living - doubles
    for run_id in open_ones:
        client.set_terminated(run_id, "KILLED")
    if doubles:
        yield f"{len(doubles)} runs that were there twice are deleted; the older ones stay"
    if open_ones:
        yield f"{len(open_ones)} runs that a killed process had left open are closed as KILLED"


def _runs(client: Any, experiments: list[str], wanted: str) -> Iterator[Any]:
    """Yield this package's runs, page by page."""
    token = None
    while token != "":
        page = client.search_runs(experiments, wanted, page_token=token)
        yield from (run for run in page if {"table.key", "fingerprint"} & run.data.tags.keys())
        token = page.token or ""


def _doubles(runs: list[Any], living: set[str]) -> set[str]:
    """Return the runs that an older one is the same as, and those inside them; none that is being logged."""
    firsts, doubles = dict[tuple[str, ...], str](), set[str]()
    for run in sorted(runs, key=lambda run: (run.info.start_time, run.info.run_id)):
        identity = tuple(run.data.tags.get(name, "") for name in _IDENTITIES)
        if firsts.setdefault(identity, run.info.run_id) != run.info.run_id and run.info.run_id not in living:
            doubles.add(run.info.run_id)
    inside = {run.info.run_id for run in runs if run.data.tags.get("mlflow.parentRunId") in doubles}
    return doubles | inside - living


def _left(run: Any, nobody_else: bool) -> bool:
    """Return whether nobody logs an open run: its process is dead, is this one, or began long ago."""
    who, _, when = run.data.tags.get(LOGGED_BY, "").partition(" ")
    host, _, pid = who.rpartition(":")
    if host == platform.node() and pid.isdecimal():
        return nobody_else or int(pid) == os.getpid() or not alive(int(pid))
    since = datetime.fromtimestamp(run.info.start_time / 1000, UTC)  # of a version that noted nobody
    with suppress(ValueError):
        since = datetime.fromisoformat(when)
        if nobody_else:
            return True
    return datetime.now(UTC) - since > _LONG
