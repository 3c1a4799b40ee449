"""Portfolios of securities, and an index without some of its constituents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eventstudy import arguments
from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError
from eventstudy.prepare.returns import compute_returns
from eventstudy.transform._shared import (
    check_new_name,
    check_numbers,
    check_tickers,
    common_dates,
    common_market,
    format_counts,
    format_dates,
    implausible_notes,
    levels,
    with_record,
)
from eventstudy.types import Dates, Floats

REBALANCE = ("daily", "never")
BASE = 100.0  # the first level of a computed series


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
    and has no value on later dates on which one has none. Notes count both.

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
    dates, level = levels(prices, members)
    compute = _rebalanced if rebalance == "daily" else _buy_and_hold
    dates, values, notes = compute(dates, level, share, members)
    bars = Bars(check_new_name(prices, name), dates, {"close": values}, mic, currency, prices.bars[members[0]].step)
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


def _rebalanced(dates: Dates, level: Floats, share: Floats, members: Sequence[str]) -> tuple[Dates, Floats, list[str]]:
    """Return the dates, values and notes of a portfolio that is rebalanced daily."""
    r = compute_returns(level, "simple", "missing")
    known = np.isfinite(r)
    weight_present = share @ known
    has_return = weight_present > 0
    if not has_return.any():
        raise InputError(f"no member of {', '.join(members)} has prices on two dates in a row; choose other members")
    growth = 1.0 + share @ np.where(known, r, 0.0) / np.where(has_return, weight_present, 1.0)
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
    has_level = has_return.copy()
    has_level[first - 1] = True  # the first return needs a level before it
    return dates[has_level], np.asarray(BASE * np.cumprod(np.where(has_return, growth, 1.0))[has_level]), notes


def _buy_and_hold(
    dates: Dates, level: Floats, share: Floats, members: Sequence[str]
) -> tuple[Dates, Floats, list[str]]:
    """Return the dates, values and notes of a portfolio that is bought on the first date and held."""
    dates, level, notes = common_dates(dates, level, members, 1)
    return dates, np.asarray(BASE * (share @ (level / level[:, :1]))), notes


def without(prices: Prices, index: str, weights: Mapping[str, float], name: str) -> Prices:
    r"""Add an index without the treated constituents: a benchmark that their reaction to the event does not move.

    .. math:: R_{\text{ex},t} = \frac{R_{It} - \sum_j w_j R_{jt}}{1 - \sum_j w_j}

    Returns are simple. The shares are held constant over all dates, although those of a real index vary: choose shares
    from around the event window. The level is 100 at the first date on which the index and all named constituents
    have a price, and is missing on dates on which one of them has none.

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
    dates, level, notes = common_dates(*levels(prices, [index, *members]), [index, *members], 2)
    r = compute_returns(level, "simple", "missing")[:, 1:]
    growth = 1.0 + (r[0] - share @ r[1:]) / (1.0 - share.sum())
    if (growth <= 0).any():
        day = dates[1:][growth <= 0][0]
        raise InputError(f"weights are {checked}: without them {index} would lose all on {day}; check the shares")
    notes = ["the shares of its constituents are held constant", *notes]
    notes += implausible_notes(prices, [index, *members])
    level = BASE * np.cumprod([1.0, *growth])
    bars = Bars(check_new_name(prices, name), dates, {"close": level}, mic, currency, prices.bars[index].step)
    shares = ", ".join(f"{t} {w:g}" for t, w in zip(members, share, strict=True))
    description = f"{name} is {index} without {shares}, shares held constant"
    return with_record(prices, {**prices.bars, name: bars}, description, {name: notes})
