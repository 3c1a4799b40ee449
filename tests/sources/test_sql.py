"""A real PostgreSQL: what is asked of it, what comes back, and that a password goes nowhere."""

from __future__ import annotations

import json
import re
import sys
import traceback
from datetime import date
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest

from eventstudy import studyfile
from eventstudy.errors import InputError, SourceError, SourceUnavailable
from eventstudy.prices import fetch_prices
from eventstudy.sources.sql import _Address
from tests.sources.long import MANY, as_table, holds, long_table
from tests.sources.postgres import PASSWORD, free_port

pytestmark = pytest.mark.thorough

ROWS = "('BABA', '2021-01-04', 10.0), ('BABA', '2021-01-05', 11.0), ('JD', '2021-01-04', 50.0)"


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch):
    for name in ("PGPASSWORD", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSFILE", "PGSERVICE", "PGOPTIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def small(server):
    """A server with three rows in ``prices``."""
    server.run(
        "DROP SCHEMA IF EXISTS other CASCADE",
        "DROP TABLE IF EXISTS prices CASCADE",
        "CREATE TABLE prices (ticker text, date date, close float8)",
        f"INSERT INTO prices VALUES {ROWS}",
    )
    return server


def fetch(uri, tickers=("BABA",), start=None, end=None, **options):
    return fetch_prices(tickers, start, end, source="sql", uri=uri, **options)


def hidden(text):
    return not any(secret in text for secret in (PASSWORD, quote(PASSWORD, safe=""), "S3cr"))


# --- what comes back ---------------------------------------------------------------------------------------------


@MANY
def test_long_rows_come_back_to_the_bit(server, tickers):
    table, arrays = long_table(tickers)
    server.load(table, "long")
    prices = fetch(server.uri(), None, table="long")
    holds(prices, arrays)
    assert prices.provenance["rows"] == table.num_rows
    some = fetch(server.uri(), ["T007", f"T{tickers - 1:03d}"], "2016-01-01", "2016-12-31", table="long")
    inside = (arrays["dates"] >= np.datetime64("2016-01-01")) & (arrays["dates"] <= np.datetime64("2016-12-31"))
    for row in (7, tickers - 1):
        assert (some.bars[f"T{row:03d}"].fields["close"] == arrays["close"][row, inside]).all()
    server.run("DROP TABLE long")


def test_a_schema_and_a_view_are_read(small):
    small.run(
        "CREATE SCHEMA other",
        "CREATE VIEW other.doubled AS SELECT ticker, date, 2 * close AS close FROM prices",
    )
    prices = fetch(small.uri(), schema="other", table="doubled")
    assert prices.bars["BABA"].fields["close"].tolist() == [20.0, 22.0]
    assert prices.provenance["table"] == "other.doubled"


def test_numeric_is_the_nearest_double_of_its_digits(small):
    digits = ["123456789.123456789", "0.1", "NaN", "Infinity", "1e-7", "98765432109876543210.5"]
    rows = ", ".join(f"('A', '2021-01-{day:02d}', 1, '{text}')" for day, text in enumerate(digits, 4))
    small.run(
        "CREATE SCHEMA other",
        "CREATE TABLE other.prices (ticker varchar(9), date date, close numeric(12, 4), volume numeric)",
        f"INSERT INTO other.prices VALUES {rows}",
    )
    fields = fetch(small.uri(), ["A"], schema="other").bars["A"].fields
    given = np.array([float(text) for text in digits])
    np.testing.assert_array_equal(fields["volume"], np.where(np.isfinite(given), given, np.nan))
    assert fields["close"].tolist() == [1.0] * 6


def test_padded_names_are_read_and_infinite_dates_refused(small):
    small.run(
        "CREATE SCHEMA other",
        "CREATE TABLE other.prices (ticker char(8), date date, close real)",
        "INSERT INTO other.prices VALUES ('BABA', '2021-01-04', 1.5), ('JD', 'infinity', 2)",
    )
    assert fetch(small.uri(), schema="other").bars["BABA"].fields["close"].tolist() == [1.5]
    with pytest.raises(SourceError, match="1 rows of JD without a date"):
        fetch(small.uri(), ["JD"], schema="other")


def test_money_is_refused_for_it_comes_as_cents(small):
    small.run(
        "CREATE SCHEMA other",
        "CREATE TABLE other.prices AS SELECT ticker, date, close::numeric::money AS close FROM prices",
    )
    with pytest.raises(InputError, match="column close is of type money"):
        fetch(small.uri(), schema="other")


def test_a_zone_shifts_no_date(small):
    small.run(
        "CREATE SCHEMA other",
        "CREATE TABLE other.prices AS SELECT ticker, date::timestamp AT TIME ZONE 'Asia/Hong_Kong' AS date, close"
        " FROM prices",
    )
    with pytest.raises(SourceError, match="a time of day in the date of BABA on 2021-01-03"):  # 16:00 UTC
        fetch(small.uri(), schema="other")


# --- what is asked -----------------------------------------------------------------------------------------------


def test_tickers_and_dates_are_bound_parameters(small):
    before = len(small.log.read_text())
    fetch(small.uri(), ["BABA"], date(2021, 1, 4), "2021-01-05")
    log = small.log.read_text()[before:]
    statements = [line for line in log.splitlines() if 'FROM "prices" WHERE' in line]
    assert statements
    for line in statements:
        assert '"ticker" = ANY($1) AND "date" >= $2 AND "date" < $3' in line
        assert "BABA" not in line
        assert "2021" not in line.split("SELECT")[1]
    assert "$1 = '{BABA}'" in log or "$1 = '{\"BABA\"}'" in log


@pytest.mark.parametrize("ticker", ["A'; DROP TABLE prices; --", "A' OR '1'='1", '{"A"}', "$1"])
def test_a_ticker_that_is_sql_is_refused(small, ticker):
    with pytest.raises(InputError, match="is not valid"):
        fetch(small.uri(), [ticker])
    assert small.run("SELECT count(*) FROM prices") == [(3,)]


@pytest.mark.parametrize(
    "name", ["prices; drop", 'prices"', "pri ces", "", "1prices", "other.prices", "é", "a" * 64, 7]
)
@pytest.mark.parametrize("what", ["table", "schema"])
def test_a_name_that_is_no_identifier_is_refused(small, what, name):
    with pytest.raises(InputError, match=f"{what} is {re.escape(repr(name))}; a name has"):
        fetch(small.uri(), **{what: name})


def test_columns_of_any_name_are_quoted(small):
    small.run(
        "CREATE SCHEMA other",
        'CREATE TABLE other.prices AS SELECT ticker AS "Ticker", date AS "select", close AS "x"" y" FROM prices',
    )
    prices = fetch(small.uri(), schema="other", columns={"date": "select", "close": 'x" y'})
    assert prices.bars["BABA"].fields["close"].tolist() == [10.0, 11.0]


def test_the_transaction_is_read_only(small):
    small.run(
        "CREATE SCHEMA other",
        "CREATE FUNCTION other.write() RETURNS float8 LANGUAGE sql AS"
        " $$ INSERT INTO public.prices VALUES ('EVIL', '2021-01-04', 1) RETURNING close $$",
        "CREATE VIEW other.prices AS SELECT 'BABA'::text AS ticker, date '2021-01-04' AS date, other.write() AS close",
    )
    with pytest.raises(SourceError, match="read-only transaction"):
        fetch(small.uri(), schema="other")
    assert small.run("SELECT count(*) FROM prices") == [(3,)]


def test_the_connection_is_closed(small):
    fetch(small.uri())
    with pytest.raises(InputError):
        fetch(small.uri(), table="nowhere")
    others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    small.run("SELECT pg_sleep(0.2)")  # a backend needs a moment to go
    assert small.run(others) == [(0,)]


# --- what goes wrong ---------------------------------------------------------------------------------------------


def failure(kind, says, uri, **options):
    """Fail as expected, and show the password nowhere: neither in the message nor in a printed traceback."""
    with pytest.raises(kind, match=says) as caught:
        fetch(uri, **options)
    assert type(caught.value) is kind
    shown = "".join(traceback.format_exception(caught.value))
    assert hidden(shown)
    assert "wr0ng" not in shown
    return str(caught.value)


def test_a_wrong_password(small):
    says = failure(SourceUnavailable, "refuses the user or the password", small.uri("wr0ng-password"))
    assert "reader:***@127.0.0.1" in says


def test_no_password_and_one_in_the_environment(small, monkeypatch):
    failure(SourceUnavailable, "give it in the uri or in PGPASSWORD", small.uri(None))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    prices = fetch(small.uri(None))
    assert prices.provenance["uri"] == f"postgresql://reader@127.0.0.1:{small.port}/postgres"


def test_a_uri_in_an_environment_variable(small, monkeypatch):
    monkeypatch.setenv("EVENTSTUDY_SQL", small.uri())
    prices = fetch("env:EVENTSTUDY_SQL")
    assert prices.provenance["uri"] == f"postgresql://reader:***@127.0.0.1:{small.port}/postgres"
    assert hidden(repr(prices) + repr(prices.provenance))
    monkeypatch.delenv("EVENTSTUDY_SQL")
    with pytest.raises(InputError, match="'env:EVENTSTUDY_SQL', and there is no such environment variable"):
        fetch("env:EVENTSTUDY_SQL")


def test_an_unknown_user(small):
    failure(SourceUnavailable, "refuses the user or the password", small.uri(user="nobody"))


def test_a_missing_database(small):
    failure(InputError, "/nowhere: the server has no such database", small.uri(database="nowhere"))


def test_a_server_that_is_down(small):
    gone = small.uri().replace(str(small.port), str(free_port()))
    failure(SourceUnavailable, "nothing answers there; start the server", gone)


def test_a_missing_table_and_a_missing_schema(small):
    failure(InputError, "table nowhere of .*: there is no such table", small.uri(), table="nowhere")
    failure(InputError, "table nowhere.prices of .*: there is no such table", small.uri(), schema="nowhere")


def test_a_missing_column(small):
    failure(InputError, "no column 'px' for close; its columns are", small.uri(), columns={"close": "px"})


def test_a_table_that_may_not_be_read(small):
    small.run(
        "DROP ROLE IF EXISTS guest",
        "CREATE ROLE guest LOGIN PASSWORD 'wr0ng-for-others'",
        "REVOKE ALL ON prices FROM guest",
    )
    failure(SourceUnavailable, "may not read the table; GRANT SELECT", small.uri("wr0ng-for-others", user="guest"))


def test_an_error_while_reading(small):
    small.run(
        "CREATE SCHEMA other", "CREATE VIEW other.prices AS SELECT ticker, date, 1 / (close - 10) AS close FROM prices"
    )
    failure(SourceError, "could not answer.*division by zero", small.uri(), schema="other")


def test_an_error_in_the_last_of_many_rows(small):
    small.run(
        "CREATE SCHEMA other",
        "CREATE VIEW other.prices AS SELECT 'BABA'::text AS ticker, date '1800-01-01' + g AS date,"
        " 1.0::float8 / (300000 - g) AS close FROM generate_series(1, 300000) AS g",
    )
    failure(SourceError, "could not answer.*division by zero", small.uri(), schema="other")


def test_a_connection_that_breaks_off(small):
    small.run(
        "CREATE SCHEMA other",
        "CREATE VIEW other.prices AS SELECT * FROM prices WHERE pg_terminate_backend(pg_backend_pid())",
    )
    failure(SourceUnavailable, "broke off", small.uri(), schema="other")


def test_a_query_that_takes_too_long(small):
    small.run(
        "CREATE SCHEMA other",
        "CREATE VIEW other.prices AS SELECT ticker, date, close FROM prices WHERE pg_sleep(9) IS NOT NULL",
    )
    patient = f"{small.uri()}?options=-c%20statement_timeout%3D200"
    failure(SourceUnavailable, "the server broke off.*statement timeout", patient, schema="other")


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://me:S3cr/et@host/db",
        "postgresql://me:12/S3cr@host/db",
        "postgresql://me:S3cr@et@host/db",
        "postgresql://me:S3cr#et@host/db",
        "postgresql://me:12?S3cr@host/db",
        "postgresql://me:S3cr%zz@host/db",
        "postgresql://me:S3cr et@host/db",
        "postgresql://me:S3cr\n@host/db",
        "postgresql://me:S3cr",
        "mysql://me:S3cr@host/db",
        "host=localhost password=S3cr",
        "S3cr",
        "env:postgresql://me:S3cr@host/db",
        "env:",
        "",
        None,
        7,
    ],
)
def test_a_uri_that_is_not_valid_is_not_repeated(uri):
    says = failure(InputError, "uri is not valid", uri)
    assert "%40" in says


@pytest.mark.parametrize(
    ("uri", "safe"),
    [
        ("postgres://host", "postgresql://host"),
        ("postgresql:///db", "postgresql:///db"),
        ("postgresql://me:a:b@[::1]:5432/db", "postgresql://me:***@[::1]:5432/db"),
        ("postgresql://me@a:1,b:2/db?target_session_attrs=any", "postgresql://me@a:1,b:2/db"),
        ("postgresql://%2Fvar%2Frun/db?user=me&password=S3cr", "postgresql://%2Fvar%2Frun/db"),
    ],
)
def test_a_uri_is_shown_without_password_and_options(uri, safe):
    address = _Address.of(uri)
    assert address.safe == safe
    assert address.uri.startswith(uri)
    assert address.uri.endswith("connect_timeout=10")
    assert repr(address) == f"_Address(safe={safe!r})"


def test_patience_is_left_to_who_sets_it(monkeypatch):
    assert _Address.of("postgresql://h?connect_timeout=3").uri == "postgresql://h?connect_timeout=3"
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "4")
    assert _Address.of("postgresql://h").uri == "postgresql://h"


def test_without_adbc_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    with pytest.raises(InputError, match=r'pip install "\.\[sql\]"'):
        fetch("postgresql://me@host/db")


# --- a whole study -----------------------------------------------------------------------------------------------


STUDY = """
[study]
events = "events.csv"
benchmark = "^HSI"
[prices]
source = "sql"
uri = "env:EVENTSTUDY_SQL"
table = "studied"
columns = { close = "px" }
"""


def test_a_study_file_gives_what_its_prices_gave_before_the_database(server, tmp_path, monkeypatch):
    prices = fetch_prices(["9988.HK", "0700.HK", "^HSI"], "2020-01-01", "2021-12-31", source="simulated")
    server.load(as_table(prices).rename_columns({"close": "px"}), "studied")
    monkeypatch.setenv("EVENTSTUDY_SQL", server.uri())
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "events.csv").write_text("ticker,announced\n9988.HK,2021-09-13\n0700.HK,2021-08-03\n")
    file = studyfile.read(tmp_path / "study.toml")
    read = file.prices()
    assert {"9988.HK", "0700.HK", "^HSI"} == set(read.tickers)
    result, expected = file.study.run(file.events, read), file.study.run(file.events, prices)
    pd.testing.assert_frame_equal(result.tests, expected.tests, check_exact=True)
    shown = json.dumps(result.provenance, default=str) + repr(result) + repr(file)
    assert hidden(shown)
    assert "reader:***@" in shown


@pytest.mark.parametrize(
    "uri", ["postgresql://me:S3cr@host/db", "postgresql://host/db?password=S3cr", "postgresql://me:S3/cr@host/db"]
)
def test_a_password_in_a_study_file_is_refused(tmp_path, uri):
    (tmp_path / "study.toml").write_text(STUDY.replace("env:EVENTSTUDY_SQL", uri))
    (tmp_path / "events.csv").write_text("ticker,announced\n9988.HK,2021-09-13\n")
    with pytest.raises(InputError, match=r"the uri of \[prices\] contains a password") as caught:
        studyfile.read(tmp_path / "study.toml")
    assert "S3" not in str(caught.value)


def test_a_uri_without_a_password_may_stand_in_a_study_file(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.replace("env:EVENTSTUDY_SQL", "postgresql://me@host:5432/db"))
    (tmp_path / "events.csv").write_text("ticker,announced\n9988.HK,2021-09-13\n")
    assert studyfile.read(tmp_path / "study.toml").options["uri"] == "postgresql://me@host:5432/db"
