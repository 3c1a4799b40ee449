"""Reference portfolios: all firms in the group of the firm of each event, such as its decile of size, as benchmark."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy import arguments
from eventstudy.bars import Prices
from eventstudy.errors import InputError, shown
from eventstudy.prepare.events import Events
from eventstudy.transform._characteristics import Characteristics
from eventstudy.transform._holding import Benchmark, Matched, matched, portfolio_returns
from eventstudy.transform._matching import Candidates, Firms, check_name
from eventstudy.transform.portfolios import REBALANCE
from eventstudy.types import Bools

MOST = 1000  # groups of a characteristic


def reference_portfolios(
    events: Events,
    prices: Prices,
    characteristics: object,
    groups: Mapping[str, int],
    window: tuple[int, int],
    weights: str | None = None,
    rebalance: str = "never",
    name: str = "reference",
) -> Matched:
    """Add the portfolio of the firms that are like the firm of each event to the prices, as its benchmark.

    The firms are divided into equally large groups by the first characteristic, each group by the second, and so on;
    the event's benchmark holds those in the group where its firm lies. By default it is bought in equal parts before
    the first day of the window and held, which has no rebalancing bias: with the market-adjusted model and
    ``accumulate="compound"`` it gives the BHARs of Lyon, Barber & Tsai (1999, Journal of Finance 54:165). What a firm
    without further prices was worth goes to the others in proportion to what they are worth. On days before the
    window, the weights are the same every day.

    A firm belongs to a group if it has prices on the calendar and in the currency of the event, characteristics that
    are dated before the announcement, a price on the session before the window, and no event whose window overlaps that
    of the event. The firm of the event itself is none of them, but is placed among them. A suspended firm stays, and
    its return after the suspension is that over all of it.

    Parameters
    ----------
    events : Events
    prices : Prices
        Daily prices, or monthly ones (:func:`monthly`).
    characteristics : pandas, polars or pyarrow frame
        As of :func:`control_firms`.
    groups : mapping from str to int
        Number of groups by characteristic, in this order: ``{"size": 10, "bm": 5}``.
    window : (int, int)
        The event window of the study, in sessions.
    weights : str, optional
        The characteristic by which firms are weighted, such as their market value; equally by default.
    rebalance : {"never", "daily"}
        Whether the weights hold on the first day of the window only, or are restored every day.
    name : str
        Name of the column of the events that has the benchmarks; as of :func:`control_firms`.

    Returns
    -------
    Matched
        ``events`` and ``prices``.

    Raises
    ------
    InputError
        If an argument is not valid, or no event has a reference portfolio.

    Examples
    --------
    >>> import eventstudy as es
    >>> import pandas as pd
    >>> days = pd.bdate_range("2021-01-04", periods=4)
    >>> wide = pd.DataFrame({ticker: [10.0, 10.0, 11.0, 12.0] for ticker in "ABCD"}, index=days)
    >>> events = es.Events.from_frame(pd.DataFrame({"ticker": ["A"], "announced": ["2021-01-06"]}))
    >>> sizes = pd.DataFrame({"ticker": list("ABCD"), "size": [1.0, 1.2, 3.0, 5.0]})
    >>> found = reference_portfolios(events, es.Prices.from_frame(wide), sizes, groups={"size": 2}, window=(0, 1))
    >>> found.events.frame[["reference", "reference_firms"]].iloc[0].tolist()
    ['REFERENCE-1', 'B']
    """
    arguments.choice("rebalance", rebalance, REBALANCE)
    if not isinstance(groups, Mapping) or not groups or not all(isinstance(key, str) for key in groups):
        raise InputError(f"groups is {shown(groups)}; give numbers of groups by characteristic, as in {{'size': 10}}")
    numbers = [arguments.whole(f"groups of {key}", number, 1, MOST) for key, number in groups.items()]
    if weights is not None:
        arguments.text("weights", weights, "the name of a characteristic")
    candidates = Candidates.of(events, prices, window)
    check_name(events, name)
    names = [*groups, *([weights] if weights is not None and weights not in groups else [])]
    known = Characteristics.of(characteristics, names)
    by = None if weights is None else names.index(weights)
    made: dict[tuple[int, bytes], Benchmark] = {}
    benchmarks: list[Benchmark | str] = []
    for row in range(len(events)):
        firms = candidates.firms(row, known)
        inside = firms if isinstance(firms, str) else _group(firms, numbers)
        if isinstance(firms, str) or isinstance(inside, str) or not inside.any():
            benchmarks.append(firms if isinstance(firms, str) else "no other firm is in its group")
            continue
        key = (firms.start, firms.rows[inside].tobytes())
        if key not in made:
            made[key] = _portfolio(firms, inside, by, rebalance == "never", weights)
        benchmarks.append(made[key])
    return matched(candidates, events, name, benchmarks, _described(groups, weights, rebalance))


def _described(groups: Mapping[str, int], weights: str | None, rebalance: str) -> str:
    by = ", ".join(f"{number} groups of {key}" for key, number in groups.items())
    weighting = "equally" if weights is None else f"by {weights}"
    return f"reference portfolios by {by}; weighted {weighting}, rebalanced {rebalance}"


def _group(firms: Firms, numbers: list[int]) -> Bools:
    """Return which firms are in the group of the event's firm, (n,)."""
    inside = np.ones(len(firms.rows), dtype=bool)
    for at, number in enumerate(numbers):
        values = firms.values[inside, at]
        bounds = np.quantile(np.append(values, firms.own[at]), np.arange(1, number) / number)
        group = np.searchsorted(bounds, firms.values[:, at])
        inside &= group == np.searchsorted(bounds, firms.own[at])
        if not inside.any():
            break
    return inside


def _portfolio(firms: Firms, inside: Bools, by: int | None, held: bool, weights: str | None) -> Benchmark:
    """Return the portfolio of the firms of a group."""
    market, rows = firms.market, firms.rows[inside]
    weight = np.ones(len(rows)) if by is None else firms.values[inside, by]
    if (weight <= 0).any():
        at = int((weight <= 0).argmax())
        raise InputError(
            f"{weights} of {market.tickers[rows[at]]} is {weight[at]:g} before {market.dates[firms.start]}; a weight is"
            " above zero"
        )
    returns = portfolio_returns(market.returns[rows], weight, firms.start, held)
    n_left = int((~np.isfinite(market.returns[rows, firms.start :])).any(axis=1).sum())
    notes = [f"{n_left} of its {len(rows)} firms have no price on some later date, and leave it"] if n_left else []
    return Benchmark(market, returns, [market.tickers[at] for at in rows], notes)
