"""DuckDB databases, Parquet files through DuckDB, and queries of one's own."""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eventstudy.errors import InputError, SourceError, SourceUnavailable
from eventstudy.prices import fetch_prices
from tests.sources.long import MANY, holds, long_table

ROWS = pa.table(
    {
        "ticker": ["JD", "BABA", "BABA"],
        "date": [date(2021, 1, 4), date(2021, 1, 5), date(2021, 1, 4)],
        "close": [50.0, 11.0, 10.0],
    }
)


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "prices.duckdb"
    with duckdb.connect(path) as connection:
        connection.register("given", ROWS)
        connection.execute("CREATE TABLE prices AS SELECT * FROM given")
    return path


def fetch(path, tickers=("BABA",), start=None, end=None, **options):
    return fetch_prices(tickers, start, end, source="duckdb", path=path, **options)


def closes(prices):
    return {ticker: bars.fields["close"].tolist() for ticker, bars in prices.bars.items()}


@pytest.mark.thorough
@MANY
def test_long_rows_come_back_to_the_bit(tmp_path, tickers):
    table, arrays = long_table(tickers)
    path = tmp_path / "long.duckdb"
    with duckdb.connect(path) as connection:
        connection.register("given", table)
        connection.execute("CREATE TABLE prices AS SELECT * FROM given")
    holds(fetch(path, None), arrays)
    holds(fetch(path, arrays["names"].tolist(), query="SELECT * FROM prices WHERE ticker IN $tickers"), arrays)


@pytest.mark.parametrize("shape", ["file", "folder", "pattern"])
def test_parquet_files_are_read_as_they_lie(tmp_path, shape):
    for ticker in ("BABA", "JD"):
        mine = ROWS.filter(pa.compute.equal(ROWS["ticker"], ticker))
        pq.write_table(mine, tmp_path / f"{ticker}'s.parquet")
    path = {"file": "BABA's.parquet", "folder": "", "pattern": "*.parquet"}[shape]
    expected = {"BABA": [10.0, 11.0]} | ({} if shape == "file" else {"JD": [50.0]})
    assert closes(fetch(tmp_path / path, None)) == expected
    doubled = fetch(tmp_path / path, None, query="SELECT * REPLACE (2 * close AS close) FROM prices", table="prices")
    assert closes(doubled)["BABA"] == [20.0, 22.0]


def test_files_are_united_by_the_names_of_their_columns(tmp_path):
    pq.write_table(ROWS.slice(0, 1), tmp_path / "a.parquet")
    pq.write_table(ROWS.slice(1).append_column("adj_close", [[1.0, 2.0]]), tmp_path / "b.parquet")
    assert fetch(tmp_path).bars["BABA"].fields["adjusted"].tolist() == [2.0, 1.0]


def test_the_name_of_a_hive_folder_stays_text(tmp_path):
    folder = tmp_path / "ticker=0700"
    folder.mkdir()
    table = ROWS.slice(1).drop_columns(["ticker"]).append_column("mic", [["XHKG", "XHKG"]])
    pq.write_table(table, folder / "part.parquet")
    assert closes(fetch(tmp_path, None)) == {"0700": [10.0, 11.0]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT * FROM prices", [10.0, 11.0]),
        ("FROM prices; -- every row", [10.0, 11.0]),
        ("SELECT * FROM prices WHERE ticker <> 'é;' ;; /* ; */", [10.0, 11.0]),
        ("WITH a AS (SELECT * FROM prices) SELECT ticker, date, close + 1 AS close FROM a;", [11.0, 12.0]),
        ("SELECT * FROM prices WHERE ticker = ANY($tickers) AND date BETWEEN $start AND $end", [10.0, 11.0]),
        ("SELECT ticker, date, close * len($tickers) AS close FROM prices -- twice", [20.0, 22.0]),
    ],
)
def test_a_query_gives_the_rows(database, query, expected):
    prices = fetch(database, ["BABA", "JD"], query=query)
    assert closes(prices)["BABA"] == expected
    assert prices.provenance["query"] == query


def test_what_a_query_gives_is_cut_to_tickers_and_range(database):
    prices = fetch(database, ["BABA"], "2021-01-05", "2021-01-05", query="SELECT * FROM prices")
    assert closes(prices) == {"BABA": [11.0]}
    dates = "SELECT 'BABA' AS ticker, $start::DATE AS date, epoch($end::DATE - $start::DATE) / 86400 + 1 AS close"
    with pytest.raises(InputError, match="check table, query and columns"):
        fetch(database, query=dates.replace("epoch", "no_such_function"))


def test_a_query_sees_the_range_that_was_asked_for(database):
    query = "SELECT 'BABA' AS ticker, $start AS date, ($end - $start) + 1.0::DOUBLE AS close"
    assert closes(fetch(database, ["BABA"], date(2021, 1, 4), "2021-01-08", query=query)) == {"BABA": [5.0]}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("DROP TABLE prices", "must be a single SELECT"),
        ("SELECT 1; DROP TABLE prices", "must be a single SELECT"),
        ("COPY prices TO 'stolen.csv'", "must be a single SELECT"),
        ("", "must be a single SELECT"),
        ("SELECT * FROM prices) AS a; DROP TABLE prices; --", "check table, query"),
        ("SELEC", "check table, query"),
        ("SELECT * FROM nowhere", "nowhere does not exist"),
        ("SELECT * FROM prices WHERE close > $level", r"parameters level; valid are \$tickers, \$start, \$end"),
        ("SELECT * FROM prices WHERE close > ?", "parameters 1; valid are"),
        ("SELECT ticker, date FROM prices", "the query on .* has no column close; its columns are ticker, date"),
    ],
)
def test_a_query_that_is_no_query_is_refused(database, tmp_path, monkeypatch, query, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=says):
        fetch(database, query=query)
    assert not (tmp_path / "stolen.csv").exists()
    assert closes(fetch(database)) == {"BABA": [10.0, 11.0]}


def test_tickers_none_has_no_parameter(database):
    with pytest.raises(InputError, match="tickers is None; name the tickers"):
        fetch(database, None, query="SELECT * FROM prices WHERE ticker IN $tickers")


def test_the_database_is_left_as_it_is_and_released(database):
    before = database.read_bytes()
    fetch(database)
    assert database.read_bytes() == before
    with duckdb.connect(database) as connection:  # a writer gets in at once
        connection.execute("DELETE FROM prices")
    assert [path.name for path in database.parent.iterdir()] == [database.name]


def test_decimals_are_the_nearest_doubles_of_their_digits(tmp_path):
    digits = ["9007199254740993.123", "0.100", "8416517.383", "12345678901234567890.125"]
    with duckdb.connect(tmp_path / "a.duckdb") as connection:
        connection.execute("CREATE TABLE prices (ticker VARCHAR, date DATE, close DECIMAL(30, 3), volume HUGEINT)")
        rows = [("A", date(2021, 1, day), Decimal(text), 2**90 + 1) for day, text in enumerate(digits, 4)]
        connection.executemany("INSERT INTO prices VALUES (?, ?, ?, ?)", rows)
    fields = fetch(tmp_path / "a.duckdb", ["A"]).bars["A"].fields
    assert fields["close"].tolist() == [float(text) for text in digits]
    assert fields["volume"].tolist() == [float(2**90 + 1)] * 4


def test_an_enumeration_of_tickers_is_text(tmp_path):
    with duckdb.connect(tmp_path / "a.duckdb") as connection:
        connection.execute("CREATE TYPE names AS ENUM ('JD', 'BABA')")
        connection.execute("CREATE TABLE prices (ticker names, date TIMESTAMP, close FLOAT)")
        connection.execute("INSERT INTO prices VALUES ('BABA', '2021-01-04', 1.5)")
    assert closes(fetch(tmp_path / "a.duckdb", ["BABA"])) == {"BABA": [1.5]}


def test_what_is_not_there_is_named(tmp_path, database):
    with pytest.raises(InputError, match=r"there is no file .*nowhere\.duckdb"):
        fetch(tmp_path / "nowhere.duckdb")
    with pytest.raises(InputError, match=r"table nowhere of .*does not exist"):
        fetch(database, table="nowhere")
    with pytest.raises(InputError, match=r"there are no files .*; name a DuckDB database"):
        fetch(tmp_path / "*.parquet")
    (tmp_path / "text.duckdb").write_text("no database" * 1000)
    with pytest.raises(InputError, match="it cannot be read; name a DuckDB database"):
        fetch(tmp_path / "text.duckdb")
    with pytest.raises(InputError, match="table is 'prices; drop'"):
        fetch(database, table="prices; drop")


def test_a_database_that_another_holds_is_unavailable(database):
    with duckdb.connect(database), pytest.raises(SourceUnavailable, match="holds the database; close it"):
        fetch(database)


def test_an_error_while_reading(database):
    with pytest.raises(SourceError, match=r"DuckDB could not answer .*Could not convert"):
        fetch(database, query="SELECT ticker, date, ticker::DOUBLE AS close FROM prices")


def test_without_duckdb_the_remedy_is_named(monkeypatch, database):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(InputError, match=r'pip install "\.\[sql\]"'):
        fetch(database)


@pytest.mark.contract("query", "shape")
@pytest.mark.thorough
@pytest.mark.parametrize(
    "query",
    [
        "SELECT 'BABA' AS ticker, DATE '2021-01-04' AS date, size AS close FROM read_text('{secret}')",
        "SELECT 'BABA' AS ticker, DATE '2021-01-04' AS date, 1.0::DOUBLE AS close FROM read_csv('{secret}')",
        "SELECT 'BABA' AS ticker, DATE '2021-01-04' AS date, 1.0::DOUBLE AS close FROM '{secret}'",
        "SELECT 'BABA' AS ticker, DATE '2021-01-04' AS date, 1.0::DOUBLE AS close FROM glob('{folder}/*')",
        "SELECT * FROM '{other}'",
        "SELECT * FROM read_parquet('{other}')",
    ],
)
@pytest.mark.parametrize("shape", ["database", "file", "folder", "pattern"])
def test_a_query_reads_its_path_and_no_other_file(tmp_path, database, shape, query):
    """A study file of another person names a query, and must not read the files of this one."""
    mine, other, secret = tmp_path / "mine", tmp_path / "other.parquet", tmp_path / "secret.csv"
    mine.mkdir()
    pq.write_table(ROWS, mine / "it's.parquet")
    pq.write_table(ROWS, other)
    secret.write_text("password\n1\n")
    path = {"database": database, "file": mine / "it's.parquet", "folder": mine, "pattern": mine / "*.parquet"}[shape]
    assert closes(fetch(path, query="SELECT * FROM prices")) == {"BABA": [10.0, 11.0]}
    text = query.format(secret=secret, folder=tmp_path, other=other)
    with pytest.raises(InputError, match=r"external_access=True allows that|does not exist"):
        fetch(path, query=text)
    if "read_text" not in query and "glob" not in query:
        assert closes(fetch(path, query=text, external_access=True))["BABA"]


def test_a_query_reads_no_variable_of_python(database):
    secret = ROWS  # noqa: F841
    with pytest.raises(InputError, match="secret does not exist"):
        fetch(database, query="SELECT * FROM secret")


def test_a_query_without_a_path_needs_external_access(tmp_path):
    pq.write_table(ROWS, tmp_path / "a.parquet")
    query = f"SELECT * FROM '{tmp_path}/a.parquet'"
    for options in ({}, {"path": ":memory:"}):
        prices = fetch_prices(["BABA"], None, None, source="duckdb", query=query, external_access=True, **options)
        assert closes(prices) == {"BABA": [10.0, 11.0]}
        with pytest.raises(InputError, match="external_access=True allows that"):
            fetch_prices(["BABA"], None, None, source="duckdb", query=query, **options)
    with pytest.raises(InputError, match="path names no database"):
        fetch_prices(["BABA"], None, None, source="duckdb")


@pytest.mark.parametrize(
    "option", [{"query": 7}, {"query": b"SELECT 1"}, {"external_access": 1}, {"path": "a\0b"}, {"path": 7}]
)
def test_options_of_wrong_types_are_refused(database, option):
    with pytest.raises(InputError, match=next(iter(option))):
        fetch(**{"path": database, **option})
