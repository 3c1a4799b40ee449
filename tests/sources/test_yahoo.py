"""Yahoo for real: unpatched yfinance, over TLS, in a process that knows of the fake only by its environment."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pytest
import yfinance

from eventstudy.errors import InputError
from eventstudy.prices import fetch_prices
from eventstudy.sources.yahoo import _last_session
from tests.sources.fakes import yahoo

pytestmark = pytest.mark.thorough

START, END = "2020-09-01", "2021-01-29"  # the fake keeps New York's holidays of these months
CHILD = """
import json, sys, warnings
from eventstudy.prices import fetch_prices
for line in sys.stdin:
    question = json.loads(line)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            prices = fetch_prices(question["tickers"], question["start"], question["end"], **question["options"])
            answer = {
                "bars": {
                    ticker: {"dates": bars.dates.astype(str).tolist(), "mic": bars.mic, "currency": bars.currency,
                             "fields": {name: values.tolist() for name, values in bars.fields.items()}}
                    for ticker, bars in prices.bars.items()
                },
                "problems": prices.problems,
                "provenance": prices.provenance,
            }
        except Exception as error:
            answer = {"error": type(error).__name__, "message": str(error),
                      "reasons": dict(getattr(error, "problems", {}))}
    answer["warnings"] = [f"{w.category.__name__}: {w.message}" for w in seen]
    import yfinance
    answer["hidden"] = yfinance.config.debug.hide_exceptions
    print(json.dumps(answer), flush=True)
"""
COLUMNS = {"open": 2, "high": 3, "low": 4, "close": 5, "volume": 6, "adjusted": 7}


class Box:
    """One process with the library in it, and the fake server that it takes for Yahoo."""

    def __init__(self, fake, cache):
        self.fake = fake
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=fake.env(cache)
        )
        assert self.process.stdin
        assert self.process.stdout
        self.input, self.output = self.process.stdin, self.process.stdout

    def ask(self, *tickers, faults=(), start=START, end=END, clear=True, **options):
        if clear:
            self.fake.plans.clear()
        self.fake.log.clear()
        self.fake.plan(tickers[0], *faults)
        question = {"tickers": tickers, "start": start, "end": end, "options": {"wait": 0.01, **options}}
        self.input.write(json.dumps(question) + "\n")
        self.input.flush()
        answer = SimpleNamespace(**{"error": None, "message": "", "bars": {}} | json.loads(self.output.readline()))
        answer.faults = [entry[4] for entry in self.fake.log if "period1" in entry[3]]
        assert answer.hidden is True  # what yfinance hides is set back, also after an error
        assert not [w for w in answer.warnings if not w.startswith("EventStudyWarning")]
        return answer

    def rows(self, ticker, start=START, end=END):
        return [row for row in self.fake.market.bars[ticker] if start <= row[1].isoformat() <= end]


@pytest.fixture(scope="module")
def box(shared, tmp_path_factory):
    with yahoo(shared) as fake:
        box = Box(fake, tmp_path_factory.mktemp("cache"))
        yield box
        with box.process as process:
            box.input.close()
            assert process.wait(timeout=30) == 0


def assert_prices(box, answer, ticker="BABA", start=START, end=END):
    rows, bars = box.rows(ticker, start, end), answer.bars[ticker]
    assert bars["dates"] == [row[1].isoformat() for row in rows]
    for name, column in COLUMNS.items():
        assert bars["fields"][name] == [row[column] for row in rows], name


# --- good answers ------------------------------------------------------------------------------------------------


def test_prices_are_those_of_the_market(box):
    answer = box.ask("BABA")
    assert_prices(box, answer)
    assert (answer.bars["BABA"]["mic"], answer.bars["BABA"]["currency"]) == ("XNYS", "USD")
    assert not answer.warnings
    found = answer.provenance
    assert (found["source"], found["start"], found["end"], found["noticed"]) == ("yahoo", START, END, {})
    assert found["library"] == {"yfinance": yfinance.__version__}
    assert len(found["sha256"]["BABA"]) == 64


def test_hong_kong_bars_keep_their_day_and_their_dividend(box):
    start, end = "2021-05-20", "2021-06-11"
    answer = box.ask("0700.HK", start=start, end=end)
    assert_prices(box, answer, "0700.HK", start, end)
    fields = answer.bars["0700.HK"]["fields"]
    assert fields["adjusted"][0] < fields["close"][0]  # before the ex-date, 2021-05-24
    assert answer.bars["0700.HK"]["currency"] == "HKD"
    assert not answer.warnings


def test_both_ends_are_included(box):
    answer = box.ask("BABA", start="2020-11-03", end="2020-11-03")
    assert answer.bars["BABA"]["dates"] == ["2020-11-03"]


def test_an_open_range_is_all_that_is_over(box):
    answer = box.ask("XPEV", start=None, end=None)
    last = _last_session("XNYS", None, datetime.now(UTC)).isoformat()
    dates = answer.bars["XPEV"]["dates"]
    assert dates[0] == "2020-08-27"
    assert dates == [row[1].isoformat() for row in box.rows("XPEV", "2020-01-01", last)]


# --- failures that another attempt cures -------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [("429", "429"), ("500",), ("503html",), ("html",), ("truncated",), ("cut",)])
def test_a_passing_failure_is_retried(box, faults):
    answer = box.ask("BABA", faults=(*faults, "ok"))
    assert_prices(box, answer)
    assert answer.faults == [*faults, "ok"]


def test_a_slow_answer_is_retried(box):
    answer = box.ask("BABA", faults=("slow:1.5", "ok"), timeout=0.4)
    assert_prices(box, answer)
    assert answer.faults == ["slow:1.5", "ok"]


def test_a_failure_while_the_zone_is_looked_up_is_retried(box):
    answer = box.ask("BYDDY", faults=("tz:500", "tz:html", "ok"))
    assert_prices(box, answer, "BYDDY")
    assert [entry[4] for entry in box.fake.log if "range=1d" in entry[3]] == ["500", "html", "ok"]


# --- failures that stay ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "says"),
    [("html*", "<!doctype html>"), ("429*", "HTTP 429"), ("500*", "HTTP 500"), ("cut*", "curl")],
)
def test_a_failure_that_stays_is_an_unavailable_source(box, fault, says):
    answer = box.ask("BABA", faults=(fault,), attempts=3)
    assert answer.error == "SourceUnavailable"
    assert "no usable answer for BABA in 3 attempts" in answer.message
    assert says in answer.message
    assert answer.faults == [fault.rstrip("*")] * 3


@pytest.mark.parametrize("fault", ["404", "empty_null", "empty_quote"])
def test_no_data_is_a_ticker_that_is_not_found(box, fault):
    answer = box.ask("BABA", faults=(fault + "*",))
    assert answer.error == "TickerNotFound"
    assert "BABA" in answer.message
    assert len(answer.faults) == 2  # what is said twice is believed


def test_a_range_before_the_listing_is_not_found(box):
    answer = box.ask("XPEV", start="2019-01-01", end="2019-12-31")
    assert (answer.error, "from 2019-01-01 to 2019-12-31" in answer.message) == ("TickerNotFound", True)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("neg", "BABA has the close -1 on 2020-11-13"),
        ("infinity", "BABA has the adjusted inf on 2020-09-01"),
        ("nonstr", "the close 'n/a' on 2020-09-01"),
        ("dup", "2021-01-29 after 2021-01-29; rows are repeated or unsorted"),
        ("unsorted", "2021-01-28 after 2021-01-29; rows are repeated or unsorted"),
        ("extra_live", "two rows for the session 2021-01-29"),
        ("wrongcur", "BABA is in 'XXX', and USD is expected on XNYS"),
        ("badtz", "the time zone 'Mars/Olympus'"),
        ("no_timestamp", "values of open on 0 dates"),
    ],
)
def test_an_answer_that_cannot_be_trusted_is_refused(box, fault, says):
    answer = box.ask("BABA", faults=(fault + "*",))
    assert answer.error == "BadPrices"
    assert says in answer.message
    assert len(answer.faults) == 2


@pytest.mark.parametrize(
    "fault", ["404", "empty_null", "empty_quote", "neg", "infinity", "nonstr", "dup", "unsorted", "extra_live", "badtz"]
)
def test_one_bad_answer_does_not_lose_the_ticker(box, fault):
    answer = box.ask("BABA", faults=(fault, "ok"))
    assert_prices(box, answer)
    assert answer.faults == [fault, "ok"]
    assert not answer.warnings


def test_a_currency_can_be_said_to_be_right(box):
    answer = box.ask("BABA", faults=("wrongcur*",), currency={"BABA": "XXX"})
    assert_prices(box, answer)
    assert answer.bars["BABA"]["currency"] == "XXX"


def altered(box, monkeypatch, change):
    """Let the fake's answers pass through ``change(result)``."""
    chart = box.fake.market.chart

    def changed(symbol, query, fault="ok"):
        answer = chart(symbol, query, fault)
        if "period1" in query:
            change(answer["chart"]["result"][0])
        return answer

    monkeypatch.setattr(box.fake.market, "chart", changed)


def test_another_symbol_is_refused(box, monkeypatch):
    altered(box, monkeypatch, lambda result: result["meta"].update(symbol="BABAF"))
    answer = box.ask("BABA")
    assert (answer.error, "'BABAF' when asked for 'BABA'" in answer.message) == ("BadPrices", True)


def test_a_repeated_row_in_the_middle_is_refused(box, monkeypatch):
    def repeat(result):
        quote, adjusted = result["indicators"]["quote"][0], result["indicators"]["adjclose"][0]["adjclose"]
        for values in (result["timestamp"], *quote.values(), adjusted):
            values.insert(10, values[10])
        result["timestamp"][11] += 3600

    altered(box, monkeypatch, repeat)
    answer = box.ask("BABA")
    assert (answer.error, "two rows for the session 2020-09-16" in answer.message) == ("BadPrices", True)


# --- what is noticed and left as it is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("gap", "no row on sessions of XNYS: 2020-11-13"),
        ("nulls", "rows without a close: 2020-09-02, 2020-11-13"),
        ("spike100", "more than 5 times, or less than 1/5 of, the one before: 2020-11-13, 2020-11-16"),
        ("stale", "the end is stale: no row on the last sessions of XNYS: 2021-01-25"),
    ],
)
def test_what_looks_wrong_is_reported(box, fault, says):
    answer = box.ask("BABA", faults=(fault,))
    (line,) = answer.provenance["noticed"]["BABA"]
    assert says in line
    (warning,) = answer.warnings
    assert warning.startswith("EventStudyWarning: look at the prices of BABA")
    assert says in warning


def test_null_bars_stay_missing_and_spikes_stay_as_they_are(box):
    rows = box.rows("BABA")
    fields = box.ask("BABA", faults=("nulls",)).bars["BABA"]["fields"]
    for name, column in COLUMNS.items():
        expected = [row[column] for row in rows]
        expected[1] = expected[len(rows) // 2] = np.nan
        np.testing.assert_array_equal(fields[name], expected)  # volume too: yfinance would say 0
    spiked = box.ask("BABA", faults=("spike100",)).bars["BABA"]["fields"]["close"]
    assert spiked[len(rows) // 2] == rows[len(rows) // 2][5] * 100


def test_a_row_on_a_holiday_is_reported(box):
    answer = box.ask("BABA", start="2021-02-08", end="2021-02-19")  # the fake trades on Presidents' Day
    assert answer.provenance["noticed"]["BABA"] == ["rows on days when XNYS was closed: 2021-02-15"]
    assert "2021-02-15" in answer.bars["BABA"]["dates"]


def test_a_row_after_the_end_is_left_out_and_reported(box, monkeypatch):
    def later(result):
        quote, adjusted = result["indicators"]["quote"][0], result["indicators"]["adjclose"][0]["adjclose"]
        for values in (*quote.values(), adjusted):
            values.append(values[-1])
        result["timestamp"].append(result["timestamp"][-1] + 4 * 86400)

    altered(box, monkeypatch, later)
    answer = box.ask("BABA")
    assert_prices(box, answer)
    assert answer.provenance["noticed"]["BABA"] == ["left out, after 2021-01-29 or not over: 2021-02-02"]
    assert len(answer.warnings) == 1


def test_a_ticker_that_fails_is_a_problem_of_its_own(box):
    answer = box.ask("NOPE", "BABA")
    assert_prices(box, answer)
    assert list(answer.problems) == ["NOPE"]
    assert answer.problems["NOPE"].startswith("unknown ticker")
    (warning,) = answer.warnings
    assert "1 of 2 tickers could not be read: NOPE" in warning


# --- a server that is down ---------------------------------------------------------------------------------------

MANY = [f"T{k}" for k in range(200)]


def test_the_time_limit_holds_for_a_ticker_with_all_its_requests(box):
    begin = time.monotonic()
    answer = box.ask("BABA", faults=("drip:0.5*",), timeout=1, attempts=1)
    assert time.monotonic() - begin < 2
    assert answer.error == "SourceUnavailable"
    begin = time.monotonic()
    answer = box.ask("BYDDY", faults=("tz:slow:5", "slow:5", "slow:5"), timeout=0.5, attempts=2)
    assert time.monotonic() - begin < 2.5
    assert answer.error == "SourceUnavailable"


def test_a_server_that_fails_for_every_ticker_is_given_up(box):
    for ticker in MANY:
        box.fake.plan(ticker, "tz:500*")
    answer = box.ask(*MANY, faults=("tz:500*",), attempts=2, clear=False)
    assert answer.error == "SourceUnavailable"
    assert list(answer.reasons) == MANY
    assert sorted({entry[2].rsplit("/", 1)[1] for entry in box.fake.log if "/chart/" in entry[2]}) == MANY[:4]
    assert "no usable answer for T3 in 2 attempts" in answer.reasons["T3"]
    assert answer.reasons["T4"].startswith(
        "T4 was not asked for, because Yahoo gave no usable answer for the 4 tickers"
    )


def test_an_answer_between_failures_keeps_the_server_alive(box):
    box.fake.plans.clear()
    for ticker in MANY[:8]:
        box.fake.plan(ticker, "tz:500*")
    tickers = [*MANY[:3], "BABA", *MANY[3:6], "NOPE", "BYDDY"]
    answer = box.ask(*tickers, faults=("tz:500*",), attempts=1, clear=False)
    assert set(answer.bars) == {"BABA", "BYDDY"}
    assert list(answer.problems) == [*MANY[:6], "NOPE"]


@pytest.mark.parametrize("silent", ["refused", pytest.param("mute", marks=pytest.mark.full)])
def test_two_hundred_tickers_of_a_dead_server_take_seconds(silent, tmp_path):
    """The port is closed, or takes connections and never answers: after the first ticker one attempt suffices."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if silent == "mute":
            listener.listen(64)
        proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
        names = ("https_proxy", "http_proxy", "HTTPS_PROXY", "HTTP_PROXY")
        environment = {**os.environ, **dict.fromkeys(names, proxy), "no_proxy": "", "XDG_CACHE_HOME": str(tmp_path)}
        question = {"tickers": MANY, "start": START, "end": END, "options": {"attempts": 3, "wait": 0.2, "timeout": 1}}
        begin = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", CHILD], input=json.dumps(question), env=environment, capture_output=True, text=True,
            timeout=100, check=True,
        )  # fmt: skip
        seconds = time.monotonic() - begin
    answer = json.loads(done.stdout)
    assert answer["error"] == "SourceUnavailable"
    assert list(answer["reasons"]) == MANY
    assert "in 3 attempts" in answer["reasons"]["T0"]
    assert "in 1 attempts" in answer["reasons"]["T1"]
    assert "not asked for" in answer["reasons"]["T199"]
    assert seconds < 40  # the limit is 3 * 1 + 0.6 to 1 + 3 * 1 seconds, beside the start of the process


# --- before any request ------------------------------------------------------------------------------------------


def test_a_bad_ticker_makes_no_request(box):
    answer = box.ask("BABA?x=1")
    assert answer.error == "InputError"
    assert not box.fake.log


@pytest.mark.parametrize(
    "options",
    [
        *({"attempts": value} for value in (0, True, 1.5, "4", None)),
        *({name: value} for name in ("wait", "timeout") for value in (-1, math.nan, math.inf, True, "1", None)),
        *({"currency": value} for value in ("USD", {"BABA": 1}, ["USD"])),
        {"timeout": 0},
    ],
)
def test_options_are_checked(options):
    with pytest.raises(InputError, match=next(iter(options))):
        fetch_prices(["BABA"], START, END, **options)


def test_a_range_that_has_not_begun_is_not_found(box):
    answer = box.ask("BABA", start="2031-01-02", end="2031-02-01")
    assert (answer.error, "the last session of XNYS that is over" in answer.message) == ("TickerNotFound", True)
    assert not box.fake.log


@pytest.mark.parametrize(
    ("end", "now", "until"),
    [
        (None, datetime(2021, 9, 13, 7, 59, tzinfo=UTC), date(2021, 9, 10)),  # Hong Kong closes at 08:00 UTC
        (None, datetime(2021, 9, 13, 8, 0, tzinfo=UTC), date(2021, 9, 13)),
        (date(2021, 9, 30), datetime(2021, 9, 13, 7, 59, tzinfo=UTC), date(2021, 9, 10)),
        (date(2021, 9, 5), datetime(2021, 9, 13, 7, 59, tzinfo=UTC), date(2021, 9, 5)),
    ],
)
def test_a_session_that_is_not_over_is_not_asked_for(end, now, until):
    assert _last_session("XHKG", end, now) == until
