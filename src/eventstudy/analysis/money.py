r"""What events cost in money: the abnormal return of each times the value of its firm before the window.

.. math:: A_i = CAR_i V_i, \qquad A = \sum_i A_i

with V the value at the close before the window (:mod:`eventstudy.analysis.money_values`), and the BHAR in place of the
CAR if the study compounds. :mod:`eventstudy.core.totals` has the errors of the sum and of the means. Dollar abnormal
returns are those of Malatesta (1983, Journal of Financial Economics 11:155).
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.analysis import money_notes as notes
from eventstudy.analysis import money_values as worth
from eventstudy.analysis.figures import drawn
from eventstudy.analysis.money_sums import COMPOUNDED, Counted, Sums, weighted
from eventstudy.core.nulls import margin
from eventstudy.display import amounts, formats, names
from eventstudy.display.cards import Grid, Summary
from eventstudy.display.measure import Measure
from eventstudy.display.rows import in_window
from eventstudy.errors import InputError, one_of
from eventstudy.tabular.labels import labels_of
from eventstudy.types import Bools, Dates, Floats, Rerun, ResultFrames, StudySample, Window, required

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIELDS = ("open", "high", "low", "close")
NAMES = {"equal": "Mean, equal weights", "value": "Mean, weights by value", "money": "Sum of money"}


@dataclass(frozen=True, repr=False, eq=False)
class Money:
    """What the events of a study cost, or were worth.

    Attributes
    ----------
    frame : DataFrame
        Index ``event_id``, every event of the study; ticker, firm, session, start, end, car (or bhar), se (of the CAR),
        value (of the firm before the window, in ``currency``), valued_on (of bars the start), rate (from the currency
        of the value), abnormal_value, lower, upper (95 %, by the forecast error of the CAR), status and reason. ``ok``
        events are in the sums; ``no_car``, ``no_value`` and ``other_listing`` (the firm is counted by another listing)
        are not, nor are those that the study excluded.
    by_group : DataFrame
        group, n, value, total, se, df, lower, upper, p; empty without groups. An event counts in its own group.
    total : Series
        total, se, df, lower, upper (95 %), p, value (the sum of the values), n, n_without (used events that are not in
        the sum), share (of the used events, by number). The interval covers the sum of the effects of these events.
    comparison : DataFrame
        weights ("equal": the mean CAR, "value": the mean weighted by value, "money": the sum), covers ("these events"
        or "events like these"), n, estimate, se, df, lower, upper, p, note.
    reactions : DataFrame
        Index ``event_id``; ticker, session, value (at the close before the session), and what the move of that session
        to its open, high, low and close was worth, and its abnormal return (``abnormal``).
    currency : str
        That of all amounts; empty if the prices do not say.
    window : (int, int)
    why : str
        Why the mean and the sum differ: how unequal the firms are.
    notes : tuple of str
    measure : Measure
    provenance : mapping
        Of the study.
    """

    kind: ClassVar[str] = "money"
    frame: pd.DataFrame
    by_group: pd.DataFrame
    total: pd.Series[float]
    comparison: pd.DataFrame
    reactions: pd.DataFrame
    currency: str
    window: Window
    why: str
    notes: tuple[str, ...]
    measure: Measure
    provenance: Mapping[str, Any]

    def text(self, amount: formats.Number) -> str:
        """Return an amount with its currency."""
        return amounts.money(amount, self.currency)

    def answer(self) -> str:
        """Return what the events cost, with the interval, and what the sum leaves out."""
        total = self.total
        n, window = int(total["n"]), formats.window(*self.window)
        if not n:
            return f"No event has both a {self.measure.short} and a value, so that there is no sum of money."
        verb = "lost" if total["total"] < 0 else "gained"
        interval = "no interval" if np.isnan(total["se"]) else self._interval(total)
        amount, before = (self.text(abs(total[name])).lstrip("+") for name in ("total", "value"))
        events = formats.plural(n, "event")
        text = f"Over {window} {events} {verb} {amount} of abnormal value ({interval})"
        text += f", of {before} before, summed over events."
        without = int(total["n_without"])
        return text + (f" Not in it: {formats.plural(without, 'used event')}." if without else "") + f" {self.why}"

    def plot(self, **options: Any) -> Axes:
        """Draw the abnormal value of each event, the largest loss first, with intervals and the total.

        Parameters
        ----------
        **options
            ``by="group"`` for the groups in place of events, ``most``, ``level``, ``title``, ``figsize`` and ``ax``.

        Returns
        -------
        Axes
        """
        axes: Axes = drawn(self, "_money", "the figure of money", options)
        return axes

    def _interval(self, row: Mapping[str, float] | pd.Series[float]) -> str:
        return f"95 % interval {self.text(row['lower'])} to {self.text(row['upper'])}"

    def __repr__(self) -> str:
        return formats.terminal("\n".join(textwrap.wrap(f"Money: {self.answer()}", 100, subsequent_indent="  ")))

    def _repr_html_(self) -> str:
        rows = []
        for row in self.comparison.to_dict("records"):
            form = self.text if row["weights"] == "money" else self.measure.text
            amounts = (form(row[name]) for name in ("estimate", "lower", "upper"))
            rows.append((NAMES[row["weights"]], row["covers"], *amounts, formats.p_value(row["p"])))
        heads = ("", "of", "Estimate", *names.ends(), "p")
        note = formats.prices_note(self)
        title = f"Abnormal value, window {formats.window(*self.window)}" + (f", {note}" if note else "")
        grid = Grid(heads, rows, (False, False, True, True, True, True))
        return Summary(title, tables=[grid], notes=[self.answer(), *self.notes]).as_html()


def money(
    rerun: Rerun | None,
    result: ResultFrames,
    value: str = "market_value",
    window: Window | None = None,
    currency: str | None = None,
    shares: str | None = None,
    group: str | None = None,
) -> Money:
    """Return what the events cost; see ``Result.money``."""
    rerun = _measured_in_returns(required(rerun))
    window = arguments.one_window(window, [(int(a), int(b)) for a, b in rerun.choices.windows])
    sample = rerun.sample()
    ids = sample.event_table.frame.index[sample.event_table.rows]
    placed, before = rerun.events.loc[ids], _sessions(sample, window[0] - 1)
    found = worth.values_before(placed, rerun.prices, before, value, shares)
    used = np.asarray(result.events["status"].reindex(ids) == "ok", dtype=bool)
    for at in np.flatnonzero(~used):
        found.lose(int(at), "not used")
    asked = rerun.choices.currency if currency is None else currency
    unit = worth.reporting_currency(found, asked)
    frame = _with_values(_of_window(result, window), ids, found, worth.rates(found, rerun.prices, unit), result.measure)
    frame["firm"] = pd.Series(worth.firms_of(placed, rerun.events), ids).reindex(frame.index)
    others = _mark_listings(frame, placed, sample, ids)
    counted = _counted(frame, ids, sample, result.measure.column)
    about = [
        *notes.about_missing(frame, int(used.sum())),
        *notes.about_values(frame.loc[ids], before, unit),
        *others,
        *notes.about_exchanges(placed, np.isin(np.arange(len(ids)), counted.row), rerun),
        *notes.counted_twice(counted, [_sessions(sample, day)[counted.row] for day in range(window[0], window[1] + 1)]),
        *[f"These events have no intervals: {COMPOUNDED}."] * rerun.choices.compound,
    ]
    groups = _groups(rerun, counted, group)
    outcome = rerun.outcome(windows=[window], tests={}, extra=weighted(counted, groups, len(ids)), signed=False)
    sums, n_used = Sums(outcome, sample, counted, rerun.choices.compound), int(used.sum())
    n_counted = len(counted.ids)
    share = n_counted / n_used if n_used else np.nan
    valued_on = sample.event_table.at_the_exchange(frame["valued_on"])
    return Money(
        frame.drop(columns="df").assign(valued_on=valued_on),
        sums.by_group(groups),
        pd.Series({**sums.total(), "n_without": n_used - n_counted, "share": share}, dtype=float),
        sums.comparison(window),
        _reactions(result, rerun, sample, counted, (value, shares, unit)),
        unit,
        window,
        notes.why(counted),
        (*about, *notes.about_sign(result, counted, unit)),
        result.measure,
        result.provenance,
    )


def _measured_in_returns(rerun: Rerun) -> Rerun:
    """Return the study; raise InputError if what it measures is no share of a value."""
    choices = rerun.choices
    if choices.outcome != "return":
        raise InputError(f"outcome is {choices.outcome!r}; money is lost by returns, so run the study of 'return'")
    if choices.returns != "simple":
        raise InputError(
            f"returns are {choices.returns!r}; the value times a log return is no amount of money, so take 'simple'"
        )
    return rerun


def _of_window(result: ResultFrames, window: Window) -> pd.DataFrame:
    """Return every event with its CAR over a window."""
    column = result.measure.column
    cars = in_window(result.cars, window).set_index("event_id")
    cars = cars[[column, "se", "df"]].reindex(result.events.index)
    frame = result.events[["ticker", "session"]].assign(firm="", start=window[0], end=window[1])
    return frame.join(cars).assign(status=result.events["status"], reason=result.events["reason"])


def _sessions(sample: StudySample, day: int) -> Dates:
    """Return the date of a relative day of every placed event, on the sessions of its exchange, (n,)."""
    placed = sample.placed
    number = np.empty(len(placed.day), dtype=np.int64)
    for at, panel in enumerate(sample.panels):
        rows = placed.panel == at
        number[rows] = panel.sessions[placed.day[rows] + day]
    return sample.event_table.dates_of(number)


def _with_values(
    frame: pd.DataFrame, ids: pd.Index, found: worth.Values, rate: Floats, measure: Measure
) -> pd.DataFrame:
    """Add the values of the placed events, and the status of used ones without a CAR or a value."""
    known, column = np.isfinite(found.value), measure.column
    columns = {
        "value": found.value * rate, "valued_on": pd.DatetimeIndex(found.valued_on).where(known),
        "rate": np.where(known, rate, np.nan),
    }  # fmt: skip
    for name, values in columns.items():
        frame[name] = pd.Series(values, ids).reindex(frame.index)
    half = margin(frame["se"].to_numpy(float), frame["df"].to_numpy(float)) * (1.0 if measure.has_p else np.nan)
    frame["abnormal_value"] = frame[column] * frame["value"]
    frame["lower"], frame["upper"] = ((frame[column] + side * half) * frame["value"] for side in (-1.0, 1.0))
    used = frame["status"] == "ok"
    reasons = pd.Series(found.reason, ids).reindex(frame.index)
    no_value, no_car = used & frame["value"].isna(), used & frame[column].isna()
    frame.loc[no_value, "reason"], frame.loc[no_value, "status"] = reasons[no_value], "no_value"
    frame.loc[no_car, "reason"], frame.loc[no_car, "status"] = "days of the window are missing", "no_car"
    names = ["ticker", "firm", "session", "start", "end", column, "se", "value", "valued_on", "rate", "abnormal_value"]
    return frame[[*names, "lower", "upper", "status", "reason", "df"]]


def _counted(frame: pd.DataFrame, ids: pd.Index, sample: StudySample, column: str) -> Counted:
    """Return the events of the sums."""
    row = np.flatnonzero(frame["status"].reindex(ids) == "ok")
    each = frame.loc[ids[row]]
    car, dof, value = (each[name].to_numpy(dtype=np.float64) for name in (column, "df", "value"))
    return Counted(ids[row], row, car, dof, value, each["firm"].to_numpy(dtype=object), sample.placed.cluster[row])


def _mark_listings(frame: pd.DataFrame, placed: pd.DataFrame, sample: StudySample, ids: pd.Index) -> list[str]:
    """Give the other listings of a firm their status, and return a note on them."""
    link = sample.placed.link
    news = np.arange(len(ids)) if link is None else link
    rows = np.flatnonzero(frame["status"].reindex(ids) == "ok")
    others = worth.other_listings(placed, frame["firm"].reindex(ids).to_numpy(object), news, rows)
    for at, first in others.items():
        frame.loc[ids[at], ["status", "reason"]] = ["other_listing", f"the firm is counted once, by {ids[first]}"]
    rule = "of the lowest priority" if "priority" in placed else "that the events name first"
    return [
        f"{formats.plural(len(others), 'event')} of a second listing of a firm are not in the sums: the value of a firm"
        f" is lost once, and counted by the listing {rule}."
    ] * bool(others)


def _groups(rerun: Rerun, counted: Counted, group: str | None) -> dict[str, Bools]:
    """Return the counted events of each group as masks (n,)."""
    name = rerun.choices.group if group is None else group
    if name is None:
        return {}
    if arguments.text("group", name, "a column of the events") not in rerun.events.columns:
        raise one_of("group", name, rerun.events.columns)
    labels = labels_of(rerun.events.loc[counted.ids, name])
    return {str(value): labels.codes == at for at, value in enumerate(labels.values)}


def _reactions(
    result: ResultFrames, rerun: Rerun, sample: StudySample, counted: Counted, chosen: tuple[str, str | None, str]
) -> pd.DataFrame:
    """Return what the moves of the event's session were worth, from the close before it."""
    value, shares, currency = chosen
    found = worth.values_before(
        rerun.events.loc[counted.ids], rerun.prices, _sessions(sample, -1)[counted.row], value, shares
    )
    amount = pd.Series(found.value * worth.rates(found, rerun.prices, currency), counted.ids)
    moves = result.reactions.reindex(counted.ids)
    frame = moves[["ticker", "session"]].assign(value=amount)
    for field in FIELDS:
        frame[field] = moves[field] * amount
    day = result.ar[0].reindex(counted.ids) if 0 in result.ar.columns else pd.Series(np.nan, counted.ids)
    return frame.assign(abnormal=day * amount)
