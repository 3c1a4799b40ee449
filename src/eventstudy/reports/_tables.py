"""Tables shared by the text, HTML and LaTeX reports: cells as text and numbered notes, without layout."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from eventstudy.display import formats
from eventstudy.display.measure import Measure
from eventstudy.reports import _analyses
from eventstudy.result import Result
from eventstudy.tables._table import Table as PaperTable
from eventstudy.types import Analysis


class Table(NamedTuple):
    """A table of text cells.

    ``right`` has the alignment of each column (True: flush right), ``breaks`` the rows before which a new group begins,
    ``notes`` the lines below the table, ``empty`` the text shown if there are no rows.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    right: tuple[bool, ...]
    notes: tuple[str, ...] = ()
    breaks: frozenset[int] = frozenset()
    empty: str = ""


def of_result(result: Result, most_events: int, analyses: Sequence[Analysis] = ()) -> list[PaperTable]:
    """Return the tables of a result in the order of a paper: those of groups and analyses if any, events the last."""
    of_analyses = _analyses.tables(result, analyses)
    grouped = (result.tests["group"] != "all").any()
    kinds = ("attrition", "sample", "aar", "caar", *(("groups",) if grouped else ()))
    return [*map(result.table, kinds), *of_analyses, result.table("events", most=most_events)]


class Notes:
    """Number the notes of a table in the order of their first use; ``unit`` is what relative days count."""

    def __init__(self, unit: str = "session") -> None:
        self.unit, self.texts = unit, list[str]()

    def mark(self, text: object) -> str:
        """Return the mark of a note, `` [1]``, or empty text if the note is missing."""
        if formats.is_missing(text):
            return ""
        line = formats.plain(text)
        if line not in self.texts:
            self.texts.append(line)
        return f" [{self.texts.index(line) + 1}]"

    def numbered(self) -> tuple[str, ...]:
        """Return the notes with their numbers."""
        return tuple(f"[{n}] {text}" for n, text in enumerate(self.texts, start=1))


def add_prices_note(title: str, result: formats.HasProvenance) -> str:
    """Return a title with the note on the prices that every table must show (``simulated prices``)."""
    note = formats.prices_note(result)
    return f"{title} ({note})" if note else title


def headline(result: Result) -> list[tuple[str, str]]:
    """Return the summary at the head of a report, as pairs of label and value."""
    settings: Mapping[str, object] = result.provenance.get("settings") or {}
    used = formats.usable_events(result)
    period = formats.MISSING
    if len(used):
        period = f"{formats.date(used['session'].min())} to {formats.date(used['session'].max())}"
    lines = [
        ("Events", f"{len(used)} of {len(result.events)} used"),
        ("Period", period),
        ("Model", formats.setting(settings.get("model"))),
        ("Benchmark", formats.setting(settings.get("benchmark"))),
        ("Estimation window", formats.setting(settings.get("estimation"))),
        ("Event window", formats.setting(settings.get("event"))),
    ]
    if not (result.measure.percent and result.measure.has_p):
        lines.insert(2, ("Measure", result.measure.full))
    if result.measure.sign is not None:
        lines.insert(
            1,
            (
                "Direction",
                f"averages and tests multiply each event by its sign in {formats.plain(result.measure.sign)}",
            ),
        )
    if result.provenance.get("registration"):
        lines.append(("Registered", _registered(result.provenance["registration"])))
    return [*lines, ("Prices", formats.prices_note(result))] if formats.prices_note(result) else lines


def _registered(record: Mapping[str, Any]) -> str:
    """Return when the design was registered, and whether it was changed since; notes name the changes."""
    n = len(record["changed"])
    since = "nothing changed since" if not n else f"{formats.plural(n, 'change')} since, see the notes"
    time = formats.date(record["registered"]).replace("+00:00", " UTC")
    return f"on {time}, sha256 {record['sha256']}; {since}"


def effects(result: Result) -> list[tuple[str, str, str]]:
    """Return, for each group and window, its name, its mean effect, and its interval with p of the primary test."""
    measure = result.measure
    rows = []
    several = result.tests["group"].nunique() > 1
    for row in formats.primary(result.tests).to_dict("records"):
        name = f"Mean {measure.averaged} {formats.window(row['start'], row['end'])}"
        name += f", {formats.plain(row['group'])}" if several else ""
        interval = f"[{measure.text(row['lower'])}, {measure.text(row['upper'])}], "
        tested = ("" if formats.is_missing(row["lower"]) else interval) + formats.tested(row)
        rows.append((name, measure.text(row["effect"]), tested))
    return rows


def dropped(result: Result, max_rows: int | None = None) -> Table:
    """Return the events that were not used, with the reason for each."""
    excluded = result.events[result.events["status"] != "ok"]
    shown = excluded if max_rows is None else excluded.iloc[:max_rows]
    rows = [
        tuple(
            formats.plain(v) if name != "announced" else formats.date(v)
            for name, v in zip(("event", "ticker", "announced", "status", "reason"), row, strict=True)
        )
        for row in zip(shown.index, *(shown[c] for c in ("ticker", "announced", "status", "reason")), strict=True)
    ]
    columns = ("Event", "Ticker", "Announced", "Status", "Reason")
    return Table(
        add_prices_note("Events not used", result),
        columns,
        rows,
        (False,) * 5,
        _count_hidden(len(excluded) - len(shown)),
        empty="every event was used",
    )


def news(result: Result, max_rows: int | None = None) -> Table:
    """Return the price moves on which there are several announcements: the counted event, and each other one."""
    events = result.events.rename_axis("event").reset_index()[["event", "ticker", "session", "status"]]
    others = events[events["status"] == "duplicate"]
    counted = events[events["status"] == "ok"]
    pairs = others.merge(counted, on=["ticker", "session"], suffixes=("", "_counted"))
    shown = pairs if max_rows is None else pairs.iloc[:max_rows]
    rows: list[tuple[str, ...]] = [
        (formats.plain(event), formats.plain(ticker), formats.date(session), formats.plain(other))
        for event, ticker, session, other in zip(
            *(shown[name] for name in ("event_counted", "ticker", "session", "event")), strict=True
        )
    ]
    heads = (
        "Event counted",
        "Ticker",
        formats.day_unit(result.events["session"]).capitalize(),
        "Other news of the move",
    )
    title = add_prices_note("Price moves with several announcements", result)
    return Table(title, heads, rows, (False,) * 4, _count_hidden(len(pairs) - len(shown)), empty="every move has one")


def tests(result: Result) -> Table:
    """Return the tests of the mean effect, grouped by window."""
    measure = result.measure
    window = result.tests.groupby(["group", "start", "end"], sort=False, dropna=False).ngroup()
    frame = result.tests.iloc[window.argsort(kind="stable")]
    several = frame["group"].nunique() > 1
    notes = Notes()
    rows: list[tuple[str, ...]] = []
    breaks = set()
    previous: tuple[object, ...] | None = None
    columns = ("group", "start", "end", "test", "n", "effect", "statistic", "df", "p", "valid", "note")
    for group, start, end, name, n, effect, statistic, df, p, valid, note in zip(
        *(frame[c] for c in columns), strict=True
    ):
        if previous is not None and previous != (group, start, end):
            breaks.add(len(rows))
        previous = (group, start, end)
        lead = (formats.plain(group),) if several else ()
        numbers = (measure.text(effect), formats.number(statistic), formats.count(df), formats.marked_p(p, valid))
        label = formats.plain(name) + notes.mark(note)
        rows.append((*lead, formats.window(start, end), label, formats.count(n), *numbers))
    lead = ("Group",) if several else ()
    return Table(
        add_prices_note(f"Tests of the mean {measure.averaged_full}", result),
        (*lead, "Window", "Test", "n", f"Mean {measure.averaged}", "Statistic", "df", "p"),
        rows,
        (*(False for _ in lead), False, False, True, True, True, True, True),
        (*_does_not_hold(frame), *notes.numbered(), *_implausible(result)),
        frozenset(breaks),
        "nothing could be tested",
    )


def _does_not_hold(tests: pd.DataFrame) -> tuple[str, ...]:
    """Return the explanation of the mark of tests that do not hold, if there are any with a value."""
    marked = (~tests["valid"] & tests["p"].notna()).any()
    return (f"{formats.DOES_NOT_HOLD} does not hold for this sample; its note says why",) if marked else ()


def _implausible(result: Result) -> tuple[str, ...]:
    """Return a note on implausible prices in the windows of used events, if there are any."""
    used = formats.usable_events(result)
    if "implausible_prices" not in used:
        return ()
    texts = used["implausible_prices"][used["implausible_prices"] != ""]
    if texts.empty:
        return ()
    first = formats.plain(texts.iloc[0])
    return (f"implausible prices in the windows of {len(texts)} of {formats.plural(len(used), 'event')}, as {first}",)


P_HEADS = {"p": "p", "p_sq": "p SQ", "p_conformal": "p conf.", "p_placebo": "p pl."}
P_NOTES = {
    "p_sq": "p SQ: the {} among the event's own estimation residuals, without normality",
    "p_conformal": "p conf.: the {} among all runs of as many {}s, of estimation window and window, without normality",
    "p_placebo": "p pl.: the {} among those of its peers, to which the same model was fitted as placebos",
}
SUMS_NOTE = "p of single events are those of the sum and not of the {}; a .csv report has both"


def windows(result: Result) -> list[tuple[int, int]]:
    """Return the windows of the study in their order."""
    pairs = result.cars[["start", "end"]].drop_duplicates()
    return [(int(start), int(end)) for start, end in zip(pairs["start"], pairs["end"], strict=True)]


def per_event(
    result: Result,
    max_rows: int | None = None,
    shown_windows: Iterable[tuple[int, int]] | None = None,
    with_t: bool = False,
) -> Table:
    """Return one row per usable event: ticker, session, and the effect and p-values of each window.

    There is no p-value where the study compounds, because it would belong to the sum.

    Parameters
    ----------
    max_rows : int, optional
        Further events are counted in a note.
    shown_windows : windows, optional
        All by default.
    with_t : bool
        Whether p from Student's t stands beside the first p-value.
    """
    measure = result.measure
    shown_windows = windows(result) if shown_windows is None else list(shown_windows)
    p_names = {window: _p_names(result, window, with_t) for window in shown_windows}
    used = formats.usable_events(result)
    shown = used if max_rows is None else used.iloc[:max_rows]
    records = result.cars[result.cars["event_id"].isin(shown.index)].to_dict("records")
    cars = {(car["event_id"], car["start"], car["end"]): car for car in records}
    notes = Notes(formats.day_unit(result.events["session"]))
    rows = []
    for event_id, ticker, session in zip(shown.index, shown["ticker"], shown["session"], strict=True):
        cells = [formats.plain(event_id), formats.plain(ticker), formats.date(session)]
        for window in shown_windows:
            cells += _window_cells(cars.get((event_id, *window)), window, p_names[window], notes, measure)
        rows.append(tuple(cells))
    heads = [head for w in shown_windows for head in (formats.window(*w), *(P_HEADS[name] for name in p_names[w]))]
    step = formats.day_or_bar(result.events["session"])
    p_notes = [
        note.format(measure.short, step)
        for name, note in P_NOTES.items()
        if any(name in own for own in p_names.values())
    ]
    p_notes += [] if measure.has_p else [SUMS_NOTE.format(measure.short)]
    return Table(
        add_prices_note(f"{measure.full[:1].upper()}{measure.full[1:]} of each event", result),
        ("Event", "Ticker", notes.unit.capitalize(), *heads),
        rows,
        (False,) * 3 + (True,) * len(heads),
        (*notes.numbered(), *p_notes, *_count_hidden(len(used) - len(shown))),
        empty="no event could be used",
    )


def _p_names(result: Result, window: tuple[int, int], with_t: bool) -> list[str]:
    """Return the columns of the p-values that a window shows."""
    if not result.measure.has_p:
        return []
    names = [
        formats.first_p(result.cars, *window),
        *(["p"] if with_t else []),
        *(["p_placebo"] if "p_placebo" in result.cars else []),
    ]
    return list(dict.fromkeys(names))


def _window_cells(
    car: dict[Hashable, Any] | None, window: tuple[int, int], p_names: list[str], notes: Notes, measure: Measure
) -> list[str]:
    """Return the cells of one event's window; a missing effect refers to a note with the reason."""
    if car is None:
        return [formats.MISSING + notes.mark("not computed"), *[formats.MISSING] * len(p_names)]
    effect = measure.text(car[measure.column])
    if formats.is_missing(car[measure.column]):
        length = formats.plural(window[1] - window[0] + 1, notes.unit)
        effect += notes.mark(f"only {formats.count(car['n_days'])} of {length} in the window have a {measure.series}")
    return [effect, *(formats.p_value(car[name]) for name in p_names)]


PRICES = ("open", "high", "low", "close")


def reactions(result: Result, max_rows: int) -> Table:
    """Return the plain returns of each event's session, and its benchmark's to the low and the close.

    A price that no event has, as the high where only closes are known, has no column.
    """
    frame, unit = result.reactions.iloc[:max_rows], formats.day_unit(result.events["session"])
    labels = zip(frame.index, frame["ticker"], frame["session"], frame["benchmark"], strict=True)
    returns = frame[[*PRICES, "benchmark_low", "benchmark_close"]].to_numpy()
    rows: list[tuple[str, ...]] = []
    for (event_id, ticker, session, benchmark), values in zip(labels, returns, strict=True):
        *ticker_returns, low, close = map(formats.percent, values)
        label = (formats.plain(event_id), formats.plain(ticker), formats.date(session))
        rows.append((*label, *ticker_returns, formats.plain(benchmark), low, close))
    *of_ticker, low_known, close_known = np.isfinite(returns.astype(float)).any(axis=0) | frame.empty
    shown = (True, True, True, *of_ticker, low_known or close_known, low_known, close_known)
    heads = ("Event", "Ticker", unit.capitalize(), "Open", "High", "Low", "Close", "Benchmark", "Its low", "Its close")
    right = (False,) * 3 + (True,) * 4 + (False, True, True)
    return Table(
        add_prices_note(f"The {unit} itself: plain returns from the previous close", result),
        tuple(compress(heads, shown)),
        [tuple(compress(row, shown)) for row in rows],
        tuple(compress(right, shown)),
        _count_hidden(len(result.reactions) - len(frame)),
        empty="no event has a session with prices",
    )


def placement(table: pd.DataFrame) -> Table:
    """Return the table of ``Study.check``: the session of each event, and the status that it would have."""
    rows: list[tuple[str, ...]] = []
    columns = ("ticker", "announced", "session", "n_estimation", "status", "reason", "placement")
    n_contaminated = table.get("n_contaminated", pd.Series(0, index=table.index))
    implausible = table.get("implausible_prices", pd.Series("", index=table.index))
    for event_id, ticker, announced, session, n, status, reason, placed, contaminated, found in zip(
        table.index, *(table[c] for c in columns), n_contaminated, implausible, strict=True
    ):
        label = (formats.plain(event_id), formats.plain(ticker), formats.date(announced), formats.date(session))
        outcome = formats.plain(f"{status}: {placed if formats.is_missing(reason) else reason}")
        outcome += f"; {formats.plural(contaminated, 'day')} contaminated" if contaminated else ""
        outcome += f"; {formats.plain(found)}" if found else ""
        read = n > 0 or status == "too_few_estimation"
        rows.append((*label, formats.count(n) if read else formats.MISSING, outcome))
    unit = formats.day_unit(table["session"]).capitalize()
    heads = ("Event", "Ticker", "Announced", unit, "Bars" if unit == "Bar" else "Days", "Outcome")
    right = (False,) * 4 + (True, False)
    return Table("Where the events fall", heads, rows, right, empty="there are no events")


def _count_hidden(n: int) -> tuple[str, ...]:
    """Return a note on the number of events that are not shown, if there are any."""
    return (f"{formats.plural(n, 'further event')} not shown; a .csv report has them all",) if n > 0 else ()


def notes(result: Result) -> list[str]:
    """Return the notes of the run."""
    return [formats.plain(n) for n in result.provenance.get("notes") or ()]


def flatten(mapping: Mapping[str, object], prefix: str = "", depth: int = 3) -> list[tuple[str, str]]:
    """Return nested settings as pairs of dotted name and value; what is nested deeper than ``depth`` is one value."""
    rows = []
    for key, value in mapping.items():
        name = f"{prefix}{formats.plain(key)}"
        rows += (
            flatten(value, f"{name}.", depth - 1)
            if isinstance(value, Mapping) and value and depth > 1
            else [(name, formats.setting(value))]
        )
    return rows
