"""A study file says the same as the study: each key, and what is wrong with one."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import studyfile
from eventstudy.errors import InputError

EVENTS = "ticker,announced,near,a,b,firm\nBABA,2021-06-09,JD;NIO,-5,5,x\nJD,2021-09-14,,,,\n"
SOURCE = "[prices]\nsource = 'simulated'\n"


def write(folder: Path, study: str, prices: str = SOURCE, events: str = EVENTS) -> Path:
    (folder / "events.csv").write_text(events)
    file = folder / "study.toml"
    file.write_text(f"[study]\nevents = 'events.csv'\n{study}\n{prices}")
    return file


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("peers = ['NIO', 'XPEV']", "peers", ["NIO", "XPEV"]),
        ("peers = 'near'", "peers", "near"),
        ("peers = {BABA = ['NIO']}", "peers", {"BABA": ["NIO"]}),
        ("outcome = 'volume'", "outcome", "volume"),
        ("accumulate = 'compound'", "accumulate", "compound"),
        ("currency = 'USD'", "currency", "USD"),
        ("contaminated = 'mask'", "contaminated", "mask"),
        ("confounding = [-1, 1]", "confounding", (-1, 1)),
        ("event_columns = ['a', 'b']", "event_columns", ("a", "b")),
        ("estimation_columns = ['a', 'b']", "estimation_columns", ("a", "b")),
    ],
)
def test_each_key_is_the_choice_of_the_same_name(tmp_path: Path, line: str, name: str, value: Any) -> None:
    its = studyfile.read(write(tmp_path, line)).study
    assert getattr(its, name) == value
    assert its == es.Study(**{name: value})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("peers = 7", r"peers"),
        ("outcome = 1", "outcome"),
        ("accumulate = 'multiply'", "accumulate.*'multiply'"),
        ("contaminated = 'hide'", "contaminated.*'hide'"),
        ("confounding = [1]", "confounding"),
        ("confounding = [2, 1]", "confounding"),
        ("event_columns = ['a']", "event_columns"),
        ("event_columns = [1, 2]", "event_columns"),
        ("currencies = 'USD'", "currencies"),
    ],
)
def test_a_key_that_is_not_valid_names_itself(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        studyfile.read(write(tmp_path, line))


def test_tickers_are_those_of_events_benchmark_peers_and_also(tmp_path: Path) -> None:
    also = "[prices]\nsource = 'simulated'\nalso = ['HKD=X', 'KWEB']\n"
    by_column = studyfile.read(write(tmp_path, "peers = 'near'\nbenchmark = '^GSPC'\nmodel = 'peers'", also))
    assert by_column.also == ("HKD=X", "KWEB")
    assert by_column.tickers() == ["BABA", "JD", "^GSPC", "NIO", "HKD=X", "KWEB"]
    assert "also" not in by_column.options
    mapped = studyfile.read(write(tmp_path, "peers = {BABA = ['NIO'], JD = ['XPEV']}\nmodel = 'mean'"))
    assert mapped.tickers() == ["BABA", "JD", "NIO", "XPEV"]


def test_a_blank_cell_names_no_ticker(tmp_path: Path) -> None:
    file = write(tmp_path, "peers = 'near'\nmodel = 'peers'")
    frame = pd.DataFrame({"ticker": ["BABA", "JD"], "announced": ["2021-06-09", "2021-09-14"], "near": ["NIO", None]})
    its = studyfile.read(file)
    parquet = studyfile.StudyFile(its.study, es.Events.from_frame(frame), None, "simulated", {})
    assert parquet.tickers() == ["BABA", "JD", "NIO"]


@pytest.mark.parametrize("also", ["'HKD=X'", "[1]", "7"])
def test_also_is_a_list_of_tickers(tmp_path: Path, also: str) -> None:
    with pytest.raises(InputError, match=r"also in \[prices\] is"):
        studyfile.read(write(tmp_path, "", f"[prices]\nsource = 'simulated'\nalso = {also}\n"))


def test_factors_in_a_list_are_files_of_frenchs_library(tmp_path: Path) -> None:
    days = pd.bdate_range("2019-01-01", "2021-12-31")
    values = np.random.default_rng(1).normal(0, 1, (len(days), 4)).round(2)
    rows = "\r\n".join(f"{d:%Y%m%d}," + ",".join(f"{v:8.2f}" for v in row) for d, row in zip(days, values, strict=True))
    head = "This file was created using the 202112 CRSP database.\r\n\r\n,Mkt-RF,SMB,HML,RF"
    text = f"{head}\r\n{rows}\r\n\r\nCopyright\r\n"
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("F-F_Research_Data_Factors_daily.csv", text)
    its = studyfile.read(write(tmp_path, "factors = ['x.zip']\nmodel = 'ff3'"))
    assert its.factors is not None
    assert list(its.factors.columns) == ["Mkt-RF", "SMB", "HML", "RF"]
    np.testing.assert_allclose(its.factors.to_numpy(), values / 100, atol=1e-15)
    assert its.tickers() == ["BABA", "JD"]
    assert its.factors.attrs["source"][0]["vintage"] == "202112"
    with pytest.raises(InputError, match=r"y\.zip"):
        studyfile.read(write(tmp_path, "factors = ['y.zip']\nmodel = 'ff3'"))


def test_the_file_runs_as_the_study_does(tmp_path: Path, shared: Path) -> None:
    prices = (
        f"[prices]\nsource = 'folder'\npath = '{shared / 'data' / 'prices'}'\nalso = ['HKD=X']\nstart = 2019-01-01\n"
    )
    lines = "benchmark = '^HSI'\ncurrency = 'USD'\nwindows = [[0, 0]]\ntests = ['cross_section']\ncontaminated = 'flag'"
    file = studyfile.read(write(tmp_path, lines, prices, "ticker,announced\n0700.HK,2021-06-09\n9988.HK,2021-09-14\n"))
    made = file.study.run(file.events, file.prices())
    assert made.events["status"].tolist() == ["ok", "ok"]
    assert made.provenance["settings"]["currency"] == "USD"
    assert made.events["n_contaminated"].tolist() == [0, 0]


def test_tests_may_have_labels_of_their_own(tmp_path: Path) -> None:
    line = "tests = {few = {name = 'placebo', draws = 99}, many = {name = 'placebo', draws = 499}, rank = 'corrado'}"
    tests = studyfile.read(write(tmp_path, line)).study.tests_for("independent")
    assert {label: test.draws for label, test in tests.items()} == {"few": 99, "many": 499, "rank": 0}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a=" + "[" * 5000 + "]" * 5000, "nested too deeply"),
        ("[study]\ncatalogue='china-tech'\nwindows=" + "[" * 500 + "]" * 500, "nested|windows"),
        ("[study]\ncatalogue='china-tech'\n[prices]\nsource='yahoo'\ntickers=['A']", "also = "),
        ("[study]\ncatalogue='china-tech'\n[prices]\nsource='folder'\npath=7", "path"),
        ("[study]\ncatalogue='china-tech'\n[prices]\nsource='folder'\npath=['a']", "path"),
        ("[study]\ncatalogue='china-tech'\n[prices]\nsource='folder'\nalso='A'", "also"),
        ("[study]\ncatalogue='china-tech'\n[prices]\nsource=['yahoo']", "source"),
        ("[study]\ncatalogue='china-tech'\n[prices]\nsource='nowhere'", "nowhere"),
    ],
)
def test_files_that_say_what_cannot_be(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "study.toml"
    file.write_text(content)
    with pytest.raises(InputError, match=words):
        studyfile.read(file).prices()


@pytest.mark.parametrize(
    ("entry", "version"),
    [("'china-tech'", None), ("{ name = 'china-tech', version = '1' }", "1"), ("{ name = 'china-tech' }", None)],
)
def test_a_catalogue_may_be_of_a_version(tmp_path: Path, entry: str, version: str | None) -> None:
    file = tmp_path / "study.toml"
    file.write_text(f"[study]\ncatalogue = {entry}\n{SOURCE}")
    frame = studyfile.read(file).events.frame
    pd.testing.assert_frame_equal(frame, es.catalogue("china-tech", version=version).frame)
    assert ("priority" in frame) == (version is None)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("catalogue = { name = 'china-tech', version = '9' }", "the version of the catalogue china-tech is '9'"),
        ("catalogue = { name = 'china-tech', version = 1 }", "`str .*version"),
        ("catalogue = { version = '1' }", "name"),
        ("catalogue = { name = 'china-tech', edition = '1' }", "edition"),
        ("events = 'e.csv'\ncatalogue = { name = 'china-tech' }", "needs either"),
        ("model = 'mean'", r"catalogue = \{name = 'china-tech', version = '1'\}"),
    ],
)
def test_a_catalogue_that_cannot_be_is_named(tmp_path: Path, lines: str, words: str) -> None:
    (tmp_path / "study.toml").write_text(f"[study]\n{lines}\n{SOURCE}")
    with pytest.raises(InputError, match=words):
        studyfile.read(tmp_path / "study.toml")


TOML = ["7", "-1", "1.5", "nan", "true", "''", "'x'", "[]", "[1]", "['a']", "[[0, 0]]", "{}", "{a = 1}", "{name = 1}",
        "{name = 'market', draws = {}}", "2020-01-01", "2020-01-01T00:00:00Z", "12:00:00", "[[[]]]"]  # fmt: skip
KEYS = ["events", "catalogue", "factors", *es.Study.__dataclass_fields__]


@pytest.mark.thorough
@pytest.mark.parametrize("key", KEYS)
def test_values_of_wrong_kinds_are_errors_of_the_library(tmp_path: Path, key: str) -> None:
    (tmp_path / "events.csv").write_text(EVENTS)
    for value in TOML:
        line = f"{key} = {value}"
        lead = "" if key in ("events", "catalogue") else "events = 'events.csv'\n"
        (tmp_path / "study.toml").write_text(f"[study]\n{lead}{line}\n{SOURCE}")
        try:
            studyfile.read(tmp_path / "study.toml")
        except es.EventStudyError as error:
            message = str(error)
        else:
            message = ""
        assert len(message) < 3_000


@pytest.mark.thorough
@pytest.mark.parametrize("key", ["source", "start", "end", "also", "path", "uri", "seed", "columns", "table"])
@pytest.mark.parametrize(
    "source",
    [
        "folder",
        "duckdb",
        *(pytest.param(n, marks=pytest.mark.full) for n in ("simulated", "parquet")),
    ],
)
def test_wrong_kinds_in_the_table_of_prices(tmp_path: Path, source: str, key: str) -> None:
    (tmp_path / "events.csv").write_text(EVENTS)
    for value in TOML:
        lead = "" if key == "source" else f"source = '{source}'\n"
        (tmp_path / "study.toml").write_text(
            f"[study]\nevents = 'events.csv'\nbenchmark = '^HSI'\n[prices]\n{lead}{key} = {value}\n"
        )
        message = ""
        try:
            made = studyfile.read(tmp_path / "study.toml")
            if made.source != "yahoo" and key != "seed":
                made.prices()
        except es.EventStudyError as error:
            message = str(error)
        assert len(message) < 3_000, (source, key, value)
