"""A locked folder: what its lock says, and that no change of a file goes unnoticed."""

from __future__ import annotations

import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy import cli
from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError
from eventstudy.transform import attach
from tests.properties import QUICK
from tests.reproduce import studies


@pytest.fixture(scope="module")
def locked(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("locked")
    es.freeze(studies.prices(), folder)
    return folder


def lock(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "lock.json").read_text(encoding="utf-8"))
    return found


def test_the_lock_says_what_the_files_hold(locked):
    found, prices = lock(locked), studies.prices()
    assert set(found["tickers"]) == set(prices.tickers)
    for row in found["tickers"].values():
        content = (locked / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        lines = content.decode().splitlines()
        assert (row["rows"], row["first"], row["last"]) == (len(lines) - 1, lines[1][:10], lines[-1][:10])
        assert row["adjusted"] == "as the source has them (Close)"
        assert row["source"] == "frame"
        assert abs(datetime.now(UTC) - datetime.fromisoformat(row["retrieved"])).total_seconds() < 600
    names = {"eventstudy": "eventstudy-quant", "numpy": "numpy", "pandas": "pandas", "yfinance": "yfinance"}
    expected = {name: version(distribution) for name, distribution in names.items()}
    assert found["versions"] == {**expected, "python": platform.python_version()}


def test_the_lock_is_sorted_and_the_same_but_for_the_time(locked, tmp_path):
    es.freeze(studies.prices(), tmp_path)
    texts = [(folder / "lock.json").read_text(encoding="utf-8") for folder in (locked, tmp_path)]
    for k, text in enumerate(texts):
        plain = json.loads(text)
        assert text == json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        for row in plain["tickers"].values():
            row.pop("retrieved")
        del plain["sha256"]
        texts[k] = json.dumps(plain)
    assert texts[0] == texts[1]


def test_what_was_frozen_is_read_back_and_says_when_it_was_retrieved(locked, tmp_path):
    again = es.read_prices(locked)
    for ticker, bars in studies.prices().bars.items():
        pd.testing.assert_frame_equal(again.frame(ticker), studies.prices().frame(ticker))
        assert bars.dates.tolist() == again.bars[ticker].dates.tolist()
    assert again.provenance["lock"] == hashlib.sha256((locked / "lock.json").read_bytes()).hexdigest()
    es.freeze(again, tmp_path)
    times = [{row["retrieved"] for row in lock(folder)["tickers"].values()} for folder in (locked, tmp_path)]
    assert times[1] == {max(times[0])}
    assert {row["source"] for row in lock(tmp_path)["tickers"].values()} == {"frame"}


@pytest.mark.parametrize("times", ["D", "s"])
@pytest.mark.parametrize("mic", [None, "XNYS"])
def test_the_exchange_that_is_read_back_is_the_one_that_was_frozen_whatever_a_ticker_looks_like(mic, times, tmp_path):
    dates = np.array(["2021-01-04", "2021-01-05", "2021-01-06"] if times == "D" else
                     ["2021-01-04T15:00", "2021-01-04T15:30", "2021-01-04T16:00"], f"M8[{times}]")  # fmt: skip
    step = None if times == "D" else np.timedelta64(1800, "s")
    bars = {
        name: Bars(name, dates, {"close": np.array([1.0, 2.0, 3.0])}, mic, currency, step)
        for name, currency in (("VOD.L", None), ("MARKET", "USD"), ("600519", "CNY"), ("10107", None), ("^HSI", None))
    }
    es.freeze(Prices(bars, {}, {"source": "own"}), tmp_path)
    read = es.read_prices(tmp_path).bars
    assert {(b.ticker, b.mic, b.currency) for b in read.values()} == {
        (b.ticker, b.mic, b.currency) for b in bars.values()
    }
    for name, one in bars.items():
        np.testing.assert_array_equal(read[name].dates, one.dates)


@pytest.mark.filterwarnings("ignore:1 used event has a time of day:eventstudy.errors.EventStudyWarning")
@pytest.mark.parametrize("at", ["2021-09-13", "2021-09-13T17:00-04:00"])
def test_a_study_of_frozen_prices_without_an_exchange_is_that_of_the_prices(at, tmp_path):
    rng = np.random.default_rng(3)
    days = pd.bdate_range("2020-06-01", "2021-12-31")
    market = rng.normal(0, 0.01, len(days))
    moves = {"VOD.L": market + rng.normal(0, 0.003, len(days)), "MARKET": market}
    prices = es.Prices.from_frame(pd.DataFrame({n: 40 * np.cumprod(1 + m) for n, m in moves.items()}, index=days))
    es.freeze(prices, tmp_path)
    study = es.Study(benchmark="MARKET", windows=((0, 0),))
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["VOD.L"], "announced": [at]}))
    first, again = (study.run(events, p) for p in (prices, es.read_prices(tmp_path)))
    assert abs(first.events["beta"].iloc[0] - 1) < 0.1
    pd.testing.assert_frame_equal(again.cars, first.cars, check_exact=True)
    pd.testing.assert_frame_equal(again.events, first.events, check_exact=True)


@pytest.mark.thorough
@settings(QUICK, max_examples=60)
@given(st.data())
def test_one_byte_of_any_file_is_an_error_that_names_the_ticker_and_the_row(locked, data):
    ticker = data.draw(st.sampled_from(sorted(lock(locked)["tickers"])))
    file = locked / lock(locked)["tickers"][ticker]["file"]
    before = file.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    content = bytearray(before)
    content[at] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    try:
        with pytest.raises(InputError, match=r"not those of lock\.json") as caught:
            es.read_prices(locked)
    finally:
        file.write_bytes(before)
    message = str(caught.value)
    assert f"{ticker} (" in message
    line = before[before.rfind(b"\n", 0, at) + 1 : at]
    if b"," in line and before[at] != 10 and content[at] not in (10, 13):  # a cell after the date
        assert ("the header" if line.startswith(b"Date") else line[:10].decode()) in message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("2020-03-02,", "2020-03-02,9"), r"AAA \(2020-03-02 differs\)"),
        (lambda text: text.replace("2020-03", "2020-04"), r"2020-04-02, .* and 19 more rows differ\)"),
        (lambda text: text.replace(text.split("\n")[40] + "\n", ""), r"299 rows in place of 300, from 2020-02-"),
        (lambda text: text.rsplit("\n", 2)[0] + "\n", r"299 rows in place of 300, after 2021-02-22"),
        (lambda text: "", "the file is empty"),
        (lambda text: text.replace("\n", "\r\n"), "its bytes differ, but no row can be named"),
        (None, r"AAA\..*\.csv cannot be read: No such file"),
    ],
    ids=["price", "dates", "row removed", "last row removed", "empty", "line ends", "missing"],
)  # fmt: skip
def test_what_was_changed_is_named(change, says, tmp_path):
    es.freeze(studies.prices(), tmp_path)
    file = tmp_path / lock(tmp_path)["tickers"]["AAA"]["file"]
    if change is None:
        file.unlink()
    else:
        file.write_bytes(change(file.read_text(encoding="utf-8")).encode())
    with pytest.raises(InputError, match=says):
        es.read_prices(tmp_path)


@settings(QUICK, max_examples=30)
@given(st.data())
def test_one_byte_of_the_lock_is_an_error_that_names_it(locked, data):
    file = locked / "lock.json"
    before = file.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    content = bytearray(before)
    content[at] = data.draw(st.integers(33, 126).filter(lambda value: value != before[at]))
    file.write_bytes(content)
    try:
        # White space between its entries says nothing; a byte that is not one is refused.
        with pytest.raises(InputError, match=r"lock\.json"):
            es.read_prices(locked)
    finally:
        file.write_bytes(before)


def test_a_lock_of_a_later_version_says_to_update(tmp_path):
    es.freeze(studies.prices(), tmp_path)
    (tmp_path / "lock.json").write_text(json.dumps({"format": 2, "prices": []}))
    with pytest.raises(InputError, match=r"has the format 2, and this version reads 1; update eventstudy"):
        es.read_prices(tmp_path)


def test_a_field_that_a_folder_cannot_hold_is_refused(tmp_path):
    frame = pd.DataFrame({"AAA": 1.0}, index=pd.bdate_range("2020-01-01", periods=300))
    with pytest.raises(InputError, match=r"AAA has the field 'spread'.* attach the series to what is read"):
        es.freeze(attach(studies.prices(), "spread", frame), tmp_path / "x")
    assert not (tmp_path / "x").exists()
    with pytest.raises(InputError, match="prices is 3"):
        es.freeze(3, tmp_path / "x")


def test_a_study_file_is_frozen_with_what_it_needs(tmp_path):
    study = studies.write(tmp_path)
    with pytest.warns(es.EventStudyWarning, match="GONE"):
        es.freeze(study, tmp_path / "frozen")
    assert set(lock(tmp_path / "frozen")["tickers"]) == {"MKT", *studies.TICKERS}


@pytest.mark.thorough
def test_run_refuses_changed_prices_and_with_no_verify_says_what_it_used(tmp_path, capsys):
    study = studies.write(tmp_path)
    file = tmp_path / "prices" / lock(tmp_path / "prices")["tickers"]["BBB"]["file"]
    file.write_text(file.read_text().replace("2020-03-02,", "2020-03-02,1"))
    assert cli.main(["run", str(study)]) == 2
    assert "BBB (2020-03-02 differs)" in capsys.readouterr().err
    reports = [tmp_path / f"r.{suffix}" for suffix in ("html", "txt", "tex", "parquet")]
    command = ["run", str(study), "--no-verify", *(text for path in reports for text in ("--report", str(path)))]
    assert cli.main(command) == 0
    said = "not verified against lock.json before the run: BBB (2020-03-02 differs)"
    out = " ".join(capsys.readouterr().out.split())
    assert said in out
    for path in (*reports[:2], tmp_path / "r_provenance.json"):
        assert said in " ".join(path.read_text(encoding="utf-8").split()), path.name


def test_no_verify_is_for_folders_alone(tmp_path, capsys):
    study = studies.write(tmp_path)
    study.write_text(study.read_text().replace('"folder"\npath = "prices"', '"simulated"'))
    assert cli.main(["run", str(study), "--no-verify"]) == 2
    assert "--no-verify is for prices of a folder, and the source is 'simulated'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("field", "value"),
    [("file", "../other.csv"), ("file", "/etc/hostname"), ("file", "..\\other.csv"), ("file", "c:other.csv"),
     ("file", ".."), ("file", ""), ("lines", "###"), ("lines", "TZQMJ"), ("note", "\ud800")],
)  # fmt: skip
def test_a_row_that_no_writer_makes_is_refused(tmp_path, field, value):
    es.freeze(studies.prices(), tmp_path)
    found = lock(tmp_path)
    next(iter(found["tickers"].values()))[field] = value
    if field != "note":  # whoever changes a lock can seal it again
        plain = json.dumps([found["tickers"], found["versions"]], sort_keys=True, ensure_ascii=False)
        found["sha256"] = hashlib.sha256(plain.encode()).hexdigest()
    (tmp_path / "lock.json").write_text(json.dumps(found), encoding="utf-8")
    for read in (es.read_prices, lambda folder: es.freeze(studies.prices(), folder)):
        with pytest.raises(InputError, match="is not the lock of a folder of prices"):
            read(tmp_path)
