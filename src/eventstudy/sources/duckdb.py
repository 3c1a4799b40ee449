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

A query reads ``path`` and nothing else: it may come from a study file that somebody else wrote. With
``external_access=True`` it may read any file and address that DuckDB can, and needs no ``path``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from eventstudy import arguments
from eventstudy.bars import Prices, read_tickers
from eventstudy.errors import EventStudyError, InputError, SourceError, SourceUnavailable, shown
from eventstudy.sources._long_table import (
    LongTable,
    QueryBounds,
    check_identifier,
    match_columns,
    quote,
    select_statement,
)
from eventstudy.sources._shared import Span, check_span, check_tickers, provenance, without_paths

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Settings = dict[str, str | bool | int | float | list[str]]
# No extension is installed for a query, and no variable of Python is read as a table.
SETTINGS: Settings = {"autoinstall_known_extensions": "false", "python_enable_replacements": "false"}
LOCKED: Settings = {"enable_external_access": "false", "lock_configuration": "true"}
MEMORY = ":memory:"  # no file
LONGEST_QUERY = 100_000
# The folder name ticker=0700 is read as text, not as the number 700.
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
        path: str | Path = MEMORY,
        table: str = "prices",
        query: str | None = None,
        columns: Mapping[str, str] | None = None,
        external_access: bool = False,
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
            ``prices/*.parquet``. ``":memory:"`` is no file, for a query that names its own with ``external_access``.
        table : str
            A table or a view of the database; for Parquet files, the name by which a query refers to them.
        query : str or None
            A SELECT to be read instead of the table.
        columns : mapping from str to str, or None
            The library's names to the table's, where they differ: ``{"close": "px_last"}``.
        external_access : bool
            Whether a query may read other files than ``path``, and addresses on the network.

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
        if query is not None and (not isinstance(query, str) or len(query) > LONGEST_QUERY):
            raise InputError(f"query is {shown(query)}; it must be a single SELECT")
        arguments.flag("external_access", external_access)
        plain = os.fspath(arguments.path("path", path, "a DuckDB database, or Parquet files, as a text or a Path"))
        if plain == MEMORY and query is None:
            raise InputError("path names no database; give a DuckDB database, Parquet files, or a query")
        rows = _query(_Access(plain, table, external_access), query, columns, names, span)
        bars, problems = read_tickers(names or rows.tickers, rows.bars)
        n_rows = sum(len(series.dates) for series in bars.values())
        details = {"path": Path(plain).name, "table": table, "query": query, "rows": n_rows}
        return Prices(bars, without_paths(problems, Path(plain).parent), provenance("duckdb", span, bars, **details))


SOURCE = DuckDB()


class _Access(NamedTuple):
    """What is read: a database or Parquet files, the table or their name, and whether a query may read more."""

    path: str
    table: str
    external: bool


def _query(
    access: _Access,
    query: str | None,
    columns: Mapping[str, str] | None,
    names: tuple[str, ...] | None,
    span: Span,
) -> LongTable:
    try:
        import duckdb
    except ImportError:
        raise InputError('source "duckdb" needs DuckDB, which is not installed; pip install ".[sql]"') from None
    where = f"table {access.table} of {access.path}" if query is None else f"the query on {access.path}"
    try:
        with _open(access) as connection:
            source, parameters = (quote(access.table), {}) if query is None else _subquery(query, names, span)
            schema = connection.sql(f"SELECT * FROM {source} LIMIT 0", params=parameters).to_arrow_table().schema
            matched = match_columns(schema, columns, where)
            text, bounds = select_statement(source, matched, QueryBounds.of(names, span), mark="$es_{name}")
            parameters |= {f"es_{name}": value for name, value in bounds.items()}
            rows = connection.sql(text, params=parameters).to_arrow_table()
    except duckdb.Error as error:
        raise _translate(error, where) from None
    return LongTable.of(rows, span, where)


def _open(access: _Access) -> DuckDBPyConnection:
    """Open a database or Parquet files read-only; without external access, a query can read nothing else."""
    import duckdb

    path, file = access.path, Path(access.path)
    locked = {} if access.external else LOCKED
    if path == MEMORY:
        return duckdb.connect(config={**SETTINGS, **locked})
    pattern = any(sign in path for sign in "*?[")
    if not pattern and not file.exists():
        raise InputError(f"there is no file {shown(path)}; name a DuckDB database, or Parquet files")
    if not (pattern or file.is_dir() or file.suffix.lower() == ".parquet"):
        return duckdb.connect(path, read_only=True, config={**SETTINGS, **locked})
    connection = duckdb.connect(config=SETTINGS)
    glob = str(file / "**" / "*.parquet") if file.is_dir() else path
    names = [path] if not pattern and file.is_file() else _found(connection, glob)
    files = f"[{', '.join(map(_literal, names))}]"
    if not access.external:
        connection.execute(f"SET allowed_paths = {files}")
        for name, value in locked.items():
            connection.execute(f"SET {name} = {value}")
    connection.execute(f"CREATE VIEW {quote(access.table)} AS SELECT * FROM read_parquet({files}, {PARQUET})")
    return connection


def _found(connection: DuckDBPyConnection, pattern: str) -> list[str]:
    """Return the files of a pattern; raise InputError if there are none."""
    names = [str(name) for (name,) in connection.execute("SELECT file FROM glob(?)", [pattern]).fetchall()]
    if not names:
        raise InputError(f"there are no files {shown(pattern)}; name a DuckDB database, or Parquet files")
    return names


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _subquery(query: str, names: tuple[str, ...] | None, span: Span) -> tuple[str, dict[str, object]]:
    """Return a query as a subquery for FROM, and the values of the parameters that it uses."""
    import duckdb

    statements = duckdb.extract_statements(query)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise InputError(f"query is {shown(query)}; it must be a single SELECT")
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
    if isinstance(error, duckdb.PermissionException):
        return InputError(f"{where}: it reads more than path; external_access=True allows that ({message})")
    if isinstance(error, duckdb.ProgrammingError | duckdb.NotSupportedError):
        return InputError(f"{where}: check table, query and columns ({message})")
    return SourceError(f"{where}: DuckDB could not answer ({message})")
