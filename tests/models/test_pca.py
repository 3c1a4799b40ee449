"""The regression on principal components against scikit-learn and statsmodels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

import eventstudy as es
from eventstudy.types import Status
from tests.models.untreated import N_EST, by_hand, draw


@pytest.mark.parametrize("n_components", [1, 3, 6])
def test_coefficients_and_abnormal_returns_agree_with_scikit_learn_and_statsmodels(n_components: int):
    block = draw(missing=0.06).block
    made = es.model("pca", n_components=n_components).fit(block)
    assert (made.status == Status.OK).all()
    for i in range(len(block.r)):
        days, y, _, rows = by_hand(block, i)
        before = days < N_EST
        scaler = StandardScaler().fit(rows[before])
        pca = PCA(n_components, svd_solver="full").fit(scaler.transform(rows[before]))
        # The sign that svd_flip gives: a component's largest loading is positive.
        largest = pca.components_[np.arange(n_components), np.abs(pca.components_).argmax(axis=1)]
        scores = pca.transform(scaler.transform(rows)) * np.sign(largest)
        design = sm.add_constant(scores)
        ols = sm.OLS(y[before], design[before]).fit()
        np.testing.assert_allclose(made.coef[i], ols.params, rtol=1e-9, atol=1e-13)  # eigenvectors of a correlation
        np.testing.assert_allclose(made.ar[i, days], y - design @ ols.params, atol=1e-14)
        np.testing.assert_allclose(made.sigma[i], np.sqrt(ols.mse_resid), rtol=1e-11)
        np.testing.assert_allclose(made.r2[i], ols.rsquared, rtol=1e-10)
        leverage = ols.get_influence().hat_matrix_diag
        np.testing.assert_allclose((made.h[i, days[before]] ** 2).sum(axis=1), leverage, rtol=1e-8, atol=1e-12)
        assert made.dof[i] == before.sum() - 1 - n_components


def test_two_components_explain_what_two_factors_do():
    """With peers in number and little noise the scores span the factors, so r2 is that of the factors themselves."""
    drawn = draw(n=10, n_peers=60, noise=0.002)
    made = es.model("pca", n_components=2).fit(drawn.block)
    rmse = np.sqrt(((made.ar[:, N_EST:] - drawn.true) ** 2).mean())
    assert rmse < 0.001  # half the noise
    assert (made.r2 > 0.95).all()


@pytest.mark.parametrize(("n_peers", "status"), [(3, Status.NO_PEERS), (4, Status.OK)])
def test_peers_must_outnumber_the_components(n_peers: int, status: Status):
    block = draw(n=3, n_peers=n_peers).block
    made = es.model("pca", n_components=3).fit(block)
    assert (made.status == status).all()
    assert np.isnan(made.coef).all() == (status != Status.OK)


@pytest.mark.parametrize("value", [0, 21, 2.0, "3"])
def test_options_that_are_not_valid(value: Any):
    with pytest.raises(es.InputError, match=r"n_components of the pca model is .*; give a whole number 1 to 20"):
        es.model("pca", n_components=value)
