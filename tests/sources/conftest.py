"""Fixtures of the price databases: a temporary PostgreSQL server, and a function that fills each database."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PASSWORD = "S3cr+t pw/@:#%?&ü"  # characters that must be escaped in a uri, and some that need not
PROGRAMS = ("initdb", "postgres", "pg_isready")
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "log_statement": "all"}


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server on the loopback interface that requires a password."""

    port: int
    log: Path

    def uri(self, password: str | None = PASSWORD, user: str = "reader", database: str = "postgres") -> str:
        login = user if password is None else f"{user}:{quote(password, safe='')}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str) -> list[Any]:
        """Run statements, and return the rows of the last one."""
        import adbc_driver_postgresql.dbapi as adbc

        with adbc.connect(self.uri(), autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def load(self, table: pa.Table, name: str = "prices") -> None:
        import adbc_driver_postgresql.dbapi as adbc

        with adbc.connect(self.uri()) as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {name} CASCADE")
            cursor.adbc_ingest(name, table, mode="create")
            connection.commit()


def binaries() -> Path | None:
    """Return the folder of initdb and postgres: Debian's newest version, or the one in the PATH."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True
    )
    initdb = shutil.which("initdb")
    folders = [*debian, Path(initdb).resolve().parent] if initdb else debian
    return next((folder for folder in folders if all((folder / name).exists() for name in PROGRAMS)), None)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server for the duration of the tests; required if CI=true."""
    tools = binaries()
    if tools is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no PostgreSQL here; install its server")
    user: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        import pwd

        names = {entry.pw_name for entry in pwd.getpwall()}
        user = {"user": "postgres" if "postgres" in names else "nobody", "extra_groups": []}
    home = Path(tempfile.mkdtemp(prefix="eventstudy-postgres-"))
    (home / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    if user:
        for path in (home, home / "password"):
            shutil.chown(path, user["user"])
    initdb: list[str | Path] = [
        tools / "initdb",
        "-D",
        home / "data",
        "-U",
        "reader",
        "-A",
        "scram-sha-256",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    subprocess.run([*initdb, f"--pwfile={home / 'password'}", "-N"], check=True, capture_output=True, cwd=home, **user)
    port = free_port()
    settings = [f"-c{name}={value}" for name, value in FAST.items()]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [tools / "postgres", "-D", home / "data", "-p", str(port), "-h", "127.0.0.1", "-k", "", *settings],
            stdout=log, stderr=log, cwd=home, **user,
        )  # fmt: skip
    try:
        ready = [tools / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        deadline = time.monotonic() + 60
        while subprocess.run(ready, check=False).returncode:
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.05)
        yield Server(port, home / "log")
    finally:
        process.send_signal(signal.SIGINT)  # a fast shutdown: no waiting for connections
        process.wait(timeout=60)
        shutil.rmtree(home)


@dataclass(frozen=True)
class Store:
    """A kind of database, and a function that writes a table to it and returns the source's options."""

    name: str
    put: Callable[[pa.Table], dict[str, Any]]


@pytest.fixture(params=["sql", "duckdb", "parquet"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each kind of database of long tables."""
    if request.param == "sql":
        server: Server = request.getfixturevalue("server")

        def to_server(table: pa.Table) -> dict[str, Any]:
            server.load(table)
            return {"uri": server.uri()}

        return Store("sql", to_server)
    if request.param == "duckdb":
        import duckdb

        def to_database(table: pa.Table) -> dict[str, Any]:
            path = tmp_path / "prices.duckdb"
            path.unlink(missing_ok=True)
            with duckdb.connect(path) as connection:
                connection.register("long_table", table)
                connection.execute("CREATE TABLE prices AS SELECT * FROM long_table")
            return {"path": path}

        return Store("duckdb", to_database)

    def to_file(table: pa.Table) -> dict[str, Any]:
        pq.write_table(table, tmp_path / "prices.parquet")
        return {"path": tmp_path / "prices.parquet"}

    return Store("parquet", to_file)
