"""CSV: the events with their CARs, or BHARs, in one file; every other table of the result in a file beside it."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from datetime import date
from numbers import Integral, Real
from pathlib import Path

import pandas as pd

from eventstudy.display import formats
from eventstudy.reports import _files
from eventstudy.result import Result

EVENT = {"event_id", "ticker", "session"}
# Columns by which each table is recognised; that of abnormal returns has event_id and the days.
COLUMNS = (
    {*EVENT, "announced", "status", "reason"}, {*EVENT, "open", "high", "low", "close"}, {"day", "n", "aar", "caar"},
    {"group", "start", "end", "test", "statistic", "p"},
)  # fmt: skip
FORMULA_STARTS = frozenset("=+-@")
BLANKS = ("Z", "C")  # Unicode categories of blanks, line ends, and characters without a width


def cell(value: object) -> str:
    r"""Return the text of one cell, with all digits, that no spreadsheet takes for a formula.

    Examples
    --------
    >>> cell('=HYPERLINK("x")'), cell(-0.1), cell(pd.Timestamp("2021-09-13")), cell(float("nan"))
    ('\'=HYPERLINK("x")', '-0.1', '2021-09-13', '')
    """
    if formats.is_missing(value):
        return ""
    if isinstance(value, Integral):
        return str(value)
    if isinstance(value, Real):
        return repr(float(value))
    if isinstance(value, pd.Timestamp) and value == value.normalize() and value.tzinfo is None:
        return f"{value:%Y-%m-%d}"
    text = value.isoformat() if isinstance(value, date) else str(value)
    return "'" + text if _is_formula(text) else text


def _is_formula(text: str) -> bool:
    """Return whether a spreadsheet may take a text for a formula; blanks may precede it, its sign be full-width."""
    first = next((sign for sign in text if not unicodedata.category(sign).startswith(BLANKS)), "")
    return unicodedata.normalize("NFKC", first)[:1] in FORMULA_STARTS or text[:1] in ("\t", "\r", "\n")


def _to_csv(frame: pd.DataFrame, note: str) -> str:
    """Return a frame as CSV; a note on the prices is added as a column, named by the note and ``yes`` in each row."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow([cell(name) for name in frame.columns] + ([cell(note)] if note else []))
    for row in zip(*(frame[name] for name in frame.columns), strict=True):
        writer.writerow([cell(value) for value in row] + (["yes"] if note else []))
    return target.getvalue()


class Csv:
    """The result as CSV files (RFC 4180): UTF-8, ISO dates, floats with all their digits."""

    def render(self, result: Result, path: str | Path) -> None:
        """Write ``x.csv``; beside it ``x_tests.csv`` and every other table: ``_reactions``, ``_daily`` and so on.

        Parameters
        ----------
        result : Result
        path : path ending in ``.csv``
            This file has one row per event and window: the columns of ``Result.cars``, and ticker, announced, session,
            status and reason of the event; an event without a CAR has one row. Returns are decimals. Text that a
            spreadsheet would take for a formula (it begins with ``= + - @`` in any width, blanks aside, or with a tab
            or line end) is preceded by an apostrophe.
        """
        target = Path(path)
        note = formats.prices_note(result)
        events = result.events.rename_axis("event_id").reset_index()
        labels = events[["event_id", "ticker", "announced", "session", "status", "reason"]]
        cars = labels.merge(result.cars, on="event_id", how="left", sort=False)
        tables = {
            "": cars.astype(dict.fromkeys(("start", "end", "n_days"), "Int64")),  # whole where an event has no CAR, too
            "_tests": result.tests,
            "_reactions": result.reactions.rename_axis("event_id").reset_index(),
            "_daily": result.daily.rename_axis("day").reset_index(),
            "_by_group": result.by_group,
            "_ar": result.ar.rename_axis("event_id").reset_index(),
            "_events": events,
            "_attrition": result.attrition,
        }
        for suffix, frame in tables.items():
            _files.write(target.with_name(target.stem + suffix + target.suffix), _to_csv(frame, note))

    def wrote(self, path: Path) -> bool:
        """Return whether the header of a file is that of one of the tables."""
        try:
            header = next(csv.reader(_files.head(path, 2**16).splitlines()), [])
        except csv.Error:
            return False
        days = [name for name in header[1:] if re.fullmatch(r"'?-?\d+", name)]
        is_ar = header[:1] == ["event_id"] and len(days) >= max(1, len(header) - 2)  # the last may be the note
        return is_ar or header[:2] == ["reason", "n"] or any(columns <= set(header) for columns in COLUMNS)


REPORT = Csv()
