"""When an event was announced: text or datetimes to instants, and to the rows whose time is not certain."""

from __future__ import annotations

import re
from datetime import date, datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd

# Day, clock, seconds, offset. Extended ISO 8601 only; the years are those that nanoseconds since 1970 can count.
ISO = re.compile(
    r"((?:1[789]|2[01])\d\d-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?(Z|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?)?",
    re.ASCII,
)
# Why a time of announcement cannot be read.
EMPTY = "is empty; give a time with its offset, or a date, as in 2021-09-13"
NO_ISO = (
    "is not in ISO 8601; write 2021-09-13T10:30+08:00, or 2021-09-13T10:30 with a column timezone, or 2021-09-13"
    " (years 1700 to 2199)"
)
NAIVE = (
    "has a time and no zone; add its offset, as in 2020-11-03T20:40+08:00, or a column timezone with an IANA name,"
    " as in Asia/Hong_Kong"
)
NO_ZONE = "has the timezone {zone!r}, which is no IANA name; examples are Asia/Hong_Kong, America/New_York, UTC"

Problems = list[tuple[int, str]]


def read_times(given: pd.DataFrame) -> tuple[pd.DataFrame, Problems]:
    """Give ``announced``, ``stamp`` and ``date`` of each row, and the rows whose time is not certain.

    Times that many events share, as dates alone, are read once.
    """
    known = [name for name in ("announced", "timezone") if name in given]
    kinds = [pd.api.types.infer_dtype(given[name], skipna=False) for name in known]
    if not set(kinds) <= {"string", "datetime64"}:  # objects that are equal may be written in other ways
        return _read_times(given)
    code = given.groupby(known, sort=False, dropna=False).ngroup().to_numpy()
    first = np.unique(code, return_index=True)[1]
    times, problems = _read_times(given[known].iloc[first].reset_index(drop=True))
    rows = [(int(row), reason) for bad, reason in problems for row in np.flatnonzero(code == bad)]
    return times.iloc[code].set_axis(given.index), rows


def _read_times(given: pd.DataFrame) -> tuple[pd.DataFrame, Problems]:
    cells = _iso_texts(given["announced"])
    found = [m.groups() if m else (None, None, None, None) for m in map(ISO.fullmatch, cells)]
    parts = pd.DataFrame(found, columns=["day", "clock", "seconds", "offset"], dtype=object)
    day = _instants(parts["day"])
    timed = parts[parts["clock"].notna()]
    local = timed["day"] + "T" + timed["clock"] + timed["seconds"].fillna(":00")
    wall = _instants(local)
    known = {t: datetime.fromisoformat(f"2000-01-01T00:00{t}").utcoffset() for t in timed["offset"].dropna().unique()}
    offset = pd.to_timedelta(timed["offset"].map(known))

    problems = [(row, NO_ISO if cells[row] else EMPTY) for row in parts.index[parts["day"].isna()]]
    absurd = day.index[day.isna() & parts["day"].notna()].union(wall.index[wall.isna()])
    problems += [(row, "is no day or time that exists") for row in absurd]
    naive = wall[wall.notna() & offset.isna()]
    if naive.size:
        zones = pd.Series(texts(given["timezone"]) if "timezone" in given else "", index=given.index)
        resolved, unclear = _zone_offsets(naive, zones[naive.index])
        offset = offset.fillna(resolved)
        problems += unclear
    times = {
        "announced": (local + _written(offset)).reindex(given.index).fillna(parts["day"]).astype(str),
        "stamp": (wall - offset).dt.tz_localize("UTC").reindex(given.index),
        "date": day,
    }
    return pd.DataFrame(times), [(row, f"announced {cells[row]!r} {reason}") for row, reason in problems]


def _instants(iso: pd.Series[Any]) -> pd.Series[Any]:
    """Read ISO text without offset; NaT where missing or absurd, as 2021-02-30."""
    return pd.to_datetime(iso, format="ISO8601", errors="coerce").astype("datetime64[ns]")


def _written(offset: pd.Series[Any]) -> pd.Series[Any]:
    """Write offsets from UTC as +08:00."""
    known = {o: str(timezone(pd.Timedelta(o).to_pytimedelta()))[3:] or "+00:00" for o in offset.dropna().unique()}
    return offset.map(known).astype(object)


def _zone_offsets(wall: pd.Series[Any], zones: pd.Series[Any]) -> tuple[pd.Series[Any], Problems]:
    """Give the offset from UTC of naive local times in their zones, and the rows where there is not just one."""
    offsets = pd.Series(pd.NaT, index=wall.index, dtype="timedelta64[ns]")
    problems: Problems = []
    known = available_timezones()
    for zone, local in wall.groupby(zones):
        if zone not in known:
            problems += [(row, NO_ZONE.format(zone=zone) if zone else NAIVE) for row in local.index]
            continue
        there = local.dt.tz_localize(ZoneInfo(str(zone)), ambiguous="NaT", nonexistent="shift_forward")
        offsets[local.index] = _offset_of(there)
        shifted = there.notna() & (there.dt.tz_localize(None) != local)
        for rows, what in ((there.isna(), "happens twice"), (shifted, "does not exist")):
            reason = f"{what} in {zone}, where the clocks change; write it with its offset"
            problems += [(row, reason) for row in local.index[rows]]
    return offsets, problems


def _offset_of(stamps: pd.Series[Any]) -> pd.Series[Any]:
    """Give the offset from UTC of stamps with a zone."""
    offset: pd.Series[Any] = stamps.dt.tz_localize(None) - stamps.dt.tz_convert("UTC").dt.tz_localize(None)
    return offset


def _iso_texts(column: pd.Series[Any]) -> list[str]:
    """Write each cell as text; naive datetimes lose their clock where all of the column's stand at midnight."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        local = column.dt.tz_localize(None)
        midnights = bool((local.dropna() == local.dropna().dt.normalize()).all())
        clock = " 00:00:00" if midnights else ""  # pandas leaves it out where it is that of all
        column = local.astype(str) + clock + _written(_offset_of(column))
    elif pd.api.types.is_datetime64_dtype(column.dtype):
        column = column.astype(str).mask(column.isna(), None)
    cells = ["" if missing(cell) else cell for cell in column.astype(object).tolist()]
    naive = [c for c in cells if isinstance(c, datetime) and c.tzinfo is None]
    midnights = all(c == datetime(c.year, c.month, c.day) for c in naive)
    return [_iso_text(cell, midnights) for cell in cells]


def _iso_text(cell: object, midnights: bool) -> str:
    if isinstance(cell, datetime) and cell.tzinfo is None and midnights:
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell).strip()


def texts(column: pd.Series[Any]) -> list[str]:
    """Write each cell as text, missing ones as empty."""
    return ["" if missing(cell) else str(cell).strip() for cell in column.tolist()]


def missing(cell: Any) -> bool:
    """Say whether a cell holds nothing: None, NA, NaT or NaN."""
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell)
