"""Trades on prices: when each can be had, how much of it, and its profit by day, for many samples of dates at once.

A trade buys a number of shares that is kept until it is sold. Profits are shares of a constant capital: they add over
trades and over days, and nothing is reinvested.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy.core.runs import RunSums
from eventstudy.types import Bools, Floats, Ints

NEVER = np.iinfo(np.int64).max  # the instant of what does not happen
YEAR = 365.0  # days of the rate of borrowed shares
EXACT = 1e-12  # share of the sum of squares up to which a sum of squared deviations is rounding


class Points(NamedTuple):
    """The prices at which securities can be traded: session k of a security has its open at 2k, its close at 2k + 1.

    ``price`` (A, P), NaN where nothing can be traded; ``instant`` (A, P) in nanoseconds, increasing, ``NEVER`` after
    the last session; ``date`` (A, P), the column of the day; ``marks`` (A, T), the last close up to the end of each
    day, NaN before the first; ``days`` (T,), days since 1970-01-01.
    """

    price: Floats
    instant: Ints
    date: Ints
    marks: Floats
    days: Ints

    def later(self) -> Ints:
        """Return the first point at or after each that has a price, (A, P + 1); P where there is none."""
        n_assets, n_points = self.price.shape
        own = np.where(np.isfinite(self.price), np.arange(n_points), n_points)
        ends = np.column_stack([own, np.full(n_assets, n_points)])
        return np.asarray(np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1])


class Terms(NamedTuple):
    """How trades are ended and paid for: sessions held, loss at which to leave, caps, and costs as decimals.

    ``stop`` and ``gross_cap`` are inf if there is none; ``borrow`` is a year's.
    """

    hold: int
    stop: float
    ticker_cap: float
    gross_cap: float
    cost: float
    borrow: float


class Legs(NamedTuple):
    """What is bought or sold short, all (L,): sample, security, points of entry and exit (P if none), signed weight.

    ``weight`` is the value at entry as a share of the capital.
    """

    sample: Ints
    asset: Ints
    enter: Ints
    leave: Ints
    weight: Floats


class Book(NamedTuple):
    """Profit before costs, costs, costs of borrowing and value traded, by sample and day (D, T); and by leg (L,)."""

    gross: Floats
    cost: Floats
    borrow: Floats
    traded: Floats
    leg_gross: Floats
    leg_cost: Floats
    leg_borrow: Floats


def exits(points: Points, later: Ints, asset: Ints, enter: Ints, direction: Floats, terms: Terms) -> Ints:
    """Return the point at which each trade ends, (N,); P if it has not ended when its prices end.

    Parameters
    ----------
    points : Points
    later : int array (A, P + 1)
        ``points.later()``.
    asset, enter, direction : arrays (N,)
        The point of each entry; P for no trade.
    terms : Terms
        A trade is held for ``hold`` closes after its entry, and sold at the last of them, or at the next price if that
        session has none. If a close before shows a loss of ``stop`` or more, it is sold at the next price after it.
    """
    n_points = points.price.shape[1]
    last = np.where(enter < n_points, 2 * (enter // 2 + terms.hold - 1 + enter % 2) + 1, n_points)
    leave = later[asset, np.minimum(last, n_points)]
    if np.isfinite(terms.stop):
        bought = points.price[asset, np.minimum(enter, n_points - 1)]
        for close in (2 * (enter // 2 + k) + 1 for k in range(terms.hold, -1, -1)):
            held = (close > enter) & (close < leave) & (close < last) & (close < n_points)
            moved = direction * (points.price[asset, np.minimum(close, n_points - 1)] / bought - 1.0)
            seen = held & (moved <= -terms.stop)  # the first of them counts, which is looked at last
            leave = np.where(seen, later[asset, np.minimum(close + 1, n_points)], leave)
    return leave


def weights(entered: Ints, left: Ints, ticker: Ints, wanted: Floats, terms: Terms) -> Floats:
    """Return the signed weight of each trade after the caps, (D, N), in the order of the entries.

    Parameters
    ----------
    entered, left : int arrays (D, N)
        Instants; a trade that left at the instant of an entry is not held any more.
    ticker : int array (N,)
    wanted : float array (D, N)
        Signed weights; 0 for no trade.
    terms : Terms
        Up to ``ticker_cap`` is held of a ticker, long or short, and up to ``gross_cap`` of all; weights at entry
        count, after trades of one ticker in opposite directions are netted. What exceeds a cap is not traded.
    """
    order = np.argsort(np.where(wanted != 0.0, entered, NEVER), axis=1, kind="stable")
    enter, leave, want = (np.take_along_axis(values, order, axis=1) for values in (entered, left, wanted))
    code, n_samples = ticker[order], len(wanted)
    rows, given = np.arange(n_samples)[:, None], np.zeros(wanted.shape)
    for k in range(wanted.shape[1]):
        held = given[:, :k] * (leave[:, :k] > enter[:, k : k + 1])
        own = (held * (code[:, :k] == code[:, k : k + 1])).sum(axis=1)
        along = own * np.sign(want[:, k])
        room = terms.ticker_cap - along
        if np.isfinite(terms.gross_cap):
            by_ticker = np.zeros((n_samples, ticker.max() + 1))
            np.add.at(by_ticker, (rows, code[:, :k]), held)
            room = np.minimum(room, terms.gross_cap - (np.abs(by_ticker).sum(axis=1) - np.abs(own)) - along)
        given[:, k] = np.sign(want[:, k]) * np.clip(np.abs(want[:, k]), 0.0, np.maximum(room, 0.0))
    out = np.empty_like(given)
    np.put_along_axis(out, order, given, axis=1)
    return out


def book(points: Points, legs: Legs, n_samples: int, terms: Terms) -> Book:
    """Return the profits and costs of legs by sample and day, and by leg.

    The value of a leg is weight x price / price at entry; a day's profit is the change of its value. Buying and selling
    of one security at one price are netted within a sample, costs are charged on the net value, and each leg bears them
    in proportion to its own. Borrowing is charged on the net short value of a security at the end of each day until
    the next, and borne by its short legs.
    """
    n_days, n_assets, n_points = len(points.days), *points.price.shape
    bought = points.price[legs.asset, legs.enter]
    shares = legs.weight / bought
    open_still = legs.leave >= n_points
    leave = np.minimum(legs.leave, n_points - 1)
    first = points.date[legs.asset, legs.enter]
    last = np.where(open_still, n_days - 1, points.date[legs.asset, leave])
    sold = np.where(open_still, points.marks[legs.asset, -1], points.price[legs.asset, leave])

    of = np.repeat(np.arange(len(shares)), last - first + 1)
    start = np.cumsum(last - first + 1) - (last - first + 1)
    day = first[of] + np.arange(len(of)) - start[of]
    end = shares[of] * np.where(day == last[of], sold[of], points.marks[legs.asset[of], day])
    begin = np.concatenate([[0.0], end[:-1]]) if len(end) else end
    begin[start] = legs.weight
    cell = legs.sample[of] * n_days + day
    gross = _summed(cell, end - begin, n_samples * n_days)

    leg_cost, traded = np.zeros(len(shares)), np.zeros(n_samples * n_days)
    number = np.concatenate([np.arange(len(shares)), np.flatnonzero(~open_still)])
    point = np.concatenate([legs.enter, leave[~open_still]])
    value = np.concatenate([legs.weight, -(shares * sold)[~open_still]])
    net, whole, key = _netted((legs.sample[number] * n_assets + legs.asset[number]) * n_points + point, value)
    own = np.divide(np.abs(value) * net[key], whole[key], out=np.zeros(len(value)), where=whole[key] > 0)
    np.add.at(traded, legs.sample[number] * n_days + points.date[legs.asset[number], point], own)
    np.add.at(leg_cost, number, terms.cost * own)

    held = np.where((day == last[of]) & ~open_still[of], 0.0, end)
    ahead = np.append(np.diff(points.days), 0)[day]
    short = _net_short((legs.sample[of] * n_assets + legs.asset[of]) * n_days + day, held)
    paid = terms.borrow * ahead / YEAR * short
    shape = (n_samples, n_days)
    return Book(
        gross.reshape(shape), terms.cost * traded.reshape(shape),
        _summed(cell, paid, n_samples * n_days).reshape(shape), traded.reshape(shape),
        _summed(of, end - begin, len(shares)), leg_cost, _summed(of, paid, len(shares)),
    )  # fmt: skip


def _summed(key: Ints, value: Floats, length: int) -> Floats:
    return np.asarray(np.bincount(key, value, length), dtype=np.float64)


def _netted(key: Ints, value: Floats) -> tuple[Floats, Floats, Ints]:
    """Return the absolute sum and the sum of absolute values of each distinct key, and the number of each row's key."""
    distinct, number = np.unique(key, return_inverse=True)
    net, whole = (_summed(number, part, len(distinct)) for part in (value, np.abs(value)))
    return np.abs(net), whole, number.astype(np.int64)


def _net_short(key: Ints, held: Floats) -> Floats:
    """Return the part of each short value that no long value with the same key offsets."""
    distinct, number = np.unique(key, return_inverse=True)
    net, below = (_summed(number, part, len(distinct)) for part in (held, np.minimum(held, 0.0)))
    share = np.divide(np.minimum(net, 0.0), below, out=np.zeros(len(net)), where=below < 0)
    return np.asarray(share[number] * -np.minimum(held, 0.0))


def positions(points: Points, legs: Legs) -> Floats:
    """Return the net value of each security at the end of each day, as a share of the capital, (A, T)."""
    n_days, n_points = len(points.days), points.price.shape[1]
    out = np.zeros(points.marks.shape)
    for asset, enter, leave, weight in zip(legs.asset, legs.enter, legs.leave, legs.weight, strict=True):
        end = n_days if leave >= n_points else points.date[asset, leave]
        held = slice(points.date[asset, enter], end)
        out[asset, held] += weight / points.price[asset, enter] * points.marks[asset, held]
    return out


def known_before(values: Floats, entered: Ints) -> Floats:
    """Return the mean over the trades entered up to each trade, itself included, (D, N); NaN values count for none."""
    order = np.argsort(entered, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    ok: Bools = np.isfinite(ordered)
    count = np.maximum(np.cumsum(ok, axis=1), 1)
    out = np.empty(values.shape)
    np.put_along_axis(out, order, np.cumsum(np.where(ok, ordered, 0.0), axis=1) / count, axis=1)
    return out


def estimation_lines(
    r: Floats, ok: Bools, x: Floats, window: tuple[int, int], least: int
) -> tuple[Floats, Floats, Floats]:
    """Return the line of the market model estimated before every day: beta, sigma, and the deviation of the return.

    Parameters
    ----------
    r, ok : arrays (A, T)
        Returns, and where they are known.
    x : float array (T,) or (A, T)
        Returns of the benchmark.
    window : (int, int)
        First and last relative day of the estimation.
    least : int
        Known days needed; NaN with fewer.

    Returns
    -------
    tuple of float arrays (A, T)
        Least squares: beta = Sxy / Sxx, sigma = sqrt((Syy - beta Sxy) / (n - 2)), and sqrt(Syy / (n - 1)). NaN where
        x does not vary, to the precision of its squares.
    """
    known = ok.astype(np.float64)
    x, r = (np.where(ok, values, 0.0) for values in (x, r))
    length, n_days = window[1] - window[0] + 1, r.shape[1]

    def total(values: Floats) -> Floats:
        """Sum the columns of each day's window: its own alone, so that a wild value elsewhere does not round them."""
        out = np.zeros(values.shape)
        if length > n_days:
            return out
        sums = RunSums(values).of(length)
        first = max(-window[0], 0)  # the first day whose window begins in the data
        part = sums[:, max(window[0], 0) :][:, : n_days - first]
        out[:, first : first + part.shape[1]] = part
        return out

    n = total(known)
    n = np.where(n >= max(least, 3), n, np.nan)
    sx, sy, squares = total(x), total(r), total(x * x)
    sxx, sxy, syy = squares - sx * sx / n, total(x * r) - sx * sy / n, total(r * r) - sy * sy / n
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = np.where(sxx > EXACT * squares, sxy / sxx, np.nan)
        sigma = np.sqrt(np.maximum(syy - beta * sxy, 0.0) / (n - 2.0))
        return beta, sigma, np.sqrt(np.maximum(syy, 0.0) / (n - 1.0))
