"""Fixtures of the price databases: a temporary PostgreSQL server, and a function that fills each database."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.postgres import FAST, PASSWORD, Server, binaries, free_port


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


@pytest.fixture(params=[pytest.param("sql", marks=pytest.mark.thorough), "duckdb", "parquet"])
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
