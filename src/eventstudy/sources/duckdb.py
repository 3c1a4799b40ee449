"""Prices from a DuckDB database, or from Parquet files by a query of one's own.

The table, or what the query gives, has one row a ticker and date: the columns ticker, date and close, and any of open,
high, low, adjusted (or adj_close), volume, currency and mic; ``columns`` says where they have other names. Dates are
of type date, or timestamp at midnight; prices of any numeric type. The database is opened read-only.

>>> import duckdb, pathlib, tempfile
>>> import eventstudy as es
>>> path = pathlib.Path(tempfile.mkdtemp()) / "prices.duckdb"
>>> with duckdb.connect(path) as database:
...     _ = database.execute("CREATE TABLE prices (ticker TEXT, date DATE, close DOUBLE)")
...     _ = database.execute("INSERT INTO prices VALUES ('BABA', '2021-09-13', 165.0)")
>>> es.fetch_prices(["BABA"], None, None, source="duckdb", path=path).bars["BABA"].fields["close"]
array([165.])

A query may be any single SELECT. Tickers and dates are cut out of what it gives; where the query can use them itself,
they are its parameters ``$tickers``, ``$start`` and ``$end``:

>>> query = "SELECT ticker, date, 2 * close AS close FROM prices WHERE date <= $end"
>>> prices = es.fetch_prices(["BABA"], None, "2021-12-30", source="duckdb", path=path, query=query)
>>> prices.bars["BABA"].fields["close"]
array([330.])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventstudy.bars import Prices
from eventstudy.errors import EventStudyError, InputError, SourceError, SourceUnavailable
from eventstudy.sources._long import Bounds, Long, columns_of, identifier, quoted, select
from eventstudy.sources._shared import Span, asked, gather, provenance, span

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Neither installs what a query might ask for, nor takes 0700 in the name of a folder for the number 700.
SETTINGS: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": "false"}
PARQUET = "hive_partitioning = true, hive_types_autocast = false, union_by_name = true"


@dataclass(frozen=True)
class DuckDB:
    """Read a long table of a DuckDB database, or Parquet files, read-only and with bound parameters."""

    def read(
        self,
        tickers: Sequence[str] | None,
        start: str | date | None,
        end: str | date | None,
        *,
        path: str | Path,
        table: str = "prices",
        query: str | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> Prices:
        """Give the prices of the tickers from start to end.

        Parameters
        ----------
        tickers : sequence of str, or None
            None reads every ticker.
        start, end : ISO text, datetime.date or None
            Both included.
        path : str or Path
            A database file; or Parquet files: one, a folder of them (hive partitions too), or a pattern as in
            ``prices/*.parquet``.
        table : str
            A table or a view of the database; for Parquet files the name that a query has for them.
        query : str or None
            A SELECT in the place of the table.
        columns : mapping from str to str, or None
            Our names to the table's, where they differ: ``{"close": "px_last"}``.

        Raises
        ------
        InputError
            When an argument is not valid, the file, the table or a column is not there, a column is of another type,
            the query is no single SELECT, or DuckDB is not installed.
        SourceUnavailable
            When another program holds the database.
        BadPrices
            When a ticker has two rows for a date, a price at or below zero, a row without a date or with a time of
            day, or more than one currency or exchange.
        TickerNotFound
            When there is no row of the tickers in the range.

        Examples
        --------
        >>> SOURCE.read(["BABA"], None, None, path="no/such.duckdb")
        Traceback (most recent call last):
        eventstudy.errors.InputError: there is no file 'no/such.duckdb'; name a DuckDB database, or Parquet files
        """
        names, wanted = asked(tickers), span(start, end)
        identifier("table", table)
        found = _rows(str(path), table, query, columns, names, wanted)
        bars, problems = gather(names or found.tickers, found.bars)
        rows = sum(len(one.dates) for one in bars.values())
        more = {"path": str(path), "table": table, "query": query, "rows": rows}
        return Prices(bars, problems, provenance("duckdb", wanted, bars, **more))


SOURCE = DuckDB()


def _rows(
    path: str,
    table: str,
    query: str | None,
    columns: Mapping[str, str] | None,
    names: tuple[str, ...] | None,
    wanted: Span,
) -> Long:
    try:
        import duckdb
    except ImportError:
        raise InputError(
            'source "duckdb" needs DuckDB, which is not installed; pip install "eventstudy-quant[sql]"'
        ) from None
    where = f"table {table} of {path}" if query is None else f"the query on {path}"
    try:
        with _open(path, table) as connection:
            source, own = (quoted(table), {}) if query is None else _subquery(query, names, wanted)
            schema = connection.sql(f"SELECT * FROM {source} LIMIT 0", params=own).to_arrow_table().schema
            found = columns_of(schema, columns, where)
            text, bound = select(source, found, Bounds.of(names, wanted), mark="$es_{name}")
            given = own | {f"es_{name}": value for name, value in bound.items()}
            rows = connection.sql(text, params=given).to_arrow_table()
    except duckdb.Error as error:
        raise _named(error, where) from None
    return Long.of(rows, wanted, where)


def _open(path: str, table: str) -> DuckDBPyConnection:
    import duckdb

    file = Path(path)
    pattern = any(sign in path for sign in "*?[")
    if not pattern and not file.exists():
        raise InputError(f"there is no file {path!r}; name a DuckDB database, or Parquet files")
    if not (pattern or file.is_dir() or file.suffix.lower() == ".parquet"):
        return duckdb.connect(path, read_only=True, config=SETTINGS)
    files = str(file / "**" / "*.parquet") if file.is_dir() else path
    literal = "'" + files.replace("'", "''") + "'"
    connection = duckdb.connect(config=SETTINGS)
    connection.execute(f"CREATE VIEW {quoted(table)} AS SELECT * FROM read_parquet({literal}, {PARQUET})")
    return connection


def _subquery(query: str, names: tuple[str, ...] | None, wanted: Span) -> tuple[str, dict[str, Any]]:
    """Take a query as a table, and give those of its parameters that it uses."""
    import duckdb

    statements = duckdb.extract_statements(query)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise InputError(f"query is {query!r}; it must be a single SELECT")
    known = {"tickers": names and list(names), "start": wanted.start or date.min, "end": wanted.end or date.max}
    used = statements[0].named_parameters
    if strange := sorted(set(used) - set(known)):
        raise InputError(f"query has the parameters {', '.join(strange)}; valid are $tickers, $start, $end")
    if "tickers" in used and names is None:
        raise InputError("query has $tickers, and tickers is None; name the tickers")
    text = query.encode()
    ends = [at for at, _ in duckdb.tokenize(query) if text[at : at + 1] == b";"]  # none is within a name or a text
    return f"(\n{text[: ends[0] if ends else None].decode()}\n) AS found", {name: known[name] for name in used}


def _named(error: Exception, where: str) -> EventStudyError:
    """Make an error of ours of one of DuckDB's."""
    import duckdb

    said = " ".join(str(error).split())
    if isinstance(error, duckdb.IOException | duckdb.ConnectionException):
        if "lock" in said or "different configuration" in said:
            return SourceUnavailable(f"{where}: another program or connection holds the database; close it ({said})")
        return InputError(f"{where}: it cannot be read; name a DuckDB database, or Parquet files ({said})")
    if isinstance(error, duckdb.ProgrammingError | duckdb.NotSupportedError):
        return InputError(f"{where}: check table, query and columns ({said})")
    return SourceError(f"{where}: DuckDB could not answer ({said})")
