"""Means of blocks of calendar time: against scipy's t-test on means by pandas, and by size in one long chain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from eventstudy import _registry
from eventstudy.core import run as running
from eventstudy.errors import InputError
from eventstudy.inference import ibragimov_muller
from eventstudy.types import Test, Verdict
from tests import make
from tests.make import Case
from tests.simulation.sizes import Sizes, batches, together

MARKET = _registry.load("models", "market")


def answer(case: Case, test: Test = ibragimov_muller.TEST) -> Verdict:
    return running.run(case.panels, case.placed, MARKET, {"it": test}, case.sample).verdicts["it"]


def by_hand(z: np.ndarray, date: np.ndarray, blocks: int) -> tuple[float, float]:
    """Give the t-test on the means of blocks, which have as many dates each, or one more."""
    rank = pd.Series(date).rank(method="dense").to_numpy() - 1
    block = np.floor(rank * blocks / (rank.max() + 1))
    means = pd.Series(z).groupby(block).mean()
    assert len(means) == blocks
    found = stats.ttest_1samp(means, 0.0)
    return float(found.statistic), float(found.pvalue)


@pytest.mark.parametrize("missing", [0.0, 0.03])
@pytest.mark.parametrize("blocks", [2, 3, 4, 5])
def test_the_statistic_is_the_t_test_of_the_block_means(blocks: int, missing: float) -> None:
    case = make.bunches([3, 1, 4, 2, 2, 5, 1, 1, 6, 2], missing=missing)
    found = answer(case, ibragimov_muller.make(blocks=blocks))
    for window in range(3):
        z, date = make.scars(case, window)
        dates = len(np.unique(date))
        statistic, p = by_hand(z, date, blocks)
        assert found.statistic[0, window] == pytest.approx(statistic, rel=1e-9)
        assert found.p[0, window] == pytest.approx(p, rel=1e-8)
        assert found.df[0, window] == blocks - 1
        assert found.n[0, window] == len(z)
        assert found.note[0, window] == f"{blocks} blocks of {dates} dates"


def test_dates_of_linked_news_stay_in_one_block() -> None:
    case = make.bunches([2, 2, 2, 2, 2, 2])
    linked = replace(case.sample, links=np.array([[1, 2]]))  # five dates: blocks of 2, 2 and 1 of them
    z, date = make.scars(case, 0)
    merged = np.where(date >= 2, date - 1, date)
    found = answer(case._replace(sample=linked))
    assert found.statistic[0, 0] == pytest.approx(by_hand(z, merged, 3)[0], rel=1e-9)
    assert abs(found.statistic[0, 0] - answer(case).statistic[0, 0]) > 1e-3


def test_blocks_that_share_days_are_two_windows_long_or_have_no_value() -> None:
    """Of one session after the other, 18 dates of a window of 3 days; for 11 days it takes 66."""
    reason = "blocks shorter than 2 windows: they share too many days"
    for dates, wanted in ((17, [True, False, False]), (18, [True, True, False]), (65, [True, True, False])):
        found = answer(make.bunches([1] * dates, step=1))
        assert np.isfinite(found.statistic).tolist() == [wanted]
        assert set(found.note[np.isnan(found.statistic)]) == {reason}
    assert np.isfinite(answer(make.bunches([1] * 66, step=1)).statistic).all()
    assert np.isfinite(answer(make.bunches([1] * 3, step=11)).statistic).all()  # no two windows share a day
    assert answer(make.bunches([1] * 3, step=10)).note[0, 2] == reason


def test_fewer_dates_than_blocks_have_a_reason() -> None:
    found = answer(make.bunches([4, 5]))
    assert set(found.note.ravel()) == {"fewer than 3 dates: each block needs one"}
    assert found.n.tolist() == [[9, 9, 9]]
    assert np.isfinite(answer(make.bunches([4, 5]), ibragimov_muller.make(blocks=2)).statistic).all()


@pytest.mark.parametrize("blocks", [1, 2.0, True, "3"])
def test_an_option_that_is_not_valid_is_an_error(blocks: object) -> None:
    with pytest.raises(InputError, match=r"blocks of the ibragimov_muller test is .*; give a whole number, 2 or more"):
        ibragimov_muller.make(blocks=blocks)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [70, 130, 250])
def test_size_in_one_long_chain(spread: int) -> None:
    its = make.spec(120, ((0, 0), (-5, 5)))
    tests = {str(q): ibragimov_muller.make(blocks=q) for q in (3, 4)}
    found = Sizes(batches(together(its, 100, spread, 0.1), tests, 2000, seed=81, batch=100))
    for q, test in (("3", 70), ("4", 90)):
        rate = found.of(q)
        assert (rate[np.isfinite(rate)] >= 0.025).all(), rate
        assert (rate[np.isfinite(rate)] <= 0.065).all(), rate
        assert np.isfinite(rate[1]) == (spread >= test)
