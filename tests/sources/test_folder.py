"""Folders of CSV and Parquet: what is read, and that nothing is guessed."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import BadPrices, EventStudyWarning, InputError, TickerNotFound
from eventstudy.prices import fetch_prices, read_prices

HEADER = "Date,Open,High,Low,Close,Adj Close,Volume\n"
ROW = "2021-01-04,9,11,8,10,9.5,1000\n"


def write(folder, name, *rows, header=HEADER):
    (folder / name).write_text(header + "".join(f"{row.rstrip()}\n" for row in rows))
    return folder


def fetch(tickers, folder, start=None, end=None):
    return fetch_prices(tickers, start, end, source="folder", path=folder)


# --- real files --------------------------------------------------------------------------------------------------


def test_the_shared_folder_is_read_as_its_manifest_says(shared):
    folder = shared / "data" / "prices"
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        manifest = {row["ticker"]: row for row in csv.DictReader(stream)}
    prices = read_prices(folder)
    assert prices.tickers == tuple(manifest)
    assert not prices.problems
    for ticker, row in manifest.items():
        bars = prices.bars[ticker]
        assert (bars.mic, bars.currency) == (row["mic"], row["currency"])
        assert (str(bars.dates[0]), str(bars.dates[-1]), len(bars.dates)) == (
            row["first"],
            row["last"],
            int(row["rows"]),
        )
        assert prices.provenance["files"][ticker] == row["file"]
    assert set(prices.bars["KWEB"].fields) == {"close", "adjusted"}  # its other columns are empty
    assert set(prices.bars["BABA"].fields) == {"open", "high", "low", "close", "adjusted", "volume"}


def test_the_shared_numbers_are_those_in_the_files(shared):
    folder = shared / "data" / "prices"
    prices = read_prices(folder)
    for ticker, file in prices.provenance["files"].items():
        raw = pd.read_csv(folder / file)  # these files are clean: pandas reads the same numbers
        frame = prices.frame(ticker)
        for column, field in (("Close", "close"), ("Adj Close", "adjusted"), ("Low", "low"), ("Volume", "volume")):
            if field in frame:
                np.testing.assert_array_equal(frame[field].to_numpy(), raw[column].to_numpy(dtype=float))
        assert pd.DatetimeIndex(frame.index).strftime("%Y-%m-%d").tolist() == raw["Date"].tolist()


def test_one_day_of_the_shared_folder(shared):
    prices = fetch(["9988.HK", "^HSI"], shared / "data" / "prices", "2021-09-13", "2021-09-13")
    assert prices.tickers == ("9988.HK", "^HSI")
    assert [len(bars.dates) for bars in prices.bars.values()] == [1, 1]


# --- which file is which ticker ----------------------------------------------------------------------------------


def test_without_a_manifest_the_file_name_is_the_ticker(tmp_path):
    for name in ("0700.HK.csv", "^HSI.csv", "NA.CSV", "HKD=X.csv"):
        write(tmp_path, name, ROW)
    (tmp_path / "readme.txt").write_text("left alone")
    (tmp_path / "._BABA.csv").write_bytes(b"\x00\x05")
    prices = read_prices(tmp_path)
    assert {t: b.mic for t, b in prices.bars.items()} == {
        "0700.HK": "XHKG",
        "HKD=X": "FX",
        "NA": "XNYS",
        "^HSI": "XHKG",
    }


def test_a_manifest_names_files_and_leaves_the_others_alone(tmp_path):
    (tmp_path / "sub").mkdir()
    write(tmp_path, "a b.csv", ROW)
    write(tmp_path / "sub", "x.csv", ROW)
    write(tmp_path, "not a ticker.csv", "n/a")
    (tmp_path / "manifest.csv").write_text(
        "note,ticker,file,currency,mic\n,NA,a b.csv,,\n,^MINE,sub/x.csv,HKD per USD,XHKG\n"
    )
    bars = read_prices(tmp_path).bars
    assert {t: (b.mic, b.currency) for t, b in bars.items()} == {
        "NA": ("XNYS", None),
        "^MINE": ("XHKG", "HKD per USD"),
    }


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("A,../A.csv", r"row 2: the file of A is '../A.csv'"),
        ("A,sub/../A.csv", "inside the folder"),
        ("A,/etc/passwd", "inside the folder"),
        ("A,C:\\\\A.csv", "inside the folder"),
        ("A,..\\\\A.csv", "inside the folder"),
        ("A,", "inside the folder"),
        ("A,A.csv\nA,B.csv", "row 3: A appears twice"),
        ("a,A.csv", "row 2: ticker 'a'"),
        (",A.csv", "row 2: ticker ''"),
        ("A", "row 2 has 1 cells"),
        ("", "lists no ticker"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path, rows, says):
    write(tmp_path, "A.csv", ROW)
    (tmp_path / "manifest.csv").write_text(f"ticker,file\n{rows}\n".replace("\\\\", "\\"))
    with pytest.raises(InputError, match=says):
        read_prices(tmp_path)


def test_a_manifest_needs_its_columns(tmp_path):
    (tmp_path / "manifest.csv").write_text("symbol,file\nA,A.csv\n")
    with pytest.raises(InputError, match="needs one column 'ticker'; its columns are symbol, file"):
        read_prices(tmp_path)


def test_a_name_that_is_no_ticker_needs_a_manifest(tmp_path):
    with pytest.raises(InputError, match=r"hk_halfday_closes\.csv.*manifest\.csv"):
        read_prices(write(tmp_path, "hk_halfday_closes.csv", ROW))


@pytest.mark.parametrize("name", ["prices.csv", "prices.parquet", "PRICES.csv", "PRICES.parquet"])
def test_a_long_file_in_a_folder_is_told_to_be_read_by_itself(tmp_path, name):
    rows = pd.DataFrame({"ticker": ["A", "B"], "date": pd.to_datetime(["2021-01-04"] * 2), "close": [10.0, 5.0]})
    rows.to_csv(tmp_path / name, index=False) if name.endswith("csv") else rows.to_parquet(tmp_path / name)
    with pytest.raises(InputError, match=rf"read it by itself: read_prices\('{name}'\)"):
        read_prices(tmp_path)
    assert read_prices(tmp_path / name).tickers == ("A", "B")


def test_one_ticker_in_two_files_is_refused(tmp_path):
    write(tmp_path, "A.csv", ROW)
    pd.DataFrame({"date": ["2021-01-04"], "close": [10.0]}).to_parquet(tmp_path / "A.parquet")
    with pytest.raises(InputError, match=r"A\.parquet and A\.csv are both A"):
        read_prices(tmp_path)


@pytest.mark.parametrize(("name", "says"), [("0700", "0700.HK"), ("^XYZ", "manifest"), ("A.QQ", "suffix .QQ")])
def test_a_ticker_without_an_exchange_is_refused(tmp_path, name, says):
    with pytest.raises(InputError, match=says):
        read_prices(write(tmp_path, f"{name}.csv", ROW))


def test_a_missing_or_empty_folder_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"there is no folder .*nowhere"):
        read_prices(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no \.csv, \.xlsx or \.parquet file"):
        read_prices(tmp_path)


def test_what_is_asked_for_and_absent_is_a_problem(tmp_path):
    write(tmp_path, "A.csv", ROW)
    (tmp_path / "manifest.csv").write_text("ticker,file\nA,A.csv\nB,B.csv\n")
    with pytest.warns(EventStudyWarning, match="2 of 3"):
        prices = fetch(["C", "A", "B"], tmp_path)
    assert prices.problems["C"].startswith("unknown ticker: no file for C in the folder")
    assert "B.csv is listed for B" in prices.problems["B"]
    with pytest.raises(TickerNotFound, match="unknown ticker"):
        fetch(["C"], tmp_path)
    with pytest.raises(TickerNotFound, match="no price of A from 2022-01-01 to the last"):
        fetch(["A"], tmp_path, "2022-01-01")


# --- what stands in a file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("03/11/2020,1,1,1,1,1,1", r"row 3, column Date: '03/11/2020'"),
        ("2020-02-30,1,1,1,1,1,1", "2020-02-30"),
        ("2021-01-05 16:00:00,1,1,1,1,1,1", "16:00"),
        (",1,1,1,1,1,1", "column Date: ''"),
        ("2021-01-05,1,1,1,n/a,1,1", r"A\.csv, row 3, column Close: 'n/a' is not a number"),
        ("2021-01-05,1,1,1,1,Nan,1", "column Adj Close: 'Nan'"),
        ('2021-01-05,1,"1,234.5",1,1,1,1', "column High: '1,234.5'"),
        ("2021-01-05,1,1,inf,1,1,1", "column Low: 'inf'"),
        ("2021-01-05,1,1,1,1,1,1_000", "column Volume: '1_000'"),
        ("2021-01-05,1,1,1,1", "row 3 has 5 cells and its header has 7"),
        ("2021-01-05,1,1,1,1,1,1,1", "row 3 has 8 cells"),
    ],
)
def test_what_is_no_date_or_number_is_named_by_row_and_column(tmp_path, row, says):
    with pytest.raises(InputError, match=says):
        read_prices(write(tmp_path, "A.csv", ROW, row))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2021-01-05,1,1,1,0,1,1", r"A\.csv: A has the close 0 on 2021-01-05"),
        ("2021-01-05,1,1,-2,1,1,1", "the low -2"),
        ("2021-01-05,1,1,1,1,1e999,1", "the adjusted inf"),
        ("2021-01-04,1,1,1,1,1,1", r"A\.csv: A has two rows for 2021-01-04"),
        ("2021-01-01,1,1,1,1,1,1\n2021-01-05,1,1,1,1,1,1", r"A\.csv: A is not sorted"),
    ],
)
def test_prices_that_cannot_be_trusted_name_their_file(tmp_path, row, says):
    with pytest.raises(BadPrices, match=says):
        read_prices(write(tmp_path, "A.csv", ROW, row))


def test_one_bad_file_does_not_take_the_others_along(tmp_path):
    write(tmp_path, "A.csv", ROW)
    write(tmp_path, "B.csv", ROW, ROW)
    with pytest.warns(EventStudyWarning, match=r"1 of 2 tickers could not be read: B .*B\.csv: B has two rows"):
        assert read_prices(tmp_path).tickers == ("A",)


def test_an_empty_cell_is_missing_and_an_empty_column_is_absent(tmp_path):
    write(tmp_path, "A.csv", "2021-01-04,,,,10,,5", "2021-01-05,,,8,,,", "", "2021-01-06,,,,12,,7")
    fields = read_prices(tmp_path).bars["A"].fields
    assert set(fields) == {"close", "low", "volume"}
    np.testing.assert_array_equal(fields["close"], [10, np.nan, 12])
    np.testing.assert_array_equal(fields["low"], [np.nan, 8, np.nan])


def test_lower_case_names_other_columns_and_a_byte_order_mark(tmp_path):
    (tmp_path / "A.csv").write_bytes("\ufeffdate,close,adj_close,Dividends\r\n2021-01-04,10,9,n/a\r\n".encode())
    assert {k: v.tolist() for k, v in read_prices(tmp_path).bars["A"].fields.items()} == {
        "close": [10],
        "adjusted": [9],
    }


def test_dates_as_yfinance_writes_them(tmp_path):
    write(tmp_path, "A.csv", "2021-01-04 00:00:00-05:00,10", "2021-07-06 00:00:00-04:00,11", header="Date,Close\n")
    assert read_prices(tmp_path).bars["A"].dates.astype(str).tolist() == ["2021-01-04", "2021-07-06"]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("Date,Settle\n", "no column close; its columns are Date, Settle; say which it is, columns={'close': ...}"),
        ("Day,Close\n", "no column date"),
        ("Date,Close,close\n", "two columns for close: 'Close' and 'close'"),
    ],
)
def test_columns_that_are_lacking_or_doubled_are_named(tmp_path, header, says):
    with pytest.raises(InputError, match=says):
        read_prices(write(tmp_path, "A.csv", header=header))


@pytest.mark.parametrize(("content", "says"), [(b"", "is empty"), (b"Date,Close\n\xff", "UTF-8")])
def test_what_is_no_csv_is_refused(tmp_path, content, says):
    (tmp_path / "A.csv").write_bytes(content)
    with pytest.raises(InputError, match=says):
        read_prices(tmp_path)


def test_a_file_without_a_close_is_refused(tmp_path):
    with pytest.raises(BadPrices, match=r"A\.csv has no row of A with a close"):
        read_prices(write(tmp_path, "A.csv"))


# --- Parquet -----------------------------------------------------------------------------------------------------

FRAME = pd.DataFrame({"Open": [9.0, np.nan], "Close": [10, 11], "Adj Close": [9.5, 10.5]})
DAYS = ["2021-01-04", "2021-01-05"]


@pytest.mark.parametrize(
    "frame",
    [
        FRAME.assign(Date=DAYS),
        FRAME.assign(date=pd.to_datetime(DAYS).date),
        FRAME.set_axis(pd.DatetimeIndex(DAYS, name="Date")),
        FRAME.set_axis(pd.DatetimeIndex(DAYS)),
        FRAME.set_axis(pd.DatetimeIndex(DAYS, tz="Asia/Hong_Kong", name="Date")),
        FRAME.rename(columns=str.lower).set_axis(pd.Index(DAYS, name="date")),
        FRAME.astype({"Close": "Int64", "Open": "float32"}).assign(Date=DAYS),
    ],
    ids=["text", "date", "index", "unnamed", "zone", "lower", "nullable"],
)
def test_parquet_by_column_or_index(tmp_path, frame):
    frame.to_parquet(tmp_path / "A.parquet")
    bars = read_prices(tmp_path).bars["A"]
    assert bars.dates.astype(str).tolist() == DAYS
    np.testing.assert_array_equal(bars.fields["open"], [9, np.nan])
    assert bars.fields["close"].tolist() == [10, 11]
    assert bars.fields["adjusted"].tolist() == [9.5, 10.5]


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (FRAME.assign(Date=DAYS, Close=["10", "n/a"]), r"'n/a' \(str\) in column 'Close', row 1"),
        (FRAME.assign(Date=DAYS, Close=[True, False]), r"True \(bool\) in column 'Close', row 0"),
        (FRAME.assign(Date=["04/01/2021", "05/01/2021"]), "row 1, column Date: '04/01/2021'"),
        (FRAME.set_axis(pd.DatetimeIndex(DAYS).tz_localize("Asia/Hong_Kong").tz_convert("UTC")), "16:00"),
        (FRAME, "no column date"),
    ],
)
def test_parquet_that_is_not_of_the_layout_is_refused(tmp_path, frame, says):
    frame.to_parquet(tmp_path / "A.parquet")
    with pytest.raises(InputError, match=says):
        read_prices(tmp_path)


def test_what_is_no_parquet_is_refused(tmp_path):
    (tmp_path / "A.parquet").write_text("Date,Close\n")
    with pytest.raises(InputError, match="is not Parquet"):
        read_prices(tmp_path)
