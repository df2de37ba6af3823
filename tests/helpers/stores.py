"""Places to log to that a test starts for itself: MLflow's server, and Debian's PostgreSQL."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Run MLflow's own server on loopback."""
    port = _free_port()
    words = ["--backend-store-uri", f"sqlite:///{folder}/served.db", "--artifacts-destination", str(folder)]
    words += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *words],
        stdout=log,
        stderr=log,
        cwd=folder,
        env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},  # which starts many processes
    )
    try:
        for _ in range(600):
            with suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            assert server.poll() is None, (folder / "server.log").read_text()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=60)
        log.close()


@contextmanager
def postgresql(_: Path) -> Iterator[str]:
    """Run a PostgreSQL server on loopback, in a folder of its own; skip where there is none."""
    pytest.importorskip("psycopg", reason="psycopg, PostgreSQL's driver, is not installed")
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), Path(shutil.which("initdb") or "")]
    if not found[0].is_file():
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    if os.geteuid():
        user = []
    elif subprocess.run([*user, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    with TemporaryDirectory(prefix="pg") as place:
        if user:
            shutil.chown(place, "postgres")

        def do(name: str, *words: str) -> None:
            command = [*user, str(found[0].with_name(name)), *words]
            subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)

        port = _free_port()
        do("initdb", "-D", f"{place}/data", "-A", "trust", "-U", "me", "--no-sync")
        options = f"-p {port} -k {place} -c listen_addresses=127.0.0.1 -c fsync=off"
        do("pg_ctl", "-D", f"{place}/data", "-w", "-o", options, "-l", f"{place}/log", "start")
        try:
            do("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "me", "runs")
            yield f"postgresql+psycopg://me@127.0.0.1:{port}/runs"
        finally:
            do("pg_ctl", "-D", f"{place}/data", "-m", "immediate", "stop")


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    """Name a SQLite file that is not there yet."""
    yield f"sqlite:///{folder}/shared.db"
