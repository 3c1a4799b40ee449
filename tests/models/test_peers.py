"""The portfolio of peers against loops and statsmodels."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm

import eventstudy as es
from eventstudy.core.scores import scores
from eventstudy.models.peers import PeerPortfolio
from eventstudy.types import Spec, Status
from tests.models.untreated import N_EST, by_hand, draw

OPTIONS = [
    {"matched": matched, "weights": weights, "adjust": adjust}
    for matched in (None, 3)
    for weights in ("equal", "held")
    for adjust in ("regression", "difference")
]


def portfolio(block: Any, i: int, matched: int | None, weights: str) -> tuple[np.ndarray, np.ndarray]:
    """Give an event's valid days and the portfolio's returns on them, security by security and day by day."""
    days, r, _, rows = by_hand(block, i)
    before = days < N_EST
    if matched is not None:
        alike = [np.corrcoef(r[before], column[before])[0, 1] for column in rows.T]
        rows = rows[:, np.argsort(alike)[::-1][:matched]]
    made = rows.mean(axis=1)
    if weights == "held":
        held = np.ones(rows.shape[1])
        for t in np.flatnonzero(~before):
            worth = held.sum()
            held = held * (1 + rows[t])
            made[t] = held.sum() / worth - 1
    return days, made


@pytest.mark.thorough
@pytest.mark.parametrize("options", OPTIONS)
def test_abnormal_returns_agree_with_loops_and_statsmodels(options: dict[str, Any]):
    block = draw(missing=0.06).block
    made = es.model("peers", **options).fit(block)
    assert (made.status == Status.OK).all()
    for i in range(len(block.r)):
        days, p = portfolio(block, i, options["matched"], options["weights"])
        before = days < N_EST
        y = block.r[i, days]
        if options["adjust"] == "difference":
            wanted, coef, sigma = y - p, [], np.sqrt(((y - p)[before] ** 2).mean())
        else:
            design = sm.add_constant(p)
            ols = sm.OLS(y[before], design[before]).fit()
            wanted, coef, sigma = y - design @ ols.params, ols.params, np.sqrt(ols.mse_resid)
            np.testing.assert_allclose(made.r2[i], ols.rsquared, rtol=1e-11)
        np.testing.assert_allclose(made.ar[i, days], wanted, atol=1e-15)
        np.testing.assert_allclose(made.coef[i], coef, rtol=1e-10, atol=1e-15)
        np.testing.assert_allclose(made.sigma[i], sigma, rtol=1e-12)
        assert made.dof[i] == before.sum() - len(coef)


def test_held_peers_compound_to_the_buy_and_hold_return_of_their_average():
    block = draw().block
    assert block.peers is not None
    made = es.model("peers", weights="held", adjust="difference").fit(block)
    its = Spec((-N_EST - 3, -4), (-3, 3), np.array([[-3, 3], [-3, 0]]), compound=True)
    found = scores(made, its).car
    own, others = 1 + block.r[:, N_EST:], 1 + block.peers[:, N_EST:]
    for v, stop in enumerate((7, 4)):
        wanted = own[:, :stop].prod(axis=1) - others[:, :stop].prod(axis=1).mean(axis=1)
        np.testing.assert_allclose(found[:, v], wanted, atol=1e-14)


def test_daily_rebalancing_buys_what_has_bounced_and_holding_does_not():
    """Bid-ask bounce: each peer's price alternates by a random sign about a value that never moves."""
    rng = np.random.default_rng(3)
    block = draw(n=40, n_peers=60).block
    price = np.exp(0.03 * rng.choice([-1.0, 1.0], (40, N_EST + 8, 60)))
    bounced = price[:, 1:] / price[:, :-1] - 1
    its = Spec((-N_EST - 3, -4), (-3, 3), np.array([[-3, 3]]), compound=True)
    flat = np.zeros_like(block.r)
    car = {}
    for weights in ("equal", "held"):
        made = es.model("peers", weights=weights, adjust="difference").fit(
            es.types.Block(**{**vars(block), "r": flat, "peers": bounced})
        )
        car[weights] = scores(made, its).car.mean()
    # Blume & Stambaugh (1983, Journal of Financial Economics 12:387): a day's average return is biased by the
    # variance of the bounce, 0.03^2 of the logarithm, each day when rebalanced, once when held.
    np.testing.assert_allclose(car["equal"], -7 * 0.03**2, atol=0.0015)
    np.testing.assert_allclose(car["held"], -(0.03**2), atol=0.0015)
    assert car["held"] - car["equal"] > 4 * 0.03**2


def test_fewer_peers_than_are_to_be_matched_is_no_peers():
    block = draw(n=3, n_peers=4).block
    assert block.peers is not None
    block.peers[1, 125, 0] = np.nan
    status = es.model("peers", matched=4).fit(block).status
    np.testing.assert_array_equal(status, [Status.OK, Status.NO_PEERS, Status.OK])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"matched": 0}, "matched of the peers model is 0; give a whole number from 1, or None"),
        ({"matched": 2.5}, "matched of the peers model is 2.5"),
        ({"weights": "value"}, "weights of the peers model is 'value'; valid are 'equal', 'held'"),
        ({"adjust": "ratio"}, "adjust of the peers model is 'ratio'; valid are 'regression', 'difference'"),
    ],
)
def test_options_that_are_not_valid(options: dict[str, Any], says: str):
    for make_it in (partial(es.model, "peers"), PeerPortfolio):
        with pytest.raises(es.InputError, match=says):
            make_it(**options)
