"""Write prices as a folder for the source ``folder``: one CSV file per ticker in Yahoo's layout, and a manifest.

The name of a file contains the SHA-256 of its content, so that a new file never takes the place of an old one. The
manifest, which is replaced last and in one step, says which files count: a reader finds the old prices or the new ones.
Tickers of the folder that are not written again stay in it.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventstudy import arguments
from eventstudy.bars import Bars, Prices
from eventstudy.errors import InputError
from eventstudy.files import clean, locked, part, sync, writing
from eventstudy.files import write as write_file
from eventstudy.sources._shared import Span, note_of, origin_of

COLUMNS = {
    "open": "Open", "high": "High", "low": "Low", "close": "Close", "adjusted": "Adj Close", "volume": "Volume",
    "split": "Stock Splits", "return": "Return",
}  # fmt: skip
MANIFEST = "manifest.csv"
EARLIER = ("ticker", "file", "currency", "mic")  # the manifest of the first version
HASHED = re.compile(r".\.[0-9a-f]{8}\.[a-z]+$")


class Listed(NamedTuple):
    """A row of the manifest: a ticker's file, and how it was fetched.

    ``start`` and ``end`` are the dates that were asked for, ``request`` a hash of the source and its options.
    """

    ticker: str
    file: str
    currency: str
    mic: str
    sha256: str
    source: str
    note: str
    start: str
    end: str
    retrieved: str
    request: str

    def covers(self, span: Span, request: str) -> bool:
        """Return whether the ticker was fetched by the same request, for all dates of a span."""
        starts = not self.start or (span.start is not None and self.start <= span.start.isoformat())
        ends = not self.end or (span.end is not None and self.end >= span.end.isoformat())
        return self.request == request and starts and ends


def write(prices: Prices, folder: str | Path, request: str = "") -> None:
    """Write the bars of every ticker with all digits, and list them in the manifest.

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
            rows = [_write_bars(bars, prices, aside, request) for bars in prices.bars.values()]
            for name in aside.iterdir():
                sync(name)
            with locked(target):
                before = listed(target)
                after = {**before, **{row.ticker: row for row in rows}}
                for file in aside.iterdir():
                    os.replace(file, target / file.name)
                sync(target)
                write_file("prices", target / MANIFEST, _csv([Listed._fields, *after.values()]))
                remove_old(target, {row.file for row in after.values()})


def fetched(folder: str | Path, tickers: Iterable[str], span: Span, request: str) -> dict[str, Listed]:
    """Return the rows of tickers whose files are unchanged, and that the same request fetched for these dates."""
    target = Path(arguments.path("the folder", folder))
    rows = listed(target)
    there = {ticker: rows[ticker] for ticker in tickers if ticker in rows and rows[ticker].covers(span, request)}
    hashes = {ticker: sha256_of(target / row.file) for ticker, row in there.items()}
    return {ticker: row for ticker, row in there.items() if hashes[ticker] and row.sha256 in ("", hashes[ticker])}


def listed(folder: Path) -> dict[str, Listed]:
    """Return the manifest's rows by ticker; raise InputError if the folder is not one that ``fetch`` has written."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        others = [file.name for file in folder.iterdir()] if folder.is_dir() else []
        foreign = [name for name in others if name.lower().endswith((".csv", ".parquet")) and not is_hashed(name)]
        if foreign:
            raise InputError(f"{folder} has price files of its own, as {foreign[0]}; name a new or empty folder")
        return {}
    try:
        with manifest.open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream, strict=True)
    except (ValueError, csv.Error):
        header, rows = [], []
    if tuple(header) == EARLIER:
        raise InputError(
            f"{manifest} was written by an earlier version of eventstudy fetch, or by hand: it does not say how its"
            " files were fetched, so that they cannot be continued. es.read_prices still reads the folder; to fetch,"
            " name a new folder, and remove this one when all is there"
        )
    try:
        entries = [Listed(*row) for row in rows] if tuple(header) == Listed._fields else None
    except TypeError:
        entries = None
    if entries is None:
        raise InputError(f"{manifest} was not written by eventstudy fetch, or was changed; name a new or empty folder")
    return {row.ticker: row for row in entries}


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
    return Listed(
        bars.ticker, name, bars.currency or "", bars.mic or "", sha256, origin_of(record), note_of(record), start, end,
        retrieved, request,
    )  # fmt: skip


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
