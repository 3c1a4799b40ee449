r"""Rolling: the market model estimated anew before each day.

.. math:: e_{it} = R_{it} - a_{i,t-1} - b_{i,t-1} R_{mt}, \quad Var(e_{it}) = \sigma_i^2 (1 + |h_{it}|^2), \quad
          s_i^2 = \frac{1}{n} \sum_{t \in E} \frac{e_{it}^2}{1 + |h_{it}|^2}

with a and b by least squares on the ``window`` sessions before day t and :math:`|h|^2` the leverage of day t among
them. In the estimation window these are errors of forecast and not residuals, so that each is standardised by its own
variance and s^2, with as many degrees of freedom as errors, is unbiased (Brown, Durbin & Evans 1975, Journal of the
Royal Statistical Society B 37:149). A day counts where at least half of the sessions before it, and 20, have a return.
The event window has one line, of the last ``window`` sessions of the estimation window: no event day enters it. The r2
is that of the forecasts, and is negative where they do worse than the mean.

For a beta that drifts: the variance is what the model has shown out of sample, and the beta is recent. The errors of
days less than ``window`` apart are correlated, which takes about 4/(3 window) of the degrees of freedom; that is left
out. Rolling betas are those of Fama & MacBeth (1973, Journal of Political Economy 81:607).

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

from eventstudy.core.betas import Line, assess, deviations
from eventstudy.errors import InputError
from eventstudy.types import Abnormal, Block, Bools, Column, Floats

FEWEST = 20  # valid days of a window
FLAT = 1e-10  # share of the benchmark's sum of squares below which a window's own is rounding


@dataclass(frozen=True)
class Rolling:
    """The market model of the sessions before each day.

    Parameters
    ----------
    window : int
        Sessions, 20 or more.

    Raises
    ------
    InputError
        When it is less.
    """

    window: int = 60

    columns: ClassVar[tuple[Column, ...]] = (Column("benchmark"),)
    coefficients: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    def __post_init__(self) -> None:
        if isinstance(self.window, bool) or not (isinstance(self.window, int) and self.window >= FEWEST):
            raise InputError(f"window of the rolling model is {self.window!r}; give sessions, {FEWEST} or more")

    def fit(self, block: Block) -> Abnormal:
        """Estimate a line before each day of the prefix, and one for the suffix."""
        n_est = block.n_est
        valid = block.ok[:, :n_est].astype(np.float64)
        both = deviations(np.stack([block.x[:, :n_est, 0], block.r[:, :n_est]], axis=2), valid)
        lines = _lines(both.d[..., 0], both.d[..., 1], valid, self.window)
        enough = lines.n >= max(self.window / 2, FEWEST)
        known = enough & (lines.squares > FLAT * both.squares[:, [0]]) & ~both.constant[:, [0]]
        ok = block.ok & np.hstack([known[:, :-1], np.ones((len(valid), block.r.shape[1] - n_est), dtype=bool)])
        fitted = _carry(block, ok, lines, known, both.constant[:, 0] | ~known[:, -1])
        weight = ok[:, :n_est] / fitted.v[:, :n_est]
        n_errors = ok[:, :n_est].sum(axis=1).astype(np.float64)
        too_few = ~enough[:, -1] | ((n_errors < 1) & ~fitted.singular)
        return assess(block, ok, fitted, weight, n_errors, n_errors, too_few)


class _Lines(NamedTuple):
    """What the sessions before each day say, (N, n_est + 1), the last for the event window; means are of deviations.

    ``n`` valid days, ``x`` and ``y`` means, ``squares`` of x about its mean, ``products`` of x and y.
    """

    n: Floats
    x: Floats
    y: Floats
    squares: Floats
    products: Floats


def _lines(x: Floats, y: Floats, valid: Floats, window: int) -> _Lines:
    """Sum over the sessions before each day, as differences of cumulative sums of x and y about their means."""
    first = np.maximum(np.arange(x.shape[1] + 1) - window, 0)

    def before(values: Floats) -> Floats:
        running = np.hstack([np.zeros((len(values), 1)), np.cumsum(values, axis=1)])
        return np.asarray(running - running[:, first])

    n = before(valid)
    some = np.maximum(n, 1.0)
    mean_x, mean_y = before(x) / some, before(y) / some
    return _Lines(n, mean_x, mean_y, before(x * x) - n * mean_x**2, before(x * y) - n * mean_x * mean_y)


def _carry(block: Block, ok: Bools, lines: _Lines, known: Bools, singular: Bools) -> Line:
    """Forecast each day of the prefix by its own line, and the suffix by the last."""
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
    h[:, :n_est] = 0.0  # an error of forecast was fitted by nothing: its variance is v
    beta = slope[:, -1]
    alpha = centre[1] + lines.y[:, -1] - beta * (centre[0] + lines.x[:, -1])
    return Line(np.stack([alpha, beta], axis=1), e, h, v, singular)


MODEL = Rolling()
