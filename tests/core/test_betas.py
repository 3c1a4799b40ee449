"""Deviations from weighted means, event by event: against NumPy, whatever the other events of the block are like."""

from __future__ import annotations

import numpy as np

from eventstudy.core.betas import deviations


def test_deviations_are_those_of_numpy_event_by_event() -> None:
    """The second event's regressors are 1e-14 of the others', and vary as much; the third's second is constant."""
    rng = np.random.default_rng(1)
    x, weight = rng.standard_normal((4, 30, 2)), rng.uniform(0.5, 2.0, (4, 30))
    x[1] *= 1e-14
    x[2, :, 1] = 0.3
    weight[3, ::4] = 0.0
    x[3, ::4] = np.nan  # not read
    found = deviations(x, weight)
    assert found.constant.tolist() == [[False, False], [False, False], [False, True], [False, False]]
    for i, k in np.ndindex(4, 2):
        valid = weight[i] > 0
        w, values = weight[i, valid], x[i, valid, k]
        d = values - np.average(values, weights=w)
        np.testing.assert_allclose(found.d[i, valid, k], d, rtol=1e-9, atol=1e-13 * np.abs(values).max())
        assert (found.d[i, ~valid, k] == 0).all()
        wanted = 1.0 if found.constant[i, k] else (w * d**2).sum()
        np.testing.assert_allclose(found.squares[i, k], wanted, rtol=1e-12)
