r"""Rolling: the market model re-estimated for each day on the sessions before it.

.. math:: e_{it} = R_{it} - a_{i,t-1} - b_{i,t-1} R_{mt}, \quad Var(e_{it}) = \sigma_i^2 (1 + |h_{it}|^2), \quad
          s_i^2 = \frac{1}{n} \sum_{t \in E} \frac{e_{it}^2}{1 + |h_{it}|^2}

with a and b by least squares on the ``window`` sessions before day t and :math:`|h|^2` the leverage of day t in that
regression. In the estimation window these are forecast errors, not residuals: each is standardised by its own variance,
and s^2, whose degrees of freedom are the number n of errors, is unbiased (Brown, Durbin & Evans 1975, Journal of the
Royal Statistical Society B 37:149). A day is used if at least half of the sessions before it, and 20, have a return.
The whole event window uses one line, that of the last ``window`` sessions of the estimation window: no event day enters
it. r2 refers to the forecasts, and is negative if they are worse than the mean.

Use it if beta drifts: the variance is that of out-of-sample errors, and the beta is recent. The errors of days less
than ``window`` apart are correlated, which reduces the degrees of freedom by about 4/(3 window); this is ignored.
Rolling betas are those of Fama & MacBeth (1973, Journal of Political Economy 81:607).

Examples
--------
>>> import eventstudy as es
>>> es.model("rolling", window=90).coefficients
('alpha', 'beta')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from eventstudy.core.betas import Line, abnormal_from_line, deviations
from eventstudy.errors import InputError, shown
from eventstudy.types import Abnormal, Block, Bools, Column, DescribedModel, Floats

FEWEST = 20  # valid days that a window needs
FLAT = 1e-10  # a window's sum of squares below this share of the benchmark's is rounding error


@dataclass(frozen=True, repr=False)
class Rolling(DescribedModel):
    """The market model estimated on the sessions before each day.

    Parameters
    ----------
    window : int
        Number of sessions, 20 or more.

    Raises
    ------
    InputError
        When it is not a whole number of at least 20.
    """

    window: int = 60

    columns: ClassVar[tuple[Column, ...]] = (Column("benchmark"),)
    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def __post_init__(self) -> None:
        if isinstance(self.window, bool) or not (isinstance(self.window, int) and self.window >= FEWEST):
            raise InputError(f"window of the rolling model is {shown(self.window)}; give sessions, {FEWEST} or more")

    def fit(self, block: Block) -> Abnormal:
        """Estimate a line for each day of the prefix, and one for the suffix."""
        n_est = block.n_est
        valid = block.ok[:, :n_est].astype(np.float64)
        centred = deviations(np.stack([block.x[:, :n_est, 0], block.r[:, :n_est]], axis=2), valid)
        lines = _estimate_lines(centred.d[..., 0], centred.d[..., 1], valid, self.window)
        enough = lines.n >= max(self.window / 2, FEWEST)
        known = enough & (lines.squares > FLAT * centred.squares[:, [0]]) & ~centred.constant[:, [0]]
        ok = block.ok & np.hstack([known[:, :-1], np.ones((len(valid), block.r.shape[1] - n_est), dtype=bool)])
        line = _forecast(block, ok, lines, known, centred.constant[:, 0] | ~known[:, -1])
        weight = ok[:, :n_est] / line.v[:, :n_est]
        n_errors = ok[:, :n_est].sum(axis=1).astype(np.float64)
        too_few = ~enough[:, -1] | ((n_errors < 1) & ~line.singular)
        return abnormal_from_line(block, ok, line, weight, n_errors, n_errors, too_few)


class _Lines(NamedTuple):
    """Sums over the sessions before each day, (N, n_est + 1); the last column is for the event window.

    ``n`` counts valid days, ``x`` and ``y`` are means of the deviations of benchmark and return, ``squares`` and
    ``products`` the sums of x^2 and x y about these means.
    """

    n: Floats
    x: Floats
    y: Floats
    squares: Floats
    products: Floats


def _estimate_lines(x: Floats, y: Floats, valid: Floats, window: int) -> _Lines:
    """Sum over the sessions before each day, as differences of cumulative sums of deviations x and y."""
    first = np.maximum(np.arange(x.shape[1] + 1) - window, 0)

    def before(values: Floats) -> Floats:
        running = np.hstack([np.zeros((len(values), 1)), np.cumsum(values, axis=1)])
        return np.asarray(running - running[:, first])

    n = before(valid)
    divisor = np.maximum(n, 1.0)
    mean_x, mean_y = before(x) / divisor, before(y) / divisor
    return _Lines(n, mean_x, mean_y, before(x * x) - n * mean_x**2, before(x * y) - n * mean_x * mean_y)


def _forecast(block: Block, ok: Bools, lines: _Lines, known: Bools, singular: Bools) -> Line:
    """Forecast each day of the prefix by the line of its day, and the suffix by the last line."""
    n_est = block.n_est
    n, squares = np.maximum(lines.n, 1.0), np.where(known, lines.squares, 1.0)
    slope = np.where(known, lines.products / squares, 0.0)
    x, y = np.where(block.ok, block.x[..., 0], 0.0), np.where(block.ok, block.r, 0.0)
    count = np.maximum(block.ok[:, :n_est].sum(axis=1), 1)
    centre = [column[:, :n_est].sum(axis=1) / count for column in (x, y)]

    def by_day(values: Floats) -> Floats:
        last = np.broadcast_to(values[:, -1:], (len(values), block.r.shape[1] - n_est))
        return np.hstack([values[:, :-1], last])

    d = np.where(ok, x - centre[0][:, None] - by_day(lines.x), 0.0)
    e = np.where(ok, y - centre[1][:, None] - by_day(lines.y) - by_day(slope) * d, 0.0)
    h = np.empty((*e.shape, 2))
    h[..., 0] = np.where(ok, by_day(1.0 / np.sqrt(n)), 0.0)
    h[..., 1] = d * by_day(1.0 / np.sqrt(squares))
    v = np.ones(e.shape)
    v[:, :n_est] += h[:, :n_est, 0] ** 2 + h[:, :n_est, 1] ** 2
    h[:, :n_est] = 0.0  # the variance of a forecast error is v, without a leverage term
    beta = slope[:, -1]
    alpha = centre[1] + lines.y[:, -1] - beta * (centre[0] + lines.x[:, -1])
    return Line(np.stack([alpha, beta], axis=1), e, h, v, singular)


MODEL = Rolling()
