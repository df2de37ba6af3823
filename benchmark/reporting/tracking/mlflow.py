"""Finished results to MLflow: a step of its own that can be repeated. The only module that imports MLflow.

One experiment a table, one parent run for a table on a dataset, one child run a cell; one run for a net's
training. The parent carries the table's files and the records of all rows, a cell its json, its options
(``config.yaml``) and its conditions (``conditions.yaml``). Workers never come here, so no job races another
for a database and a compute node needs no network. Everything is found again by tags, so logging twice
changes nothing, and a run that a killed process left RUNNING is taken up and finished, or closed as KILLED
where its table is logged no longer. A run that a former version logged has the same tags: it gets the params
and the dataset of this one beside its own, and is not doubled. The numbers of all runs come first and the
files after them, so that a place for files that cannot be written costs no number; a tag, ``files``, says of
each run whether it has its files.
"""

import json
import logging
import os
import re
import shlex
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.core.errors import UserError
from benchmark.reporting.table import DatasetNote, Table
from benchmark.reporting.text import one_line
from benchmark.reporting.tracking.database import SERVER, alone, made_ready, sqlite_uri, without_password
from benchmark.reporting.tracking.entry import Entry, changed, digest_of, entries, lacks_dataset, log_files
from benchmark.reporting.tracking.leftovers import FILES, LACKING, OURS, this_process, tidied
from benchmark.reporting.tracking.runs import Logged
from benchmark.reporting.tracking.tracker import Curve, Files, Tracked

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

_BATCH = 100
_KIND = {"mlflow.experimentKind": "custom_model_development"}
"""The tag by which MLflow's page shows an experiment's runs, and not the traces of a language model."""
_ANOTHER = "name another with tracking.experiment=NAME"
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # That a server does not answer shows within seconds, where MLflow would wait for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "60",
}


@dataclass(frozen=True)
class MlflowTracker:
    """Logs to MLflow.

    Attributes:
        uri: URI of the tracking server or database; ``None`` or empty for ``<results_dir>/mlflow.db``.
        results_dir: Folder of a local database and its artifacts.
        experiment: Its name; ``None`` or empty for the table's.
        artifacts: URI of the artifacts; ``None`` for ``<results_dir>/mlartifacts``, or where a server
            keeps them. Only a new experiment takes it over. ``False`` logs numbers alone, and no file.
    """

    uri: str | None
    results_dir: str
    experiment: str | None = None
    artifacts: str | bool | None = None

    def __post_init__(self) -> None:
        """Refuse a URI before hours of work, not after."""
        if self.uri and not re.match(r"(?!file:)[\w+.-]{2,}:|databricks", self.uri):
            remedy = (
                "sqlite:////absolute/path/mlflow.db or http://host:port, or null for a file in results_dir"
            )
            raise UserError(f"tracking.uri={self.uri}: MLflow no longer logs into a folder; give {remedy}")

    def log(self, table: Table, files: Files) -> Tracked:
        """Log a table; see :meth:`Tracker.log`."""
        return self._log(table.name, "./scripts/sync", entries(table, files))

    def log_training(self, training: Logged, curve: Curve, files: Sequence[Path]) -> Tracked:
        """Log a training; see :meth:`Tracker.log_training`."""
        return self._log(
            "training", "the same command", [Entry(training, dict.fromkeys(files, ""), curve=curve)]
        )

    def _log(self, name: str, again: str, entries: "Sequence[Entry]") -> Tracked:
        """Log runs, the first of them the parent of the others.

        Processes that log to one place do this one after the other.
        """
        place = self.uri or sqlite_uri(Path(self.results_dir) / "mlflow.db")
        shown = without_password(place)
        try:
            with _quietly(), alone(place) as nobody_else:
                mended = [made_ready(place, _make)]
                client = _client(place)
                experiment = self._experiment(client, self.experiment or name, place)
                runs = _log_numbers(client, experiment.experiment_id, entries)
                problem = "" if self.artifacts is False else log_files(client, runs, _reason)
                mended += tidied(client, experiment.experiment_id, nobody_else)
        # A server's client, a database's driver and a plug-in raise errors of their own kinds.
        except Exception as error:
            safe = f"the results are safe on disk, and {again} logs them once this is mended"
            return Tracked(problems=(f"MLflow at {shown} cannot be used ({_reason(error)}); {safe}",))
        told: tuple[str, ...] = ()
        done = tuple(filter(None, mended))
        if problem:
            remedy = f"make {experiment.artifact_location} writable from here, or log numbers alone with "
            remedy += f"tracking.artifacts=false; {again} logs the files once this is mended"
            told = (f"MLflow at {shown}: the numbers are logged, {problem}; {remedy}",)
        if SERVER.match(place):
            return Tracked(f"{shown.rstrip('/')}/#/experiments/{experiment.experiment_id}", told, done)
        return Tracked(f"mlflow ui --backend-store-uri {shlex.quote(shown)}", told, done)

    def _experiment(self, client: "MlflowClient", name: str, place: str) -> "Experiment":
        """Return the experiment, made if need be.

        Raises:
            UserError: If it was deleted, or is not there and cannot be made, with the remedy.
        """
        found = client.get_experiment_by_name(name)
        if found and found.lifecycle_stage == "deleted":
            restore = f"mlflow experiments restore --experiment-id {found.experiment_id}"
            raise UserError(f"the experiment {name} was deleted there; {restore}, or {_ANOTHER}")
        if found:
            if OURS.items() <= found.tags.items() and not _KIND.keys() & found.tags.keys():
                client.set_experiment_tag(found.experiment_id, *next(iter(_KIND.items())))
            return found
        location = self.artifacts if isinstance(self.artifacts, str) else None
        if not location and not SERVER.match(place):  # MLflow's own choice would be ./mlruns
            location = (Path(self.results_dir).absolute() / "mlartifacts").as_uri()
        try:
            made = client.create_experiment(name, artifact_location=location or None, tags=OURS | _KIND)
            return client.get_experiment(made)
        except Exception as error:
            found = client.get_experiment_by_name(name)  # which another process may have made meanwhile
            if found:
                return found
            refused = f"there is no experiment {name} there, and it cannot be made: {_reason(error)}"
            raise UserError(f"{refused}; {_ANOTHER}") from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Run MLflow without telemetry, advice on stderr, and other packages' deprecation warnings."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow  # noqa: F401 - sets up the loggers that are silenced here

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # an error is told once, in our line
        yield


def _reason(error: Exception) -> str:
    """Say in one line what went wrong; of a class of error whose text alone says little, with its name."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return f"{error}; install this driver of the database beside the package"
    text = one_line(without_password(str(error)))[:300]
    named = text if len(text.split()) > 2 else f"{type(error).__name__}: {text}"
    denied = re.search(r"\b(401|403)\b|PERMISSION_DENIED", text)
    return f"{named}; log in with MLFLOW_TRACKING_USERNAME and _PASSWORD, or _TOKEN" if denied else named


def _client(place: str) -> "MlflowClient":
    """Make a client: through it, neither MLFLOW_RUN_ID nor an active run can divert what is logged."""
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=place)


def _make(place: str) -> None:
    """Make a database, or open the one that is there."""
    _client(place).search_experiments(max_results=1)


def _log_numbers(
    client: "MlflowClient", experiment: str, entries: Sequence[Entry]
) -> list[tuple[str, Entry]]:
    """Log the parameters, metrics and tags of all runs; return those whose files are to be stored."""
    first, *others = entries
    parent, lacking = _find_or_create(client, experiment, first.logged), list[tuple[str, Entry]]()
    done = first.is_logged(parent)
    with nullcontext() if done else _ending(client, parent):
        for entry in others:
            run = _find_or_create(client, experiment, entry.logged, parent)
            logged = entry.is_logged(run)
            if not logged:
                with _ending(client, run):
                    _log_values(client, run, entry)
            if not (logged and entry.has_files(run)):
                lacking.append((run.info.run_id, entry))
        if not done:
            _log_values(client, parent, first)
    stored = done and first.has_files(parent)
    return lacking if stored else [(parent.info.run_id, first), *lacking]


def _find_or_create(
    client: "MlflowClient", experiment: str, logged: Logged, parent: "Run | None" = None
) -> "Run":
    above = {"mlflow.parentRunId": parent.info.run_id} if parent else {}
    tags = {**logged.identity, **above}
    wanted = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    found = client.search_runs([experiment], wanted, max_results=1, order_by=["attributes.start_time ASC"])
    return (
        found[0] if found else client.create_run(experiment, tags=tags | this_process(), run_name=logged.name)
    )


@contextmanager
def _ending(client: "MlflowClient", run: "Run") -> Iterator[None]:
    """Mark the run as RUNNING inside, and as FINISHED, FAILED or KILLED afterwards."""
    run_id = run.info.run_id
    client.update_run(run_id, status="RUNNING")
    try:
        yield
    except BaseException as error:
        with suppress(Exception):  # the first error is the one to tell
            client.set_terminated(run_id, "FAILED" if isinstance(error, Exception) else "KILLED")
        raise
    client.set_terminated(run_id, "FINISHED")


def _log_dataset(client: "MlflowClient", run: "Run", dataset: DatasetNote) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    entity = Dataset(
        name=dataset.name,
        digest=digest_of(dataset),
        source_type="gradcam-benchmark",
        source=json.dumps({"fingerprint": dataset.fingerprint}),
        profile=json.dumps({"num_rows": dataset.images, "complete": dataset.complete, "note": dataset.note}),
    )
    client.log_inputs(
        run.info.run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", "evaluation")])]
    )


def _log_values(client: "MlflowClient", run: "Run", entry: Entry) -> None:
    """Log the values of a run; once more where another process without our lock has just logged some."""
    try:
        _add_values(client, run, entry)
    except Exception:
        _add_values(client, client.get_run(run.info.run_id), entry)


def _add_values(client: "MlflowClient", run: "Run", entry: Entry) -> None:
    """Replace tags, add parameters (MLflow changes none), and add metrics where they changed."""
    from mlflow.entities import Metric, Param, RunTag

    now, logged = int(time.time() * 1000), entry.logged
    params = [Param(name, value) for name, value in logged.params.items() if name not in run.data.params]
    tags = [RunTag(name, value) for name, value in {**logged.tags, FILES: LACKING, **this_process()}.items()]
    metrics = [Metric(name, value, now, 0) for name, value in changed(run, logged).items()]
    metrics += [  # one that is there already, time and all, is not doubled
        Metric(name, value, int(1000 * seconds), step)
        for step, seconds, values in entry.curve
        for name, value in values.items()
    ]
    for start in range(0, max(len(params), len(tags), len(metrics)), _BATCH):
        part = slice(start, start + _BATCH)
        client.log_batch(run.info.run_id, metrics[part], params[part], tags[part])
    if logged.dataset is not None and lacks_dataset(run, logged):
        _log_dataset(client, run, logged.dataset)
