"""Data frames as people have them give the prices that stand in them, or an error that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import eventstudy as es

DATES = ["2021-01-04", "2021-01-05", "2021-01-06"]
CLOSES = {"0700.HK": [560.0, 570.5, np.nan], "9988.HK": [230.0, 231.25, 229.5]}
WIDE = pd.DataFrame(CLOSES, index=pd.to_datetime(DATES))


def long() -> pd.DataFrame:
    """Return the wide frame as one row per ticker and date, in no order."""
    frame = WIDE.rename_axis("Date").reset_index().melt("Date", var_name="Ticker", value_name="Close")
    return frame.sample(frac=1, random_state=1)


def same_prices(prices: es.Prices, dates: list[str] = DATES) -> None:
    """Assert that prices are those of CLOSES to the last bit."""
    assert sorted(prices.tickers) == sorted(CLOSES)
    for ticker, closes in CLOSES.items():
        bars = prices.bars[ticker]
        np.testing.assert_array_equal(bars.dates, np.array(dates, "M8[D]"))
        np.testing.assert_array_equal(bars.fields["close"], closes)


FORMS: dict[str, Callable[[], object]] = {
    "datetimes": lambda: WIDE,
    "text": lambda: WIDE.set_axis(DATES),
    "yyyymmdd": lambda: WIDE.set_axis([20210104, 20210105, 20210106]),
    "objects": lambda: WIDE.set_axis(pd.Index([pd.Timestamp(d).date() for d in DATES], dtype=object)),
    "zoned midnights": lambda: WIDE.tz_localize("Asia/Hong_Kong"),
    "text with offsets": lambda: WIDE.set_axis([f"{d} 00:00:00+08:00" for d in DATES]),
    "objects with zones": lambda: WIDE.set_axis(
        pd.Index([pd.Timestamp(d, tz="Asia/Hong_Kong") for d in DATES], dtype=object)
    ),
    "a column of dates": lambda: WIDE.rename_axis("Date").reset_index(),
    "nullable": lambda: WIDE.astype("Float64"),
    "object with NA": lambda: WIDE.astype(object).where(WIDE.notna(), pd.NA),
    "decimals": lambda: WIDE.map(lambda v: None if np.isnan(v) else Decimal(str(v))),
    "long": long,
    "long with dates in the index": lambda: long().set_index("Date"),
    "two levels, fields first": lambda: pd.concat({"Close": WIDE, "Volume": WIDE * 0 + 5}, axis=1),
    "two levels, tickers first": lambda: pd.concat({"Close": WIDE, "Open": WIDE}, axis=1).swaplevel(axis=1),
    "polars": lambda: pl.from_pandas(WIDE.rename_axis("date").reset_index()),
    "polars, long": lambda: pl.from_pandas(long()),
    "pyarrow": lambda: pa.Table.from_pandas(WIDE.rename_axis("date").reset_index()),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_frame_gives_the_same_prices(form: str) -> None:
    prices = es.Prices.from_frame(FORMS[form](), exchange="XHKG")
    if "two levels" in form:  # rows without a value are no rows: yf.download joins the dates of all tickers
        volume = prices.bars["9988.HK"].fields.get("volume")
        assert volume is None or volume.tolist() == [5.0, 5.0, 5.0]
        last = prices.bars["0700.HK"]
        assert last.fields["close"].tolist() == [560.0, 570.5]
        return
    same_prices(prices)


def test_summer_time_does_not_move_dates() -> None:
    days = ["2021-03-12", "2021-03-15"]
    texts = ["2021-03-12 00:00:00-05:00", "2021-03-15 00:00:00-04:00"]
    for index in (texts, pd.to_datetime(days).tz_localize("America/New_York")):
        bars = es.Prices.from_frame(pd.DataFrame({"BABA": [1.0, 2.0]}, index=index)).bars["BABA"]
        assert bars.dates.astype(str).tolist() == days


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (WIDE["9988.HK"], r"of type Series; a data frame .*; use \.to_frame\(\)"),
        (pl.from_pandas(WIDE).lazy(), r"of type LazyFrame.*collect\(\)"),
        ({"A": [1.0]}, "of type dict; a data frame of pandas, polars or pyarrow"),
        (None, "of type NoneType"),
        (WIDE > 0, "True .*in column '0700.HK'"),
        (WIDE.astype(complex), "complex"),
        (WIDE.set_axis([1, 2, 3]), "not indexed by dates"),
        (WIDE.reset_index(drop=True), "not indexed by dates"),
        (WIDE.set_axis(["2021-01-04", "03/11/2020", "2021-01-06"]), "'03/11/2020' is not an ISO date"),
        (WIDE.set_axis([1, "x"], axis=1), "column 1 of the prices is of type int"),
        (WIDE.set_axis(pd.to_datetime(["2021-01-04", "NaT", "2021-01-06"])), "missing dates"),
        (pd.concat([WIDE, WIDE], axis=1), "repeat"),
        (pd.DataFrame({"Open": [1.0], "High": 1.0, "Low": 1.0, "Close": 1.0}, index=DATES[:1]), "add a column ticker"),
        (long().assign(Ticker=pd.Series([None, *["A"] * 5], dtype=object).to_numpy()), "has no ticker"),
        (pd.concat({"X": WIDE, "Y": WIDE}, axis=1), "none has a field Close"),
        (long().rename(columns={"Close": "adjClosing Adj"}), "looks like an adjusted price"),
    ],
)
def test_what_cannot_be_read_is_said(frame: object, says: str) -> None:
    with pytest.raises(es.InputError, match=says):
        es.Prices.from_frame(frame)


BAD_CELLS: dict[str, tuple[object, str]] = {
    "zero": (0.0, r"9988\.HK has the close 0 on 2021-01-04"),
    "negative": (-230.0, r"9988\.HK has the close -230 on 2021-01-04"),
    "infinite": (np.inf, r"9988\.HK has the close inf on 2021-01-04"),
    "text": ("1,234.5", r"'1,234\.5' \(str\) in column"),
    "truth": (True, r"True \(bool\) in column"),
    "date": (pd.Timestamp("2021-01-04"), "Timestamp"),
}


@pytest.mark.parametrize("form", ["wide", "long", "two levels", "polars, long"])
@pytest.mark.parametrize("cell", BAD_CELLS)
def test_a_bad_value_loses_its_ticker_alone(cell: str, form: str) -> None:
    value, says = BAD_CELLS[cell]
    wide = WIDE.astype(object).where(WIDE != 230.0, value)
    if isinstance(value, float):
        wide = wide.astype(float)
    rows = wide.rename_axis("Date").reset_index().melt("Date", var_name="Ticker", value_name="Close")
    if form == "polars, long" and not isinstance(value, float):
        pytest.skip("a column of polars has one type")
    frame = {
        "wide": lambda: wide, "long": lambda: rows, "two levels": lambda: pd.concat({"Close": wide}, axis=1),
        "polars, long": lambda: pl.from_pandas(rows),
    }[form]()  # fmt: skip
    with pytest.warns(es.EventStudyWarning, match=r"1 of 2 tickers could not be read: 9988\.HK"):
        prices = es.Prices.from_frame(frame, "XHKG")
    assert prices.tickers == ("0700.HK",)
    np.testing.assert_array_equal(prices.bars["0700.HK"].fields["close"][:2], CLOSES["0700.HK"][:2])
    assert pd.Series([prices.problems["9988.HK"]]).str.contains(says).all()
    with pytest.raises(es.EventStudyError, match=says):  # nothing else is there
        es.Prices.from_frame(wide[["9988.HK"]], "XHKG")


def test_other_faults_of_one_ticker_lose_that_ticker_alone() -> None:
    rows = long().assign(Date=lambda frame: frame["Date"].dt.strftime("%Y-%m-%d"), currency="HKD")
    bad = rows["Ticker"] == "9988.HK"
    twice, day, two = rows.copy(), rows.copy(), rows.copy()
    twice.loc[bad, "Date"] = "2021-01-04"
    day.loc[day.index[bad][0], "Date"] = "03/11/2020"
    two.loc[two.index[bad][0], "currency"] = "USD"
    for frame, says in ((twice, "2021-01-04"), (day, "03/11/2020"), (two, "more than one currency")):
        with pytest.warns(es.EventStudyWarning, match=r"1 of 2 tickers could not be read: 9988\.HK"):
            prices = es.Prices.from_frame(frame, "XHKG")
        assert prices.tickers == ("0700.HK",)
        assert says in prices.problems["9988.HK"]


def test_texts_of_numbers_mean_what_they_mean_in_a_file() -> None:
    texts = WIDE.map(lambda value: "N/A" if np.isnan(value) else f" {value} ")
    same_prices(es.Prices.from_frame(texts, "XHKG"))


@pytest.mark.parametrize("exchange", [1, ["XHKG"], {"0700.HK": "XHKG"}])
def test_an_exchange_is_one_or_one_of_each(exchange: object) -> None:
    with pytest.raises(es.InputError, match=r"^exchange "):
        es.Prices.from_frame(WIDE, exchange)


def test_writing_to_the_frame_afterwards_changes_nothing() -> None:
    frame, table = WIDE.copy(), long()
    prices, from_long = es.Prices.from_frame(frame, "XHKG"), es.Prices.from_frame(table, "XHKG")
    frame.iloc[:, :] = -1.0
    table["Close"] = -1.0
    same_prices(prices)
    same_prices(from_long)
    for bars in prices.bars.values():
        with pytest.raises(ValueError, match="read-only"):
            bars.fields["close"][0] = 1.0


def test_suffixes_of_two_exchanges_name_the_exchange_of_every_ticker() -> None:
    index = pd.to_datetime(DATES)
    two = pd.DataFrame({"9988.HK": 1.0, "^GSPC": 2.0, "BABA": 3.0, "HKD=X": 7.8}, index=index)
    mics = {ticker: bars.mic for ticker, bars in es.Prices.from_frame(two).bars.items()}
    assert mics == {"9988.HK": "XHKG", "^GSPC": "XNYS", "BABA": "XNYS", "HKD=X": "FX"}
    one = es.Prices.from_frame(two[["BABA"]])
    assert one.bars["BABA"].mic is None


NAMED_AS_HEADERS = {
    "RIC": lambda: pd.DataFrame({"RIC": [10.5, 11.25], "BABA": [3.0, 4.0]}),
    "RIC at whole prices": lambda: pd.DataFrame({"RIC": [10, 11], "BABA": [3.0, 4.0]}),
    "RIC beside LAST": lambda: pd.DataFrame({"RIC": [10, 11], "LAST": [3.0, 4.0]}),
    "PERMNO beside DATE": lambda: pd.DataFrame({"PERMNO": [10.5, 11.0], "DATE": [3.0, 4.0]}),
    "DATE": lambda: pd.DataFrame({"DATE": [10.5, 11.0], "CODE": [3.0, 4.0]}),
    "OPEN and LOW": lambda: pd.DataFrame({"OPEN": [10.5, 11.0], "LOW": [3.0, 4.0]}),
}


@pytest.mark.parametrize("dates_in", ["index", "column"])
@pytest.mark.parametrize("form", NAMED_AS_HEADERS)
def test_shares_may_be_called_as_headers_are(form: str, dates_in: str) -> None:
    frame = NAMED_AS_HEADERS[form]().set_axis(pd.Index(DATES[:2], name="date"))
    prices = es.Prices.from_frame(frame if dates_in == "index" else frame.reset_index()[[*frame.columns, "date"]])
    assert {t: b.fields["close"].tolist() for t, b in prices.bars.items()} == frame.to_dict("list")
    assert all(bars.dates.astype(str).tolist() == DATES[:2] for bars in prices.bars.values())


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ({"PERMNO": [10107, 10107], "DATE": DATES[:2], "PRC": [3.0, 4.0]}, {"10107": [3.0, 4.0]}),
        ({"PERMNO": [10107, 10108], "DATE": DATES[:1] * 2, "PRC": [3.0, 4.0]}, {"10107": [3.0], "10108": [4.0]}),
        ({"RIC": ["A", "B"], "DATE": DATES[:2], "CLOSE": [3.0, 4.0]}, {"A": [3.0], "B": [4.0]}),
    ],
)
def test_a_long_frame_in_capitals_is_long(columns: dict[str, object], wanted: dict[str, list[float]]) -> None:
    prices = es.Prices.from_frame(pd.DataFrame(columns))
    assert {t: b.fields["close"].tolist() for t, b in prices.bars.items()} == wanted


def test_the_fields_of_two_levels_are_told_from_shares_of_their_names() -> None:
    columns = pd.MultiIndex.from_product([["Close", "Volume"], ["LAST", "BABA"]])
    for frame in (two := pd.DataFrame([[1.0, 2.0, 5.0, 6.0]], DATES[:1], columns), two.swaplevel(axis=1)):
        prices = es.Prices.from_frame(frame)
        assert {t: b.fields["close"].tolist() for t, b in prices.bars.items()} == {"LAST": [1.0], "BABA": [2.0]}


# --- returns -----------------------------------------------------------------------------------------------------


def market(seed: int = 3, n: int = 400) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return closes and their simple returns, the first return being that from a close before."""
    rng = np.random.default_rng(seed)
    index = pd.bdate_range("2020-01-02", periods=n)
    m = rng.normal(0, 0.01, n)
    r = pd.DataFrame({"M": m, "A": m + rng.normal(0, 0.01, n), "B": 0.5 * m + rng.normal(0, 0.02, n)}, index=index)
    return 100 * (1 + r).cumprod(), r


def run(prices: es.Prices, **choices: object) -> pd.DataFrame:
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["A", "B"], "announced": ["2021-03-02", "2021-04-01"]}))
    study = es.Study(benchmark="M", tests=["cross_section"], **choices)
    return study.run(events, prices).cars


@pytest.mark.parametrize("returns", ["simple", "log"])
@pytest.mark.parametrize("form", ["wide", "long"])
def test_returns_give_the_results_of_their_prices(returns: str, form: str) -> None:
    closes, r = market()
    if form == "long":
        r = r.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="return")
    found, wanted = (run(p, returns=returns) for p in (es.Prices.from_returns(r), es.Prices.from_frame(closes)))
    assert np.isfinite(found["car"]).all()
    np.testing.assert_allclose(found["car"], wanted["car"], rtol=1e-10, atol=1e-14)


def test_a_missing_return_is_missing_on_its_day_alone() -> None:
    _, r = market()
    r.loc["2021-03-02", "A"] = np.nan  # day 0 of A
    cars = run(es.Prices.from_returns(r), windows=((0, 0), (1, 1), (-1, -1)))
    a = cars[cars["event_id"] == cars["event_id"].iloc[0]].set_index("start")["car"]
    assert np.isnan(a[0])
    assert np.isfinite(a[1])
    assert np.isfinite(a[-1])


def test_a_return_after_a_missing_row_covers_several_days_and_is_missing() -> None:
    _, r = market()
    rows = r.rename_axis("date").reset_index().melt("date", var_name="ticker", value_name="return")
    rows = rows[~((rows["ticker"] == "A") & (rows["date"] == "2021-03-02"))]
    cars = run(es.Prices.from_returns(rows), windows=((0, 0), (1, 1), (2, 2)))
    a = cars.iloc[:3].set_index("start")["car"]
    assert a.isna().tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ([0.01, -1.0], es.BadPrices, r"A has the return -1 on 2021-01-05 \(1 such in all\)"),
        ([0.01, -99.0], es.BadPrices, "the return -99"),
        ([0.01, np.inf], es.BadPrices, "the return inf"),
        ([1.5, 0.9], es.InputError, "look like per cent"),
        (["C", 0.01], es.InputError, r"'C' \(str\)"),
    ],
)
def test_what_no_return_can_be_is_refused(values: list[object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        es.Prices.from_returns(pd.DataFrame({"A": values}, index=DATES[:2]))
