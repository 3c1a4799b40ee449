"""Read events (ticker and time of announcement) from a file or a data frame, and reject ambiguous rows.

A row names one or several tickers and the time of the announcement: a time stamp with its offset, a naive time stamp
with a ``timezone``, or a date, with the ``phase`` of that day if it is known. Rows that cannot be read raise one error
that lists them, their values and valid alternatives; nothing is guessed and no row is dropped.
"""

from __future__ import annotations

import csv
import difflib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.display.inputs import events_card
from eventstudy.errors import InputError, one_of, shown
from eventstudy.markets import TICKER, check_ticker
from eventstudy.prepare.bounds import BOUNDS, read_bounds
from eventstudy.prepare.excel import read_sheet
from eventstudy.prepare.phases import read_phases
from eventstudy.prepare.stamps import Problems, as_texts, is_missing, read_times

REQUIRED = ("ticker", "announced")
# Names of the columns that a result adds to those of the events.
RESERVED = ("session", "placement", "status", "reason", "n_estimation", "alpha", "sigma", "r2", "stamp", "date")
DERIVED = {"stamp": "datetime64[ns, UTC]", "date": "datetime64[ns]"}
OPTIONAL = ("event_id", "timezone", "phase", "not_before", "not_after", "cluster", "firm", "priority")
TEXT_COLUMNS = ("event_id", "ticker", "announced", "timezone", "phase", "not_before", "not_after", "cluster")
# Other names that files have for the columns that are required.
KNOWN_AS = {
    "ticker": ("symbol", "ric", "permno", "code", "stock", "security"),
    "announced": ("date", "datetime", "time", "timestamp", "when", "event_date", "anndats", "rdq"),
}
SUFFIXES = (".csv", ".parquet", ".xlsx")
OTHER_MARKS = (";", "\t", "|")  # between the cells of files that are not CSV
SHOWN = 5
LONGEST_LINE = 500
# At most 15 digits before the point and no leading zero, so that identifiers keep all their digits.
NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d{0,14})(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)


@dataclass(frozen=True, repr=False, eq=False)
class Events:
    """Validated events: one row per event and ticker.

    Create them by :meth:`from_frame`, :func:`read_events` or :func:`eventstudy.catalogue`.

    Attributes
    ----------
    frame : DataFrame
        Index ``event_id`` (unique text). Columns: ``ticker``; ``announced``, the original time in canonical ISO 8601;
        ``stamp`` (datetime64[ns, UTC]), NaT if only the date is known; ``date`` (datetime64[ns], no zone), the local
        date, in the original offset or zone; ``cluster``, the event that several tickers share; then all further
        columns, unchanged.

    Examples
    --------
    >>> import pandas as pd
    >>> Events.from_frame(pd.DataFrame({"ticker": ["BABA"], "announced": ["2020-11-03 20:40+08:00"]}))
    Events(1 event, 1 ticker: BABA, 2020-11-03 to 2020-11-03)
    """

    frame: pd.DataFrame

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """Validate the events of a data frame.

        Parameters
        ----------
        frame : DataFrame
            ``ticker``: one, or several separated by ``;``, each of which becomes a separate event with the id
            ``<event_id>:<TICKER>`` and the same ``cluster``. ``announced``: text in ISO 8601, dates, or datetimes; a
            column whose times are all at midnight is read as dates. ``event_id`` (column or index) is generated if
            absent: E0001 and so on. ``timezone`` (IANA name) is required for times without offset. ``phase`` says when
            on a date the news came, at the security's own exchange: ``before_open``, ``session`` or ``after_close``, or
            a vendor's code (BMO, DMH, AMC). ``not_before`` and ``not_after``, times written as in ``announced``, are
            bounds between which the news came. ``cluster``, if present and not empty, replaces the event's id as the
            name of its cluster. ``priority``, a number, says which of several events of a ticker in one session is
            counted: the lowest. Further columns are kept. Rows of another ``Events.frame`` are accepted, so that
            ``Events.from_frame(events.frame[events.frame["sector"] == "gaming"])`` takes a part of the events.

        Raises
        ------
        InputError
            If a column is missing or has a name of the results, there are no rows, an id repeats, or rows cannot be
            read; the message then lists up to five of them and their number.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"event_id": ["ANT"], "ticker": ["9988.HK;BABA"], "announced": ["2020-11-03"]})
        >>> list(Events.from_frame(frame).frame.index)
        ['ANT:9988.HK', 'ANT:BABA']
        """
        table = _check_columns(frame)
        has_ids = "event_id" in table
        ids, problems = _event_ids(table)
        tickers, bad_tickers = _split_tickers(table["ticker"])
        times, bad_times = read_times(table)
        problems += bad_tickers + bad_times + _bad_priorities(table) + _too_large(table)
        if "phase" in table:
            table["phase"], bad_phases = read_phases(table)
            problems += bad_phases
        if not problems and {*BOUNDS} & {*table.columns}:
            bounds, problems = read_bounds(table, times)
            table = table.assign(**bounds)
        _raise_problems(problems, ids if has_ids else None, len(table))
        _check_unique(ids)
        return cls(_assemble(table, ids, tickers, times))

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        tickers = self.frame["ticker"].unique()
        some = ", ".join(tickers[:SHOWN]) + (", ..." if len(tickers) > SHOWN else "")
        dates = self.frame["date"]
        return (
            f"Events({_count(len(self), 'event')}, {_count(len(tickers), 'ticker')}: {some},"
            f" {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d})"
        )

    def _repr_html_(self) -> str:
        return events_card(self.frame).as_html()


def read_events(path: str | Path) -> Events:
    r"""Read events from a file and validate them.

    Parameters
    ----------
    path : str or Path
        ``.csv`` (UTF-8, comma, a header line), ``.parquet`` or ``.xlsx``, with the columns of
        :meth:`Events.from_frame`. Cells of a CSV file are text: ``NA`` is a ticker. A further column is converted to
        numbers if all its cells that are not empty are decimal numbers without leading zeros. Cells of a workbook keep
        their types: a ticker is text, and a time is a date, a date with a time, or text. Its only sheet is read, or the
        one named ``events``.

    Raises
    ------
    InputError
        If the file does not exist, has another suffix or cannot be read, its events are not valid, or ``.xlsx`` is read
        without openpyxl (``pip install ".[excel]"``).

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "events.csv"
    ...     _ = file.write_text("ticker,announced\nBABA,2021-09-13\n")
    ...     read_events(file)
    Events(1 event, 1 ticker: BABA, 2021-09-13 to 2021-09-13)
    """
    file = Path(arguments.path("path", path))
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise one_of("the suffix of the events file", file.suffix, SUFFIXES)
    if not arguments.is_file(file):
        raise InputError(f"there is no events file {shown(str(file))}; check the path")
    if suffix == ".xlsx":
        return Events.from_frame(read_sheet(file, TEXT_COLUMNS))
    try:
        frame = _read_csv(file) if suffix == ".csv" else _read_parquet(file)
    except UnicodeDecodeError as error:
        raise InputError(f"the events file {str(file)!r} is not UTF-8 ({error}); save it as CSV in UTF-8") from error
    except Exception as error:  # damaged Parquet raises errors of pyarrow, pandas and json
        raise InputError(f"the events file {str(file)!r} cannot be read: {error}") from error
    return Events.from_frame(frame)


def _read_parquet(file: Path) -> pd.DataFrame:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(file)
    table.validate(full=True)  # texts are decoded later, where an error would be taken for one of a cell
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _read_csv(file: Path) -> pd.DataFrame:
    """Read a CSV file as text; pandas would shift or fill rows whose length differs from the header's."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        header = next(reader, [])
        if len(header) == 1 and (marks := [mark for mark in OTHER_MARKS if mark in header[0]]):
            raise csv.Error(
                f"its header has one cell, {shown(header[0])}; separate cells by commas, not by {marks[0]!r}"
            )
        rows = []
        for row in filter(None, reader):
            if len(row) != len(header):
                raise csv.Error(
                    f"line {reader.line_num} has {_count(len(row), 'cell')} and the header {len(header)};"
                    " put a cell that holds a comma in double quotes"
                )
            rows.append(row)
    table = pd.DataFrame(rows, columns=header)
    parsed: pd.DataFrame = table.apply(lambda cells: cells if cells.name in TEXT_COLUMNS else _parse_numbers(cells))
    return parsed


def _parse_numbers(cells: pd.Series) -> pd.Series:
    """Convert a column of text to numbers if all cells that are not empty are numbers."""
    stripped = [cell.strip() for cell in cells]
    if not any(stripped) or not all(NUMBER.fullmatch(cell) for cell in stripped if cell):
        return cells
    return pd.to_numeric(pd.Series([cell or None for cell in stripped], index=cells.index))


def _check_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows numbered from 0, with the id as a column; raise if the columns are not valid."""
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"events are of type {type(frame).__name__}; a pandas DataFrame is needed")
    if frame.columns.nlevels > 1:
        raise InputError(
            f"the events have columns of {frame.columns.nlevels} levels, as {frame.columns[0]}; give each one name,"
            " as in frame.columns = frame.columns.get_level_values(0)"
        )
    table = frame.reset_index(drop="event_id" in frame.columns or frame.index.name != "event_id")
    if {*DERIVED} <= {*table.columns} and all(table[name].dtype == dtype for name, dtype in DERIVED.items()):
        table = table.drop(columns=[*DERIVED])  # rows of an Events.frame, which are derived from ``announced``
    columns = ", ".join(map(repr, table.columns)) or "none"
    if table.columns.has_duplicates:
        repeated = sorted({str(c) for c in table.columns[table.columns.duplicated()]})
        raise InputError(f"the events have the columns {', '.join(repeated)} more than once; keep each once")
    absent = [name for name in REQUIRED if name not in table.columns]
    if absent:
        hints = [f"; did you mean {found!r}? rename it to {name}" for name in absent for found in _near(name, table)]
        raise InputError(
            f"the events have no column {' and no column '.join(absent)}; the columns found are {columns}"
            f"{''.join(hints)}; ticker and announced are needed, {', '.join(OPTIONAL)} are optional"
        )
    reserved = [name for name in RESERVED if name in table.columns]
    if reserved:
        raise InputError(f"the events' columns {', '.join(reserved)} have names of the results; rename them")
    if table.empty:
        raise InputError("the events have no rows; give at least one event")
    return table


def _near(name: str, table: pd.DataFrame) -> list[str]:
    """Return the column, if any, that is probably meant by a required name."""
    columns = {str(column).strip().lower().replace(" ", "_"): str(column) for column in table.columns}
    known = [column for column in KNOWN_AS[name] if column in columns]
    return [columns[found] for found in [*difflib.get_close_matches(name, columns, 1), *known][:1]]


def _bad_priorities(table: pd.DataFrame) -> Problems:
    """Return the rows whose ``priority`` is neither empty nor a number."""
    if "priority" not in table or table["priority"].dtype.kind in "if":
        return []
    return [
        (row, f"priority {cell!r} is not a number; give one, the lowest first, or leave it empty")
        for row, cell in enumerate(table["priority"].tolist())
        if not is_missing(cell) and not _is_number(cell)
    ]


def _too_large(table: pd.DataFrame) -> Problems:
    """Return the rows with a whole number that no floating-point number can hold."""
    mixed = (name for name in table.columns if table[name].dtype == object)
    return [
        (row, f"{name} {shown(cell)} is too large; give a number up to 1.8e308")
        for name in mixed
        if "integer" in pd.api.types.infer_dtype(table[name], skipna=True)
        for row, cell in enumerate(table[name].tolist())
        if isinstance(cell, int) and abs(cell) > sys.float_info.max
    ]


def _is_number(cell: object) -> bool:
    """Return whether a cell is a number, or text that is one or blank."""
    if isinstance(cell, str):
        return not cell.strip() or NUMBER.fullmatch(cell.strip()) is not None
    return isinstance(cell, Real) and not isinstance(cell, bool | np.bool_)


def _event_ids(table: pd.DataFrame) -> tuple[list[str], Problems]:
    if "event_id" not in table:
        width = max(4, len(str(len(table))))
        return [f"E{row:0{width}}" for row in range(1, len(table) + 1)], []
    ids = as_texts(table["event_id"])
    reason = "event_id is empty; name every event, or leave the column out"
    return ids, [(row, reason) for row, event in enumerate(ids) if not event]


def _split_tickers(column: pd.Series) -> tuple[list[tuple[str, ...]], Problems]:
    """Return the tickers of each row, and the rows whose tickers are not valid."""
    read = cache(_read_tickers)  # many events share a ticker
    rows: list[tuple[str, ...]] = []
    problems: Problems = []
    for row, cell in enumerate(column.tolist()):
        if not isinstance(cell, str):
            problems.append((row, _ticker_problem(cell)))
            continue
        try:
            rows.append(read(cell))
        except InputError as error:
            problems.append((row, str(error)))
    return rows, problems


def _ticker_problem(cell: object) -> str:
    """Return the reason why a cell that is not text is not a ticker."""
    if is_missing(cell):
        return "ticker is empty; name one, as in BABA"
    kind = f"ticker {shown(cell)} is {type(cell).__name__}, not text"
    return f"{kind}; write it as text, with its zeros and its exchange, as in 0700.HK, or exactly as the prices name it"


def _read_tickers(cell: str) -> tuple[str, ...]:
    tickers = tuple(_read_ticker(part.strip()) for part in cell.split(";"))
    for ticker in tickers:
        if tickers.count(ticker) > 1:
            raise InputError(f"ticker {cell!r} names {ticker} twice; name it once")
    return tickers


def _read_ticker(ticker: str) -> str:
    if not ticker:
        raise InputError("ticker is empty; name one, as in BABA, or several, as in 9988.HK;BABA")
    if ticker != ticker.upper() and TICKER.fullmatch(ticker.upper()):
        raise InputError(f"ticker {ticker!r} is not in capitals; write {ticker.upper()}")
    return check_ticker(ticker)


def _raise_problems(problems: Problems, ids: Sequence[str] | None, n: int) -> None:
    """Raise one error for all rows that cannot be read."""
    if not problems:
        return
    reasons: dict[int, list[str]] = {}
    for row, reason in problems:
        reasons.setdefault(int(row), []).append(reason)
    lines = [f"{len(reasons)} of {_count(n, 'row')} of the events cannot be read:"]
    for row in sorted(reasons)[:SHOWN]:
        label = f"event {ids[row]!r} (row {row + 1})" if ids is not None else f"row {row + 1}"
        lines.append(f"  {label}: {'; '.join(reasons[row])}"[:LONGEST_LINE])
    if len(reasons) > SHOWN:
        lines.append(f"  and {len(reasons) - SHOWN} more")
    raise InputError("\n".join(lines))


def _check_unique(ids: list[str]) -> None:
    """Raise if an id repeats."""
    index = pd.Index(ids)
    if index.is_unique:
        return
    repeated = list(index[index.duplicated()].unique())
    some = ", ".join(map(shown, repeated[:SHOWN])) + (", ..." if len(repeated) > SHOWN else "")
    raise InputError(
        f"{_count(len(repeated), 'event_id')} repeated: {some}; give every event a unique id, or leave out the column"
        " event_id"
    )


def _assemble(table: pd.DataFrame, ids: list[str], tickers: list[tuple[str, ...]], times: pd.DataFrame) -> pd.DataFrame:
    """Return the columns in order, with one row per event and ticker."""
    clusters = as_texts(table["cluster"]) if "cluster" in table else [""] * len(ids)
    cluster_names = [cluster or event for cluster, event in zip(clusters, ids, strict=True)]
    further = table.drop(columns=["event_id", "ticker", "announced", "cluster"], errors="ignore")
    rows = np.repeat(np.arange(len(ids)), [len(t) for t in tickers])
    assembled = pd.concat([times, pd.DataFrame({"cluster": cluster_names}), further], axis=1).iloc[rows]
    assembled.insert(0, "ticker", [ticker for row in tickers for ticker in row])
    names = [
        event if len(row) == 1 else f"{event}:{ticker}"
        for event, row in zip(ids, tickers, strict=True)
        for ticker in row
    ]
    _check_unique(names)
    return assembled.set_axis(pd.Index(names, name="event_id"), axis=0)


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"
