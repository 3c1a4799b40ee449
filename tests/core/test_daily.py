"""Average abnormal returns and their band, against pandas by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from eventstudy import _registry
from eventstudy.core.run import run
from tests import make

MARKET = _registry.load("models", "market")


def daily(case: make.Case) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    outcome = run(case.panels, case.placed, MARKET, {}, case.sample)
    return outcome.shared["daily"], dict(outcome.singles)


def frame_of(single: dict[str, np.ndarray], case: make.Case) -> pd.DataFrame:
    return pd.DataFrame(single["ar"], index=single["id"], columns=case.sample.spec.days).sort_index()


def halted(case: make.Case, event: int, day: int) -> make.Case:
    panels = [replace(p, ok=p.ok.copy()) for p in case.panels]
    placed = case.placed
    panels[placed.panel[event]].ok[placed.asset[event], placed.day[event] + day] = False
    return case._replace(panels=panels)


def test_averages_and_band_of_independent_events_are_those_of_pandas() -> None:
    case = halted(halted(make.case(np.random.default_rng(1), n=15, kind="independent", missing=0.0), 3, -2), 7, 4)
    found, single = daily(case)
    ar = frame_of(single, case)
    np.testing.assert_array_equal(found["n"][0], ar.count())
    assert found["n"][0].tolist() == [15, 15, 15, 14, 15, 15, 15, 15, 15, 14, 15]
    np.testing.assert_allclose(found["aar"][0], ar.mean(), rtol=1e-12)
    whole = ar.cumsum(axis=1, skipna=False)  # a CAR with a missing day is missing from then on
    np.testing.assert_allclose(found["caar"][0], whole.mean(), rtol=1e-12)
    se: pd.Series[float] = whole.std(ddof=1) / np.sqrt(whole.count())
    np.testing.assert_allclose(found["se"][0], se, rtol=1e-10)
    reach = stats.t.ppf(0.975, whole.count() - 1) * se
    np.testing.assert_allclose(found["lower"][0], whole.mean() - reach, rtol=1e-10)
    np.testing.assert_allclose(found["upper"][0], whole.mean() + reach, rtol=1e-10)


def test_the_band_widens_by_the_correlation_of_events_on_one_date() -> None:
    rng = np.random.default_rng(2)
    case = make.case(rng, n=20, kind="same_day", missing=0.0)
    common = 0.02 * rng.standard_normal(case.panels[0].r.shape[1])
    case = case._replace(panels=[replace(case.panels[0], r=case.panels[0].r + common)])
    found, single = daily(case)
    running = frame_of(single, case).cumsum(axis=1)
    e = np.array([fit.e[:60] for fit in make.fits(case)])
    z = e / np.sqrt((e**2).mean(axis=1, keepdims=True))
    correlation = z @ z.T / 60
    r = (correlation.sum() - 20) / (20 * 19)
    assert r > 0.2
    se = running.std(ddof=1) / np.sqrt(20) * np.sqrt((1 + 19 * r) / (1 - r))
    np.testing.assert_allclose(found["se"][0], se, rtol=1e-9)


def test_one_event_has_the_forecast_error_of_its_own_regression() -> None:
    case = make.case(np.random.default_rng(3), n=1, kind="independent", missing=0.0)
    found, _ = daily(case)
    (fit,) = make.fits(case)
    for day in range(11):
        caar, variance, _ = fit.car(np.arange(60, 60 + day + 1))
        se = float(np.sqrt(variance))
        reach = stats.t.ppf(0.975, 58) * se
        assert found["se"][0, day] == pytest.approx(se, rel=1e-10)
        assert found["caar"][0, day] == pytest.approx(caar, abs=1e-15)
        assert found["lower"][0, day] == pytest.approx(caar - reach, rel=1e-9)
        assert found["upper"][0, day] == pytest.approx(caar + reach, rel=1e-9)


def test_where_one_event_of_several_is_left_the_band_is_that_events_own() -> None:
    case = make.case(np.random.default_rng(4), n=3, kind="independent", missing=0.0)
    case = halted(halted(case, 0, 3), 1, 2)
    found, single = daily(case)
    asset, day = int(case.placed.asset[2]), int(case.placed.day[2])
    alone, _ = daily(make.place(case.panels, case.sample.spec, [(0, asset, day)]))
    assert np.isnan(single["ar"]).sum() == 2
    for name in ("caar", "se", "lower", "upper"):
        np.testing.assert_allclose(found[name][0, 8:], alone[name][0, 8:], rtol=1e-12, err_msg=name)


def test_a_day_on_which_no_event_is_valid_is_nan() -> None:
    case = make.case(np.random.default_rng(5), n=2, kind="independent", missing=0.0)
    found, _ = daily(halted(halted(case, 0, 0), 1, 0))
    assert found["n"][0, 5] == 0
    assert np.isnan(found["aar"][0, 5])
    for name in ("caar", "se", "lower", "upper"):
        np.testing.assert_array_equal(np.isnan(found[name][0]), [False] * 5 + [True] * 6, err_msg=name)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_no_number_of_events_gives_a_warning(n: int) -> None:
    with np.errstate(all="raise", under="ignore"):
        found, _ = daily(make.case(np.random.default_rng(6), n=n, missing=0.2))
    assert not np.isinf(found["se"]).any()
