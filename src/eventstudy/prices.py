"""Get prices: from files, a database or Yahoo, simulated, or from any source of your own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from eventstudy import _registry
from eventstudy.bars import Prices
from eventstudy.errors import InputError


@runtime_checkable
class Source(Protocol):
    """What a member of ``sources/`` provides, and what may be passed in its place."""

    @property
    def read(self) -> Callable[..., Prices]:
        """A method ``read(tickers, start, end, *, options)``: both dates included, None leaves an end open."""
        ...


def read_prices(folder: str | Path) -> Prices:
    r"""Read every ticker of a folder: CSV or Parquet files in Yahoo's layout, or a store of ``write_prices``.

    Parameters
    ----------
    folder : str or Path
        One file a ticker, with the columns Date, Close and any of Open, High, Low, Adj Close, Volume. A
        ``manifest.csv`` (ticker, file, currency, mic) says which file is which ticker; without one the file's
        name is the ticker. Dates with times and offsets are the starts of bars within the day. Of a store only the
        index is read, and its prices when a study needs them; it may be an fsspec URL, as in ``s3://bucket/prices``.

    Returns
    -------
    Prices
        Prices in the currency of each file; fields as in :class:`eventstudy.bars.Bars`.

    Raises
    ------
    InputError
        When the folder, its manifest, a date or a number is not valid; the message names file, row and value.
    BadPrices, TickerNotFound
        When no ticker can be had; else ``Prices.problems`` has the reason of each, and a warning names them.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "BABA.csv").write_text("Date,Close\n2021-09-10,168.1\n2021-09-13,165.0\n")
    >>> read_prices(folder).bars["BABA"].fields["close"]
    array([168.1, 165. ])
    """
    stored = _registry.helper("sources", "_shelf").is_store(folder)
    return fetch_prices(None, None, None, source="store" if stored else "folder", path=folder)


def write_prices(prices: Prices | Iterable[Prices], folder: str | Path, partition: int = 128) -> None:
    """Write prices as a store, from which a study reads no more at a time than it needs.

    Parameters
    ----------
    prices : Prices, or iterable of Prices
        Several one after the other, each with other tickers, where all at once are more than memory holds. A source
        that names its tickers in the order of the store reads each file once.
    folder : str or Path
        Made where it is not there, and replaced as a whole where it is a store; in the end, so that a store that is
        being written is never read.
    partition : int
        Tickers in a file.

    Raises
    ------
    InputError
        When a ticker stands twice, sessions and bars within the day are mixed, or the folder holds something else.
    SourceError
        When the folder or a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> simulated = fetch_prices(["0700.HK", "^HSI"], "2021-09-01", "2021-09-30", source="simulated", seed=1)
    >>> write_prices(simulated, folder)
    >>> read_prices(folder).tickers
    ('0700.HK', '^HSI')
    """
    _registry.helper("sources", "_store").write(prices, folder, partition)


def fetch_prices(
    tickers: Sequence[str] | None,
    start: str | date | None,
    end: str | date | None,
    source: str | Source = "yahoo",
    **options: Any,
) -> Prices:
    """Get the prices of some tickers from a source.

    Parameters
    ----------
    tickers : sequence of str, or None
        As Yahoo writes them: ``BABA``, ``0700.HK``, ``^HSI``, ``HKD=X``. None takes all of a source that can list
        them (``folder``, ``store``, ``parquet``, ``duckdb``, ``sql``, ``frame``).
    start, end : ISO text, datetime.date or None
        Both included; None leaves an end open.
    source : str or object
        ``yahoo``, ``folder`` (option ``path``), ``store`` (``path``), ``parquet`` (``path``), ``duckdb`` (``path``,
        ``table`` or ``query``), ``sql`` (``uri``, ``table``), ``frame`` (``frame``, ``exchange``), ``simulated``
        (``seed``, ``reactions``, ``totals``), the name of a plug-in, or an object with such a ``read``.
    **options
        The keywords of the source's ``read``.

    Returns
    -------
    Prices
        ``problems`` has the reason for each ticker that could not be had; ``provenance`` says where the rest is from.

    Raises
    ------
    InputError
        When a ticker, a date, the source or an option is not valid.
    SourceError
        When no ticker could be had: the first ticker's error.

    Examples
    --------
    >>> prices = fetch_prices(["0700.HK", "^HSI"], "2021-09-01", "2021-09-30", source="simulated", seed=1)
    >>> prices.tickers
    ('0700.HK', '^HSI')
    """
    member: object = _registry.load("sources", source) if isinstance(source, str) else source
    if not isinstance(member, Source):
        raise InputError(
            f"source is {member!r}, which has no read(tickers, start, end, **options); pass such an object, or one of"
            f" {', '.join(map(repr, _registry.names('sources')))}"
        )
    try:
        call = inspect.signature(member.read).bind(tickers, start, end, **options)
    except TypeError as error:
        known = [p.name for p in inspect.signature(member.read).parameters.values() if p.kind is p.KEYWORD_ONLY]
        raise InputError(f"source {source!r}: {error}; its options are {', '.join(known) or 'none'}") from None
    found = member.read(*call.args, **call.kwargs)
    if isinstance(source, str) and source not in _registry.names("sources", plugins=False):
        found = replace(found, provenance={**found.provenance, "plugin": str(_registry.origin("sources", source))})
    return found
