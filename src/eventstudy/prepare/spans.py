"""Regressors over the gaps of a security: the benchmark and factors span the same days as its return does.

.. math:: R_{m,t} = P_{m,t} / P_{m,s} - 1

with s the session of the security's previous price; factor returns are compounded over the same sessions. With log
returns both are sums.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy.types import Bools, Floats, Ints


class Growth(NamedTuple):
    """Cumulative log growth of the regressors on the sessions of a slice, (T, K).

    ``start`` is that at each session's close, ``end`` that to the price at which a return ends, such as the open; both
    are NaN where a price is missing. ``missing`` counts the unknown returns of factors, and of tickers whose returns
    are stated, up to each session.
    """

    start: Floats
    end: Floats
    missing: Floats

    @property
    def priced(self) -> Bools:
        """Whether all regressors have a price at the close of each session, (T,)."""
        return np.asarray(np.isfinite(self.start).all(axis=-1))


class Gaps(NamedTuple):
    """The sessions of a security's first prices after gaps, and of its last prices before them: positions (n,)."""

    before: Ints
    after: Ints


def gaps_of(level: Floats) -> Gaps:
    """Return the gaps in levels (T,), of which at least one session has no price."""
    priced = np.flatnonzero(np.isfinite(level))
    before, after = priced[:-1], priced[1:]
    wide = after - before > 1
    return Gaps(before[wide], after[wide])


def level_growth(level: Floats, now: Floats, unknown: Floats) -> Growth:
    """Return the growth of levels (T,), such as prices, with levels ``now`` at which returns end.

    ``unknown`` is the number of unknown returns up to each level.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return Growth(np.log(level), np.log(now), unknown)


def factor_growth(values: Floats, returns: str) -> Growth:
    """Return the growth of factor returns (T,), which are compounded, or summed for log returns."""
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.log1p(values) if returns == "simple" else values
    known = np.isfinite(growth)
    total = np.cumsum(np.where(known, growth, 0.0))
    return Growth(total, total, np.cumsum(~known).astype(np.float64))


def shifted(series: Floats, shift: int) -> Floats:
    """Return a series (T,) led by ``shift`` sessions; NaN beyond its ends."""
    at = np.arange(len(series)) + shift
    inside = (at >= 0) & (at < len(series))
    return np.where(inside, series[np.where(inside, at, 0)], np.nan)


def spanned(x: Floats, growth: Growth, gaps: Gaps, columns: Bools, first: int, returns: str) -> Floats:
    """Return regressors (T, K) with those after gaps replaced by their growth since the price before.

    ``columns`` (K,) are those that span; ``first`` is the position of the first row of ``x`` in the slice.
    """
    inside = (gaps.after >= first) & (gaps.after < first + len(x))
    before, after = gaps.before[inside], gaps.after[inside]
    total = growth.end[after] - growth.start[before]
    total[growth.missing[after] > growth.missing[before]] = np.nan
    out = x.copy()
    out[after - first] = np.where(columns, np.expm1(total) if returns == "simple" else total, x[after - first])
    return out
