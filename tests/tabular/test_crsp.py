"""CRSP's signs, codes and columns mean the same in a file and in a frame."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import eventstudy as es

ROWS = """PERMNO,date,TICKER,PRC,VOL,RET
10107,20210909,MSFT,297.25,100,C
10107,20210910,MSFT,-295.71,-99,-0.0052
10107,20210913,MSFT,-44.0,300,-66.0
10107,20210914,MSFT,0,400,0.02
14593,20210909,AAPL,154.07,5,B
14593,20210910,AAPL,148.97,6,-0.0331
14593,20210913,AAPL,149.55,7,0.0039
14593,20210914,AAPL,148.12,8,-0.0096
"""
NAN = np.nan
WANTED = {
    "close": [297.25, 295.71, 44.0, NAN], "volume": [100, NAN, 300, 400], "return": [NAN, -0.0052, NAN, 0.02],
}  # fmt: skip


def write(path: Path, text: str) -> es.Prices:
    path.write_text(text)
    return es.read_prices(path)


def parquet(path: Path, frame: pd.DataFrame) -> es.Prices:
    frame.to_parquet(path)
    return es.read_prices(path)


DOORS: dict[str, Callable[[Path, str], es.Prices]] = {
    "file": lambda path, text: write(path / "crsp.csv", text),
    "Parquet": lambda path, text: parquet(path / "crsp.parquet", pd.read_csv(StringIO(text))),
    "frame": lambda _, text: es.Prices.from_frame(pd.read_csv(StringIO(text))),
    "frame of text": lambda _, text: es.Prices.from_frame(pd.read_csv(StringIO(text), dtype=str)),
    "frame of dates": lambda _, text: es.Prices.from_frame(
        pd.read_csv(StringIO(text), parse_dates=["date"]).rename(columns=str.lower)
    ),
    "polars": lambda _, text: es.Prices.from_frame(pl.read_csv(StringIO(text), schema_overrides={"RET": pl.String})),
}


@pytest.mark.parametrize("door", DOORS)
def test_signs_and_codes(door: str, tmp_path: Path) -> None:
    prices = DOORS[door](tmp_path, ROWS)
    assert prices.tickers == ("10107", "14593")
    bars = prices.bars["10107"]
    assert (bars.mic, bars.dates.astype(str).tolist()[0]) == ("XNYS", "2021-09-09")
    for name, values in WANTED.items():
        np.testing.assert_array_equal(bars.fields[name], values, err_msg=name)
    notes = prices.provenance["noticed"]["prices"]
    assert any("averages of bid and ask" in note and "10107 (2)" in note for note in notes)
    assert any("codes of missing values" in note and "10107 (2)" in note for note in notes)


@pytest.mark.parametrize("door", DOORS)
def test_a_table_with_symbols_in_place_of_permnos(door: str, tmp_path: Path) -> None:
    text = "\n".join(",".join(row.split(",")[1:]) for row in ROWS.splitlines()) + "\n"
    prices = DOORS[door](tmp_path, text)
    assert prices.tickers == ("AAPL", "MSFT") if door in ("file", "Parquet") else ("MSFT", "AAPL")
    np.testing.assert_array_equal(prices.bars["MSFT"].fields["close"], WANTED["close"])


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("column", ["RETX", "CFACPR"])
def test_without_total_returns(door: str, column: str, tmp_path: Path) -> None:
    """A 4:1 split on the third day: the price return is -0.01, and the price falls by about three quarters."""
    head = f"PERMNO,date,PRC,{column}\n"
    values = {"RETX": ("C", "0.01", "-0.01"), "CFACPR": ("4", "4", "1")}[column]
    price = [100.0, -101.0, 101.0 * 0.99 / 4]
    days = [20210909, 20210910, 20210913]
    rows = [f"10107,{day},{p},{v}" for day, p, v in zip(days, price, values, strict=True)]
    prices = DOORS[door](tmp_path, head + "\n".join(rows) + "\n")
    fields = prices.bars["10107"].fields
    np.testing.assert_allclose(fields["close"], np.abs(price))
    if column == "RETX":
        np.testing.assert_array_equal(fields["return"], [NAN, 0.01, -0.01])
    else:
        np.testing.assert_allclose(fields["adjusted"], [25.0, 25.25, 25.25 * 0.99])
    assert set(fields) == {"close", "adjusted", *(["return"] if column == "RETX" else [])}
    assert any("without dividends" in note for note in prices.provenance["noticed"]["prices"])


@pytest.mark.parametrize("door", DOORS)
def test_total_returns_are_used_before_price_returns(door: str, tmp_path: Path) -> None:
    text = "PERMNO,date,PRC,RET,RETX,CFACPR\n10107,20210909,100,0.02,0.01,2\n10107,20210910,101,0.03,0.01,2\n"
    prices = DOORS[door](tmp_path, text)
    np.testing.assert_array_equal(prices.bars["10107"].fields["return"], [0.02, 0.03])
    assert "noticed" not in prices.provenance


def test_the_notes_are_told_with_a_result() -> None:
    days = pd.bdate_range("2020-01-02", periods=300)
    rng = np.random.default_rng(5)
    rows = pd.concat(
        pd.DataFrame({"permno": n, "date": days, "prc": 10.0, "retx": rng.normal(0, 0.01, 300)}) for n in (10107, 14593)
    )
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["10107"], "announced": [str(days[280].date())]}))
    study = es.Study(benchmark="14593", tests=["cross_section"], event=(-5, 5), windows=((0, 0),))
    with pytest.warns(es.EventStudyWarning):  # the same price on all days
        result = study.run(events, es.Prices.from_frame(rows))
    assert np.isfinite(result.cars["car"]).all()
    assert any("without dividends" in note for note in result.provenance["notes"])


@pytest.mark.parametrize("door", DOORS)
def test_adjusted_closes_and_returns_without_closes(door: str, tmp_path: Path) -> None:
    """The close is the price that is there; what is adjusted is what the returns imply."""
    text = "ticker,date,adj_close,return\nMSFT,20210909,50,0.02\nMSFT,20210910,55,0.05\n"
    fields = DOORS[door](tmp_path, text).bars["MSFT"].fields
    np.testing.assert_array_equal(fields["close"], [50.0, 55.0])
    np.testing.assert_allclose(fields["adjusted"], [102.0, 107.1])
