"""Helpers of the tests of models whose abnormal returns are linear in returns: one event by hand, and sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import stats

from eventstudy.core.scores import scores, standardise
from eventstudy.types import Block, Model, Status
from tests import make


def operator(model: Model, block: Block, event: int) -> np.ndarray:
    """Return B, (n_est, L), of AR = B R of one event: row i is the effect of a unit return on estimation day i.

    The model is fitted to a block of n_est events with the regressors of this event and unit returns.
    """
    n = block.n_est
    flat = np.zeros(n, dtype=np.int64)
    units = replace(
        block,
        r=np.eye(n, block.r.shape[1]),
        ok=np.repeat(block.ok[[event]], n, axis=0),
        x=np.repeat(block.x[[event]], n, axis=0),
        id=np.arange(n),
        cluster=flat,
        group=flat,
        weight=np.ones(n),
    )
    return model.fit(units).ar


def the_variances_are_those_of_a_linear_estimator(model: Model, block: Block, event: int) -> None:
    """Compare h and v with the variances that follow from the operator for errors of variance 1."""
    abnormal, b = model.fit(block), operator(model, block, event)
    assert abnormal.v is not None
    n, h, v = block.n_est, abnormal.h[event], abnormal.v[event]
    estimated = abnormal.ok[event, :n]
    variances = (b[:, :n] ** 2).sum(axis=0)[estimated]
    np.testing.assert_allclose((v[:n] - (h[:n] ** 2).sum(axis=1))[estimated], variances, rtol=1e-11, atol=1e-13)
    valid = abnormal.ok[event, n:]
    for w in (np.eye(len(valid))[4], np.ones(len(valid)), np.linspace(-1.0, 2.0, len(valid))):
        w = w * valid
        expected = w @ w + ((b[:, n:] @ w) ** 2).sum()
        np.testing.assert_allclose(w**2 @ v[n:] + ((w @ h[n:]) ** 2).sum(), expected, rtol=1e-12)


def simulate(model: Model, n: int, n_est: int, seed: int) -> dict[str, np.ndarray]:
    """Draw events that follow the market model with normal errors of variance 4, and fit a model to them.

    Returns p (n, 3) of the CARs of day 0, of days 0 to 4 and of all eleven, by Student's t; sigma (n,), and the squared
    standardised residuals and abnormal returns (n, L), NaN where not ok.
    """
    rng = np.random.default_rng(seed)
    block = make.block(rng, model.columns, n=n, n_est=n_est, missing=0.02)
    market = next(k for k, c in enumerate(model.columns) if c.shift == 0)
    r = np.where(block.ok, 0.3 + 90.0 * block.x[..., market] + 2.0 * rng.standard_normal(block.r.shape), 0.0)
    abnormal = model.fit(replace(block, r=r))
    assert (abnormal.status == Status.OK).all()
    spec = make.spec(n_est, windows=((0, 0), (0, 4), (-5, 5)), min_coverage=0.1)
    z = scores(abnormal, spec).z
    valid = scores(abnormal, spec).ok
    p = np.where(valid, 2 * stats.t.sf(np.abs(z), abnormal.dof[:, None]), np.nan)
    squares = np.where(abnormal.ok, np.hstack(standardise(abnormal)) ** 2, np.nan)
    return {"p": p, "sigma": abnormal.sigma, "squares": squares, "dof": abnormal.dof}


def size(p: np.ndarray) -> np.ndarray:
    """Return the share of p-values of 5 % or less by window."""
    return np.asarray(np.nanmean(p <= 0.05, axis=0))
