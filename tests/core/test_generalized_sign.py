"""The generalised sign test under skew, and where a window is too long for the days before the event."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eventstudy import _registry
from eventstudy.core import run as running
from eventstudy.types import Verdict
from tests import make
from tests.make import Case
from tests.simulation.sizes import Draw, Sizes, apart, batches

MARKET = _registry.load("models", "market")
TEST = _registry.load("inference", "generalized_sign")


def answer(case: Case) -> Verdict:
    return running.run(case.panels, case.placed, MARKET, {"it": TEST}, case.sample).verdicts["it"]


def test_with_missing_days_the_share_is_that_of_sums_of_as_many_days() -> None:
    """Of a window of eleven days with two missing, the CAR is a sum of nine."""
    case = make.case(
        np.random.default_rng(1), n=12, kind="same_day", missing=0.0, study_spec=make.spec(min_coverage=0.5)
    )
    (panel,) = case.panels
    ok, day = panel.ok.copy(), int(case.placed.day[0])
    ok[:7, [day - 3, day + 4]] = False
    case = case._replace(panels=[replace(panel, ok=ok)])
    fits = make.fits(case)
    shares, up = [], 0
    for fit in fits:
        window = fit.e[60:]
        length = int(np.isfinite(window).sum())
        shares.append(np.mean([fit.e[t : t + length].sum() > 0 for t in range(61 - length)]))
        up += np.nansum(window) > 0
    assert {int(np.isfinite(fit.e[60:]).sum()) for fit in fits} == {9, 11}
    p = np.mean(shares)
    assert answer(case).statistic[0, 2] == pytest.approx((up - 12 * p) / np.sqrt(12 * p * (1 - p)), rel=1e-9)


def test_a_window_longer_than_a_quarter_of_the_days_before_it_has_a_reason() -> None:
    its = make.spec(40, ((0, 0), (-5, 4), (-5, 5)), event=(-5, 5))
    found = answer(make.case(np.random.default_rng(2), n=12, kind="same_day", missing=0.0, study_spec=its))
    assert np.isfinite(found.statistic).tolist() == [[True, True, False]]
    assert found.note[0, 2] == "the window is longer than a quarter of the estimation window: too few sums of its days"


def skewed(draw: Draw) -> Draw:
    """Draw the noise again, from an exponential distribution less its mean."""

    def draw_skewed(rng: np.random.Generator, replications: int) -> Case:
        case = draw(rng, replications)
        panels = [replace(p, r=p.x[:, 0] + 0.02 * (rng.exponential(size=p.r.shape) - 1.0)) for p in case.panels]
        return case._replace(panels=panels)

    return draw_skewed


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 50, 100])
def test_size_under_skew(n: int) -> None:
    """The sign test, whose share is a half, shows that there is skew to find."""
    draw = skewed(apart(make.spec(120, ((0, 0), (-5, 5))), n))
    found = Sizes(batches(draw, ["generalized_sign", "sign"], 4000, seed=71))
    assert (found.of("generalized_sign") > 0.03).all(), found.of("generalized_sign")
    assert (found.of("generalized_sign") < 0.065).all(), found.of("generalized_sign")
    assert found.of("sign")[0] > 0.1
