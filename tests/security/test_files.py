"""Hostile files at the doors that other tests do not try: bombs, entities, pickles, names that lead elsewhere."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import openpyxl
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import studyfile
from eventstudy.reproduce import replicate
from eventstudy.sources import _lock
from eventstudy.tabular import excel
from tests.fuzz.harness import within
from tests.reports.fake import fake


class Trap:
    """An object whose pickle writes a file when it is read."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.place,)


def studied() -> tuple[es.Events, es.Prices, es.Study]:
    days = pd.bdate_range("2021-09-13", periods=3)
    events = es.Events.from_frame(pd.DataFrame({"ticker": ["0700.HK"] * 3, "announced": days}))
    prices = es.fetch_prices(["0700.HK", "^HSI"], "2021-01-04", "2021-12-30", source="simulated")
    return events, prices, es.Study(benchmark="^HSI", estimation=(-60, -11), min_estimation=30, tests=["cross_section"])


# --- a checkpoint ---------------------------------------------------------------------------------------------------


def test_a_pickle_in_a_checkpoint_is_not_read(tmp_path: Path) -> None:
    events, prices, study = studied()
    folder, opened = tmp_path / "parts", tmp_path / "opened"
    wanted = study.run(events, prices, checkpoint=folder)
    parts = sorted(folder.glob("*.npz"))
    assert parts
    trap = np.empty(1, dtype=object)
    trap[0] = Trap(opened)
    with zipfile.ZipFile(parts[0]) as archive:
        names = json.loads(str(np.load(io.BytesIO(archive.read("names.npy")))))
    for part in parts:
        np.savez(part, names=np.array(json.dumps(names)), **{f"a{k}": trap for k in range(len(names))})
    with np.load(parts[0], allow_pickle=True) as trapped:
        assert trapped["a0"].shape == (1,)
    opened.unlink()  # so the trap works, and would be seen
    again = study.run(events, prices, checkpoint=folder)
    assert not opened.exists()
    assert any("damaged" in note for note in again.provenance["notes"])
    pd.testing.assert_frame_equal(again.tests, wanted.tests, check_exact=True)


# --- workbooks ------------------------------------------------------------------------------------------------------


def workbook(place: Path, **replaced: str) -> Path:
    """Write a workbook of two prices, some of its members in another form."""
    book = openpyxl.Workbook()
    for row in (["Date", "Close"], ["2021-09-10", 1], ["2021-09-13", 2]):
        book.active.append(row)
    plain = io.BytesIO()
    book.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            text = source.read(name).decode()
            for old, new in replaced.items() if name == "xl/worksheets/sheet1.xml" else ():
                assert old in text
                text = text.replace(old, new, 1)
            target.writestr(name, text)
    return place


def test_a_workbook_that_unpacks_to_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = workbook(tmp_path / "BABA.xlsx", sheetData=f"sheetData>{'<row/>' * 400_000}<x/")
    assert place.stat().st_size < 20_000
    monkeypatch.setattr(excel, "LEAST", 1_000_000)
    monkeypatch.setattr(openpyxl, "load_workbook", lambda *_, **__: pytest.fail("it was unpacked"))
    for read in (lambda: es.read_prices(tmp_path), lambda: es.read_events(place)):
        with pytest.raises(es.EventStudyError, match="cannot be read"):
            read()


def test_a_workbook_of_its_size_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workbook(tmp_path / "BABA.xlsx")
    monkeypatch.setattr(excel, "LEAST", 0)
    assert es.read_prices(tmp_path).bars["BABA"].fields["close"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("kind", ["a billion laughs", "a file of this machine"])
def test_the_entities_of_a_workbook_are_not_expanded(kind: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("S3cr3t", encoding="utf-8")
    levels = "".join(f'<!ENTITY e{k} "{f"&e{k - 1};" * 10}">' for k in range(1, 10))
    entity = f'<!ENTITY e0 "ha">{levels}' if "laughs" in kind else f'<!ENTITY e9 SYSTEM "{secret.as_uri()}">'
    folder = tmp_path / "prices"
    folder.mkdir()
    place = workbook(folder / "BABA.xlsx", **{"<worksheet": f"<!DOCTYPE x [{entity}]><worksheet", "2021-09-10": "&e9;"})
    for read in (lambda: es.read_prices(folder), lambda: es.read_events(place)):
        with within(60), pytest.raises(es.EventStudyError) as caught:  # expanded, a billion words take longer
            read()
        assert "S3cr3t" not in str(caught.value)


# --- names that lead elsewhere --------------------------------------------------------------------------------------


def locked(folder: Path, file: str) -> Path:
    """Write a locked folder whose lock, sealed as the library seals it, names another file."""
    prices = es.fetch_prices(["0700.HK"], "2021-09-01", "2021-09-30", source="simulated")
    es.freeze(prices, folder)
    rows = {name: msgspec.structs.replace(row, file=file) for name, row in _lock.read_lock(folder).items()}
    (folder / _lock.LOCK).write_bytes(_lock.lock_text(rows))
    return folder


@pytest.mark.parametrize("file", ["../secret.csv", "..\\secret.csv", "{absolute}", "sub/../../secret.csv"])
def test_a_lock_names_no_file_outside_its_folder(file: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("Date,Close\n2021-09-10,4242\n2021-09-13,4243\n", encoding="utf-8")
    folder = locked(tmp_path / "locked", file.replace("{absolute}", str(secret)))
    study = tmp_path / "study.toml"
    (tmp_path / "events.csv").write_text("ticker,announced\n0700.HK,2021-09-13\n", encoding="utf-8")
    study.write_text(
        '[study]\nevents = "events.csv"\nbenchmark = "^HSI"\n[prices]\nsource = "folder"\npath = "locked"\n',
        encoding="utf-8",
    )
    with pytest.raises(es.InputError, match="is not the name of a file in the folder"):
        es.read_prices(folder)
    with pytest.raises(es.InputError, match="is not the name of a file in the folder"):
        es.replicate(study, tmp_path / "x.zip", with_prices=True)
    assert not (tmp_path / "x.zip").exists()


@pytest.mark.parametrize(
    "name", ["../events.csv", "..\\events.csv", "{absolute}", "C:\\events.csv", "C:events.csv", "a/../../events.csv"]
)
@pytest.mark.parametrize("key", ["events", "factors"])
def test_a_study_that_names_files_elsewhere_is_not_packed(key: str, name: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for place in (tmp_path, home):
        (place / "events.csv").write_text("ticker,announced\n0700.HK,2021-09-13\n", encoding="utf-8")
    file = name.replace("{absolute}", str(tmp_path / "events.csv"))
    (home / "study.toml").write_text(f"[study]\n{key} = '{file}'\n", encoding="utf-8")
    with pytest.raises(es.InputError, match="is not in its folder"):
        replicate._named_files(home / "study.toml")
    (home / "study.toml").write_text(f"[study]\n{key} = 'events.csv'\n", encoding="utf-8")
    assert list(replicate._named_files(home / "study.toml")) == ["events.csv"]


@pytest.mark.parametrize("name", ["../../out", "/tmp/out", "a\\..\\b", "..", "a/b", "con", "x" * 300])
def test_names_of_events_and_groups_name_no_file(name: str, tmp_path: Path) -> None:
    """What a report of several files writes lies beside its path, whatever events are called."""
    result = fake()
    events = result.events.rename(index={result.events.index[0]: name})
    inside = tmp_path / "a" / "b" / "c"
    for suffix in (".csv", ".parquet"):
        replace(result, events=events).report(inside / f"report{suffix}")
    written = {file.parent for file in tmp_path.rglob("*") if file.is_file()}
    assert written == {inside}


# --- plug-ins and study files -----------------------------------------------------------------------------------------


def test_a_study_file_runs_no_plug_in_and_no_module_by_a_name_of_its_own(tmp_path: Path, monkeypatch: Any) -> None:
    """Names are of members: a file beside the study, or a module on the path, is no plug-in."""
    (tmp_path / "trap.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w').close()\nMODEL = SOURCE = None\n", encoding="utf-8"
    )
    (tmp_path / "events.csv").write_text("ticker,announced\n0700.HK,2021-09-13\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("trap", "trap:MODEL", "../trap", "eventstudy.models.market", "_shared", "__init__"):
        for model, source in ((name, "simulated"), ("market", name)):
            text = f'[study]\nevents = "events.csv"\nmodel = "{model}"\n[prices]\nsource = "{source}"\n'
            (tmp_path / "study.toml").write_text(text, encoding="utf-8")
            with pytest.raises(es.InputError):
                studyfile.read(tmp_path / "study.toml").prices()
    assert not (tmp_path / "ran").exists()


QUERIES = [
    "ticker.to_csv('ran')", "ticker == '`' + ticker.to_csv('ran') + '`'", "ticker.to_pickle('ran')",
    "ticker.map(print)",
    "ticker.__class__", "@pd.read_csv('x')", "ticker.str.cat.__globals__", "ticker.pipe(exec)", "[x for x in ticker]",
    "(lambda: ticker)()", "ticker.dt.to_pydatetime()", "ticker if ticker else ticker", "ticker[0]", "print(ticker)",
    "f'{ticker}'", "x := ticker", "ticker; ticker",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_a_sample_runs_no_method_that_writes(query: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    events, prices, study = studied()
    result = study.run(events, prices)
    with pytest.raises(es.InputError, match="a query reads columns of the events"):
        result.multiverse(["market"], samples={"x": query})
    assert list(tmp_path.iterdir()) == []
