"""Which untreated securities count for an event, and what every model of them keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import eventstudy as es
from eventstudy import _registry
from eventstudy.core.peers import COVERAGE, active_rows, usable_peers
from eventstudy.core.run import run
from eventstudy.core.scores import scores, standardise
from eventstudy.types import Model, Spec, Status
from tests import make
from tests.models.untreated import DAY, N_EST, N_EVT, by_hand, draw, without_event_window

MODELS: dict[str, Model] = {
    "peers": es.model("peers"),
    "peers held": es.model("peers", weights="held", adjust="difference"),
    "peers matched": es.model("peers", matched=5),
    "pca": es.model("pca"),
    "elastic_net": es.model("elastic_net", n_penalties=15),
    "synthetic_control": es.model("synthetic_control"),
    "synthetic_control intercept": es.model("synthetic_control", intercept=True),
}
FIELDS = ("ar", "ok", "sigma", "dof", "h", "coef", "r2", "status")


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Model:
    return MODELS[request.param]


def test_peers_that_count_and_their_returns_agree_with_loops():
    block = draw(missing=0.1).block
    found = usable_peers(block)
    assert not found.usable.all()
    assert found.usable.any(axis=1).all()
    for i in range(len(block.r)):
        days, _, usable, rows = by_hand(block, i)
        np.testing.assert_array_equal(np.flatnonzero(found.usable[i]), usable)
        np.testing.assert_array_equal(np.flatnonzero(found.ok[i]), days)
        np.testing.assert_allclose(found.r[i][np.ix_(days, usable)], rows, rtol=1e-14)
    assert (found.r[~found.ok] == 0).all()
    assert (found.r.transpose(0, 2, 1)[~found.usable] == 0).all()


def test_a_peer_counts_from_nine_tenths_of_the_estimation_days_and_all_of_the_event_window():
    block = draw(n=5).block
    assert block.peers is not None
    peers = block.peers.copy()
    least = round(COVERAGE * N_EST)
    peers[0, : N_EST - least, 0] = np.nan
    peers[1, : N_EST - least + 1, 0] = np.nan
    peers[2, DAY, 0] = np.nan
    peers[3, :N_EST, 0] = 0.01
    peers[4, DAY, 0] = np.inf
    usable = usable_peers(replace(block, peers=peers)).usable
    np.testing.assert_array_equal(usable[:, 0], [True, False, False, False, False])
    assert usable[:, 1:].all()


def test_a_day_on_which_the_event_has_no_return_is_not_asked_of_its_peers():
    block = draw(n=2).block
    ok = block.ok.copy()
    ok[:, [3, DAY]] = False
    assert block.peers is not None
    peers = block.peers.copy()
    peers[:, [3, DAY]] = np.nan
    assert usable_peers(replace(block, ok=ok, peers=peers)).usable.all()


def test_a_day_without_any_peer_leaves_the_estimation_window(model: Model):
    block = draw(n=4).block
    assert block.peers is not None
    peers, ok = block.peers.copy(), block.ok.copy()
    peers[1, 7] = np.nan
    ok[1, 7] = False
    found, wanted = model.fit(replace(block, peers=peers)), model.fit(replace(block, ok=ok))
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)


def test_the_returns_that_were_given_stay_with_the_block(model: Model):
    block = draw(n=4, missing=0.05).block
    assert model.fit(block).block is block


def test_a_block_without_peers_says_so(model: Model):
    with pytest.raises(es.InputError, match=r"Block\.peers is None"):
        model.fit(replace(draw(n=2).block, peers=None))


@pytest.mark.parametrize("none", ["missing", "no columns"])
def test_an_event_without_peers_has_that_status_and_touches_no_other(model: Model, none: str):
    block = draw(n=5).block
    assert block.peers is not None
    peers = block.peers.copy()
    if none == "missing":
        peers[2] = np.nan
        lost, kept = [2], [0, 1, 3, 4]
    else:
        peers, lost, kept = peers[:, :, :0], [0, 1, 2, 3, 4], []
    with np.errstate(all="raise", under="ignore"):
        made = model.fit(replace(block, peers=peers))
    assert (made.status[lost] == Status.NO_PEERS).all()
    assert np.isnan(made.sigma[lost]).all()
    assert np.isnan(made.r2[lost]).all()
    assert np.isnan(made.coef[lost]).all()
    assert np.isfinite(made.ar).all()
    whole = model.fit(block)
    for name in FIELDS if kept else ():
        np.testing.assert_array_equal(getattr(made, name)[kept], getattr(whole, name)[kept], err_msg=name)


def test_a_column_of_peers_without_any_return_changes_nothing(model: Model):
    block = draw(n=4, missing=0.05).block
    assert block.peers is not None
    wider = np.concatenate([np.full((*block.r.shape, 1), np.nan), block.peers], axis=2)
    found, wanted = model.fit(replace(block, peers=wider)), model.fit(block)
    for name in ("ar", "sigma", "dof", "coef", "r2"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-10, atol=1e-14, err_msg=name)
    np.testing.assert_array_equal(found.status, wanted.status)


def test_the_order_of_peers_changes_nothing(model: Model):
    block = draw(n=4).block
    assert block.peers is not None
    found, wanted = model.fit(replace(block, peers=block.peers[:, :, ::-1])), model.fit(block)
    for name in ("ar", "sigma", "dof", "coef", "r2"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-9, atol=1e-12, err_msg=name)


def test_returns_in_per_cent_change_only_the_unit(model: Model):
    block = draw(n=4).block
    assert block.peers is not None
    found, wanted = model.fit(replace(block, r=100 * block.r, peers=100 * block.peers)), model.fit(block)
    held = model is MODELS["peers held"]  # what 3 per cent grow to is not what 300 do
    days = slice(N_EST) if held else slice(None)
    np.testing.assert_allclose(found.ar[:, days], 100 * wanted.ar[:, days], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(found.sigma, 100 * wanted.sigma, rtol=1e-10)
    np.testing.assert_allclose(found.dof, wanted.dof)


@pytest.mark.thorough
def test_nothing_of_the_event_window_is_used_in_the_estimation(model: Model):
    block = draw(missing=0.05).block
    found, wanted = model.fit(without_event_window(block)), model.fit(block)
    assert (wanted.status == Status.OK).all()
    for name in ("sigma", "dof", "coef", "r2", "status"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)
    np.testing.assert_array_equal(found.ar[:, :N_EST], wanted.ar[:, :N_EST])
    np.testing.assert_array_equal(found.h[:, :N_EST], wanted.h[:, :N_EST])


@pytest.mark.thorough
def test_abnormal_returns_are_nearer_to_the_true_ones_than_the_market_adjusted(model: Model):
    block, true, market = draw(seed=5, n=60)
    made = model.fit(block)
    assert (made.status == Status.OK).all()
    own = np.sqrt(((made.ar[:, N_EST:] - true) ** 2).mean())
    adjusted = np.sqrt((((block.r - market)[:, N_EST:] - true) ** 2).mean())
    # What is left of the factors: 0.011 or more with the market alone, 0.006 or less with peers that share both.
    assert own < 0.6 * adjusted


@pytest.mark.thorough
def test_a_jump_of_five_per_cent_is_found(model: Model):
    made = model.fit(draw(seed=6, n=60, jump=0.05).block)
    plain = model.fit(draw(seed=6, n=60).block)
    np.testing.assert_allclose((made.ar - plain.ar)[:, DAY], 0.05, rtol=1e-12)
    error = made.ar[:, DAY].std(ddof=1) / np.sqrt(60)
    assert abs(made.ar[:, DAY].mean() - 0.05) < 4 * error
    assert error < 0.0025


def test_scores_and_standardised_returns_are_finite_whatever_the_width_of_h(model: Model):
    made = model.fit(draw(n=60, missing=0.05).block)
    its = Spec((-N_EST - 3, -4), (-3, 3), np.array([[0, 0], [-3, 3]]), min_coverage=0.5)
    found = scores(made, its)
    assert np.isfinite(found.z).all()
    assert (found.var >= (made.sigma**2)[:, None] * found.n_days * (1 - 1e-12)).all()
    before, after = standardise(made)
    assert np.isfinite(before).all()
    assert np.isfinite(after).all()
    there = made.ok[:, N_EST:]
    # Under the null: 400 standard normals, so three standard errors are 0.11.
    assert abs(np.sqrt((after[there] ** 2).mean()) - 1) < 0.11


@pytest.mark.thorough
def test_panels_with_different_numbers_of_peers_go_through_every_test(model: Model):
    case = make.case(np.random.default_rng(1), model.columns, n=16)
    assert case.panels[1].peers is not None
    panels = [case.panels[0], replace(case.panels[1], peers=case.panels[1].peers[:, :6])]
    tests = {name: es.test(name) for name in _registry.names("inference") if name != "placebo"}
    outcome = run(panels, case.placed, model, tests, case.sample)
    assert (outcome.status == Status.OK).all()
    for name, verdict in outcome.verdicts.items():
        assert (np.isfinite(verdict.p) | (verdict.note != "")).all(), name


def test_rows_of_active_regressors_hold_the_inverse_of_their_products():
    rng = np.random.default_rng(0)
    design, ok = rng.standard_normal((N_EST + N_EVT, 4)), rng.random(N_EST + N_EVT) > 0.1
    h = active_rows(design, ok, N_EST, 9)
    assert h.shape == (N_EST + N_EVT, 9)
    x = design * ok[:, None]
    inverse = np.linalg.inv(x[:N_EST].T @ x[:N_EST])
    np.testing.assert_allclose(h @ h.T, x @ inverse @ x.T, atol=1e-14)
    twice = active_rows(np.hstack([design, design[:, :2]]), ok, N_EST, 9)
    np.testing.assert_allclose(twice @ twice.T, h @ h.T, atol=1e-13)
    assert (active_rows(design[:, :0], ok, N_EST, 2) == 0).all()
