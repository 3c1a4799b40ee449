"""A password, a token or a key that is given at any door is shown and stored nowhere: errors, causes, logs, files."""

from __future__ import annotations

import io
import json
import logging
import pickle
import traceback
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import errors, studyfile
from eventstudy.cli import main
from eventstudy.credentials import masked, masked_record
from eventstudy.reproduce import register

SECRET = "S3cr3tS3cr3t"
LOGIN = f"user:{SECRET}@127.0.0.1:9"
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


@pytest.mark.parametrize(
    "text",
    [
        f"no answer of postgresql://me:{SECRET}@host/db", f"https:/me:{SECRET}@host/x.csv: no such file",
        f"Unsupported proxy syntax in 'http://me:{SECRET} x@host:9': bad", f"ftp://me:{SECRET}/x@host", f"x://me:a@{SECRET}@h",
        f"https://{SECRET}@host/x", f"simplecache::ftp://me:{SECRET}@host", f"x.parquet?sig={SECRET}&a=1",
        f"md:db?motherduck_token={SECRET}", f"host=h password={SECRET} dbname=d", f"password = '{SECRET} and more'",
        f"{{'token': '{SECRET}', 'n': 1}}", f'{{"api_key": "{SECRET}"}}', f"X-Amz-Signature={SECRET}",
        f"Authorization: Bearer {SECRET}", f"{{'Authorization': 'Basic {SECRET}'}}", f"token='{SECRET}"[:20] + SECRET,
    ],
)  # fmt: skip
def test_a_secret_in_a_text_is_hidden(text: str) -> None:
    hidden = masked(text)
    assert SECRET not in hidden
    assert "***" in hidden
    assert masked(hidden) == hidden
    assert SECRET not in str(errors.InputError(text))
    assert SECRET not in str(errors.EventStudyWarning(text))
    assert SECRET not in errors.shown(text)
    assert SECRET not in errors.shown(Path(text))


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:9/x.csv", "postgresql://me@host:5432/db", "a@b: no", "start=2021-01-04, windows=((0, 0),)",
        "postgresql://user:password@host:port/database, or env:NAME", "secret does not exist", "uri = 'env:TOKEN'",
        "token = 'env:NAME'", "in a password write @ / ? #", "file:///C:/x", "at 10:30 @ noon",
        "the signature of f(x=1)",
    ],
)  # fmt: skip
def test_what_is_no_secret_is_left(text: str) -> None:
    assert masked(text) == text


def test_a_long_value_is_hidden_before_it_is_cut() -> None:
    address = f"ftp://me:{SECRET * 20}@host"
    assert errors.shown(address) == "'ftp://me:***@host'"
    assert SECRET not in str(errors.InputError("x" * 4_900 + address + "y" * 4_900))


def test_texts_of_a_million_letters_are_read_at_once() -> None:
    """Hostile texts, on which a pattern that tries every way would take hours."""
    for text in ("@" + "://a:" * 200_000, "http://" * 150_000 + "@", "token" * 200_000 + "=", "sig'" * 250_000 + "="):
        assert len(str(errors.InputError(text))) < 2_000
    assert errors.shown("://a:@" * 200_000)


# --- the doors at which a secret is given --------------------------------------------------------------------------


class Refusing(fsspec.AbstractFileSystem):  # type: ignore[misc]
    """A server that quotes the whole address in every refusal."""

    protocol = "refusing"
    cachable = False

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path

    def _refuse(self, *_: object, **__: object) -> Any:
        raise PermissionError(f"403 for refusing://{LOGIN}/x?sig={SECRET}")

    info = cat_file = pipe_file = makedirs = mkdir = exists = isfile = _open = ls = _refuse


STUDIED = es.Study(benchmark="^HSI", estimation=(-60, -11), min_estimation=30)


def source(name: str, **options: Any) -> Callable[[], object]:
    return lambda: es.fetch_prices(["0700.HK"], "2021-09-01", "2021-09-30", source=name, **options)


def with_checkpoint(place: str) -> es.Result:
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["0700.HK"], "announced": ["2021-09-13"]}))
    prices = es.fetch_prices(["0700.HK", "^HSI"], "2021-01-04", "2021-12-30", source="simulated")
    return STUDIED.run(events, prices, checkpoint=place)


QUERY = f"SELECT * FROM postgres_scan('host=h password={SECRET}', 'public', 't')"
DOORS: dict[str, Callable[[], object]] = {
    "sql: a password that breaks the address": source("sql", uri=f"postgresql://me:{SECRET}/x@host/db"),
    "sql: a server that is not there": source("sql", uri=f"postgresql://{LOGIN}/db"),
    "sql: the password of a key": source("sql", uri=f"postgresql://127.0.0.1:9/db?sslpassword={SECRET}&sslkey=none"),
    "sql: another option": source("sql", uri=f"postgresql://127.0.0.1:9/db?no_such_token={SECRET}"),
    "sql: a DSN": source("sql", uri=f"host=localhost password={SECRET}"),
    "a source that is an address": source(f"postgresql://{LOGIN}/db"),
    "store: a server that is not there": source("store", path=f"ftp://{LOGIN}/x"),
    "store: a protocol that is not known": source("store", path=f"nope://{LOGIN}/x"),
    "store: none at the address": source("store", path=f"memory://{LOGIN}/x"),
    "store: a server that refuses": source("store", path=f"refusing://{LOGIN}/x"),
    "read_prices": lambda: es.read_prices(f"refusing://{LOGIN}/x"),
    "write_prices": lambda: es.write_prices(source("simulated")(), f"ftp://{LOGIN}/x"),
    "folder": source("folder", path=f"https://{LOGIN}/x"),
    "parquet": source("parquet", path=f"https://host/x.parquet?sig={SECRET}"),
    "duckdb: an address": source("duckdb", path=f"https://host/x.parquet?sig={SECRET}"),
    "duckdb: a token": source("duckdb", path=f"md:db?motherduck_token={SECRET}"),
    "duckdb: a query": source("duckdb", query=QUERY, external_access=True),
    "events": lambda: es.read_events(f"https://{LOGIN}/x.csv"),
    "factors": lambda: es.read_french(f"https://{LOGIN}/x.csv"),
    "a result": lambda: es.read_result(f"https://{LOGIN}/x"),
    "a study file": lambda: studyfile.read(f"https://{LOGIN}/x.toml"),
    "checkpoint": lambda: with_checkpoint(f"refusing://{LOGIN}/x"),
}


def told(error: BaseException) -> str:
    """Return all that may be shown of an error: itself, its causes, its problems, a printed traceback, a pickle."""
    texts = [*traceback.format_exception(error), repr(pickle.loads(pickle.dumps(error))), repr(vars(error))]
    while (cause := error.__cause__) is not None:
        error = cause
        texts += [str(error), repr(error)]
    return "\n".join(texts)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that any library logs, but for remarks for debugging, which other libraries make of what they are given."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, before = logging.StreamHandler(stream), root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.mark.parametrize("door", DOORS)
def test_no_error_and_no_log_has_the_secret(door: str, logged: io.StringIO, capfd: pytest.CaptureFixture[str]) -> None:
    fsspec.register_implementation("refusing", Refusing, clobber=True)
    with pytest.raises(es.EventStudyError) as caught:
        DOORS[door]()
    assert SECRET not in told(caught.value)
    assert SECRET not in logged.getvalue()
    assert SECRET not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://{LOGIN}",
        f"foo://{LOGIN}",
        f"http://user:{SECRET} x@127.0.0.1:9",
        f"http://user:{SECRET}@127.0.0.1:99999",
    ],
)
def test_no_error_and_no_log_has_the_password_of_a_proxy(
    proxy: str, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What curl says of a proxy that it cannot use quotes it whole."""
    for name in PROXIES:
        monkeypatch.setenv(name, proxy)
    with pytest.raises(es.SourceError) as caught:
        source("yahoo", attempts=2, wait=0, timeout=2)()
    assert "no usable answer" in str(caught.value)
    assert SECRET not in told(caught.value)
    assert SECRET not in logged.getvalue()


# --- where a secret would be kept ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Vendor:
    """A source of the user's own that is careless: its record, its note and its problems have the secret."""

    token: str = SECRET

    def read(self, tickers: Any, start: Any, end: Any, **options: Any) -> es.Prices:
        prices = es.fetch_prices([name for name in tickers if name != "GONE"], start, end, source="simulated")
        record = {
            **prices.provenance, "url": f"https://{LOGIN}/v1?api_key={SECRET}", "token": SECRET,
            "headers": {"Authorization": f"Bearer {SECRET}", "X-Api-Key": SECRET}, "tried": [f"ftp://{LOGIN}"],
            "note": f"of https://{LOGIN}", "noticed": {"0700.HK": [f"asked with token={SECRET}"]},
        }  # fmt: skip
        return replace(prices, problems={"GONE": f"401 of https://{LOGIN}"}, provenance=record)


@pytest.fixture(scope="module")
def careless() -> es.Result:
    frame = pd.DataFrame({"ticker": ["0700.HK", "GONE"], "announced": ["2021-09-13", "2021-09-13"]})
    prices = es.fetch_prices(["0700.HK", "^HSI", "GONE"], "2021-01-04", "2021-12-30", source=Vendor())
    assert SECRET not in repr(prices) + repr(prices.provenance) + repr(prices.problems) + prices._repr_html_()
    return STUDIED.run(es.Events.from_frame(frame), prices)


def test_the_record_of_a_careless_source_is_masked(careless: es.Result) -> None:
    assert SECRET not in json.dumps(careless.provenance, default=str)
    record = careless.provenance["prices"]
    assert record["url"] == "https://user:***@127.0.0.1:9/v1?api_key=***"
    assert record["token"] == record["headers"]["X-Api-Key"] == "***"
    assert record["headers"]["Authorization"] == "***"
    assert record["sha256"]["0700.HK"] == source_hash()
    assert SECRET not in repr(careless) + careless._repr_html_()


def source_hash() -> str:
    hashes: dict[str, str] = dict(
        es.fetch_prices(["0700.HK"], "2021-01-04", "2021-12-30", source="simulated").provenance["sha256"]
    )
    return hashes["0700.HK"]


@pytest.mark.parametrize(
    "suffix",
    [
        ".txt",
        ".csv",
        *(pytest.param(s, marks=pytest.mark.thorough) for s in (".html", ".md", ".tex", ".xlsx", ".docx")),
    ],
)
def test_no_report_and_no_saved_result_has_it(careless: es.Result, suffix: str, tmp_path: Path) -> None:
    replace(careless, rerun=None).report(tmp_path / f"report{suffix}")
    careless.save(tmp_path / "saved.result")
    for file in tmp_path.iterdir():
        assert SECRET.encode() not in unpacked(file), file.name


def unpacked(file: Path) -> bytes:
    """Return the bytes of a file, and of all members of a zip."""
    if not zipfile.is_zipfile(file):
        return file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        return file.read_bytes() + b"".join(archive.read(name) for name in archive.namelist())


def test_no_lock_and_no_store_has_it(tmp_path: Path) -> None:
    prices = es.fetch_prices(["0700.HK", "^HSI"], "2021-01-04", "2021-12-30", source=Vendor())
    es.freeze(prices, tmp_path / "locked")
    es.write_prices(prices, tmp_path / "store")
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {"lock.json", "store.json"} <= {file.name for file in files}
    for file in files:
        assert SECRET.encode() not in file.read_bytes(), file.name


def test_what_a_result_keeps_of_its_run_shows_no_address_of_a_checkpoint(tmp_path: Path) -> None:
    result = with_checkpoint(f"memory://{LOGIN}/x")
    assert SECRET not in repr(result.rerun) + repr(result) + json.dumps(result.provenance, default=str)
    assert SECRET.encode() not in unpacked(result.save(tmp_path / "x"))


# --- study files, which are registered, packed and shared ---------------------------------------------------------


STUDY = '[study]\nevents = "events.csv"\nbenchmark = "^HSI"\n[prices]\nsource = "vendor"\n'
OPTIONS = {
    "uri": f'"postgresql://me:{SECRET}@host/db"',
    "url": f'"https://{SECRET}@host/v1"',
    "token": f'"{SECRET}"',
    "api_key": f'"{SECRET}"',
    "headers": f'{{ Authorization = "Bearer {SECRET}" }}',
    "servers": f'["ftp://me:{SECRET}@host"]',
    "query": f"\"SELECT * FROM postgres_scan('password={SECRET}')\"",
}


def written(folder: Path, line: str) -> Path:
    (folder / "events.csv").write_text("ticker,announced\nBABA,2021-09-13\n", encoding="utf-8")
    (folder / "study.toml").write_text(f"{STUDY}{line}\n", encoding="utf-8")
    return folder / "study.toml"


@pytest.mark.parametrize("name", OPTIONS)
def test_a_study_file_with_a_secret_is_neither_run_registered_nor_packed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = written(tmp_path, f"{name} = {OPTIONS[name]}")
    tries: list[Callable[[], object]] = [
        lambda: studyfile.read(place),
        lambda: register.register(place),
        lambda: es.replicate(place, tmp_path / "x.zip"),
    ]
    for attempt in tries:
        with pytest.raises(es.InputError, match=rf"{name}.* \[prices\].* contains a password") as caught:
            attempt()
        assert SECRET not in told(caught.value)
    assert main(["check", str(place)]) != 0
    assert SECRET not in "".join(capsys.readouterr())
    assert {file.name for file in tmp_path.iterdir()} == {"events.csv", "study.toml"}


@pytest.mark.parametrize("line", ['token = "env:VENDOR_TOKEN"', 'url = "https://host/v1?page=2"', "tokens = 3"])
def test_a_study_file_may_name_where_the_secret_is(line: str, tmp_path: Path) -> None:
    file = studyfile.read(written(tmp_path, line))
    assert file.source == "vendor"
    assert SECRET not in repr(file)


def test_a_record_keeps_its_types_and_what_is_no_text() -> None:
    record = {"a": 1, "b": (1.5, None, "x"), "c": {"d": [True]}, 7: "y", "tokens": 5, "password": ""}
    assert masked_record(record) == record
    assert masked_record({"proxy": {"password": "a"}}) == {"proxy": {"password": "***"}}
