"""Trade-to-trade returns: held to weighted least squares of statsmodels, and to the variance of spanned returns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from eventstudy.core.scores import standardise
from eventstudy.models.market import Market
from eventstudy.models.trade_to_trade import MODEL
from eventstudy.types import Block, Status
from tests import make


def thin(n: int = 25, seed: int = 1, n_est: int = 60, n_evt: int = 11) -> Block:
    """Draw returns that span the sessions since the previous price, with the variance that belongs to them."""
    rng = np.random.default_rng(seed)
    given = make.block(rng, MODEL.columns, n=n, n_est=n_est, n_evt=n_evt)
    days = np.where(given.ok, given.x[..., 0], 1.0)
    market = 0.01 * np.sqrt(days) * rng.standard_normal(days.shape)
    r = 0.001 * days + 0.9 * market + 0.02 * np.sqrt(days) * rng.standard_normal(days.shape)
    x = np.where(given.ok[..., None], np.stack([days, market], axis=-1), 0.0)
    return replace(given, r=np.where(given.ok, r, 0.0), x=x)


def test_it_is_weighted_least_squares_of_statsmodels() -> None:
    given = thin()
    made = MODEL.fit(given)
    for i in range(len(given.r)):
        est = np.flatnonzero(given.ok[i, : given.n_est])
        days, market = given.x[i].T
        design = np.column_stack([days, market])
        fit = sm.WLS(given.r[i, est], design[est], weights=1 / days[est]).fit()
        np.testing.assert_allclose(made.coef[i], fit.params, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(made.sigma[i] ** 2, fit.scale, rtol=1e-10)
        assert made.dof[i] == fit.df_resid
        ok = given.ok[i]
        np.testing.assert_allclose(made.ar[i, ok], given.r[i, ok] - design[ok] @ fit.params, atol=1e-13)
        evt = given.n_est + np.flatnonzero(ok[given.n_est :])
        w = np.linspace(-1.0, 2.0, len(evt))
        own = w @ design[evt]
        wanted = fit.scale * (w**2 @ days[evt]) + own @ fit.cov_params() @ own
        found = made.sigma[i] ** 2 * (w**2 @ made.v[i, evt] + ((w @ made.h[i, evt]) ** 2).sum())
        np.testing.assert_allclose(found, wanted, rtol=1e-10)
        mean = sm.WLS(given.r[i, est], days[est], weights=1 / days[est]).fit()
        np.testing.assert_allclose(made.r2[i], 1 - fit.ssr / mean.ssr, rtol=1e-9)


def test_a_price_every_session_is_the_market_model() -> None:
    given = thin()
    x = given.x.copy()
    x[..., 0] = 1.0
    found = MODEL.fit(replace(given, x=x))
    wanted = Market().fit(replace(given, x=x[..., 1:]))
    for name in ("ar", "sigma", "dof", "h", "coef", "r2", "status"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-13, atol=1e-15, err_msg=name)
    np.testing.assert_array_equal(found.v, 1.0)


def test_a_constant_added_to_every_session_moves_only_alpha() -> None:
    given = thin()
    made, moved = MODEL.fit(given), MODEL.fit(replace(given, r=given.r + 0.25 * given.x[..., 0]))
    np.testing.assert_allclose(moved.ar, made.ar, atol=1e-13)
    np.testing.assert_allclose(moved.coef - made.coef, np.tile([0.25, 0.0], (len(made.coef), 1)), atol=1e-11)


@pytest.mark.thorough
def test_standardised_abnormal_returns_have_one_variance_whatever_they_span() -> None:
    given = thin(n=4000, seed=2, n_est=100, n_evt=5)
    made = MODEL.fit(given)
    _, sar = standardise(made)
    ok, days = given.ok[:, 100:], given.x[:, 100:, 0]
    for spanned in (1.0, 2.0, 4.0):
        its = sar[ok & (days == spanned)]
        # variance of t(M - 2), M about 95; 4 standard errors of the variance of some 4000 to 12000 values
        np.testing.assert_allclose(its.var(), 93 / 91, atol=4 * np.sqrt(2.1 / len(its)))
        plain = Market().fit(replace(given, x=given.x[..., 1:]))
        unscaled = standardise(plain)[1][ok & (days == spanned)]
        assert spanned == 2.0 or abs(np.log(unscaled.var())) > 0.4


def test_returns_that_are_alpha_alone_are_no_variation_and_touch_no_other() -> None:
    given = thin()
    r = given.r.copy()
    r[3] = 0.002 * given.x[3, :, 0]
    with np.errstate(all="raise", under="ignore"):
        made = MODEL.fit(replace(given, r=r))
    assert made.status[3] == Status.NO_VARIATION
    assert np.isnan([made.sigma[3], made.r2[3]]).all()
    wanted = MODEL.fit(given)
    np.testing.assert_allclose(np.delete(made.ar, 3, axis=0), np.delete(wanted.ar, 3, axis=0), atol=1e-15)
