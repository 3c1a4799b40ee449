"""Other news of the firm near an event: held to a double loop over events and days."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.errors import InputError
from tests.prepare.plain import DATES, events, prices

EST, EVT = (-40, -6), (-5, 5)
WINDOWS: dict[str, Any] = {
    "estimation": EST, "event": EVT, "windows": ((0, 0),), "min_estimation": 3, "tests": ["cross_section"],
    "model": "mean",
}  # fmt: skip
LISTED = {"H1": ("one", "XHKG"), "U1": ("one", "XNYS"), "H2": ("two", "XHKG"), "H3": ("three", "XHKG")}
SESSIONS = {
    mic: dates[(dates >= np.datetime64("2020-01-01")) & (dates < np.datetime64("2020-12-31"))]
    for mic, dates in ((mic, es.markets.sessions(mic)[0]) for mic in ("XHKG", "XNYS"))
}


def two_markets() -> es.Prices:
    bars = {}
    for k, (name, (_, mic)) in enumerate(LISTED.items()):
        dates = SESSIONS[mic]
        close = 100 * np.cumprod(1 + 0.02 * np.random.default_rng(k).standard_normal(len(dates)))
        bars[name] = es.bars.Bars(name, dates, {"close": np.asarray(close, dtype=np.float64)}, mic, None)
    return es.Prices(bars)


PRICES = two_markets()


def frame_of(rows: list[tuple[str, int, str]], prefix: str) -> es.Events:
    return es.Events.from_frame(pd.DataFrame({
        "event_id": [f"{prefix}{i}" for i in range(len(rows))],
        "ticker": [t for t, _, _ in rows],
        "announced": [str(SESSIONS[LISTED[t][1]][s]) for t, s, _ in rows],
        "cluster": [c for _, _, c in rows],
        "firm": [LISTED[t][0] for t, _, _ in rows],
    }))  # fmt: skip


def days(row: tuple[str, int, str], first: int, last: int) -> list[np.datetime64]:
    """Give the dates of a stretch around an event, of its own calendar."""
    dates = SESSIONS[LISTED[row[0]][1]]
    return [dates[s] for s in range(row[1] + first, row[1] + last + 1) if 0 <= s < len(dates)]


def spoilt(row: tuple[str, int, str], others: list[tuple[str, int, str]]) -> list[np.datetime64]:
    """Give the estimation days of an event that lie between the ends of the event window of other news of its firm."""
    found = []
    for day in days(row, *EST):
        for other in others:
            inside = days(other, *EVT)
            if LISTED[other[0]][0] == LISTED[row[0]][0] and other[2] != row[2] and inside[0] <= day <= inside[-1]:
                found.append(day)
                break
    return found


def listed_too(row: tuple[str, int, str], other: tuple[str, int, str]) -> bool:
    dates = [SESSIONS[LISTED[its[0]][1]][its[1]] for its in (row, other)]
    return LISTED[row[0]][1] != LISTED[other[0]][1] and abs(dates[0] - dates[1]) <= np.timedelta64(5, "D")


def near(
    row: tuple[str, int, str], rows: list[tuple[str, int, str]], news: list[tuple[str, int, str]], first: int, last: int
) -> bool:
    """Say whether other news falls near an event.

    A studied row of its ticker and session is the event again; one of another listing within five days the same news.
    """
    own = days(row, first, last)
    others = [*(other for other in rows if other[:2] != row[:2] and not listed_too(row, other)), *news]
    return any(
        LISTED[other[0]][0] == LISTED[row[0]][0]
        and other[2] != row[2]
        and own[0] <= SESSIONS[LISTED[other[0]][1]][other[1]] <= own[-1]
        for other in others
    )


ROW = st.tuples(st.sampled_from(list(LISTED)), st.integers(60, 240), st.sampled_from(["a", "b", "c", "d", "e"]))
OTHER = st.tuples(st.sampled_from(list(LISTED)), st.integers(0, 245), st.sampled_from(["v", "w", "x"]))


@pytest.mark.thorough
@settings(max_examples=10, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=9), st.lists(OTHER, max_size=4))
def test_spoilt_days_and_confounded_events_are_those_of_a_double_loop(
    rows: list[tuple[str, int, str]], others: list[tuple[str, int, str]]
) -> None:
    study, news = frame_of(rows, "E"), frame_of(others, "N") if others else None
    every = [*rows, *others]
    flagged = es.Study(**WINDOWS, contaminated="flag").check(study, PRICES, other_news=news)
    wanted = [spoilt(row, every) for row in rows]
    assert flagged["n_contaminated"].tolist() == [len(w) for w in wanted]
    first: dict[tuple[str, int], int] = {}
    for i, row in enumerate(rows):
        first.setdefault((row[0], row[1]), i)
    twice = [first[row[0], row[1]] != i for i, row in enumerate(rows)]
    assert (flagged["status"] == "duplicate").tolist() == twice

    dropped = es.Study(**WINDOWS, contaminated="drop").check(study, PRICES, other_news=news)
    assert (dropped["status"] == "contaminated").tolist() == [bool(w) for w in wanted]

    masked = es.Study(**WINDOWS, contaminated="mask")
    made = masked.run(study, PRICES, other_news=news)
    assert masked.check(study, PRICES, other_news=news)["n_estimation"].tolist() == made.events["n_estimation"].tolist()
    for i, row in enumerate(rows):
        close = PRICES.frame(row[0])["close"].pct_change()
        used = close.reindex(pd.DatetimeIndex([d for d in days(row, *EST) if d not in wanted[i]])).dropna()
        its = made.events.iloc[i]
        if not twice[i]:
            assert its["n_estimation"] == len(used)
            if its["status"] == "ok":
                np.testing.assert_allclose([its["alpha"], its["sigma"]], [used.mean(), used.std()], rtol=1e-9)

    for window in ((-1, 1), (-10, 0)):
        table = es.Study(**WINDOWS, confounding=window).check(study, PRICES, other_news=news)
        assert (table["status"] == "confounded").tolist() == [near(row, rows, others, *window) for row in rows]


ALONE = ("A", "B", "M")


def test_masked_days_leave_the_market_model_of_the_others() -> None:
    its = prices(ALONE)
    given_ = events([("A", 80), ("A", 100), ("B", 100), ("A", 115)])
    study = es.Study(**{**WINDOWS, "model": "market"}, benchmark="M", contaminated="mask")
    made, table = study.run(given_, its), study.check(given_, its)
    assert made.events["n_contaminated"].tolist() == [0, 11, 0, 22]
    assert table["n_contaminated"].tolist() == [0, 11, 0, 22]
    assert made.events["n_estimation"].tolist() == [35, 24, 35, 13] == table["n_estimation"].tolist()
    moves = {name: its.frame(name)["close"].pct_change().to_numpy() for name in ALONE}
    for event, day in (("E1", 100), ("E3", 115)):
        rows = [d for d in range(day - 40, day - 5) if not (75 <= d <= 85 or (event == "E3" and 95 <= d <= 105))]
        x = np.column_stack([np.ones(len(rows)), moves["M"][rows]])
        b, rss = np.linalg.lstsq(x, moves["A"][rows], rcond=None)[:2]
        np.testing.assert_allclose(made.events.loc[event, ["alpha", "beta"]].astype(float), b, rtol=1e-10)
        np.testing.assert_allclose(made.events.loc[event, "sigma"], np.sqrt(rss[0] / (len(rows) - 2)), rtol=1e-10)
        ar = moves["A"][day - 5 : day + 6] - b[0] - b[1] * moves["M"][day - 5 : day + 6]
        np.testing.assert_allclose(made.ar.loc[event], ar, atol=1e-14)


def test_keep_and_flag_estimate_alike() -> None:
    its, given_ = prices(ALONE), events([("A", 80), ("A", 100)])
    keep, flag = (es.Study(**WINDOWS, contaminated=c).run(given_, its) for c in ("keep", "flag"))
    pd.testing.assert_frame_equal(keep.ar, flag.ar)
    pd.testing.assert_frame_equal(keep.events, flag.events.drop(columns="n_contaminated"))


def test_the_reasons_name_the_other_news() -> None:
    its = prices(ALONE)
    table = es.Study(**WINDOWS, confounding=(-2, 2)).check(events([("A", 80), ("A", 82), ("B", 81)]), its)
    assert table["status"].tolist() == ["confounded", "confounded", "ok"]
    assert table["reason"].iloc[0] == f"other news of the firm, E1, on {DATES[82].date()}"
    table = es.Study(**WINDOWS, contaminated="drop").check(events([("A", 80), ("A", 95)]), its)
    assert table["reason"].iloc[1] == "11 days of its estimation window lie in event windows of the firm"


def test_events_of_one_announcement_are_not_other_news_of_each_other() -> None:
    given_ = events([("A", 80), ("B", 81)], firm=["f", "f"], cluster=["x", "x"])
    assert set(es.Study(**WINDOWS, confounding=(-2, 2)).check(given_, prices(ALONE))["status"]) == {"ok"}
    apart = events([("A", 80), ("B", 81)], firm=["f", "f"])
    assert set(es.Study(**WINDOWS, confounding=(-2, 2)).check(apart, prices(ALONE))["status"]) == {"confounded"}


def test_a_cluster_is_one_announcement_whatever_its_dates_and_a_name_of_other_news_within_five_days() -> None:
    rows = [("A", 80), ("A", 85)]  # seven days apart
    one = events(rows, cluster=["x", "x"])
    assert set(es.Study(**WINDOWS, confounding=(-5, 5)).check(one, prices(ALONE))["status"]) == {"ok"}
    two = events(rows, cluster=["x", "y"])
    assert set(es.Study(**WINDOWS, confounding=(-5, 5)).check(two, prices(ALONE))["status"]) == {"confounded"}
    for day, status in ((85, "confounded"), (83, "ok")):
        news = events([("A", day)], cluster=["x"])
        table = es.Study(**WINDOWS, confounding=(-5, 5)).check(
            events([("A", 80)], cluster=["x"]), prices(ALONE), other_news=news
        )
        assert table["status"].tolist() == [status]


def test_priority_decides_what_is_counted_of_one_session() -> None:
    study = es.Study(**WINDOWS)
    rows = [("A", 80)] * 4
    for priority, counted, why in (
        ([3, 1, 2, 1], "E1", "(priority 1 before 3)"),
        ([None, 2, None, 2], "E1", "(priority 2 before no priority)"),
        ([2, 2, 2, 2], "E0", ""),
        ([-1.5, -1, 0, 1], "E0", "(priority -1.5 before -1)"),
        (["10", " 2", "", "3"], "E1", "(priority 2 before 10)"),
    ):
        table = study.check(events(rows, priority=priority), prices(ALONE))
        assert table.index[table["status"] == "ok"].tolist() == [counted]
        reasons = table["reason"][table["status"] == "duplicate"]
        assert reasons.iloc[0] == f"same ticker and session as {counted}, which is counted {why}".rstrip()
    assert study.check(events(rows), prices(ALONE))["status"].tolist() == ["ok", *["duplicate"] * 3]


def test_a_duplicate_shows_the_numbers_of_the_event_of_lower_priority() -> None:
    result = es.Study(**WINDOWS).run(events([("A", 80), ("B", 80), ("A", 80)], priority=[2, 1, 1]), prices(ALONE))
    assert result.events["status"].tolist() == ["duplicate", "ok", "ok"]
    assert result.ar.loc["E0"].tolist() == result.ar.loc["E2"].tolist()
    assert result.tests["n"].iloc[0] == 2


@pytest.mark.parametrize(("ticker", "meant"), [("700", "0700.HK"), ("00700.HK", "0700.HK"), ("0700", "0700.HK")])
def test_a_ticker_without_prices_is_told_with_the_one_that_is_meant(ticker: str, meant: str) -> None:
    listed = prices(["0700.HK"])
    table = es.Study(**WINDOWS).check(events([(ticker, 80), ("JD", 80)]), listed)
    assert table["status"].tolist() == ["unknown_ticker"] * 2
    assert table["reason"].tolist() == [
        f"there are no prices of {ticker}; did you mean {meant}?",
        "there are no prices of JD",
    ]


def test_a_misspelt_ticker_is_told_with_the_nearest_one() -> None:
    listed = prices(["BABA", "BIDU", "TCOM"])
    table = es.Study(**WINDOWS).check(events([("BABBA", 80), ("BDIU", 80), ("XPEV", 80)]), listed)
    assert table["reason"].tolist() == [
        "there are no prices of BABBA; did you mean 'BABA'?",
        "there are no prices of BDIU; did you mean 'BIDU'?",
        "there are no prices of XPEV",
    ]


def test_a_blank_firm_is_the_ticker() -> None:
    given_ = events([("A", 80), ("B", 81)], firm=["", None])
    assert set(es.Study(**WINDOWS, confounding=(-2, 2)).check(given_, prices(ALONE))["status"]) == {"ok"}


def test_a_row_that_stands_twice_is_a_duplicate_and_does_not_confound_itself() -> None:
    table = es.Study(**WINDOWS, confounding=(-2, 2)).check(events([("A", 80), ("A", 80)]), prices(ALONE))
    assert table["status"].tolist() == ["ok", "duplicate"]


def test_other_news_in_the_events_own_session_confounds_it() -> None:
    news = events([("A", 80)], event_id=["N0"])
    table = es.Study(**WINDOWS, confounding=(0, 0)).check(events([("A", 80)]), prices(ALONE), other_news=news)
    assert table["status"].tolist() == ["confounded"]


@pytest.mark.parametrize("studied", [{}, {"firm": ["f"]}])
@pytest.mark.parametrize("other", [{}, {"firm": ["f"]}])
def test_other_news_finds_its_firm_whichever_events_name_it(studied: dict[str, Any], other: dict[str, Any]) -> None:
    # Two unrelated tickers first, so that numbers of firms do not agree by chance.
    news = es.Events.from_frame(pd.DataFrame({
        "event_id": ["N0", "N1"], "ticker": ["B", "A"], "announced": [str(DATES[d].date()) for d in (30, 81)],
        **{k: ["", *v] for k, v in other.items()},
    }))  # fmt: skip
    table = es.Study(**WINDOWS, confounding=(-2, 2)).check(
        events([("A", 80)], **studied), prices(ALONE), other_news=news
    )
    assert table["status"].tolist() == ["confounded"]
    assert table["reason"].tolist() == [f"other news of the firm, N1, on {DATES[81].date()}"]


def test_ids_that_agree_by_chance_are_not_one_announcement() -> None:
    frame = {"ticker": ["A"], "announced": [str(DATES[100].date())]}
    one, two = (es.Events.from_frame(pd.DataFrame({**frame, "announced": [str(DATES[d].date())]})) for d in (100, 80))
    assert one.frame.index[0] == two.frame.index[0] == "E0001"
    table = es.Study(**WINDOWS, contaminated="flag").check(one, prices(ALONE), other_news=two)
    assert table["n_contaminated"].tolist() == [11]
    near_ = events([("B", 101)], event_id=["ANT"], firm=["f"])
    listed = events([("A", 100)], event_id=["ANT"], firm=["f"])
    table = es.Study(**WINDOWS, confounding=(-2, 2)).check(listed, prices(ALONE), other_news=near_)
    assert table["status"].tolist() == ["ok"], "another listing's row of the same announcement"


def test_other_news_without_prices_or_session_does_no_harm() -> None:
    news = es.Events.from_frame(pd.DataFrame({"ticker": ["A", "NOPE"], "announced": ["1999-01-04", "2020-04-01"]}))
    table = es.Study(**WINDOWS, contaminated="flag", confounding=(-1, 1)).check(
        events([("A", 100)]), prices(ALONE), other_news=news
    )
    assert table[["status", "n_contaminated"]].iloc[0].tolist() == ["ok", 0]


def test_own_windows_are_what_is_spoilt_and_what_spoils() -> None:
    columns = {"a": [-40, -12], "b": [-6, -6], "c": [-5, -5], "d": [5, 5]}
    given_ = events([("A", 80), ("A", 96)], **columns)
    its = prices(ALONE)
    own = {"estimation_columns": ("a", "b"), "event_columns": ("c", "d")}
    whole = es.Study(**WINDOWS, contaminated="flag").check(given_, its)["n_contaminated"].tolist()
    assert whole == [0, 11]
    # Days 84 to 90 are left of the second event's estimation window; 84 and 85 are in the first one's event window.
    assert es.Study(**WINDOWS, contaminated="flag", **own).check(given_, its)["n_contaminated"].tolist() == [0, 2]
    shorter = events([("A", 80), ("A", 96)], **{**columns, "d": [3, 5]})
    assert es.Study(**WINDOWS, contaminated="drop", **own).check(shorter, its)["status"].tolist() == ["ok", "ok"]
    masked = es.Study(**WINDOWS, contaminated="mask", **own)
    assert masked.check(given_, its)["n_estimation"].tolist() == [35, 5]
    assert masked.run(given_, its).events["n_estimation"].tolist() == [35, 5]


@pytest.mark.thorough
def test_nothing_left_after_masking_is_too_few() -> None:
    given_ = events([("A", 100), *(("A", 62 + 8 * i) for i in range(5))])
    made = es.Study(**{**WINDOWS, "contaminated": "mask"}).run(given_, prices(ALONE))
    assert made.events.loc["E0", "status"] == "too_few_estimation"
    assert made.events.loc["E0", "n_estimation"] == 0


@pytest.mark.parametrize("choice", [{"contaminated": "hide"}, {"confounding": (1, -1)}, {"confounding": 3}])
def test_a_choice_that_is_none(choice: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(choice))):
        es.Study(**WINDOWS, **choice)


def test_the_number_of_a_firm_has_one_text_in_whole_and_in_floating_columns() -> None:
    """A missing cell makes a column of whole numbers floating: 7.0 is the firm 7 of another table."""
    from eventstudy.prepare.placing import firm_names, firm_of_tickers

    events = pd.DataFrame({"ticker": ["A", "B", "C"], "firm": [7, np.nan, 8.5]})
    news = pd.DataFrame({"ticker": ["D", "E"], "firm": [7, " 7 "]})
    known = firm_of_tickers(events, news)
    assert firm_names(events, known).tolist() == ["7", "B", "8.5"]
    assert firm_names(news, known).tolist() == ["7", "7"]
