"""The peers of each event: named securities, or all securities without an event at the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.bars import Prices
from eventstudy.errors import InputError, did_you_mean, shown
from eventstudy.prepare.calendar import calendar_name
from eventstudy.types import Bools, Dates, Ints

PeersOption = str | Sequence[str] | Mapping[str, Sequence[str]] | None


class Treated(NamedTuple):
    """Firm, and first and last date of the event window, of every event; each (N,), NaT for events without session."""

    firm: np.ndarray
    first: Dates
    last: Dates


@dataclass(frozen=True)
class Pools:
    """The peers of each event, ``named`` or, if None, all other securities on its calendar; and the firms of tickers.

    ``named`` (N,) has a tuple of tickers per event; ``firm_of`` maps tickers to firms known by another name;
    ``benchmarks`` are not peers unless named.
    """

    named: Sequence[tuple[str, ...]] | None
    firm_of: Mapping[str, str]
    treated: Treated
    prices: Prices
    benchmarks: frozenset[str]

    def reasons(self) -> np.ndarray:
        """Return, for each event, the reason why its peers cannot be used as text, (N,); empty text if they can."""
        out = np.full(len(self.treated.firm), "", dtype=object)
        for row, names in enumerate(self.named or ()):
            own_tickers = [name for name in names if self._firm(name) == self.treated.firm[row]]
            if own_tickers:
                out[row] = f"its peers hold the firm itself: {', '.join(own_tickers)}"
            elif not any(name in self.prices.bars for name in names):
                out[row] = (
                    f"there are no prices of its peers {', '.join(names)}" if names else "no peers are named for it"
                )
        return out

    def candidates(self, calendar: str | None, rows: Ints) -> tuple[str, ...]:
        """Return the tickers that may be peers of at least one event of the rows, sorted."""
        bars = self.prices.bars
        if self.named is not None:
            return tuple(sorted({name for row in rows for name in self.named[row] if name in bars}))
        on_calendar = (name for name in bars if calendar_name(bars[name].mic) == calendar and not name.startswith("^"))
        return tuple(sorted(name for name in on_calendar if name not in self.benchmarks and not name.endswith("=X")))

    def excluded_pairs(self, rows: Ints, names: tuple[str, ...]) -> tuple[Ints, Ints]:
        """Return the pairs of an event (as index into ``rows``) and a column of ``names`` that is not a peer of it.

        If peers are named, these are the peers of other events only. Otherwise they are the event's own firm, and every
        security of a firm with an event, used or excluded, whose event window overlaps the event's.
        """
        if self.named is not None:
            column = {name: c for c, name in enumerate(names)}
            excluded = np.ones((len(rows), len(names)), dtype=bool)
            for i, row in enumerate(rows):
                excluded[i, [column[name] for name in self.named[row] if name in column]] = False
        else:
            labels, firm = np.unique(np.array([self._firm(name) for name in names], dtype=object), return_inverse=True)
            excluded = self._overlaps(rows, labels)[:, firm]
        event, at = np.nonzero(excluded)
        return event.astype(np.int64), at.astype(np.int64)

    def _overlaps(self, rows: Ints, labels: np.ndarray) -> Bools:
        """Return which firms (F,) are each event's own, or have an event whose window overlaps its window, (n, F)."""
        firm, first, last = (part[rows] for part in self.treated)
        overlaps = np.asarray(labels == firm[:, None], dtype=bool)
        known = ~np.isnat(self.treated.first)
        for at, label in enumerate(labels):
            of_firm = known & (self.treated.firm == label)
            n_started = np.searchsorted(np.sort(self.treated.first[of_firm]), last, side="right")
            overlaps[:, at] |= n_started > np.searchsorted(np.sort(self.treated.last[of_firm]), first, side="left")
        return overlaps

    def _firm(self, ticker: str) -> str:
        return self.firm_of.get(ticker, ticker)


def pools(
    option: PeersOption, frame: pd.DataFrame, prices: Prices, benchmark: str | Mapping[str, str] | None,
    firm_of: Mapping[str, str], treated: Treated,
) -> Pools:  # fmt: skip
    """Return the peers of all events, from the option ``peers`` of a study.

    Parameters
    ----------
    option : str, sequence of str, mapping or None
        The name of an events column (tickers separated by ``;``), tickers, or a mapping from ticker to tickers; None
        takes every other security of the prices.
    frame : DataFrame
        ``Events.frame``.
    prices : Prices
    benchmark : str, mapping or None
        The study's benchmarks, which are not peers unless named.
    firm_of : mapping from ticker to firm
        Tickers whose firm is known by another name.
    treated : Treated
        All events.

    Raises
    ------
    InputError
        If ``option`` is none of these, or a ticker that is named for all events has no prices.
    """
    tickers = frame["ticker"].tolist()
    named: Sequence[tuple[str, ...]] | None = None
    if isinstance(option, str):
        if option not in frame.columns:
            raise InputError(f"peers is {shown(option)}, which is no column of the events; give tickers in a list")
        cells = frame[option].fillna("").astype(str)
        named = [tuple(filter(None, map(str.strip, cell.split(";")))) for cell in cells]
    elif isinstance(option, Mapping):
        peers_of = {name: _check_list(names, f"peers of {name}") for name, names in option.items()}
        named = [peers_of.get(name, ()) for name in tickers]
    elif option is not None:
        common = _check_list(option, "peers")
        without_prices = [name for name in common if name not in prices.bars]
        if without_prices:
            some = ", ".join([*prices.bars][:20]) + (", ..." if len(prices.bars) > 20 else "")
            hint = did_you_mean(without_prices[0], prices.bars)
            raise InputError(
                f"peers names {shown(without_prices[0])}, which has no prices; there are prices of {some}{hint}"
            )
        named = [common] * len(tickers)
    return Pools(named, firm_of, treated, prices, _benchmarks(benchmark, frame))


def _check_list(names: object, what: str) -> tuple[str, ...]:
    """Return tickers as a tuple; raise unless they are a list of text with at least one entry."""
    tickers = () if isinstance(names, str) or not isinstance(names, Iterable) else tuple(names)
    if not tickers or not all(isinstance(ticker, str) for ticker in tickers):
        raise InputError(f"{what} is {shown(names)}; give tickers in a list, as in ['0700.HK', '3690.HK']")
    return tickers


def _benchmarks(option: str | Mapping[str, str] | None, frame: pd.DataFrame) -> frozenset[str]:
    """Return the tickers of all benchmarks, from the option ``benchmark`` of a study."""
    if option is None:
        return frozenset()
    if isinstance(option, str):
        return frozenset(map(str, frame[option])) if option in frame.columns else frozenset([option])
    return frozenset(option.values())
