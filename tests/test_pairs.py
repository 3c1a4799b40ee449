"""Two listings of one firm: each number by a plain loop over closes, and what cannot be known said so."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import exchange_calendars as xcals
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.bars import Bars
from eventstudy.errors import EventStudyWarning, InputError, NotEnoughData
from eventstudy.types import Analysis

SPAN = ("2020-09-01", "2021-08-31")
RATIO, DAY = 8.0, pd.Timestamp("2021-06-16")  # a Wednesday; both exchanges are open on the days around it
EVENING, MORNING = "2021-06-16T20:40+08:00", "2021-06-16T10:00+08:00"
MOVES = ("adr_return", "home_return", "adr_car", "home_car", "gap_first", "gap_both", "usual", "closed", "currency")
STUDY: dict[str, Any] = {
    "model": "mean", "estimation": (-130, -11), "event": (-5, 5), "windows": ((0, 0), (0, 1)), "min_estimation": 60,
    "tests": ["clustered"],
}  # fmt: skip


@cache
def sessions(name: str) -> pd.DatetimeIndex:
    """Give the sessions of an exchange."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, on what the calendars call
        return pd.DatetimeIndex(xcals.get_calendar(name, start=SPAN[0], end=SPAN[1]).sessions)


@cache
def closes() -> dict[str, pd.Series]:
    """Closes of a home listing in HKD, of its ADR in USD, and of a USD in HKD; the ADR falls first, in the evening."""
    rng = np.random.default_rng(4)
    days = pd.bdate_range(*SPAN)
    level = pd.Series(np.cumsum(0.01 * rng.standard_normal(len(days))), days)
    rate = pd.Series(7.75 + 0.0005 * np.cumsum(rng.standard_normal(len(days))), days)
    noise = pd.Series(0.003 * rng.standard_normal(len(days)), days)
    fall = pd.DataFrame({"home": np.where(days > DAY, -0.06, 0.0), "adr": np.where(days >= DAY, -0.08, 0.0)}, days)
    home = (level + fall["home"]).map(np.exp) * 200
    adr = (level + noise + fall["adr"]).map(np.exp) * 200 * RATIO / rate
    return {
        "HOME.HK": home.reindex(sessions("XHKG")).dropna(),
        "ADR": adr.reindex(sessions("XNYS")).dropna(),
        "HKD=X": rate,
    }


def bars(ticker: str, mic: str | None, currency: str | None) -> Bars:
    series = closes()[ticker]
    dates = series.index.to_numpy().astype("datetime64[D]")
    return Bars(ticker, dates, {"close": series.to_numpy()}, mic=mic, currency=currency)


def prices(rate: bool = True, home: str | None = "HKD", adr: str | None = "USD") -> es.Prices:
    known = {"HOME.HK": bars("HOME.HK", "XHKG", home), "ADR": bars("ADR", "XNYS", adr)}
    return es.Prices({**known, "HKD=X": bars("HKD=X", "FX", "HKD per USD")} if rate else known)


def run(when: str = EVENING, of: es.Prices | None = None, tickers: str = "HOME.HK;ADR", **columns: Any) -> es.Result:
    frame = pd.DataFrame({"event_id": ["NEWS"], "ticker": [tickers], "announced": [when]}).assign(**columns)
    return es.Study(**STUDY).run(es.Events.from_frame(frame), of or prices())


def premium(adr_day: pd.Timestamp, home_day: pd.Timestamp, rate_day: pd.Timestamp) -> float:
    of = closes()
    return float(np.log(of["ADR"][adr_day] * of["HKD=X"][rate_day] / of["HOME.HK"][home_day]))


def last(ticker: str, day: pd.Timestamp, inclusive: bool = True) -> pd.Timestamp:
    index = closes()[ticker].index
    return pd.Timestamp(index[index <= day][-1] if inclusive else index[index < day][-1])


def before(ticker: str, day: pd.Timestamp) -> np.ndarray:
    """Give the premium after each close of a listing in the estimation window before a session."""
    index = closes()[ticker].index
    at = index.get_loc(day)
    assert isinstance(at, int)
    values = []
    for when in index[at - 130 : at - 10]:
        adr = last("ADR", when, ticker == "ADR")  # Hong Kong closes before New York opens on the same date
        values.append(premium(adr, last("HOME.HK", when), when))
    return np.array(values)


def test_the_evening_moves_the_adr_first() -> None:
    row = run().pairs({"ADR": "HOME.HK"}).frame.iloc[0]
    after = pd.Timestamp("2021-06-17")
    assert (row["first"], row["hours"]) == ("adr", 12.0)
    assert (row["adr_session"], row["home_session"]) == (DAY, after)
    history = before("ADR", DAY)
    level = np.median(history)
    of = closes()
    expected = {
        "adr_return": of["ADR"][DAY] / of["ADR"][pd.Timestamp("2021-06-15")] - 1,
        "home_return": of["HOME.HK"][after] / of["HOME.HK"][DAY] - 1,
        "gap_first": premium(DAY, DAY, DAY) - level,
        "gap_both": premium(DAY, after, after) - level,
        "usual": history.std(ddof=1),
        "closed": 1 - (premium(DAY, after, after) - level) / (premium(DAY, DAY, DAY) - level),
        "currency": np.log(of["HKD=X"][after] / of["HKD=X"][DAY]),
        "ratio": np.exp(level),
    }
    np.testing.assert_allclose(row[list(expected)].astype(float), list(expected.values()), rtol=1e-9)
    assert row["n_ratio"] == 120
    assert row["ratio"] == pytest.approx(RATIO, rel=0.003)
    assert 0.5 < row["closed"] < 1.0  # 6 of 8 % and a day of the market
    cars = run().cars
    assert row["adr_car"] == cars.loc[(cars["event_id"] == "NEWS:ADR") & (cars["end"] == 0), "car"].iloc[0]


@pytest.mark.parametrize("ticker", ["ADR", "HOME.HK"])
@pytest.mark.parametrize("day", ["2021-03-01", "2021-06-16", "2021-06-17", "2021-06-21"])
def test_a_split_of_one_listing_is_no_gap_and_no_return(ticker: str, day: str) -> None:
    known = dict(prices().bars)
    one = known[ticker]
    split = np.where(one.dates < np.datetime64(day), 2.0, 1.0)
    fields = {"close": one.fields["close"] * split, "adjusted": one.fields["close"]}
    known[ticker] = Bars(ticker, one.dates, fields, mic=one.mic, currency=one.currency)
    plain, found = (run(of=es.Prices(each)) for each in (dict(prices().bars), known))
    (before, after), names = (r.pairs({"ADR": "HOME.HK"}).frame.iloc[0] for r in (plain, found)), list(MOVES)
    np.testing.assert_allclose(after[names].astype(float), before[names].astype(float), rtol=1e-9)
    shares = (
        2.0
        if np.datetime64(day) >= np.datetime64(before["adr_session" if ticker == "ADR" else "home_session"])
        else 1.0
    )
    assert after["ratio"] == pytest.approx(before["ratio"] * (shares if ticker == "ADR" else 1 / shares), rel=1e-9)
    first, second = (r.follow("NEWS", ["HOME.HK"])[["step", "ticker", "return", "ar"]] for r in (plain, found))
    pd.testing.assert_frame_equal(second, first, rtol=1e-9)


def test_the_morning_moves_the_home_listing_first() -> None:
    row = run(MORNING).pairs({"ADR": "HOME.HK"}).frame.iloc[0]
    assert (row["first"], row["hours"], row["adr_session"], row["home_session"]) == ("home", 12.0, DAY, DAY)
    history = before("HOME.HK", DAY)
    gap = premium(pd.Timestamp("2021-06-15"), DAY, DAY) - np.median(history)
    assert row["gap_first"] == pytest.approx(gap, rel=1e-9)
    assert row["usual"] == pytest.approx(history.std(ddof=1), rel=1e-9)


def test_the_path_adds_up_and_knows_no_later_close() -> None:
    found = run().pairs({"ADR": "HOME.HK"})
    path = found.path
    assert path["close"].is_monotonic_increasing
    assert path.loc[path["step"] == 1, "market"].tolist() == ["adr"]
    zero = path[path["step"] == 0].iloc[0]
    change = path["adr_log"] + path["fx_log"] - path["home_log"]
    np.testing.assert_allclose(path["premium"] - zero["premium"], change, atol=1e-12)
    at_home = path[path["market"] == "home"]
    for _, row in at_home.iterrows():  # at a Hong Kong close, the last price of New York is of the day before
        expected = np.log(
            closes()["ADR"][last("ADR", row["session"], False)] / closes()["ADR"][last("ADR", DAY, False)]
        )
        assert row["adr_log"] == pytest.approx(expected, abs=1e-12)


def test_nothing_is_guessed_of_the_currency() -> None:
    pair = {"ADR": "HOME.HK"}
    without = run(of=prices(rate=False)).pairs(pair)
    row = without.frame.iloc[0]
    assert "no premium: there is no rate from USD to HKD" in row["note"]
    assert row[["gap_first", "gap_both", "currency", "ratio", "closed"]].isna().all()
    assert row[["adr_return", "home_return", "adr_car", "home_car"]].notna().all()
    assert without.path["premium"].isna().all()
    unknown = run(of=prices(adr=None)).pairs(pair).frame.iloc[0]
    assert unknown["note"] == "no premium: the currency of ADR is not known"
    same = run(of=prices(home="USD", rate=False)).pairs(pair)
    assert (same.frame["currency"].iloc[0], same.path["fx_log"].abs().max()) == (0.0, 0.0)
    assert "No gap is known: there is no rate from USD to HKD" in without.answer()


def test_the_other_listing_need_not_be_an_event() -> None:
    both, one = (run(tickers=names).pairs({"ADR": "HOME.HK"}).frame for names in ("HOME.HK;ADR", "ADR"))
    pd.testing.assert_frame_equal(both, one)
    phased = run("2021-06-16", tickers="ADR", phase="after_close").pairs({"ADR": "HOME.HK"})
    assert "phase of another exchange" in phased.frame["note"].iloc[0]
    assert phased.path.empty


def test_listings_of_one_firm_are_found() -> None:
    row = run(firm="one").pairs().frame.iloc[0]
    assert (row["adr"], row["home"], row["first"]) == ("ADR", "HOME.HK", "adr")
    with pytest.raises(NotEnoughData, match="no announcement has two listings"):
        run().pairs()
    with pytest.raises(NotEnoughData, match="no announcement has two listings"):
        run(tickers="ADR", firm="one").pairs()
    wrong: Any
    for wrong in ({}, ["ADR"], {"ADR": 1}):
        with pytest.raises(InputError, match="pairs is"):
            run().pairs(wrong)
    with pytest.raises(InputError, match="a ticker of pairs is 'OTHER'"):
        run().pairs({"ADR": "OTHER"})


def test_a_listing_that_cannot_be_used_is_named() -> None:
    late = run("2020-10-15T20:40+08:00").pairs({"ADR": "HOME.HK"}).frame.iloc[0]
    assert late["note"] == "ADR: too_few_estimation; HOME.HK: too_few_estimation"
    assert late["first"] == ""


def test_the_record_answers_and_draws() -> None:
    found = run().pairs({"ADR": "HOME.HK"})
    record: object = found
    assert isinstance(record, Analysis)
    assert "the ADR's session closed first 1 time, the home listing's 0 times" in found.answer()
    assert max(map(len, repr(found).splitlines())) <= 100
    assert "NEWS" in found._repr_html_()
    assert found.plot().get_title(loc="left")
    assert found.plot(announcement="NEWS").get_title(loc="left") == "NEWS"
    plt.close("all")
    with pytest.raises(InputError, match="announcement is 'OLD'"):
        found.plot(announcement="OLD")
    assert len(run().table("pairs", of=found).rows) == 1


@pytest.mark.thorough
def test_alibaba_and_xpeng(shared: Path) -> None:
    """Eight shares of 9988.HK are a BABA, and two of 9868.HK an XPEV; the Ant news closed its gap in Hong Kong."""
    frame = es.catalogue("china-tech").frame
    frame = frame[frame["cluster"].isin(["ANT_IPO_SUSPENDED", "SEC_HFCAA_FIRST_FIVE"])]
    frame = frame[frame["ticker"].isin(["BABA", "9988.HK", "XPEV", "9868.HK"])]
    study = es.Study(benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"}, min_estimation=60)
    made = study.run(es.Events.from_frame(frame), es.read_prices(shared / "data" / "prices"))
    found = made.pairs({"BABA": "9988.HK", "XPEV": "9868.HK"}).frame.set_index(["announcement", "adr"])
    np.testing.assert_allclose(found["ratio"], [8.0, 8.0, 2.0], rtol=0.01)
    ant = found.xs("ANT_IPO_SUSPENDED").iloc[0]
    # Closes of 3 and 2 November in New York, of 4 and 3 in Hong Kong; the source rounds adjusted closes.
    assert ant["adr_return"] == pytest.approx(285.570007 / 310.839996 - 1, rel=1e-5)
    assert ant["home_return"] == pytest.approx(277.2 / 299.8 - 1, rel=1e-5)
    assert ant["closed"] == pytest.approx(1.0, abs=0.05)


def test_an_announcement_is_followed_in_the_order_of_the_closes() -> None:
    path = run(tickers="ADR").follow("NEWS", ["HOME.HK"])
    assert path["close"].is_monotonic_increasing
    first = path[path["step"] == 1].iloc[0]
    assert (first["ticker"], first["session"], first["day"]) == ("ADR", DAY, 0)
    second = path[path["step"] == 2].iloc[0]
    assert (second["ticker"], second["session"], second["day"]) == ("HOME.HK", pd.Timestamp("2021-06-17"), 0)
    assert (path["ticker"] == "ADR").sum() == (path["ticker"] == "HOME.HK").sum() == 11
    for ticker in ("ADR", "HOME.HK"):
        own = path[path["ticker"] == ticker].set_index("day")
        change = closes()[ticker].pct_change()
        np.testing.assert_allclose(own["return"], change[own["session"]], rtol=1e-12)
        index = closes()[ticker].index
        at = index.get_loc(own.loc[0, "session"])
        assert isinstance(at, int)
        mean = change.iloc[at - 130 : at - 10].mean()  # the return model is the mean of the estimation window
        np.testing.assert_allclose(own["ar"], own["return"] - mean, rtol=1e-9)
        assert own["car"].isna().tolist() == (own.index < 0).tolist()
        assert own.loc[5, "car"] == pytest.approx((own["return"] - mean).loc[0:].sum(), rel=1e-9)


def test_news_without_a_sign_is_followed_in_a_study_with_signs() -> None:
    columns = {"ticker": ["ADR", "HOME.HK"], "announced": [EVENING, "2021-04-20"], "expected_sign": [0, 1]}
    events = es.Events.from_frame(pd.DataFrame({"event_id": ["NEWS", "OTHER"], **columns}))
    signed = es.Study(**STUDY, sign="expected_sign").run(events, prices())
    plain = run(tickers="ADR").follow("NEWS", ["HOME.HK"])
    pd.testing.assert_frame_equal(signed.follow("NEWS", ["HOME.HK"]), plain)


def test_what_cannot_be_followed_is_named() -> None:
    with pytest.raises(InputError, match="announcement is 'OLD'"):
        run().follow("OLD")
    result = run()
    name: Any
    tickers: Any
    for name in ([], {"NEWS": 1}, "\ud800", 10**400):
        with pytest.raises(InputError, match="announcement is"):
            result.follow(name)
    for tickers in (["OTHER"], None, 3, [3], {"ADR"}):
        with pytest.raises(InputError, match=r"a ticker is 'OTHER'|tickers is|an element of tickers is 3"):
            result.follow("NEWS", tickers)
    with pytest.raises(InputError, match="has a phase of the exchange of ADR"):
        run("2021-06-16", tickers="ADR", phase="after_close").follow("NEWS", ["HOME.HK"])
    short = bars("ADR", "XNYS", "USD")
    new = Bars("NEW", short.dates[-70:], {"close": short.fields["close"][-70:]}, mic="XNYS", currency="USD")
    more = run(of=es.Prices({**prices().bars, "NEW": new}))
    with pytest.warns(EventStudyWarning, match=r"not followed: NEW \(too_few_estimation\)"):
        assert set(more.follow("NEWS", ["NEW"])["ticker"]) == {"ADR", "HOME.HK"}
    with pytest.warns(EventStudyWarning), pytest.raises(NotEnoughData, match="no ticker of NEWS"):
        run("2020-10-15T20:40+08:00").follow("NEWS")


def test_bars_within_the_day_are_refused() -> None:
    starts = pd.date_range("2021-03-01T14:30", periods=80, freq="h", tz="UTC")
    levels = 100 * np.cumprod(1 + 0.002 * np.random.default_rng(2).standard_normal((80, 2)), axis=0)
    frame = pd.DataFrame(
        {"ticker": ["ADR", "HOME.HK"], "announced": "2021-03-03T20:05Z", "cluster": "NEWS", "firm": "F"}
    )
    study = es.Study(model="mean", estimation=(-40, -3), event=(-2, 2), windows=((0, 0),), min_estimation=20)
    made = study.run(
        es.Events.from_frame(frame), es.Prices.from_frame(pd.DataFrame(levels, starts, ["ADR", "HOME.HK"]))
    )
    for ask in (made.pairs, lambda: made.follow("NEWS")):
        with pytest.raises(InputError, match="intraday bars"):
            ask()


def test_listings_whose_exchange_is_not_known_are_named() -> None:
    known = prices()
    unknown = es.Prices({name: bars(name, None, known.bars[name].currency) for name in ("HOME.HK", "ADR")})
    with pytest.warns(EventStudyWarning, match="no exchange is named"):
        result = run(str(DAY.date()), unknown, firm="FIRM")
    with pytest.raises(
        NotEnoughData, match=r"do not say the exchanges of HOME\.HK, ADR, .*; name them, as pairs="
    ) as told:
        result.pairs()
    assert "column 'firm'" not in str(told.value)
    assert len(result.pairs({"ADR": "HOME.HK"}).frame) == 1
