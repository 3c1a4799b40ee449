"""A study over all sessions that the times of its announcements allow: by event, and over the sample."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.analysis.figures import drawn
from eventstudy.display import formats, names
from eventstudy.display.cards import Grid, Summary
from eventstudy.display.measure import Measure
from eventstudy.display.rows import in_window
from eventstudy.errors import EventStudyWarning, InputError
from eventstudy.prepare.calendar import calendar_name
from eventstudy.prepare.possible import possible_sessions
from eventstudy.run.direction import signs
from eventstudy.types import Ints, Rerun, ResultFrames, StudySample, Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas.api.typing import NaTType

LEVEL = 0.05
BARS = "the study has intraday bars; dates() is for daily sessions, whose announcements may have bounds of several days"
PLACEMENTS = {
    "as placed": "the study's own",
    "earliest": "every event on its first possible session",
    "latest": "every event on its last possible session",
    "lowest": "every event on the session with its lowest value",
    "highest": "every event on the session with its highest value",
}


@dataclass(frozen=True, repr=False, eq=False)
class Dates:
    """The results of a study over every session that the times of its announcements allow.

    Attributes
    ----------
    frame : DataFrame
        event_id, ticker, session, until (the close in UTC: an announcement before it, and not before the close of the
        session before, belongs to this session), placed (whether the study has the event here), start, end, car (or
        bhar), p, status, reason: one row for each possible session of the events that have several.
    events : DataFrame
        Index ``event_id``, the events with several possible sessions; ticker, announced, placement, first, last,
        n_sessions, low and high (the range of the CAR), p_low and p_high, sign_depends, significance_depends (p below
        5 % on some of them and not on others), flips_at (the first close, in UTC, at which significance changes), wide
        and p_wide (the CAR from the first possible session to the end of the window of the last), and before and
        p_before (the CAR of the days before the first possible session: rumours and leaks).
    sample : DataFrame
        placement, start, end, n, effect, se, lower, upper, test, p, valid: the mean of all events, with the primary
        test; as placed, all earliest, all latest, and all on the session with the lowest or the highest value. The last
        two are chosen by their values: between them lies the mean under any combination of possible sessions (unless
        events that share a session are excluded as duplicates), and their p are not those of a test.
    window, before : (int, int)
    n_events : int
        All events of the study.
    measure : Measure
    provenance : mapping
        The provenance of the study.
    """

    frame: pd.DataFrame
    events: pd.DataFrame
    sample: pd.DataFrame
    window: Window
    before: Window
    n_events: int
    measure: Measure
    provenance: Mapping[str, Any]
    kind: ClassVar[str] = "dates"

    def answer(self) -> str:
        """Return how far the results depend on the sessions of events whose time is not known exactly."""
        if not len(self.events):
            count = formats.plural(self.n_events, "event")
            return f"Of {count} none allows more than one session; nothing depends on a date."
        verdicts = int(self.events["significance_depends"].sum())
        rows = {row["placement"]: row for row in self.sample.to_dict("records")}
        placed, low, high = (rows[name] for name in ("as placed", "lowest", "highest"))
        value, name = self.measure.text, self.measure.averaged
        earliest, latest = (formats.p_value(rows[at]["p"]) for at in ("earliest", "latest"))
        return (
            f"{len(self.events)} of {formats.plural(self.n_events, 'event')} allow several sessions (at most"
            f" {self.events['n_sessions'].max()}); whether p is below 5 % depends on the session for {verdicts} of"
            f" them. The mean {name} {formats.window(*self.window)} is {value(placed['effect'])} as placed"
            f" (p {formats.p_value(placed['p'])}; all earliest {earliest}, all latest {latest}),"
            f" {value(low['effect'])} with each on its session of the lowest value and {value(high['effect'])} with"
            " each on that of the highest."
        )

    def plot(self, **options: Any) -> Axes:
        """Draw the CAR of each event on each of its possible sessions, and return the axes."""
        axes: Axes = drawn(self, "_dates", "the figure of dates", options)
        return axes

    def __repr__(self) -> str:
        return self._card().as_text()

    def _repr_html_(self) -> str:
        return self._card().as_html()

    def _card(self) -> Summary:
        rows = [
            (row["placement"], self.measure.text(row["effect"]), self.measure.text(row["lower"]),
             self.measure.text(row["upper"]), formats.marked_p(row["p"], row["valid"]), formats.count(row["n"]))
            for row in self.sample.to_dict("records")
        ]  # fmt: skip
        grid = Grid(("Placement", f"Mean {self.measure.averaged}", *names.ends(), "p", "N"), rows, (False, *[True] * 5))
        title = f"Possible sessions of the announcements: window {formats.window(*self.window)}"
        note = formats.prices_note(self)
        return Summary(f"{title}, {note}" if note else title, tables=[grid], notes=[self.answer()])


class _Choice(NamedTuple):
    """The first, the placed and the last possible session of events, as positions on their calendars, (N,)."""

    first: Ints
    placed: Ints
    last: Ints
    calendar: np.ndarray

    @property
    def n(self) -> Ints:
        return self.last - self.first + 1


def dates(rerun: Rerun, result: ResultFrames, window: Window | None, before: Window) -> Dates:
    """Run the study with every event on each of its possible sessions; see ``Result.dates``."""
    spans = [(int(start), int(end)) for start, end in rerun.choices.windows]
    window = arguments.one_window(window, spans)
    before = arguments.window("before", before, arguments.LARGEST, arguments.LARGEST)
    if before[1] >= 0:
        raise InputError(f"before is {before}; it ends before day 0, as in (-5, -1)")
    sample = rerun.sample()
    if sample.event_table.intraday:
        raise InputError(BARS)
    choice = _possible(rerun, sample)
    several = np.flatnonzero(choice.n > 1)
    runs = {0: _run(rerun, sample, choice, choice.first)} if len(several) else {}
    for k in range(1, int(choice.n[several].max(initial=1))):
        runs[k] = _run(rerun, sample, choice, np.minimum(choice.first + k, choice.last))
    frame = _frame(rerun.events, sample, choice, several, runs, window, result.measure.column)
    events = _events(frame, result, choice, several, sample, result.measure.column)
    if len(several):
        events = events.join(_beyond(rerun, sample, choice, several, window, before))
    at = _extremes(frame, rerun, choice, several, result.measure.column)
    moved = {name: _run(rerun, sample, choice, positions) for name, positions in at.items()}
    of_sample = {"as placed": result}
    if runs:
        of_sample |= {"earliest": runs[0], "latest": runs[max(runs)], **moved}
    return Dates(
        frame, events, _of_sample(of_sample, window), window, before, len(rerun.events), result.measure,
        result.provenance,
    )  # fmt: skip


def _possible(rerun: Rerun, sample: StudySample) -> _Choice:
    """Return the possible sessions of all events; an event that is not placed has none (-1, and n = 1)."""
    frame, bars, sessions = rerun.events, rerun.prices.bars, sample.event_table.sessions
    names = np.array([calendar_name(bars[t].mic) if t in bars else None for t in frame["ticker"]], dtype=object)
    first, placed, last = (np.full(len(frame), -1, dtype=np.int64) for _ in range(3))
    on_session = ~np.isnat(sessions)
    for name in dict.fromkeys(names[on_session]):
        rows, calendar = on_session & (names == name), sample.calendars[name]
        placed[rows] = np.searchsorted(calendar.dates, sessions[rows])
        first[rows], last[rows] = possible_sessions(frame[rows], placed[rows], calendar)
    return _Choice(first, placed, last, names)


def _run(rerun: Rerun, sample: StudySample, choice: _Choice, at: Ints, **choices: object) -> ResultFrames:
    """Run the study with the events that have several possible sessions on given ones."""
    frame, rows = rerun.events.copy(), np.flatnonzero(choice.n > 1)
    sessions = [sample.calendars[choice.calendar[row]].dates[at[row]] for row in rows]
    for name in ("not_before", "not_after", "timezone", "phase"):
        if name in frame or name == "phase":
            texts = (frame[name] if name in frame else pd.Series("", frame.index)).to_numpy(dtype=object).copy()
            texts[rows] = "session" if name == "phase" else ""
            frame[name] = texts
    announced = frame["announced"].to_numpy(dtype=object).copy()
    announced[rows] = [str(session) for session in sessions]
    frame["announced"] = announced
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventStudyWarning)  # of the study itself, which has been run
        return rerun.result(events=frame, choices=choices)


def _frame(
    events: pd.DataFrame, sample: StudySample, choice: _Choice, several: Ints, runs: dict[int, ResultFrames],
    window: Window, column: str,
) -> pd.DataFrame:  # fmt: skip
    """Return the results of every event with several possible sessions, on each of them."""
    parts = []
    for k, run in runs.items():
        rows = several[choice.n[several] > k]
        ids, at = events.index[rows], choice.first[rows] + k
        calendars = [sample.calendars[name] for name in choice.calendar[rows]]
        part = _of_window(run, window, column).reindex(ids)
        part.insert(0, "ticker", events["ticker"].to_numpy()[rows])
        part.insert(1, "session", [calendar.dates[p] for calendar, p in zip(calendars, at, strict=True)])
        part.insert(2, "until", [_close(calendar.closes, p) for calendar, p in zip(calendars, at, strict=True)])
        part.insert(3, "placed", at == choice.placed[rows])
        part.insert(4, "start", window[0])
        part.insert(5, "end", window[1])
        part["row"] = rows
        parts.append(part.rename_axis("event_id").reset_index())
    columns = ["event_id", "ticker", "session", "until", "placed", "start", "end", column, "p", "status", "reason"]
    if not parts:
        return pd.DataFrame(columns=columns)
    return pd.concat(parts).sort_values(["row", "session"], kind="stable")[columns].reset_index(drop=True)


def _close(closes: np.ndarray | None, at: int) -> pd.Timestamp | NaTType:
    return pd.NaT if closes is None else pd.Timestamp(closes[at], tz="UTC")


def _of_window(run: ResultFrames, window: Window, column: str) -> pd.DataFrame:
    """Return value, first p, status and reason of each event in a window."""
    cars = in_window(run.cars, window).set_index("event_id")
    values = cars[[column]].assign(p=cars[formats.first_p(cars, *window)])
    return run.events[["status", "reason"]].join(values)[[column, "p", "status", "reason"]]


def _events(
    frame: pd.DataFrame, result: ResultFrames, choice: _Choice, several: Ints, sample: StudySample, column: str
) -> pd.DataFrame:
    """Return one row for each event with several possible sessions: the range of its results."""
    ids = sample.event_table.frame.index[several]
    table = result.events.loc[ids, ["ticker", "announced", "placement"]]
    by_event = frame.groupby("event_id", sort=False)
    value, p = by_event[column], by_event["p"]
    significant = frame["p"].lt(LEVEL).where(frame["p"].notna())
    known = significant.groupby(frame["event_id"], sort=False)
    columns = {
        "first": by_event["session"].first(), "last": by_event["session"].last(), "n_sessions": by_event.size(),
        "low": value.min(), "high": value.max(), "p_low": p.min(), "p_high": p.max(),
        "sign_depends": (value.min() < 0) & (value.max() > 0),
        "significance_depends": known.max().gt(known.min()),
        "flips_at": _flips(frame, significant),
    }  # fmt: skip
    return table.join(pd.DataFrame(columns)).rename_axis("event_id")


def _flips(frame: pd.DataFrame, significant: pd.Series[bool]) -> pd.Series[pd.Timestamp]:
    """Return the first close at which an event's significance changes with the session after it; NaT without one."""
    event, last = frame["event_id"], frame["event_id"].ne(frame["event_id"].shift(-1))
    after = significant.shift(-1)
    changes = ~last & significant.notna() & after.notna() & significant.ne(after)
    until = pd.to_datetime(frame["until"], utc=True).where(changes)
    return until.groupby(event, sort=False).min()


def _beyond(
    rerun: Rerun, sample: StudySample, choice: _Choice, several: Ints, window: Window, before: Window
) -> pd.DataFrame:
    """Return the CARs of the window widened over all possible sessions, and of the days before the first of them."""
    ends = window[1] + choice.n[several] - 1
    windows = [before, *((window[0], int(end)) for end in np.unique(ends))]
    first, last = rerun.choices.event
    event = (min(first, before[0]), max(last, *(end for _, end in windows)))
    if event[0] <= rerun.choices.estimation[1]:
        raise InputError(
            f"before is {before}, and the estimation window {rerun.choices.estimation} reaches into it; begin later"
        )
    run = _run(rerun, sample, choice, choice.first, event=event, windows=tuple(dict.fromkeys(windows)))
    ids = rerun.events.index[several]
    frame = pd.DataFrame(index=pd.Index(ids, name="event_id"), columns=["wide", "p_wide"], dtype=np.float64)
    for end in np.unique(ends):
        rows = ids[ends == end]
        frame.loc[rows, ["wide", "p_wide"]] = (
            _of_window(run, (window[0], int(end)), "car").loc[rows, ["car", "p"]].to_numpy()
        )
    frame[["before", "p_before"]] = _of_window(run, before, "car").loc[ids, ["car", "p"]].to_numpy()
    return frame


def _extremes(frame: pd.DataFrame, rerun: Rerun, choice: _Choice, several: Ints, column: str) -> dict[str, Ints]:
    """Return the positions at which every event has its lowest and its highest value, in its expected direction."""
    if not len(several):
        return {}
    sign = rerun.choices.sign
    factor = np.ones(len(choice.n)) if sign is None else signs(rerun.events, sign)
    offset = frame.groupby("event_id", sort=False).cumcount().to_numpy()
    row = np.repeat(several, choice.n[several])
    value = frame[column].to_numpy() * factor[row]
    positions = {}
    for name, direction in (("lowest", 1.0), ("highest", -1.0)):
        order = np.lexsort((offset, np.where(np.isnan(value), np.inf, direction * value), row))
        best = order[np.unique(row[order], return_index=True)[1]]
        at = choice.first.copy()
        at[row[best]] += offset[best]
        positions[name] = at
    return positions


def _of_sample(results: dict[str, ResultFrames], window: Window) -> pd.DataFrame:
    """Return the mean effect and primary test of each placement."""
    columns = ["start", "end", "n", "effect", "se", "lower", "upper", "test", "p", "valid"]
    rows = []
    for name, run in results.items():
        tests = run.tests[
            (run.tests["group"] == "all") & (run.tests["start"] == window[0]) & (run.tests["end"] == window[1])
        ]
        rows.append({"placement": name, **tests.iloc[0][columns].to_dict()})
    return pd.DataFrame(rows, columns=["placement", *columns])
