"""The sheet of one event: prices without it by hand, power by simulation, Bayes factors by integrals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import integrate, stats

import eventstudy as es
from eventstudy.analysis import evidence
from eventstudy.errors import InputError
from eventstudy.types import Analysis

DAYS = pd.bdate_range("2020-01-01", periods=220)
DAY = 180
CHOICES: dict[str, Any] = {
    "benchmark": "MKT", "estimation": (-130, -11), "event": (-3, 4), "windows": ((0, 1), (0, 0)), "min_estimation": 60,
}  # fmt: skip


def closes(seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_normal(len(DAYS))
    firm = 0.0005 + 1.2 * market + 0.015 * rng.standard_t(4, len(DAYS)) / np.sqrt(2)
    firm[DAY] -= 0.08
    return pd.DataFrame({"MKT": 100 * np.cumprod(1 + market), "AAA": 40 * np.cumprod(1 + firm)}, DAYS)


def run(**changes: Any) -> es.Result:
    at = [DAY] if "n" not in changes else [DAY, DAY - 10]
    changes.pop("n", None)
    events = pd.DataFrame({"ticker": "AAA", "announced": [f"{DAYS[day]:%Y-%m-%d} 09:00-05:00" for day in at]})
    study = es.Study(**CHOICES | changes)
    return study.run(es.Events.from_frame(events), es.Prices.from_frame(closes(), exchange="XNYS"))


@pytest.fixture(scope="module")
def result() -> es.Result:
    return run()


def test_the_price_without_the_event_by_hand(result):
    sheet = result.single()
    prices = closes()["AAA"]
    placed = int(DAYS.get_loc(sheet.session))
    assert placed == DAY
    ar = result.ar.iloc[0]
    r = prices.pct_change()
    one = prices.iloc[DAY - 1] * (1 + r.iloc[DAY] - ar[0])
    two = one * (1 + r.iloc[DAY + 1] - ar[1])
    later = two * prices.iloc[DAY + 4] / prices.iloc[DAY + 1]
    np.testing.assert_allclose(sheet.prices["but_for"].loc[[0, 1, 4]], [one, two, later], rtol=1e-13)
    np.testing.assert_array_equal(sheet.prices["but_for"].loc[-3:-1], prices.iloc[DAY - 3 : DAY])
    np.testing.assert_allclose(sheet.prices["difference"].loc[1], prices.iloc[DAY + 1] - two, rtol=1e-12)
    row = sheet.row()
    half = stats.t.ppf(0.975, row["df"]) * row["se"] * two
    np.testing.assert_allclose(sheet.prices["upper"].loc[1] - sheet.prices["difference"].loc[1], half, rtol=1e-11)
    assert sheet.answer().count("per share") == 1
    assert isinstance(sheet, Analysis)


def test_the_price_line_starts_after_a_day_without_a_price():
    prices = closes()
    prices.iloc[DAY - 3, 1] = np.nan  # the first day of the event window
    events = pd.DataFrame({"ticker": ["AAA"], "announced": [f"{DAYS[DAY]:%Y-%m-%d} 09:00-05:00"]})
    result = es.Study(**CHOICES).run(es.Events.from_frame(events), es.Prices.from_frame(prices, exchange="XNYS"))
    line, own = result.single().prices, prices["AAA"]
    one = own.iloc[DAY - 1] * (own.iloc[DAY] / own.iloc[DAY - 1] - result.ar.iloc[0][0])
    assert line["but_for"].isna().tolist() == [True, *[False] * 7]
    np.testing.assert_allclose(line["but_for"].loc[0], one, rtol=1e-13)


@pytest.mark.parametrize("field", ["adjusted", "return"])
@pytest.mark.parametrize("day", [DAY - 60, DAY - 1, DAY, DAY + 1, DAY + 3])
def test_a_split_on_any_day_moves_no_price_of_the_line(day: int, field: str, result):
    own, index = closes()["AAA"], closes()["MKT"]
    split = np.where(np.arange(len(DAYS)) < day, 4.0, 1.0)  # four new shares for an old one
    total = own if field == "adjusted" else own.pct_change()
    rows = {"date": DAYS, "close": own * split, field: total}
    other = {"date": DAYS, "close": index, field: index if field == "adjusted" else index.pct_change()}
    frame = pd.concat([pd.DataFrame({"ticker": "AAA", **rows}), pd.DataFrame({"ticker": "MKT", **other})])
    events = pd.DataFrame({"ticker": ["AAA"], "announced": [f"{DAYS[DAY]:%Y-%m-%d} 09:00-05:00"]})
    study = es.Study(**CHOICES).run(es.Events.from_frame(events), es.Prices.from_frame(frame, exchange="XNYS"))
    sheet, plain = study.single(), result.single()
    # In shares of the last day of the window, (0, 1): of a split after it, four times the prices without a split.
    shares = 4.0 if day == DAY + 3 else 1.0
    for name in ("price", "but_for", "difference", "lower", "upper"):
        np.testing.assert_allclose(sheet.prices[name], shares * plain.prices[name], rtol=1e-9, atol=1e-9)  # se / se
    assert sheet.prices.loc[1, "price"] == pytest.approx(own.iloc[DAY + 1] * split[DAY + 1], rel=1e-12)  # what was paid
    by = "adjusted for splits and dividends" if field == "adjusted" else "compounded from the stated returns"
    assert f"{by}, in shares of day 1, whose close they equal" in sheet.notes[-1]
    assert "are the closes of the study" in plain.notes[-1]


def test_log_returns_compound_by_their_exponent():
    result = run(returns="log")
    ar, prices = result.ar.iloc[0], closes()["AAA"]
    one = prices.iloc[DAY] * np.exp(-ar[0])
    np.testing.assert_allclose(result.single(window=(0, 0)).prices["but_for"].loc[0], one, rtol=1e-13)


def test_the_frame_has_the_cars_and_the_placebos_are_the_residuals(result):
    sheet = result.single()
    for row, car in zip(sheet.frame.to_dict("records"), result.cars.to_dict("records"), strict=True):
        assert all(row[name] == car[name] for name in ("start", "end", "car", "se", "p", "p_sq", "p_conformal"))
    # The residuals of the market model by least squares, studentised with their leverages.
    returns = closes().pct_change().iloc[DAY - 130 : DAY - 10]
    fit = sm.OLS(returns["AAA"], sm.add_constant(returns["MKT"])).fit()
    own = sheet.placebo[sheet.placebo["end"] == 0]["scar"]
    wanted = fit.get_influence().resid_studentized_internal
    np.testing.assert_allclose(own, wanted, rtol=1e-9)  # two ways to solve the same equations
    x = fit.model.exog
    e, left = fit.resid.to_numpy(), np.eye(120) - x @ np.linalg.inv(x.T @ x) @ x.T  # of residuals, in sample
    pairs = [(e[t] + e[t + 1]) / np.sqrt(fit.scale * left[t : t + 2, t : t + 2].sum()) for t in range(119)]
    np.testing.assert_allclose(sheet.placebo[sheet.placebo["end"] == 1]["scar"], pairs, rtol=1e-9, atol=1e-12)


def independent_days() -> tuple[pd.DatetimeIndex, pd.DataFrame]:
    """Four firms, six peers and an index: normal returns that are independent over days, of equal variance."""
    days, rng = pd.bdate_range("2018-01-01", periods=420), np.random.default_rng(3)
    market = 0.01 * rng.standard_normal(420)
    names = [*(f"S{i}" for i in range(4)), *(f"P{i}" for i in range(6))]
    returns = {name: 0.9 * market + 0.015 * rng.standard_normal(420) for name in names}
    return days, 100 * (1 + pd.DataFrame({"MKT": market, **returns}, days)).cumprod()


FROM_FILES = {"capm", "carhart", "ff3", "ff5", "ff6"}  # least squares as `factors`, on series that are downloaded


@pytest.mark.parametrize("model", sorted(set(es.models()) - FROM_FILES))
def test_the_placebos_of_every_model_have_unit_variance_on_independent_days(model: str):
    days, prices = independent_days()
    firms = [f"S{i}" for i in range(4)]
    events = pd.DataFrame({"event_id": firms, "ticker": firms, "announced": f"{days[400]:%Y-%m-%d} 09:00-05:00"})
    peers = {"peers": [f"P{i}" for i in range(6)]} if "peers" in [c.name for c in es.model(model).columns] else {}
    study = es.Study(
        model=model, benchmark="MKT", estimation=(-260, -11), event=(0, 1), windows=((0, 0), (0, 1)),
        tests=["cross_section"], **peers,
    )  # fmt: skip
    result = study.run(es.Events.from_frame(events), es.Prices.from_frame(prices, exchange="XNYS"))
    scars = pd.concat([result.single(firm).placebo for firm in firms])
    spread = np.sqrt((scars["scar"] ** 2).groupby(scars["end"]).mean())
    # Five standard errors of s over 1000 overlapping runs of two days, half of them independent, are 0.08 at most.
    assert np.abs(spread - 1).max() < 0.08, spread


def test_bars_are_standardised_by_the_variance_of_their_clock_time():
    """The first bar of a day is ten times as wild as the others: its residuals are not 3 deviations of the mean bar."""
    hours = [f"{day:%Y-%m-%d} {hour}:30" for day in pd.bdate_range("2021-01-04", periods=70) for hour in range(10, 15)]
    at, rng = pd.DatetimeIndex(hours).tz_localize("America/New_York"), np.random.default_rng(1)
    first = at.hour == 10
    returns = np.where(first, 0.02, 0.002) * rng.standard_normal(len(at))
    prices = es.Prices.from_frame(pd.DataFrame({"AAA": 100 * np.cumprod(1 + returns)}, at), "XNYS")
    day = 60 * 5 + 2  # a bar at noon
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["AAA"], "announced": [str(at[day])]}))
    windows = ((0, 0), (0, 4))  # the latter holds each clock time once
    study = es.Study(model="clock", estimation=(-250, -1), event=(0, 4), windows=windows, tests=["cross_section"])
    sheet = study.run(events, prices).single(scale=0.005)
    placed = at.get_loc(sheet.session)
    past = pd.Series(returns[placed - 250 : placed])
    by_clock = past.groupby(at[placed - 250 : placed].hour)
    e = past - by_clock.transform("mean")
    wanted = e / (by_clock.transform("std") * np.sqrt(1 - 1 / by_clock.transform("count")))
    own = {end: part.to_numpy() for end, part in sheet.placebo.groupby("end")["scar"]}
    np.testing.assert_allclose(own[0], wanted, rtol=1e-7)  # returns of prices
    a_day = [e[t : t + 5].sum() / np.sqrt(((e / wanted)[t : t + 5] ** 2).sum()) for t in range(246)]
    np.testing.assert_allclose(own[4], a_day, rtol=1e-7, atol=1e-9)
    f0, row = evidence.fit(wanted.to_numpy()), sheet.row()
    assert f0 is not None
    assert row["bayes_factor"] == pytest.approx(evidence.bayes_factor(row["t"], 0.005 / row["se"], f0), rel=1e-4)


def test_the_detectable_effect_is_found_by_four_studies_of_five(result):
    row, rng = result.single().row((0, 0)), np.random.default_rng(0)
    n, df = 200_000, row["df"]
    se = row["se"] * np.sqrt(rng.chisquare(df, n) / df)
    found = np.abs(row["detectable"] + row["se"] * rng.standard_normal(n)) > stats.t.ppf(0.975, df) * se
    assert abs(found.mean() - 0.8) < 0.005


@pytest.mark.parametrize(("z", "ratio"), [(0.0, 1.0), (2.5, 3.0), (6.0, 8.0), (1.0, 0.1), (3.0, 60.0), (0.0, 400.0)])
def test_the_bayes_factor_of_a_normal_is_the_closed_form_and_of_a_t_the_integral(z, ratio):
    variance = 1 + ratio**2
    closed = np.exp(z**2 / 2 * (1 - 1 / variance)) / np.sqrt(variance)
    found = evidence.bayes_factor(z, ratio, evidence.Placebo(1.0, 1e10))
    assert found == pytest.approx(closed, rel=1e-6)  # t(1e10) is not quite the normal
    t = stats.t(4, scale=1.3)
    integral = integrate.quad(
        lambda d: t.pdf(z - d) * stats.norm.pdf(d, scale=ratio),
        -80 - 10 * ratio,
        80 + 10 * ratio,
        limit=900,
        points=[-9, 0, z, 12],
    )
    expected = integral[0] / t.pdf(z)
    assert evidence.bayes_factor(z, ratio, evidence.Placebo(1.3, 4.0)) == pytest.approx(expected, rel=1e-8)


def test_the_fit_finds_scale_and_tails():
    z = stats.t(5, scale=0.8).ppf((np.arange(4000) + 0.5) / 4000)
    found = evidence.fit(z)
    df, _, scale = stats.t.fit(z, floc=0)
    assert found is not None
    np.testing.assert_allclose([found.df, found.scale], [df, scale], rtol=1e-3)  # two optimisers
    assert evidence.fit(z[:20]) is None
    assert evidence.fit(np.zeros(100)) is None


def test_the_bound_of_the_published_table():
    # Sellke, Bayarri & Berger (2001), Table 1: the bounds of p = 0.1, 0.05, 0.01 and 0.001 as odds.
    expected = [1 / 0.6259, 1 / 0.4072, 1 / 0.1252, 1 / 0.0188]
    np.testing.assert_allclose([evidence.bound(p) for p in (0.1, 0.05, 0.01, 0.001)], expected, rtol=2e-3)  # 3 digits
    assert evidence.bound(0.0) == np.inf


def test_studies_without_plain_closes_have_no_price_line_and_say_why():
    result = run(outcome="volatility")
    with pytest.raises(InputError, match="scale is None, and there is no usual size of an effect on"):
        result.single()
    sheet = result.single(scale=1.0)
    assert sheet.prices.empty
    assert sheet.plot().get_ylabel() == "Runs of days before the event"
    assert any(note.startswith("No price line: the study measures") for note in sheet.notes)
    assert "per share" not in sheet.answer()


def test_several_events_need_a_name_and_a_scale_must_be_positive(result):
    with pytest.raises(InputError, match="the study has 2 used events; name one"):
        run(n=2).single()
    with pytest.raises(InputError, match="scale is -1"):
        result.single(scale=-1)
    with pytest.raises(InputError, match="has no abnormal returns"):
        result.single("nobody")


def test_the_table_and_the_figures(result):
    sheet = result.single()
    table = result.table("single")
    pd.testing.assert_frame_equal(table.frame, sheet.frame)
    assert sheet.answer() in table.notes
    row, price = sheet.row(), sheet.prices.loc[sheet.window[1]]
    ax = sheet.plot(level=0.5)
    thin = [line for line in ax.lines if line.get_linewidth() == 0.7]
    ends = [float(line.get_ydata()[list(line.get_xdata()).index(sheet.window[1])]) for line in thin]
    half = stats.t.ppf(0.75, row["df"]) * row["se"] * price["but_for"]
    np.testing.assert_allclose(ends, (price["but_for"] - half, price["but_for"] + half), rtol=1e-9)
    assert "its 50 % interval" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert [sheet.plot(panel=panel).get_ylabel() for panel in ("price", "placebo")] == [
        "Price per share", "Runs of days before the event",
    ]  # fmt: skip
    assert max(map(len, repr(sheet).splitlines())) <= 100
    assert "detectable" not in sheet._repr_html_()


def test_too_few_estimation_days_for_a_bayes_factor_are_told():
    sheet = run(estimation=(-40, -11), min_estimation=20, windows=((0, 0), (0, 1))).single()
    assert sheet.frame["bayes_factor"].notna().tolist() == [True, False]
    assert [f"there are of (0, 1) {len(sheet.placebo[sheet.placebo['end'] == 1])}." in n for n in sheet.notes].count(
        True
    ) == 1
    assert (sheet.placebo["end"] == 1).sum() == 29  # runs of two of 30 days
    assert "No Bayes factor" not in " ".join(run().single().notes)
