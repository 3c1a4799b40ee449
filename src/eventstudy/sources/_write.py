"""Write prices as a folder for the source ``folder``: one CSV file per ticker in Yahoo's layout, and a manifest."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np

from eventstudy.bars import Bars, Prices
from eventstudy.errors import SourceError

COLUMNS = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "adjusted": "Adj Close", "volume": "Volume"}


def write(prices: Prices, folder: str | Path) -> None:
    """Write the bars of every ticker with all digits; each file is written under another name and then renamed.

    Parameters
    ----------
    prices : Prices
    folder : str or Path
        Created if it does not exist.

    Raises
    ------
    SourceError
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
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        rows = [["ticker", "file", "currency", "mic"]]
        for ticker, bars in prices.bars.items():
            name = f"{ticker.replace('^', '_').replace('=', '_')}.csv"
            _write_csv(target / name, _cells(bars))
            rows.append([ticker, name, bars.currency or "", bars.mic or ""])
        _write_csv(target / "manifest.csv", rows)
    except OSError as error:
        raise SourceError(f"prices cannot be written to {target}: {error.strerror}; name another folder") from None


def _cells(bars: Bars) -> list[list[str]]:
    names = [name for name in COLUMNS if name in bars.fields]
    columns = [["" if np.isnan(v) else repr(float(v)) for v in bars.fields[name]] for name in names]
    head = ["Date", *(COLUMNS[name] for name in names)]
    offset = "+00:00" if bars.intraday else ""
    return [head, *map(list, zip((f"{date}{offset}" for date in bars.dates), *columns, strict=True))]


def _write_csv(path: Path, rows: list[list[str]]) -> None:
    temporary = path.with_suffix(".part")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    os.replace(temporary, path)
