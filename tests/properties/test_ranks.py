"""Ranks, the sample-quantile test and exact null distributions, against counting."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from eventstudy import _registry
from eventstudy.core.ranks import ranks
from eventstudy.core.scores import scores
from eventstudy.core.singles import rank_among_residuals
from eventstudy.core.sums import add
from eventstudy.types import Sample, Verdict
from tests import make
from tests.properties import QUICK

SEEDS = st.integers(0, 2**32 - 1)
MARKET = _registry.load("models", "market")


@given(
    seed=SEEDS,
    n=st.integers(1, 6),
    length=st.integers(1, 30),
    decimals=st.sampled_from([0, 1, 6]),
    poison=st.sampled_from([0.0, 1e9, np.nan, np.inf, -np.inf]),
)
@QUICK
def test_ranks_are_those_of_scipy_among_the_valid_cells(
    seed: int, n: int, length: int, decimals: int, poison: float
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, length)).round(decimals)
    ok = rng.random((n, length)) < 0.8
    values[~ok] = poison
    found = ranks(values, ok)
    for i in range(n):
        wanted = np.zeros(length)
        if ok[i].any():
            wanted[ok[i]] = stats.rankdata(values[i, ok[i]])
        np.testing.assert_array_equal(found[i], wanted)


@given(
    rows=st.integers(1, 300).flatmap(
        lambda length: st.lists(
            st.lists(
                st.sampled_from([0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, np.inf, -np.inf, 1e300, -1e300])
                | st.integers(-3, 3).map(lambda k: 1.0 + k * 2.0**-52)
                | st.floats(-1, 1),
                min_size=length,
                max_size=length,
            ),
            min_size=1,
            max_size=3,
        )
    )
)
@QUICK
def test_ranks_tell_numbers_apart_to_the_last_bit_and_no_further(rows: list[list[float]]) -> None:
    values = np.array(rows)
    wanted = stats.rankdata(values, axis=1)
    np.testing.assert_array_equal(ranks(values, np.ones(values.shape, dtype=bool)), wanted)


@given(seed=SEEDS, missing=st.sampled_from([0.0, 0.1]), n_est=st.sampled_from([8, 40]))
@QUICK
def test_the_sample_quantile_p_is_that_of_a_plain_loop(seed: int, missing: float, n_est: int) -> None:
    its = make.spec(n_est)
    fitted = MARKET.fit(make.block(np.random.default_rng(seed), n=6, n_est=n_est, missing=missing))
    fitted = fitted.take(fitted.status == 0)
    scored = scores(fitted, its)
    found, _ = rank_among_residuals(scored, fitted)
    for i in range(len(fitted.block.id)):
        for v, length in enumerate((1, 3, 11)):
            starts = [t for t in range(n_est - length + 1) if all(fitted.ok[i, t : t + length])]
            runs = [abs(sum(fitted.ar[i, t : t + length])) for t in starts]
            if scored.ok[i, v] and runs:
                p = (1 + sum(run >= abs(scored.car[i, v]) for run in runs)) / (1 + len(runs))
                assert found[i, v] == pytest.approx(p, abs=1e-12)
            else:
                assert np.isnan(found[i, v])


def answer(name: str, cars: np.ndarray) -> Verdict:
    """Give a test's verdict on CARs alone, (N, V)."""
    test = _registry.load("inference", name)
    state = add({}, test.chunk(*make.with_cars(cars), {}))
    found: Verdict = test.finalize(state, Sample(make.spec(), 1, np.zeros(1, np.int64), np.zeros((1, 71), np.int64)))
    return found


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 12])
def test_the_p_of_the_sign_test_is_exact_under_all_sign_vectors(n: int) -> None:
    signs = np.array(list(product([-1, 1], repeat=n)))
    sums = signs.sum(axis=1)
    sizes = np.arange(1.0, n + 1)
    some = signs[np.random.default_rng(1).permutation(len(signs))[:200]]
    found = answer("sign", (some * sizes).T)
    wanted = [(np.abs(sums) >= abs(own.sum())).mean() for own in some]
    np.testing.assert_allclose(found.p[0], wanted, rtol=1e-12)
    np.testing.assert_allclose(found.statistic[0], some.sum(axis=1) / np.sqrt(n), rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 12])
def test_the_p_of_wilcoxon_is_exact_under_all_sign_vectors(n: int) -> None:
    signs = np.array(list(product([-1, 1], repeat=n)))
    rng = np.random.default_rng(2)
    sizes = rng.permutation(n) + 1.0 + rng.random(n) / 2
    place = stats.rankdata(sizes)
    sums = signs @ place
    some = signs[rng.permutation(len(signs))[:60]]
    found = answer("wilcoxon", (some * sizes).T)
    wanted = [(np.abs(sums) >= abs(own @ place) - 1e-9).mean() for own in some]
    np.testing.assert_allclose(found.p[0], wanted, rtol=1e-10)
    null = np.abs(sums).astype(float)
    np.testing.assert_allclose(found.statistic[0], some @ place / np.sqrt((null**2).mean()), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["sign", "wilcoxon"])
def test_exact_zeros_are_dropped(name: str) -> None:
    cars = np.random.default_rng(3).standard_normal((9, 2))
    padded = np.vstack([cars[:4], np.zeros((3, 2)), cars[4:]])
    make.same(answer(name, padded), answer(name, cars))


def test_wilcoxon_with_ties_and_with_many_events_is_that_of_scipy() -> None:
    rng = np.random.default_rng(4)
    for cars in (rng.standard_normal((30, 4)).round(1), rng.standard_normal((80, 4)), rng.integers(-3, 4, (60, 4))):
        found = answer("wilcoxon", cars.astype(float))
        for v in range(4):
            own = cars[cars[:, v] != 0, v]
            wanted = stats.wilcoxon(own, method="approx", correction=False)
            assert found.p[0, v] == pytest.approx(wanted.pvalue, rel=1e-9)
            assert found.n[0, v] == len(own)
            # scipy gives the smaller rank sum; ours is signed by the sum of the positive ones
            assert np.sign(found.statistic[0, v]) == np.sign((np.sign(own) * stats.rankdata(np.abs(own))).sum())


@pytest.mark.parametrize("m", [5, 60, 250])
def test_the_variance_of_a_generalised_rank_is_its_closed_form(m: int) -> None:
    """One event's U over its T = M + 1 days have mean 0 and mean square (T - 1) / (12 (T + 1))."""
    its = make.spec(m)
    block = make.block(np.random.default_rng(5), n=1, n_est=m, missing=0.0)
    fitted = MARKET.fit(block)
    moments = {"n": np.full((1, 3), 2.0), "z": np.zeros((1, 3)), "z2": np.full((1, 3), 2.0)}
    state = add({}, _registry.load("inference", "grank_t").chunk(scores(fitted, its), fitted, {"moments": moments}))
    total = m + 1
    assert state["u"].shape == (1, 3, total)
    np.testing.assert_allclose(state["u"].sum(axis=-1), 0, atol=1e-12)
    np.testing.assert_allclose((state["u"] ** 2).mean(axis=-1), (total - 1) / (12 * (total + 1)), rtol=1e-12)
