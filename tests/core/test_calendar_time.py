"""Calendar-time portfolios against loops over pairs of events, and pandas with sandwich errors written out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from eventstudy import _registry
from eventstudy.core import parts
from eventstudy.core import run as running
from eventstudy.core.windows import blocks
from eventstudy.errors import InputError
from eventstudy.inference import calendar_time
from eventstudy.types import Column, Panel, Placed, Test, Verdict
from tests import make
from tests.make import Case, columns_of
from tests.simulation.sizes import LEVEL, Sizes, batches, together

MARKET = _registry.load("models", "market")
FACTORS = _registry.load("models", "factors")
OPTIONS = [
    {"method": "jaffe_mandelker"},
    *({"method": m, "cov": c} for m, c in product(("abnormal", "factors"), ("HC1", "newey_west"))),
]
TESTS = {" ".join(o.values()): calendar_time.make(**o) for o in OPTIONS}
ANY = pytest.mark.parametrize("test", TESTS.values(), ids=TESTS)


def bunch(
    n: int = 24, seed: int = 51, missing: float = 0.03, weighted: bool = False, groups: int = 1, step: int = 3
) -> Case:
    """Draw events on ten dates, up to three on a date, on two panels whose sessions and benchmarks differ."""
    rng = np.random.default_rng(seed)
    days = 110 + 10 * step
    dates = np.arange(18000, 18020 + days)
    calendars = [np.sort(rng.choice(dates, days, replace=False)) for _ in range(2)]
    panels = [make.panel(rng, assets=n, days=days, missing=missing, sessions=own) for own in calendars]
    where = [(i % 2, i, int(70 + rng.integers(0, 10) * step)) for i in range(n)]
    case = make.place(panels, make.spec(), where, rng.integers(0, groups, n).tolist() if groups > 1 else None)
    weight = rng.uniform(0.5, 3.0, n) if weighted else np.ones(n)
    return case._replace(placed=case.placed._replace(weight=weight))


def answer(case: Case, test: Test = calendar_time.TEST, model: Any = MARKET) -> Verdict:
    return running.run(case.panels, case.placed, model, {"it": test}, case.sample).verdicts["it"]


def held(case: Case, window: int) -> pd.DataFrame:
    """Give a row for each event and day of its window, for the events whose window is complete."""
    days, parts = columns_of(case.sample.spec, window), []
    for i, fit in enumerate(make.fits(case)):
        if not np.isfinite(fit.e[days]).all():
            continue
        panel, at = case.panels[case.placed.panel[i]], case.placed.day[i] + case.sample.spec.offsets[days]
        part = {"date": fit.dates[days], "ar": fit.e[days], "r": panel.r[case.placed.asset[i], at]}
        part |= {"x": panel.x[at, 0], "event": i, "cluster": fit.cluster, "weight": case.placed.weight[i]}
        parts.append(pd.DataFrame(part))
    return pd.concat(parts)


def mean_covariances(case: Case) -> dict[tuple[int, int], float]:
    """Average the products of two events' residuals, with divisor T - K, over pairs and dates by their clusters.

    The mean variance of one event stands under (cluster, -1). Two clusters without a common estimation day have the
    mean over all pairs.
    """
    weight, residuals = case.placed.weight, []
    total: dict[tuple[int, int], np.ndarray] = {}
    for fit in make.fits(case):
        e, n_est = fit.e[: fit.n_est], fit.n_est
        scaled = e * np.sqrt(np.isfinite(e).sum() / fit.dof)
        residuals.append(pd.Series(scaled, index=fit.dates[:n_est]).dropna())
    by_date = pd.DataFrame(dict(enumerate(residuals)))
    known = by_date.notna().to_numpy(dtype=float)
    zeros = by_date.fillna(0.0).to_numpy()
    products, counts = zeros.T @ zeros, known.T @ known
    clusters = case.placed.cluster.tolist()
    for (i, a), (j, b) in product(enumerate(clusters), repeat=2):
        key = (a, -1) if i == j else (a, b)
        part = np.array([products[i, j], counts[i, j]]) * weight[i] * weight[j]
        total[key] = total.get(key, np.zeros(2)) + part
    mean = sum(part for key, part in total.items() if key[1] >= 0)
    return {key: float(part[0] / part[1] if part[1] else mean[0] / mean[1]) for key, part in total.items()}


def variance_of_sum(case: Case, window: int, scale: pd.Series[float]) -> float:
    """Give the variance of the sum over dates of the portfolio's abnormal returns times ``scale``, pair by pair.

    A sum of abnormal returns is one of noise: of its own days, and, through the coefficients, of the estimation days,
    here with the mean scale of the cluster's days. Noise on one date has the covariance of the two events' clusters.
    """
    covariance, rows, days = mean_covariances(case), held(case, window), columns_of(case.sample.spec, window)
    of_cluster = {name: np.average(scale[own["date"]], weights=own["weight"]) for name, own in rows.groupby("cluster")}
    noise = {}
    for i, fit in enumerate(make.fits(case)):
        if np.isfinite(fit.e[days]).all():
            before = np.flatnonzero(np.isfinite(fit.e[: fit.n_est]))
            share = fit.design[before] @ fit.inverse @ fit.design[days].sum(axis=0)
            dates = np.append(fit.dates[days], fit.dates[before])
            factor = np.append(scale[fit.dates[days]], -of_cluster[fit.cluster] * share)
            noise[i] = fit.cluster, pd.Series(case.placed.weight[i] * factor, dates)
    by_date = pd.DataFrame({i: values for i, (_, values) in noise.items()}).fillna(0.0)
    products = by_date.T @ by_date
    total = 0.0
    for (i, (a, _)), (j, (b, _)) in product(noise.items(), repeat=2):
        total += covariance[(a, -1) if i == j else (a, b)] * float(products.loc[i, j])
    return total


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("missing", "weighted", "step"),
    [(0.0, False, 3), (0.03, False, 3), (0.0, True, 3), (0.03, True, 3), (0.0, True, 9)],
)
def test_jaffe_mandelker_equals_a_loop_over_pairs_of_events(missing: float, weighted: bool, step: int) -> None:
    """With a step of 9 dates some event windows lie in estimation windows of events whose own estimation they miss."""
    case = bunch(missing=missing, weighted=weighted, step=step)
    found = answer(case, calendar_time.make(weights="value" if weighted else "equal"))
    covariance = mean_covariances(case)
    for window in range(3):
        sums, scale = [], {}
        for date, rows in held(case, window).groupby("date"):
            variance = 0.0
            events: list[Any] = list(rows.itertuples())
            for one, other in product(events, repeat=2):
                b = -1 if one.event == other.event else other.cluster
                variance += one.weight * other.weight * covariance[one.cluster, b]
            scale[date] = variance**-0.5
            sums.append((rows.weight * rows.ar).sum() * scale[date])
        z = np.sum(sums) / np.sqrt(variance_of_sum(case, window, pd.Series(scale)))
        assert found.statistic[0, window] == pytest.approx(z, rel=1e-9)
        assert found.p[0, window] == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-8)
        assert np.isnan(found.df[0, window])
        assert found.n[0, window] == held(case, window)["event"].nunique()
        assert found.note[0, window] == f"portfolios of {len(sums)} dates"
    assert held(case, 2).groupby("date")["event"].count().max() > 3
    assert (np.ptp(case.placed.day) > 60) == (step > 3)
    if missing:
        assert found.n[0, 2] < 24


def test_events_of_one_date_are_tested_like_the_sum_of_days_of_their_own_portfolio() -> None:
    """The portfolio is one security: its residual's deviation, divisor T - K, and its own forecast error."""
    rng = np.random.default_rng(52)
    panel = make.panel(rng, assets=9, days=100)
    panel = replace(panel, r=panel.r + 0.02 * rng.standard_normal(100))  # what all have in common on a day
    case = make.place([panel], make.spec(), [(0, asset, 80) for asset in range(9)])
    found, fits = answer(case), make.fits(case)
    average = np.mean([fit.e for fit in fits], axis=0)
    s = np.sqrt((average[:60] ** 2).sum() / 58)
    for window in range(3):
        days = columns_of(case.sample.spec, window)
        x = fits[0].design[days].sum(axis=0)
        error = s * np.sqrt(len(days) + x @ fits[0].inverse @ x)
        assert found.statistic[0, window] == pytest.approx(average[days].sum() / error, rel=1e-10)
    single = np.mean([fit.sigma for fit in fits]) / 3
    assert s > 1.5 * single, "the common part counts"


def portfolios(case: Case, window: int, column: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the portfolio's return, benchmark and number of events by date."""
    rows = held(case, window)
    own = rows[["date", "weight"]].assign(y=rows["weight"] * rows[column], x=rows["weight"] * rows["x"], n=1.0)
    sums = own.groupby("date").sum()
    return (sums["y"] / sums["weight"]).to_numpy(), (sums["x"] / sums["weight"]).to_numpy(), sums["n"].to_numpy()


def sandwich_t(y: np.ndarray, x: np.ndarray, n: np.ndarray, lags: int, shared: float = 0.0) -> float:
    """Regress sqrt(n) y on sqrt(n) x; the t of the first coefficient, with Bartlett's weights and T / (T - K).

    ``shared`` is added to its variance.
    """
    x, y = np.sqrt(n)[:, None] * x, np.sqrt(n) * y
    bread = np.linalg.inv(x.T @ x)
    b = bread @ x.T @ y
    scores = x * (y - x @ b)[:, None]
    meat = scores.T @ scores
    for lag in range(1, lags + 1):
        cross = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    variance = bread @ meat @ bread * len(y) / (len(y) - x.shape[1])
    return float(b[0] / np.sqrt(variance[0, 0] + shared))


def of_forecast(case: Case, window: int) -> float:
    """Give what the estimated coefficients add to the variance of the mean abnormal return by date."""
    rows, covariance = held(case, window), mean_covariances(case)
    by_date = rows.groupby("date")
    scale = by_date["event"].count() / by_date["weight"].sum() / len(rows)
    alone = 0.0
    for date, own in by_date:
        events: list[Any] = list(own.itertuples())
        for one, other in product(events, repeat=2):
            b = -1 if one.event == other.event else other.cluster
            alone += scale[date] ** 2 * one.weight * other.weight * covariance[one.cluster, b]
    return variance_of_sum(case, window, scale) - alone


@pytest.mark.thorough
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("options", OPTIONS[1:], ids=list(TESTS)[1:])
def test_a_regression_equals_its_sandwich(options: dict[str, str], weighted: bool) -> None:
    case = bunch(weighted=weighted)
    chosen: dict[str, Any] = options | {"weights": "value" if weighted else "equal"}
    found, factors = answer(case, calendar_time.make(**chosen)), options["method"] == "factors"
    for window, length in enumerate((1, 3, 11)):
        y, benchmark, n = portfolios(case, window, "r" if factors else "ar")
        x = np.column_stack([np.ones(len(y)), benchmark]) if factors else np.ones((len(y), 1))
        shared = 0.0 if factors else of_forecast(case, window)
        t = sandwich_t(y, x, n, length - 1 if options["cov"] == "newey_west" else 0, shared)
        assert found.statistic[0, window] == pytest.approx(t, rel=1e-9)
        assert found.df[0, window] == len(y) - x.shape[1]
        assert found.p[0, window] == pytest.approx(2 * stats.t.sf(abs(t), len(y) - x.shape[1]), rel=1e-8)
        assert found.note[0, window] == f"portfolios of {len(y)} dates"


@pytest.mark.thorough
def test_weights_that_are_all_equal_are_none() -> None:
    case = bunch()
    heavy = case._replace(placed=case.placed._replace(weight=np.full(24, 7.5)))
    for options in OPTIONS:
        found = answer(heavy, calendar_time.make(**options, weights="value"))
        np.testing.assert_allclose(found.statistic, answer(case, TESTS[" ".join(options.values())]).statistic, 1e-10)


def test_events_without_weight_have_a_reason() -> None:
    case = bunch()
    none = case._replace(placed=case.placed._replace(weight=np.zeros(24)))
    found = answer(none, calendar_time.make(weights="value"))
    assert set(found.note.ravel()) == {"the events have no weight"}


@pytest.mark.thorough
@ANY
def test_partition_order_and_sign_change_nothing_else(test: Test, monkeypatch: pytest.MonkeyPatch) -> None:
    case = bunch()
    wanted = answer(case, test)
    assert np.isfinite(wanted.statistic).all()
    order = np.random.default_rng(53).permutation(24)
    turned = case._replace(placed=Placed(*(part[order] for part in case.placed[:6])))
    make.same(answer(turned, test), wanted, 1e-10)
    flipped = answer(case._replace(panels=[replace(p, r=-p.r) for p in case.panels]), test)
    np.testing.assert_allclose(flipped.statistic, -wanted.statistic, rtol=1e-9)
    for size in (1, 5):
        monkeypatch.setattr(parts, "blocks", partial(blocks, size=size))
        make.same(answer(case, test), wanted, 1e-10)


@ANY
@pytest.mark.parametrize("unit", [1e-14, 1e14])
def test_the_unit_of_the_factors_changes_nothing(test: Test, unit: float) -> None:
    case = bunch()
    panels = [replace(panel, x=unit * panel.x) for panel in case.panels]
    found = answer(case._replace(panels=panels), test)
    assert np.isfinite(found.statistic).all()
    make.same(found, answer(case, test), 1e-9)


@ANY
def test_groups_are_tested_as_if_each_were_alone(test: Test) -> None:
    case = bunch(n=40, groups=2)
    found = answer(case, test)
    for group in range(2):
        where = zip(*(part[case.placed.group == group].tolist() for part in case.placed[:3]), strict=True)
        alone = answer(make.place(case.panels, case.sample.spec, list(where)), test)
        np.testing.assert_allclose(found.statistic[group], alone.statistic[0], rtol=1e-10)


@ANY
@pytest.mark.parametrize("poison", [1e9, np.nan, np.inf])
def test_what_stands_in_masked_cells_changes_nothing(test: Test, poison: float) -> None:
    case = bunch(missing=0.08)

    def spoil(panel: Panel) -> Panel:
        x = np.where(panel.ok.any(axis=0)[:, None], panel.x, poison)
        return replace(panel, r=np.where(panel.ok, panel.r, poison), x=x)

    with np.errstate(all="raise", under="ignore"):
        make.same(answer(case._replace(panels=[spoil(p) for p in case.panels]), test), answer(case, test), 0.0)


@ANY
def test_windows_without_a_valid_day_and_groups_without_events_have_a_reason(test: Test) -> None:
    case = bunch(missing=0.0)
    panels = [replace(p, ok=p.ok.copy()) for p in case.panels]
    for at, asset, day in zip(*case.placed[:3], strict=True):
        panels[at].ok[asset, day] = False
    found = answer(case._replace(panels=panels, sample=replace(case.sample, n_groups=2)), test)
    assert np.isnan(found.statistic).all()
    assert set(found.note.ravel()) == {"no event"}
    assert (found.n == 0).all()


def test_too_few_dates_have_a_reason() -> None:
    case = make.case(np.random.default_rng(54), kind="same_day", n=12, missing=0.0)
    for method, fewest in (("abnormal", 4), ("factors", 5)):
        found = answer(case, calendar_time.make(method))
        assert np.isnan(found.statistic[0, :2]).all()
        assert set(found.note[0, :2]) == {f"fewer than {fewest} dates with events"}
        assert np.isfinite(found.statistic[0, 2])
    assert np.isfinite(answer(case).statistic).all()


def test_portfolios_that_do_not_vary_have_a_reason() -> None:
    case = bunch(missing=0.0)
    panels = [replace(p, r=p.r.copy()) for p in case.panels]
    twice = [replace(p, x=np.hstack([p.x, p.x]), factors=("benchmark", "again")) for p in panels]
    collinear = answer(case._replace(panels=twice), TESTS["factors HC1"])
    assert set(collinear.note.ravel()) == {"the regressors do not vary over the dates"}
    for at, asset, day in zip(*case.placed[:3], strict=True):
        panels[at].r[asset, day - 5 : day + 6] = panels[at].x[day - 5 : day + 6, 0]
    for level in (0.0, 0.01, -0.01):  # of the abnormal return of every event and day
        moved = [replace(p, r=p.r + level) for p in panels]
        flat = answer(case._replace(panels=moved), TESTS["abnormal HC1"], _registry.load("models", "market_adjusted"))
        assert set(flat.note.ravel()) == {"the portfolio's return does not vary"}
    zero = answer(case._replace(panels=panels), calendar_time.TEST, _registry.load("models", "market_adjusted"))
    np.testing.assert_array_equal(zero.statistic, 0.0)


def test_residuals_that_cancel_out_have_a_reason() -> None:
    panel = make.panel(np.random.default_rng(55), assets=2, days=100)
    mirrored = replace(panel, r=np.stack([panel.r[0], -panel.r[0]]), x=np.zeros_like(panel.x))
    case = make.place([mirrored], make.spec(), [(0, 0, 80), (0, 1, 80)])
    found = answer(case, model=_registry.load("models", "market_adjusted"))
    assert set(found.note.ravel()) == {"the residuals of a portfolio leave no variance"}


def test_several_regressors_are_those_of_the_model() -> None:
    rng = np.random.default_rng(56)
    columns = [Column("a"), Column("b")]
    panel = make.panel(rng, columns, assets=20, days=140)
    case = make.place([panel], make.spec(), [(0, asset, 70 + asset) for asset in range(20)])
    found = answer(case, TESTS["factors HC1"], replace(FACTORS, names=("a", "b")))
    y = panel.r[np.arange(20), 70 + np.arange(20)]
    x = np.column_stack([np.ones(20), panel.x[70:90]])
    assert found.statistic[0, 0] == pytest.approx(sandwich_t(y, x, np.ones(20), 0), rel=1e-9)
    assert found.df[0, 0] == 17


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "fama"}, "method of the calendar_time test is 'fama'; valid are 'jaffe_mandelker', 'abnormal'"),
        ({"weights": "cap"}, "weights of the calendar_time test is 'cap'; valid are 'equal', 'value'"),
        ({"cov": "HC9"}, "cov of the calendar_time test is 'HC9'; valid are 'HC1', 'newey_west'"),
    ],
)
def test_an_option_that_is_not_valid_is_an_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        calendar_time.make(**options)


def rates(draw: Callable[[np.random.Generator, int], Case], count: int = 2000) -> dict[str, np.ndarray]:
    """Give the share of replications that reject, by test and window; alpha is zero, for ``factors`` tests it."""

    def found() -> Iterator[Mapping[str, Verdict]]:
        for child in np.random.SeedSequence(57).spawn(count // 50):
            case = draw(np.random.default_rng(child), 50)
            panels = [replace(p, r=p.r - 0.0005) for p in case.panels]
            yield running.run(panels, case.placed, MARKET, TESTS, case.sample).verdicts

    parts = list(found())
    return {name: np.mean([(part[name].p < LEVEL).mean(axis=0) for part in parts], axis=0) for name in TESTS}


@pytest.mark.slow
def test_size_on_dates_that_overlap_with_correlation_within_them() -> None:
    """100 events on 20 dates in a row with correlation 0.1: portfolios of 20 and of 30 dates, windows of 1 and 11."""
    found = rates(together(make.spec(250, ((0, 0), (-5, 5))), 100, 20, 0.1))
    assert (np.abs(found["jaffe_mandelker"] - LEVEL) < 0.015).all(), found
    for name in ("abnormal HC1", "factors HC1"):
        assert (np.abs(found[name] - LEVEL) < 0.02).all(), found
    for name in ("abnormal newey_west", "factors newey_west"):  # 10 lags of 30 dates: far too small
        assert found[name][1] > 0.15, found


@pytest.mark.slow
@pytest.mark.parametrize(("spread", "rho"), [(60, 0.0), (60, 0.1), (250, 0.1)])
def test_size_over_windows_as_long_as_half_the_estimation_window(spread: int, rho: float) -> None:
    """Patell's Z leaves the shared forecast error out, which calendar_time did too."""
    tests = {m: calendar_time.make(method=m) for m in ("jaffe_mandelker", "abnormal")}
    tests["patell"] = _registry.load("inference", "patell")
    its = make.spec(120, ((0, 59),), event=(0, 59))
    found = Sizes(batches(together(its, 50, spread, rho), tests, 1000, 91, batch=50))
    assert found.of("patell")[0] > 0.08
    for method in ("jaffe_mandelker", "abnormal"):
        assert 0.03 < found.of(method)[0] < 0.075
