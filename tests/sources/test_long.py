"""What every store of long tables keeps: the same rows give the same prices, and nothing is guessed."""

from __future__ import annotations

import warnings
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import eventstudy as es
from eventstudy.errors import BadPrices, EventStudyWarning, InputError, TickerNotFound
from eventstudy.prices import fetch_prices
from tests.sources.long import as_table

pytestmark = pytest.mark.contract("store")

DAYS = [date(2021, 1, 5), date(2021, 1, 4), date(2021, 1, 6), date(2021, 1, 4)]
TICKERS = ["BABA", "BABA", "BABA", "0700.HK"]


def table(**columns):
    given = {"ticker": TICKERS, "date": DAYS, "close": [11.0, 10.0, 12.0, 500.0]} | columns
    return pa.table({name: values for name, values in given.items() if values is not None})


@pytest.fixture
def fetch(store):
    """Put a table into the store and read it."""

    def read(rows, tickers=None, start=None, end=None, **options):
        return fetch_prices(tickers, start, end, source=store.name, **store.put(rows), **options)

    return read


def closes(prices, ticker="BABA"):
    return dict(zip(prices.bars[ticker].dates.astype(str), prices.bars[ticker].fields["close"], strict=True))


def test_rows_are_sorted_and_come_with_their_exchange(fetch):
    prices = fetch(table())
    assert prices.tickers == ("0700.HK", "BABA")
    assert closes(prices) == {"2021-01-04": 10.0, "2021-01-05": 11.0, "2021-01-06": 12.0}
    assert [prices.bars[name].mic for name in prices.tickers] == ["XHKG", "XNYS"]
    assert prices.bars["BABA"].currency is None


def test_both_ends_of_the_range_are_included(fetch):
    prices = fetch(table(), ["BABA"], "2021-01-05", "2021-01-06")
    assert closes(prices) == {"2021-01-05": 11.0, "2021-01-06": 12.0}
    assert prices.provenance["rows"] == 2
    assert (prices.provenance["start"], prices.provenance["end"]) == ("2021-01-05", "2021-01-06")


@pytest.mark.parametrize(("start", "end"), [("0001-01-01", "9999-12-31"), ("1600-01-01", "2300-01-01")])
def test_ends_far_away_are_open(fetch, start, end):
    stamps = pa.array(DAYS).cast(pa.timestamp("ns"))
    assert len(closes(fetch(table(date=stamps), ["BABA"], start, end))) == 3


def test_a_ticker_without_rows_is_a_problem_and_the_warning_points_here(fetch):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        prices = fetch(table(), ["BABA", "JD"], "2021-01-01")
    assert [(w.category, w.filename) for w in seen] == [(EventStudyWarning, __file__)]
    assert prices.tickers == ("BABA",)
    assert "no row of JD from 2021-01-01 to the last" in prices.problems["JD"]


def test_a_misspelt_ticker_of_a_file_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    table().to_pandas().to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(TickerNotFound, match=r"no row of BABBA .*; did you mean 'BABA'"):
        es.fetch_prices(["BABBA"], None, None, source="folder", path=tmp_path / "x.csv")


@pytest.mark.parametrize(("tickers", "start"), [(["JD"], None), (["BABA"], "2022-01-01"), (None, "2022-01-01")])
def test_no_row_at_all_is_an_error(fetch, tickers, start):
    with pytest.raises(TickerNotFound, match="no row"):
        fetch(table(), tickers, start)


def test_prices_are_found_by_the_names_that_stores_use(fetch):
    columns = {"Adj_Close": [1.0, 2.0, 3.0, 4.0], "OPEN": [5.0, 6.0, 7.0, 8.0], "note": ["a", "b", "c", "d"]}
    bars = fetch(table(**columns), ["BABA"]).bars["BABA"]
    assert set(bars.fields) == {"close", "adjusted", "open"}
    assert bars.fields["adjusted"].tolist() == [2.0, 1.0, 3.0]


def test_columns_names_what_is_named_otherwise(fetch):
    rows = table().rename_columns(["symbol", "day", "px last"])
    prices = fetch(rows, ["BABA"], columns={"ticker": "symbol", "date": "day", "close": "px last"})
    assert closes(prices)["2021-01-04"] == 10.0


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"close": "px_last"}, "no column 'px_last' for close; its columns are ticker, date, close"),
        ({"adjsted": "close"}, "a key of columns is 'adjsted'; valid are 'ticker'"),
        ({"close": 'close"; DROP TABLE prices; --'}, "no column"),
        ("close", "columns is 'close'"),
    ],
)
def test_a_wrong_name_of_a_column_is_refused(fetch, columns, says):
    with pytest.raises(InputError, match=says):
        fetch(table(), ["BABA"], columns=columns)


@pytest.mark.parametrize("name", ["ticker", "date", "close"])
def test_a_missing_column_is_named_with_those_that_there_are(fetch, name):
    with pytest.raises(InputError, match=f"has no column {name}; its columns are"):
        fetch(table(**{name: None}), ["BABA"])


def test_two_columns_for_one_field_are_not_chosen_between(fetch):
    twice = {"adjusted": [1.0] * 4, "adj_close": [2.0] * 4}
    with pytest.raises(InputError, match="two columns for adjusted: 'adjusted' and 'adj_close'"):
        fetch(table(**twice), ["BABA"])
    assert fetch(table(**twice), ["BABA"], columns={"adjusted": "adj_close"}).bars["BABA"].fields["adjusted"][0] == 2


def test_null_and_not_finite_are_missing(fetch):
    prices = fetch(
        table(close=[None, 10.0, 12.0, 500.0], open=[1.0, np.nan, np.inf, -np.inf], volume=pa.array([1, None, 3, 4])),
        ["BABA", "0700.HK"],
    )
    fields = prices.bars["BABA"].fields
    np.testing.assert_array_equal(fields["close"], [10.0, np.nan, 12.0])
    np.testing.assert_array_equal(fields["open"], [np.nan, 1.0, np.nan])
    np.testing.assert_array_equal(fields["volume"], [np.nan, 1.0, 3.0])
    assert "open" not in prices.bars["0700.HK"].fields


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"date": [DAYS[1], DAYS[1], DAYS[2], DAYS[3]]}, "BABA has two rows for 2021-01-04"),
        ({"date": [DAYS[0], None, DAYS[2], DAYS[3]]}, "1 rows of BABA without a date"),
        ({"close": [11.0, -10.0, 12.0, 500.0]}, "BABA has the close -10 on 2021-01-04"),
        ({"close": [11.0, 0.0, 12.0, 500.0]}, "BABA has the close 0 on 2021-01-04"),
        ({"close": [None, None, None, 500.0]}, "no row of BABA with a close"),
        ({"currency": ["USD", "HKD", None, None]}, "more than one currency of BABA: .*HKD"),
        ({"mic": ["XNYS", "XHKG", None, None]}, "more than one mic of BABA"),
    ],
)
def test_rows_that_cannot_be_trusted_spoil_their_ticker_alone(fetch, columns, says):
    with pytest.warns(EventStudyWarning, match="1 of 2 tickers could not be read: BABA"):
        prices = fetch(table(**columns), ["BABA", "0700.HK"])
    assert prices.tickers == ("0700.HK",)
    with pytest.raises(BadPrices, match=says):
        fetch(table(**columns), ["BABA"])


def test_currency_and_exchange_stand_once_or_on_every_row(fetch):
    labels = {"currency": ["USD", None, "USD", None], "mic": ["XNAS", "XNAS", "XNAS", ""]}
    bars = fetch(table(**labels)).bars
    assert {name: (one.currency, one.mic) for name, one in bars.items()} == {
        "BABA": ("USD", "XNAS"),
        "0700.HK": (None, "XHKG"),
    }


def test_an_unknown_suffix_needs_an_exchange(fetch):
    names = ["A.XYZ"] * 4
    days = [date(2021, 1, day) for day in (4, 5, 6, 7)]
    with pytest.raises(InputError, match=r"unknown suffix \.XYZ.*or in a column mic of"):
        fetch(table(ticker=names, date=days))
    assert fetch(table(ticker=names, date=days, mic=["XNYS"] * 4)).bars["A.XYZ"].mic == "XNYS"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_time_stamps_at_midnight_are_dates(fetch, unit, zone):
    stamps = pa.array(DAYS).cast(pa.timestamp(unit)).cast(pa.timestamp(unit, zone))
    assert list(closes(fetch(table(date=stamps), ["BABA"], "2021-01-05", "2021-01-06"))) == ["2021-01-05", "2021-01-06"]


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_time_of_day_is_refused_on_the_last_day_too(fetch, zone):
    micro = np.array(DAYS, dtype="datetime64[us]") + np.timedelta64(int(15.5 * 3600), "s")
    stamps = pa.array(micro).cast(pa.timestamp("us", zone))
    with pytest.raises(BadPrices, match="a time of day in the date of BABA on 2021-01-04"):
        fetch(table(date=stamps), ["BABA"], "2021-01-04", "2021-01-04")


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ("date", ["2021-01-04"] * 4, "column date is of type .*; a date is of type date or timestamp"),
        ("close", ["10"] * 4, "column close is of type .*; a price is a number"),
        ("close", [True] * 4, "a price is a number"),
        ("ticker", [700] * 4, "a ticker is text"),
        ("currency", [1] * 4, "a currency is text"),
    ],
)
def test_a_column_of_another_type_is_refused(fetch, column, values, says):
    with pytest.raises(InputError, match=says):
        fetch(table(**{column: values}), ["BABA"])


def test_decimals_are_the_nearest_doubles_of_their_digits(fetch):
    rng = np.random.default_rng(3)
    digits = [f"{whole}.{part:06d}" for whole, part in rng.integers(1, 10**6, (4, 2))]
    exact = pa.array([Decimal(text) for text in digits], pa.decimal128(28, 6))
    prices = fetch(table(close=exact, date=[date(2021, 1, day) for day in (4, 5, 6, 7)], ticker=["BABA"] * 4))
    assert prices.bars["BABA"].fields["close"].tolist() == [float(text) for text in digits]


@pytest.mark.parametrize("kind", [pa.int16(), pa.int32(), pa.int64(), pa.float32()])
def test_every_type_of_number_is_a_price(fetch, kind):
    assert closes(fetch(table(close=pa.array([11, 10, 12, 500], pa.int64()).cast(kind))))["2021-01-05"] == 11.0


def test_a_name_that_is_no_ticker_is_refused_unless_others_are_named(fetch):
    rows = table(ticker=["BABA", "BABA", "BABA", "not one"])
    with pytest.raises(InputError, match=r"'not one' is not valid.*or name the tickers"):
        fetch(rows)
    assert fetch(rows, ["BABA"]).tickers == ("BABA",)


def test_a_row_without_a_ticker_is_refused_unless_tickers_are_named(fetch):
    rows = table(ticker=pa.array(["BABA", "BABA", "BABA", None], pa.string()))
    with pytest.raises(BadPrices, match="1 rows without a ticker"):
        fetch(rows)
    assert fetch(rows, ["BABA"]).tickers == ("BABA",)


def test_provenance_says_where_from_and_what(fetch, store):
    prices = fetch(table())
    given = prices.provenance
    assert (given["source"], given["rows"]) == (store.name, 4)
    frame = table().to_pandas().pivot(index="date", columns="ticker", values="close")[["0700.HK"]].dropna()
    other = fetch_prices(None, None, None, source="frame", frame=frame)  # the same numbers by another way
    assert given["sha256"]["0700.HK"] == other.provenance["sha256"]["0700.HK"]


def test_prices_of_another_source_come_back_with_their_fingerprints(fetch):
    prices = fetch_prices(["BABA", "0700.HK", "^HSI"], "2020-01-01", "2021-12-31", source="simulated")
    again = fetch(as_table(prices), ["BABA", "0700.HK", "^HSI"], "2020-01-01", "2021-12-31")
    assert again.tickers == prices.tickers
    assert again.provenance["sha256"] == prices.provenance["sha256"]
    assert {t: (b.mic, b.currency) for t, b in again.bars.items()} == {
        t: (b.mic, b.currency) for t, b in prices.bars.items()
    }


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
@pytest.mark.parametrize(("bad", "said"), [("oops", "'oops'"), ("1,5,0", "is ")])
def test_a_cell_that_cannot_be_read_loses_its_own_ticker_alone(
    tmp_path: Path, suffix: str, bad: str, said: str
) -> None:
    days = [f"2021-01-{day:02}" for day in (4, 5, 6, 7, 8)]
    rows = [(day, ticker, str(10 + k)) for ticker in ("BABA", "JD", "NIO") for k, day in enumerate(days)]
    frame = pd.DataFrame(rows, columns=["date", "ticker", "close"])
    file = tmp_path / f"long{suffix}"

    def write(table: pd.DataFrame) -> None:
        getattr(table, {".csv": "to_csv", ".xlsx": "to_excel"}.get(suffix, "to_parquet"))(file, index=False)

    write(frame)
    whole = es.read_prices(file)
    write(frame.assign(close=[bad if row[:2] == (days[2], "JD") else row[2] for row in rows]))
    with pytest.warns(es.EventStudyWarning, match="1 of 3 tickers could not be read: JD"):
        prices = es.read_prices(file)
    assert prices.tickers == ("BABA", "NIO")
    assert said in prices.problems["JD"]
    assert ("row 7" if suffix == ".parquet" else "row 9") in prices.problems["JD"]  # Parquet has no row of headers
    for ticker in prices.tickers:
        assert (prices.bars[ticker].fields["close"] == whole.bars[ticker].fields["close"]).all()


def test_a_day_that_is_none_loses_its_own_ticker_alone(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_text("date,ticker,close\n2021-01-04,BABA,1\n2021-13-04,JD,1\n2021-01-05,BABA,2\n", encoding="utf-8")
    with pytest.warns(es.EventStudyWarning, match="1 of 2 tickers could not be read: JD"):
        prices = es.read_prices(file)
    assert prices.tickers == ("BABA",)
    assert "'2021-13-04' is not an ISO date" in prices.problems["JD"]


def test_a_day_of_text_that_is_none_loses_its_own_ticker_in_parquet_too(tmp_path: Path) -> None:
    file = tmp_path / "long.parquet"
    rows = [(f"2021-01-0{day}", ticker, 10.0 + day) for ticker in (700, 800, 900) for day in (4, 5, 6)]
    rows[4] = ("2021-01-32", 800, 1.0)
    pd.DataFrame(rows, columns=["date", "ticker", "close"]).assign(mic="XHKG").to_parquet(file)
    with pytest.warns(es.EventStudyWarning, match="1 of 3 tickers could not be read: 800"):
        prices = es.read_prices(file)
    assert prices.tickers == ("700", "900")
    assert prices.bars["900"].fields["close"].tolist() == [14.0, 15.0, 16.0]
    assert "row 5, column Date: '2021-01-32' is not an ISO date" in prices.problems["800"]


def test_the_first_ticker_of_two_rows_of_headers_is_lost_alone(tmp_path: Path) -> None:
    file = tmp_path / "download.csv"
    file.write_text("Price,Close,Close\nTicker,BABA,JD\nDate,,\n2021-01-04,oops,1\n2021-01-05,2,3\n", encoding="utf-8")
    with pytest.warns(es.EventStudyWarning, match="1 of 2 tickers could not be read: BABA"):
        prices = es.read_prices(file)
    assert prices.bars["JD"].fields["close"].tolist() == [1.0, 3.0]


def test_a_file_of_which_no_ticker_can_be_read_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_text("date,ticker,close\n2021-01-04,BABA,x\n2021-01-04,JD,y\n", encoding="utf-8")
    with pytest.raises(es.InputError, match="row 2, column close: 'x' is not a number"):
        es.read_prices(file)
