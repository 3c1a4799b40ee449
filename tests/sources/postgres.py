"""A PostgreSQL on the loopback: where its programs are, and how it is asked."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

PASSWORD = "S3cr+t pw/@:#%?&ü"  # all that must be written otherwise in a uri, and what need not
PROGRAMS = ("initdb", "postgres", "pg_isready")
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "log_statement": "all"}


@dataclass(frozen=True)
class Server:
    """A PostgreSQL on the loopback that asks for a password."""

    port: int
    log: Path

    def uri(self, password: str | None = PASSWORD, user: str = "reader", database: str = "postgres") -> str:
        login = user if password is None else f"{user}:{quote(password, safe='')}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str) -> list[Any]:
        """Run statements, and give the rows of the last."""
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
    """Give the folder of initdb and postgres: Debian's newest, or one of the path."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True
    )
    found = shutil.which("initdb")
    folders = [*debian, Path(found).resolve().parent] if found else debian
    return next((folder for folder in folders if all((folder / name).exists() for name in PROGRAMS)), None)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
