"""Errors clustered by event and by date, against pandas, statsmodels, and the R package crseEventStudy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy import _registry
from eventstudy.core import run as running
from eventstudy.types import Test, Verdict
from tests import make
from tests.make import Case
from tests.simulation.sizes import Sizes, batches, together

MARKET = _registry.load("models", "market")
PLAIN = es.test("two_way")
STANDARDISED = es.test("two_way", standardised=True)
SPEC = make.spec(60, ((-5, 5), (-1, 1)))


def answer(case: Case, test: Test) -> Verdict:
    return running.run(case.panels, case.placed, MARKET, {"it": test}, case.sample).verdicts["it"]


def by_clusters(values: pd.Series, *clusters: pd.Series) -> float:
    """Give the variance of the mean by clusters, with the factor G / (G - 1)."""
    sums = (values - values.mean()).groupby(list(clusters)).sum()
    return float(len(sums) / (len(sums) - 1) * (sums**2).sum() / len(values) ** 2)


def two_way_t(values: pd.Series, one: pd.Series, other: pd.Series) -> float:
    variance = by_clusters(values, one) + by_clusters(values, other) - by_clusters(values, one, other)
    return float(values.mean() / np.sqrt(variance))


def test_the_formula_is_that_of_the_r_package(shared: Path) -> None:
    """What crseEventStudy 1.2.2 prints for its German repurchases."""
    data = pd.read_csv(shared / "data" / "oracles" / "crse" / "demo_share_repurchases.csv", dtype={"date": str})
    assert by_clusters(data["ars"], data["date"]) == pytest.approx(0.00188313581839358, abs=1e-12)
    assert two_way_t(data["ars"], data["date"], data["code"]) == pytest.approx(-0.144687705179545, abs=1e-10)


def event_days(case: Case, window: int, standardised: bool) -> pd.DataFrame:
    """List the event-days of a window by least squares by hand."""
    rows, days = [], make.columns_of(case.sample.spec, window)
    for number, fit in enumerate(make.fits(case)):
        ar = fit.e[days]
        if not np.isfinite(ar).all():
            continue
        if standardised:
            x = fit.design[days]
            ar = ar / (fit.sigma * np.sqrt(1 + np.einsum("dk,kl,dl->d", x, fit.inverse, x)))
        dates = case.sample.cluster_dates[fit.cluster][days]
        rows += [(number, int(date), float(value)) for date, value in zip(dates, ar, strict=True)]
    return pd.DataFrame(rows, columns=["event", "date", "z"])


@pytest.mark.parametrize("missing", [0.0, 0.02])
@pytest.mark.parametrize("standardised", [True, False])
def test_it_equals_the_formula_on_the_event_days(standardised: bool, missing: float) -> None:
    case = make.case(np.random.default_rng(7), n=40, study_spec=SPEC, missing=missing)
    found = answer(case, STANDARDISED if standardised else PLAIN)
    for window in range(2):
        rows = event_days(case, window, standardised)
        t = two_way_t(rows["z"], rows["event"], rows["date"])
        n_events, n_dates = rows["event"].nunique(), rows["date"].nunique()
        assert found.statistic[0, window] == pytest.approx(t, rel=1e-9)
        assert found.df[0, window] == min(n_events, n_dates) - 1
        assert found.p[0, window] == pytest.approx(2 * stats.t.sf(abs(t), min(n_events, n_dates) - 1), rel=1e-8)
        assert found.note[0, window] == f"{n_events} events on {n_dates} dates"


def test_it_equals_statsmodels_but_for_the_factors_of_small_samples() -> None:
    rows = event_days(make.case(np.random.default_rng(3), n=40, study_spec=SPEC, missing=0.0), 0, True)
    groups = rows[["event", "date"]].to_numpy()
    fit = sm.OLS(rows["z"], np.ones(len(rows))).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    parts = [(rows["event"],), (rows["date"],), (rows["event"], rows["date"])]
    raw = [by_clusters(rows["z"], *keys) * (1 - 1 / rows.groupby([key.name for key in keys]).ngroups) for keys in parts]
    assert float(np.asarray(fit.bse)[0]) == pytest.approx(np.sqrt(raw[0] + raw[1] - raw[2]), rel=1e-10)


def test_few_events_or_dates_have_no_value_and_a_reason() -> None:
    few = answer(make.case(np.random.default_rng(1), n=8, study_spec=SPEC), STANDARDISED)
    assert np.isnan(few.statistic).all()
    assert "fewer than 12 events" in few.note[0, 0]
    one_date = answer(
        make.case(np.random.default_rng(1), n=30, kind="same_day", study_spec=SPEC, missing=0.0), STANDARDISED
    )
    assert np.isnan(one_date.p).all()
    assert "fewer than 12 dates" in one_date.note[0, 0]


def test_an_option_that_is_no_truth_value_is_refused() -> None:
    with pytest.raises(es.InputError, match="give True or False"):
        es.test("two_way", standardised="no")


@pytest.mark.slow
def test_size_over_long_windows_that_overlap() -> None:
    """Noise correlated 0.1 by date, dates within 500 sessions, windows of 60 days after 120 of estimation.

    Within 100 sessions the error of the parameters that events share, which it leaves out, makes it 7 to 8 %.
    """
    spec = make.spec(120, ((0, 59),), event=(0, 59))
    found = Sizes(batches(together(spec, 40, 500, 0.1), {"it": STANDARDISED}, 1000, seed=53))
    assert np.isfinite(found.p["it"]).all()
    assert 0.03 <= found.of("it")[0] <= 0.065, found.of("it")
