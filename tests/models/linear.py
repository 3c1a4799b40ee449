"""What the tests of models share whose abnormal returns are linear in the returns: one event by hand, and sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import stats

from eventstudy.core.scores import scores, standardise
from eventstudy.types import Block, Model, Status
from tests import make


def operator(model: Model, given: Block, event: int) -> np.ndarray:
    """Give AR = B R of one event, (n_est, L): row i is what one unit of return on estimation day i does to every day.

    It is found by asking for a block of events that have the regressors of this one, and such returns.
    """
    n = given.n_est
    flat = np.zeros(n, dtype=np.int64)
    unit = replace(
        given,
        r=np.eye(n, given.r.shape[1]),
        ok=np.repeat(given.ok[[event]], n, axis=0),
        x=np.repeat(given.x[[event]], n, axis=0),
        id=np.arange(n),
        cluster=flat,
        group=flat,
        weight=np.ones(n),
    )
    return model.fit(unit).ar


def the_variances_are_those_of_a_linear_estimator(model: Model, given: Block, event: int) -> None:
    """Hold h and v to the variances that follow from the operator for errors of variance 1, exactly."""
    found, b = model.fit(given), operator(model, given, event)
    assert found.v is not None
    n, h, v = given.n_est, found.h[event], found.v[event]
    estimated = found.ok[event, :n]
    own = (b[:, :n] ** 2).sum(axis=0)[estimated]
    np.testing.assert_allclose((v[:n] - (h[:n] ** 2).sum(axis=1))[estimated], own, rtol=1e-11, atol=1e-13)
    valid = found.ok[event, n:]
    for w in (np.eye(len(valid))[4], np.ones(len(valid)), np.linspace(-1.0, 2.0, len(valid))):
        w = w * valid
        wanted = w @ w + ((b[:, n:] @ w) ** 2).sum()
        np.testing.assert_allclose(w**2 @ v[n:] + ((w @ h[n:]) ** 2).sum(), wanted, rtol=1e-12)


def simulate(model: Model, n: int, n_est: int, seed: int) -> dict[str, np.ndarray]:
    """Draw events that follow the market model with normal errors of variance 4, and fit a model to them.

    Gives p (n, 3) of the CARs of day 0, of days 0 to 4 and of all eleven, by Student's t; sigma (n,), and the squared
    standardised residuals and abnormal returns (n, L), NaN where not ok.
    """
    rng = np.random.default_rng(seed)
    given = make.block(rng, model.columns, n=n, n_est=n_est, missing=0.02)
    own = next(k for k, c in enumerate(model.columns) if c.shift == 0)
    r = np.where(given.ok, 0.3 + 90.0 * given.x[..., own] + 2.0 * rng.standard_normal(given.r.shape), 0.0)
    made = model.fit(replace(given, r=r))
    assert (made.status == Status.OK).all()
    spec = make.spec(n_est, windows=((0, 0), (0, 4), (-5, 5)), min_coverage=0.1)
    z = scores(made, spec).z
    scored = scores(made, spec).ok
    p = np.where(scored, 2 * stats.t.sf(np.abs(z), made.dof[:, None]), np.nan)
    squares = np.where(made.ok, np.hstack(standardise(made)) ** 2, np.nan)
    return {"p": p, "sigma": made.sigma, "squares": squares, "dof": made.dof}


def size(p: np.ndarray) -> np.ndarray:
    """Give the share of p-values of 5 % or less by window."""
    return np.asarray(np.nanmean(p <= 0.05, axis=0))
