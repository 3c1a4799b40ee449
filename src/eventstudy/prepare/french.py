r"""Read the factors of Kenneth French's data library, and reject files that may not be of that library.

A file of the library consists of a text, a table, often more tables, and a copyright. The first table is read, and the
captions of the others are reported. Plain extracts, with a header of ``Date`` and names, ISO dates and per cent, are
read as well.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd

from eventstudy.errors import InputError, one_of, shown
from eventstudy.prepare.factors import PERCENT_CODES
from eventstudy.prepare.spacing import frequency
from eventstudy.types import Dates, Floats

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
DAY, MONTH, ISO = (re.compile(p, re.ASCII) for p in (r"\d{8}", r"\d{6}", r"\d{4}-\d{2}-\d{2}"))
VINTAGE = re.compile(r"using the (\d{6})\b", re.ASCII)
# The median absolute value of daily factors in per cent is at least 0.2, of monthly factors in decimals at most 0.03.
SMALL, ENOUGH = 0.05, 20
YEARS = (1700, 2199)
RATES = ("RF",)
Row = tuple[int, list[str]]


class Metadata(TypedDict):
    """Origin and content of a factor file, as in ``DataFrame.attrs["source"]`` (:func:`read_french`)."""

    name: str
    vintage: str | None
    frequency: str | None
    columns: list[str]
    rows: int
    first: str
    last: str
    missing: dict[str, int]
    not_read: list[str]
    sha256: str


@dataclass(frozen=True)
class _Table:
    """A file's first table in decimals, NaN where missing, and its metadata for ``DataFrame.attrs``."""

    dates: Dates
    columns: dict[str, Floats]
    metadata: Metadata


def read_french(*paths: str | Path) -> pd.DataFrame:
    r"""Read factors from files of Kenneth French's data library, for ``Study.run(factors=...)``.

    Parameters
    ----------
    *paths : str or Path
        One or several files, ``.zip`` or ``.csv`` as published, or plain extracts: a header ``Date,Mkt-RF,...``, ISO
        dates, per cent. Several files are joined by date. A date that is missing from one file is kept, with NaN in the
        columns of that file, so that no model loses days because of a column that it does not use. A column of two
        files must have the same values in both: SMB of the three factors is not SMB of the five.

    Returns
    -------
    DataFrame
        Decimal returns, dates (increasing, unique) by names. A month is dated at its last calendar day. -99.99 and
        -999 are NaN. ``attrs["source"]`` has for each file its name, vintage (the month of the database, None if the
        file does not state it), frequency, columns, number of rows, first and last date, number of missing values by
        column, the captions of tables that were not read, and the SHA-256 of the file.

    Raises
    ------
    InputError
        If a file is not of the library, is damaged, has a row other than a date and numbers, is in decimals, or
        disagrees with the others: another frequency, or other values in the same column.

    Notes
    -----
    The library is revised: every vintage changes some returns in all years, so keep the files used in a study.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "F-F_Momentum_Factor_daily.csv"
    ...     _ = file.write_text("Created using the 202604 CRSP database.\n\n,Mom   \n20221229,-2.80\n20221230,-99.99\n")
    ...     factors = read_french(file)
    >>> factors
                  Mom
    date
    2022-12-29 -0.028
    2022-12-30    NaN
    >>> factors.attrs["source"][0]["vintage"], factors.attrs["source"][0]["missing"]
    ('202604', {'Mom': 1})
    """
    if not paths or not all(isinstance(path, str | Path) for path in paths):
        raise InputError(
            f"the paths of read_french are {shown(paths)}; name files: read_french('ff5.zip', 'momentum.zip')"
        )
    tables = [_read(Path(path)) for path in paths]
    frame = _join(tables)
    frame.attrs["source"] = [table.metadata for table in tables]
    return frame


def _read(path: Path) -> _Table:
    """Read one file."""
    rows, sha256 = _lines(path)
    head = _header(path, rows)
    end = _end(path, rows, head)
    names, body = _names(path, rows[head]), rows[head + 1 : end]
    dates = _dates(path, body)
    percent = np.array([_numbers(path, row, names) for row in body])
    missing = np.isnan(percent) | np.isin(percent, PERCENT_CODES)
    percent[missing] = np.nan
    _check_percent(path, percent[:, [name.upper() not in RATES for name in names]])
    vintage = VINTAGE.search(" ".join(cell for _, cells in rows[:head] for cell in cells))
    captions = [cells[0] for _, cells in rows[end:] if cells[0] and _is_text(cells)]
    metadata: Metadata = {
        "name": path.name,
        "vintage": vintage[1] if vintage else None,
        "frequency": frequency(dates),
        "columns": names,
        "rows": len(body),
        "first": str(dates[0]),
        "last": str(dates[-1]),
        "missing": dict(zip(names, missing.sum(axis=0).tolist(), strict=True)),
        "not_read": [text for text in captions if not text.lower().startswith("copyright")],
        "sha256": sha256,
    }
    return _Table(dates, dict(zip(names, percent.T / 100.0, strict=True)), metadata)


def _lines(path: Path) -> tuple[list[Row], str]:
    """Return the numbered lines of a file that are not empty, split into cells, and the SHA-256 of the file."""
    if path.suffix.lower() not in (".zip", ".csv"):
        raise one_of("the suffix of the factor file", path.suffix, [".zip", ".csv"])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"the factor file {str(path)!r} cannot be read: {error.strerror}; check the path") from None
    raw = _unzip(path.name, content) if path.suffix.lower() == ".zip" else content
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:  # the library encodes characters outside ASCII in Latin-1
        text = raw.decode("latin-1")
    lines = enumerate(re.split(r"\r\n|\r|\n", text), start=1)
    rows = [(at, [cell.strip(' \t"') for cell in line.split(",")]) for at, line in lines]
    return [row for row in rows if any(row[1])], hashlib.sha256(content).hexdigest()


def _unzip(name: str, content: bytes) -> bytes:
    """Return the content of the one CSV file of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [member for member in archive.namelist() if not member.endswith("/")]
            members = [member for member in names if member.lower().endswith(".csv")]
            if len(members) != 1:
                raise InputError(
                    f"{name} holds {', '.join(names) or 'nothing'}; a file of the library holds one CSV file: download"
                    " its CSV version, or unpack it and name the CSV file that you want"
                )
            return archive.read(members[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise InputError(f"{name} is not a complete zip file: {error}; download it again") from None


def _is_date(cell: str) -> bool:
    return any(pattern.fullmatch(cell) for pattern in (DAY, MONTH, ISO))


def _is_text(cells: Sequence[str]) -> bool:
    """Return whether a line is a caption, copyright or header; a row, even if damaged, has a digit first or numbers.

    >>> _is_text(["Annual Factors: January-December"]), _is_text(["", "Mkt-RF"]), _is_text(["", "0.12"])
    (True, True, False)
    """
    return not cells[0][:1].isdigit() and not any(map(NUMBER.fullmatch, cells[1:]))


def _header(path: Path, rows: Sequence[Row]) -> int:
    """Return the index of the header: the first line of names followed by a line that begins with a date."""
    for at, ((_, cells), (_, below)) in enumerate(pairwise(rows)):
        if cells[0].lower() in ("", "date") and _is_text(cells) and _is_date(below[0]):
            return at
    raise InputError(
        f"{path.name} is not a file of Kenneth French's library: it has no line such as ',Mkt-RF,SMB,HML,RF' over rows"
        " that begin with YYYYMMDD, YYYYMM or YYYY-MM-DD; download the CSV version"
    )


def _end(path: Path, rows: Sequence[Row], head: int) -> int:
    """Return the index of the end of the table; raise if a text is followed by more rows without a header."""
    end = next((at for at in range(head + 1, len(rows)) if _is_text(rows[at][1])), len(rows))
    if end + 1 < len(rows) and rows[end][1][0] and _is_date(rows[end + 1][1][0]):
        at, cells = rows[end]
        raise InputError(f"{path.name}, line {at}: {cells[0]!r} stands between rows of the table; remove the line")
    return end


def _names(path: Path, row: Row) -> list[str]:
    """Return the names of the columns; a line of the library may end in commas."""
    at, cells = row
    names = cells[1:]
    while names and not names[-1]:
        names.pop()
    if not names or "" in names or len(set(names)) < len(names):
        raise InputError(f"{path.name}, line {at}: the names {names} are empty or repeat; is the file complete?")
    return names


def _month_end(month: np.datetime64) -> np.datetime64:
    next_month: np.datetime64 = (month + np.timedelta64(1, "M")).astype("datetime64[D]")
    return next_month - np.timedelta64(1, "D")


def _dates(path: Path, body: Sequence[Row]) -> Dates:
    """Read the dates of a table, all in the same format; a month is dated at its last calendar day."""
    pattern = next(p for p in (DAY, MONTH, ISO) if p.fullmatch(body[0][1][0]))
    days = []
    for at, cells in body:
        cell = cells[0]
        text = cell if pattern is ISO else "-".join(filter(None, (cell[:4], cell[4:6], cell[6:])))
        try:
            if not pattern.fullmatch(cell):
                raise ValueError
            month_or_day = np.datetime64(text)
            if not YEARS[0] <= int(text[:4]) <= YEARS[1]:
                raise ValueError
        except ValueError:
            raise InputError(
                f"{path.name}, line {at}: {cell!r} is not a date in the format of the first row, {body[0][1][0]!r};"
                " is the file complete?"
            ) from None
        days.append(_month_end(month_or_day) if pattern is MONTH else month_or_day)
    dates = np.array(days, dtype="datetime64[D]")
    back = np.flatnonzero(dates[1:] <= dates[:-1])
    if len(back):
        at, cells = body[back[0] + 1]
        raise InputError(
            f"{path.name}, line {at}: {cells[0]} comes after {body[back[0]][1][0]}; dates must increase, one row each"
        )
    return dates


def _numbers(path: Path, row: Row, names: Sequence[str]) -> list[float]:
    """Read a row's numbers in per cent; an empty cell is NaN."""
    at, cells = row
    values, rest = cells[1 : len(names) + 1], cells[len(names) + 1 :]
    if len(values) < len(names) or any(rest):
        raise InputError(
            f"{path.name}, line {at}: {cells} does not have one value for each of {names}; is the file complete?"
        )
    for name, cell in zip(names, values, strict=True):
        if cell and not NUMBER.fullmatch(cell):
            raise InputError(f"{path.name}, line {at}: {name} of {cells[0]} is {cell!r}, which is not a number")
    return [float(cell) if cell else np.nan for cell in values]


def _check_percent(path: Path, values: Floats) -> None:
    """Raise if returns are too small for per cent; no later check would show it, because loadings absorb any scale."""
    sizes = np.abs(values[np.isfinite(values)])
    if len(sizes) >= ENOUGH and np.median(sizes) < SMALL:
        raise InputError(
            f"{path.name}: the median absolute return is {np.median(sizes):.2g}, too small for per cent, the unit of"
            " the library; if the returns are decimals, pass them as a DataFrame to Study.run(factors=...)"
        )


def _join(tables: Sequence[_Table]) -> pd.DataFrame:
    """Join the tables by date; a column of several tables takes each value from a table that has the date."""
    kinds = {table.metadata["frequency"]: table.metadata["name"] for table in tables if table.metadata["frequency"]}
    if len(kinds) > 1:
        frequencies = ", ".join(f"{name} is {kind}" for kind, name in kinds.items())
        raise InputError(f"the files have different frequencies: {frequencies}; read each frequency separately")
    dates = np.unique(np.concatenate([table.dates for table in tables]))
    columns: dict[str, Floats] = {}
    file_of: dict[str, str] = {}
    for table in tables:
        at = np.searchsorted(dates, table.dates)
        for name, values in table.columns.items():
            column = np.full(len(dates), np.nan)
            column[at] = values
            known = columns.get(name, column)
            differences = np.flatnonzero((known != column) & np.isfinite(known) & np.isfinite(column))
            if len(differences):
                day = differences[0]
                raise InputError(
                    f"{name} of {dates[day]} is {100 * known[day]:.6g} per cent in {file_of[name]} and"
                    f" {100 * column[day]:.6g} in {table.metadata['name']}, and {len(differences):,} dates differ in"
                    " all; they are different factors or vintages: read one of the files, or each separately"
                )
            columns[name] = np.where(np.isfinite(known), known, column)
            file_of.setdefault(name, table.metadata["name"])
    index = pd.DatetimeIndex(dates, name="date").as_unit("ns")
    return pd.DataFrame(columns, index=index)
