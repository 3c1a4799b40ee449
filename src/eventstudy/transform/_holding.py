"""Benchmarks of events, made of firms that are held from the first day of the event's window on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError
from eventstudy.prepare.events import Events
from eventstudy.transform._matching import Candidates, Market, columns_of
from eventstudy.transform._shared import check_new_name, common_market, implausible_notes, with_record
from eventstudy.types import Dates, Floats

BASE = 100.0  # the first level of a series


class Matched(NamedTuple):
    """The events with a column that names the benchmark of each, and the prices with these benchmarks."""

    events: Events
    prices: Prices


class Benchmark(NamedTuple):
    """The returns (T,) of a benchmark on the dates of its market, the firms of which it is made, and notes on it."""

    market: Market
    returns: Floats
    firms: Sequence[str]
    notes: Sequence[str]


def portfolio_returns(r: Floats, weight: Floats, start: int, held: bool) -> Floats:
    """Return the returns (T,) of a portfolio of members with returns r (S, T) and weights (S,).

    Before ``start`` and if it is not ``held``, the weights are the same every day, and a member without a return is
    left out that day. A portfolio that is held is bought at ``start``; a member leaves it for good on its first day
    without a return, and what it was worth goes to the others in proportion to what they are worth.
    """
    known = np.isfinite(r)
    value = np.repeat(weight[:, None], r.shape[1], axis=1)
    if held:
        known[:, start:] = np.logical_and.accumulate(known[:, start:], axis=1)
        growth = np.cumprod(np.where(known, 1.0 + r, 1.0)[:, start:-1], axis=1)
        value[:, start + 1 :] *= growth
    value = np.where(known, value, 0.0)
    total = value.sum(axis=0)
    gain = (value * np.where(known, r, 0.0)).sum(axis=0)
    return np.asarray(np.divide(gain, total, out=np.full(len(total), np.nan), where=total > 0), dtype=np.float64)


def matched(
    candidates: Candidates, events: Events, name: str, found: Sequence[Benchmark | str], description: str
) -> Matched:
    """Add the benchmark of each event to the prices, and its name to the events; a text says why there is none."""
    if all(isinstance(benchmark, str) for benchmark in found):
        raise InputError(f"no event has a benchmark; the first: {found[0]}")
    prices, bars, notes = candidates.prices, dict(candidates.prices.bars), {}
    tickers: dict[int, str] = {}
    cells: list[tuple[str, str, str]] = []
    for benchmark in found:
        if isinstance(benchmark, str):
            cells.append(("", "", benchmark))
            continue
        if id(benchmark) not in tickers:  # events of one date may have one benchmark
            ticker = check_new_name(prices, f"{name.upper()}-{len(tickers) + 1}")
            tickers[id(benchmark)] = ticker
            mic, currency = common_market(prices, benchmark.firms, "firms")
            dates, level = _level(benchmark.market.dates, benchmark.returns)
            bars[ticker] = Bars(ticker, dates, {"close": level}, mic, currency)
            notes[ticker] = [*benchmark.notes, *implausible_notes(prices, benchmark.firms)]
        cells.append((tickers[id(benchmark)], ";".join(benchmark.firms), ""))
    columns = dict(zip(columns_of(name), map(list, zip(*cells, strict=True)), strict=True))
    n = sum(ticker != "" for ticker, _, _ in cells)
    description = f"{description}, as the benchmark of {n} of {len(cells)} events"
    return Matched(Events(events.frame.assign(**columns)), with_record(prices, bars, description, notes))


def _level(dates: Dates, r: Floats) -> tuple[Dates, Floats]:
    """Return the dates and the levels of a series with returns (T,), not on the first date.

    A date without a return has no level.
    """
    known = np.isfinite(r)
    level = np.asarray(BASE * np.cumprod(np.where(known, 1.0 + r, 1.0)), dtype=np.float64)
    known[known.argmax() - 1] = True  # the first return needs a level before it
    return dates[known], level[known]
