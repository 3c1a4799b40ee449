"""Compounded abnormal returns over long windows: buy-and-hold by hand, and the size of their tests on real prices."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.models.peers import PeerPortfolio

WINDOWS: dict[str, Any] = {
    "estimation": (-90, -11), "event": (-2, 60), "windows": ((0, 0), (0, 60), (-2, 2)), "min_estimation": 60,
    "tests": ["cross_section"], "accumulate": "compound", "benchmark": "M",
}  # fmt: skip
DATES = pd.bdate_range("2019-01-01", periods=330)
FIRMS = ("A", "B", "C")
PEERS = ("P", "Q", "R")
ROWS = [("A", 120), ("B", 150), ("C", 200)]
FACTORS = ("Mkt-RF", "SMB", "HML")


@cache
def material() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(3)
    factors = pd.DataFrame(0.01 * rng.standard_normal((len(DATES), 3)), index=DATES, columns=list(FACTORS))
    factors["RF"] = 0.0002 + 0.00001 * rng.standard_normal(len(DATES))
    names = [*FIRMS, *PEERS, "M"]
    moves = factors["Mkt-RF"].to_numpy()[:, None] + 0.02 * rng.standard_normal((len(DATES), len(names)))
    return pd.DataFrame(100 * np.cumprod(1 + moves, axis=0), index=DATES, columns=names), factors


def events(rows: list[tuple[str, int]] = ROWS) -> es.Events:
    frame = {"ticker": [t for t, _ in rows], "announced": [str(DATES[d].date()) for _, d in rows]}
    return es.Events.from_frame(pd.DataFrame(frame))


def normal_by_hand(model: str, ticker: str, day: int) -> np.ndarray:
    """Give the normal return of every date."""
    close, factors = material()
    r = close.pct_change().to_numpy()
    own, market = r[:, close.columns.get_loc(ticker)], r[:, -1]
    rf = factors["RF"].to_numpy()
    rows = np.arange(day - 90, day - 10)
    ones = np.ones(len(r))
    if model == "market_adjusted":
        return market
    design, over = {
        "market": ([ones, market], 0 * rf),
        "capm": ([ones, market - rf], rf),
        "ff3": ([ones, *factors[list(FACTORS)].to_numpy().T], rf),
    }[model]
    x = np.column_stack(design)
    b = np.linalg.lstsq(x[rows], (own - over)[rows], rcond=None)[0]
    return np.asarray(over + x @ b)


@pytest.mark.parametrize("model", ["market_adjusted", "market", "capm", "ff3"])
def test_bhar_is_one_product_less_another(model: str) -> None:
    close, factors = material()
    made = es.Study(**WINDOWS, model=model).run(events(), es.Prices.from_frame(close), factors=factors)
    bhar = made.cars.set_index(["event_id", "start", "end"])
    for event, (ticker, day) in zip(made.events.index, ROWS, strict=True):
        normal = normal_by_hand(model, ticker, day)
        for first, last in ((0, 0), (0, 60), (-2, 2)):
            held = close[ticker].iloc[day + last] / close[ticker].iloc[day + first - 1]
            wanted = held - np.prod(1 + normal[day + first : day + last + 1])
            row = bhar.loc[(event, first, last)]
            np.testing.assert_allclose(row["bhar"], wanted, rtol=1e-10, atol=1e-13)
            moves = close[ticker].pct_change().to_numpy()
            np.testing.assert_allclose(row["car"], (moves - normal)[day + first : day + last + 1].sum(), atol=1e-12)
    for first, last in ((0, 0), (0, 60), (-2, 2)):
        values = bhar["bhar"].xs((first, last), level=("start", "end"))
        test = made.tests[(made.tests["start"] == first) & (made.tests["end"] == last)].iloc[0]
        np.testing.assert_allclose(test["effect"], values.mean(), rtol=1e-12)
        np.testing.assert_allclose(test["statistic"], values.mean() / values.std() * np.sqrt(3), rtol=1e-9)


def test_held_peers_are_bought_and_left_alone() -> None:
    close, _ = material()
    model = PeerPortfolio(weights="held", adjust="difference")
    study = es.Study(**{**WINDOWS, "windows": ((-2, 60), (-2, 5))}, model=model, peers=list(PEERS))
    made = study.run(events(), es.Prices.from_frame(close)).cars
    for k, (ticker, day) in enumerate(ROWS):
        for j, last in enumerate((60, 5)):
            growth = close.iloc[day + last] / close.iloc[day - 3]
            wanted = growth[ticker] - growth[list(PEERS)].mean()
            np.testing.assert_allclose(made["bhar"].iloc[2 * k + j], wanted, rtol=1e-10)


def test_a_lost_price_loses_the_windows_that_hold_it_and_no_other() -> None:
    close, _ = material()
    holed = close.copy()
    holed.iloc[140, 0] = np.nan
    made = es.Study(**WINDOWS).run(events(), es.Prices.from_frame(holed)).cars.set_index("event_id")
    assert made.loc["E0001", "bhar"].isna().tolist() == [False, True, False]
    assert made.loc[["E0002", "E0003"], "bhar"].notna().all()


def test_a_normal_return_of_minus_one_has_no_product_and_spoils_no_other_window() -> None:
    close, _ = material()
    moves = close.pct_change()
    moves.iloc[130, -1] = -0.9
    moves.iloc[:, 0] = 2 * moves["M"].clip(-0.2) + 0.01 * np.random.default_rng(1).standard_normal(len(moves))
    levels = 100 * (1 + moves.fillna(0)).cumprod()
    said = pytest.warns(es.EventStudyWarning, match="M: jump")
    with said, np.errstate(all="raise", under="ignore"):
        made = es.Study(**WINDOWS).run(events([("A", 120)]), es.Prices.from_frame(levels)).cars.set_index("start")
    assert made["bhar"].isna().tolist() == [False, True, False]
    assert made["car"].notna().all(), "a sum is never without a value"


def hall(x: np.ndarray, centre: float) -> float:
    """Give the t of Hall (1992) about a centre."""
    n, s = len(x), (x.mean() - centre) / x.std(ddof=1)
    g = ((x - x.mean()) ** 3).sum() / (n * x.std(ddof=1) ** 3)
    return float(np.sqrt(n) * (s + g * s**2 / 3 + g**2 * s**3 / 27 + g / (6 * n)))


@pytest.mark.thorough
def test_the_bootstrap_of_the_skewness_adjusted_t_takes_bhars() -> None:
    close, _ = material()
    rows = [(FIRMS[i % 3], 110 + 5 * i) for i in range(24)]
    tests = {"skewed": es.test("skewness_adjusted", bootstrap=True, draws=1999)}
    study = es.Study(**{**WINDOWS, "tests": tests}, model="market_adjusted")
    made = study.run(events(rows), es.Prices.from_frame(close))
    rng = np.random.default_rng(1)
    for first, last in ((0, 60), (-2, 2)):
        x = made.cars[(made.cars["start"] == first) & (made.cars["end"] == last)]["bhar"].to_numpy()
        found = made.tests[(made.tests["start"] == first) & (made.tests["end"] == last)].iloc[0]
        t = hall(x, 0.0)
        np.testing.assert_allclose(found["statistic"], t, rtol=1e-9)
        drawn = np.array([hall(rng.choice(x, len(x) // 4), x.mean()) for _ in range(1999)])
        p = 2 * min((1 + (drawn <= t).sum()) / 2000, (1 + (drawn >= t).sum()) / 2000)
        assert abs(found["p"] - min(p, 1)) < 0.1  # two draws of 1999: 4 standard errors of a p of a half


@pytest.mark.thorough
def test_default_tests_are_those_for_compounded_returns() -> None:
    close, _ = material()
    prices = es.Prices.from_frame(close)
    chosen = {**WINDOWS, "tests": "default"}
    overlapping = {"two_way", "ibragimov_muller", "wild_bootstrap", "kolari_pynnonen"}
    assert set(es.Study(**chosen).run(events(), prices).tests["test"]) == overlapping
    one = es.Study(**chosen).run(events([("A", 120)]), prices)
    assert set(one.tests["test"]) == {"cross_section", "skewness_adjusted"}
    same = es.Study(**chosen).run(events([("A", 120), ("B", 120)]), prices)
    assert set(same.tests["test"]) == {"kolari_pynnonen", "kolari_pynnonen(variance='additive')"}


def listed(shared: Path) -> pd.DataFrame:
    """Give the securities with a price on nearly every date, and their mean return as a level."""
    wide = pd.read_csv(shared / "data" / "hk_universe_adjclose.csv.gz", index_col=0, parse_dates=True)
    full = wide.loc[:, wide.notna().mean() > 0.97]
    level = 100 * (1 + full.pct_change(fill_method=None).mean(axis=1).fillna(0.0)).cumprod()
    return pd.concat([full, level.rename("EW")], axis=1)


def a_year(wide: pd.DataFrame, seed: int) -> es.Events:
    """Draw 50 securities on 20 dates."""
    rng = np.random.default_rng(seed)
    firms = rng.choice([c for c in wide.columns if c != "EW"], 50, replace=False)
    dates = rng.choice(rng.choice(np.arange(285, len(wide) - 255), 20, replace=False), 50)
    announced = [str(wide.index[d].date()) for d in dates]
    return es.Events.from_frame(pd.DataFrame({"ticker": firms, "announced": announced}))


YEAR: dict[str, Any] = {
    "benchmark": "EW", "estimation": (-270, -21), "event": (0, 250), "windows": ((0, 20), (0, 250)),
    "min_coverage": 0.95, "accumulate": "compound",
}  # fmt: skip


@pytest.mark.thorough
def test_a_year_of_fifty_firms_runs(shared: Path) -> None:
    wide = listed(shared)
    with pytest.warns(es.EventStudyWarning, match="1114.HK: repeated"):  # suspended from March 2021
        made = es.Study(**YEAR, model="market_adjusted").run(a_year(wide, 0), es.Prices.from_frame(wide, "XHKG"))
    assert (made.events["status"] == "ok").all()
    assert made.cars["bhar"].notna().mean() > 0.95
    year = made.cars[made.cars["end"] == 250]
    assert year["bhar"].min() > -3
    assert (made.tests.loc[made.tests["test"] == "kolari_pynnonen", "p"]).between(0, 1).all()


# Samples of one history of four years are not independent of each other, and of 100 of them a share of 5 % has a
# standard error of 2.2 points. Cross-sections of a year's BHARs overlap; so do portfolios in calendar time. Ranks
# test the median, which is not 0 where returns are skewed, so they are no test of a mean of a year.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:implausible prices")  # suspensions
def test_the_sizes_of_the_tests_over_a_month_and_a_year(shared: Path) -> None:
    wide = listed(shared)
    prices = es.Prices.from_frame(wide, "XHKG")
    names = ["two_way", "cross_section", "skewness_adjusted", "wild_bootstrap", "calendar_time", "kolari_pynnonen"]
    study = es.Study(**YEAR, model="market_adjusted", tests=names)
    parts = [study.run(a_year(wide, seed), prices).tests for seed in range(100)]
    table = pd.concat(parts).set_index(["test", "end"])["p"]
    share = table.lt(0.05).groupby(level=[0, 1]).mean()
    for name in names:
        assert share[name, 20] <= 0.17, share
    assert table["two_way"].notna().all()
    assert 0.01 <= share["two_way", 250] <= 0.11, share
    assert 0.01 <= share["two_way", 20] <= 0.11, share
    assert share["calendar_time", 250] <= 0.3, share
    assert share["kolari_pynnonen", 250] <= 0.22, share
    # A year makes nearly all dates one chain: the bootstrap by clusters says that it cannot judge.
    assert table["wild_bootstrap", 250].isna().mean() > 0.9


@pytest.mark.parametrize("accumulate", ["sum", "compound"])
def test_a_study_that_can_use_no_event_has_paths_of_none(accumulate: str) -> None:
    closes, _ = material()
    result = es.Study(**{**WINDOWS, "accumulate": accumulate}).run(events([("A", 20)]), es.Prices.from_frame(closes))
    assert result.events["status"].tolist() == ["too_few_estimation"]
    paths = result.paths()
    assert paths.shape == (0, 63)
    pd.testing.assert_frame_equal(paths, result.ar)
