"""The lock of a folder of prices: its files by ticker, and what they held when they were written.

``lock.json`` has for each ticker the file and its SHA-256, the number of rows and the first and last date, by what the
prices are adjusted, source, currency and exchange, and what was asked for and when; and the versions of what wrote it.
It is the folder's list of files, so that neither can be older than the other, and is replaced in one step. ``lines``
has two bytes of the SHA-256 of each line of a file, by which the dates of changed prices are found.
"""

from __future__ import annotations

import base64
import hashlib
import json
import platform
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec

from eventstudy.errors import InputError
from eventstudy.sources._shared import Span

LOCK = "lock.json"
FORMAT = 1
WIDTH = 2  # bytes of each line's hash
MOST_DATES = 3  # named in a message
LIBRARIES = {"eventstudy": "eventstudy-quant", "numpy": "numpy", "pandas": "pandas", "yfinance": "yfinance"}


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A ticker of a folder: its file, and how it was fetched.

    ``start`` and ``end`` are the dates that were asked for, ``request`` a hash of the source and its options;
    ``retrieved`` is the time in UTC.
    """

    file: str
    sha256: str
    rows: int
    first: str
    last: str
    adjusted: str
    currency: str
    mic: str
    source: str
    note: str
    start: str
    end: str
    retrieved: str
    request: str
    lines: str

    def covers(self, span: Span, request: str) -> bool:
        """Return whether the ticker was fetched by the same request, for all dates of a span."""
        starts = not self.start or (span.start is not None and self.start <= span.start.isoformat())
        ends = not self.end or (span.end is not None and self.end >= span.end.isoformat())
        return self.request == request and starts and ends


class _Lock(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    sha256: str
    tickers: dict[str, Listed]
    versions: dict[str, str]


def read_lock(folder: Path) -> dict[str, Listed]:
    """Return the tickers of a locked folder; raise InputError if its lock cannot be read or was changed."""
    place = folder / LOCK
    remedy = "fetch the prices again into a new folder, or put the file back as it was"
    try:
        plain = json.loads(place.read_text(encoding="utf-8"))
        found = plain.get("format") if isinstance(plain, dict) else None
        if isinstance(found, int) and found > FORMAT:
            raise InputError(f"{place} has the format {found}, and this version reads {FORMAT}; update eventstudy")
        lock = msgspec.convert(plain, _Lock)
        unchanged = _seal(lock.tickers, lock.versions) == lock.sha256
        for row in lock.tickers.values():
            _check_row(row)
    except OSError as error:
        raise InputError(f"{place} cannot be read: {error.strerror}") from None
    except InputError:
        raise
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise InputError(f"{place} is not the lock of a folder of prices: {error}; {remedy}") from None
    if not unchanged:
        raise InputError(f"{place} was changed or damaged since it was written; {remedy}")
    return lock.tickers


def lock_text(tickers: Mapping[str, Listed]) -> bytes:
    """Return the content of a lock: sorted, with the versions of now."""
    versions = {name: version(distribution) for name, distribution in LIBRARIES.items()}
    versions["python"] = platform.python_version()
    lock = _Lock(FORMAT, _seal(tickers, versions), dict(tickers), versions)
    return json.dumps(msgspec.to_builtins(lock), indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def lines_of(content: bytes) -> str:
    r"""Return the beginning of the SHA-256 of each line, base64-encoded.

    Examples
    --------
    >>> lines_of(b"Date,Close\n2021-01-04,1.0\n")
    'TZQMJA=='
    """
    return base64.b64encode(b"".join(_line(line) for line in content.splitlines())).decode()


def changes(folder: Path, tickers: Mapping[str, Listed]) -> dict[str, str]:
    """Return by ticker what is different from the lock in its file, with the dates; nothing where nothing is.

    Parameters
    ----------
    folder : Path
    tickers : mapping from ticker to Listed
        The tickers to compare, as the lock has them.
    """
    found = {ticker: _change(folder / row.file, row) for ticker, row in tickers.items()}
    return {ticker: text for ticker, text in found.items() if text}


def refuse(folder: Path, found: Mapping[str, str]) -> None:
    """Raise InputError if files of a folder differ from its lock; the message names tickers and dates."""
    if found:
        raise InputError(
            f"the prices in {folder} are not those of {LOCK}: {listing(found)}; put the files back as they were, or"
            " fetch the prices again. With --no-verify (in Python verify=False) they are used as they are, and every"
            " report says so"
        )


def listing(found: Mapping[str, str], most: int = 8) -> str:
    """Return changes by ticker as one text.

    Examples
    --------
    >>> listing({"BABA": "2021-01-04 differs", "JD": "the file is missing"})
    'BABA (2021-01-04 differs), JD (the file is missing)'
    """
    texts = [f"{ticker} ({text})" for ticker, text in found.items()]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def _check_row(row: Listed) -> None:
    """Raise ValueError if a row names a file outside the folder, or its lines cannot be decoded."""
    if row.file in ("", ".", "..") or re.search(r"[/\\:\0]", row.file):
        raise ValueError(f"{row.file!r} is not the name of a file in the folder")
    base64.b64decode(row.lines, validate=True)


def _seal(tickers: Mapping[str, Listed], versions: Mapping[str, str]) -> str:
    plain = json.dumps([msgspec.to_builtins(tickers), dict(versions)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def _line(line: bytes) -> bytes:
    return hashlib.sha256(line).digest()[:WIDTH]


def _change(file: Path, row: Listed) -> str:
    """Return how a file differs from its row of the lock; empty text if it does not."""
    try:
        content = file.read_bytes()
    except OSError as error:
        return f"{file.name} cannot be read: {error.strerror}"
    if hashlib.sha256(content).hexdigest() == row.sha256:
        return ""
    then, now = base64.b64decode(row.lines), content.splitlines()
    if not now:
        return "the file is empty"
    pairs = [then[at : at + WIDTH] for at in range(0, len(then), WIDTH)]
    different = [k for k, (a, b) in enumerate(zip(pairs, map(_line, now), strict=False)) if a != b]
    if len(now) != len(pairs):
        where = (
            f"from {_date(now[different[0]])} on" if different else f"after {_date(now[min(len(now), len(pairs)) - 1])}"
        )
        return f"{len(now) - 1} rows in place of {len(pairs) - 1}, {where}"
    if not different:
        return "its bytes differ, but no row can be named"  # an end of line, or one line of 65,536
    return _dates([_date(now[k]) if k else "the header" for k in different])


def _dates(dates: Iterable[str]) -> str:
    listed = list(dates)
    more = len(listed) - MOST_DATES
    verb = "differs" if len(listed) == 1 else "differ"
    return ", ".join(listed[:MOST_DATES]) + (f" and {more} more rows" if more > 0 else "") + f" {verb}"


def _date(line: bytes) -> str:
    """Return the first cell of a line, the date of its row."""
    return line.split(b",", 1)[0].decode("utf-8", errors="replace")[:32]
