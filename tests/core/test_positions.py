"""Trades by hand; lines before each day: held to polyfit, and to nothing that lies outside the window."""

from __future__ import annotations

import numpy as np

from eventstudy.core.positions import Legs, Points, Terms, book, estimation_lines, weights

WINDOW, DAY = (-30, -3), 60


def test_a_trade_that_is_still_open_earns_until_the_last_day():
    """Bought at an open, each day earns the change of the close, on the shares that the weight bought."""
    price = np.array([[10.0, 11.0, 12.0, 13.0, 12.5, 14.0, 15.0, 17.0]])  # open and close of four sessions
    closes = price[:, 1::2]
    points = Points(price, np.arange(8)[None], np.arange(8)[None] // 2, closes, np.arange(4))
    first, entry, none = np.array([0]), np.array([2]), np.array([8])
    legs = Legs(first, first, entry, none, np.array([0.6]))
    found = book(points, legs, 1, Terms(9, np.inf, 1.0, np.inf, 0.001, 0.0))
    wanted = 0.6 / 12.0 * np.array([0.0, 13.0 - 12.0, 14.0 - 13.0, 17.0 - 14.0])
    np.testing.assert_allclose(found.gross, wanted[None], atol=1e-15)
    np.testing.assert_allclose(found.leg_gross, wanted.sum(), rtol=1e-14)
    np.testing.assert_allclose(found.cost, [[0.0, 0.0006, 0.0, 0.0]], atol=1e-15)  # nothing was sold


def test_trades_of_one_instant_are_taken_in_their_order_while_a_cap_leaves_room():
    entered = np.repeat([[5, 3]], 20, axis=0).reshape(1, 40)  # in turn at the second and the first of two instants
    left, wanted = np.full((1, 40), 9), np.full((1, 40), 0.1)
    found = weights(entered, left, np.arange(40), wanted, Terms(9, np.inf, 1.0, 2.5, 0.0, 0.0))
    taken = np.where(np.arange(40) % 2 == 1, 0.1, np.where(np.arange(40) < 10, 0.1, 0.0))  # 20 and then 5
    np.testing.assert_allclose(found[0], taken, atol=1e-12)


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
