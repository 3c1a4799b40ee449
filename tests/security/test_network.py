"""A server that pretends to be the one with prices: an unknown certificate, another place, an answer without end."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from eventstudy.sources._yahoo_session import CHART, CheckedSession, Transient

FORGED = json.dumps({
    "chart": {"error": None, "result": [{
        "meta": {"symbol": "BABA", "exchangeTimezoneName": "America/New_York"}, "timestamp": [1631539800],
        "indicators": {"quote": [{"close": [1.0]}]},
    }]}
}).encode()  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """Answers with a forged chart; its server may send elsewhere at first."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        elsewhere = getattr(self.server, "elsewhere", None)
        self.send_response(302 if elsewhere else 200)
        if elsewhere:
            self.send_header("Location", elsewhere + self.path)
        self.send_header("Content-Length", "0" if elsewhere else str(len(FORGED)))
        self.end_headers()
        if not elsewhere:
            self.wfile.write(FORGED)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(context: ssl.SSLContext | None = None, elsewhere: str = "") -> Iterator[tuple[str, list[str]]]:
    """Run a server on a free port; yield its address and the paths that it was asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.elsewhere = [], elsewhere  # type: ignore[attr-defined]
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    scheme = "https" if context else "http"
    yield f"{scheme}://127.0.0.1:{server.server_address[1]}", server.asked  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> CheckedSession:
    """The session of the source, as it asks for one ticker; the loopback needs no proxy."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = CheckedSession()
    made.ticker, made.deadline, made.answered = "BABA", time.monotonic() + 20, False
    return made


def test_a_certificate_that_nobody_vouches_for_is_refused(session: CheckedSession, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(context) as (address, asked):
        with pytest.raises(OSError, match="certificate"):
            session.request("GET", f"{address}{CHART}BABA")
        assert asked == []
        assert not session.answered
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        trusted = session.request("GET", f"{address}{CHART}BABA", verify=str(tmp_path / "ca.pem"))
    assert trusted.content == FORGED  # the certificate alone was the reason


def test_prices_are_not_taken_from_where_a_server_sends(session: CheckedSession) -> None:
    with serving() as (other, forged), serving(elsewhere=other) as (address, asked):
        with pytest.raises(Transient, match="HTTP 302 and no chart"):
            session.request("GET", f"{address}{CHART}BABA")
        assert len(asked) == 1
        assert forged == []
        session.ticker = None  # what asks for cookies may be sent elsewhere
        assert session.request("GET", f"{address}{CHART}BABA").content == FORGED
        assert len(forged) == 1
