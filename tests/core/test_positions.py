"""Lines before each day: held to polyfit, and to nothing that lies outside the window."""

from __future__ import annotations

import numpy as np

from eventstudy.core.positions import estimation_lines

WINDOW, DAY = (-30, -3), 60


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    x, ok = rng.normal(0.001, 0.01, (2, 120)), rng.random((2, 120)) > 0.1
    return 0.7 * x + rng.normal(0, 0.02, (2, 120)), ok, x


def test_the_line_is_that_of_polyfit_and_nothing_outside_its_window_enters():
    """A return of a million, as of a lost decimal point, days after or before the window changes no digit."""
    r, ok, x = data()
    before = estimation_lines(r, ok, x, WINDOW, 20)
    days = slice(DAY + WINDOW[0], DAY + WINDOW[1] + 1)
    for row in range(2):
        y, z = r[row, days][ok[row, days]], x[row, days][ok[row, days]]
        beta, alpha = np.polyfit(z, y, 1)
        sigma = np.sqrt(((y - alpha - beta * z) ** 2).sum() / (len(y) - 2))
        line = [part[row, DAY] for part in before]
        np.testing.assert_allclose(line, [beta, sigma, y.std(ddof=1)], rtol=1e-10)
    for at in (DAY + WINDOW[1] + 1, DAY + WINDOW[0] - 1):
        wild = r.copy()
        wild[:, at] = 1e6
        for part, again in zip(before, estimation_lines(wild, ok | (np.arange(120) == at), x, WINDOW, 20), strict=True):
            np.testing.assert_array_equal(again[:, DAY], part[:, DAY])


def test_there_is_no_line_without_days_before_or_a_benchmark_that_varies():
    r, ok, x = data()
    beta, sigma, deviation = estimation_lines(r, ok, np.full(r.shape, 0.001), WINDOW, 20)
    assert np.isnan(beta).all()
    assert np.isnan(sigma).all()
    assert np.isnan(deviation[:, :30]).all()
    assert np.isfinite(deviation[:, 30:]).all()
    assert np.isnan(estimation_lines(r[:, :20], ok[:, :20], x[:, :20], WINDOW, 20)).all()
