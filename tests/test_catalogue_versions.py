"""The newest catalogue: corrected sessions, no share before its listing, no weekday without an hour."""

from __future__ import annotations

import csv
import re
import warnings
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.catalogue import catalogue
from eventstudy.errors import InputError

BENCHMARK = {"XHKG": "^HSI", "XNYS": "^GSPC"}
OLD = "before November 2019"
# The first day of trading of every share, with a source (of BZ and YMM it gives the month); of most, only that it was
# long before the first event.
LISTED = {
    **dict.fromkeys(
        [
            "0175.HK",
            "0241.HK",
            "0700.HK",
            "0772.HK",
            "1211.HK",
            "1797.HK",
            "1810.HK",
            "300750.SZ",
            "3690.HK",
            "ACMR",
            "BABA",
            "BGNE",
            "BIDU",
            "BILI",
            "BYDDY",
            "DOYU",
            "EDU",
            "GOTU",
            "HCM",
            "HUYA",
            "JD",
            "NIO",
            "NTES",
            "PDD",
            "TAL",
            "TCOM",
            "TME",
            "WB",
            "YUMC",
            "ZLAB",
        ],
        (date(2019, 11, 1), OLD),
    ),
    "9988.HK": (date(2019, 11, 26), "https://www.taipeitimes.com/News/biz/archives/2020/06/19/2003738461"),
    "9999.HK": (date(2020, 6, 11), "https://www.chinadailyhk.com/article/131464"),
    "9618.HK": (date(2020, 6, 18), "https://www.capitalwatch.com/article-5847-1.html"),
    "LI": (date(2020, 7, 30), "https://www.investing.com/news/economy/chinas-li-auto-soars-35-in-nasdaq-debut-2247348"),
    "XPEV": (date(2020, 8, 27), "https://foreignbrief.com/?p=83441"),
    "9901.HK": (date(2020, 11, 9), "http://en.people.cn/n3/2020/1110/c90000-9778241.html"),
    "6618.HK": (date(2020, 12, 8), "https://www.chinadailyhk.com/article/151706"),
    "1024.HK": (date(2021, 2, 5), "http://en.xfafinance.com/html/Companies/2021/677390.shtml"),
    "9888.HK": (date(2021, 3, 23), "https://www.ftcenterprise.com/interactive/36120/en"),
    "9626.HK": (date(2021, 3, 29), "https://www.globaltimes.cn/page/202103/1219716.shtml"),
    "9961.HK": (
        date(2021, 4, 19),
        "https://www.caixinglobal.com/2021-04-19/tripcom-shares-jump-more-than-4-in-hong-kong-debut-101693319.html",
    ),
    "BZ": (date(2021, 6, 11), "https://www.scmp.com/tech/big-tech/article/3139808"),
    "YMM": (date(2021, 6, 22), "https://www.scmp.com/tech/big-tech/article/3139808"),
    "DIDI": (date(2021, 6, 30), "https://exbulletin.com/business/1031600/"),
    "9868.HK": (date(2021, 7, 7), "https://www.benzinga.com/markets/asia/22/03/26074902"),
    "2015.HK": (date(2021, 8, 12), "https://cnevpost.com/2021/08/12/li-auto-makes-lackluster-hk-debut/"),
    "9866.HK": (date(2022, 3, 10), "https://news.yahoo.com/china-ev-maker-nio-debuts-014420944.html"),
    "DIDIY": (date(2022, 6, 13), "https://seekingalpha.com/news/3848135"),
}
LAST_DAY = {"DIDI": date(2022, 6, 10)}
# The session in Hong Kong and in New York of what the first version had wrong in Hong Kong.
MOVED = {
    "ANT_TALKS": ("2020-11-03", "2020-11-02"),
    "OVERSEAS_LISTING_OPINION": ("2021-07-07", "2021-07-06"),
    "SUPER_PLATFORM_DRAFT": ("2021-11-01", "2021-10-29"),
    "NEV_SUBSIDY_2022": ("2022-01-03", "2021-12-31"),
    "CAR_TAX_CUT": ("2022-05-24", "2022-05-23"),
    "ANT_IPO_REVIVAL_REPORT": ("2022-06-10", "2022-06-09"),
    "NEV_TAX_EXTENSION": ("2022-08-01", "2022-07-29"),
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return catalogue("china-tech").frame


@pytest.fixture(scope="module")
def acts(frame: pd.DataFrame) -> pd.DataFrame:
    shares = frame.groupby("cluster", sort=False)["ticker"].agg(";".join)
    return frame.drop_duplicates("cluster").set_index("cluster").assign(ticker=shares)


@pytest.fixture(scope="module")
def placed() -> pd.DataFrame:
    return _check(catalogue("china-tech"))


def _check(events: es.Events) -> pd.DataFrame:
    tickers = [*dict.fromkeys(events.frame["ticker"]), *BENCHMARK.values()]
    prices = es.fetch_prices(tickers, "2019-06-01", "2026-06-30", source="simulated")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the calendar library's own use of pandas
        return es.Study(benchmark=BENCHMARK).check(events, prices)


@pytest.mark.thorough
def test_no_share_before_its_listing(frame: pd.DataFrame, placed: pd.DataFrame) -> None:
    assert set(frame["ticker"]) == set(LISTED)
    events: list[Any] = list(placed.itertuples())
    for event in events:
        assert event.session.date() > LISTED[event.ticker][0], event.Index
        assert event.session.date() <= LAST_DAY.get(event.ticker, date.max), event.Index


def test_no_weekday_without_an_hour(acts: pd.DataFrame) -> None:
    weekday = pd.Series(np.is_busday(acts["date"].to_numpy().astype("datetime64[D]")), index=acts.index)
    assert acts["stamp"][weekday].notna().all()
    assert (acts["precision"][~weekday & acts["stamp"].isna()] == "date").all()
    for event, act in acts[acts["stamp"].notna()].iterrows():
        assert act["not_before"], event
        assert act["not_after"], event
        assert pd.Timestamp(act["not_before"]) <= act["stamp"] <= pd.Timestamp(act["not_after"]), event


@pytest.mark.thorough
def test_bounds_of_two_sessions_are_a_stated_doubt(frame: pd.DataFrame) -> None:
    """Where the lower bound falls into another session than the moment before the upper one, the row says so."""
    bounded = frame[frame["precision"] == "bounded"]
    upper = pd.Series([f"{pd.Timestamp(at) - pd.Timedelta(seconds=1)}" for at in bounded["not_after"]], bounded.index)
    first, last = (
        _check(es.Events.from_frame(pd.DataFrame({"ticker": bounded["ticker"], "announced": end})))["session"]
        for end in (bounded["not_before"], upper)
    )
    doubtful = set(bounded["cluster"][first.to_numpy() != last.to_numpy()])
    assert {act for act in doubtful if "high (phase)" in _confidence(frame, act)} == set()
    low = set(frame["cluster"][frame["confidence"].str.contains("low (phase)", regex=False)])
    assert low == {
        "NEV_PLAN_2035", "NEV_SUBSIDY_2021", "PBOC_PAYMENTS_DRAFT", "SAMR_22_FINES", "LIU_HE_PLATFORM_SUPPORT"
    }  # fmt: skip
    assert low <= doubtful


def _confidence(frame: pd.DataFrame, act: str) -> str:
    return str(frame["confidence"][frame["cluster"] == act].iloc[0])


def test_every_event_is_placed(placed: pd.DataFrame) -> None:
    assert placed["session"].notna().all()
    assert set(placed["status"]) == {"ok", "duplicate", "no_benchmark"}
    assert placed.index[placed["status"] == "no_benchmark"].tolist() == ["PENTAGON_LIST_TENCENT:300750.SZ"]
    assert not placed["placement"].str.contains("guess").any()


@pytest.mark.parametrize("act", MOVED)
def test_moved_sessions_are_those_of_the_corrections(placed: pd.DataFrame, act: str) -> None:
    rows = placed[placed.index.str.startswith(f"{act}:")]
    hong_kong = rows["ticker"].str.endswith(".HK")
    assert set(rows["session"][hong_kong].dt.strftime("%Y-%m-%d")) == {MOVED[act][0]}
    assert set(rows["session"][~hong_kong].dt.strftime("%Y-%m-%d")) == {MOVED[act][1]}


@pytest.mark.thorough
def test_only_these_moved_and_those_of_doubt() -> None:
    """Of what both versions have, nineteen rows moved by a correction, and those whose hour is not known."""
    new, old = (_check(catalogue("china-tech", version=version)) for version in ("2", "1"))
    both = new.index.intersection(old.index)
    moved = both[new.loc[both, "session"] != old.loc[both, "session"]]
    by_act = pd.Series(moved.str.split(":").str[0]).value_counts()
    assert int(by_act[list(MOVED)].sum()) == 19
    assert set(by_act.index) - set(MOVED) == {"NEV_SUBSIDY_2021", "PBOC_PAYMENTS_DRAFT"}  # likelier after the close
    assert all(ticker.endswith(".HK") for ticker in new.loc[moved, "ticker"])


def test_recorded_corrections_are_made(acts: pd.DataFrame, shared: Path) -> None:
    with (shared / "data" / "events" / "corrections.csv").open(encoding="utf-8", newline="") as lines:
        recorded = list(csv.DictReader(lines))
    assert len(recorded) > 50
    for line in recorded:
        act: Any = acts.loc[line["event_id"]]
        wanted = line["should_be"]
        if line["field"] == "expected_sign":
            assert act["expected_sign"] == int(wanted), line["event_id"]
        if line["field"] == "ticker" and re.fullmatch(r"[A-Z0-9.;]+", wanted):
            assert sorted(act["ticker"].split(";")) == sorted(wanted.split(";")), line["event_id"]
        if line["field"] in ("not_before", "not_after"):
            assert act[line["field"]] == wanted, line["event_id"]
        if line["field"] == "announced":
            low, high = (
                re.findall(r"not_before (\S+?)(?:,|;|$)", wanted),
                re.findall(r"not_after (\S+?)(?:,|;|$)", wanted),
            )
            assert all(pd.Timestamp(bound) <= act["stamp"] for bound in low), line["event_id"]
            assert all(act["stamp"] <= pd.Timestamp(bound) for bound in high), line["event_id"]


def test_recorded_additions_are_there(acts: pd.DataFrame, shared: Path) -> None:
    with (shared / "data" / "events" / "additions.csv").open(encoding="utf-8", newline="") as lines:
        recorded = list(csv.DictReader(lines))
    assert len(recorded) == 25
    for line in recorded:
        act: Any = acts.loc[line["event_id"]]
        assert act["ticker"] == line["ticker"], line["event_id"]
        assert act["expected_sign"] == int(line["expected_sign"]), line["event_id"]
        assert f"{act['date']:%Y-%m-%d}" == line["announced"][:10], line["event_id"]
        assert act["title"].lower() != line["title"].lower(), line["event_id"]
    assert set(acts.index) == {line["event_id"] for line in recorded} | set(
        catalogue("china-tech", version="1").frame["cluster"]
    )


def test_columns_say_what_they_should(frame: pd.DataFrame) -> None:
    assert frame["source"].str.fullmatch(r"https?://\S+( ; https?://\S+)*").all()
    assert frame["confidence"].str.fullmatch(r"(high|medium|low) \(date\), (high|medium|low) \(phase\)").all()
    assert set(frame["named"]) == {"yes", "no"}
    assert frame["expected_sign"].isin([-1, 0, 1]).all()
    assert np.isfinite(frame["priority"]).all()
    assert frame[["title", "actor", "sector"]].ne("").all(axis=None)
    assert frame.loc[["SAMR_PROBES_ALIBABA:BABA", "SAMR_PROBES_ALIBABA:0700.HK"], "named"].tolist() == ["yes", "no"]


def test_the_press_of_13_september_is_counted_first(placed: pd.DataFrame) -> None:
    assert placed.loc[["FT_ALIPAY_SPLIT:9988.HK", "FT_ALIPAY_SPLIT:BABA"], "status"].tolist() == ["ok", "ok"]
    reason = placed.loc["DELIVERY_PAY_REST:9988.HK", "reason"]
    assert reason == "same ticker and session as FT_ALIPAY_SPLIT:9988.HK, which is counted (priority 1 before 2)"


def test_versions(frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(catalogue("china-tech", version="2").frame, frame)
    old = catalogue("china-tech", version="1").frame
    assert (len(old), old["cluster"].nunique()) == (246, 56)
    assert old.loc["ANT_TALKS:BABA", "announced"] == "2020-11-02"
    with pytest.raises(InputError, match=r"version of the catalogue china-tech is '3'; valid are '1', '2'"):
        catalogue("china-tech", version="3")


def test_reading_gives_a_new_object_each_time() -> None:
    frame = catalogue("china-tech").frame
    frame["ticker"] = "X"
    assert set(catalogue("china-tech").frame["ticker"]) > {"BABA", "9988.HK"}


@pytest.mark.parametrize("name", ["china_tech", "", "../data/china-tech", "China-Tech"])
def test_unknown_name_lists_the_valid_ones(name: str) -> None:
    with pytest.raises(InputError) as caught:
        catalogue(name)
    assert str(caught.value).startswith(f"the name of the catalogue is {name!r}; valid are 'china-tech'")
