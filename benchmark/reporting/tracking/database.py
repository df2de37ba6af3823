"""Where tracked runs go: a server, or a database that one process at a time may change."""

import hashlib
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from benchmark.core.errors import UserError
from benchmark.core.files import sweep
from benchmark.core.locks import locked

_LOCK_SECONDS = 600
_ADVISORY = 0x67726164  # the number of our lock in a PostgreSQL database
_MISFIT = re.compile("already exists|duplicate column|no such (table|column|index)|Online migration")
SERVER = re.compile("https?:|databricks")
"""The beginning of a URI that is no database."""


def sqlite_uri(path: Path) -> str:
    """Return the URI of a SQLite file, escaped as the installed SQLAlchemy reads it."""
    from sqlalchemy.engine import URL  # comes with MLflow

    return URL.create("sqlite", database=str(path.absolute())).render_as_string()


def sqlite_file(place: str) -> Path | None:
    """Return the file of a SQLite database, by whatever name it is reached; ``None`` for any other place."""
    from sqlalchemy.engine import make_url

    url = None if SERVER.match(place) else make_url(place)
    if url is None or url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    name = str(url.database)
    return Path(unquote(urlsplit(name).path) if name.startswith("file:") else name).resolve()


@contextmanager
def alone(place: str) -> Iterator[bool]:
    """Let one process at a time log to a place, from whatever results folder.

    MLflow breaks where several make one database, and "search, else create" would make a run twice. So the
    lock belongs to the place: a file beside a SQLite file, PostgreSQL's own for one of its databases. Servers
    have none: all processes of a person take turns by a file in the cache of their home, if it can be made.

    Yields:
        Whether nobody else can be logging there, whoever and wherever they are.
    """
    with ExitStack() as stack:
        file = sqlite_file(place)
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(file.with_name(f"{file.name}.lock"), _LOCK_SECONDS))
        elif place.startswith("postgresql"):
            connection = stack.enter_context(_connected(place))
            connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({_ADVISORY})")  # until the connection ends
        else:
            with suppress(OSError):
                stack.enter_context(locked(_lock_of_server(place), _LOCK_SECONDS))
        yield file is not None or place.startswith("postgresql")


def _lock_of_server(place: str) -> Path:
    """Return this user's lock file for a server; nodes of a cluster mostly share the homes.

    Raises:
        OSError: If no folder for it can be made.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gradcam-benchmark"
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home at all
        cache = Path(tempfile.gettempdir()) / f"gradcam-benchmark-{os.getuid()}"
        cache.mkdir(exist_ok=True)
    return cache / f"{hashlib.sha256(without_password(place).rstrip('/').encode()).hexdigest()[:16]}.lock"


def without_password(text: str) -> str:
    """Hide the passwords of URIs in a text."""
    return re.sub(r"(://[^:/@\s]*):[^@/\s]+@", r"\1:***@", text)


@contextmanager
def _connected(place: str) -> Iterator[Any]:
    """Connect to a database, or fail at once where MLflow would try again for 100 seconds."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(place, poolclass=sqlalchemy.pool.NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def made_ready(place: str, make: Callable[[str], None]) -> str:
    """Try a database, and make a SQLite file that is not there, or was left half-made.

    A SQLite file is made whole under another name and then renamed, since MLflow can never open one again
    that processes raced for, or that one was killed in the middle of.

    Args:
        place: URI of the database, which no other process may change meanwhile; or of a server.
        make: Makes a database at a URI, or opens the one that is there.

    Returns:
        What had to be mended, in one line; empty if nothing.

    Raises:
        UserError: If a half-made database holds runs, with the remedy.
    """
    if SERVER.match(place):
        return ""
    told, file = "", sqlite_file(place)
    if file is None or (file.exists() and file.stat().st_size):
        with _connected(place) as connection:
            halted = _halted(connection, file) if file is not None else False
        if file is None or not (halted or _refused(file, make)):
            return ""
        away = file.with_name(f"{file.name}.half-made")
        file.replace(away)
        told = f"{file} was left half-made and without runs: it is {away.name} now, and a new one is there"
    sweep(file.parent)
    temporary = _temporary(file)
    try:
        make(sqlite_uri(temporary))
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
    return told


def _halted(connection: Any, file: Path) -> bool:
    """Return whether MLflow was halted while it made its tables, as far as the tables show it.

    Raises:
        UserError: If it was, and there are runs in them.
    """
    import sqlalchemy

    tables = set(sqlalchemy.inspect(connection).get_table_names())
    if not tables & {"experiments", "runs", "alembic_version"}:
        return False
    noted = "alembic_version" in tables and _count(connection, "alembic_version")
    halted = not noted or any(name.startswith("_alembic_tmp_") for name in tables)
    if halted and "runs" in tables and _count(connection, "runs"):
        raise UserError(f"it holds runs but was left half-made; move it away: mv '{file}' '{file}.half-made'")
    return halted


def _refused(file: Path, make: Callable[[str], None]) -> bool:
    """Return whether MLflow finds tables or columns that do not fit the version noted, in one without runs.

    It is tried on a copy, since MLflow keeps what it has opened open.
    """
    with _connected(sqlite_uri(file)) as connection:
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name = 'runs'").fetchall()
        if not tables or _count(connection, "runs"):
            return False
    temporary = _temporary(file)
    try:
        shutil.copyfile(file, temporary)
        make(sqlite_uri(temporary))
    except Exception as error:  # of MLflow, Alembic or SQLAlchemy
        return _MISFIT.search(str(error)) is not None
    finally:
        temporary.unlink(missing_ok=True)
    return False


def _temporary(file: Path) -> Path:
    """Return a name that MLflow has not opened, as it would use an open connection to a file that is gone."""
    return file.with_name(f".{file.name}.{uuid4().hex[:8]}.{platform.node()}-{os.getpid()}.tmp")


def _count(connection: Any, table: str) -> int:
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar())
