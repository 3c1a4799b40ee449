"""The tables that text, HTML and LaTeX all show: cells as text, notes numbered, nothing drawn yet."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from eventstudy import formats
from eventstudy.tables import Result


class Table(NamedTuple):
    """A table of text cells.

    ``right`` says which columns are flush right, ``breaks`` before which rows a new group begins, ``notes`` what
    stands below, ``empty`` what stands in place of the rows where there are none.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    right: tuple[bool, ...]
    notes: tuple[str, ...] = ()
    breaks: frozenset[int] = frozenset()
    empty: str = ""


class Notes:
    """Number notes in the order in which they are met, each text once."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def mark(self, text: Any) -> str:
        """Give the mark of a note, `` [1]``, or nothing for no note."""
        if formats.is_missing(text):
            return ""
        line = formats.plain(text)
        if line not in self.texts:
            self.texts.append(line)
        return f" [{self.texts.index(line) + 1}]"

    def numbered(self) -> tuple[str, ...]:
        """Give the notes as they stand below a table."""
        return tuple(f"[{n}] {text}" for n, text in enumerate(self.texts, start=1))


def _titled(title: str, result: Result) -> str:
    note = formats.prices_note(result)
    return f"{title} ({note})" if note else title


def headline(result: Result) -> list[tuple[str, str]]:
    """Give what a reader wants to know first, as pairs of label and value."""
    settings: Mapping[str, Any] = result.provenance.get("settings") or {}
    used = formats.used(result)
    period = formats.MISSING
    if len(used):
        period = f"{formats.date(used['session'].min())} to {formats.date(used['session'].max())}"
    found = [
        ("Events", f"{len(used)} of {len(result.events)} used"),
        ("Period", period),
        ("Model", formats.setting(settings.get("model"))),
        ("Benchmark", formats.setting(settings.get("benchmark"))),
        ("Estimation window", formats.setting(settings.get("estimation"))),
        ("Event window", formats.setting(settings.get("event"))),
    ]
    return [*found, ("Prices", formats.prices_note(result))] if formats.prices_note(result) else found


def effects(result: Result) -> list[tuple[str, str, str]]:
    """Give, for each group and window, its name, the mean CAR, and how its tests judge it."""
    found = []
    several = result.tests["group"].nunique() > 1
    for (group, start, end), tests in result.tests.groupby(["group", "start", "end"], sort=False, dropna=False):
        name = f"Mean CAR {formats.window(start, end)}" + (f", {formats.plain(group)}" if several else "")
        p = tests["p"].dropna()
        low, high = formats.p_value(p.min()), formats.p_value(p.max())
        judged = f"p {low}" if low == high else f"p {low} to {high}"
        says = f"{judged} in {formats.plural(len(p), 'test')}" if len(p) else "no test could be computed"
        found.append((name, formats.percent(tests["effect"].iloc[0]), says))
    return found


def attrition(result: Result) -> Table:
    """Count what became of the events that were given."""
    rows: list[tuple[str, ...]] = [
        (formats.plain(r), formats.count(n)) for r, n in _pairs(result.attrition, "reason", "n")
    ]
    title = _titled("What became of the events", result)
    return Table(title, ("Outcome", "n"), rows, (False, True), empty="no event was given")


def dropped(result: Result) -> Table:
    """List the events that were not used, with the reason of each."""
    lost = result.events[result.events["status"] != "ok"]
    rows = [
        tuple(
            formats.plain(v) if name != "announced" else formats.date(v)
            for name, v in zip(("event", "ticker", "announced", "status", "reason"), row, strict=True)
        )
        for row in zip(lost.index, *(lost[c] for c in ("ticker", "announced", "status", "reason")), strict=True)
    ]
    columns = ("Event", "Ticker", "Announced", "Status", "Reason")
    return Table(_titled("Events not used", result), columns, rows, (False,) * 5, empty="every event was used")


def tests(result: Result) -> Table:
    """Give the tests of the mean CAR of each window."""
    frame = result.tests
    several = frame["group"].nunique() > 1
    notes = Notes()
    rows: list[tuple[str, ...]] = []
    breaks = set()
    before: Any = None
    for group, start, end, name, n, effect, statistic, df, p, note in zip(
        *(frame[c] for c in ("group", "start", "end", "test", "n", "effect", "statistic", "df", "p", "note")),
        strict=True,
    ):
        if before is not None and before != (group, start, end):
            breaks.add(len(rows))
        before = (group, start, end)
        lead = (formats.plain(group),) if several else ()
        numbers = (formats.percent(effect), formats.number(statistic), formats.count(df), formats.p_value(p))
        label = formats.plain(name) + notes.mark(note)
        rows.append((*lead, formats.window(start, end), label, formats.count(n), *numbers))
    lead = ("Group",) if several else ()
    return Table(
        _titled("Tests of the mean CAR", result),
        (*lead, "Window", "Test", "n", "Mean CAR", "Statistic", "df", "p"),
        rows,
        (*(False for _ in lead), False, False, True, True, True, True, True),
        notes.numbered(),
        frozenset(breaks),
        "nothing could be tested",
    )


PER_WINDOW = {
    "car": ("{}", formats.percent),
    "t": ("t", formats.number),
    "p": ("p", formats.p_value),
    "p_sq": ("p SQ", formats.p_value),
}


def windows(result: Result) -> list[tuple[int, int]]:
    """Give the windows of the study in their order."""
    pairs = result.cars[["start", "end"]].drop_duplicates()
    return [(int(s), int(e)) for s, e in _pairs(pairs, "start", "end")]


def per_event(
    result: Result, fields: Iterable[str], most_rows: int | None = None, shown: Iterable[tuple[int, int]] | None = None
) -> Table:
    """Give one row a usable event: ticker, session, and for each window the fields named.

    Parameters
    ----------
    fields : names out of ``car``, ``t``, ``p``, ``p_sq``
    most_rows : int, optional
        The rest is counted in a note.
    shown : windows, optional
        All by default.
    """
    names = [f for f in fields if f in result.cars.columns]
    which = windows(result) if shown is None else list(shown)
    used = formats.used(result)
    some = used if most_rows is None else used.iloc[:most_rows]
    cars = {(c["event_id"], c["start"], c["end"]): c for c in result.cars.to_dict("records")}
    notes = Notes()
    rows = []
    for event_id, ticker, session in zip(some.index, some["ticker"], some["session"], strict=True):
        cells = [formats.plain(event_id), formats.plain(ticker), formats.date(session)]
        for window in which:
            cells += _cells(cars.get((event_id, *window)), window, names, notes)
        rows.append(tuple(cells))
    heads = [PER_WINDOW[f][0].format(formats.window(*w)) for w in which for f in names]
    more = len(used) - len(some)
    further = (f"{formats.plural(more, 'further event')} not shown; a .csv report has them all",) if more else ()
    return Table(
        _titled("Cumulative abnormal returns (CAR) of each event", result),
        ("Event", "Ticker", "Session", *heads),
        rows,
        (False,) * 3 + (True,) * len(heads),
        (*notes.numbered(), *further),
        empty="no event could be used",
    )


def _cells(car: dict[Hashable, Any] | None, window: tuple[int, int], names: list[str], notes: Notes) -> list[str]:
    """Format one event's window; a missing CAR carries a note that says why."""
    if car is None:
        return [formats.MISSING + notes.mark("not computed"), *[formats.MISSING] * (len(names) - 1)]
    cells = [PER_WINDOW[f][1](car[f]) for f in names]
    if formats.is_missing(car["car"]):
        asked = formats.plural(window[1] - window[0] + 1, "session")
        cells[0] += notes.mark(f"only {formats.count(car['n_days'])} of {asked} in the window have a return")
    return cells


def notes(result: Result) -> list[str]:
    """Give what was noticed on the way."""
    return [formats.plain(n) for n in result.provenance.get("notes") or ()]


def flat(mapping: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Give nested settings as pairs of dotted name and value."""
    rows = []
    for key, value in mapping.items():
        name = f"{prefix}{formats.plain(key)}"
        rows += flat(value, f"{name}.") if isinstance(value, Mapping) and value else [(name, formats.setting(value))]
    return rows


def _pairs(frame: pd.DataFrame, first: str, second: str) -> Iterable[tuple[Any, Any]]:
    return zip(frame[first], frame[second], strict=True)
