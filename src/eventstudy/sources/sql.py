"""Prices from a table of a PostgreSQL database, one row per ticker and date.

The table has the columns ticker, date and close, and any of open, high, low, adjusted (or adj_close), volume,
currency and mic; ``columns`` maps other names to these. Dates are of type date, or timestamp at midnight; prices of any
numeric type. Rows may be in any order. An index on (ticker, date) makes the query fast.

The database is read through ADBC in one read-only transaction, and tickers and dates are bound parameters. The
password is never part of a message or of the provenance. To keep it out of files, ``uri="env:EVENTSTUDY_SQL"`` takes
the uri from an environment variable, or leave it out of the uri: libpq reads PGPASSWORD and ``~/.pgpass``.

::

    prices = es.fetch_prices(["BABA", "^HSI"], "2021-01-04", "2021-12-30", source="sql", uri="env:EVENTSTUDY_SQL")
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, Self
from urllib.parse import parse_qsl, unquote

from eventstudy.bars import Prices, read_tickers
from eventstudy.errors import EventStudyError, InputError, SourceError, SourceUnavailable
from eventstudy.sources._long_table import (
    LongTable,
    QueryBounds,
    check_identifier,
    match_columns,
    quote,
    select_statement,
)
from eventstudy.sources._shared import Span, check_span, check_tickers, provenance

CONNECT_TIMEOUT = 10  # seconds, unless the uri or PGCONNECT_TIMEOUT sets it
# Stricter than libpq, whose error message can quote a part of the password that it took for a port.
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|(?:[\w.\-]|%[0-9A-Fa-f]{2})*)(?::\d{1,5})?"
_PART = r"(?:[^%@/?#\s]|%[0-9A-Fa-f]{2})*"
URI = re.compile(
    rf"postgres(?:ql)?://(?:(?P<user>(?:[^%@/?#\s:]|%[0-9A-Fa-f]{{2}})*)(?::(?P<password>{_PART}))?@)?"
    rf"(?P<hosts>{_HOST}(?:,{_HOST})*)(?P<database>/{_PART})?(?:\?(?P<query>(?:[^%@?#\s]|%[0-9A-Fa-f]{{2}})*))?",
    re.ASCII,
)
VARIABLE = re.compile(r"env:[A-Za-z_]\w*", re.ASCII)
REFUSALS: tuple[tuple[str, type[EventStudyError], str], ...] = (
    ("password authentication failed", SourceUnavailable, "the server refuses the user or the password; check both"),
    ("no password supplied", SourceUnavailable, "the server wants a password; give it in the uri or in PGPASSWORD"),
    ("Connection refused", SourceUnavailable, "nothing answers there; start the server, or check host and port"),
    ("could not translate host name", SourceUnavailable, "the host is not known; check its name"),
    (
        "timeout expired",
        SourceUnavailable,
        "no answer in time; check host and port, or raise connect_timeout in the uri",
    ),
)
STATES: dict[str, tuple[type[EventStudyError], str]] = {
    "42P01": (InputError, "there is no such table; name one in table and schema, as psql lists them with \\dt *.*"),
    "42501": (SourceUnavailable, "the user may not read the table; GRANT SELECT on it"),
}
UNAVAILABLE = ("08", "53", "57")  # classes of SQLSTATE: connection, insufficient resources, operator intervention


class _Cursor(Protocol):
    """The methods of an ADBC cursor that are used here."""

    def execute(self, operation: str, parameters: Sequence[object] | None = None) -> None: ...

    def fetchone(self) -> Sequence[object]: ...


@dataclass(frozen=True)
class Sql:
    """Read a long table of a PostgreSQL database through ADBC: read-only, one connection, bound parameters."""

    def read(
        self,
        tickers: Sequence[str] | None,
        start: str | date | None,
        end: str | date | None,
        *,
        uri: str,
        table: str = "prices",
        columns: Mapping[str, str] | None = None,
        schema: str | None = None,
    ) -> Prices:
        """Return the prices of the tickers from start to end, both included.

        Parameters
        ----------
        tickers : sequence of str, or None
            None reads every ticker of the table.
        start, end : ISO text, datetime.date or None
            Both included.
        uri : str
            ``postgresql://user:password@host:port/database``, or ``env:NAME`` for the environment variable with it.
        table : str
            A table or a view.
        columns : mapping from str to str, or None
            The library's names to the table's, where they differ: ``{"close": "px_last"}``.
        schema : str or None
            None uses the search path of the database.

        Raises
        ------
        InputError
            When an argument is not valid, the database, the table or a column does not exist, a column has the wrong
            type, or ADBC is not installed.
        SourceUnavailable
            When the server does not answer or refuses.
        BadPrices
            When a ticker has two rows for a date, a price at or below zero, a row without a date or with a time of
            day, or more than one currency or exchange.
        TickerNotFound
            When the table has none of the tickers in the range.

        Examples
        --------
        >>> SOURCE.read(["BABA"], None, None, uri="env:NO_SUCH_NAME")
        Traceback (most recent call last):
        eventstudy.errors.InputError: uri is 'env:NO_SUCH_NAME', and there is no such environment variable; set it to
        postgresql://user:password@host:port/database
        """
        names, span = check_tickers(tickers), check_span(start, end)
        identifiers = {"schema": schema, "table": table} if schema is not None else {"table": table}
        parts = [check_identifier(what, name) for what, name in identifiers.items()]
        address = _Address.of(uri)
        where = f"table {'.'.join(parts)} of {address.safe}"
        rows = _query(address, ".".join(map(quote, parts)), columns, names, span, where)
        bars, problems = read_tickers(names or rows.tickers, rows.bars)
        n_rows = sum(len(series.dates) for series in bars.values())
        details = {"uri": address.safe, "table": ".".join(parts), "rows": n_rows}
        return Prices(bars, problems, provenance("sql", span, bars, **details))


SOURCE = Sql()


@dataclass(frozen=True)
class _Address:
    """The address of a database; only ``safe``, which has no password, may be shown."""

    safe: str
    uri: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, uri: object) -> Self:
        text = uri
        if isinstance(uri, str) and VARIABLE.fullmatch(uri):
            text = os.environ.get(uri.removeprefix("env:"))
            if text is None:
                raise InputError(
                    f"uri is {uri!r}, and there is no such environment variable; set it to"
                    " postgresql://user:password@host:port/database"
                )
        match = URI.fullmatch(text) if isinstance(text, str) else None
        if match is None:  # the message does not quote the uri: a password may be anywhere in it
            raise InputError(
                "uri is not valid (it is not shown, because it may contain a password); valid is"
                " postgresql://user:password@host:port/database, or env:NAME; in a password write @ / ? # % and"
                " blanks as %40 %2F %3F %23 %25 %20"
            )
        user, password, hosts, database, query = match.group("user", "password", "hosts", "database", "query")
        login = "" if user is None else f"{user}@" if password is None else f"{user}:***@"
        values = [value for name, value in parse_qsl(query or "") if "pass" in name or "secret" in name]
        secrets = [secret for secret in (password, unquote(password or ""), *values) if secret]
        full = match[0]
        if "connect_timeout" not in (query or "") and "PGCONNECT_TIMEOUT" not in os.environ:
            full += f"{'?' if query is None else '&' if query else ''}connect_timeout={CONNECT_TIMEOUT}"
        return cls(f"postgresql://{login}{hosts}{database or ''}", full, tuple(secrets))


def _query(
    address: _Address,
    source: str,
    columns: Mapping[str, str] | None,
    names: tuple[str, ...] | None,
    span: Span,
    where: str,
) -> LongTable:
    try:
        import adbc_driver_postgresql.dbapi as adbc
    except ImportError:
        raise InputError('source "sql" needs ADBC, which is not installed; pip install ".[sql]"') from None
    try:
        with closing(adbc.connect(address.uri)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(f"SELECT * FROM {source} LIMIT 0")
            matched = match_columns(cursor.fetch_arrow_table().schema, columns, where)
            _refuse_money(cursor, source, matched, where)
            text, parameters = select_statement(source, matched, QueryBounds.of(names, span), mark="${number}")
            cursor.execute(text, list(parameters.values()) or None)
            table = cursor.fetch_arrow_table()
    except adbc.Error as error:
        raise _translate(error, address, where) from None
    return LongTable.of(table, span, where)


def _refuse_money(cursor: _Cursor, source: str, columns: Mapping[str, str], where: str) -> None:
    """Raise InputError for a column of type money; the server is asked, because ADBC returns it as integer cents."""
    types = ", ".join(f"pg_typeof((SELECT {quote(name)} FROM {source} LIMIT 0))::text" for name in columns.values())
    cursor.execute(f"SELECT {types}")
    for name, type_name in zip(columns.values(), cursor.fetchone(), strict=True):
        if type_name == "money":
            raise InputError(f"{where}: column {name} is of type money; cast it in a view, as in {name}::numeric")


def _translate(error: Exception, address: _Address, where: str) -> EventStudyError:
    """Return the library's error for one of the driver's; the driver's message is shown unless it has a secret."""
    message = " ".join(str(error).split("Query was:")[0].split())
    shown = "" if any(secret in message for secret in address.secrets) else f" ({message})"
    state = getattr(error, "sqlstate", None)
    if state and state[:2] in UNAVAILABLE:
        return SourceUnavailable(f"{where}: the server broke off; try again, or look at its log{shown}")
    if state:
        error_type, remedy = STATES.get(state, (SourceError, "the database could not answer"))
        return error_type(f"{where}: {remedy}{shown}")
    if re.search(r'database ".*" does not exist', message):
        return InputError(f"{address.safe}: the server has no such database; name one of those that psql -l lists")
    for phrase, error_type, remedy in REFUSALS:
        if phrase in message:
            return error_type(f"{address.safe}: {remedy}{shown}")
    return SourceUnavailable(f"{address.safe}: no connection, or it broke off; look at the server's log{shown}")
