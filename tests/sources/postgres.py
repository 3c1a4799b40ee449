"""A temporary PostgreSQL server on the loopback interface: its programs, connections to it, and its stops."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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
    home: Path
    user: dict[str, Any] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.home / "log"

    def start(self) -> None:
        """Start the server, and return when it answers."""
        tools = binaries()
        assert tools
        settings = [f"-c{name}={value}" for name, value in FAST.items()]
        command: list[str | Path] = [
            tools / "postgres",
            "-D",
            self.home / "data",
            "-p",
            str(self.port),
            "-h",
            "127.0.0.1",
            "-k",
            "",
        ]
        with self.log.open("a") as log:
            process = subprocess.Popen([*command, *settings], stdout=log, stderr=log, cwd=self.home, **self.user)
        self.processes.append(process)
        ready = [tools / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + 60
        while subprocess.run(ready, check=False).returncode:
            assert process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """Shut the server down without waiting for connections."""
        process = self.processes.pop()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)

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


@contextmanager
def running() -> Iterator[Server]:
    """Run a server in a folder of its own, which is deleted at the end."""
    tools = binaries()
    assert tools
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
    settings = ["-U", "reader", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-N"]
    initdb: list[str | Path] = [tools / "initdb", "-D", home / "data", *settings, f"--pwfile={home / 'password'}"]
    subprocess.run(initdb, check=True, capture_output=True, cwd=home, **user)
    server = Server(free_port(), home, user)
    try:
        server.start()
        yield server
    finally:
        if server.processes:
            server.stop()
        shutil.rmtree(home)
