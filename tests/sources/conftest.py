"""Fixtures of the price databases: a temporary PostgreSQL server, and a function that fills each database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.postgres import Server, binaries, running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server for the duration of the tests; required if CI=true."""
    if binaries() is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no PostgreSQL here; install its server")
    with running() as server:
        yield server


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
