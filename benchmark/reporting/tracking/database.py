"""Where tracked runs go: a server, or a database that one process at a time may change."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path

from benchmark.core.locks import locked

_LOCK_SECONDS = 600
SERVER = re.compile("https?:|databricks")
"""The beginning of a URI that is no database."""


def sqlite_uri(path: Path) -> str:
    """Return the URI of a SQLite file, escaped as the installed SQLAlchemy reads it."""
    from sqlalchemy.engine import URL  # comes with MLflow

    return URL.create("sqlite", database=str(path.absolute())).render_as_string()


@contextmanager
def alone(folder: Path, place: str) -> Iterator[None]:
    """Let one process at a time into the block.

    MLflow breaks where several make one SQLite file, and "search, else create" would make a run twice. For a
    server, a folder that cannot be written stops nothing: results may lie on a read-only mount.
    """
    with ExitStack() as stack:
        with suppress(OSError) if SERVER.match(place) else nullcontext():
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder / "mlflow.lock", _LOCK_SECONDS))
        yield


def without_password(text: str) -> str:
    """Hide the passwords of URIs in a text."""
    return re.sub(r"(://[^:/@\s]*):[^@/\s]+@", r"\1:***@", text)


def try_database(place: str) -> None:
    """Fail at once where MLflow would try again for 100 seconds."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(place, poolclass=sqlalchemy.pool.NullPool)
    try:
        sqlalchemy.inspect(engine).get_table_names()
    finally:
        engine.dispose()
