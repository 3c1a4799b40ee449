"""The same rule on dates drawn anew: what a rule earns that knows nothing of the news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.analysis.trades_desk import Desk
from eventstudy.analysis.trades_figures import Figures
from eventstudy.analysis.trades_plan import OUT, planned, settled
from eventstudy.analysis.trades_rule import Rule
from eventstudy.core.draws import draw_days
from eventstudy.core.parts import build
from eventstudy.errors import NotEnoughData
from eventstudy.types import Floats, Ints

CELLS = 4_000_000  # days of trades at once
LEVELS = (0.025, 0.5, 0.975)


@dataclass(frozen=True, eq=False)
class Placebos:
    """The rule on drawn dates.

    Attributes
    ----------
    frame : DataFrame
        Index ``draw``; sharpe (a year), mean_return (net, on the stake), total.
    band : DataFrame
        Index dates; lower, median, upper: the middle 95 % of the equities on drawn dates, 1 at the beginning.
    sharpe : float
        That of the trades themselves.
    p, p_mean : float
        (1 + draws at or above the trades' own) / (draws + 1), of the Sharpe ratio and of the mean return.
    n_kept : int
        Events that keep their dates in every draw, as no other is possible.
    """

    frame: pd.DataFrame
    band: pd.DataFrame
    sharpe: float
    p: float
    p_mean: float
    n_kept: int


def drawn_trades(
    desk: Desk, rules: Sequence[Rule], direction: Sequence[Floats], which: Ints, draws: int, seed: int, own: Figures
) -> Placebos:
    """Return the placebos of trades; see ``Trades.placebo``.

    Raises
    ------
    NotEnoughData
        If nothing was traded, or the study can measure no event.
    """
    sample = desk.sample
    if own["n_trades"] == 0.0:
        raise NotEnoughData("nothing was traded, so that there is nothing to compare with; frame.reason says why")
    if not len(sample.panels):
        raise NotEnoughData(
            "the study can measure none of its events, so that no dates are drawn; result.events.reason says why"
        )
    days = draw_days([build(panel) for panel in sample.panels], sample.placed, sample.sample, draws, seed)
    session, which = desk.sessions_of(days), np.where(desk.placed >= 0, which, OUT)
    step = max(1, CELLS // max(1, len(desk.dates), 2 * session.shape[1] * (max(rule.hold for rule in rules) + 2)))
    parts, nets = [], []
    for first in range(0, draws, step):
        plan = planned(desk, rules, which, direction, session[first : first + step])
        done = settled(desk, plan, rules[0])
        net = done.book.gross - done.book.cost - done.book.borrow
        of = (done.weight, done.event, done.legs.sample, _leg_net(done))
        parts.append(_figures(net, done.book.traded, *of, own.spacing.a_year))
        nets.append(net.astype(np.float32).cumsum(axis=1))
    frame = pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    frame.index.name = "draw"
    paths = np.concatenate(nets)
    used = np.flatnonzero((paths != 0.0).any(axis=0))
    first = int(used[0]) if len(used) else 0
    band = np.quantile(paths[:, first:], LEVELS, axis=0).astype(np.float64) + 1.0
    index = pd.DatetimeIndex(desk.dates[first:], name="date")
    return Placebos(
        frame, pd.DataFrame(band.T, index, ["lower", "median", "upper"]), own["sharpe"],
        _rank(frame["sharpe"].to_numpy(), own["sharpe"]),
        _rank(frame["mean_return"].to_numpy(), own["mean_return"]),
        int(((session == desk.session).all(axis=0) & (which != OUT)).sum()),
    )  # fmt: skip


def _leg_net(done: object) -> Floats:
    book = done.book  # type: ignore[attr-defined]
    return np.asarray(book.leg_gross - book.leg_cost - book.leg_borrow)


def _figures(
    net: Floats, traded: Floats, weight: Floats, event: Ints, draw: Ints, leg_net: Floats, a_year: float
) -> Mapping[str, Floats]:
    """Return the Sharpe ratio of each draw from its first to its last day, its mean return on stakes, and its total."""
    n_days = net.shape[1]
    active = (traded > 0.0) | (net != 0.0)
    first, last = active.argmax(axis=1), n_days - 1 - active[:, ::-1].argmax(axis=1)
    n = np.where(active.any(axis=1), last - first + 1, 0).astype(np.float64)
    total = net.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        inside = (np.arange(n_days) >= first[:, None]) & (np.arange(n_days) <= last[:, None])
        variance = (np.where(inside, net - mean[:, None], 0.0) ** 2).sum(axis=1) / (n - 1.0)
        sharpe = np.sqrt(a_year) * mean / np.sqrt(variance)
        by_event = np.zeros(weight.shape)
        np.add.at(by_event, (draw, event), leg_net)
        each = np.where(weight != 0.0, by_event / np.abs(weight), 0.0)
        mean_return = each.sum(axis=1) / (weight != 0.0).sum(axis=1)
    return {"sharpe": sharpe, "mean_return": mean_return, "total": total}


def _rank(drawn: Floats, own: float) -> float:
    """Return the share of draws at or above a value, itself included; NaN if it is NaN."""
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(own) or not len(known):
        return float("nan")
    near = 1e-12 * max(1.0, abs(own))  # the same trades summed in another order
    return float((1 + (known >= own - near).sum()) / (len(known) + 1))
