"""Prices made out of prices: months, portfolios, an index without some members, series of your own, delistings.

Each function takes :class:`~eventstudy.bars.Prices` and gives new ones; the old are not changed. What was done stands
in ``provenance["transformed"]``, and what a reader should know of it in ``provenance["noticed"]``, which a result shows
among its notes. Levels are adjusted closes where there are any, else closes, as in a study. :mod:`eventstudy.intraday`
has those for bars within the day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from eventstudy._transform import (
    DAY,
    asked,
    changed,
    check_daily,
    counted,
    in_common,
    levels,
    listed,
    market_of,
    months_noticed,
    new_name,
    numbers,
)  # fmt: skip
from eventstudy.bars import POSITIVE, Bars, Prices, as_dates
from eventstudy.errors import InputError, one_of
from eventstudy.intraday import hours as hours
from eventstudy.intraday import overnight as overnight
from eventstudy.prepare.calendar import key, observed
from eventstudy.prepare.returns import adjusted, change
from eventstudy.types import Dates, Floats

REBALANCE = ("daily", "never")
BASE = 100.0  # the first level of a series that is made
OF_MONTH = {"close": "last", "adjusted": "last", "open": "first", "high": "max", "low": "min", "volume": "sum"}


def monthly(prices: Prices) -> Prices:
    """Give the last price of each calendar month, for studies in months.

    A month is dated at its last calendar day, so that all markets agree; the observed dates are the calendar, and an
    event by its date alone, with ``on_closed="next"``, belongs to the month it lies in. Windows count months.

    Open is the month's first, high and low its extremes, each in terms of the month's last close: a day's price times
    its adjustment (adjusted close / close) over the last day's. Volume is the sum, and a series of your own the mean.
    A month without a price is absent. Noticed are months that are missing between others, and months whose last price
    is more than 3 sessions before their end (weekdays, where the exchange is not known): the last month of unfinished
    data is such a stub. In a first month that begins late, only the open, the extremes and the volume are of a part.

    Parameters
    ----------
    prices : Prices
        Daily.

    Returns
    -------
    Prices
        The same tickers and currencies, without exchanges.

    Examples
    --------
    >>> import pandas as pd
    >>> wide = pd.DataFrame({"A": [10.0, 11.0, 12.0]}, index=["2021-01-28", "2021-01-29", "2021-02-26"])
    >>> monthly(Prices.from_frame(wide)).frame("A")
                close
    date
    2021-01-31   11.0
    2021-02-28   12.0
    """
    check_daily(prices, "monthly")
    bars, notes = {}, {}
    for ticker, its in prices.bars.items():
        bars[ticker], notes[ticker] = _months(its)
    return changed(prices, bars, "monthly: the last price of each month, dated at the month's last day", notes)


def _months(bars: Bars) -> tuple[Bars, list[str]]:
    close, level = bars.fields["close"], adjusted(bars)
    priced = np.isfinite(close) & np.isfinite(level)
    dates, factor = bars.dates[priced], (level / close)[priced]
    month = dates.astype("datetime64[M]")
    months, group = np.unique(month, return_inverse=True)
    last = np.searchsorted(month, months, side="right") - 1
    fields = {}
    for name, values in bars.fields.items():
        scaled = values[priced] * (factor / factor[last][group] if name in ("open", "high", "low") else 1.0)
        grouped = pd.Series(scaled).groupby(group)
        made = grouped.sum(min_count=1) if name == "volume" else grouped.agg(OF_MONTH.get(name, "mean"))
        fields[name] = np.asarray(made, dtype=np.float64)
    ends: Dates = np.asarray((months + 1).astype("datetime64[D]") - DAY, dtype="datetime64[D]")
    notes = months_noticed(bars, dates, ends, dates[last]) if len(dates) else []
    return replace(bars, dates=ends, fields=fields, mic=None), notes


def portfolio(
    prices: Prices,
    tickers: Sequence[str],
    name: str,
    weights: Mapping[str, float] | None = None,
    rebalance: str = "daily",
) -> Prices:
    r"""Add the level of a portfolio of some tickers, 100 at its first date.

    .. math:: R_{pt} = \frac{\sum_j w_j R_{jt}}{\sum_j w_j} \quad \text{(daily)}
              \qquad P_{pt} = 100 \sum_j w_j \frac{P_{jt}}{P_{j0}} \quad \text{(never)}

    Returns are simple. A member without a return on a day is left out of a daily portfolio on that day, and the
    weights of the others are scaled up; a portfolio that is bought once and held starts on the first date on which all
    members have a price, and has no level on a date on which one has none. Both are counted in what is noticed.

    Parameters
    ----------
    prices : Prices
    tickers : sequence of str
        Members, of exchanges with the same sessions and in one currency.
    name : str
        The new ticker.
    weights : mapping from ticker to float, optional
        Above zero, for every member; only their proportions count. Equal where not given.
    rebalance : {"daily", "never"}
        Whether the weights hold every day, or on the first only.

    Raises
    ------
    InputError
        When an argument is not valid, a member is on another calendar or in another currency, or there is no level.

    Examples
    --------
    >>> import pandas as pd
    >>> days = ["2021-01-04", "2021-01-05", "2021-01-06"]
    >>> prices = Prices.from_frame(pd.DataFrame({"A": [10.0, 11.0, 11.0], "B": [5.0, 5.0, 6.0]}, index=days))
    >>> portfolio(prices, ["A", "B"], "AB").bars["AB"].fields["close"].round(2).tolist()
    [100.0, 105.0, 115.5]
    """
    if rebalance not in REBALANCE:
        raise one_of("rebalance", rebalance, REBALANCE)
    members = asked(prices, "tickers", tickers)
    share = _proportions(prices, members, weights)
    mic, currency = market_of(prices, members, "portfolio")
    dates, level = levels(prices, members)
    make = _daily if rebalance == "daily" else _held
    kept, values, notes = make(dates, level, share, members)
    made = Bars(new_name(prices, name), kept, {"close": values}, mic, currency, prices.bars[members[0]].step)
    said = ", ".join(f"{t} {w:.4g}" for t, w in zip(members, share, strict=True))
    done = f"portfolio {name} of {said}; rebalanced {rebalance}"
    return changed(prices, {**prices.bars, name: made}, done, {name: notes})


def _proportions(prices: Prices, members: Sequence[str], weights: Any) -> Floats:
    """Give the members' weights, (N,), which sum to one."""
    if weights is None:
        return np.full(len(members), 1.0 / len(members))
    given = numbers(prices, "weights", weights)
    if set(given) != set(members) or min(given.values()) <= 0:
        raise InputError(f"weights are {given}; give each of {', '.join(members)} a weight above zero, and no other")
    share = np.array([given[t] for t in members])
    return np.asarray(share / share.sum())


def _daily(dates: Dates, level: Floats, share: Floats, members: Sequence[str]) -> tuple[Dates, Floats, list[str]]:
    r = change(level, "simple", "missing")
    known = np.isfinite(r)
    held = share @ known
    some = held > 0
    if not some.any():
        raise InputError(f"no member of {', '.join(members)} has prices on two dates in a row; choose other members")
    growth = 1.0 + share @ np.where(known, r, 0.0) / np.where(some, held, 1.0)
    first = int(np.flatnonzero(some)[0])
    lacking = ~known & some
    notes = []
    if lacking.any():
        which = counted(members, lacking.sum(axis=1))
        notes.append(
            f"weights scaled up on {lacking.any(axis=0).sum()} of {some.sum()} days, on which a member had no return"
            f" ({which})"
        )
    if not some[first:].all():
        notes.append(f"no level on {listed(dates[first:][~some[first:]])}: no member had a return")
    keep = some.copy()
    keep[first - 1] = True  # the first return needs a level before it
    return dates[keep], np.asarray(BASE * np.cumprod(np.where(some, growth, 1.0))[keep]), notes


def _held(dates: Dates, level: Floats, share: Floats, members: Sequence[str]) -> tuple[Dates, Floats, list[str]]:
    dates, level, notes = in_common(dates, level, members, 1)
    return dates, np.asarray(BASE * (share @ (level / level[:, :1]))), notes


def without(prices: Prices, index: str, weights: Mapping[str, float], name: str) -> Prices:
    r"""Add an index less some of its constituents: a benchmark that the event does not move by itself.

    .. math:: R_{\text{ex},t} = \frac{R_{It} - \sum_j w_j R_{jt}}{1 - \sum_j w_j}

    Simple returns. The shares are held constant over all dates, as an index does not hold them: take those of about
    the event window. The level is 100 at the first date on which the index and all named constituents have a price,
    and is missing where one of them has none.

    An index without dividends, as the HSI, falls with its constituents' dividends, and their adjusted closes do not:
    on an ex-dividend day the return is off by the dividend yield times ``w / (1 - w)``.

    Parameters
    ----------
    prices : Prices
    index : str
        Its ticker.
    weights : mapping from ticker to float
        Shares in the index, decimal, each above zero; together below one.
    name : str
        The new ticker.

    Raises
    ------
    InputError
        When an argument is not valid, a constituent is on another calendar or in another currency, or the shares
        cannot be those of the index: what is left would lose all its value.

    Examples
    --------
    >>> import pandas as pd
    >>> wide = pd.DataFrame({"^HSI": [100.0, 103.0], "9988.HK": [10.0, 12.0]}, index=["2021-01-04", "2021-01-05"])
    >>> treated = without(Prices.from_frame(wide), "^HSI", {"9988.HK": 0.09}, "HSI-EX")
    >>> treated.bars["HSI-EX"].fields["close"].round(4).tolist()  # 100 + (3 - 0.09 * 20) / 0.91
    [100.0, 101.3187]
    """
    given = numbers(prices, "weights", weights)
    asked(prices, "index", [index])
    members, share = list(given), np.array(list(given.values()))
    if index in given or (share <= 0).any() or share.sum() >= 1:
        raise InputError(
            f"weights are {given}, together {share.sum():g}; give the shares of constituents other than"
            f" {index} itself as decimals above zero that sum to less than one, as {{'9988.HK': 0.09}}"
        )
    mic, currency = market_of(prices, [index, *members], "index and its constituents")
    dates, level, notes = in_common(*levels(prices, [index, *members]), [index, *members], 2)
    r = change(level, "simple", "missing")[:, 1:]
    growth = 1.0 + (r[0] - share @ r[1:]) / (1.0 - share.sum())
    if (growth <= 0).any():
        day = dates[1:][growth <= 0][0]
        raise InputError(f"weights are {given}: without them {index} would lose all on {day}; check the shares")
    notes = ["the shares of its constituents are held constant", *notes]
    level = BASE * np.cumprod([1.0, *growth])
    made = Bars(new_name(prices, name), dates, {"close": level}, mic, currency, prices.bars[index].step)
    said = ", ".join(f"{t} {w:g}" for t, w in zip(members, share, strict=True))
    return changed(prices, {**prices.bars, name: made}, f"{name} is {index} without {said}, shares held", {name: notes})


def attach(prices: Prices, name: str, frame: pd.DataFrame) -> Prices:
    """Attach a series of your own to the bars: bid-ask spreads, order imbalance, a volume that the source lacks.

    Parameters
    ----------
    prices : Prices
    name : str
        Of the field: an identifier that is no price, and that none of the tickers has yet.
    frame : pandas.DataFrame
        Index: dates, in any order, each once; columns: tickers of ``prices``; values: finite, of any sign, NaN where
        missing. Values on dates on which the ticker has no bar are left out and counted in what is noticed.

    Raises
    ------
    InputError
        When the name is taken or no identifier, a ticker is not known, or the frame has other than dates and numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> days = ["2021-01-04", "2021-01-05"]
    >>> prices = Prices.from_frame(pd.DataFrame({"A": [10.0, 11.0]}, index=days))
    >>> attach(prices, "spread", pd.DataFrame({"A": [0.02]}, index=days[1:])).frame("A")
                close  spread
    date
    2021-01-04   10.0     NaN
    2021-01-05   11.0    0.02
    """
    if not isinstance(name, str) or not name.isidentifier() or name in POSITIVE:
        raise InputError(f"name is {name!r}; a field's name is an identifier, as in 'spread', and none of {POSITIVE}")
    if not hasattr(frame, "columns"):
        raise InputError(f"frame is {type(frame).__name__}; a pandas.DataFrame of dates by tickers is needed")
    tickers = asked(prices, "columns of the frame", frame.columns)
    taken = [t for t in tickers if name in prices.bars[t].fields]
    if taken:
        raise InputError(f"name is {name!r}, and {', '.join(taken[:5])} have such a field; choose another")
    dates = as_dates(frame.index, "frame")
    if len(np.unique(dates)) < len(dates):
        raise InputError(f"the frame of {name} has two rows for one date; keep one row a date")
    other = [t for t in tickers if prices.bars[t].dates.dtype != dates.dtype]
    if other:
        kind = "the starts of bars, with their time zone" if prices.bars[other[0]].intraday else "dates"
        raise InputError(f"the frame of {name} is not indexed as the prices of {other[0]}; index it by {kind}")
    bars, notes = dict(prices.bars), {}
    for ticker in tickers:
        bars[ticker], notes[ticker] = _with_field(bars[ticker], name, dates, _column(frame, ticker, name))
    done = f"attached {name} to {len(tickers)} tickers"
    return changed(prices, bars, done, notes)


def _column(frame: pd.DataFrame, ticker: str, name: str) -> Floats:
    try:
        values: Floats = frame[ticker].to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} of {ticker} is not numeric: {error}; give numbers, NaN where missing") from None
    if np.isinf(values).any():
        day = frame.index[np.isinf(values)][0]
        raise InputError(f"{name} of {ticker} is infinite on {day}; a value is finite, or NaN where missing")
    return values


def _with_field(bars: Bars, name: str, dates: Dates, values: Floats) -> tuple[Bars, list[str]]:
    series = pd.Series(values, index=pd.DatetimeIndex(dates))
    laid = np.asarray(series.reindex(pd.DatetimeIndex(bars.dates)), dtype=np.float64)
    outside = np.sort(dates[np.isfinite(values) & ~np.isin(dates, bars.dates)])
    notes = [f"{name} left out on {listed(outside)}, where there is no bar"] if len(outside) else []
    return replace(bars, fields={**bars.fields, name: laid}), notes


def delisted(prices: Prices, returns: Mapping[str, float]) -> Prices:
    """Append delisting returns, so that an event window that reaches past a delisting has them.

    One price, close and adjusted, follows on the exchange's first session after the ticker's last price; for prices
    without an exchange, on the next date on which any such ticker has one. Prices that end without the delisting
    return bias what is found of failing firms upwards: Shumway (1997, Journal of Finance 52:327) finds -30 % on
    average for delistings for performance reasons whose return is missing, and Shumway & Warther (1999, Journal of
    Finance 54:2361) -55 % on Nasdaq.

    Parameters
    ----------
    prices : Prices
    returns : mapping from ticker to float
        Delisting returns, simple, decimal, above -1. A total loss is refused, for a price of zero has no log return
        and a tiny one in its place would make up a number: give a small rest, as -0.99, and say so.

    Raises
    ------
    InputError
        When a ticker is not known or has no price, a return is not valid, or no later session is known.

    Examples
    --------
    >>> import pandas as pd
    >>> wide = pd.DataFrame({"A": [10.0, 11.0]}, index=["2021-01-07", "2021-01-08"])
    >>> delisted(Prices.from_frame(wide, "XNYS"), {"A": -0.3}).frame("A").round(2)
                close
    date
    2021-01-07   10.0
    2021-01-08   11.0
    2021-01-11    7.7
    """
    given = numbers(prices, "returns", returns)
    for ticker, value in given.items():
        if value <= -1:
            raise InputError(
                f"the delisting return of {ticker} is {value:g}; it is above -1, for a price is above zero: for a total"
                " loss give what was left, as -0.99"
            )
    bars, notes = dict(prices.bars), {}
    calendars: dict[str | None, Dates] = {}
    for ticker, value in given.items():
        its = bars[ticker]
        home = key(its.mic)
        if home not in calendars:
            calendars[home] = observed(home, [b for b in prices.bars.values() if key(b.mic) == home]).dates
        bars[ticker], day = _ended(its, value, calendars[home])
        notes[ticker] = [f"its last price, of {day}, is made of the delisting return {value:+.1%}"]
    return changed(prices, bars, f"delisting returns appended to {', '.join(given)}", notes)


def _ended(bars: Bars, value: float, calendar: Dates) -> tuple[Bars, np.datetime64]:
    priced = np.flatnonzero(np.isfinite(bars.fields["close"]) & np.isfinite(adjusted(bars)))
    if not len(priced):
        raise InputError(f"{bars.ticker} has no price; a delisting return follows a last price")
    last = priced[-1]
    later = calendar[calendar > bars.dates[last]]
    if not len(later):
        raise InputError(
            f"no session is known after {bars.dates[last]}, the last price of {bars.ticker}; name its exchange,"
            " or give prices of others that go on"
        )
    fields = {
        name: np.append(values[: last + 1], values[last] * (1.0 + value) if name in ("close", "adjusted") else np.nan)
        for name, values in bars.fields.items()
    }
    return replace(bars, dates=np.append(bars.dates[: last + 1], later[0]), fields=fields), later[0]
