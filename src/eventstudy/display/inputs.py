"""What events and prices say of themselves in a notebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd

from eventstudy.display import formats
from eventstudy.display.cards import Grid, Summary

SHOWN = 5
OWN = ("ticker", "announced", "stamp", "date", "cluster")  # columns that all events have


class Dated(Protocol):
    """The bars of one ticker."""

    @property
    def first(self) -> np.datetime64:
        """Their first date; NaT without a row."""

    @property
    def last(self) -> np.datetime64:
        """Their last date."""

    @property
    def mic(self) -> str | None:
        """Their exchange."""

    @property
    def currency(self) -> str | None:
        """Their currency."""


def events_card(frame: pd.DataFrame) -> Summary:
    """Return the number of events, their dates and columns, and the first of them."""
    n_timed = int(frame["stamp"].notna().sum())
    facts = [
        ("Events", str(len(frame))),
        ("Announcements", str(frame["cluster"].nunique())),
        ("Tickers", str(frame["ticker"].nunique())),
        ("Dates", f"{formats.date(frame['date'].min())} to {formats.date(frame['date'].max())}"),
        ("Known by", f"{formats.plural(n_timed, 'time')}, {formats.plural(len(frame) - n_timed, 'date')} only"),
        ("Further columns", ", ".join(formats.plain(name) for name in frame.columns if name not in OWN) or "none"),
    ]
    first = zip(frame.index[:SHOWN], frame["ticker"], frame["announced"], strict=False)
    rows = [(formats.plain(event), formats.plain(ticker), formats.plain(when)) for event, ticker, when in first]
    table = Grid(("Event", "Ticker", "Announced"), rows, (False, False, False))
    return Summary("Events", facts, [table], _more(len(frame), "in .frame"))


def prices_card(bars: Mapping[str, Dated], problems: Mapping[str, str], provenance: Mapping[str, Any]) -> Summary:
    """Return the source of prices, their span, exchanges and currencies, and the tickers without prices."""
    spans = [(one.first, one.last) for one in bars.values() if not np.isnat(one.first)]
    note = provenance.get("note") or provenance.get("source")
    facts = [
        ("Tickers", str(len(bars))),
        ("Span", f"{min(first for first, _ in spans)} to {max(last for _, last in spans)}" if spans else "none"),
        ("Source", formats.plain(note)),
        ("Exchanges", _counts(one.mic for one in bars.values())),
        ("Currencies", _counts(one.currency for one in bars.values())),
        ("Without prices", str(len(problems))),
    ]
    rows = [(formats.plain(name), formats.plain(reason)) for name, reason in [*problems.items()][:SHOWN]]
    tables = [Grid(("Ticker", "Why it has no prices"), rows, (False, False))] if rows else []
    return Summary("Prices", facts, tables, _more(len(problems), "in .problems"))


def _counts(values: Any) -> str:
    """Return the number of tickers by value, the most frequent first."""
    counts = Counter("not stated" if value is None else formats.plain(value) for value in values)
    return ", ".join(f"{value} {n}" for value, n in counts.most_common()) or formats.MISSING


def _more(n: int, where: str) -> list[str]:
    return [f"and {n - SHOWN} more, {where}"] if n > SHOWN else []
