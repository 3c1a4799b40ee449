"""The tables that text, HTML and LaTeX all show: cells as text, notes numbered, nothing drawn yet."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from eventstudy.display import formats
from eventstudy.display.measure import Measure
from eventstudy.result import Result


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
    """Number notes in the order in which they are met, each text once; ``counted`` is what relative days count."""

    def __init__(self, counted: str = "session") -> None:
        self.counted, self.texts = counted, list[str]()

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


def titled(title: str, result: Result) -> str:
    """Add to a title what every table must say of the prices."""
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
    if not (result.measure.percent and result.measure.has_p):
        found.insert(2, ("Measure", result.measure.full))
    return [*found, ("Prices", formats.prices_note(result))] if formats.prices_note(result) else found


def effects(result: Result) -> list[tuple[str, str, str]]:
    """Give, for each group and window, its name, the mean effect, and how its tests judge it."""
    measure = result.measure
    found = []
    several = result.tests["group"].nunique() > 1
    for (group, start, end), tests in result.tests.groupby(["group", "start", "end"], sort=False, dropna=False):
        name = f"Mean {measure.short} {formats.window(start, end)}" + (f", {formats.plain(group)}" if several else "")
        p = tests["p"].dropna()
        low, high = formats.p_value(p.min()), formats.p_value(p.max())
        judged = f"p {low}" if low == high else f"p {low} to {high}"
        says = f"{judged} in {formats.plural(len(p), 'test')}" if len(p) else "no test could be computed"
        found.append((name, measure.text(tests["effect"].iloc[0]), says))
    return found


def attrition(result: Result) -> Table:
    """Count what became of the events that were given."""
    rows: list[tuple[str, ...]] = [
        (formats.plain(r), formats.count(n)) for r, n in _pairs(result.attrition, "reason", "n")
    ]
    title = titled("What became of the events", result)
    return Table(title, ("Outcome", "n"), rows, (False, True), empty="no event was given")


def dropped(result: Result, most_rows: int | None = None) -> Table:
    """List the events that were not used, with the reason of each."""
    lost = result.events[result.events["status"] != "ok"]
    some = lost if most_rows is None else lost.iloc[:most_rows]
    rows = [
        tuple(
            formats.plain(v) if name != "announced" else formats.date(v)
            for name, v in zip(("event", "ticker", "announced", "status", "reason"), row, strict=True)
        )
        for row in zip(some.index, *(some[c] for c in ("ticker", "announced", "status", "reason")), strict=True)
    ]
    columns = ("Event", "Ticker", "Announced", "Status", "Reason")
    return Table(
        titled("Events not used", result),
        columns,
        rows,
        (False,) * 5,
        _further(len(lost) - len(some)),
        empty="every event was used",
    )


def tests(result: Result) -> Table:
    """Give the tests of the mean effect, those of one window together."""
    measure = result.measure
    window = result.tests.groupby(["group", "start", "end"], sort=False, dropna=False).ngroup()
    frame = result.tests.iloc[window.argsort(kind="stable")]
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
        numbers = (measure.text(effect), formats.number(statistic), formats.count(df), formats.p_value(p))
        label = formats.plain(name) + notes.mark(note)
        rows.append((*lead, formats.window(start, end), label, formats.count(n), *numbers))
    lead = ("Group",) if several else ()
    return Table(
        titled(f"Tests of the mean {measure.full}", result),
        (*lead, "Window", "Test", "n", f"Mean {measure.short}", "Statistic", "df", "p"),
        rows,
        (*(False for _ in lead), False, False, True, True, True, True, True),
        notes.numbered(),
        frozenset(breaks),
        "nothing could be tested",
    )


SINGLE_P = {"p": "p", "p_sq": "p SQ", "p_placebo": "p pl."}
EXPLAINED = {
    "p_sq": "p SQ: the {} among the event's own estimation residuals, without normality",
    "p_placebo": "p pl.: the {} among those of its peers, to which the same model was fitted as placebos",
}
OF_SUMS = "p of single events are those of the sum and not of the {}; a .csv report has both"


def windows(result: Result) -> list[tuple[int, int]]:
    """Give the windows of the study in their order."""
    pairs = result.cars[["start", "end"]].drop_duplicates()
    return [(int(s), int(e)) for s, e in _pairs(pairs, "start", "end")]


def per_event(
    result: Result, ps: Iterable[str], most_rows: int | None = None, shown: Iterable[tuple[int, int]] | None = None
) -> Table:
    """Give one row a usable event: ticker, session, and for each window its effect and the p-values named.

    Parameters
    ----------
    ps : names out of ``p``, ``p_sq``, ``p_placebo``
        Those that the result has; none where the study compounds, for they are those of sums.
    most_rows : int, optional
        The rest is counted in a note.
    shown : windows, optional
        All by default.
    """
    measure = result.measure
    names = [p for p in ps if p in result.cars.columns and measure.has_p]
    which = windows(result) if shown is None else list(shown)
    used = formats.used(result)
    some = used if most_rows is None else used.iloc[:most_rows]
    shown_cars = result.cars[result.cars["event_id"].isin(some.index)].to_dict("records")
    cars = {(c["event_id"], c["start"], c["end"]): c for c in shown_cars}
    notes = Notes(formats.counted(result.events["session"]))
    rows = []
    for event_id, ticker, session in zip(some.index, some["ticker"], some["session"], strict=True):
        cells = [formats.plain(event_id), formats.plain(ticker), formats.date(session)]
        for window in which:
            cells += _cells(cars.get((event_id, *window)), window, names, notes, measure)
        rows.append(tuple(cells))
    heads = [head for w in which for head in (formats.window(*w), *(SINGLE_P[p] for p in names))]
    explained = [EXPLAINED[p].format(measure.short) for p in names if p in EXPLAINED]
    explained += [] if measure.has_p else [OF_SUMS.format(measure.short)]
    return Table(
        titled(f"{measure.full[:1].upper()}{measure.full[1:]} of each event", result),
        ("Event", "Ticker", notes.counted.capitalize(), *heads),
        rows,
        (False,) * 3 + (True,) * len(heads),
        (*notes.numbered(), *explained, *_further(len(used) - len(some))),
        empty="no event could be used",
    )


def _cells(
    car: dict[Hashable, Any] | None, window: tuple[int, int], names: list[str], notes: Notes, measure: Measure
) -> list[str]:
    """Format one event's window; a missing effect carries a note that says why."""
    if car is None:
        return [formats.MISSING + notes.mark("not computed"), *[formats.MISSING] * len(names)]
    effect = measure.text(car[measure.column])
    if formats.is_missing(car[measure.column]):
        asked = formats.plural(window[1] - window[0] + 1, notes.counted)
        effect += notes.mark(f"only {formats.count(car['n_days'])} of {asked} in the window have a {measure.series}")
    return [effect, *(formats.p_value(car[p]) for p in names)]


QUOTED = ("open", "high", "low", "close")


def reactions(result: Result, most_rows: int) -> Table:
    """Give the plain returns of each event's session, and its benchmark's to the low and the close."""
    frame, counted = result.reactions.iloc[:most_rows], formats.counted(result.events["session"])
    labels = zip(frame.index, frame["ticker"], frame["session"], frame["benchmark"], strict=True)
    moves = frame[[*QUOTED, "benchmark_low", "benchmark_close"]].to_numpy()
    rows: list[tuple[str, ...]] = []
    for (event_id, ticker, session, benchmark), values in zip(labels, moves, strict=True):
        *own, low, close = map(formats.percent, values)
        label = (formats.plain(event_id), formats.plain(ticker), formats.date(session))
        rows.append((*label, *own, formats.plain(benchmark), low, close))
    return Table(
        titled(f"The {counted} itself: plain returns from the previous close", result),
        ("Event", "Ticker", counted.capitalize(), "Open", "High", "Low", "Close", "Benchmark", "Its low", "Its close"),
        rows,
        (False,) * 3 + (True,) * 4 + (False, True, True),
        _further(len(result.reactions) - len(frame)),
        empty="no event has a session with prices",
    )


def placement(table: pd.DataFrame) -> Table:
    """Give the table of ``Study.check``: where each event falls, and what would become of it."""
    rows: list[tuple[str, ...]] = []
    columns = ("ticker", "announced", "session", "n_estimation", "status", "reason", "placement")
    spoilt = table.get("n_contaminated", pd.Series(0, index=table.index))
    for event_id, ticker, announced, session, n, status, reason, why, other in zip(
        table.index, *(table[c] for c in columns), spoilt, strict=True
    ):
        label = (formats.plain(event_id), formats.plain(ticker), formats.date(announced), formats.date(session))
        said = formats.plain(f"{status}: {why if formats.is_missing(reason) else reason}")
        said += f"; {formats.plural(other, 'day')} contaminated" if other else ""
        rows.append((*label, formats.count(n), said))
    counted = formats.counted(table["session"]).capitalize()
    heads = ("Event", "Ticker", "Announced", counted, "Bars" if counted == "Bar" else "Days", "Outcome")
    right = (False,) * 4 + (True, False)
    return Table("Where the events fall", heads, rows, right, empty="there are no events")


def _further(n: int) -> tuple[str, ...]:
    return (f"{formats.plural(n, 'further event')} not shown; a .csv report has them all",) if n > 0 else ()


def notes(result: Result) -> list[str]:
    """Give what was noticed on the way."""
    return [formats.plain(n) for n in result.provenance.get("notes") or ()]


def flat(mapping: Mapping[str, Any], prefix: str = "", depth: int = 3) -> list[tuple[str, str]]:
    """Give nested settings as pairs of dotted name and value, what lies deeper than ``depth`` on one line."""
    rows = []
    for key, value in mapping.items():
        name = f"{prefix}{formats.plain(key)}"
        rows += (
            flat(value, f"{name}.", depth - 1)
            if isinstance(value, Mapping) and value and depth > 1
            else [(name, formats.setting(value))]
        )
    return rows


def _pairs(frame: pd.DataFrame, first: str, second: str) -> Iterable[tuple[Any, Any]]:
    return zip(frame[first], frame[second], strict=True)
