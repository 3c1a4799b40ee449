"""Sums that are equal in exact arithmetic count as equal, however they are added up: prices that hardly move."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

pytestmark = pytest.mark.filterwarnings("ignore:implausible prices:eventstudy.errors.EventStudyWarning")
N, WINDOWS = 120, ((-1, 1), (-2, 2), (-5, 5))
DAYS = es.markets.sessions_between("XNYS", "2018-01-02", "2019-12-31")[: N + 22]


def steps(seed: int) -> np.ndarray:
    """Give returns in whole per cents, most of them 0, of the estimation window and of days -10 to 10."""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.integers(-3, 4, N + 21) * (rng.random(N + 21) < 0.3))


def run(returns: dict[str, np.ndarray], **choices: object) -> es.Result:
    """Study the mean-adjusted returns of tickers, in whole per cents, on one date; another ticker trades every day."""
    other = np.random.default_rng(9).standard_normal(N + 21)
    frame = pd.concat(
        pd.DataFrame({"date": DAYS, "ticker": name, "mic": "XNYS", "return": np.r_[0.0, values / 100]})
        for name, values in ({"OTHER": other} | returns).items()
    )
    events = pd.DataFrame({"event_id": list(returns), "ticker": list(returns), "announced": pd.Timestamp(DAYS[N + 11])})
    study = es.Study(model="mean", estimation=(-10 - N, -11), windows=WINDOWS, min_estimation=100, **choices)
    return study.run(es.Events.from_frame(events), es.Prices.from_frame(frame))


def exact(values: np.ndarray) -> list[float]:
    """Rank the CARs of the windows among the runs of residuals in rational arithmetic."""
    before, around = ([Fraction(int(v), 100) for v in part] for part in (values[:N], values[N:]))
    mean = sum(before) / N
    found = []
    for start, end in WINDOWS:
        length = end - start + 1
        car = abs(sum(around[10 + start : 11 + end]) - length * mean)
        runs = [abs(sum(before[t : t + length]) - length * mean) for t in range(N + 1 - length)]
        found.append((1 + sum(run >= car for run in runs)) / (1 + len(runs)))
    return found


@pytest.mark.parametrize("n", [1, 7])
def test_the_rank_among_residuals_is_that_of_rational_arithmetic_alone_and_beside_others(n: int) -> None:
    for first in range(0, 42, n):
        tickers = {f"T{seed}": steps(82 + seed) for seed in range(first, first + n)}
        cars = run(tickers, tests="cross_section").cars
        expected = [p for values in tickers.values() for p in exact(values)]
        np.testing.assert_array_equal(cars["p_sq"], expected)


def test_a_sum_that_rounding_leaves_of_zero_has_no_sign() -> None:
    rng = np.random.default_rng(0)
    tickers = {}
    for number in range(6):  # returns whose mean is 0 before the event, so that a flat window has a CAR of 0
        half = rng.integers(1, 4, N // 4)
        before = rng.permutation(np.r_[half, -half, np.zeros(N - 2 * len(half))])
        around = np.zeros(21)
        around[10] = (0, 0, 0, 2, -1, 3)[number]
        tickers[f"T{number}"] = np.r_[before, around]
    tests = run(tickers, tests=["sign", "generalized_sign"]).tests.set_index(["test", "end"])
    assert tests.loc[("sign", 1), "n"] == 3  # those that differ from zero
    assert tests.loc[("sign", 1), "p"] == pytest.approx(1.0)  # two up and one down: 2 (1 + 3) / 8
    assert tests.loc[("sign", 1), "statistic"] == pytest.approx((2 - 1) / np.sqrt(3))
    shares = []
    for values in tickers.values():
        sums = np.convolve(values[:N].astype(int), np.ones(3, dtype=int), "valid")
        shares.append((sums > 0).mean())
    share = np.mean(shares)
    z = (2 - 6 * share) / np.sqrt(6 * share * (1 - share))
    assert tests.loc[("generalized_sign", 1), "statistic"] == pytest.approx(z, rel=1e-12)
