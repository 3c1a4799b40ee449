"""Portfolios of securities, and an index without some of its constituents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from eventstudy import arguments
from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError
from eventstudy.prepare.returns import compute_returns
from eventstudy.transform._shared import (
    Levels,
    check_new_name,
    check_numbers,
    check_tickers,
    common_dates,
    common_market,
    daily_returns,
    format_counts,
    format_dates,
    implausible_notes,
    levels,
    states_returns,
    with_record,
)
from eventstudy.types import Bools, Dates, Floats

REBALANCE = ("daily", "never")
BASE = 100.0  # the first level of a computed series


class _Series(NamedTuple):
    """A computed series, with notes on it."""

    dates: Dates
    fields: dict[str, Floats]
    notes: list[str]


def portfolio(
    prices: Prices,
    tickers: Sequence[str],
    name: str,
    weights: Mapping[str, float] | None = None,
    rebalance: str = "daily",
) -> Prices:
    r"""Add the value of a portfolio of the tickers, 100 at its first date.

    .. math:: R_{pt} = \frac{\sum_j w_j R_{jt}}{\sum_j w_j} \quad \text{(daily)}
              \qquad P_{pt} = 100 \sum_j w_j \frac{P_{jt}}{P_{j0}} \quad \text{(never)}

    Returns are simple. If rebalanced daily, a member without a return on a day is left out on that day, and the weights
    of the others are scaled up. A buy-and-hold portfolio starts on the first date on which all members have a price,
    and has no value on later dates on which one has none. Notes count both. A portfolio rebalanced daily of members
    whose returns are stated (:meth:`eventstudy.Prices.from_returns`) states its returns too, and an unknown return is
    missing on its own day alone; a buy-and-hold portfolio has no value after one.

    Parameters
    ----------
    prices : Prices
    tickers : sequence of str
        Members, of exchanges with the same sessions and in one currency.
    name : str
        The new ticker.
    weights : mapping from ticker to float, optional
        Above zero, for every member; only their proportions matter. Equal by default.
    rebalance : {"daily", "never"}
        Whether the weights are restored every day, or hold on the first date only.

    Raises
    ------
    InputError
        If an argument is not valid, a member is on another calendar or in another currency, or no date has a value.

    Examples
    --------
    >>> import pandas as pd
    >>> days = ["2021-01-04", "2021-01-05", "2021-01-06"]
    >>> prices = Prices.from_frame(pd.DataFrame({"A": [10.0, 11.0, 11.0], "B": [5.0, 5.0, 6.0]}, index=days))
    >>> portfolio(prices, ["A", "B"], "AB").bars["AB"].fields["close"].round(2).tolist()
    [100.0, 105.0, 115.5]
    """
    arguments.choice("rebalance", rebalance, REBALANCE)
    members = check_tickers(prices, "tickers", tickers)
    share = _proportions(prices, members, weights)
    mic, currency = common_market(prices, members, "portfolio")
    found = levels(prices, members)
    if rebalance == "daily":
        returns, stated = daily_returns(prices, members, found.dates), states_returns(prices, members)
        dates, fields, notes = _rebalanced(found.dates, returns, share, members, stated)
    else:
        dates, fields, notes = _buy_and_hold(found, share, members)
    bars = Bars(check_new_name(prices, name), dates, fields, mic, currency, prices.bars[members[0]].step)
    shares = ", ".join(f"{t} {w:.4g}" for t, w in zip(members, share, strict=True))
    description = f"portfolio {name} of {shares}; rebalanced {rebalance}"
    notes = [*notes, *implausible_notes(prices, members)]
    return with_record(prices, {**prices.bars, name: bars}, description, {name: notes})


def _proportions(prices: Prices, members: Sequence[str], weights: Mapping[str, float] | None) -> Floats:
    """Return the members' weights, (N,), which sum to one."""
    if weights is None:
        return np.full(len(members), 1.0 / len(members))
    checked = check_numbers(prices, "weights", weights)
    if set(checked) != set(members) or min(checked.values()) <= 0:
        raise InputError(f"weights are {checked}; give each of {', '.join(members)} a weight above zero, and no other")
    share = np.array([checked[t] for t in members])
    return np.asarray(share / share.sum())


def _rebalanced(dates: Dates, r: Floats, share: Floats, members: Sequence[str], stated: bool) -> _Series:
    """Return the portfolio of members with the returns (N, T) that is rebalanced daily."""
    known = np.isfinite(r)
    weight_present = share @ known
    has_return = weight_present > 0
    if not has_return.any():
        raise InputError(f"no member of {', '.join(members)} has prices on two dates in a row; choose other members")
    returns = share @ np.where(known, r, 0.0) / np.where(has_return, weight_present, 1.0)
    first = int(np.flatnonzero(has_return)[0])
    without_return = ~known & has_return
    notes = []
    if without_return.any():
        counts = format_counts(members, without_return.sum(axis=1))
        notes.append(
            f"weights scaled up on {without_return.any(axis=0).sum()} of {has_return.sum()} days, on which a member had"
            f" no return ({counts})"
        )
    if not has_return[first:].all():
        notes.append(f"no level on {format_dates(dates[first:][~has_return[first:]])}: no member had a return")
    level = np.asarray(BASE * np.cumprod(np.where(has_return, 1.0 + returns, 1.0)))
    if stated:
        return _Series(dates[first:], _stated(level, returns, has_return, slice(first, None)), notes)
    has_level = has_return.copy()
    has_level[first - 1] = True  # the first return needs a level before it
    return _Series(dates[has_level], {"close": level[has_level]}, notes)


def _stated(level: Floats, returns: Floats, known: Bools, rows: slice) -> dict[str, Floats]:
    """Return the fields of a series that states its returns; NaN on the rows on which they are not known."""
    return {name: np.where(known, values, np.nan)[rows] for name, values in (("close", level), ("return", returns))}


def _buy_and_hold(found: Levels, share: Floats, members: Sequence[str]) -> _Series:
    """Return the portfolio that is bought on the first date and held."""
    found, notes = common_dates(found, members, 1)
    known = np.asarray((found.unknown == found.unknown[:, :1]).all(axis=0))
    if not known.all():
        notes.append(f"no level from {found.dates[~known][0]} on: the return of a member is not known")
    level = found.level[:, known]
    return _Series(found.dates[known], {"close": BASE * (share @ (level / level[:, :1]))}, notes)


def without(prices: Prices, index: str, weights: Mapping[str, float], name: str) -> Prices:
    r"""Add an index without the treated constituents: a benchmark that their reaction to the event does not move.

    .. math:: R_{\text{ex},t} = \frac{R_{It} - \sum_j w_j R_{jt}}{1 - \sum_j w_j}

    Returns are simple. The shares are held constant over all dates, although those of a real index vary: choose shares
    from around the event window. The level is 100 at the first date on which the index and all named constituents
    have a price, and is missing on dates on which one of them has none. If returns are stated, so are those of the new
    series, and an unknown return of the index or of a constituent is missing on its own day alone.

    A price index, such as the HSI, falls on its constituents' ex-dividend days, whereas their adjusted closes do not:
    on such a day the return is wrong by the dividend yield times ``w / (1 - w)``.

    Parameters
    ----------
    prices : Prices
    index : str
        Ticker of the index.
    weights : mapping from ticker to float
        Shares in the index, decimal, each above zero, with a sum below one.
    name : str
        The new ticker.

    Raises
    ------
    InputError
        If an argument is not valid, a constituent is on another calendar or in another currency, or the shares are
        impossible, because the remainder of the index would lose all its value.

    Examples
    --------
    >>> import pandas as pd
    >>> wide = pd.DataFrame({"^HSI": [100.0, 103.0], "9988.HK": [10.0, 12.0]}, index=["2021-01-04", "2021-01-05"])
    >>> treated = without(Prices.from_frame(wide), "^HSI", {"9988.HK": 0.09}, "HSI-EX")
    >>> treated.bars["HSI-EX"].fields["close"].round(4).tolist()  # 100 + (3 - 0.09 * 20) / 0.91
    [100.0, 101.3187]
    """
    checked = check_numbers(prices, "weights", weights)
    check_tickers(prices, "index", [index])
    members, share = list(checked), np.array(list(checked.values()))
    if index in checked or (share <= 0).any() or share.sum() >= 1:
        raise InputError(
            f"weights are {checked}, together {share.sum():g}; give the shares of constituents, other than {index}"
            " itself, as decimals above zero that sum to less than one, as {'9988.HK': 0.09}"
        )
    mic, currency = common_market(prices, [index, *members], "index and its constituents")
    found, notes = common_dates(levels(prices, [index, *members]), [index, *members], 2)
    dates = found.dates
    r = compute_returns(found.level, "simple", "missing", unknown=found.unknown)[:, 1:]
    growth = 1.0 + (r[0] - share @ r[1:]) / (1.0 - share.sum())
    if (growth <= 0).any():
        day = dates[1:][growth <= 0][0]
        raise InputError(f"weights are {checked}: without them {index} would lose all on {day}; check the shares")
    notes = ["the shares of its constituents are held constant", *notes]
    notes += implausible_notes(prices, [index, *members])
    known = np.isfinite([np.nan, *growth])
    level = BASE * np.cumprod([1.0, *np.where(known[1:], growth, 1.0)])
    fields = {"close": level}
    if states_returns(prices, [index, *members]):
        fields = _stated(level, np.array([np.nan, *(growth - 1.0)]), known, slice(None))
        fields["close"][0] = BASE
    bars = Bars(check_new_name(prices, name), dates, fields, mic, currency, prices.bars[index].step)
    shares = ", ".join(f"{t} {w:g}" for t, w in zip(members, share, strict=True))
    description = f"{name} is {index} without {shares}, shares held constant"
    return with_record(prices, {**prices.bars, name: bars}, description, {name: notes})
