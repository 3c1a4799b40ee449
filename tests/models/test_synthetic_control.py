"""The synthetic control against its first-order conditions, another optimiser, and known weights; its placebos."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

import eventstudy as es
from eventstudy.core.scores import scores
from eventstudy.core.singles import placebo_p
from eventstudy.models import synthetic_control
from eventstudy.types import Spec, Status
from tests.models.untreated import DAY, N_EST, N_EVT, by_hand, draw

ITS = Spec((-N_EST - 3, -4), (-3, 3), np.array([[0, 0], [-3, 3]]))


def weights_of(x: np.ndarray, y: np.ndarray, intercept: bool) -> np.ndarray:
    """Minimise the squared distance on the simplex by sequential quadratic programming."""
    x, y = (x - x.mean(axis=0), y - y.mean()) if intercept else (x, y)
    size = y.std()
    gram, towards = x.T @ x / size**2, x.T @ y / size**2
    n = x.shape[1]
    minimize: Any = optimize.minimize
    found = minimize(
        lambda w: 0.5 * w @ gram @ w - w @ towards,
        np.full(n, 1 / n),
        jac=lambda w: gram @ w - towards,
        bounds=[(0, 1)] * n,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(n)},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    return np.asarray(found.x)


def recovered(made: Any, block: Any, i: int) -> np.ndarray:
    """Read the weights from the abnormal returns: solve for what was taken off, over all days."""
    days, y, _, rows = by_hand(block, i)
    x = np.column_stack([np.ones(len(days)), rows])
    return np.asarray(np.linalg.lstsq(x, y - made.ar[i, days], rcond=None)[0])


@pytest.mark.thorough
@pytest.mark.parametrize("intercept", [False, True])
def test_weights_meet_the_first_order_conditions_and_agree_with_another_optimiser(intercept: bool):
    block = draw(missing=0.06).block
    made = es.model("synthetic_control", intercept=intercept).fit(block)
    assert (made.status == Status.OK).all()
    for i in range(len(block.r)):
        days, y, _, rows = by_hand(block, i)
        before = days < N_EST
        found = recovered(made, block, i)
        alpha, w = found[0], found[1:]
        np.testing.assert_allclose(w.sum(), 1, atol=1e-12)
        assert w.min() > -1e-13
        active = w > 1e-10
        x, r = rows[before], y[before]
        wanted_alpha = (r - x @ w).mean() if intercept else 0.0
        np.testing.assert_allclose(alpha, wanted_alpha, atol=1e-14)
        # Karush, Kuhn and Tucker: the gradient is the same at every active donor, and no smaller at the others.
        gradient = -x.T @ (r - x @ w - alpha) if not intercept else -(x - x.mean(axis=0)).T @ (r - x @ w - alpha)
        level = gradient[active].mean()
        scale = (r**2).sum()
        np.testing.assert_allclose(gradient[active], level, atol=1e-12 * scale)
        assert (gradient >= level - 1e-12 * scale).all()
        other = weights_of(x, r, intercept)
        np.testing.assert_allclose(w, other, atol=1e-5)  # SLSQP stops when the distance, not the weights, stands still
        assert ((r - x @ w - alpha) ** 2).sum() <= ((r - x @ other - alpha) ** 2).sum() * (1 + 1e-12)
        e = y - alpha - rows @ w
        np.testing.assert_allclose(made.ar[i, days], e, atol=1e-14)
        dof = before.sum() - active.sum() + 1 - intercept
        assert made.dof[i] == dof
        assert made.coef[i, -1] == active.sum()
        np.testing.assert_allclose(made.sigma[i], np.sqrt((e[before] ** 2).sum() / dof), rtol=1e-12)


def test_forecast_variance_is_that_of_least_squares_on_active_donors_that_sum_to_one():
    block = draw(n=6).block
    for intercept in (False, True):
        made = es.model("synthetic_control", intercept=intercept).fit(block)
        for i in range(6):
            assert block.peers is not None
            active = recovered(made, block, i)[1:] > 1e-10
            x = block.peers[i][:, active]
            if intercept:
                x = np.column_stack([x - x[:N_EST].mean(axis=0), np.ones(len(x))])
            # Equality-constrained least squares: the covariance of weights is projected on those that sum to 0.
            side = np.zeros((1, x.shape[1]))
            side[0, : active.sum()] = 1
            bordered = np.block([[x[:N_EST].T @ x[:N_EST], side.T], [side, np.zeros((1, 1))]])
            covariance = np.linalg.inv(bordered)[: x.shape[1], : x.shape[1]]
            np.testing.assert_allclose(made.h[i] @ made.h[i].T, x @ covariance @ x.T, atol=1e-12)


def test_known_weights_are_found():
    block = draw(n=5, n_peers=6).block
    assert block.peers is not None
    rng = np.random.default_rng(1)
    known = np.array([0.5, 0.3, 0.2, 0, 0, 0])
    r = block.peers @ known + 1e-7 * rng.standard_normal(block.r.shape)
    made = es.model("synthetic_control").fit(replace(block, r=r))
    for i in range(5):
        found = recovered(made, replace(block, r=r), i)[1:]
        np.testing.assert_allclose(found, known, atol=1e-5)
    np.testing.assert_allclose(made.sigma, 1e-7, rtol=0.3)


def test_a_security_that_is_one_of_its_donors_is_no_variation():
    block = draw(n=3).block
    assert block.peers is not None
    r = block.r.copy()
    r[1] = block.peers[1, :, 4]
    made = es.model("synthetic_control").fit(replace(block, r=r))
    np.testing.assert_array_equal(made.status, [Status.OK, Status.NO_VARIATION, Status.OK])


@pytest.mark.parametrize("intercept", [False, True])
def test_placebos_are_the_model_fitted_to_each_peer_with_the_others_as_donors(intercept: bool):
    block = draw(n=4, missing=0.04).block
    assert block.peers is not None
    model = es.model("synthetic_control", intercept=intercept)
    made = model.fit(block)
    assert made.placebos is not None
    assert made.placebos.shape == (4, 12, N_EVT)
    for i in range(4):
        days, _, usable, rows = by_hand(block, i)
        unusable = np.setdiff1d(np.arange(12), usable)
        assert np.isnan(made.placebos[i, unusable]).all()
        for at, d in enumerate(usable):
            r, peers = np.zeros((1, N_EST + N_EVT)), np.full((1, N_EST + N_EVT, len(usable) - 1), np.nan)
            r[0, days] = rows[:, at]
            peers[0, days] = np.delete(rows, at, axis=1)
            alone = replace(
                block, r=r, peers=peers, **{k: getattr(block, k)[[i]] for k in ("x", "ok", "id")},
                cluster=block.cluster[:1], group=block.group[:1], weight=block.weight[:1],
            )  # fmt: skip
            fitted = model.fit(alone)
            wanted = fitted.ar[0, N_EST:] / fitted.sigma[0]
            np.testing.assert_allclose(made.placebos[i, d], wanted, rtol=1e-9, atol=1e-12)
    # A day on which the event itself has no return counts for nothing, as its own abnormal return does.
    lost = ~made.ok[:, N_EST:]
    assert lost.any()
    assert (np.nan_to_num(made.placebos.transpose(0, 2, 1)[lost]) == 0).all()


def test_a_peer_that_another_tracks_exactly_is_no_placebo():
    block = draw(n=3).block
    assert block.peers is not None
    peers = block.peers.copy()
    peers[1, :, 4] = peers[1, :, 7]  # two listings of one security
    made, wanted = (es.model("synthetic_control").fit(replace(block, peers=each)) for each in (peers, block.peers))
    assert made.placebos is not None
    assert wanted.placebos is not None
    assert (made.status == Status.OK).all()
    assert np.isnan(made.placebos[1, [4, 7]]).all()
    assert np.isfinite(np.delete(made.placebos[1], [4, 7], axis=0)).all()
    np.testing.assert_array_equal(made.placebos[[0, 2]], wanted.placebos[[0, 2]])
    p = placebo_p(scores(made, ITS), made)[1, 0]
    size = np.delete(np.abs(made.placebos[1, :, 3]), [4, 7])
    assert p == (1 + (size >= abs(made.ar[1, DAY]) / made.sigma[1]).sum()) / 11


def test_the_treated_security_is_in_no_placebo():
    block = draw(n=5).block
    model = es.model("synthetic_control")
    found, wanted = model.fit(replace(block, r=block.r[:, ::-1])).placebos, model.fit(block).placebos
    assert found is not None
    assert wanted is not None
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-13)


def test_fewer_placebos_are_some_of_them_all():
    block = draw(n=5).block
    every = es.model("synthetic_control").fit(block)
    some = es.model("synthetic_control", max_placebos=5).fit(block)
    assert every.placebos is not None
    assert some.placebos is not None
    there = np.isfinite(some.placebos).all(axis=2)
    np.testing.assert_array_equal(there.sum(axis=1), 5)
    np.testing.assert_array_equal(some.placebos[there], every.placebos[there])
    none = es.model("synthetic_control", max_placebos=0).fit(block)
    assert none.placebos is None
    np.testing.assert_array_equal(none.ar, every.ar)


@pytest.mark.slow
def test_placebo_p_is_uniform_under_the_null():
    """600 events with 19 peers of the same law: p is 1/20, 2/20, ... 1, each as often, up to chance."""
    p = np.concatenate([ps(seed, 0.0) for seed in range(6)])
    for v in range(2):
        counts = np.bincount(np.rint(20 * p[:, v]).astype(int), minlength=21)[1:]
        assert counts.sum() == 600
        assert stats.chisquare(counts).pvalue > 0.001
        # A size of 5 and 10 per cent, within three standard errors.
        assert abs((p[:, v] <= 0.05 + 1e-9).mean() - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 600)
        assert abs((p[:, v] <= 0.10 + 1e-9).mean() - 0.10) < 3 * np.sqrt(0.1 * 0.9 / 600)


@pytest.mark.thorough
def test_placebo_p_is_the_smallest_where_there_is_a_jump():
    p = ps(7, 0.10)
    assert (p[:, 0] < 0.05 + 1e-9).mean() > 0.95


def ps(seed: int, jump: float) -> np.ndarray:
    made = es.model("synthetic_control").fit(draw(seed, n=100, n_peers=19, jump=jump).block)
    return placebo_p(scores(made, ITS), made)


def test_one_peer_is_no_peers_and_two_are_enough():
    block = draw(n=3, n_peers=2).block
    assert block.peers is not None
    block.peers[1, DAY, 0] = np.nan
    made = es.model("synthetic_control").fit(block)
    np.testing.assert_array_equal(made.status, [Status.OK, Status.NO_PEERS, Status.OK])


def test_more_donors_than_days():
    drawn = draw(n=3, n_peers=150)
    made = es.model("synthetic_control", max_placebos=3).fit(drawn.block)
    assert (made.status == Status.OK).all()
    assert (made.dof > 60).all()


def test_a_solver_that_gives_up_is_not_converged(monkeypatch: pytest.MonkeyPatch):
    def give_up(*args: Any) -> Any:
        raise RuntimeError("Maximum number of iterations reached.")

    monkeypatch.setattr(synthetic_control, "_weights", give_up)
    made = es.model("synthetic_control").fit(draw(n=3).block)
    assert (made.status == Status.NOT_CONVERGED).all()
    assert np.isnan(made.sigma).all()
    assert np.isnan(made.coef).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"intercept": 1}, "intercept of the synthetic_control model is 1; give True or False"),
        ({"max_placebos": -1}, "max_placebos of the synthetic_control model is -1; give a whole number from 0"),
        ({"max_placebos": None}, "max_placebos of the synthetic_control model is None"),
    ],
)
def test_options_that_are_not_valid(options: dict[str, Any], says: str):
    for make_it in (partial(es.model, "synthetic_control"), synthetic_control.SyntheticControl):
        with pytest.raises(es.InputError, match=says):
            make_it(**options)
