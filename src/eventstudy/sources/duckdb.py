"""Prices from a DuckDB database, or from Parquet files through an SQL query.

The table, or the output of the query, has one row per ticker and date: the columns ticker, date and close, and any of
open, high, low, adjusted (or adj_close), volume, currency and mic; ``columns`` maps other names to these. Dates are of
type date, or timestamp at midnight; prices of any numeric type. The database is opened read-only.

>>> import duckdb, pathlib, tempfile
>>> import eventstudy as es
>>> path = pathlib.Path(tempfile.mkdtemp()) / "prices.duckdb"
>>> with duckdb.connect(path) as database:
...     _ = database.execute("CREATE TABLE prices (ticker TEXT, date DATE, close DOUBLE)")
...     _ = database.execute("INSERT INTO prices VALUES ('BABA', '2021-09-13', 165.0)")
>>> es.fetch_prices(["BABA"], None, None, source="duckdb", path=path).bars["BABA"].fields["close"]
array([165.])

A query may be any single SELECT. Its output is filtered by tickers and dates; the query itself may use them as the
parameters ``$tickers``, ``$start`` and ``$end``:

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
from typing import TYPE_CHECKING

from eventstudy.bars import Prices
from eventstudy.errors import EventStudyError, InputError, SourceError, SourceUnavailable
from eventstudy.sources._long_table import (
    LongTable,
    QueryBounds,
    check_identifier,
    match_columns,
    quote,
    select_statement,
)
from eventstudy.sources._shared import Span, check_span, check_tickers, provenance, read_tickers

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# No extension is installed for a query, and the folder name ticker=0700 is read as text, not as the number 700.
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
        """Return the prices of the tickers from start to end, both included.

        Parameters
        ----------
        tickers : sequence of str, or None
            None reads every ticker.
        start, end : ISO text, datetime.date or None
            Both included.
        path : str or Path
            A database file; or Parquet files: one file, a folder of files (hive partitions too), or a pattern as in
            ``prices/*.parquet``.
        table : str
            A table or a view of the database; for Parquet files, the name by which a query refers to them.
        query : str or None
            A SELECT to be read instead of the table.
        columns : mapping from str to str, or None
            The library's names to the table's, where they differ: ``{"close": "px_last"}``.

        Raises
        ------
        InputError
            When an argument is not valid, the file, the table or a column does not exist, a column has the wrong type,
            the query is not a single SELECT, or DuckDB is not installed.
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
        names, span = check_tickers(tickers), check_span(start, end)
        check_identifier("table", table)
        rows = _query(str(path), table, query, columns, names, span)
        bars, problems = read_tickers(names or rows.tickers, rows.bars)
        n_rows = sum(len(series.dates) for series in bars.values())
        details = {"path": str(path), "table": table, "query": query, "rows": n_rows}
        return Prices(bars, problems, provenance("duckdb", span, bars, **details))


SOURCE = DuckDB()


def _query(
    path: str,
    table: str,
    query: str | None,
    columns: Mapping[str, str] | None,
    names: tuple[str, ...] | None,
    span: Span,
) -> LongTable:
    try:
        import duckdb
    except ImportError:
        raise InputError(
            'source "duckdb" needs DuckDB, which is not installed; pip install "eventstudy-quant[sql]"'
        ) from None
    where = f"table {table} of {path}" if query is None else f"the query on {path}"
    try:
        with _open(path, table) as connection:
            source, parameters = (quote(table), {}) if query is None else _subquery(query, names, span)
            schema = connection.sql(f"SELECT * FROM {source} LIMIT 0", params=parameters).to_arrow_table().schema
            matched = match_columns(schema, columns, where)
            text, bounds = select_statement(source, matched, QueryBounds.of(names, span), mark="$es_{name}")
            parameters |= {f"es_{name}": value for name, value in bounds.items()}
            rows = connection.sql(text, params=parameters).to_arrow_table()
    except duckdb.Error as error:
        raise _translate(error, where) from None
    return LongTable.of(rows, span, where)


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
    connection.execute(f"CREATE VIEW {quote(table)} AS SELECT * FROM read_parquet({literal}, {PARQUET})")
    return connection


def _subquery(query: str, names: tuple[str, ...] | None, span: Span) -> tuple[str, dict[str, object]]:
    """Return a query as a subquery for FROM, and the values of the parameters that it uses."""
    import duckdb

    statements = duckdb.extract_statements(query)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise InputError(f"query is {query!r}; it must be a single SELECT")
    values = {"tickers": names and list(names), "start": span.start or date.min, "end": span.end or date.max}
    used = statements[0].named_parameters
    if unknown := sorted(set(used) - set(values)):
        raise InputError(f"query has the parameters {', '.join(unknown)}; valid are $tickers, $start, $end")
    if "tickers" in used and names is None:
        raise InputError("query has $tickers, and tickers is None; name the tickers")
    text = query.encode()
    ends = [at for at, _ in duckdb.tokenize(query) if text[at : at + 1] == b";"]  # not one in a name or a literal
    return f"(\n{text[: ends[0] if ends else None].decode()}\n) AS es_query", {name: values[name] for name in used}


def _translate(error: Exception, where: str) -> EventStudyError:
    """Return the library's error for one of DuckDB's."""
    import duckdb

    message = " ".join(str(error).split())
    if isinstance(error, duckdb.IOException | duckdb.ConnectionException):
        if "lock" in message or "different configuration" in message:
            return SourceUnavailable(f"{where}: another program or connection holds the database; close it ({message})")
        return InputError(f"{where}: it cannot be read; name a DuckDB database, or Parquet files ({message})")
    if isinstance(error, duckdb.ProgrammingError | duckdb.NotSupportedError):
        return InputError(f"{where}: check table, query and columns ({message})")
    return SourceError(f"{where}: DuckDB could not answer ({message})")
