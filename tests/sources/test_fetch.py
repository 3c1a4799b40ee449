"""``eventstudy fetch``: a folder that is whole, keeps what it has, and says what it lacks."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import eventstudy as es
from eventstudy import cli
from eventstudy.bars import Bars
from eventstudy.errors import BadPrices, EventStudyWarning, InputError, OutputError
from eventstudy.sources import _write
from tests.sources.fakes import yahoo

DATES = np.arange("2021-01-04", "2021-04-04", dtype="datetime64[D]")
TICKERS = [f"K{k}" for k in range(6)]


def prices(value: float, tickers: list[str] = TICKERS, note: str = "") -> es.Prices:
    bars = {
        name: Bars(name, DATES, {"close": np.full(len(DATES), value), "adjusted": np.full(len(DATES), value)}, "XNYS")
        for name in tickers
    }
    return es.Prices(bars, provenance={"source": "frame"} | ({"note": note} if note else {}))


def closes(folder: Path) -> dict[str, float]:
    found = {name: np.unique(bars.fields["close"]) for name, bars in es.read_prices(folder).bars.items()}
    assert all(len(values) == 1 for values in found.values())
    return {name: float(values[0]) for name, values in found.items()}


def lock(folder: Path) -> dict[str, dict[str, str]]:
    tickers: dict[str, dict[str, str]] = json.loads((folder / "lock.json").read_text(encoding="utf-8"))["tickers"]
    return tickers


def test_a_folder_is_renewed_and_nothing_of_the_old_is_left(tmp_path):
    _write.write(prices(1.0), tmp_path)
    _write.write(prices(2.0), tmp_path)
    assert closes(tmp_path) == dict.fromkeys(TICKERS, 2.0)
    rows = lock(tmp_path)
    names = ["lock.json", "manifest.csv", *(row["file"] for row in rows.values())]
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(names)
    for row in rows.values():
        assert hashlib.sha256((tmp_path / row["file"]).read_bytes()).hexdigest() == row["sha256"]


def test_tickers_that_are_not_written_again_stay(tmp_path):
    _write.write(prices(1.0), tmp_path)
    _write.write(prices(2.0, ["K1", "NEW"]), tmp_path)
    assert closes(tmp_path) == {**dict.fromkeys(TICKERS, 1.0), "K1": 2.0, "NEW": 2.0}


def test_a_price_that_was_changed_is_refused_with_its_ticker_and_date(tmp_path):
    _write.write(prices(1.0), tmp_path)
    file = tmp_path / lock(tmp_path)["K2"]["file"]
    file.write_text(file.read_text().replace("2021-01-05,1.0", "2021-01-05,1.5", 1))
    with pytest.raises(InputError, match=r"are not those of lock\.json: K2 \(2021-01-05 differs\); put .* back"):
        es.read_prices(tmp_path)
    assert es.fetch_prices(["K1"], None, None, source="folder", path=tmp_path).tickers == ("K1",)
    found = es.read_prices(tmp_path, verify=False)
    assert found.bars["K2"].fields["close"][:3].tolist() == [1.0, 1.5, 1.0]
    (note,) = found.provenance["notes"]
    assert note.endswith("not verified against lock.json before the run: K2 (2021-01-05 differs)")
    _write.write(prices(2.0, ["K2"]), tmp_path)
    assert file.exists()  # it is somebody's work now
    assert closes(tmp_path)["K2"] == 2.0


def test_what_the_lock_does_not_list_is_named(tmp_path):
    _write.write(prices(1.0), tmp_path)
    shutil.copy(tmp_path / lock(tmp_path)["K0"]["file"], tmp_path / "BABA.csv")
    (tmp_path / "old notes.csv").write_text("x")
    with pytest.warns(EventStudyWarning, match=r"does not list 1 files .* not read: BABA\.csv; list them"):
        found = es.read_prices(tmp_path)
    assert found.tickers == tuple(TICKERS)
    assert found.provenance["unlisted"] == "BABA.csv, old notes.csv"


@pytest.mark.parametrize(
    "files", [{"BABA.csv": "Date,Close\n2021-01-04,1\n"}, {"manifest.csv": "ticker,file\nA,A.csv\n"}]
)
def test_a_folder_of_the_users_own_is_not_touched(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match="name a new"):
        _write.write(prices(1.0), tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == files


def test_a_store_is_no_place_to_fetch_to_and_a_fetched_folder_none_for_a_store(tmp_path):
    es.write_prices(prices(1.0), tmp_path / "store")
    _write.write(prices(1.0), tmp_path / "folder")
    with pytest.raises(InputError, match="name a new"):
        _write.write(prices(2.0), tmp_path / "store")
    with pytest.raises(InputError, match="something else"):
        es.write_prices(prices(2.0), tmp_path / "folder")
    assert closes(tmp_path / "store") == closes(tmp_path / "folder") == dict.fromkeys(TICKERS, 1.0)


def test_files_of_a_writer_that_was_killed_are_not_prices_and_are_removed(tmp_path):
    (tmp_path / "K0.0123abcd.csv").write_text("Date,Close\n2021-01-04,1\n")
    with pytest.raises(InputError, match="left by a writer that did not end"):
        es.read_prices(tmp_path)
    content = b"Date,Close\n2021-01-04,9.0\n"
    orphan = tmp_path / _write.hashed_name("K0", hashlib.sha256(content).hexdigest(), ".csv")
    orphan.write_bytes(content)
    _write.write(prices(1.0), tmp_path)
    assert closes(tmp_path) == dict.fromkeys(TICKERS, 1.0)
    assert not orphan.exists()


@pytest.mark.parametrize("place", ["/proc/prices", "file/prices", "file", ""])
@pytest.mark.parametrize("write", [_write.write, es.write_prices], ids=["folder", "store"])
def test_a_place_that_cannot_be_is_named(write, place, tmp_path):
    (tmp_path / "file").write_text("mine")
    where: object = str(tmp_path / place) if place else None
    with pytest.raises((OutputError, InputError), match=place or "None"):
        write(prices(1.0), where)
    with pytest.raises(InputError, match=r"(folder|path) is 'a"):
        write(prices(1.0), "a\0b")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("path", [None, 3, "", b"prices", "a\0b"])
def test_what_is_no_folder_is_said_to_be_none(path):
    for read in (es.read_prices, lambda path: es.fetch_prices(None, None, None, source="folder", path=path)):
        with pytest.raises(InputError, match=r"give (a path|the path of a f)"):
            read(path)
    with pytest.raises(InputError, match=r"no store|give (a path|the path of a f)"):
        es.fetch_prices(None, None, None, source="store", path=path)


@pytest.mark.thorough
def test_simulated_prices_are_said_to_be_so_on_every_way(tmp_path):
    """Folder, store, a part of them, one written from the other: the note comes back, and no other prices get it."""
    real = prices(1.0)
    made = es.fetch_prices(["0700.HK", "^HSI"], "2021-01-04", "2021-03-31", source="simulated")
    _write.write(made, tmp_path / "folder")
    _write.write(real, tmp_path / "folder")
    es.write_prices([made, real], tmp_path / "store")
    es.write_prices(es.read_prices(tmp_path / "folder"), tmp_path / "again")
    for source, name in (("folder", "folder"), ("store", "store"), ("store", "again")):
        path = tmp_path / name
        assert es.read_prices(path).provenance["note"] == "simulated prices", name
        alone = es.fetch_prices(["K1"], None, None, source=source, path=path).provenance
        assert ("note" in alone) == (name == "again"), name  # prices in memory have one note for all
        some = es.fetch_prices(["^HSI"], "2021-02-01", None, source=source, path=path).provenance
        assert some["note"] == "simulated prices"
        assert "simulated" in some["origin"]
    events = es.Events.from_frame(__import__("pandas").DataFrame({"ticker": ["0700.HK"], "announced": ["2021-03-24"]}))
    study = es.Study(benchmark="^HSI", estimation=(-40, -6), event=(-1, 1), windows=((0, 0),), min_estimation=20)
    for name in ("folder", "store"):
        result = study.run(events, es.read_prices(tmp_path / name))
        for suffix in ("txt", "html", "csv") if name == "folder" else ("txt",):
            report = result.report(tmp_path / f"{name}_report.{suffix}")
            assert "simulated prices" in report.read_text(encoding="utf-8")


STUDY = """
[study]
events = "events.csv"
benchmark = "^HSI"
[prices]
source = "simulated"
seed = {seed}
"""


def fetch(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = cli.main(["fetch", str(folder / "study.toml"), "--to", str(folder / "prices")])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.thorough
def test_fetch_keeps_what_the_same_request_fetched_and_renews_what_another_did(tmp_path, capsys):
    (tmp_path / "events.csv").write_text("ticker,announced\nBABA,2021-02-03\n0700.HK,2021-02-03\n")
    (tmp_path / "study.toml").write_text(STUDY.format(seed=1))
    code, text, _ = fetch(tmp_path, capsys)
    assert (code, "written: 3 files" in text, "were there" in text) == (0, True, False)
    code, text, _ = fetch(tmp_path, capsys)
    assert (code, "written: 0 files" in text, "3 were there" in text) == (0, True, True)
    first = lock(tmp_path / "prices")
    damaged = tmp_path / "prices" / first["BABA"]["file"]
    damaged.write_bytes(damaged.read_bytes()[:-9])
    code, text, _ = fetch(tmp_path, capsys)
    assert (code, "written: 1 files" in text, "2 were there" in text) == (0, True, True)
    (tmp_path / "events.csv").write_text("ticker,announced\nBABA,2021-02-03\n0700.HK,2021-01-20\nJD,2021-01-29\n")
    assert "written: 4 files" in fetch(tmp_path, capsys)[1]  # the span begins earlier
    (tmp_path / "events.csv").write_text("ticker,announced\nBABA,2021-02-03\n0700.HK,2021-02-01\n")
    assert "3 were there" in fetch(tmp_path, capsys)[1]  # a span within
    (tmp_path / "study.toml").write_text(STUDY.format(seed=2))
    assert "written: 3 files" in fetch(tmp_path, capsys)[1]  # other prices
    assert list(lock(tmp_path / "prices")) == ["0700.HK", "BABA", "JD", "^HSI"]
    assert first["BABA"]["sha256"] != lock(tmp_path / "prices")["BABA"]["sha256"]
    assert cli.main(["run", str(tmp_path / "study.toml"), "--prices", str(tmp_path / "prices")]) == 0
    assert "simulated prices" in capsys.readouterr().out


ASKED = """
[study]
events = "events.csv"
benchmark = "^HSI"
[prices]
source = "yahoo"
attempts = {attempts}
wait = 0.01
timeout = 5
also = [{also}]
"""
FETCH = """
import contextlib, io, json, sys
from eventstudy.cli import main
for _ in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["fetch", "study.toml", "--to", "prices"])
    print(json.dumps({"returncode": code, "stdout": out.getvalue(), "stderr": err.getvalue()}), flush=True)
"""


def fetching(folder, environment):
    """Start a process that fetches the prices of a study file each time that it is given a line."""
    command, pipe = [sys.executable, "-c", FETCH], subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, text=True)


@pytest.mark.thorough
def test_fetch_from_yahoo_asks_only_for_what_it_lacks(shared, tmp_path):
    """A failure is exit 1 and loses nothing; a server that is alive again is asked for the rest, counted there."""
    (tmp_path / "events.csv").write_text("ticker,announced\nBABA,2021-01-27\n0700.HK,2021-01-27\n")

    def run(fake, program, attempts=1, also=""):
        (tmp_path / "study.toml").write_text(ASKED.format(attempts=attempts, also=also))
        fake.log.clear()
        program.stdin.write("\n")
        program.stdin.flush()
        done = SimpleNamespace(**json.loads(program.stdout.readline()))
        asked = {entry[2].rsplit("/", 1)[1] for entry in fake.log if "/chart/" in entry[2]}
        listed = set(lock(tmp_path / "prices")) if (tmp_path / "prices" / "lock.json").exists() else set()
        return done, asked, listed

    with yahoo(shared) as fake, fetching(tmp_path, fake.env(tmp_path / "cache")) as program:
        fake.plan("BABA", "500*")
        done, asked, listed = run(fake, program)
        assert (done.returncode, listed) == (1, {"0700.HK", "^HSI"})
        assert "BABA         Yahoo gave no usable answer for BABA in 1 attempts" in done.stdout
        assert "1 of 3 tickers could not be fetched" in done.stderr
        fake.plans.clear()
        done, asked, listed = run(fake, program, attempts=2)
        assert (done.returncode, asked, listed) == (0, {"BABA"}, {"BABA", "0700.HK", "^HSI"})
        assert "written: 1 files" in done.stdout
        assert "2 were there" in done.stdout
        done, asked, _ = run(fake, program)
        assert (done.returncode, asked) == (0, set())
        # Other dates: a ticker whose renewal fails stays as it was, and is said to.
        (tmp_path / "events.csv").write_text("ticker,announced\nBABA,2021-01-20\n0700.HK,2021-01-27\n")
        fake.plan("BABA", "500*")
        before = lock(tmp_path / "prices")
        done, asked, listed = run(fake, program)
        assert (done.returncode, listed) == (1, {"BABA", "0700.HK", "^HSI"})
        assert lock(tmp_path / "prices")["BABA"] == before["BABA"]
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("BABA ")]
        assert "no usable answer" in line
        assert "kept from the fetch of" in line
        # 200 tickers of a dead server: every one is listed.
        names = [f"T{k}" for k in range(200)]
        fake.plans.clear()
        for name in names:
            fake.plan(name, "tz:500*")
        done, asked, listed = run(fake, program, also=", ".join(f'"{name}"' for name in names))
        assert done.returncode == 1
        assert {line.split()[0] for line in done.stdout.splitlines()} >= {*names, "BABA", "0700.HK", "^HSI"}
        assert {"BABA", "0700.HK", "^HSI"} <= listed
        assert len(asked & set(names)) < 10


@pytest.mark.thorough
def test_a_reader_beside_a_writer_finds_one_fetch_whole(tmp_path):
    _write.write(prices(1.0), tmp_path)
    child = os.fork()
    if not child:
        for k in range(20):
            _write.write(prices(2.0 + k), tmp_path)
        os._exit(0)
    n = 0
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        assert len(set(closes(tmp_path).values())) == 1
        n += 1
    assert n
    assert closes(tmp_path) == dict.fromkeys(TICKERS, 21.0)


def test_bars_with_other_values_keep_their_fields(tmp_path):
    made = prices(1.0, ["K0"])
    bars = replace(made.bars["K0"], fields={**made.bars["K0"].fields, "volume": np.arange(len(DATES)) / 3})
    _write.write(es.Prices({"K0": bars}), tmp_path)
    np.testing.assert_array_equal(es.read_prices(tmp_path).bars["K0"].fields["volume"], bars.fields["volume"])


def test_a_folder_of_an_earlier_version_says_what_to_do(tmp_path):
    """It has a manifest and no lock, so that nothing of it can be continued; it is still read, as its hashes say."""
    text = b"Date,Close\n2021-01-04,1\n2021-01-05,2\n"
    sha256 = hashlib.sha256(text).hexdigest()
    old = tmp_path / "old"
    old.mkdir()
    (old / "BABA.csv").write_bytes(text)
    (old / "manifest.csv").write_text(f"ticker,file,currency,mic,sha256\nBABA,BABA.csv,USD,XNYS,{sha256}\n")
    with pytest.raises(InputError, match=r"earlier version .* es\.read_prices still reads .* name a new"):
        _write.write(es.Prices({}), old)
    found = es.read_prices(old)
    assert found.bars["BABA"].fields["close"].tolist() == [1.0, 2.0]
    es.freeze(found, tmp_path / "new")
    assert es.read_prices(tmp_path / "new").provenance["sha256"] == found.provenance["sha256"]
    (old / "BABA.csv").write_bytes(text.replace(b",2", b",3"))
    with pytest.raises(BadPrices, match=r"manifest\.csv lists for BABA: its SHA-256 differs"):
        es.read_prices(old)


def test_the_manifest_repeats_the_lock_and_is_not_read_beside_it(tmp_path: Path) -> None:
    prices = es.fetch_prices(["K0", "^HSI"], "2021-01-04", "2021-01-08", source="simulated")
    es.freeze(prices, tmp_path)
    tickers = json.loads((tmp_path / "lock.json").read_text())["tickers"]
    with (tmp_path / "manifest.csv").open(newline="") as file:
        rows = {row["ticker"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(tickers) == {"K0", "^HSI"}
    assert all(row[name] == tickers[ticker][name] for ticker, row in rows.items() for name in row if name != "ticker")
    (tmp_path / "manifest.csv").write_text("ticker,file\nK9,none.csv\n")
    assert set(es.read_prices(tmp_path).tickers) == {"K0", "^HSI"}
