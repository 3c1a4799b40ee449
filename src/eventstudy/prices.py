"""Read prices from files, a database, Yahoo or a user's source, simulate them, and store them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Protocol, runtime_checkable

from eventstudy import _registry, arguments
from eventstudy.bars import Prices
from eventstudy.errors import InputError, shown
from eventstudy.types import SourceName


@runtime_checkable
class Source(Protocol):
    """The interface of the members of ``sources/``, and of any object passed as a source."""

    @property
    def read(self) -> Callable[..., Prices]:
        """The method ``read(tickers, start, end, *, options)``: both dates included, None leaves an end open."""
        ...


def read_prices(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    date_format: str | None = None,
    decimal: str = ".",
    thousands: str | None = None,
    layout: str | None = None,
    verify: bool = True,
) -> Prices:
    r"""Read every ticker of a folder, of one long file, or of a store written by ``write_prices``.

    Parameters
    ----------
    path : str or Path
        A folder with one CSV, Excel or Parquet file per ticker, with the columns Date, Close and any of Open, High,
        Low, Adj Close, Volume, Stock Splits. A ``manifest.csv`` (ticker, file, currency, mic) maps tickers to files;
        without one the name of the file is the ticker. Or one long file with a column ticker too. Headers of other
        vendors are known (adjusted_close, PX_LAST, PERMNO, ...). Dates with times and offsets are the starts of
        intraday bars. Of a store only the index is read at once, and prices when a study needs them; it may be an
        fsspec URL, as in ``s3://bucket/prices``.
    columns : mapping from str to str, optional
        The library's names (ticker, date, open, high, low, close, adjusted, volume, split, return, currency, mic) to
        the headers of the files, where they differ: ``{"close": "Settle"}``.
    date_format : str, optional
        As ``datetime.strptime`` takes it, as in ``"%d/%m/%Y"``; ISO or yyyymmdd by default.
    decimal, thousands : str
        The decimal mark, and the mark between thousands.
    layout : {"yahoo", "yfinance", "crsp", "investing", "nasdaq", "akshare", "eikon"}, optional
        The layout of a vendor's files. CRSP's (negative prices are averages of bid and ask, letters stand for missing
        returns) is recognised by its column PERMNO.
    verify : bool
        Whether a locked folder (of ``eventstudy fetch`` or :func:`eventstudy.freeze`, with ``lock.json``) is refused if
        a price was changed since; the error names ticker and date. If False, every result says that this was not
        checked.

    Returns
    -------
    Prices
        Prices in the currency of each file; fields as in :class:`eventstudy.bars.Bars`.

    Raises
    ------
    InputError
        If the folder, its manifest, a date or a number is not valid, or a locked price was changed; the message names
        file, row and value, or ticker and date.
    BadPrices, TickerNotFound
        If no ticker has valid prices; if only some fail, ``Prices.problems`` has the reason of each and a warning
        names them.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "BABA.csv").write_text("Date,Close\n2021-09-10,168.1\n2021-09-13,165.0\n")
    >>> read_prices(folder).bars["BABA"].fields["close"]
    array([168.1, 165. ])
    """
    arguments.path("path", path, "the path of a folder or file, as a text or a Path, or an fsspec URL")
    if _registry.helper("sources", "_stored").is_store(path):
        return fetch_prices(None, None, None, source="store", path=path)
    choices = {
        "columns": columns, "date_format": date_format, "decimal": decimal, "thousands": thousands, "layout": layout,
        "verify": verify,
    }  # fmt: skip
    return fetch_prices(None, None, None, source="folder", path=path, **choices)


def write_prices(prices: Prices | Iterable[Prices], folder: str | Path, partition: int = 128) -> None:
    """Write prices as a store, from which a study reads only what it needs at a time.

    Parameters
    ----------
    prices : Prices, or iterable of Prices
        An iterable of several, with different tickers, is written one after the other, so that all of them need not
        fit in memory. If a source lists its tickers in the order of the store, each of its files is read once.
    folder : str or Path
        Created if it does not exist; an existing store is replaced as a whole, in one step at the end, so that a partly
        written store is never read.
    partition : int
        Number of tickers per file.

    Raises
    ------
    InputError
        If a ticker repeats, daily and intraday prices are mixed, or the folder holds anything other than a store.
    OutputError
        If the folder or a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> simulated = fetch_prices(["0700.HK", "^HSI"], "2021-09-01", "2021-09-30", source="simulated", seed=1)
    >>> write_prices(simulated, folder)
    >>> read_prices(folder).tickers
    ('0700.HK', '^HSI')
    """
    of_prices = "Prices, as of es.fetch_prices(tickers), or several in a list or another iterable"
    arguments.path("folder", folder, "the path of a folder, as a text or a Path")
    several: Iterable[object] = [prices] if not isinstance(prices, Iterable) else prices
    partition = arguments.whole("partition", partition, 1)
    _registry.helper("sources", "_store").write(_each(several, of_prices), folder, partition)


def _each(several: Iterable[object], what: str) -> Iterator[Prices]:
    """Yield each of several prices, when it is written."""
    for prices in several:
        yield arguments.instance("prices", prices, Prices, what)


def fetch_prices(
    tickers: Sequence[str] | None,
    start: str | date | None,
    end: str | date | None,
    source: SourceName | str | Source = "yahoo",
    **options: object,
) -> Prices:
    """Read the prices of the tickers from a source.

    Parameters
    ----------
    tickers : sequence of str, or None
        In Yahoo's notation: ``BABA``, ``0700.HK``, ``^HSI``, ``HKD=X``. None reads all tickers, if the source can list
        them (``folder``, ``store``, ``parquet``, ``duckdb``, ``sql``, ``frame``).
    start, end : ISO text, datetime.date or None
        Both included; None leaves an end open.
    source : str or object
        ``yahoo``, ``folder`` (option ``path``), ``store`` (``path``), ``parquet`` (``path``), ``duckdb`` (``path``,
        ``table`` or ``query``), ``sql`` (``uri``, ``table``), ``frame`` (``frame``, ``exchange``), ``simulated``
        (``seed``, ``reactions``, ``totals``), the name of a plug-in, or an object with the
        method ``read`` of :class:`eventstudy.prices.Source`.
    **options
        Keyword arguments of the source's ``read``.

    Returns
    -------
    Prices
        ``problems`` has the reason for each ticker without prices; ``provenance`` describes the origin of the others.

    Raises
    ------
    InputError
        If a ticker, a date, the source or an option is not valid.
    SourceError
        If no ticker has prices; the error is that of the first ticker.

    Examples
    --------
    >>> prices = fetch_prices(["0700.HK", "^HSI"], "2021-09-01", "2021-09-30", source="simulated", seed=1)
    >>> prices.tickers
    ('0700.HK', '^HSI')
    """
    member: object = _registry.load("sources", source) if isinstance(source, str) else source
    if not isinstance(member, Source):
        raise InputError(
            f"source is {shown(member)}, which has no read(tickers, start, end, **options); pass an object with that"
            f" method, or one of {', '.join(map(repr, _registry.names('sources')))}"
        )
    try:
        call = inspect.signature(member.read).bind(tickers, start, end, **options)
    except TypeError as error:
        names = [p.name for p in inspect.signature(member.read).parameters.values() if p.kind is p.KEYWORD_ONLY]
        raise InputError(f"source {shown(source)}: {error}; its options are {', '.join(names) or 'none'}") from None
    if isinstance(source, str) and "path" in options:
        arguments.path("path", options["path"], "the path of a file or folder, as a text or a Path")
    prices = member.read(*call.args, **call.kwargs)
    if isinstance(source, str) and source not in _registry.names("sources", plugins=False):
        prices = replace(prices, provenance={**prices.provenance, "plugin": str(_registry.origin("sources", source))})
    return prices
