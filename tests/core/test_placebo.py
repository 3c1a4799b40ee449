"""The placebo test: a mean among those of drawn dates, by counting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eventstudy.inference import placebo
from eventstudy.types import Sample
from tests import make


@pytest.mark.parametrize("known", [19, 20, 45])
def test_p_counts_the_drawn_means_that_are_as_large_if_there_are_twenty(known: int) -> None:
    """Draws in which no event could be fitted are NaN, and do not count."""
    drawn = np.full((99, 1, 1), np.nan)
    drawn[5 : 5 + known, 0, 0] = np.random.default_rng(1).standard_normal(known)
    n, z = np.array([[4.0]]), np.array([[4 * 0.8]])
    sample = Sample(make.spec(windows=((0, 0),)), 1, np.zeros(1, int), np.zeros((1, 71), int))
    sample = replace(sample, shared={"moments": {"n": n, "z": z}, "draws": {"z": drawn}})
    found = placebo.TEST.finalize({}, sample)
    values = drawn[5 : 5 + known, 0, 0]
    if known < 20:
        assert np.isnan(found.p).all()
        assert found.note.item().startswith("fewer than 20 drawn samples")
    else:
        assert found.p.item() == pytest.approx((1 + (np.abs(values) >= 0.8).sum()) / (1 + known), rel=1e-12)
        assert found.statistic.item() == pytest.approx((0.8 - values.mean()) / values.std(ddof=1), rel=1e-12)
