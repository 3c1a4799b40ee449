"""A temporary PostgreSQL server on the loopback interface: its programs, and connections to it."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

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
