"""Write prices as a folder for the source ``folder``: one CSV file per ticker in Yahoo's layout, and their lock.

The name of a file contains the SHA-256 of its content, so that a new file never takes the place of an old one. The
lock, which is replaced last and in one step, says which files count: a reader finds the old prices or the new ones.
Tickers of the folder that are not written again stay in it. ``manifest.csv`` repeats the lock's list for people and
other programs; where there is a lock, it is not read.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from eventstudy import arguments
from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError
from eventstudy.files import clean, locked, part, sync, writing
from eventstudy.files import write as write_file
from eventstudy.sources._lock import LOCK, Listed, lines_of, lock_text, read_lock
from eventstudy.sources._shared import Span, note_of, origin_of

COLUMNS = {
    "open": "Open", "high": "High", "low": "Low", "close": "Close", "adjusted": "Adj Close", "volume": "Volume",
    "split": "Stock Splits", "return": "Return",
}  # fmt: skip
# What the prices of a file are adjusted for, by the field from which a study takes returns.
ADJUSTED = {
    "return": "total returns are stated (Return)",
    "adjusted": "splits and dividends (Adj Close)",
    "close": "as the source has them (Close)",
}
MANIFEST = "manifest.csv"  # beside a lock its list again; alone, of earlier versions and of folders of users' own
REPEATED = ("file", "mic", "currency", "sha256", "source", "note", "start", "end", "retrieved", "request")
HASHED = re.compile(r".\.[0-9a-f]{8}\.[a-z]+$")


def write(prices: Prices, folder: str | Path, request: str = "") -> None:
    """Write the bars of every ticker with all digits, and list them in the lock.

    Parameters
    ----------
    prices : Prices
    folder : str or Path
        Created if it does not exist. Its other tickers stay as they are.
    request : str
        A hash of what the prices were fetched by, recorded for :func:`fetched`.

    Raises
    ------
    InputError
        When the folder has price files that were not written here.
    OutputError
        When the folder or a file cannot be written.

    Examples
    --------
    >>> import tempfile, eventstudy as es
    >>> prices = es.fetch_prices(["^HSI"], "2021-09-10", "2021-09-13", source="simulated")
    >>> folder = tempfile.mkdtemp()
    >>> write(prices, folder)
    >>> es.read_prices(folder).tickers
    ('^HSI',)
    """
    target = Path(arguments.path("the folder", folder))
    with writing("prices", target):
        clean(target)
        with part(target) as aside:
            rows = {ticker: _write_bars(bars, prices, aside, request) for ticker, bars in prices.bars.items()}
            for name in aside.iterdir():
                sync(name)
            with locked(target):
                before = listed(target)
                after = {**before, **rows}
                for file in aside.iterdir():
                    os.replace(file, target / file.name)
                sync(target)
                write_file("prices", target / LOCK, lock_text(after))
                rows_of = [[ticker, *(getattr(row, name) for name in REPEATED)] for ticker, row in after.items()]
                write_file("prices", target / MANIFEST, _csv([["ticker", *REPEATED], *rows_of]))
                remove_old(target, {row.file for row in after.values()})


def fetched(folder: str | Path, tickers: Iterable[str], span: Span, request: str) -> dict[str, Listed]:
    """Return the rows of tickers whose files are unchanged, and that the same request fetched for these dates."""
    target = Path(arguments.path("the folder", folder))
    rows = listed(target)
    there = {ticker: rows[ticker] for ticker in tickers if ticker in rows and rows[ticker].covers(span, request)}
    return {ticker: row for ticker, row in there.items() if sha256_of(target / row.file) == row.sha256}


def listed(folder: Path) -> dict[str, Listed]:
    """Return the lock's rows by ticker; raise InputError if the folder is not one that was written here."""
    if (folder / LOCK).is_file():
        return read_lock(folder)
    if (folder / MANIFEST).is_file():
        raise InputError(
            f"{folder / MANIFEST} was written by an earlier version of eventstudy fetch, or by hand: it does not say"
            " what its files held, so that they cannot be continued. es.read_prices still reads the folder, and"
            " es.freeze locks what it reads in another one; to write here, name a new or empty folder"
        )
    others = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    foreign = [name for name in others if name.lower().endswith((".csv", ".parquet")) and not is_hashed(name)]
    if foreign:
        raise InputError(f"{folder} has price files of its own, as {foreign[0]}; name a new or empty folder")
    return {}


def sha256_of(path: Path) -> str | None:
    """Return the SHA-256 of a file, None if there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def hashed_name(stem: str, sha256: str, suffix: str) -> str:
    """Return the name of a file with the beginning of its SHA-256."""
    return f"{stem}.{sha256[:8]}{suffix}"


def is_hashed(name: str, suffix: str = ".csv") -> bool:
    """Return whether a name is one of :func:`hashed_name`."""
    return HASHED.search(name) is not None and name.endswith(suffix)


def remove_old(folder: Path, used: set[str], suffix: str = ".csv") -> None:
    """Remove the files named by their content that are not used, such as those of an interrupted writer."""
    for file in folder.iterdir():
        # A file that somebody has changed since is somebody's work, and stays.
        if is_hashed(file.name, suffix) and file.name not in used and _is_unchanged(file):
            with contextlib.suppress(OSError):  # another program has it open
                file.unlink()


def _is_unchanged(file: Path) -> bool:
    sha256 = sha256_of(file)
    return sha256 is not None and file.stem.endswith(sha256[:8])


def _write_bars(bars: Bars, prices: Prices, folder: Path, request: str) -> Listed:
    content = _csv(_cells(bars))
    sha256 = hashlib.sha256(content).hexdigest()
    name = hashed_name(bars.ticker.replace("^", "_").replace("=", "_"), sha256, ".csv")
    (folder / name).write_bytes(content)
    record: Mapping[str, object] = prices.provenance
    start, end, retrieved = (str(record.get(key) or "") for key in ("start", "end", "retrieved"))
    dates = bars.dates.astype(str)
    return Listed(
        file=name,
        sha256=sha256,
        rows=len(dates),
        first=str(dates[0]) if len(dates) else "",
        last=str(dates[-1]) if len(dates) else "",
        adjusted=next(text for field, text in ADJUSTED.items() if field in bars.fields),
        currency=bars.currency or "",
        mic=bars.mic or "",
        source=origin_of(record),
        note=note_of(record),
        start=start,
        end=end,
        retrieved=retrieved or datetime.now(UTC).isoformat(timespec="seconds"),
        request=request,
        lines=lines_of(content),
    )


def _cells(bars: Bars) -> list[list[str]]:
    names = [name for name in COLUMNS if name in bars.fields]
    columns = [["" if np.isnan(v) else repr(float(v)) for v in bars.fields[name]] for name in names]
    head = ["Date", *(COLUMNS[name] for name in names)]
    offset = "+00:00" if bars.intraday else ""
    return [head, *map(list, zip((f"{date}{offset}" for date in bars.dates), *columns, strict=True))]


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
