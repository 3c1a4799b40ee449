"""Returns from prices: between adjusted closes, or to the day's open, high or low, with an explicit rule for gaps.

A missing price is never filled. The return is missing on its session and, under the rule "missing", on the session
after it, because that price change spans several days; the rule "span" assigns the whole change to that session.
"""

from __future__ import annotations

from typing import get_args

import numpy as np

from eventstudy.types import BarsView, Bools, Calendar, Contradictory, Dates, Floats, Gaps, Ints, Returns

RETURNS: tuple[Returns, ...] = get_args(Returns)
GAPS: tuple[Gaps, ...] = get_args(Gaps)
BASE = 100.0  # the level before the first stated return


def reindex(bars: BarsView, values: Floats, calendar: Calendar) -> Floats:
    """Align a ticker's values with the sessions of its calendar, (T,), NaN where it has none."""
    n = len(calendar.dates)
    first = int(np.searchsorted(bars.dates, calendar.dates[0])) if n else 0
    if np.array_equal(bars.dates[first : first + n], calendar.dates):
        return values[first : first + n].astype(np.float64)
    out = np.full(n, np.nan)
    at = np.searchsorted(calendar.dates, bars.dates)
    inside = at < len(out)
    inside[inside] &= calendar.dates[at[inside]] == bars.dates[inside]
    out[at[inside]] = values[inside]
    return out


def adjusted_close(bars: BarsView) -> Floats:
    """Return the close adjusted for splits and dividends, or the plain close if the source has no other."""
    return bars.fields.get("adjusted", bars.fields["close"])


def is_level(bars: BarsView) -> bool:
    """Return whether closes are no prices, but a level from 100 that stated returns imply."""
    return "return" in bars.fields and "adjusted" not in bars.fields


def quoted_price(bars: BarsView, price: str = "close") -> Floats:
    """Return the prices as they were quoted, (T,): not adjusted; NaN where there is none, or a level alone."""
    if price not in bars.fields or is_level(bars):
        return np.full(len(bars.dates), np.nan)
    return bars.fields[price]


def adjusted_price(bars: BarsView, price: str) -> Floats:
    """Return the open, high, low or close times the day's adjustment (adjusted close / close); NaN where absent."""
    if price == "close":
        return adjusted_close(bars)
    values = bars.fields.get(price, np.full(len(bars.dates), np.nan))
    return np.asarray(values * adjusted_close(bars) / bars.fields["close"])


def counted_level(bars: BarsView, price: str, contradictory: Contradictory) -> Floats:
    """Return the adjusted prices between which returns are computed, (T,); NaN where the bar does not count.

    Stated returns have a close on every row, so that each return is that since the row before: the level that they
    imply, which an unknown return leaves unchanged. No return may be computed over a row on which
    :func:`n_unknown` grows.
    """
    if "return" not in bars.fields:
        return without_contradictions(bars, adjusted_price(bars, price), contradictory)
    simple = without_contradictions(bars, bars.fields["return"], contradictory)
    level = np.asarray(BASE * np.cumprod(1.0 + np.nan_to_num(simple)))
    if price == "close":
        return level
    values = bars.fields.get(price, np.full(len(bars.dates), np.nan))
    return np.where(np.isnan(simple), np.nan, values * level / bars.fields["close"])


def level_of_shares(bars: BarsView, contradictory: Contradictory, row: int) -> Floats:
    """Return the prices between which returns are computed, in shares of one row: equal to the close there, (T,).

    A split or dividend before or after the row is no move of them.

    Examples
    --------
    >>> from eventstudy.bars import Bars
    >>> dates = np.array(["2021-09-10", "2021-09-13"], dtype="datetime64[D]")
    >>> split = Bars("A", dates, {"close": np.array([400.0, 101.0]), "adjusted": np.array([50.0, 50.5])})
    >>> level_of_shares(split, "drop", 1).tolist()
    [100.0, 101.0]
    """
    level = counted_level(bars, "close", contradictory)
    return np.asarray(level * (bars.fields["close"][row] / level[row]))


def priced_rows(bars: BarsView, contradictory: Contradictory) -> Ints:
    """Return the rows that have a close and a level between which returns are computed, (n,)."""
    return np.flatnonzero(np.isfinite(counted_level(bars, "close", contradictory) * bars.fields["close"]))


def close_to_close(bars: BarsView, contradictory: Contradictory, calendar: Calendar) -> Floats:
    """Return the simple returns from close to close on the sessions of a calendar, (T,), as a study computes them."""
    if "return" in bars.fields:
        simple = without_contradictions(bars, bars.fields["return"], contradictory)
        return stated_returns(bars, simple, calendar, "simple", "missing")
    return compute_returns(reindex(bars, counted_level(bars, "close", contradictory), calendar), "simple", "missing")


def n_unknown(bars: BarsView, sessions: Dates, contradictory: Contradictory) -> Floats:
    """Return the number of stated returns up to each row, (T,), that are not known; zeros for prices.

    A row on a day that is no session is that of a closed exchange, and no unknown return.
    """
    if "return" not in bars.fields:
        return np.zeros(len(bars.dates))
    simple = without_contradictions(bars, bars.fields["return"], contradictory)
    return np.cumsum(np.isnan(simple) & np.isin(bars.dates, sessions)).astype(np.float64)


def without_contradictions(bars: BarsView, values: Floats, contradictory: Contradictory) -> Floats:
    """Return values with NaN on the dates whose bar contradicts itself, unless such bars are kept."""
    if contradictory == "keep":
        return values
    dates = [finding.date for finding in bars.findings if finding.check == "contradiction"]
    if not dates:
        return values
    counted = values.copy()
    counted[np.searchsorted(bars.dates, dates)] = np.nan
    return counted


def reindex_as_of(bars: BarsView, values: Floats, source: Calendar, target: Calendar) -> Floats:
    """Align a series with another market's sessions: the last value known at the close of each of them.

    A value is carried forward until the next one. NaN before the first and after the last session of the series' own
    calendar, ``source``, that has a value.

    Returns
    -------
    float array (T,)
        On the sessions of ``target``.
    """
    aligned = reindex(bars, values, source)
    known = np.flatnonzero(np.isfinite(aligned))
    out = np.full(len(target.dates), np.nan)
    if not len(known):
        return out
    source_time = source.dates if source.closes is None or target.closes is None else source.closes
    target_time = target.dates if source.closes is None or target.closes is None else target.closes
    session = np.searchsorted(source_time, target_time, side="right") - 1
    last = known[np.maximum(np.searchsorted(known, session, side="right") - 1, 0)]
    inside = (session >= known[0]) & (session <= known[-1])
    out[inside] = aligned[last[inside]]
    return out


def compute_returns(
    level: Floats, returns: str, gaps: str, now: Floats | None = None, unknown: Floats | None = None
) -> Floats:
    r"""Compute returns along the last axis: from each session's previous level to its level, or to ``now``.

    .. math:: R_t = P_t / P_{t-1} - 1 \quad \text{or} \quad \ln P_t - \ln P_{t-1}

    Parameters
    ----------
    level : float array (..., T)
        NaN where there is no price.
    returns : {"simple", "log"}
    gaps : {"missing", "span"}
        Whether the first session after a gap has no return, or the return over the whole gap.
    now : float array (..., T), optional
        Levels used instead of the session's level as the end of its return, such as the day's low.
    unknown : float array (..., T), optional
        The number of unknown returns up to each level (:func:`n_unknown`): a return over one of them is missing.

    Returns
    -------
    float array (..., T)
        NaN for the first session, and where a level is missing.

    Examples
    --------
    >>> level = np.array([100.0, 110.0, np.nan, 121.0])
    >>> compute_returns(level, "simple", "missing").round(3).tolist()
    [nan, 0.1, nan, nan]
    >>> compute_returns(level, "simple", "span").round(3).tolist()
    [nan, 0.1, nan, 0.1]
    """
    ratio = (level if now is None else now) / _before(level, level, gaps)
    if unknown is not None:
        ratio = np.where(unknown == _before(unknown, level, gaps), ratio, np.nan)
    return np.asarray(np.log(ratio) if returns == "log" else ratio - 1.0)


def stated_returns(
    bars: BarsView, simple: Floats, calendar: Calendar, returns: str, gaps: str, counted: Bools | None = None
) -> Floats:
    """Return simple returns, each since the row before, on the sessions of the calendar, (T,).

    After a session without a row, a return covers several sessions, as one between prices does: missing under the rule
    "missing". Under "span" it is used, and returns are compounded over sessions that do not count, such as those
    without a price of the benchmark. Rows on days that are no sessions are compounded into the next session. An unknown
    return is missing on its own session alone, or in a span.

    Parameters
    ----------
    bars : Bars
    simple : float array (number of rows,)
    calendar : Calendar
    returns : {"simple", "log"}
    gaps : {"missing", "span"}
    counted : bool array (T,), optional
        The sessions from and to which spans reach; all with a row by default.
    """
    row = reindex(bars, np.arange(len(bars.dates), dtype=np.float64), calendar)
    listed, stated = np.isfinite(row), reindex(bars, simple, calendar)
    total = np.cumsum(np.log1p(np.nan_to_num(simple)))
    steps = np.flatnonzero(listed if counted is None else listed & counted)
    before, after = steps[:-1], steps[1:]
    over = row[after] - row[before] > 1  # several rows
    before, after = before[over], after[over]
    unknown = np.cumsum(listed & np.isnan(stated))
    growth = np.expm1(total[row[after].astype(np.int64)] - total[row[before].astype(np.int64)])
    stated[after] = np.where(unknown[after] == unknown[before], growth, np.nan)
    if gaps == "missing":
        stated[np.concatenate([[False], ~listed[:-1]]) & ~np.isin(calendar.dates, bars.dates[:1])] = np.nan
    elif counted is not None:
        stated[~counted] = np.nan
    return np.log1p(stated) if returns == "log" else stated


def _before(values: Floats, level: Floats, gaps: str) -> Floats:
    """Return the values of each session's previous level: of the session before, or of the last with a level."""
    if gaps == "span":
        at = np.where(np.isfinite(level), np.arange(level.shape[-1]), 0)
        values = np.take_along_axis(values, np.maximum.accumulate(at, axis=-1), axis=-1)
    previous = np.empty_like(values)
    previous[..., :1], previous[..., 1:] = np.nan, values[..., :-1]
    return previous
