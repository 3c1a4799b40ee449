"""Prices frozen in a folder with a lock, which every later run is held to."""

from __future__ import annotations

from pathlib import Path

from eventstudy import _registry, arguments, studyfile
from eventstudy.bars import Prices
from eventstudy.errors import InputError


def freeze(prices: Prices | str | Path, folder: str | Path) -> None:
    """Write prices to a folder with a ``lock.json``, so that no price can change without an error.

    The lock has the SHA-256 of each ticker's file, its rows and dates, by what its prices are adjusted, where they are
    from and when they were retrieved, and the versions of Python, eventstudy, numpy, pandas and yfinance. Whoever reads
    the folder, :func:`eventstudy.read_prices` or ``eventstudy run``, compares the files with it first.

    Parameters
    ----------
    prices : Prices, or the path of a study file
        Prices, or the study whose prices are fetched.
    folder : str or Path
        Created if it does not exist. Other tickers of a locked folder stay in it.

    Raises
    ------
    InputError
        If an argument is not valid, the folder has files that were not written here, or the prices have fields that a
        folder cannot hold.
    OutputError
        If the folder or a file cannot be written.

    Examples
    --------
    >>> import tempfile, eventstudy as es
    >>> folder = Path(tempfile.mkdtemp())
    >>> freeze(es.fetch_prices(["^HSI"], "2021-09-10", "2021-09-14", source="simulated"), folder)
    >>> file = next(folder.glob("*.csv"))
    >>> _ = file.write_text(file.read_text().replace("2021-09-13,", "2021-09-13,9"))
    >>> es.read_prices(folder)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    eventstudy.errors.InputError: the prices in ... are not those of lock.json: ^HSI (2021-09-13 differs); ...
    """
    writer = _registry.helper("sources", "_write")
    if isinstance(prices, str | Path):
        prices = studyfile.read(prices).prices()
    arguments.instance("prices", prices, Prices, "Prices, as of es.fetch_prices(tickers), or the path of a study file")
    for ticker, bars in prices.bars.items():
        other = sorted(set(bars.fields) - set(writer.COLUMNS))
        if other:
            raise InputError(
                f"{ticker} has the field {other[0]!r}, and a folder holds {', '.join(writer.COLUMNS)}; freeze the"
                " prices before eventstudy.transform.attach, and attach the series to what is read"
            )
    writer.write(prices, folder)
