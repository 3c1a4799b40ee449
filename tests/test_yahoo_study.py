"""A study from its file with ``source = "yahoo"``: the command line, unpatched yfinance, TLS to a loopback Yahoo."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.sources.fakes import yahoo

Run = Callable[[Path], dict[str, Any]]

# A process that ends leaves its connections to the loopback server's threads, which drop them unclosed.
pytestmark = [pytest.mark.thorough, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]

STUDY = """
[study]
events = "events.csv"
model = "market"
benchmark = "^HSI"
estimation = [-120, -11]
event = [-5, 5]
windows = [[0, 0], [-1, 1]]
min_estimation = 60

[prices]
source = "yahoo"
wait = 0.01
"""
EVENTS = "event_id,ticker,announced\nANT,BABA;0700.HK,2020-11-03T20:40:00+08:00\n"
RUN = """
import json, sys, warnings
from eventstudy import studyfile
for line in sys.stdin:
    file = studyfile.read(line.strip())
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        result = file.study.run(file.events, file.prices())
    print(json.dumps({
        "status": result.events.set_index("ticker")["status"].to_dict(),
        "session": result.events.set_index("ticker")["session"].astype(str).to_dict(),
        "ar": {t: result.ar.loc[i, 0] for i, t in result.events["ticker"].items() if i in result.ar.index},
        "warned": [str(w.message) for w in seen], "notes": result.provenance["notes"],
        "reasons": result.events.set_index("ticker")["reason"].to_dict(),
    }), flush=True)
"""


@pytest.fixture(scope="module")
def fake(shared: Path) -> Iterator[Any]:
    with yahoo(shared) as server:
        yield server
    gc.collect()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "events.csv").write_text(EVENTS)
    return tmp_path / "study.toml"


@pytest.fixture(scope="module")
def run(fake: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Run studies, one after the other, in a process that knows of the fake only by its environment."""
    environment = fake.env(tmp_path_factory.mktemp("cache"))
    command, pipe = [sys.executable, "-c", RUN], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        assert process.stdin
        assert process.stdout
        given, answered = process.stdin, process.stdout

        def answer(study: Path) -> dict[str, Any]:
            given.write(f"{study}\n")
            given.flush()
            found: dict[str, Any] = json.loads(answered.readline())
            return found

        yield answer
        given.close()
        assert process.wait(timeout=30) == 0


def by_hand(fake: Any, ticker: str, session: str) -> float:
    """The market-model abnormal return from the server's own bars: close-to-close of adjusted closes, by lstsq."""
    own = {b[1].isoformat(): b[7] for b in fake.market.bars[ticker]}
    index = {b[1].isoformat(): b[7] for b in fake.market.bars["^HSI"]}
    days = sorted(set(own) & set(index))  # both are Hong Kong's
    at = days.index(session)
    r, m = (np.array([p[d] for d in days[at - 121 : at + 1]]) for p in (own, index))
    r, m = r[1:] / r[:-1] - 1, m[1:] / m[:-1] - 1
    design = np.column_stack([np.ones(110), m[:110]])
    alpha, beta = np.linalg.lstsq(design, r[:110], rcond=None)[0]
    return float(r[120] - alpha - beta * m[120])


def test_the_study_over_tls_equals_the_servers_own_prices(fake: Any, run: Run, study: Path):
    for ticker in ("BABA", "0700.HK", "^HSI"):
        fake.plan(ticker)
    found = run(study)
    assert found["status"] == {"BABA": "ok", "0700.HK": "ok"}
    assert found["session"] == {"BABA": "2020-11-03", "0700.HK": "2020-11-04"}
    assert found["ar"]["0700.HK"] == pytest.approx(by_hand(fake, "0700.HK", "2020-11-04"), abs=1e-12)
    assert any("another time zone" in text for text in found["warned"])


@pytest.mark.parametrize("faults", [("429", "429", "ok"), ("500", "ok"), ("cut", "ok")])
def test_a_passing_fault_is_retried(fake: Any, run: Run, study: Path, faults: tuple[str, ...]):
    fake.plan("0700.HK", *faults)
    found = run(study)
    assert found["status"]["0700.HK"] == "ok"
    assert found["ar"]["0700.HK"] == pytest.approx(by_hand(fake, "0700.HK", "2020-11-04"), abs=1e-12)
    assert not fake.plans["0700.HK"]  # every planned fault was met


def test_nulls_are_missing_and_noticed(fake: Any, run: Run, study: Path):
    fake.plan("0700.HK", "nulls")
    found = run(study)
    assert found["status"]["0700.HK"] == "ok"
    assert any(note.startswith("0700.HK") and "rows without a close" in note for note in found["notes"]), found["notes"]


def test_a_wrong_currency_costs_that_ticker_and_says_so(fake: Any, run: Run, study: Path):
    fake.plan("0700.HK", "wrongcur*")
    found = run(study)
    fake.plan("0700.HK")
    assert found["status"] == {"BABA": "ok", "0700.HK": "unknown_ticker"}
    assert "XXX" in found["reasons"]["0700.HK"]
    assert "HKD" in found["reasons"]["0700.HK"]


def test_when_all_fails_the_command_ends_with_a_named_error(fake: Any, study: Path):
    for ticker in ("BABA", "0700.HK", "^HSI"):
        fake.plan(ticker, "500*")
    code = "import sys; from eventstudy.cli import main; sys.exit(main(['run', sys.argv[1]]))"
    command = [sys.executable, "-c", code, str(study)]
    environment = fake.env(study.parent)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    for ticker in ("BABA", "0700.HK", "^HSI"):
        fake.plan(ticker)
    assert done.returncode == 1
    assert "500" in done.stderr
    assert "Traceback" not in done.stderr
