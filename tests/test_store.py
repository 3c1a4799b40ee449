"""Prices on disk: what comes back is what was written, and a study reads no more of it than it needs."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.bars import Bars, priced_dates
from eventstudy.prepare import align
from eventstudy.run import checkpoint
from eventstudy.sources import _stored
from eventstudy.sources._stored import StoredBars

pytestmark = pytest.mark.thorough

TICKERS = ["0700.HK", "0005.HK", "9988.HK", "BABA", "JD", "VOD.L", "^HSI", "^GSPC", "HKD=X"]


@pytest.fixture(scope="module")
def prices() -> es.Prices:
    """Give several exchanges and currencies, with gaps, fields of one's own, and a ticker that has no price at all."""
    made = es.fetch_prices(TICKERS, "2018-06-01", "2021-12-30", source="simulated", seed=3)
    rng, bars = np.random.default_rng(0), dict(made.bars)
    for name in TICKERS[:5]:
        its = bars[name]
        lost = rng.random(len(its.dates)) < 0.01
        fields = {k: np.where(lost, np.nan, v) for k, v in its.fields.items()}
        bars[name] = replace(its, fields={**fields, "spread": rng.standard_normal(len(its.dates))})
    some = bars["JD"].dates
    bars["JD"] = replace(
        bars["JD"], fields={k: np.where(some < some[300], np.nan, v) for k, v in bars["JD"].fields.items()}
    )
    bars["NIO"] = Bars("NIO", some[:20], {"close": np.full(20, np.nan)}, "XNYS", "USD")
    bars["LATE"] = Bars("LATE", some[:0], {"close": np.empty(0)}, None, None)
    return es.Prices(bars)


@pytest.fixture
def folder(prices, tmp_path: Path) -> Path:
    es.write_prices(prices, tmp_path / "store", partition=3)
    return tmp_path / "store"


@pytest.fixture(scope="module")
def events(prices) -> es.Events:
    rng = np.random.default_rng(1)
    rows = [
        (name, str(rng.choice(prices.bars[name].dates[50:-1])), group)
        for name in TICKERS[:6]
        for group in ["a", "b"] * 12
    ]
    return es.Events.from_frame(pd.DataFrame(rows, columns=["ticker", "announced", "kind"]))


def same(one: Bars, other: Bars) -> None:
    for name in ("ticker", "mic", "currency", "step", "intraday"):
        assert getattr(one, name) == getattr(other, name), name
    assert one.dates.dtype == other.dates.dtype
    np.testing.assert_array_equal(one.dates, other.dates)
    assert list(one.fields) == list(other.fields)
    for name, values in one.fields.items():
        assert values.dtype == np.float64
        assert values.tobytes() == other.fields[name].tobytes(), name
    for name in ("first", "last"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert getattr(one, name).dtype == getattr(other, name).dtype


def test_what_comes_back_is_what_was_written_bit_for_bit(prices, folder):
    found = es.read_prices(folder)
    assert found.tickers == prices.tickers
    assert len(list(folder.glob("prices-*.parquet"))) == 4
    for name, its in prices.bars.items():
        same(found.bars[name], its)
    assert repr(found) == repr(prices)
    assert list(found.frame("BABA").columns) == list(prices.bars["BABA"].fields)


def test_bars_within_the_day_come_back(tmp_path):
    starts = pd.date_range("2021-01-04 14:30", periods=200, freq="30min", tz="UTC")
    bars = es.Prices.from_frame(pd.DataFrame({"A": np.arange(1.0, 201.0), "B": 2.0}, index=starts), "XNYS")
    es.write_prices(bars, tmp_path / "store")
    for name, its in es.read_prices(tmp_path / "store").bars.items():
        same(its, bars.bars[name])
    mixed = {"A": bars.bars["A"], "C": Bars("C", np.array(["2021-01-04"], dtype="M8[D]"), {"close": np.ones(1)})}
    with pytest.raises(es.InputError, match="C has daily prices, and those before it bars within the day"):
        es.write_prices(es.Prices(mixed), tmp_path / "mixed")


def test_the_index_knows_edges_and_calendars_without_reading(prices, folder):
    stored = es.read_prices(folder).bars
    assert isinstance(stored, StoredBars)
    for names in (["BABA", "JD", "NIO", "^GSPC"], ["0700.HK", "0005.HK", "9988.HK", "^HSI"], ["VOD.L"], ["LATE"]):
        np.testing.assert_array_equal(priced_dates(stored, names), priced_dates(prices.bars, names))
    assert [stored[name].mic for name in stored] == [b.mic for b in prices.bars.values()]
    assert "spread" in stored["BABA"].fields
    assert stored.files.n_read == 0
    np.testing.assert_array_equal(priced_dates(stored, ["JD"]), priced_dates(prices.bars, ["JD"]))
    assert stored.files.n_read == 2  # the index does not know a part of an exchange


STUDIES: dict[str, dict[str, Any]] = {
    "plain": {"tests": ["cross_section", "patell", "bmp", "kolari_pynnonen", "grank_t"]},
    "open": {"price": "open", "gaps": "span", "group": "kind", "contaminated": "mask"},
    "trade_to_trade": {"model": "trade_to_trade", "returns": "log"},
    "spread": {"model": "mean", "outcome": "spread"},
    "peers": {"model": "peers"},
    "placebo": {"tests": [replace(es.test("placebo"), draws=39)]},
}


def equal(one: es.Result, other: es.Result) -> None:
    for name in ("events", "ar", "cars", "daily", "tests", "reactions", "attrition"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), rtol=1e-12, atol=1e-12, obj=name)


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_from_the_store_part_by_part_is_that_from_memory(name, prices, folder, events, monkeypatch):
    benchmark = None if name == "spread" else {"XHKG": "^HSI", "XNYS": "^GSPC", "XLON": "^GSPC"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", es.EventStudyWarning)  # of the benchmark that closes in another zone
        study = es.Study(benchmark=benchmark, windows=((0, 0), (-1, 1)), min_coverage=0.5, **STUDIES[name])
        whole = study.run(events, prices)
        monkeypatch.setattr(align, "CELLS", 0)
        monkeypatch.setattr("eventstudy.core.parts.CELLS", 2500)
        parted = study.run(events, es.read_prices(folder))
        equal(parted, whole)
        equal(study.run(events, prices), whole)
    pd.testing.assert_frame_equal(study.check(events, es.read_prices(folder)), study.check(events, prices))
    pd.testing.assert_frame_equal(parted.diagnose(), whole.diagnose(), rtol=1e-9)
    first = parted.ar.index[0]
    pd.testing.assert_frame_equal(parted.path(first), whole.path(first), rtol=1e-12)


def test_a_study_reads_the_files_of_its_tickers_and_the_columns_that_it_needs(folder, events):
    stored = es.read_prices(folder)
    some = es.Events(events.frame[events.frame["ticker"] == "BABA"])
    es.Study(benchmark="^GSPC", model="market").check(some, stored)
    read = set(stored.bars.files._cache)  # type: ignore[attr-defined]
    assert {file for file, _ in read} == {1, 2}
    assert {column for _, column in read} == {"dates", "adjusted", "close"} - (
        {"adjusted"} - set(stored.bars["BABA"].fields)
    )


def test_a_part_reads_each_file_once(prices, folder, events, monkeypatch):
    monkeypatch.setattr(align, "CELLS", 0)
    stored = es.read_prices(folder)
    monkeypatch.setattr(_stored, "CACHE", 1)
    study = es.Study(model="mean")
    made = align.prepare(events.frame, stored, study, study.return_model.columns)  # one panel an exchange
    before = stored.bars.files.n_read  # type: ignore[attr-defined]
    panel = made.panels[0].build()
    assert panel.assets == ("0700.HK", "0005.HK", "9988.HK")  # in the order of the store
    assert before == 0


def test_bars_of_a_store_can_be_changed_pickled_and_copied(prices, folder):
    stored = es.read_prices(folder)
    its = stored.bars["BABA"]
    same(pickle.loads(pickle.dumps(its)), prices.bars["BABA"])
    again = pickle.loads(pickle.dumps(stored))
    assert prices.bars["BABA"].fields["close"][:9].tobytes() not in pickle.dumps(stored)
    same(again.bars["9988.HK"], prices.bars["9988.HK"])
    close = its.fields["close"] * 2
    changed = replace(its, fields={"close": close}, currency="EUR")
    assert changed.currency == "EUR"
    np.testing.assert_array_equal(changed.fields["close"], close)
    same(copy.deepcopy(its), prices.bars["BABA"])
    with pytest.raises(ValueError, match="read-only"):
        its.fields["close"][0] = 1.0
    with pytest.raises(KeyError):
        its.fields["nothing"]


def test_a_store_that_is_written_anew_is_not_read_by_the_old_index(prices, folder):
    stored = es.read_prices(folder)
    sent = pickle.dumps(stored.bars)
    assert b"HKD=X" not in pickle.dumps(stored.bars.take(["BABA"]))  # type: ignore[attr-defined]
    es.write_prices(es.Prices({name: prices.bars[name] for name in reversed(prices.bars)}), folder)
    for bars in (stored.bars, pickle.loads(sent)):
        with pytest.raises(es.SourceError, match="written anew since it was opened; open it again"):
            _ = bars["BABA"].dates
    same(es.read_prices(folder).bars["BABA"], prices.bars["BABA"])


def test_a_checkpoint_goes_by_the_files_of_a_part(prices, folder, events, tmp_path, monkeypatch):
    monkeypatch.setattr(align, "CELLS", 0)
    monkeypatch.setattr("eventstudy.core.parts.CELLS", 2500)
    study, kept = es.Study(model="mean", tests=["bmp"]), tmp_path / "parts"
    first = study.run(events, es.read_prices(folder), checkpoint=kept)
    shutil.copytree(folder, tmp_path / "copy")
    there = es.read_prices(tmp_path / "copy")
    again = study.run(events, there, checkpoint=kept)
    equal(again, first)
    assert again.provenance["n_resumed"] == again.provenance["n_parts"] > 2
    key, read = checkpoint.key(Namespace(bars=there.bars)), there.bars.files.n_read  # type: ignore[attr-defined]
    assert key == checkpoint.key(Namespace(bars=es.read_prices(folder).bars))
    assert there.bars.files.n_read == read  # type: ignore[attr-defined]
    bars = dict(prices.bars)
    bars["BABA"] = replace(bars["BABA"], fields={k: 2 * v for k, v in bars["BABA"].fields.items()})
    es.write_prices(es.Prices(bars), folder, partition=3)
    changed = study.run(events, es.read_prices(folder), checkpoint=kept)
    assert 0 < changed.provenance["n_resumed"] < changed.provenance["n_parts"]


def test_a_store_on_object_storage_is_read_through_its_url(prices, folder, events, monkeypatch):
    files = pytest.importorskip("fsspec").filesystem("memory")
    files.put(f"{folder}/", "/bucket/store/", recursive=True)
    found = es.read_prices("memory://bucket/store")
    for name, its in prices.bars.items():
        same(found.bars[name], its)
        same(pickle.loads(pickle.dumps(found.bars))[name], its)
    monkeypatch.setattr(align, "CELLS", 0)
    study = es.Study(model="mean", tests=["bmp", "corrado"])
    equal(study.run(events, found), study.run(events, prices))
    (lost,) = folder.glob("prices-00001.*.parquet")
    files.rm(f"/bucket/store/{lost.name}")
    with pytest.raises(es.SourceError, match=rf"memory://bucket/store/{lost.name} is missing or damaged"):
        study.run(events, es.read_prices("memory://bucket/store"))
    with pytest.raises(es.InputError, match="'memory://bucket' is no store of prices"):
        es.fetch_prices(None, None, None, source="store", path="memory://bucket")
    with pytest.raises(es.InputError, match="fsspec cannot open"):
        es.read_prices("nosuch://bucket/store")
    with pytest.raises(es.InputError, match="is a URL; write the store to a local folder"):
        es.write_prices(prices, "memory://bucket/store")


def test_tickers_and_a_range_can_be_chosen(prices, folder):
    some = es.fetch_prices(["^HSI", "BABA"], None, None, source="store", path=folder)
    assert some.tickers == ("^HSI", "BABA")
    assert len(pickle.loads(pickle.dumps(some)).bars) == 2
    cut = es.fetch_prices(["BABA"], "2020-01-01", "2020-06-30", source="store", path=folder).bars["BABA"]
    inside = (prices.bars["BABA"].dates >= np.datetime64("2020-01-01")) & (
        prices.bars["BABA"].dates <= np.datetime64("2020-06-30")
    )
    np.testing.assert_array_equal(cut.dates, prices.bars["BABA"].dates[inside])
    with pytest.raises(es.TickerNotFound, match="has no TSLA"):
        es.fetch_prices(["TSLA"], None, None, source="store", path=folder)
    with pytest.warns(es.EventStudyWarning, match="TSLA"):
        both = es.fetch_prices(["TSLA", "JD"], None, None, source="store", path=folder)
    assert list(both.problems) == ["TSLA"]


def everything(prices: es.Prices, *tickers: str) -> list[np.ndarray]:
    return [array for name in tickers for array in (prices.bars[name].dates, *prices.bars[name].fields.values())]


@pytest.mark.parametrize("harm", ["missing", "cut off", "one byte"])
def test_a_damaged_file_is_named(folder, harm):
    (file,) = folder.glob("prices-00001.*.parquet")
    content = bytearray(file.read_bytes())
    if harm == "missing":
        file.unlink()
    elif harm == "cut off":
        file.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 3] ^= 255
        file.write_bytes(content)
    stored = es.read_prices(folder)
    with pytest.raises(es.SourceError, match=rf"{file.name} is missing or damaged"):
        everything(stored, "BABA", "JD", "VOD.L")
    assert len(stored.bars["0700.HK"].fields["close"]) > 500


def test_a_damaged_index_is_named(folder):
    (table,) = folder.glob("tickers.*.parquet")
    table.write_bytes(b"PAR1")
    with pytest.raises(es.SourceError, match=r"tickers\..*\.parquet is missing or damaged"):
        es.read_prices(folder)
    index = json.loads((folder / "store.json").read_text())
    later = {name: value for name, value in index.items() if name not in ("format", "check")} | {"version": 99}
    check = hashlib.sha256(json.dumps(later, sort_keys=True).encode()).hexdigest()
    (folder / "store.json").write_text(json.dumps({"check": check, **later}))
    with pytest.raises(es.InputError, match="a store of version 99, and this library reads version 2"):
        es.read_prices(folder)
    for text in ('{"version": 99}', "[1]", "{", "[" * 10**5, json.dumps({**index, "unit": "s"})):
        (folder / "store.json").write_text(text)
        with pytest.raises(es.SourceError, match=r"store\.json is missing or damaged"):
            es.read_prices(folder)


@pytest.mark.parametrize("n", [80, pytest.param(400, marks=pytest.mark.full)])
def test_no_flipped_bit_of_a_store_is_believed(prices, folder, n):
    """Every bit is of a file with a hash, or of store.json, which has its own; only blanks of that file may change."""
    files, rng = sorted(folder.iterdir()), np.random.default_rng(8)
    expected = {name: [array.tobytes() for array in everything(prices, name)] for name in prices.bars}
    refused = 0
    for k in range(n):
        file = files[k % len(files)]
        content = bytearray(file.read_bytes())
        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
        original = file.read_bytes()
        file.write_bytes(content)
        try:
            found = es.read_prices(folder)
            assert {n: [array.tobytes() for array in everything(found, n)] for n in found.tickers} == expected
        except es.SourceError as error:
            assert f"{file.name} is missing or damaged" in str(error)  # noqa: PT017
            refused += 1
        file.write_bytes(original)
    assert refused >= n - n // 80


def test_a_store_is_replaced_as_a_whole_and_nothing_else_is(prices, tmp_path):
    target = tmp_path / "store"
    es.write_prices(prices, target, partition=2)
    es.write_prices((es.Prices({name: its}) for name, its in list(prices.bars.items())[:3]), target)
    assert sorted(p.name.split(".")[0] for p in target.iterdir()) == ["calendars", "prices-00000", "store", "tickers"]
    with pytest.raises(es.InputError, match=r"0700\.HK appears twice"):
        es.write_prices([prices, prices], target)
    assert es.read_prices(target).tickers == prices.tickers[:3]
    assert [p.name for p in tmp_path.iterdir()] == ["store"]
    (tmp_path / "notes.txt").write_text("mine")
    for where, says in ((tmp_path, "something else"), (tmp_path / "notes.txt", "something else")):
        with pytest.raises(es.InputError, match=says):
            es.write_prices(prices, where)
    with pytest.raises(es.InputError, match="partition is 0"):
        es.write_prices(prices, target, partition=0)
    with pytest.raises(es.InputError, match="no prices to write"):
        es.write_prices([], target)
    with pytest.raises(es.InputError, match="field 'dates'"):
        es.write_prices(
            es.Prices(
                {"A": replace(prices.bars["NIO"], ticker="A", fields={"close": np.ones(20), "dates": np.ones(20)})}
            ),
            target,
        )


def test_what_needs_a_whole_panel_refuses_one_that_is_too_large(prices, events, monkeypatch):
    monkeypatch.setattr(align, "CELLS", 0)
    monkeypatch.setattr(align, "LARGEST", 1000)
    result = es.Study(model="mean", tests=["bmp"]).run(events, prices)
    assert np.isfinite(result.diagnose().set_index("check")["figure"]["clustering"])  # part by part
    for again in (lambda: result.adjust("romano_wolf"), lambda: result.calibrate(draws=20)):
        with pytest.raises(es.InputError, match="1,000 returns are the maximum"):
            again()


def test_dates_with_prices_are_those_of_a_set_however_far_apart():
    near, far = np.arange("2020-01-01", "2020-03-01", dtype="M8[D]"), np.array(["1801-05-01", "2199-01-01"], "M8[D]")
    for parts in ([near[::2], near[1::3]], [near[::2], far]):
        bars = {str(at): Bars(str(at), dates, {"close": np.ones(len(dates))}) for at, dates in enumerate(parts)}
        assert priced_dates(bars, [*bars]).tolist() == sorted({day for dates in parts for day in dates.tolist()})


@pytest.mark.slow
def test_a_million_events_on_five_thousand_securities_fit_in_memory(tmp_path):
    """Within 1.5 GiB in all, 0.9 of them the frames of the result; see the script for what is drawn."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    script = str(Path(__file__).parent.parent / "benchmarks" / "store.py")
    subprocess.run([sys.executable, script, "write", str(tmp_path)], check=True, env=environment)
    made = subprocess.run(
        [sys.executable, script, "run", str(tmp_path)], capture_output=True, text=True, env=environment
    )
    assert made.returncode == 0, made.stderr
    assert float(made.stdout.split()[-1]) < 1.5 * 1024
