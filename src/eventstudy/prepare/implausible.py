"""Implausible prices in the windows of a study: which events they concern, and the notes that name them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.bars import Bars
from eventstudy.plausibility import Check, Finding
from eventstudy.prepare.outcomes import is_return
from eventstudy.prepare.screens import EventPositions, session_dates
from eventstudy.types import Bools, Calendar, Choices, Contradictory, Dates, Ints, Spec

MOST_NOTES, MOST_WARNED, MOST_PEERS = 40, 3, 10  # lines in the notes and in a warning; peers in their line


class WindowDates(NamedTuple):
    """The dates of the estimation and event windows of events, each (n,), from the session before the first return."""

    estimation_first: Dates
    estimation_last: Dates
    event_first: Dates
    event_last: Dates

    @property
    def pairs(self) -> tuple[tuple[Dates, Dates], tuple[Dates, Dates]]:
        """First and last dates of each of the two windows."""
        return (self.event_first, self.event_last), (self.estimation_first, self.estimation_last)

    @classmethod
    def of(
        cls, positions: EventPositions, calendars: Mapping[str | None, Calendar], spec: Spec, own_windows: Ints | None
    ) -> WindowDates:
        """Return the dates of the windows of events at these positions; ``own_windows`` are as in ``Placed``."""
        study = np.tile([*spec.estimation, *spec.event], (len(positions.position), 1))
        days = (study if own_windows is None else own_windows) - np.array([1, 0, 1, 0])
        return cls(*(session_dates(positions, calendars, day) for day in days.T))

    def take(self, events: Ints) -> WindowDates:
        """Select events."""
        return WindowDates(*(dates[events] for dates in self))


class Used(NamedTuple):
    """The findings of one check in the prices of a ticker, and the events, (m,), that use these prices."""

    ticker: str
    findings: Sequence[Finding]
    events: Ints


class Implausible(NamedTuple):
    """What is implausible in the prices of each event, (n,), empty if nothing is; and what the notes are made from."""

    by_event: np.ndarray
    used: Sequence[Used]
    dates: WindowDates | None
    contradictory: Contradictory

    def notes(self, counted: Bools) -> tuple[str, ...]:
        """Return one line for each ticker and check with findings in the windows of the counted events, (n,).

        Bars that do not count are named for every event: it may be excluded because of them.
        """
        if self.dates is None:
            return ()
        in_windows: dict[tuple[str, Check], dict[Finding, None]] = {}
        for ticker, findings, events in self.used:
            every = findings[0].check == "contradiction" and self.contradictory == "drop"
            dates = self.dates.take(events if every else events[counted[events]])
            in_windows.setdefault((ticker, findings[0].check), {}).update(dict.fromkeys(_in_windows(findings, dates)))
        return tuple(
            _note(ticker, findings, self.contradictory) for (ticker, _), findings in in_windows.items() if findings
        )


def implausible_prices(
    bars: Mapping[str, Bars],
    windows: Callable[[], WindowDates],
    columns: Sequence[np.ndarray],
    common: Iterable[str],
    choices: Choices,
) -> Implausible:
    """Find the implausible prices in the windows of the usable events.

    Parameters
    ----------
    bars : mapping from ticker to Bars
        As quoted, before any conversion of currencies.
    windows : function that returns WindowDates
        Called only if any of the tickers has implausible prices.
    columns : sequence of object arrays (n,)
        Tickers whose prices the events use, such as the security and the benchmark; None has no prices.
    common : iterable of str
        Tickers whose prices all events use; they are named in the notes, and not for each event.
    choices : Choices
    """
    nothing = Implausible(np.empty(0, dtype=object), (), None, choices.contradictory)
    if not is_return(choices.outcome) or not any(one.findings for one in bars.values()):
        return nothing
    of_events = [(ticker, events) for column in columns for ticker, events in _with_findings(column, bars)]
    of_all = [ticker for ticker in dict.fromkeys(common) if bars[ticker].findings]
    if not of_events and not of_all:
        return nothing
    dates = windows()
    by_event = np.full(len(dates.event_first), "", dtype=object)
    used = []
    for ticker, events in of_events:
        selected = dates.take(events)
        for findings in _by_check(bars[ticker].findings):
            first = _first_in_windows(findings, selected)
            _add_texts(by_event, events[first >= 0], _texts(ticker, findings)[first[first >= 0]])
            used.append(Used(ticker, findings, events))
    every = np.arange(len(by_event))
    used += [Used(ticker, findings, every) for ticker in of_all for findings in _by_check(bars[ticker].findings)]
    return Implausible(by_event, used, dates, choices.contradictory)


def peer_notes(
    bars: Mapping[str, Bars], peers: Iterable[str], windows: Callable[[], WindowDates], choices: Choices
) -> tuple[str, ...]:
    """Return one line on the peers with implausible prices in the windows of any event, if there are some."""
    suspected = [name for name in peers if bars[name].findings]
    if not suspected or not is_return(choices.outcome):
        return ()
    dates = windows()
    counts = {name: len(list(_in_windows(bars[name].findings, dates))) for name in suspected}
    named = [f"{name} ({n})" for name, n in counts.items() if n]
    more = f" and {len(named) - MOST_PEERS} more" * (len(named) > MOST_PEERS)
    dropped = "; bars that contradict themselves do not count" * (choices.contradictory == "drop")
    line = f"implausible prices of peers in the windows of events: {', '.join(named[:MOST_PEERS])}{more}"
    return (f"{line}; prices.screen() has all{dropped}",) if named else ()


def warning(notes: Sequence[str]) -> str:
    """Return a warning with the first notes."""
    return f"implausible prices in the windows of events: {'; '.join(shorten(notes, MOST_WARNED))}"


def shorten(notes: Sequence[str], most: int = MOST_NOTES) -> tuple[str, ...]:
    """Return at most ``most`` notes, with their number and where to find them instead of the others.

    Examples
    --------
    >>> shorten(["A: a jump", "B: a jump", "C: a jump"], 1)
    ('A: a jump', 'and 2 more lines of implausible prices: prices.screen() has all')
    """
    rest = len(notes) - most
    if rest <= 0:
        return tuple(notes)
    return (*notes[:most], f"and {rest} more line{'s' * (rest > 1)} of implausible prices: prices.screen() has all")


def _with_findings(column: np.ndarray, bars: Mapping[str, Bars]) -> Iterator[tuple[str, Ints]]:
    """Yield the tickers of a column that have findings, and the events of each."""
    code, names = pd.factorize(column)
    suspected = [number for number, name in enumerate(names) if bars[name].findings]
    if suspected:
        order = np.argsort(code, kind="stable")
        begin, end = (np.searchsorted(code[order], suspected, side=side) for side in ("left", "right"))
        for number, start, stop in zip(suspected, begin, end, strict=True):
            yield str(names[number]), order[start:stop]


def _by_check(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Yield the findings of each check, in the order of their dates."""
    for check in dict.fromkeys(finding.check for finding in findings):
        yield [finding for finding in findings if finding.check == check]


def _spans(findings: Sequence[Finding]) -> tuple[Dates, Dates]:
    """Return the first and last dates of findings, (F,)."""
    return np.array([finding.date for finding in findings]), np.array([finding.last for finding in findings])


def _first_in_windows(findings: Sequence[Finding], dates: WindowDates) -> Ints:
    """Return the first finding in each event's windows, (n,): in the event window if there is one, -1 if in none."""
    start, end = _spans(findings)
    out = np.full(len(dates.event_first), -1)
    for first, last in dates.pairs:
        at = np.searchsorted(np.maximum.accumulate(end), first)
        inside = (at < len(findings)) & (start[np.minimum(at, len(findings) - 1)] <= last)
        out = np.where((out < 0) & inside, at, out)
    return out


def _in_windows(findings: Sequence[Finding], dates: WindowDates) -> Iterator[Finding]:
    """Yield the findings that lie in a window of any event."""
    start, end = _spans(findings)
    inside = np.zeros(len(findings), dtype=bool)
    for first, last in dates.pairs:
        n_begun = np.searchsorted(np.sort(first), end, side="right")
        inside |= n_begun > np.searchsorted(np.sort(last), start, side="left")
    return compress(findings, inside)


def _texts(ticker: str, findings: Sequence[Finding]) -> np.ndarray:
    return np.array([f"{ticker}: {finding.check} on {finding.date}" for finding in findings], dtype=object)


def _add_texts(by_event: np.ndarray, events: Ints, texts: np.ndarray) -> None:
    """Append a text for each of the events to what is known of it."""
    before = by_event[events]
    by_event[events] = np.where(before == "", texts, before + "; " + texts)


def _note(ticker: str, findings: Collection[Finding], contradictory: Contradictory) -> str:
    """Return one line on the findings of one check: their number, and the largest."""
    check, date, _, _, what = max(findings, key=lambda finding: (abs(np.log1p(finding.size)), finding.date))
    place = "from" if check in ("stale", "repeated") else "on"
    where = f"{place} {date}" if len(findings) == 1 else f"on {len(findings)} dates, the largest {place} {date}"
    effect = ("; the bar does not count" if len(findings) == 1 else "; these bars do not count") * (
        check == "contradiction" and contradictory == "drop"
    )
    return f"{ticker}: {check} {where}: {what}{effect}"
