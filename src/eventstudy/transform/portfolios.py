"""Portfolios of securities, and an index without some of its constituents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError, one_of
from eventstudy.prepare.returns import change
from eventstudy.transform._shared import (
    asked,
    changed,
    counted,
    in_common,
    levels,
    listed,
    market_of,
    new_name,
    numbers,
)
from eventstudy.types import Dates, Floats

REBALANCE = ("daily", "never")
BASE = 100.0  # the first level of a series that is made


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
