"""Prices from a table of a PostgreSQL database, one row a ticker and date.

The table has the columns ticker, date and close, and any of open, high, low, adjusted (or adj_close), volume,
currency and mic; ``columns`` says where they have other names. Dates are of type date, or timestamp at midnight;
prices of any numeric type. Rows may stand in any order. An index on (ticker, date) makes it fast.

The database is read through ADBC in one read-only transaction, tickers and dates are bound parameters, and the
password appears in no message and in no provenance. Keep it out of files: ``uri="env:EVENTSTUDY_SQL"`` takes the uri
from an environment variable, and a uri without a password leaves it to libpq (PGPASSWORD, ``~/.pgpass``).

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
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from eventstudy.bars import Prices
from eventstudy.errors import EventStudyError, InputError, SourceError, SourceUnavailable
from eventstudy.sources._long import Bounds, Long, columns_of, identifier, quoted, select
from eventstudy.sources._shared import Span, asked, gather, provenance, span

PATIENCE = 10  # seconds to connect, unless the uri or PGCONNECT_TIMEOUT says otherwise
# Stricter than libpq, whose message would repeat the piece of a password that it took for a port.
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
BROKEN = ("08", "53", "57")  # classes of states: connection, resources, an operator's intervention


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
        """Give the prices of the tickers from start to end.

        Parameters
        ----------
        tickers : sequence of str, or None
            None reads every ticker of the table.
        start, end : ISO text, datetime.date or None
            Both included.
        uri : str
            ``postgresql://user:password@host:port/database``, or ``env:NAME``, the environment variable that has it.
        table : str
            A table or a view.
        columns : mapping from str to str, or None
            Our names to the table's, where they differ: ``{"close": "px_last"}``.
        schema : str or None
            None takes the search path of the database.

        Raises
        ------
        InputError
            When an argument is not valid, the database, the table or a column is not there, a column is of another
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
        names, wanted = asked(tickers), span(start, end)
        given = {"schema": schema, "table": table} if schema is not None else {"table": table}
        parts = [identifier(what, name) for what, name in given.items()]
        address = _Address.of(uri)
        where = f"table {'.'.join(parts)} of {address.safe}"
        found = _rows(address, ".".join(map(quoted, parts)), columns, names, wanted, where)
        bars, problems = gather(names or found.tickers, found.bars)
        rows = sum(len(one.dates) for one in bars.values())
        more = {"uri": address.safe, "table": ".".join(parts), "rows": rows}
        return Prices(bars, problems, provenance("sql", wanted, bars, **more))


SOURCE = Sql()


@dataclass(frozen=True)
class _Address:
    """Where a database is; only ``safe`` may be shown."""

    safe: str
    uri: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, given: object) -> Self:
        text = given
        if isinstance(given, str) and VARIABLE.fullmatch(given):
            text = os.environ.get(given.removeprefix("env:"))
            if text is None:
                raise InputError(
                    f"uri is {given!r}, and there is no such environment variable; set it to"
                    " postgresql://user:password@host:port/database"
                )
        match = URI.fullmatch(text) if isinstance(text, str) else None
        if match is None:  # what was given is not repeated: a password may stand anywhere in it
            raise InputError(
                "uri is not valid (it is not shown, for it may hold a password); valid is"
                " postgresql://user:password@host:port/database, or env:NAME; in a password write @ / ? # % and"
                " blanks as %40 %2F %3F %23 %25 %20"
            )
        user, password, hosts, database, query = match.group("user", "password", "hosts", "database", "query")
        login = "" if user is None else f"{user}@" if password is None else f"{user}:***@"
        values = [value for name, value in parse_qsl(query or "") if "pass" in name or "secret" in name]
        secrets = [secret for secret in (password, unquote(password or ""), *values) if secret]
        uri = match[0]
        if "connect_timeout" not in (query or "") and "PGCONNECT_TIMEOUT" not in os.environ:
            uri += f"{'?' if query is None else '&' if query else ''}connect_timeout={PATIENCE}"
        return cls(f"postgresql://{login}{hosts}{database or ''}", uri, tuple(secrets))


def _rows(
    address: _Address,
    source: str,
    columns: Mapping[str, str] | None,
    names: tuple[str, ...] | None,
    wanted: Span,
    where: str,
) -> Long:
    try:
        import adbc_driver_postgresql.dbapi as adbc
    except ImportError:
        raise InputError(
            'source "sql" needs ADBC, which is not installed; pip install "eventstudy-quant[sql]"'
        ) from None
    try:
        with closing(adbc.connect(address.uri)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(f"SELECT * FROM {source} LIMIT 0")
            found = columns_of(cursor.fetch_arrow_table().schema, columns, where)
            _refuse_money(cursor, source, found, where)
            text, bound = select(source, found, Bounds.of(names, wanted), mark="${number}")
            cursor.execute(text, list(bound.values()) or None)
            table = cursor.fetch_arrow_table()
    except adbc.Error as error:
        raise _named(error, address, where) from None
    return Long.of(table, wanted, where)


def _refuse_money(cursor: Any, source: str, columns: Mapping[str, str], where: str) -> None:
    """Ask the server itself, for ADBC hands money on as a whole number of cents."""
    kinds = ", ".join(f"pg_typeof((SELECT {quoted(name)} FROM {source} LIMIT 0))::text" for name in columns.values())
    cursor.execute(f"SELECT {kinds}")
    for name, kind in zip(columns.values(), cursor.fetchone(), strict=True):
        if kind == "money":
            raise InputError(f"{where}: column {name} is of type money; cast it in a view, as in {name}::numeric")


def _named(error: Any, address: _Address, where: str) -> EventStudyError:
    """Make an error of ours of one of the driver's; its words are shown unless a secret is among them."""
    said = " ".join(str(error).split("Query was:")[0].split())
    words = "" if any(secret in said for secret in address.secrets) else f" ({said})"
    state = getattr(error, "sqlstate", None)
    if state and state[:2] in BROKEN:
        return SourceUnavailable(f"{where}: the server broke off; try again, or look at its log{words}")
    if state:
        kind, remedy = STATES.get(state, (SourceError, "the database could not answer"))
        return kind(f"{where}: {remedy}{words}")
    if re.search(r'database ".*" does not exist', said):
        return InputError(f"{address.safe}: the server has no such database; name one of those that psql -l lists")
    for sign, kind, remedy in REFUSALS:
        if sign in said:
            return kind(f"{address.safe}: {remedy}{words}")
    return SourceUnavailable(f"{address.safe}: no connection, or it broke off; look at the server's log{words}")
