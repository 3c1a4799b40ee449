"""The length of blocks is that of arch and of a loop over the definition; the bootstrap draws blocks of that length."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eventstudy.core.bootstrap import block_length, sharpe_ratio, stationary


@pytest.mark.parametrize("seed", range(5))
def test_the_length_is_that_of_arch_where_nothing_depends(seed):
    from arch.bootstrap import optimal_block_length

    x = np.random.default_rng(seed).standard_normal(400)
    theirs = float(optimal_block_length(x)["stationary"].iloc[0])
    np.testing.assert_allclose(block_length(x), max(theirs, 1.0), rtol=1e-10)


def loop(x: np.ndarray) -> float:
    """Politis & White (2004), section 3.2, with the correction of 2009, term by term."""
    n, e = len(x), x - x.mean()
    r = [sum(e[t] * e[t + k] for t in range(n - k)) / n for k in range(n)]
    bound = 2 * math.sqrt(math.log10(n) / n)
    m = next(m for m in range(n) if all(abs(r[m + k] / r[0]) < bound for k in range(1, 6)))
    m = min(2 * max(m, 1), math.ceil(math.sqrt(n)) + 5)
    weight = [1.0 if k / m <= 0.5 else 2 * (1 - k / m) for k in range(m + 1)]
    g = sum(weight[abs(k)] * abs(k) * r[abs(k)] for k in range(-m, m + 1))
    d = 2 * sum(weight[abs(k)] * r[abs(k)] for k in range(-m, m + 1)) ** 2
    return float(min(max((2 * g * g / d) ** (1 / 3) * n ** (1 / 3), 1.0), math.ceil(min(3 * math.sqrt(n), n / 3))))


@pytest.mark.parametrize("seed", range(4))
def test_the_length_is_that_of_a_loop_where_days_depend(seed):
    rng = np.random.default_rng(seed)
    x = np.zeros(250)
    for t in range(1, 250):
        x[t] = 0.5 * x[t - 1] + rng.standard_normal()
    np.testing.assert_allclose(block_length(x), loop(x), rtol=1e-9)
    assert block_length(x) > 2


@pytest.mark.parametrize("near", [0.0, 1e-6])
def test_where_days_cancel_out_blocks_are_as_long_as_they_may_be(near):
    # d is 0, and near it the length without a limit is 1e4 times the limit: there is no jump
    assert block_length(np.array([-2.0, 0.0, 0.0, 2.0, -2.0, 2.0 + near, 0.0])) == 3.0


def test_a_constant_series_has_blocks_of_one_day_and_no_ratio():
    assert block_length(np.full(50, 0.3)) == 1.0
    assert np.isnan(sharpe_ratio(np.full(50, 0.3)))


def test_blocks_have_the_mean_length_and_wrap():
    x = np.arange(500.0)
    drawn = stationary(x, 8.0, 400, 1)
    assert drawn.shape == (400, 500)
    follows = (drawn[:, 1:] - drawn[:, :-1]) % 500 == 1
    # a new block begins with probability 1/8, and by chance 1 in 500 of them follows on; 200,000 days, s.e. 0.0007
    np.testing.assert_allclose(1 - follows.mean(), 1 / 8 * (1 - 1 / 500), atol=0.003)
    np.testing.assert_allclose(np.bincount(drawn.ravel().astype(int)).mean(), 400)


def test_the_standard_error_of_a_mean_is_that_of_the_long_run_variance():
    """Of an AR(1) with coefficient 0.5 the variance of the mean is (1 + 0.5) / (1 - 0.5) times that of independence."""
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(12):
        x = np.zeros(2000)
        noise = rng.standard_normal(2000)
        for t in range(1, 2000):
            x[t] = 0.5 * x[t - 1] + noise[t]
        means = stationary(x, block_length(x), 200, 3).mean(axis=1)
        ratios.append(means.var() * 2000 / x.var())
    # the bootstrap of blocks is biased downwards in small samples; 12 means of 200 draws: s.e. about 0.1
    assert 2.3 < np.mean(ratios) < 3.2
