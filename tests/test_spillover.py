"""Treated securities and their peers: each number by a plain loop and statsmodels, and the peers by planted factors."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.analysis import spillover as spilled
from eventstudy.analysis import spillover_peers
from eventstudy.core.announcements import by_clusters, by_history
from eventstudy.errors import EventStudyWarning, InputError, NotEnoughData
from eventstudy.types import Analysis

DATES = pd.bdate_range("2018-01-01", periods=700)
M, FIRST = 60, -70  # days of the estimation window, and its first
STUDY: dict[str, Any] = {
    "benchmark": "INDEX", "estimation": (FIRST, -11), "event": (-2, 2), "windows": ((0, 0), (-1, 1)),
    "min_estimation": 40, "tests": ["clustered"],
}  # fmt: skip
TREATED, PEERS = ("S0", "S1", "S2"), ("P0", "P1", "P2")


@cache
def returns() -> pd.DataFrame:
    """Returns of a market, of securities that load on it and on one of two factors, S and P0 on the first."""
    rng = np.random.default_rng(12)
    n, names = len(DATES), [*TREATED, *PEERS, "FAR"]
    market, first, second = 0.01 * rng.standard_normal((3, n))
    on_first = np.array([1.0, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0])
    r = market[:, None] * rng.uniform(0.6, 1.4, 7) + first[:, None] * on_first + second[:, None] * (1 - on_first)
    r += 0.006 * rng.standard_normal((n, 7))
    return pd.DataFrame(r, index=DATES, columns=names).assign(INDEX=market)


def events(*rows: tuple[str, int, str], **columns: Any) -> es.Events:
    """Make events of (ticker, day, announcement)."""
    frame = pd.DataFrame([(t, str(DATES[d].date()), c) for t, d, c in rows], columns=["ticker", "announced", "cluster"])
    return es.Events.from_frame(frame.assign(**columns))


def run(rows: es.Events, frame: pd.DataFrame | None = None, **choices: Any) -> es.Result:
    prices = es.Prices.from_returns(returns() if frame is None else frame)
    return es.Study(**{**STUDY, **choices}).run(rows, prices)


FEW = (("S0", 200, "A"), ("S1", 200, "A"), ("S2", 300, "B"))


def abnormal(ticker: str, day: int) -> tuple[np.ndarray, np.ndarray, sm.OLS]:
    """Give residuals of the estimation window, abnormal returns of days -2 to 2, and the fit."""
    r = returns()
    y, x = r[ticker].to_numpy(), sm.add_constant(r["INDEX"].to_numpy())
    rows = slice(day + FIRST, day + FIRST + M)
    fit = sm.OLS(y[rows], x[rows]).fit()
    around = slice(day - 2, day + 3)
    return fit.resid, y[around] - fit.predict(x[around]), fit


def by_hand(day: int, tickers: tuple[str, ...], window: tuple[int, int]) -> tuple[float, np.ndarray, float]:
    """Give the mean CAR of securities, the same on runs of days before, and the forecast over the run's variance."""
    length, cars, runs, ratios = window[1] - window[0] + 1, [], [], []
    x = sm.add_constant(returns()["INDEX"].to_numpy())
    for ticker in tickers:
        e, ar, fit = abnormal(ticker, day)
        cars.append(ar[window[0] + 2 : window[1] + 3].sum())
        runs.append([e[t : t + length].sum() for t in range(M - length + 1)])
        total = x[day + window[0] : day + window[1] + 1].sum(axis=0)
        forecast = length + total @ fit.normalized_cov_params @ total  # in units of sigma squared
        ratios.append(forecast / length / (1 - (length + 1) / M))
    return float(np.mean(cars)), np.mean(runs, axis=0), float(np.mean(ratios))


@pytest.mark.parametrize("window", [(0, 0), (-1, 1)])
def test_few_dates_are_compared_with_the_same_means_on_days_before(window: tuple[int, int]) -> None:
    found = run(events(*FEW)).spillover([*PEERS])
    assert [*found.tests.columns[:3]] == ["start", "end", "role"]
    length = window[1] - window[0] + 1
    lags = np.arange(1, length)
    n = M - length + 1
    freedom = n - 1 if length == 1 else n**2 / (n + 2 * ((n - lags) * (1 - lags / length) ** 2).sum())
    sides: dict[str, list[tuple[float, np.ndarray]]] = {"treated": [], "peers": [], "difference": []}
    inflation = []
    for day, tickers in ((200, ("S0", "S1")), (300, ("S2",))):
        a, b = by_hand(day, tickers, window), by_hand(day, PEERS, window)
        sides["treated"].append(a[:2])
        sides["peers"].append(b[:2])
        sides["difference"].append((a[0] - b[0], a[1] - b[1]))
        inflation.append((a[2] * len(tickers) + b[2] * 3) / (len(tickers) + 3))
    its = found.tests[(found.tests["start"] == window[0]) & (found.tests["end"] == window[1])].set_index("role")
    assert [*its["n_events"]] == [3, 6, 9]
    for role, parts in sides.items():
        row = its.loc[role]
        variance = np.array([runs.var(ddof=1) * f for (_, runs), f in zip(parts, inflation, strict=True)])
        effect, se = np.mean([value for value, _ in parts]), np.sqrt(variance.sum()) / 2
        df = variance.sum() ** 2 / (variance**2 / freedom).sum()
        expected = [effect, se, df, 2 * stats.t.sf(abs(effect / se), df), effect + stats.t.ppf(0.975, df) * se]
        np.testing.assert_allclose(row[["effect", "se", "df", "p", "upper"]].astype(float), expected, rtol=1e-9)
        assert row["valid"]
        assert (row["cov"], row["n_announcements"], row["n_clusters"]) == ("history", 2, 2)


def test_from_ten_dates_on_the_errors_are_clustered_and_keep_the_pairs() -> None:
    days = [*range(120, 600, 40)]
    rows = [("S0", day, f"A{day}") for day in days]
    row = run(events(*rows)).spillover(["P0", "P2"], window=(0, 0)).tests.set_index("role").loc["difference"]
    d = np.array([by_hand(day, ("S0",), (0, 0))[0] - by_hand(day, ("P0", "P2"), (0, 0))[0] for day in days])
    t = stats.ttest_1samp(d, 0.0)
    np.testing.assert_allclose(row[["effect", "p"]].astype(float), [d.mean(), t.pvalue], rtol=1e-9)
    np.testing.assert_allclose(row["se"], d.std(ddof=1) / np.sqrt(len(d)), rtol=1e-9)
    assert (row["cov"], row["df"]) == ("cr2", pytest.approx(len(days) - 1))


def test_the_difference_is_that_of_the_means() -> None:
    tests = run(events(*FEW)).spillover([*PEERS]).tests
    for _, own in tests.groupby(["start", "end"]):
        by_role = own.set_index("role")["effect"]
        assert by_role["difference"] == pytest.approx(by_role["treated"] - by_role["peers"], abs=1e-15)


def test_a_planted_spillover_is_found() -> None:
    days = [*range(120, 620, 25)]
    frame = returns().copy()
    for day in days:
        frame.loc[DATES[day]] -= pd.Series({"S0": 0.05, "S1": 0.05, "P0": 0.02}).reindex(frame.columns).fillna(0.0)
    rows = [(t, day, f"A{day}") for day in days for t in ("S0", "S1")]
    found = run(events(*rows), frame).spillover(["P0"], window=(0, 0))
    clean = run(events(*rows)).spillover(["P0"], window=(0, 0))
    moved = found.tests["effect"].to_numpy() - clean.tests["effect"].to_numpy()
    # 250 days of the estimation windows are shared: each shock is also 1/60 of the mean of two later windows
    np.testing.assert_allclose(moved, [-0.05, -0.02, -0.03], atol=0.003)
    assert (found.tests["p"] < 0.001).all()


def test_the_nearest_are_those_that_moved_alike_before_and_nothing_after_matters() -> None:
    rows = events(("S0", 300, "A"), ("S1", 300, "A"))
    found = run(rows).spillover("nearest", k=2)
    peers = found.frame[found.frame["role"] == "peer"].drop_duplicates("ticker")
    assert set(peers["ticker"]) == {"S2", "P0"}
    mean = np.mean([abnormal(t, 300)[0] for t in ("S0", "S1")], axis=0)
    for _, row in peers.iterrows():
        assert row["correlation"] == pytest.approx(np.corrcoef(mean, abnormal(row["ticker"], 300)[0])[0, 1], rel=1e-9)
    later = returns().copy()
    later.iloc[290:] = np.random.default_rng(0).normal(0, 0.03, later.iloc[290:].shape)
    again = run(rows, later).spillover("nearest", k=2).frame
    pd.testing.assert_series_equal(again["ticker"], found.frame["ticker"])
    pd.testing.assert_series_equal(again["correlation"], found.frame["correlation"])


def test_no_peer_is_treated_or_has_news_of_its_own() -> None:
    rows = events(
        ("S0", 300, "A"), ("S1", 300, "A"), ("P1", 302, "B"), ("P2", 303, "C"), ("P0", 500, "D"),
        firm=["one", "two", "three", "four", "two"],
    )  # fmt: skip
    names = ["S0", "S1", "P0", "P1", "P2", "FAR", "INDEX", "NONE"]
    found = run(rows).spillover(names, window=(0, 0))
    of_a = found.frame[(found.frame["announcement"] == "A") & (found.frame["role"] == "peer")].set_index("ticker")
    assert of_a["reason"].to_dict() == {
        "P2": "", "FAR": "", "S0": "the announcement treats it", "S1": "the announcement treats it",
        "P0": "another listing of a firm that the announcement treats",
        "P1": f"an event of its own in the event window, {rows.frame.index[2]}",
        "INDEX": "a benchmark or an index", "NONE": "there are no prices of it",
    }  # fmt: skip
    assert of_a["car"].isna().to_numpy().tolist() == (of_a["reason"] != "").tolist()
    counts = found.attrition.set_index("reason")["n"]
    assert counts["there are no prices of it"] == 4
    assert counts["peers"] == (found.frame["role"].eq("peer") & found.frame["status"].eq("ok")).sum()


def test_peers_by_column_and_by_mapping() -> None:
    rows = (("S0", 200, "A"), ("P0", 400, "B"), ("P1", 500, "C"), ("P2", 600, "D"))
    result = run(events(*rows, sector=["tech", "tech", "tech", "bank"]))

    def pairs(peers: Any) -> set[tuple[str, str]]:
        frame = result.spillover(peers, window=(0, 0)).frame
        own = frame[(frame["role"] == "peer") & (frame["status"] == "ok")]
        return set(zip(own["announcement"], own["ticker"], strict=True))

    of_tech = {("A", "P0"), ("A", "P1"), ("B", "S0"), ("B", "P1"), ("C", "S0"), ("C", "P0")}
    assert pairs("sector") == of_tech
    assert pairs({"S0": "P2", "P0": ["FAR", "P2"]}) == {("A", "P2"), ("B", "FAR"), ("B", "P2")}
    assert pairs({"tech": ["FAR"], "P2": ["S1"]}) == {("A", "FAR"), ("B", "FAR"), ("C", "FAR"), ("D", "S1")}
    for wrong, words in (
        ("industry", "peers is 'industry'"), ({"gold": ["FAR"]}, "no column of the used events"), ([], "peers are"),
        ([1], "peers are"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            result.spillover(wrong)
    with pytest.raises(NotEnoughData, match="4 there are no prices of it"):
        result.spillover(["NONE"])


def test_two_announcements_of_one_day_share_their_peers() -> None:
    result = run(events(("S0", 300, "A"), ("S1", 300, "B")))
    found = result.spillover(["P0", "P1"], window=(0, 0))
    row = found.tests.set_index("role").loc["peers"]
    assert (row["n_events"], row["n_announcements"], row["n_clusters"]) == (4, 2, 1)
    assert row["effect"] == pytest.approx(by_hand(300, ("P0", "P1"), (0, 0))[0], rel=1e-9)
    assert row["se"] == pytest.approx(result.spillover({"S0": ["P0", "P1"]}, window=(0, 0)).tests["se"][1], rel=1e-9)


def test_signs_apply_to_the_peers_of_their_event() -> None:
    rows = (("S0", 200, "A"), ("S2", 300, "B"))
    signed = run(events(*rows, sign=[-1, 1]), sign="sign").spillover(["P0"], window=(0, 0)).tests["effect"]
    treated = (-by_hand(200, ("S0",), (0, 0))[0] + by_hand(300, ("S2",), (0, 0))[0]) / 2
    peers = (-by_hand(200, ("P0",), (0, 0))[0] + by_hand(300, ("P0",), (0, 0))[0]) / 2
    np.testing.assert_allclose(signed, [treated, peers, treated - peers], rtol=1e-9)


def test_a_peer_stands_on_the_session_of_its_own_exchange(shared: Path) -> None:
    prices = es.read_prices(shared / "data" / "prices")
    one = pd.DataFrame({"ticker": ["BABA"], "announced": ["2020-11-03T20:40+08:00"], "cluster": ["ANT"]})
    study = es.Study(benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"})
    found = study.run(es.Events.from_frame(one), prices).spillover(["0700.HK", "JD"], window=(0, 0))
    sessions = found.frame.set_index("ticker")["session"].dt.strftime("%Y-%m-%d").to_dict()
    assert sessions == {"BABA": "2020-11-03", "0700.HK": "2020-11-04", "JD": "2020-11-03"}
    phased = one.assign(announced=["2020-11-03"], phase=["after_close"])
    frame = study.run(es.Events.from_frame(phased), prices).spillover(["0700.HK", "JD"], window=(0, 0)).frame
    assert frame.set_index("ticker")["reason"]["0700.HK"].startswith("the announcement has a phase")


def test_what_cannot_be_asked_raises() -> None:
    with pytest.raises(InputError, match="compares with peers"):
        run(events(*FEW), model="peers", benchmark=None).spillover(["FAR"])
    with pytest.raises(InputError, match="column 'role'"):
        run(events(*FEW, role="x")).spillover([*PEERS])
    with pytest.raises(InputError, match="window is"):
        run(events(*FEW)).spillover([*PEERS], window=(0, 2))
    with pytest.raises(InputError, match="k is 0"):
        run(events(*FEW)).spillover(k=0)
    with pytest.raises(InputError, match="peers are"):
        run(events(*FEW)).spillover(np.array(PEERS))


def test_too_short_a_past_has_no_p_and_says_so() -> None:
    found = by_history(np.array([0.1]), np.zeros((1, 19)), np.zeros(1, dtype=int), np.ones(1), 1)
    assert np.isnan(found.se)
    assert "19 runs" in found.reason
    flat = by_history(np.array([0.1]), np.zeros((1, 60)), np.zeros(1, dtype=int), np.ones(1), 1)
    assert (np.isnan(flat.se), flat.reason) == (True, "the days before do not vary")
    assert "too few" in by_clusters(np.array([1.0, 2.0]), np.array([0, 1])).reason
    assert "all clusters are equal" in by_clusters(np.ones(4), np.arange(4)).reason


def test_one_announcement_is_ranked_among_the_days_before() -> None:
    """By counting, with an interval that holds what the rank does not reject, and exact for any distribution."""
    rng = np.random.default_rng(3)
    one, wide = np.zeros(2, dtype=int), np.array([1.1, 1.3])
    runs = 0.01 * rng.standard_t(2.5, (2, 119))
    found = by_history(np.array([0.02, 0.01]), runs, one, wide, 1)
    sizes = [np.sqrt(1.2) * abs(a + b) / 2 for a, b in runs.T]
    assert found.p == (1 + sum(size >= 0.015 for size in sizes)) / 120
    assert (found.n_runs, np.isnan(found.df), np.isfinite(found.se)) == (119, True, True)
    for end, rejected in ((found.margin * 0.999, False), (found.margin * 1.001, True)):
        assert (by_history(np.array([end, end]), runs, one, wide, 1).p <= 0.05) == rejected
    draws = 0.01 * rng.standard_t(2.5, (4000, 120))
    p = np.array([by_history(row[:1], row[None, 1:], one[:1], np.ones(1), 1).p for row in draws])
    assert 0.043 <= np.mean(p <= 0.05) <= 0.057, "4,000 draws"


def test_a_mean_of_zero_is_no_larger_than_any_run_before() -> None:
    runs = np.append(0.01 * np.random.default_rng(4).standard_normal(58), [0.0, 0.0])
    found = by_history(np.zeros(1), runs[None], np.zeros(1, dtype=int), np.ones(1), 1)
    assert (found.p, found.n_runs) == (1.0, 60)


def test_where_one_standard_error_cannot_be_had_the_other_is_taken() -> None:
    def row(n: int, days: int, cluster: np.ndarray) -> dict[str, Any]:
        rng = np.random.default_rng(1)
        runs = 0.01 * rng.standard_normal((n, days))
        values = 0.01 * rng.standard_normal(n)
        sides = spilled._Sides([""] * n, cluster, np.ones(n), (values, values), (runs, runs), (n, n))
        return spilled._tested("treated", (0, 0), n, sides, values, runs)

    short = row(5, 10, np.arange(5))
    assert (short["cov"], short["valid"]) == ("cr2", True)
    assert "not history: 10 runs" in short["note"]
    uneven = row(200, 60, np.maximum(np.arange(200) - 188, 0))
    assert (uneven["cov"], uneven["valid"]) == ("history", True)
    neither = row(2, 10, np.arange(2))
    assert (neither["valid"], np.isnan(neither["p"])) == (False, True)
    assert neither["note"].startswith("no standard error: 10 runs")
    nothing = row(0, 60, np.arange(0))
    assert (nothing["valid"], nothing["note"]) == (False, "no announcement has both treated and peers")


def test_the_record_answers_and_draws() -> None:
    found = run(events(*FEW, sector=["a", "b", "b"])).spillover([*PEERS])
    record: object = found
    assert isinstance(record, Analysis)
    row = found.tests.iloc[2]
    assert f"The difference is {found.measure.text(row['effect'])}" in found.answer()
    assert max(map(len, repr(found).splitlines())) <= 100
    assert "difference" in found._repr_html_()
    table = found.result.table("spillover", of=found) if isinstance(found.result, es.Result) else None
    assert table is not None
    assert table.frame["effect"].tolist() == found.tests["effect"].tolist()
    for kind in ("network", "paths"):
        ax = found.plot(kind)
        assert ax.get_title(loc="left")
        plt.close("all")
    last = found.paths.iloc[-1]
    assert last["difference"] == pytest.approx(last["treated"] - last["peers"], abs=1e-15)
    with pytest.raises(InputError, match="the kind of the figure"):
        found.plot("map")


def rates(windows: tuple[int, int], prices: es.Prices, seed: int, draws: int) -> dict[tuple[int, str], float]:
    """Give the share of p below 5 % at real dates without events, by number of announcements and role."""
    rng = np.random.default_rng(seed)
    names = ["BABA", "JD", "NIO", "XPEV", "BYDDY", "9988.HK", "0700.HK", "1211.HK", "3690.HK", "9618.HK"]
    known = pd.DatetimeIndex(pd.to_datetime(es.catalogue("china-tech").frame["date"]).dt.normalize().unique())
    near = {day + pd.offsets.BDay(k) for day in known for k in (-1, 0, 1, 2)}
    days = [str(day.date()) for day in pd.bdate_range("2020-01-10", "2022-12-10") if day not in near]
    rows = [(t, d, d) for d in days for t in rng.choice(names, rng.integers(1, 5), replace=False)]
    frame = pd.DataFrame(rows, columns=["ticker", "announced", "cluster"])
    study = es.Study(
        benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"}, windows=(windows,), event=windows, min_estimation=100,
        tests="cross_section",
    )  # fmt: skip
    result = study.run(es.Events.from_frame(frame), prices)
    rerun = result.rerun
    assert rerun is not None
    treated = spillover_peers.treated_of(rerun, result)
    listed = spillover_peers.candidates(rerun, result, treated, names)
    listed = spilled._screen(rerun, result, treated, listed, False, 5)
    chosen = listed[listed["reason"] == ""]
    studied = rerun.result(events=spillover_peers.frame_of(rerun, treated, chosen), choices={"group": "role"})
    both = spilled._members(studied, treated, chosen).sides(studied, windows)
    n, counts = len(both.names), {}
    for size in (1, 3, 8, 12):
        picks = [np.array([at]) for at in range(n)] if size == 1 else [
            np.sort(rng.choice(n, size, replace=False)) for _ in range(draws)
        ]  # fmt: skip
        for role, at in (("treated", 0), ("peers", 1), ("difference", None)):
            p = []
            for rows_ in picks:
                cluster = np.arange(len(rows_))
                part = both._replace(cluster=cluster, inflation=both.inflation[rows_])
                values, runs = (
                    x[at][rows_] if at is not None else x[0][rows_] - x[1][rows_] for x in (both.values, both.runs)
                )
                p.append(spilled._tested(role, windows, 0, part, values, runs)["p"])
            counts[size, role] = float(np.mean(np.array(p) < 0.05))
    return counts


@pytest.mark.slow
@pytest.mark.parametrize("window", [(0, 0), (-1, 1)])
@pytest.mark.filterwarnings("ignore::eventstudy.EventStudyWarning")
def test_size_on_real_days_without_events(window: tuple[int, int], shared: Path) -> None:
    """On 1,000 draws of real days for each number of announcements, over four assignments of treated and peers."""
    prices = es.read_prices(shared / "data" / "prices")
    by_seed = pd.DataFrame([rates(window, prices, seed, 1000) for seed in range(4)])
    for (size, role), rate in zip([*by_seed], by_seed.mean().tolist(), strict=True):
        assert 0.035 <= rate <= 0.065, (size, role, f"{rate:.2%}")


def test_warnings_are_those_of_the_chosen_peers_alone(recwarn: pytest.WarningsRecorder) -> None:
    run(events(*FEW)).spillover("nearest", k=1)
    assert not [w for w in recwarn if issubclass(w.category, EventStudyWarning)]
