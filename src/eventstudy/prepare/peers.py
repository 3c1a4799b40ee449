"""Which other securities an event is compared with: named ones, or all that nothing happened to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.bars import Prices
from eventstudy.errors import InputError
from eventstudy.prepare.calendar import key
from eventstudy.types import Ints

Given = str | Sequence[str] | Mapping[str, Sequence[str]] | None


@dataclass(frozen=True)
class Pools:
    """The peers of each event by name, or None where all others on its calendar are; and the firm of each ticker."""

    named: Sequence[tuple[str, ...]] | None
    firm_of: Mapping[str, str]
    prices: Prices

    def reasons(self, tickers: np.ndarray) -> np.ndarray:
        """Say of each event why its peers cannot be used; empty where they can."""
        out = np.full(len(tickers), "", dtype=object)
        for row, names in enumerate(self.named or ()):
            own = [name for name in names if self._firm(name) == self._firm(tickers[row])]
            if own:
                out[row] = f"its peers hold the firm itself: {', '.join(own)}"
            elif not any(name in self.prices.bars for name in names):
                out[row] = (
                    f"there are no prices of its peers {', '.join(names)}" if names else "no peers are named for it"
                )
        return out

    def on(self, calendar: str | None, benchmark: str | None, rows: Ints) -> tuple[str, ...]:
        """Give the tickers that the events of some rows may be compared with, sorted."""
        bars = self.prices.bars
        if self.named is not None:
            return tuple(sorted({name for row in rows for name in self.named[row] if name in bars}))
        here = (name for name in bars if key(bars[name].mic) == calendar and not name.startswith("^"))
        return tuple(sorted(name for name in here if name != benchmark and not name.endswith("=X")))

    def barred(
        self, rows: Ints, tickers: np.ndarray, position: Ints, names: tuple[str, ...], n_evt: int
    ) -> tuple[Ints, Ints]:
        """Give the pairs of an event (by its place in ``rows``) and a column of ``names`` that is no peer of it.

        Where peers are named: those of other events. Else the firm itself, and every security that has an event of its
        own whose event window shares a session.
        """
        column = {name: c for c, name in enumerate(names)}
        if self.named is not None:
            named = [set(self.named[row]) for row in rows]
            return _columns([(i, c) for i, mine in enumerate(named) for name, c in column.items() if name not in mine])
        firms = np.array([self._firm(name) for name in names], dtype=object)
        own = [(i, c) for i, row in enumerate(rows) for c in np.flatnonzero(firms == self._firm(tickers[row]))]
        treated = np.array([column.get(tickers[row], -1) for row in rows], dtype=np.int64)
        order = np.argsort(position, kind="stable")
        start = np.searchsorted(position[order], position - n_evt + 1, side="left")
        stop = np.searchsorted(position[order], position + n_evt - 1, side="right")
        near = [(i, c) for i in range(len(rows)) for c in np.unique(treated[order[start[i] : stop[i]]]) if c >= 0]
        return _columns([*own, *near])

    def _firm(self, ticker: str) -> str:
        return self.firm_of.get(ticker, ticker)


def _columns(pairs: Sequence[Any]) -> tuple[Ints, Ints]:
    found = np.unique(np.array(pairs, dtype=np.int64).reshape(-1, 2), axis=0)
    return found[:, 0], found[:, 1]


def pools(given: Given, frame: pd.DataFrame, prices: Prices) -> Pools:
    """Read which peers the events have.

    Parameters
    ----------
    given : str, sequence of str, mapping or None
        The name of an events column (tickers separated by ``;``), tickers, or a mapping from ticker to tickers; None
        takes every other security of the prices.
    frame : DataFrame
        ``Events.frame``; its column ``firm``, where there is one, says which tickers are one firm.
    prices : Prices

    Raises
    ------
    InputError
        When it is none of these, or a ticker that is named for all events has no prices.
    """
    firm_of = dict(zip(frame["ticker"], frame["firm"].astype(str), strict=True)) if "firm" in frame else {}
    tickers = frame["ticker"].tolist()
    if given is None:
        return Pools(None, firm_of, prices)
    if isinstance(given, str):
        if given not in frame.columns:
            raise InputError(f"peers is {given!r}, which is no column of the events; give tickers in a list")
        cells = frame[given].fillna("").astype(str)
        return Pools([tuple(filter(None, map(str.strip, cell.split(";")))) for cell in cells], firm_of, prices)
    if isinstance(given, Mapping):
        return Pools([tuple(given.get(name, ())) for name in tickers], firm_of, prices)
    absent = [name for name in given if name not in prices.bars]
    if absent:
        raise InputError(f"peers names {absent[0]!r}; there are prices of {', '.join(prices.bars)}")
    return Pools([tuple(given)] * len(tickers), firm_of, prices)
