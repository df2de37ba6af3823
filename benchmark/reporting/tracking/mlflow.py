"""Finished results to MLflow: a step of its own that can be repeated. The only module that imports MLflow.

One experiment a table, one parent run for a table on a dataset, one child run a cell; one run for a net's
training. Workers never come here, so no job races another for a database and a compute node needs no network.
Everything is found again by tags, so logging twice changes nothing, and a run that a killed process left
RUNNING is taken up and finished.
"""

import logging
import os
import re
import shlex
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import yaml

from benchmark.core.errors import UserError
from benchmark.reporting.table import Table
from benchmark.reporting.text import one_line
from benchmark.reporting.tracking.database import SERVER, alone, sqlite_uri, try_database, without_password
from benchmark.reporting.tracking.runs import Logged, cell_run, table_run

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Files = Mapping[str | None, Sequence[Path]]
"""Files to keep with a run: row to its own, ``None`` to the table's."""

Curve = Sequence[tuple[int, float, Mapping[str, float]]]
"""Step, seconds since 1970, and what was measured there."""

_BATCH = 100
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # That a server does not answer shows within seconds, where MLflow would wait for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
}


class Tracker(Protocol):
    """Where finished tables are logged."""

    def log(self, table: Table, files: Files) -> str:
        """Log a table and its measured cells; what is logged already is left as it is.

        Args:
            table: Table to log.
            files: Files to store with it.

        Returns:
            What to type to look at it; empty where nothing was logged.

        Raises:
            UserError: If it cannot be logged; nothing on disk is lost by that.
        """
        ...

    def log_training(self, training: Logged, curve: Curve, files: Sequence[Path]) -> str:
        """Log a finished training, likewise: once, with its curve and the files to keep beside it."""
        ...


@dataclass(frozen=True)
class NoTracker:
    """Logs nothing."""

    def log(self, table: Table, files: Files) -> str:
        """Do nothing."""
        return ""

    def log_training(self, training: Logged, curve: Curve, files: Sequence[Path]) -> str:
        """Do nothing."""
        return ""


@dataclass(frozen=True)
class MlflowTracker:
    """Logs to MLflow.

    Attributes:
        uri: URI of the tracking server or database; ``None`` or empty for ``<results_dir>/mlflow.db``.
        results_dir: Folder of a local database, its artifacts and the lock file.
        experiment: Its name; ``None`` for the table's.
        artifacts: URI of the artifacts; ``None`` for ``<results_dir>/mlartifacts``, or where a server
            keeps them. Only a new experiment takes it over.
    """

    uri: str | None
    results_dir: str
    experiment: str | None = None
    artifacts: str | None = None

    def __post_init__(self) -> None:
        """Refuse a URI before hours of work, not after."""
        if self.uri and not re.match(r"(?!file:)[\w+.-]{2,}:|databricks", self.uri):
            remedy = (
                "sqlite:////absolute/path/mlflow.db or http://host:port, or null for a file in results_dir"
            )
            raise UserError(f"tracking.uri={self.uri}: MLflow no longer logs into a folder; give {remedy}")

    def log(self, table: Table, files: Files) -> str:
        """Log a table; see :meth:`Tracker.log`."""
        for path in (path for group in files.values() for path in group):
            if not path.is_file():
                raise UserError(f"{path}: to be logged, but not there; ./scripts/run makes it anew")
        return self._log(
            table.name, "./scripts/sync", lambda client, to: _log_table(client, to, table, files)
        )

    def log_training(self, training: Logged, curve: Curve, files: Sequence[Path]) -> str:
        """Log a training; see :meth:`Tracker.log_training`."""
        return self._log(
            "training",
            "the same command",
            lambda client, to: _log_run(client, to, training, curve, files),
        )

    def _log(self, name: str, again: str, log: "Callable[[MlflowClient, str], None]") -> str:
        """Log to an experiment. Processes that share a ``results_dir`` do this one after the other."""
        place = self._place()
        with _quietly(), _one_line(place, again), alone(Path(self.results_dir)):
            client = _client(place)
            experiment = self._experiment(client, self.experiment or name, place)
            log(client, experiment)
        shown = without_password(place)
        if SERVER.match(place):
            return f"{shown.rstrip('/')}/#/experiments/{experiment}"
        return f"mlflow ui --backend-store-uri {shlex.quote(shown)}"

    def _place(self) -> str:
        """Return the tracking URI."""
        return self.uri or sqlite_uri(Path(self.results_dir) / "mlflow.db")

    def _experiment(self, client: "MlflowClient", name: str, place: str) -> str:
        """Return the id of the experiment, made if need be."""
        found = client.get_experiment_by_name(name)
        if found:
            return str(found.experiment_id)
        location = self.artifacts
        if location is None and not SERVER.match(place):  # MLflow's own choice would be ./mlruns
            location = (Path(self.results_dir).absolute() / "mlartifacts").as_uri()
        return str(client.create_experiment(name, artifact_location=location))


@contextmanager
def _quietly() -> Iterator[None]:
    """Run MLflow without telemetry, advice on stderr, and other packages' deprecation warnings."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow  # noqa: F401 - sets up the loggers that are silenced here

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        yield


@contextmanager
def _one_line(place: str, again: str) -> Iterator[None]:
    """Turn whatever MLflow, a database or the network raises into a :class:`UserError`."""
    from alembic.util import CommandError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    # CommandError: a database of another MLflow. ImportError: a database's driver is not installed.
    except (MlflowException, SQLAlchemyError, CommandError, OSError, ImportError) as error:
        reason = one_line(without_password(str(error)))[:300]
        safe = f"the results are safe on disk, and {again} logs them once this is mended"
        raise UserError(f"MLflow at {without_password(place)} cannot be used ({reason}); {safe}") from error


def _client(place: str) -> "MlflowClient":
    """Make a client: through it, neither MLFLOW_RUN_ID nor an active run can divert what is logged."""
    from mlflow import MlflowClient

    if not SERVER.match(place):
        try_database(place)
    return MlflowClient(tracking_uri=place)


def _log_table(client: "MlflowClient", experiment: str, table: Table, files: Files) -> None:
    logged = table_run(table)
    parent = _find_or_create(client, experiment, logged)
    with _ending(client, parent):
        for result in table.measured:
            cell = cell_run(table, result)
            run = _find_or_create(client, experiment, cell, {"mlflow.parentRunId": parent.info.run_id})
            if run.info.status != "FINISHED" or _changed(run, cell):
                with _ending(client, run):
                    _log_values(client, run, cell)
                    config = yaml.safe_dump(dict(result.config), sort_keys=True, allow_unicode=True)
                    client.log_text(run.info.run_id, config, "config.yaml")
                    _log_files(client, run, files.get(result.row, ()))
        _log_values(client, parent, logged)
        _log_files(client, parent, files.get(None, ()))


def _log_run(
    client: "MlflowClient", experiment: str, logged: Logged, curve: Curve, files: Sequence[Path]
) -> None:
    run = _find_or_create(client, experiment, logged)
    if run.info.status != "FINISHED":
        with _ending(client, run):
            _log_values(client, run, logged, curve)
            _log_files(client, run, files)


def _find_or_create(
    client: "MlflowClient", experiment: str, logged: Logged, above: Mapping[str, str] | None = None
) -> "Run":
    tags = {**logged.identity, **(above or {})}
    wanted = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    found = client.search_runs([experiment], wanted, max_results=1, order_by=["attributes.start_time ASC"])
    return found[0] if found else client.create_run(experiment, tags=tags, run_name=logged.name)


@contextmanager
def _ending(client: "MlflowClient", run: "Run") -> Iterator[None]:
    """Mark the run as RUNNING inside, and as FINISHED, FAILED or KILLED afterwards."""
    run_id = run.info.run_id
    if run.info.status != "RUNNING":
        client.update_run(run_id, status="RUNNING")
    try:
        yield
    except BaseException as error:
        with suppress(Exception):  # the first error is the one to tell
            client.set_terminated(run_id, "FAILED" if isinstance(error, Exception) else "KILLED")
        raise
    client.set_terminated(run_id, "FINISHED")


def _changed(run: "Run", logged: Logged) -> dict[str, float]:
    """Find metrics that the run does not have yet, or has with another value (a metric was defined anew)."""
    return {name: value for name, value in logged.metrics.items() if run.data.metrics.get(name) != value}


def _log_values(client: "MlflowClient", run: "Run", logged: Logged, curve: Curve = ()) -> None:
    """Replace tags, add parameters (MLflow changes none), and add metrics where they changed."""
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    params = [Param(name, value) for name, value in logged.params.items() if name not in run.data.params]
    tags = [RunTag(name, value) for name, value in logged.tags.items()]
    metrics = [Metric(name, value, now, 0) for name, value in _changed(run, logged).items()]
    metrics += [  # one that is there already, time and all, is not doubled
        Metric(name, value, int(1000 * seconds), step)
        for step, seconds, values in curve
        for name, value in values.items()
    ]
    for start in range(0, max(len(params), len(tags), len(metrics)), _BATCH):
        part = slice(start, start + _BATCH)
        client.log_batch(run.info.run_id, metrics[part], params[part], tags[part])


def _log_files(client: "MlflowClient", run: "Run", files: Sequence[Path]) -> None:
    """Keep copies, under their names; a second time they take the first ones' places."""
    for path in files:
        client.log_artifact(run.info.run_id, str(path))
