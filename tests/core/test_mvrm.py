"""The multivariate regression against univariate and multivariate least squares with a dummy for each event day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.multivariate.multivariate_ols import _MultivariateOLS

from eventstudy import _registry
from eventstudy.core.run import run
from eventstudy.errors import InputError
from eventstudy.inference import mvrm
from eventstudy.types import Test, Verdict
from tests import make
from tests.make import Case, columns_of
from tests.simulation.sizes import LEVEL, returns

MARKET = _registry.load("models", "market")
BROWN_WARNER = _registry.load("inference", "brown_warner")
JOINT = mvrm.make("joint")
DAY = 75


def one_date(n: int = 8, seed: int = 31, missing: float = 0.0, n_est: int = 60) -> Case:
    rng = np.random.default_rng(seed)
    common = 0.01 * rng.standard_normal(n_est + 40)
    panel = make.panel(rng, assets=n, days=n_est + 40)
    panel = replace(panel, r=panel.r + common)
    if missing:
        ok = rng.random(panel.r.shape) >= missing
        panel = replace(panel, r=np.where(ok, panel.r, 0.0), ok=ok)
    return make.place([panel], make.spec(n_est), [(0, asset, n_est + 15) for asset in range(n)])


def answer(case: Case, *tests: Test) -> list[Verdict]:
    named = {str(k): test for k, test in enumerate(tests or (mvrm.TEST, JOINT))}
    return list(run(case.panels, case.placed, MARKET, named, case.sample).verdicts.values())


def regression(case: Case, window: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give returns (T + L, N), the design with a dummy a day, and the contrast that sums the dummies."""
    its, day = case.sample.spec, int(case.placed.day[0])
    length = int(its.weights[window].sum())
    columns = day + its.offsets[np.concatenate([np.arange(its.n_est), columns_of(its, window)])]
    dummies = np.vstack([np.zeros((its.n_est, length)), np.eye(length)])
    design = np.column_stack([np.ones(len(columns)), case.panels[0].x[columns], dummies])
    return case.panels[0].r[:, columns].T, design, np.array([[0.0, 0.0] + [1.0] * length])


@pytest.mark.parametrize("window", [0, 1, 2])
def test_the_mean_effect_is_the_t_of_the_dummies_in_a_regression_of_the_average_return(window: int) -> None:
    case = one_date()
    found = answer(case)[0]
    y, x, contrast = regression(case, window)
    wanted = sm.OLS(y.mean(axis=1), x).fit().t_test(contrast)
    assert found.statistic[0, window] == pytest.approx(float(wanted.tvalue.item()), rel=1e-10)
    assert found.p[0, window] == pytest.approx(float(wanted.pvalue), rel=1e-9)
    assert found.df[0, window] == wanted.df_denom == 58


@pytest.mark.parametrize("n", [2, 8, 40])
@pytest.mark.parametrize("window", [0, 1, 2])
def test_the_joint_f_is_that_of_the_multivariate_regression(window: int, n: int) -> None:
    case = one_date(n)
    mean, joint = answer(case)
    y, x, contrast = regression(case, window)
    table = _MultivariateOLS(y, x).fit().mv_test([("sum", contrast)]).results["sum"]["stat"]
    wanted = table.loc["Wilks' lambda"].astype(float)
    assert joint.statistic[0, window] == pytest.approx(wanted["F Value"], rel=1e-9)
    assert joint.p[0, window] == pytest.approx(wanted["Pr > F"], rel=1e-8)
    assert joint.df[0, window] == wanted["Den DF"] == 58 - n + 1
    assert wanted["Num DF"] == n
    told = f"F({n}, {58 - n + 1})"
    assert joint.note[0, window] == told
    assert mean.note[0, window] == f"joint {told} = {wanted['F Value']:.2f}, p = {wanted['Pr > F']:.3f}"


def test_the_mean_effect_is_brown_warner_on_one_date_with_the_forecast_correction() -> None:
    """One divides the average residual's squares by T - 1 and the sum by L, the other by T - K and by V.

    With an intercept the average residual has mean zero, so that A^2 (T - 1) = 1'S1 (T - K) / N^2.
    """
    case = one_date()
    mean, brown_warner = answer(case, mvrm.TEST, BROWN_WARNER)
    fit = make.fits(case)[0]
    for window, length in enumerate((1, 3, 11)):
        factor = fit.car(columns_of(case.sample.spec, window))[1] / fit.sigma**2
        corrected = brown_warner.statistic[0, window] * np.sqrt(length / factor * 58 / 59)
        assert mean.statistic[0, window] == pytest.approx(corrected, rel=1e-10)


def test_one_event_has_the_t_of_its_own_car_and_f_is_its_square() -> None:
    case = one_date(1)
    mean, joint = answer(case)
    fit = make.fits(case)[0]
    for window in range(3):
        car, variance, _ = fit.car(columns_of(case.sample.spec, window))
        assert mean.statistic[0, window] == pytest.approx(car / np.sqrt(variance), rel=1e-10)
        assert joint.statistic[0, window] == pytest.approx(car**2 / variance, rel=1e-10)
        assert joint.p[0, window] == pytest.approx(mean.p[0, window], rel=1e-9)


@pytest.mark.parametrize("n", [57, 58, 70])
def test_as_many_events_as_degrees_of_freedom_have_a_mean_effect_and_no_joint_f(n: int) -> None:
    mean, joint = answer(one_date(n))
    assert np.isfinite(mean.statistic).all()
    assert (joint.n == n).all()
    if n < 58:
        assert np.isfinite(joint.statistic).all()
    else:
        assert np.isnan(joint.statistic).all()
        assert np.isnan(joint.p).all()
        assert set(joint.note.ravel()) == {f"{n} events are not fewer than T - K = 58"}
        assert set(mean.note.ravel()) == {f"no joint F: {n} events are not fewer than T - K = 58"}


def test_two_dates_have_a_reason() -> None:
    case = one_date()
    where = [(0, asset, DAY + asset // 7) for asset in range(8)]
    for found in answer(make.place(case.panels, case.sample.spec, where)):
        assert np.isnan(found.statistic).all()
        assert set(found.note.ravel()) == {"the events do not share one date"}
        assert (found.n == 8).all()


def test_each_group_needs_one_date_and_may_have_its_own() -> None:
    case = one_date()
    where = [(0, asset, DAY + asset // 4) for asset in range(8)]
    both = answer(make.place(case.panels, case.sample.spec, where, [0] * 4 + [1] * 4))[0]
    for group in range(2):
        alone = answer(make.place(case.panels, case.sample.spec, where[4 * group : 4 * group + 4]))[0]
        np.testing.assert_allclose(both.statistic[group], alone.statistic[0], rtol=1e-12)
    mixed = answer(make.place(case.panels, case.sample.spec, where, [0] * 2 + [1] * 6))[0]
    assert np.isnan(mixed.statistic).all()
    assert set(mixed.note[1]) == {"the events do not share one date"}
    assert all("another group" in note for note in mixed.note[0])


def test_a_series_that_repeats_another_has_no_joint_f_and_counts_in_the_mean() -> None:
    case = one_date(3)
    twice = replace(case.panels[0], r=case.panels[0].r[[0, 1, 1]])
    mean, joint = answer(case._replace(panels=[twice]))
    assert np.isnan(joint.statistic).all()
    assert set(joint.note.ravel()) == {"the residuals are linearly dependent"}
    y, x, contrast = regression(case._replace(panels=[twice]), 1)
    assert mean.statistic[0, 1] == pytest.approx(
        float(sm.OLS(y.mean(axis=1), x).fit().t_test(contrast).tvalue.item()), rel=1e-10
    )


def test_events_with_missing_days_are_left_out_and_counted() -> None:
    case = one_date(10)
    ok = case.panels[0].ok.copy()
    ok[2, DAY - 30] = ok[5, DAY + 4] = False  # one in the estimation window, one in the widest window alone
    ok[:, DAY - 40] = False  # a day that nobody has is no missing day
    ok[7, DAY - 40] = True  # but one who has it has other days than the rest
    holes = case._replace(panels=[replace(case.panels[0], r=np.where(ok, case.panels[0].r, 0.0), ok=ok)])
    mean, joint = answer(holes)
    for window, out in enumerate(([2, 7], [2, 7], [2, 5, 7])):
        rest = np.setdiff1d(np.arange(10), out)
        placed = make.place(holes.panels, holes.sample.spec, [(0, int(a), DAY) for a in rest])
        for found, wanted in zip((mean, joint), answer(placed), strict=True):
            assert found.statistic[0, window] == pytest.approx(wanted.statistic[0, window], rel=1e-12)
            assert found.n[0, window] == len(rest)
            assert found.df[0, window] == wanted.df[0, window]
            # the CAR of 5 is missing in the widest window, so that it is lost before
            left = f"; {len(out) - (window == 2)} left out for other valid days"
            assert found.note[0, window] == wanted.note[0, window] + left


def test_events_of_which_none_has_the_usual_days_have_a_reason() -> None:
    case = one_date(5)
    ok = case.panels[0].ok.copy()
    ok[np.arange(5), DAY - 50 + np.arange(5)] = False
    for found in answer(case._replace(panels=[replace(case.panels[0], r=np.where(ok, case.panels[0].r, 0), ok=ok)])):
        assert np.isnan(found.statistic).all()
        assert set(found.note.ravel()) == {"no event has the days that most events have"}
        assert (found.n == 0).all()


def test_regressors_that_differ_among_the_events_have_a_reason() -> None:
    case = one_date(6)
    other = replace(case.panels[0], x=case.panels[0].x[::-1])
    placed = case.placed._replace(panel=np.arange(6) % 2)
    for found in answer(case._replace(panels=[case.panels[0], other], placed=placed)):
        assert np.isnan(found.statistic).all()
        assert set(found.note.ravel()) == {"the regressors, or the model's weights, differ among the events"}
        assert (found.n == 6).all()


def test_reactions_that_cancel_out_are_found_jointly_and_not_in_the_mean() -> None:
    case = one_date(8)
    r = case.panels[0].r.copy()
    r[:, DAY] += 0.12 * np.array([1, -1] * 4)
    mean, joint = answer(case._replace(panels=[replace(case.panels[0], r=r)]))
    assert mean.p[0, 0] == pytest.approx(answer(case)[0].p[0, 0], rel=1e-9)
    assert joint.p[0, 0] < 0.001 < answer(case)[1].p[0, 0]


def test_an_effect_that_is_not_known_is_an_error() -> None:
    with pytest.raises(InputError, match=r"effect of the mvrm test is 'sum'; valid are 'mean', 'joint'"):
        mvrm.make("sum")


@pytest.mark.slow
def test_size_of_both_effects_on_one_date() -> None:
    """Exact under normality: 20 events with correlation 0.3 and 60 estimation days, 4,000 replications."""
    its, n, count = make.spec(60), 20, 400
    rates = []
    for child in np.random.SeedSequence(32).spawn(10):
        rng = np.random.default_rng(child)
        days = 90
        panels = [returns(rng, n, days, np.concatenate([[0.3], rng.standard_normal(days)])) for _ in range(count)]
        where = [(k, asset, DAY) for k in range(count) for asset in range(n)]
        case = make.place(panels, its, where, np.repeat(np.arange(count), n).tolist())
        rates.append([(found.p < LEVEL).mean(axis=0) for found in answer(case)])
    rate = np.mean(rates, axis=0)
    assert np.abs(rate - LEVEL).max() < 3.5 * np.sqrt(LEVEL * (1 - LEVEL) / 4000), rate
