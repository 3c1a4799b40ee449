"""The elastic net against its first-order conditions, a plain loop of coordinate descent, and scikit-learn's choice."""

from __future__ import annotations

import builtins
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import ElasticNetCV

import eventstudy as es
from eventstudy.models import elastic_net
from eventstudy.types import Block, Status
from tests.models.untreated import N_EST, by_hand, draw


def standardised(block: Block, i: int) -> tuple[np.ndarray, ...]:
    """Give an event's days, returns, standardised peers on its days, and those of the estimation window."""
    days, y, _, rows = by_hand(block, i)
    before = days < N_EST
    z = (rows - rows[before].mean(axis=0)) / rows[before].std(axis=0)
    scaled = (y[before] - y[before].mean()) / y[before].std()
    return days, y, z, before, scaled


def solve(z: np.ndarray, y: np.ndarray, penalty: float, share: float) -> np.ndarray:
    """Minimise by cyclic coordinate descent (Friedman, Hastie & Tibshirani 2010), y and z centred."""
    b = np.zeros(z.shape[1])
    own = (z**2).mean(axis=0) + penalty * (1 - share)
    for _ in range(2000):
        last = b.copy()
        for d in range(len(b)):
            towards = z[:, d] @ (y - z @ b + z[:, d] * b[d]) / len(y)
            b[d] = np.sign(towards) * max(abs(towards) - penalty * share, 0) / own[d]
        if np.abs(b - last).max() < 1e-15:
            break
    return b


@pytest.mark.thorough
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_abnormal_returns_agree_with_coordinate_descent_at_the_penalty_that_is_reported(share: float):
    block = draw(n=8, missing=0.06).block
    made = es.model("elastic_net", l1_ratio=(share,)).fit(block)
    assert (made.status == Status.OK).all()
    for i in range(len(block.r)):
        days, y, z, before, scaled = standardised(block, i)
        alpha, n_selected, penalty = made.coef[i]
        b = solve(z[before], scaled, penalty, share)
        wanted = y - y[before].mean() - y[before].std() * (z @ b)
        np.testing.assert_allclose(made.ar[i, days], wanted, atol=1e-13)
        assert n_selected == np.count_nonzero(b)
        assert made.dof[i] == before.sum() - 1 - n_selected
        np.testing.assert_allclose(made.sigma[i], np.sqrt((wanted[before] ** 2).sum() / made.dof[i]), rtol=1e-11)
        np.testing.assert_allclose(made.r2[i], 1 - (wanted[before] ** 2).mean() / y[before].var(), rtol=1e-11)
        peers = np.array(by_hand(block, i)[3])
        raw = b * y[before].std() / peers[before].std(axis=0)
        np.testing.assert_allclose(alpha, y[before].mean() - raw @ peers[before].mean(axis=0), atol=1e-15)
        gradient = z[before].T @ (scaled - z[before] @ b) / before.sum() - penalty * (1 - share) * b
        assert (np.abs(gradient) <= penalty * share + 1e-12).all()
        x = np.column_stack([np.ones(len(days)), z[:, b != 0]])
        inverse = np.linalg.inv(x[before].T @ x[before])
        np.testing.assert_allclose(made.h[i, days] @ made.h[i, days].T, x @ inverse @ x.T, atol=1e-12)


@pytest.mark.thorough
def test_penalty_and_share_are_those_that_scikit_learn_tunes_on_the_same_blocks_of_days():
    block = draw(n=10).block
    shares, n_folds, n_penalties = (0.2, 0.6, 1.0), 5, 20
    made = es.model("elastic_net", l1_ratio=shares, n_folds=n_folds, n_penalties=n_penalties).fit(block)
    chosen = set()
    for i in range(len(block.r)):
        _, _, z, before, scaled = standardised(block, i)
        blocks = np.arange(N_EST).reshape(n_folds, -1)
        cv = [(np.setdiff1d(np.arange(N_EST), fold), fold) for fold in blocks]
        net = ElasticNetCV(
            l1_ratio=shares, alphas=n_penalties, eps=elastic_net.LOWEST, cv=cv, tol=1e-8, max_iter=100_000
        )
        net.fit(z[before], scaled)
        np.testing.assert_allclose(made.coef[i, 2], net.alpha_, rtol=1e-10)
        assert made.coef[i, 1] == np.count_nonzero(net.coef_)
        wanted = scaled - net.predict(z[before])
        # The gap at which scikit-learn stops, 1e-8 of the squares, leaves coefficients to its root.
        np.testing.assert_allclose(made.ar[i, :N_EST], block.r[i, :N_EST].std() * wanted, atol=3e-5 * 0.02)
        chosen.add(net.l1_ratio_)
    assert len(chosen) > 1


@pytest.mark.thorough
def test_more_peers_than_days_still_have_an_answer():
    drawn = draw(n=4, n_peers=150)
    made = es.model("elastic_net", l1_ratio=(1.0,), n_penalties=15).fit(drawn.block)
    assert (made.status == Status.OK).all()
    assert (made.dof > 60).all()
    assert np.sqrt(((made.ar[:, N_EST:] - drawn.true) ** 2).mean()) < 0.008


def test_peers_that_repeat_each_other_still_have_an_answer():
    block = draw(n=3).block
    assert block.peers is not None
    twice = np.concatenate([block.peers, block.peers], axis=2)
    for shares in ((1.0,), (0.5,)):
        model = es.model("elastic_net", l1_ratio=shares)
        made = model.fit(replace(block, peers=twice))
        assert (made.status == Status.OK).all()
        assert (np.abs(made.h).max(axis=(1, 2)) < 1).all()
    np.testing.assert_allclose(
        es.model("elastic_net", l1_ratio=(1.0,)).fit(replace(block, peers=twice)).ar,
        es.model("elastic_net", l1_ratio=(1.0,)).fit(block).ar,
        atol=1e-9,  # which of the two is kept is the optimiser's choice; their sum is not
    )


def test_an_optimiser_that_gives_up_is_not_converged(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(elastic_net, "MAX_ITER", 2)
    made = es.model("elastic_net").fit(draw(n=3).block)
    assert (made.status == Status.NOT_CONVERGED).all()
    assert np.isnan(made.sigma).all()
    assert np.isnan(made.coef).all()
    assert np.isfinite(made.ar).all()


def test_fewer_days_than_two_a_block_are_too_few():
    block = draw(n=3).block
    ok = block.ok.copy()
    ok[1, 9:N_EST] = False
    status = es.model("elastic_net").fit(replace(block, ok=ok)).status
    np.testing.assert_array_equal(status, [Status.OK, Status.TOO_FEW_ESTIMATION, Status.OK])


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    load = builtins.__import__

    def refuse(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return load(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(es.InputError, match=r'pip install "\.\[models\]"'):
        es.model("elastic_net").fit(draw(n=2).block)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"l1_ratio": ()}, r"l1_ratio of the elastic_net model is \(\); give a list of numbers above 0 and at most 1"),
        ({"l1_ratio": (0.5, 0.0)}, "l1_ratio of the elastic_net model is"),
        ({"l1_ratio": 0.5}, "l1_ratio of the elastic_net model is 0.5"),
        ({"l1_ratio": "0.5"}, "l1_ratio of the elastic_net model is '0.5'"),
        ({"n_folds": 1}, "n_folds of the elastic_net model is 1; give a whole number 2 to 50"),
        ({"n_penalties": 2.0}, "n_penalties of the elastic_net model is 2.0; give a whole number 2 to 1000"),
    ],
)
def test_options_that_are_not_valid(options: dict[str, Any], says: str):
    with pytest.raises(es.InputError, match=says):
        es.model("elastic_net", **options)
