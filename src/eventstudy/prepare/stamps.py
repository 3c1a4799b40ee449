"""Convert the announcement times of events, text or datetimes, to instants, and report rows that are ambiguous."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd

from eventstudy.errors import shown
from eventstudy.types import Dates

# Day, clock, seconds, offset. Extended ISO 8601 only; the years are those that nanoseconds since 1970 can count.
ISO = re.compile(
    r"((?:1[789]|2[01])\d\d-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?(Z|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?)?",
    re.ASCII,
)
# Reasons why a time of announcement cannot be read.
EMPTY = "is empty; give a time with its offset, or a date, as in 2021-09-13"
NOT_ISO = (
    "is not in ISO 8601; write 2021-09-13T10:30+08:00, or 2021-09-13T10:30 with a column timezone, or 2021-09-13"
    " (years 1700 to 2199)"
)
NAIVE = (
    "has a time without a time zone; add its offset, as in 2020-11-03T20:40+08:00, or a column timezone with an IANA"
    " name, as in Asia/Hong_Kong"
)
NO_ZONE = "has the timezone {zone!r}, which is not an IANA name; examples are Asia/Hong_Kong, America/New_York, UTC"
NO_PLACE = "has the timezone {zone!r}, which is not a place: {why}; write {place}, or the offset, as in {offset}"
# Abbreviations, with the places that have that time. EST, MST and HST are IANA names too, without summer time.
PLACES = {
    "AEST": "Australia/Sydney", "BST": "Europe/London", "CST": "America/Chicago or Asia/Shanghai",
    "EDT": "America/New_York", "EST": "America/New_York", "HKT": "Asia/Hong_Kong", "HST": "Pacific/Honolulu",
    "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "KST": "Asia/Seoul", "MST": "America/Denver or America/Phoenix",
    "PDT": "America/Los_Angeles", "PST": "America/Los_Angeles", "SGT": "Asia/Singapore",
}  # fmt: skip
ALL_YEAR = {"EST": "-05:00", "MST": "-07:00", "HST": "-10:00"}
# The zones of IANA are in one of these areas, or have one of these names. A computer's folder of zones has more: its
# own zone (localtime), rules that others use (posixrules, Factory), and whole copies (posix/, right/, SystemV/).
IANA = re.compile(
    r"(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific"
    r"|US)/.+"
    r"|CET|CST6CDT|Cuba|EET|EST|EST5EDT|Egypt|Eire|GB|GB-Eire|GMT|GMT\+0|GMT-0|GMT0|Greenwich|HST|Hongkong|Iceland|Iran"
    r"|Israel|Jamaica|Japan|Kwajalein|Libya|MET|MST|MST7MDT|NZ|NZ-CHAT|Navajo|PRC|PST8PDT|Poland|Portugal|ROC|ROK"
    r"|Singapore|Turkey|UCT|UTC|Universal|W-SU|WET|Zulu"
)
OWN = ("localtime", "posixrules", "Factory")
FROM_GMT = re.compile(r"(?:Etc/)?(?:GMT|UTC)([+-]\d{1,2})(?::?00)?", re.ASCII)
PLACES_BY_OFFSET = {
    -10: "Pacific/Honolulu", -8: "America/Los_Angeles", -7: "America/Denver", -6: "America/Chicago",
    -5: "America/New_York", -3: "America/Sao_Paulo", 0: "Europe/London", 1: "Europe/Berlin", 2: "Europe/Athens",
    3: "Asia/Riyadh", 4: "Asia/Dubai", 5: "Asia/Karachi", 7: "Asia/Bangkok", 8: "Asia/Shanghai", 9: "Asia/Tokyo",
    10: "Australia/Sydney", 12: "Pacific/Auckland",
}  # fmt: skip

Groups = tuple[str | None, str | None, str | None, str | None]  # those of ISO
NO_GROUPS: Groups = (None, None, None, None)
Problems = list[tuple[int, str]]


def read_times(events: pd.DataFrame, dates: bool = True) -> tuple[pd.DataFrame, Problems]:
    """Return ``announced``, ``stamp`` and ``date`` of each row, and the rows whose time is not valid or ambiguous.

    A time that several events share is parsed once. ``dates`` says whether times that are all midnight are dates.
    """
    columns = [name for name in ("announced", "timezone") if name in events]
    kinds = [pd.api.types.infer_dtype(events[name], skipna=False) for name in columns]
    if not set(kinds) <= {"string", "datetime64"}:  # equal objects of other types may have different text
        return _read_times(events, dates)
    try:
        code = events.groupby(columns, sort=False, dropna=False).ngroup().to_numpy()
    except UnicodeEncodeError:  # a text that no file can hold
        return _read_times(events, dates)
    first = np.unique(code, return_index=True)[1]
    times, problems = _read_times(events[columns].iloc[first].reset_index(drop=True), dates)
    rows = [(int(row), reason) for bad, reason in problems for row in np.flatnonzero(code == bad)]
    return times.iloc[code].set_axis(events.index), rows


def _read_times(events: pd.DataFrame, dates: bool) -> tuple[pd.DataFrame, Problems]:
    """Parse the time of every row, as in :func:`read_times`."""
    cells = _iso_texts(events["announced"])
    groups: list[Groups] = [(m[1], m[2], m[3], m[4]) if m else NO_GROUPS for m in map(ISO.fullmatch, cells)]
    if dates and _all_midnight(groups):
        groups = [(day, None, None, None) for day, *_ in groups]
    days = [day for day, *_ in groups]
    walls = [f"{day}T{clock}{seconds or ':00'}" if clock else None for day, clock, seconds, _ in groups]
    day, wall = _instants(days), _instants(walls)
    offsets = {text: datetime.fromisoformat(f"2000-01-01T00:00{text}").utcoffset() for *_, text in groups if text}
    offset = np.array([offsets[text] if text else None for *_, text in groups], dtype="timedelta64[ns]")

    problems = [(row, NOT_ISO if cells[row] else EMPTY) for row, text in enumerate(days) if text is None]
    dated, timed = (np.array([text is not None for text in texts]) for texts in (days, walls))
    impossible = np.flatnonzero((dated & np.isnat(day)) | (timed & np.isnat(wall)))
    problems += [(row, "is not an existing day or time") for row in impossible.tolist()]
    naive = np.flatnonzero(~np.isnat(wall) & np.isnat(offset))
    if naive.size:
        zones = pd.Series(as_texts(events["timezone"]) if "timezone" in events else "", index=events.index)
        resolved, zone_problems = _zone_offsets(pd.Series(wall[naive], naive), zones[naive])
        offset[naive] = resolved.to_numpy()
        problems += zone_problems
    zoned = zip(days, walls, _format_offsets(pd.Series(offset)).tolist(), strict=True)
    announced = [f"{local}{zone}" if local and not is_missing(zone) else text for text, local, zone in zoned]
    times = {
        "announced": pd.Series(announced, dtype=object).astype(str),
        "stamp": pd.Series(wall - offset).dt.tz_localize("UTC"),
        "date": day,
    }
    problems += _bad_zones(events["announced"])
    return pd.DataFrame(times, index=events.index), [
        (row, f"announced {cells[row]!r} {reason}") for row, reason in problems
    ]


def _all_midnight(groups: Iterable[Groups]) -> bool:
    """Return whether all times of a column have an offset and are at midnight: then a library made them from dates."""
    timed = ((clock, (seconds or "").strip(":.0"), offset) for _, clock, seconds, offset in groups if clock)
    return all(clock == "00:00" and not seconds and offset for clock, seconds, offset in timed)


def _instants(iso: Sequence[str | None]) -> Dates:
    """Parse ISO text without offset; NaT where missing or impossible, such as 2021-02-30."""
    texts = pd.Series(np.array(iso, dtype=object))
    return pd.to_datetime(texts, format="ISO8601", errors="coerce").to_numpy("datetime64[ns]")


def _format_offsets(offset: pd.Series) -> pd.Series:
    """Format offsets from UTC, as in +08:00."""
    texts = {o: str(timezone(pd.Timedelta(o).to_pytimedelta()))[3:] or "+00:00" for o in offset.dropna().unique()}
    return offset.map(texts).astype(object)


def _zone_offsets(wall: pd.Series, zones: pd.Series) -> tuple[pd.Series, Problems]:
    """Return the offset from UTC of local times in their zones, and the rows for which it is unknown or ambiguous."""
    offsets = pd.Series(pd.NaT, index=wall.index, dtype="timedelta64[ns]")
    problems: Problems = []
    zone_names = set(filter(IANA.fullmatch, available_timezones()))
    for zone, local in wall.groupby(zones):
        reason = _zone_problem(str(zone), zone_names)
        if reason:
            problems += [(row, reason) for row in local.index]
            continue
        zoned = local.dt.tz_localize(ZoneInfo(str(zone)), ambiguous="NaT", nonexistent="shift_forward")
        offsets[local.index] = _offset_of(zoned)
        shifted = zoned.notna() & (zoned.dt.tz_localize(None) != local)
        for rows, what in ((zoned.isna(), "happens twice"), (shifted, "does not exist")):
            reason = f"{what} in {zone}, because the clocks change; write it with its offset"
            problems += [(row, reason) for row in local.index[rows]]
    return offsets, problems


def _zone_problem(zone: str, names: set[str]) -> str:
    """Return the reason why a text is no time zone of a place, empty if it is one."""
    if not zone:
        return NAIVE
    fixed = FROM_GMT.fullmatch(zone)
    hours = int(fixed[1]) if fixed else 0
    if hours:
        why = f"as an IANA name, Etc/GMT{hours:+d} is UTC{-hours:+d}"
        places = " or ".join(PLACES_BY_OFFSET[h] for h in (hours, -hours) if h in PLACES_BY_OFFSET) or "the place"
        return NO_PLACE.format(zone=zone, why=why, place=places, offset=f"{hours:+03d}:00")
    if zone in ALL_YEAR:
        return NO_PLACE.format(zone=zone, why="it has no summer time", place=PLACES[zone], offset=ALL_YEAR[zone])
    if zone in names:
        return ""
    near = PLACES.get(zone.upper(), "") or " or ".join(difflib.get_close_matches(zone, names, 1, 0.8))
    return NO_ZONE.format(zone=zone) + (f"; did you mean {near}?" if near else "")


def _bad_zones(column: pd.Series) -> Problems:
    """Return the rows of datetimes whose zone is a name that is not a place, as EST or localtime; an offset is one."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        zones = [str(column.dtype.tz)] * len(column)
    elif column.dtype == object:
        zones = [str(cell.tzinfo) if isinstance(cell, datetime) else "" for cell in column]
    else:
        return []
    refused = ("Etc/GMT", *OWN)
    names = {zone: zone in ALL_YEAR or zone.startswith(refused) for zone in set(zones)}
    reasons = {zone: _zone_problem(zone, {zone}.difference(OWN)) for zone, named in names.items() if named}
    return [(row, reasons[zone]) for row, zone in enumerate(zones) if reasons.get(zone)]


def _offset_of(stamps: pd.Series) -> pd.Series:
    """Return the offset from UTC of stamps with a time zone."""
    offset: pd.Series = stamps.dt.tz_localize(None) - stamps.dt.tz_convert("UTC").dt.tz_localize(None)
    return offset


def _iso_texts(column: pd.Series) -> list[str]:
    """Convert each cell to text; naive datetimes become dates if all of the column's are at midnight."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        local = column.dt.tz_localize(None)
        midnights = bool((local.dropna() == local.dropna().dt.normalize()).all())
        clock = " 00:00:00" if midnights else ""  # pandas omits the time if all are at midnight
        column = local.astype(str) + clock + _format_offsets(_offset_of(column))
    elif pd.api.types.is_datetime64_dtype(column.dtype):
        column = column.astype(str).mask(column.isna(), None)
    cells = ["" if is_missing(cell) else cell for cell in column.astype(object).tolist()]
    naive = [c for c in cells if isinstance(c, datetime) and c.tzinfo is None]
    midnights = all(c == datetime(c.year, c.month, c.day) for c in naive)
    return [_iso_text(cell, midnights) for cell in cells]


def _iso_text(cell: object, midnights: bool) -> str:
    if isinstance(cell, datetime) and cell.tzinfo is None and midnights:
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else _text(cell)


def as_texts(column: pd.Series) -> list[str]:
    """Convert each cell to text, missing ones to empty text; one makes a column of whole numbers floating."""
    cells = (int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in column.tolist())
    return ["" if is_missing(cell) else _text(cell) for cell in cells]


def _text(cell: object) -> str:
    """Return a cell as text; what no file can hold is escaped, and an object without a text is named by its type."""
    try:
        text = str(cell).strip()
    except Exception:  # what a foreign object raises
        return shown(cell)
    return text if text.isprintable() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def is_missing(cell: object) -> bool:
    """Return whether a cell is empty: None, NA, NaT or NaN."""
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell)
