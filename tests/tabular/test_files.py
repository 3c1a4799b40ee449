"""Files as vendors write them, made by hand after their layouts, give the prices that stand in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.tabular.columns import HEADERS, LAYOUTS, header_key

DATES = np.array(["2021-09-10", "2021-09-13"], dtype="datetime64[D]")

# What a file holds, how it is read, and the fields that stand in it on DATES.
FILES: dict[str, tuple[str, dict[str, Any], dict[str, list[float]]]] = {
    "Alpha Vantage": (
        "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\n"
        "2021-09-13,151,152,148,149.5,37.4,1000,0,1.0\n2021-09-10,600,610,590,600,37.5,900,0,4.0\n",
        {},
        {"close": [600, 149.5], "adjusted": [37.5, 37.4], "volume": [900, 1000], "split": [4, 1]},
    ),
    "Tiingo": (
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor\n"
        "2021-09-10,148,150,147,149,10,147.1,149,146,148,10,0,1\n2021-09-13,149,151,148,148,11,148.2,150,147,147,11,0,1\n",
        {},
        {"close": [148, 149], "adjusted": [147.1, 148.2], "split": [1, 1]},
    ),
    "yf.download": (
        "Price,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,\n"
        "2021-09-10,48.1,50,48,49,140\n2021-09-13,48.7,50,47,49,100\n",
        {"layout": "yfinance"},
        {"close": [48.1, 48.7], "volume": [140, 100]},
    ),
    "Investing": (
        '"Date","Price","Open","High","Low","Vol.","Change %"\n'
        '"09/13/2021","1,165.00","1,170.00","1,171.00","1,160.00","12.3M","-0.5%"\n'
        '"09/10/2021","1,171.00","1,150.00","1,172.00","1,149.00","9.5K","1.2%"\n',
        {"layout": "investing"},
        {"close": [1171, 1165], "open": [1150, 1170], "volume": [9500, 12_300_000]},
    ),
    "Nasdaq": (
        "Date,Close/Last,Volume,Open,High,Low\n09/13/2021,$149.55,102404300,$150.63,$151.42,$148.75\n"
        "09/10/2021,$148.97,140893200,$155.00,$155.48,$148.70\n",
        {"layout": "nasdaq"},
        {"close": [148.97, 149.55], "low": [148.70, 148.75]},
    ),
    "AkShare": (
        "日期,股票代码,开盘,收盘,最高,最低,成交量,换手率\n"
        "2021-09-10,600519,10,11,12,9,100,0.1\n2021-09-13,600519,11,12,13,10,200,0.2\n",
        {"layout": "akshare"},
        {"close": [11, 12], "high": [12, 13], "volume": [100, 200]},
    ),
    "semicolons and decimal commas": (
        "Datum;Schluss;Volumen\n10.09.2021;1.148,97;100\n13.09.2021;1.149,55;200\n",
        {
            "columns": {"date": "Datum", "close": "Schluss", "volume": "Volumen"}, "date_format": "%d.%m.%Y",
            "decimal": ",", "thousands": ".",
        },
        {"close": [1148.97, 1149.55], "volume": [100, 200]},
    ),
    "CRSP": (
        "PERMNO,date,TICKER,PRC,VOL,RET,SHROUT\n"
        "10107,20210910,MSFT,-295.71,100,0.01,7\n10107,20210913,MSFT,296.99,200,C,7\n",
        {},
        {"close": [295.71, 296.99], "volume": [100, 200], "return": [0.01, np.nan]},
    ),
    "a Bloomberg export": (
        "Date\tPX_LAST\tPX_VOLUME\n2021-09-10\t148.97\t#N/A\n2021-09-13\t149.55\t200\n",
        {},
        {"close": [148.97, 149.55], "volume": [np.nan, 200]},
    ),
    "null rows of Yahoo": (
        "Date,Open,High,Low,Close,Adj Close,Volume\n2021-09-10,null,null,null,null,null,null\n"
        "2021-09-13,1,2,0.5,1.5,1.4,9\n",
        {},
        {"close": [np.nan, 1.5], "adjusted": [np.nan, 1.4]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("vendor", FILES)
def test_a_file_of_each_vendor_is_read(tmp_path: Path, vendor: str) -> None:
    text, choices, wanted = FILES[vendor]
    (tmp_path / "AAPL.csv").write_text(text, encoding="utf-8")
    by_folder = es.read_prices(tmp_path, **choices)
    [bars] = by_folder.bars.values()
    np.testing.assert_array_equal(bars.dates, DATES)
    for name, values in wanted.items():
        np.testing.assert_array_equal(bars.fields[name], values, err_msg=name)


def test_a_long_file_holds_many_tickers_in_any_order(tmp_path: Path) -> None:
    rows = ["2021-09-13,0700.HK,480.2", "2021-09-10,BABA,168.1", "2021-09-10,0700.HK,485", "2021-09-13,BABA,165"]
    (tmp_path / "all.csv").write_text("Date,Ticker,Close\n" + "\n".join(rows) + "\n")
    prices = es.read_prices(tmp_path / "all.csv")
    assert prices.tickers == ("0700.HK", "BABA")
    assert prices.bars["BABA"].mic == "XNYS"
    assert prices.bars["0700.HK"].fields["close"].tolist() == [485.0, 480.2]
    frame = pd.read_csv(tmp_path / "all.csv", parse_dates=["Date"])
    for name, write in (("all.parquet", frame.to_parquet), ("all.xlsx", frame.to_excel)):
        write(tmp_path / name, index=False)
        again = es.read_prices(tmp_path / name)
        for ticker, bars in prices.bars.items():
            np.testing.assert_array_equal(again.bars[ticker].fields["close"], bars.fields["close"])
            np.testing.assert_array_equal(again.bars[ticker].dates, bars.dates)


def test_the_download_of_several_tickers_is_read_as_several(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(
        "Price,Close,Close,Volume,Volume\nTicker,AAPL,9988.HK,AAPL,9988.HK\nDate,,,,\n"
        "2021-09-10,48.1,,140,\n2021-09-13,48.7,160.5,100,7\n"
    )
    prices = es.read_prices(tmp_path / "prices.csv")
    assert prices.bars["AAPL"].fields["close"].tolist() == [48.1, 48.7]
    assert prices.bars["9988.HK"].dates.astype(str).tolist() == ["2021-09-13"]
    assert prices.bars["9988.HK"].mic == "XHKG"
    (tmp_path / "AAPL.csv").write_text((tmp_path / "prices.csv").read_text())
    (tmp_path / "MSFT.csv").write_text((tmp_path / "prices.csv").read_text())
    (tmp_path / "prices.csv").unlink()
    with pytest.warns(es.EventStudyWarning, match=r"MSFT\.csv has header rows of yf\.download for AAPL, 9988\.HK"):
        assert es.read_prices(tmp_path).tickers == ("AAPL",)


def test_the_download_of_shares_that_are_called_as_fields_is_read(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("Price,Close,Close\nTicker,LAST,OPEN\nDate,,\n2021-09-10,48.1,7\n")
    prices = es.read_prices(tmp_path / "prices.csv")
    assert {t: b.fields["close"].tolist() for t, b in prices.bars.items()} == {"LAST": [48.1], "OPEN": [7.0]}


@pytest.mark.parametrize("corner", [("Price", "Ticker"), ("", "")])
@pytest.mark.parametrize("dates_row", ["Date,,,\n", ""])
def test_the_download_of_tickers_of_digits_asks_for_their_exchange(
    tmp_path: Path, corner: tuple[str, str], dates_row: str
) -> None:
    text = f"{corner[0]},Close,Close,Volume\n{corner[1]},0700,600519,0700\n{dates_row}2021-09-10,48.1,1700.5,3\n"
    (tmp_path / "prices.csv").write_text(text)
    with pytest.raises(es.InputError, match=r"ticker '0700' has digits and no suffix; .* as in 0700\.HK"):
        es.read_prices(tmp_path / "prices.csv")


def test_a_file_of_dates_by_tickers_names_the_door_for_it(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("Date,BABA,RIC\n2021-09-10,1,2\n")
    with pytest.raises(es.InputError, match=r"dates by tickers is read by es\.Prices\.from_frame"):
        es.read_prices(tmp_path / "prices.csv")


@pytest.mark.thorough
def test_crsp_returns_are_used_instead_of_its_prices(tmp_path: Path) -> None:
    """A 4:1 split: the price falls by three quarters, the return is what a holder had."""
    days = pd.bdate_range("2020-01-02", periods=400)
    rng = np.random.default_rng(0)
    ret = {permno: rng.normal(0, 0.01, len(days)) for permno in (10107, 14593)}
    rows = []
    for permno, r in ret.items():
        price = 100 * np.cumprod(1 + r)
        price = np.where(days < days[350], price, price / 4) if permno == 10107 else price
        rows.append(pd.DataFrame({"PERMNO": permno, "date": days.strftime("%Y%m%d"), "PRC": price, "RET": r}))
    pd.concat(rows).to_csv(tmp_path / "crsp.csv", index=False)
    prices = es.read_prices(tmp_path / "crsp.csv")
    wide = es.Prices.from_returns(pd.DataFrame({"EVENT": ret[10107], "M": ret[14593]}, index=days))
    choices: dict[str, Any] = {"windows": ((0, 0), (-1, 1)), "tests": ["cross_section"], "min_estimation": 100}
    when = str(days[350].date())
    found = es.Study(model="mean", **choices).run(
        es.Events.from_frame(pd.DataFrame({"ticker": ["EVENT"], "announced": [when]})),
        es.Prices({"EVENT": prices.bars["10107"].__class__(**{**prices.bars["10107"].__dict__, "ticker": "EVENT"})}),
    )
    by_hand = es.Study(model="mean", **choices).run(
        es.Events.from_frame(pd.DataFrame({"ticker": ["EVENT"], "announced": [when]})), wide
    )
    assert prices.bars["10107"].mic == "XNYS"
    assert abs(found.cars["car"].iloc[0]) < 0.05
    np.testing.assert_allclose(found.cars["car"], by_hand.cars["car"], rtol=1e-9)


SPELLINGS = [
    "adjusted_close",
    "Adjusted_close",
    "Adj. Close",
    "Adjusted Close",
    "AdjustedClose",
    "adjClose",
    "Adj Close",
]


@pytest.mark.parametrize("header", SPELLINGS)
def test_every_spelling_of_an_adjusted_close_is_taken(tmp_path: Path, header: str) -> None:
    (tmp_path / "AAPL.csv").write_text(f"Date,Close,{header}\n2021-09-10,400,100\n2021-09-13,101,101\n")
    assert es.read_prices(tmp_path).bars["AAPL"].fields["adjusted"].tolist() == [100.0, 101.0]


@pytest.mark.parametrize("header", ["Adj Px", "close (adjusted)", "PX_ADJ", "Adj. Settle", "adjPrice"])
def test_an_adjusted_price_of_an_unknown_name_is_refused_by_name(tmp_path: Path, header: str) -> None:
    (tmp_path / "AAPL.csv").write_text(f"Date,Close,{header}\n2021-09-10,400,100\n2021-09-13,101,101\n")
    with pytest.raises(es.InputError, match="looks like an adjusted price"):
        es.read_prices(tmp_path)
    prices = es.read_prices(tmp_path, columns={"adjusted": header})
    assert prices.bars["AAPL"].fields["adjusted"].tolist() == [100.0, 101.0]


GOOD = "Date,Close\n2021-09-10,1\n2021-09-13,2\n"
BAD = {
    "BAD.csv": "Date,Close\n2021-09-10,148.9\n2021-09-13,oops\n",
    "EMPTY.csv": "",
    "ZERO.csv": "Date,Close\n2021-09-10,0\n",
    "events.csv": "ticker,announced\nS1,2021-09-13\n",
    "SHORT.csv": "Date,Close\n2021-09-10\n",
    "DATES.csv": "Date,Close\n10/09/2021,1\n",
    "HEAD.csv": "Day,Close\n2021-09-10,1\n",
    "ADJ.csv": "Date,Close,px adj\n2021-09-10,1,1\n",
    "UNKNOWN.QQ.csv": GOOD,
    "BYTES.csv": "\udcff",
    "BOOK.xlsx": "no workbook",
    "TABLE.parquet": "no parquet",
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_file_loses_its_ticker_only(tmp_path: Path, name: str) -> None:
    for good in ("S0", "S1"):
        (tmp_path / f"{good}.csv").write_text(GOOD)
    (tmp_path / name).write_bytes(BAD[name].encode("utf-8", "surrogateescape"))
    with pytest.warns(es.EventStudyWarning, match="1 of 3 tickers could not be read"):
        prices = es.read_prices(tmp_path)
    assert prices.tickers == ("S0", "S1")
    [reason] = prices.problems.values()
    assert len(reason) < 700, "an input is never echoed at length"
    assert es.fetch_prices(["S1"], None, None, source="folder", path=tmp_path).tickers == ("S1",)


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"columns": {"closing": "Close"}}, "a key of columns is 'closing'"),
        ({"columns": {"close": "Clos"}}, r"no column 'Clos' for close; .* did you mean 'Close'\?"),
        ({"columns": {"close": 1}}, r"columns\['close'\] is 1"),
        ({"columns": "Close"}, "columns is 'Close'"),
        ({"layout": "crisp"}, "layout is 'crisp'; valid are 'yahoo'"),
        ({"layout": 1}, "layout is 1"),
        ({"decimal": ""}, "decimal is ''"),
        ({"decimal": ",", "thousands": ","}, "decimal is ','"),
        ({"date_format": 3}, "date_format is 3"),
        ({"date_format": "%d/%m/%Y"}, "'2021-09-10' is not a date in the format"),
    ],
)
def test_how_a_file_is_read_is_checked(tmp_path: Path, choices: dict[str, Any], says: str) -> None:
    (tmp_path / "S1.csv").write_text(GOOD)
    with pytest.raises(es.InputError, match=says):
        es.read_prices(tmp_path, **choices)


@pytest.mark.parametrize("path", [None, 3, "a\0b", ["x"]])
def test_a_path_is_text(path: object) -> None:
    with pytest.raises(es.InputError, match="path is"):
        es.fetch_prices(None, None, None, source="folder", path=path)


def test_every_known_header_is_written_as_it_is_looked_up() -> None:
    assert [header for header in HEADERS if header_key(header) != header] == []
    assert {name for layout in LAYOUTS.values() for name in layout.columns} <= set(HEADERS.values())


def test_a_decimal_comma_is_named_where_it_is_met(tmp_path: Path) -> None:
    (tmp_path / "S1.csv").write_text("Date;Close\n2021-09-10;1,5\n")
    with pytest.raises(es.InputError, match=r"'1,5' is not a number; .*decimal=','"):
        es.read_prices(tmp_path)
    assert es.read_prices(tmp_path, decimal=",").bars["S1"].fields["close"].tolist() == [1.5]


ROWS = "2021-09-10;998;{}\n2021-09-13;1.234;{}\n"


@pytest.mark.parametrize(
    ("others", "choices", "closes"),
    [
        (("-0,52", "0,1"), {}, [998.0, 1234.0]),  # a decimal comma elsewhere
        (("-0,52%", "0,1%"), {}, [998.0, 1234.0]),
        (("1.234.567", "5"), {}, [998.0, 1234.0]),
        (("1.234,500", "5"), {}, [998.0, 1234.0]),
        (("", ""), {"decimal": ","}, [998.0, 1234.0]),
        (("", ""), {"thousands": ","}, [998.0, 1.234]),
    ],
)
def test_points_separate_thousands_where_the_file_or_the_reader_says_so(
    tmp_path: Path, others: tuple[str, str], choices: dict[str, Any], closes: list[float]
) -> None:
    (tmp_path / "S1.csv").write_text("Date;Close;Change\n" + ROWS.format(*others))
    assert es.read_prices(tmp_path, **choices).bars["S1"].fields["close"].tolist() == closes


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("others", [("", ""), ("1,234", "x")])
def test_a_number_that_may_be_of_thousands_is_in_doubt_by_its_cell(
    tmp_path: Path, others: tuple[str, str], delimiter: str
) -> None:
    text = "Date;Close;Change\n" + ROWS.format(*others)
    (tmp_path / "S1.csv").write_text(text.replace(";", delimiter))
    says = r"S1\.csv, row 3, column Close: '1\.234' is .*say decimal=',' .* or thousands=','"
    with pytest.raises(es.InputError, match=says):
        es.read_prices(tmp_path)


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("Date;Close\n2021-09-10;1.23\n2021-09-13;1.234\n", [1.23, 1.234]),
        ("Date;Close\n2021-09-10;0.998\n2021-09-13;1.234\n", [0.998, 1.234]),
        ("Date;Close\n2021-09-10;1234.567\n2021-09-13;998.125\n", [1234.567, 998.125]),
        ("Date;Open;Close\n2021-09-10;1.5;1.234\n2021-09-13;1.5;998\n", [1.234, 998.0]),
        ("Date,Close\n2021-09-10,998\n2021-09-13,1.234\n", [998.0, 1.234]),
    ],
)
def test_points_are_decimal_where_a_number_shows_it_or_commas_separate_cells(
    tmp_path: Path, text: str, closes: list[float]
) -> None:
    (tmp_path / "S1.csv").write_text(text)
    assert es.read_prices(tmp_path).bars["S1"].fields["close"].tolist() == closes
