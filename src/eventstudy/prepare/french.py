r"""Read the factors of Kenneth French's data library, and refuse what is not certain to be them.

A file of the library is a text, a table, often more tables, and a copyright. The first table is read and the captions
of the others are named. A plain extract, ``Date`` and names over ISO dates and per cent, is read too.
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
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.errors import InputError, one_of
from eventstudy.types import Dates, Floats

MISSING = (-99.99, -999.0)  # per cent, as the library writes what it does not have
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
DAY, MONTH, ISO = (re.compile(p, re.ASCII) for p in (r"\d{8}", r"\d{6}", r"\d{4}-\d{2}-\d{2}"))
VINTAGE = re.compile(r"using the (\d{6})\b", re.ASCII)
# The median size of daily factors is a fifth of a per cent or more, that of monthly ones in decimals 0.03 or less.
SMALL, ENOUGH = 0.05, 20
RATES = ("RF",)
FREQUENCIES = {"daily": 4, "weekly": 15, "monthly": 45}  # and the median days between rows that they stay below
Row = tuple[int, list[str]]


@dataclass(frozen=True)
class _Table:
    """A file's first table in decimals, NaN where missing, and what ``DataFrame.attrs`` says of it."""

    dates: Dates
    columns: dict[str, Floats]
    story: dict[str, Any]


def read_french(*paths: str | Path) -> pd.DataFrame:
    r"""Read factors from files of Kenneth French's data library, for ``Study.run(factors=...)``.

    Parameters
    ----------
    *paths : str or Path
        One file or several, ``.zip`` or ``.csv`` as published, or plain extracts: a header ``Date,Mkt-RF,...``, ISO
        dates, per cent. Several are joined by date. A date that one file lacks is kept, and is NaN in the columns of
        that file, so that no model loses days for a column that it does not use. A column of two files must have one
        value a date: SMB of the three factors is not that of the five.

    Returns
    -------
    DataFrame
        Decimal returns, dates (increasing, unique) by names. A month is dated at its last calendar day. -99.99 and
        -999 are NaN. ``attrs["source"]`` has for each file its name, vintage (the month of the database, None where
        the file does not say), frequency, columns, number of rows, first and last date, number of missing values by
        column, the captions of tables that were not read, and the SHA-256 of the file.

    Raises
    ------
    InputError
        When a file is not of the library, is damaged, has a row that is not a date and numbers, is in decimals
        already, or does not go with the others: another frequency, or other values in the same column.

    Notes
    -----
    The library rewrites its past: every vintage moves some returns of all years, so keep the files of a study.

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
        raise InputError(f"read_french is given {paths!r}; name files: read_french('ff5.zip', 'momentum.zip')")
    tables = [_read(Path(path)) for path in paths]
    frame = _join(tables)
    frame.attrs["source"] = [table.story for table in tables]
    return frame


def _read(path: Path) -> _Table:
    """Read one file."""
    rows, sha256 = _lines(path)
    head = _header(path, rows)
    end = _end(path, rows, head)
    names, body = _names(path, rows[head]), rows[head + 1 : end]
    dates = _dates(path, body)
    percent = np.array([_numbers(path, row, names) for row in body])
    missing = np.isnan(percent) | np.isin(percent, MISSING)
    percent[missing] = np.nan
    _check_percent(path, percent[:, [name.upper() not in RATES for name in names]])
    vintage = VINTAGE.search(" ".join(cell for _, cells in rows[:head] for cell in cells))
    captions = [cells[0] for _, cells in rows[end:] if cells[0] and _is_text(cells)]
    story = {
        "name": path.name,
        "vintage": vintage[1] if vintage else None,
        "frequency": _frequency(dates),
        "columns": names,
        "rows": len(body),
        "first": str(dates[0]),
        "last": str(dates[-1]),
        "missing": dict(zip(names, missing.sum(axis=0).tolist(), strict=True)),
        "not_read": [text for text in captions if not text.lower().startswith("copyright")],
        "sha256": sha256,
    }
    return _Table(dates, dict(zip(names, percent.T / 100.0, strict=True)), story)


def _lines(path: Path) -> tuple[list[Row], str]:
    """Give the lines of a file that are not empty, numbered and cut into cells, and the SHA-256 of the file."""
    if path.suffix.lower() not in (".zip", ".csv"):
        raise one_of("the suffix of the factor file", path.suffix, [".zip", ".csv"])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"the factor file {str(path)!r} cannot be read: {error.strerror}; check the path") from None
    raw = _unzipped(path.name, content) if path.suffix.lower() == ".zip" else content
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:  # the library writes Latin-1 where it goes beyond ASCII
        text = raw.decode("latin-1")
    lines = enumerate(re.split(r"\r\n|\r|\n", text), start=1)
    rows = [(at, [cell.strip(' \t"') for cell in line.split(",")]) for at, line in lines]
    return [row for row in rows if any(row[1])], hashlib.sha256(content).hexdigest()


def _unzipped(name: str, content: bytes) -> bytes:
    """Give the one CSV file of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [member for member in archive.namelist() if not member.endswith("/")]
            found = [member for member in inside if member.lower().endswith(".csv")]
            if len(found) != 1:
                raise InputError(
                    f"{name} holds {', '.join(inside) or 'nothing'}; a file of the library holds one CSV file: download"
                    " its CSV version, or unpack it and name the CSV file that you want"
                )
            return archive.read(found[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise InputError(f"{name} is not a whole zip file: {error}; download it anew") from None


def _is_date(cell: str) -> bool:
    return any(pattern.fullmatch(cell) for pattern in (DAY, MONTH, ISO))


def _is_text(cells: Sequence[str]) -> bool:
    """Tell a caption, a copyright or a header from a row, be the row damaged: that begins with a digit or has numbers.

    >>> _is_text(["Annual Factors: January-December"]), _is_text(["", "Mkt-RF"]), _is_text(["", "0.12"])
    (True, True, False)
    """
    return not cells[0][:1].isdigit() and not any(map(NUMBER.fullmatch, cells[1:]))


def _header(path: Path, rows: Sequence[Row]) -> int:
    """Find the first line of names over a date."""
    for at, ((_, cells), (_, below)) in enumerate(pairwise(rows)):
        if cells[0].lower() in ("", "date") and _is_text(cells) and _is_date(below[0]):
            return at
    raise InputError(
        f"{path.name} is not a file of Kenneth French's library: it has no line such as ',Mkt-RF,SMB,HML,RF' over rows"
        " that begin with YYYYMMDD, YYYYMM or YYYY-MM-DD; download the CSV version"
    )


def _end(path: Path, rows: Sequence[Row], head: int) -> int:
    """Find the end of the table; a text with more rows below it, and no header between, is no end."""
    end = next((at for at in range(head + 1, len(rows)) if _is_text(rows[at][1])), len(rows))
    if end + 1 < len(rows) and rows[end][1][0] and _is_date(rows[end + 1][1][0]):
        at, cells = rows[end]
        raise InputError(f"{path.name}, line {at}: {cells[0]!r} stands between rows of the table; take it out")
    return end


def _names(path: Path, row: Row) -> list[str]:
    """Give the names of the columns; a line of the library may end in commas."""
    at, cells = row
    names = cells[1:]
    while not names[-1]:
        names.pop()
    if "" in names or len(set(names)) < len(names):
        raise InputError(f"{path.name}, line {at}: the names {names} are not different names; is the file whole?")
    return names


def _dates(path: Path, body: Sequence[Row]) -> Dates:
    """Read the dates of a table, all written in one way; a month is dated at its last calendar day."""
    pattern = next(p for p in (DAY, MONTH, ISO) if p.fullmatch(body[0][1][0]))
    found = []
    for at, cells in body:
        given = cells[0]
        text = given if pattern is ISO else "-".join(filter(None, (given[:4], given[4:6], given[6:])))
        try:
            if not pattern.fullmatch(given):
                raise ValueError
            month_or_day = np.datetime64(text)
        except ValueError:
            raise InputError(
                f"{path.name}, line {at}: {given!r} is not a date as that of the first row, {body[0][1][0]!r};"
                " is the file whole?"
            ) from None
        found.append((month_or_day + 1).astype("datetime64[D]") - 1 if pattern is MONTH else month_or_day)
    dates = np.array(found, dtype="datetime64[D]")
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
    given, rest = cells[1 : len(names) + 1], cells[len(names) + 1 :]
    if len(given) < len(names) or any(rest):
        raise InputError(f"{path.name}, line {at}: {cells} has not one value for each of {names}; is the file whole?")
    for name, cell in zip(names, given, strict=True):
        if cell and not NUMBER.fullmatch(cell):
            raise InputError(f"{path.name}, line {at}: {name} of {cells[0]} is {cell!r}, which is not a number")
    return [float(cell) if cell else np.nan for cell in given]


def _check_percent(path: Path, values: Floats) -> None:
    """Refuse returns too small for per cent; nothing later would show it, for loadings take up any scale."""
    sizes = np.abs(values[np.isfinite(values)])
    if len(sizes) >= ENOUGH and np.median(sizes) < SMALL:
        raise InputError(
            f"{path.name}: the median size of its returns is {np.median(sizes):.2g}, too small for per cent, which the"
            " library publishes; if they are decimals, give them as a DataFrame to Study.run(factors=...)"
        )


def _frequency(dates: Dates) -> str | None:
    """Tell the frequency by the median days between rows; None for a single row, which fits any."""
    if len(dates) < 2:
        return None
    gap = np.median(np.diff(dates).astype(np.int64))
    return next((name for name, below in FREQUENCIES.items() if gap < below), "yearly")


def _join(tables: Sequence[_Table]) -> pd.DataFrame:
    """Lay the tables side by side over all their dates, a column of several from whichever has the date."""
    kinds = {table.story["frequency"]: table.story["name"] for table in tables if table.story["frequency"]}
    if len(kinds) > 1:
        given = ", ".join(f"{name} is {kind}" for kind, name in kinds.items())
        raise InputError(f"the files have different frequencies: {given}; read each frequency on its own")
    dates = np.unique(np.concatenate([table.dates for table in tables]))
    columns: dict[str, Floats] = {}
    owner: dict[str, str] = {}
    for table in tables:
        at = np.searchsorted(dates, table.dates)
        for name, values in table.columns.items():
            laid = np.full(len(dates), np.nan)
            laid[at] = values
            known = columns.get(name, laid)
            apart = np.flatnonzero((known != laid) & np.isfinite(known) & np.isfinite(laid))
            if len(apart):
                day = apart[0]
                raise InputError(
                    f"{name} of {dates[day]} is {100 * known[day]:.6g} per cent in {owner[name]} and"
                    f" {100 * laid[day]:.6g} in {table.story['name']}, and {len(apart):,} dates differ in all; they are"
                    " different factors or vintages: read one of the files, or each on its own"
                )
            columns[name] = np.where(np.isfinite(known), known, laid)
            owner.setdefault(name, table.story["name"])
    index = pd.DatetimeIndex(dates, name="date").as_unit("ns")
    return pd.DataFrame(columns, index=index)
