"""News of a whole market, held to statsmodels on the stacked returns, and to the size on days without news."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from matplotlib.text import Text
from scipy import stats

import eventstudy as es
from eventstudy.core import dummies
from eventstudy.errors import InputError, NotEnoughData
from eventstudy.types import Analysis

DAYS = pd.bdate_range("2020-01-01", periods=260)
AT = (160, 190, 230)
N = 12
NAMES = [f"F{i:02}" for i in range(N)]
SHARE = np.linspace(0.0, 1.0, N)
CHOICES: dict[str, Any] = {
    "benchmark": "MKT", "estimation": (-120, -11), "event": (-1, 2), "windows": ((0, 1), (0, 0)), "min_estimation": 60,
}  # fmt: skip


def returns(seed: int = 2, effect: float = -0.03) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_normal(len(DAYS))
    common = 0.012 * rng.standard_normal((len(DAYS), 1))
    firms = market[:, None] + common * (1 + SHARE) + 0.01 * rng.standard_normal((len(DAYS), N))
    firms[AT[1]] += effect * SHARE
    return pd.DataFrame(np.column_stack([firms, market]), DAYS, [*NAMES, "MKT"])


def run(frame: pd.DataFrame | None = None, at: tuple[int, ...] = AT, **changes: Any) -> es.Result:
    firms = list(zip(NAMES, SHARE, strict=True))
    rows = [(f"{name}-{day}", name, f"{DAYS[day]:%Y-%m-%d} 09:00-05:00", z) for day in at for name, z in firms]
    events = es.Events.from_frame(pd.DataFrame(rows, columns=["event_id", "ticker", "announced", "share"]))
    prices = es.Prices.from_returns(returns() if frame is None else frame, exchange="XNYS")
    return es.Study(**CHOICES | changes).run(events, prices)


@pytest.fixture(scope="module")
def result() -> es.Result:
    return run()


def expected(frame: pd.DataFrame, w: np.ndarray, length: int, at: tuple[int, ...], market: bool) -> Any:
    """Return the mean over dates of the dummies of a portfolio, summed over the window, by statsmodels."""
    near = {d for day in at for d in range(day - 1, day + 3)}
    other = sorted({d for day in at for d in range(day - 120, day - 10)} - near)
    own = [d for day in at for d in range(day, day + length)]
    rows = [*other, *own]
    x = np.column_stack([np.ones(len(rows)), *([frame["MKT"].iloc[rows]] if market else [])])
    design = np.column_stack([x, *[(np.array(rows) == d).astype(float) for d in own]])
    fit = sm.OLS(frame[NAMES].to_numpy()[rows] @ w, design).fit()
    return fit.t_test(np.concatenate([np.zeros(x.shape[1]), np.full(len(own), 1 / len(at))]))


@pytest.mark.parametrize("model", ["market", "mean"])
@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("term", ["mean", "share"])
def test_terms_are_portfolios_in_a_regression_with_dummies(model, length, term):
    found = run(model=model).market_wide("share").frame
    row = found[(found["term"] == term) & (found["end"] == length - 1) & found["date"].isna()].iloc[0]
    centred = SHARE - SHARE.mean()
    w = np.full(N, 1 / N) if term == "mean" else centred / (centred @ centred)
    test = expected(returns(), w, length, AT, model == "market")
    values = [test.effect[0], test.sd[0, 0], test.tvalue[0, 0], test.df_denom, test.pvalue, *test.conf_int()[0]]
    names = ["estimate", "se", "t", "df", "p", "lower", "upper"]
    np.testing.assert_allclose(row[names].astype(float), np.array(values, dtype=float), rtol=1e-9, atol=1e-14)
    assert (row["n"], row["n_dates"]) == (N, 3)


def test_each_date_has_its_own_rows_and_the_planted_slope_is_found(result):
    found = result.market_wide("share")
    own = found.frame[(found.frame["term"] == "share") & (found.frame["end"] == 0)].set_index("date")
    assert [*own.index.dropna()] == [DAYS[day] for day in AT]
    assert own["p"].loc[DAYS[AT[1]]] < 0.05
    assert own["lower"].loc[DAYS[AT[1]]] < -0.03 < own["upper"].loc[DAYS[AT[1]]]
    assert found.joint["df1"].eq(N).all()
    assert isinstance(found, Analysis)
    assert "per unit of share" in found.answer()


def test_the_unit_of_an_exposure_is_that_of_its_slope_and_changes_nothing_else(result):
    events = result.events.assign(value=1e15 * result.events["share"])
    found, wanted = (replace(result, events=events).market_wide([name]) for name in ("value", "share"))
    left, right = found.frame.replace({"term": {"value": "share"}}), wanted.frame
    unit = np.where(right["term"] == "share", 1e15, 1.0)
    assert (unit > 1).any()
    for name in ("estimate", "se", "lower", "upper"):
        np.testing.assert_allclose(left[name] * unit, right[name], rtol=1e-8, atol=1e-12)
    for name in ("t", "df", "p", "p_conformal"):
        np.testing.assert_allclose(left[name], right[name], rtol=1e-8)
    pd.testing.assert_frame_equal(found.joint, wanted.joint, rtol=1e-8)


def test_the_estimates_of_one_date_are_the_abnormal_returns_of_the_study():
    result = run(at=AT[:1])
    found = result.market_wide().frame
    cars = result.cars[result.cars["end"] == 0]["car"]
    # One date: the days without events are its estimation window, and g the abnormal returns of the study.
    np.testing.assert_allclose(found["estimate"][found["end"] == 0], [cars.mean()], rtol=1e-10)
    assert "Exposures" not in result.market_wide().answer()


def test_the_first_p_of_one_firm_is_that_of_the_study():
    found = run(at=AT[:1])
    one = es.Study(**CHOICES).run(
        es.Events.from_frame(found.events.iloc[[3]].reset_index()[["event_id", "ticker", "announced"]]),
        es.Prices.from_returns(returns(), exchange="XNYS"),
    )
    wide = one.market_wide()
    day = wide.frame[wide.frame["end"] == 0].iloc[0]
    # One day: the runs of the study, whose ends are joined, are the same.
    assert day["p_conformal"] == pytest.approx(one.cars[one.cars["end"] == 0]["p_conformal"].iloc[0], rel=1e-12)
    assert wide.first_p(day.to_dict()) == day["p_conformal"]
    assert wide.first_p({"p": 0.2, "p_conformal": np.nan}) == 0.2
    # The joint test of one firm is the test of its mean.
    assert wide.joint["p_conformal"].to_numpy() == pytest.approx(wide.frame["p_conformal"].to_numpy())


def test_a_benchmark_that_moves_with_the_news_is_named():
    frame = returns()
    frame.iloc[AT[1]] -= 0.06
    assert any("The benchmark itself moved on 2020-09-23" in note for note in run(frame).market_wide().notes)
    assert run(frame).market_wide().answer().endswith("The benchmark itself moved with the news: see the notes.")
    mean = run(frame, model="mean").market_wide()
    assert (mean.benchmark_moved, "benchmark" in mean.answer()) == ((), False)
    assert not any("benchmark" in note for note in mean.notes)
    assert mean.frame[mean.frame["date"] == DAYS[AT[1]]]["estimate"].iloc[0] < -0.03


def test_firms_without_returns_are_left_out_and_named(result):
    frame = returns()
    frame.iloc[100:140, 3] = np.nan
    found = run(frame).market_wide()
    assert found.frame["n"].eq(N - 1).all()
    assert any(note.startswith("Without 3 events for lack of returns: F03-160") for note in found.notes)


def test_what_cannot_be_estimated_is_refused(result):
    with pytest.raises(InputError, match="no column of the events"):
        result.market_wide("tariff")
    with pytest.raises(InputError, match="exposure 'ticker' of event 'F00-160' is not a number"):
        result.market_wide("ticker")
    for exposure in (3, np.array([1, 2]), ["share", None], ""):
        with pytest.raises(InputError, match=r"exposure is .*give columns|an element of exposure is None"):
            result.market_wide(exposure)
    with pytest.raises(NotEnoughData, match="do not differ enough"):
        result.market_wide(["share", "share"])
    with pytest.raises(InputError, match="for the models 'mean' and 'market'"):
        run(model="market_adjusted").market_wide()


def test_the_table_and_the_figure(result):
    found = result.market_wide("share")
    table = result.table("market_wide", exposure="share")
    pd.testing.assert_frame_equal(table.frame, found.frame)
    rows = found.frame[(found.frame["term"] == "share") & (found.frame["start"] == found.frame["start"].iloc[0])]
    rows = rows[rows["end"] == found.frame["end"].iloc[0]]
    half = stats.t.ppf(0.995, rows["df"]) * rows["se"]
    bars = [bar[:, 0] for bar in found.plot(level=0.99).collections[0].get_segments()]
    np.testing.assert_allclose(bars, np.column_stack([rows["estimate"] - half, rows["estimate"] + half]), rtol=1e-8)
    assert [tick.get_text() for tick in found.plot().get_yticklabels()][-1] == "all dates"
    assert max(map(len, repr(found).splitlines())) <= 100


@pytest.mark.slow
@pytest.mark.parametrize("model", ["market", "mean"])
@pytest.mark.parametrize("length", [1, 3])
def test_size_on_real_days_without_news(shared, model, length):
    """Five shares of New York on every day: ranks of the mean reject in 5 to 7 % at 5 %, F in far more."""
    names = ["BABA", "NIO", "JD", "BYDDY", "KWEB", "XPEV", "^GSPC"]
    bars = es.read_prices(shared / "data" / "prices").bars
    closes = pd.DataFrame({name: pd.Series(bars[name].fields["close"], bars[name].dates) for name in names})
    r = closes.drop(columns="XPEV").pct_change(fill_method=None).dropna()
    index, firms = r.pop("^GSPC").to_numpy(), r.to_numpy()
    rng, ones = np.random.default_rng(1), np.ones(len(r))
    x = np.column_stack([ones, index] if model == "market" else [ones])
    ps = []
    for day in range(140, len(r) - 12):
        days, windows, spans = np.arange(day - 130, day - 10), [[day, day + length - 1]], [[day - 130, day - 11]]
        at = (days, np.array(windows))
        found, e = dummies.effects(firms, x, *at), dummies.under_null(firms, x, *at)
        weights = np.linalg.pinv(np.column_stack([np.ones(firms.shape[1]), rng.standard_normal(firms.shape[1])]))
        values = [*((e @ w)[:, None, None] for w in weights), dummies.whitened(e, np.arange(5))[:, None]]
        t = [b / se for b, se in (dummies.portfolio(found, w[None]) for w in weights)]
        own = [*2 * stats.t.sf(np.abs(t), found.df), dummies.joint(found, 0, np.arange(5))[3]]
        ps.append([own, [dummies.conformal(v, *at, np.array(spans), 0) for v in values]])
    assert len(ps) > 800
    parametric, ranks = np.mean(np.array(ps) <= 0.05, axis=0)  # of mean, slope and all firms
    parametric_1, ranks_1 = np.mean(np.array(ps) <= 0.01, axis=0)
    assert parametric[2] > 0.1, parametric  # the page says that F is liberal
    assert ((ranks > 0.03) & (ranks < [0.075, 0.075, 0.1])).all(), ranks
    assert ranks[0] < parametric[0], (ranks, parametric)
    assert ranks[2] < parametric[2] - 0.03, (ranks, parametric)
    assert ranks_1[0] < parametric_1[0], (ranks_1, parametric_1)


@pytest.mark.parametrize("step", ["bar", "month"])
def test_what_variances_come_from_is_called_what_the_rows_are(step: str) -> None:
    rng = np.random.default_rng(5)
    hours = pd.date_range("2021-03-01 14:30", periods=7, freq="h", tz="UTC")
    days = pd.bdate_range("2021-04-05", periods=40)
    bars = pd.DatetimeIndex([day.tz_localize("UTC") + (hour - hours[0].normalize()) for day in days for hour in hours])
    rows = bars if step == "bar" else pd.bdate_range("1996-01-01", periods=240, freq="BME")
    names = ["A", "B", "C", "MKT"]
    closes = 100 * np.cumprod(1 + 0.01 * rng.standard_normal((len(rows), 4)), axis=0)
    prices = es.Prices.from_frame(pd.DataFrame(closes, rows, names), exchange="XNYS" if step == "bar" else None)
    sizes = {"size": [1.0, 2.0, 4.0]}
    at = f"{rows[200] + pd.Timedelta(minutes=5):%Y-%m-%dT%H:%M}+00:00" if step == "bar" else f"{rows[200]:%Y-%m-%d}"
    events = es.Events.from_frame(pd.DataFrame({"ticker": names[:3], "announced": at} | sizes))
    study = es.Study(**CHOICES).run(events, prices)
    made = study.market_wide()
    what = "bars" if step == "bar" else "sessions"
    assert f"on {made.days} {what} without events" in made.notes[0]
    assert made.unit + "s" == what
    texts = [text.get_text() for text in made.plot().figure.findobj(Text)]
    assert any(f"t of {made.days} {what} without events" in text for text in texts)
    assert not any("days" in note for note in made.notes)
    if step == "bar":
        fit = study.regress("car ~ size", cov="history").note
        assert re.search(r"the same regression on \d+ runs of 2 bars before the event", fit)


@pytest.mark.parametrize("exchange", [None, "XNYS"])
def test_two_benchmarks_are_named(exchange: str | None) -> None:
    frame = returns().assign(OTHER=lambda its: its["MKT"] + 0.001)
    events = es.Events.from_frame(
        pd.DataFrame({"ticker": NAMES[:4], "announced": str(DAYS[AT[1]].date()), "share": 1.0})
    )
    benchmarks = {name: "MKT" if name < NAMES[2] else "OTHER" for name in NAMES[:4]}
    found = es.Study(**CHOICES | {"benchmark": benchmarks}).run(
        events, es.Prices.from_returns(frame, exchange=exchange)
    )
    names = "MKT, OTHER" if exchange is None else "XNYS with MKT, XNYS with OTHER"
    with pytest.raises(InputError, match=re.escape(f"2 markets with benchmarks of their own ({names})")):
        found.market_wide("share")
