"""Prices to returns: between adjusted closes, with an explicit rule for gaps, and the day's open, high or low.

A missing price is never filled: the return is missing on that session and, by the rule "missing", on the session
after it, whose price change belongs to several days; the rule "span" puts the whole change there.
"""

from __future__ import annotations

from typing import get_args

import numpy as np

from eventstudy.bars import Bars
from eventstudy.types import Calendar, Floats, Gaps, Returns

RETURNS: tuple[Returns, ...] = get_args(Returns)
GAPS: tuple[Gaps, ...] = get_args(Gaps)


def lay(bars: Bars, values: Floats, calendar: Calendar) -> Floats:
    """Lay a ticker's values out on the sessions of its calendar, (T,), NaN where it has none."""
    out = np.full(len(calendar.dates), np.nan)
    at = np.searchsorted(calendar.dates, bars.dates)
    inside = at < len(out)
    inside[inside] &= calendar.dates[at[inside]] == bars.dates[inside]
    out[at[inside]] = values[inside]
    return out


def adjusted(bars: Bars) -> Floats:
    """Give the close adjusted for splits and dividends; the close itself where the source has no other."""
    return bars.fields.get("adjusted", bars.fields["close"])


def field(bars: Bars, price: str) -> Floats:
    """Give the open, high, low or close, scaled by the day's adjustment (adjusted close / close); NaN where absent."""
    if price == "close":
        return adjusted(bars)
    values = bars.fields.get(price, np.full(len(bars.dates), np.nan))
    return np.asarray(values * adjusted(bars) / bars.fields["close"])


def carried(bars: Bars, values: Floats, own: Calendar, target: Calendar) -> Floats:
    """Carry a series to another market's sessions: its last value known at each of their closes.

    NaN before its first and after its last own session with a value; between them a value stands until the next.

    Returns
    -------
    float array (T,)
        On the sessions of ``target``.
    """
    laid = lay(bars, values, own)
    known = np.flatnonzero(np.isfinite(laid))
    out = np.full(len(target.dates), np.nan)
    if not len(known):
        return out
    own_time = own.dates if own.closes is None or target.closes is None else own.closes
    target_time = target.dates if own.closes is None or target.closes is None else target.closes
    session = np.searchsorted(own_time, target_time, side="right") - 1
    last = known[np.maximum(np.searchsorted(known, session, side="right") - 1, 0)]
    good = (session >= known[0]) & (session <= known[-1])
    out[good] = laid[last[good]]
    return out


def change(level: Floats, returns: str, gaps: str, now: Floats | None = None) -> Floats:
    r"""Take returns along the last axis: from each session's previous level to its level, or to ``now``.

    .. math:: R_t = P_t / P_{t-1} - 1 \quad \text{or} \quad \ln P_t - \ln P_{t-1}

    Parameters
    ----------
    level : float array (..., T)
        NaN where there is no price.
    returns : {"simple", "log"}
    gaps : {"missing", "span"}
        Whether the first session after a gap has no return, or that of the whole gap.
    now : float array (..., T), optional
        What stands in for the session's own level, as the day's low.

    Examples
    --------
    >>> level = np.array([100.0, 110.0, np.nan, 121.0])
    >>> np.round(change(level, "simple", "missing"), 3).tolist(), np.round(change(level, "simple", "span"), 3).tolist()
    ([nan, 0.1, nan, nan], [nan, 0.1, nan, 0.1])
    """
    before = np.full_like(level, np.nan)
    before[..., 1:] = (_filled(level) if gaps == "span" else level)[..., :-1]
    ratio = (level if now is None else now) / before
    return np.asarray(np.log(ratio) if returns == "log" else ratio - 1.0)


def _filled(level: Floats) -> Floats:
    at = np.where(np.isfinite(level), np.arange(level.shape[-1]), 0)
    return np.asarray(np.take_along_axis(level, np.maximum.accumulate(at, axis=-1), axis=-1))
