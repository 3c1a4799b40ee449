"""The sources that docs/adapters.md shows work as printed there: against a web server, PostgreSQL and a bucket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import fsspec
import numpy as np
import pyarrow as pa
import pytest

import eventstudy as es
from tests.docs.pages import ROOT, fences
from tests.sources.postgres import Server

PAGE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
FILES = {Path(fence.file).stem: fence.body for fence in fences(PAGE) if fence.file}
KEY = "k3y-that-is-never-shown"
ROWS = [
    {"date": "2021-09-10", "open": 1, "close": 168.1, "adjClose": 168.1, "volume": 10},
    {"date": "2021-09-13", "open": 2, "close": 165.0, "adjClose": 165.0, "volume": 11},
]


def source(name: str) -> Any:
    """Run a file of the page, and return its SOURCE."""
    space: dict[str, object] = {"__name__": name}
    exec(compile(FILES[name], name, "exec"), space)
    return space["SOURCE"]


class Handler(BaseHTTPRequestHandler):
    """A vendor that knows BABA alone, and asks for the key."""

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        asked = parse_qs(split.query)
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self.send_error(401, "no key")
        elif split.path != "/daily/BABA":
            self.send_error(404, "unknown")
        else:
            start, end = asked.get("from", ["0"])[0], asked.get("to", ["9"])[0]
            body = json.dumps([row for row in ROWS if start <= str(row["date"]) <= end]).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def vendor() -> Iterator[str]:
    """Serve the vendor on the loopback interface; return its address."""
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_web_service_with_a_key(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(es.InputError, match="VENDOR_KEY is not set"):
        es.fetch_prices(["BABA"], None, None, source=source("vendor"), url=vendor)
    monkeypatch.setenv("VENDOR_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # the suite sends all other requests nowhere
    prices = es.fetch_prices(["BABA", "XPEV"], "2021-09-11", "2021-12-31", source=source("vendor"), url=vendor)
    assert prices.bars["BABA"].fields["adjusted"].tolist() == [165.0]
    assert prices.bars["BABA"].dates.astype(str).tolist() == ["2021-09-13"]
    assert "404" in prices.problems["XPEV"]
    assert KEY not in repr(prices.provenance) + repr(prices.problems)
    monkeypatch.setenv("VENDOR_KEY", "wrong")
    with pytest.raises(es.SourceUnavailable, match="401") as error:
        es.fetch_prices(["BABA"], None, None, source=source("vendor"), url=vendor)
    assert KEY not in str(error.value)
    assert "wrong" not in str(error.value)


@pytest.mark.thorough
def test_crsp_in_a_database(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.run("CREATE SCHEMA IF NOT EXISTS crsp")
    columns = {
        "permno": pa.array([10107, 10107, 14593], pa.int64()),
        "date": pa.array([date(2021, 9, 13), date(2021, 9, 10), date(2021, 9, 10)]),
        "prc": pa.array([-296.99, 295.71, 0.0]), "ret": pa.array([0.01, None, 0.02]), "vol": pa.array([1.0, 2.0, 3.0]),
    }  # fmt: skip
    server.load(pa.table(columns), "dsf_loaded")
    server.run("DROP TABLE IF EXISTS crsp.dsf", "CREATE TABLE crsp.dsf AS SELECT * FROM dsf_loaded")
    monkeypatch.setenv("WRDS_URI", server.uri())
    prices = es.fetch_prices(["10107", "14593", "1"], "2021-09-01", "2021-09-30", source=source("crsp"))
    assert prices.bars["10107"].fields["close"].tolist() == [295.71, 296.99]
    np.testing.assert_array_equal(prices.bars["10107"].fields["return"], [np.nan, 0.01])
    assert prices.bars["14593"].fields["return"].tolist() == [0.02]
    assert prices.problems == {"1": "CRSP has no row of 1"}
    with pytest.raises(es.InputError, match="name PERMNOs"):
        es.fetch_prices(["MSFT"], None, None, source=source("crsp"))


def test_a_bucket_of_files() -> None:
    storage = fsspec.filesystem("memory")
    storage.pipe("/prices/BABA.csv", b"Date,Close,Adj Close\n2021-09-10,168.1,168.1\n2021-09-13,165.0,165.0\n")
    storage.pipe("/prices/BAD.csv", b"Day,Close\n1,2\n")
    prices = es.fetch_prices(None, "2021-09-13", None, source=source("bucket"), url="memory://prices")
    assert prices.tickers == ("BABA",)
    assert prices.bars["BABA"].fields["adjusted"].tolist() == [165.0]
    assert list(prices.problems) == ["BAD"]


def test_the_page_has_three_complete_sources() -> None:
    assert sorted(FILES) == ["bucket", "crsp", "vendor"]
