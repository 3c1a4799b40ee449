"""The register of a study: what is hashed, what makes no difference, and that every change afterwards is named."""

from __future__ import annotations

import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from eventstudy import cli, studyfile
from eventstudy.errors import InputError
from eventstudy.reproduce import register
from tests.reproduce import studies


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study file with its events, and no prices."""
    studies.event_rows().to_csv(tmp_path / "events.csv", index=False)
    file = tmp_path / "study.toml"
    file.write_text(studies.STUDY, encoding="utf-8")
    return file


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def changed(study: Path) -> list[str]:
    held = register.held(study)
    assert held is not None
    return [*held.changed]


def test_no_price_is_read_and_the_hash_is_that_of_the_design_in_the_file(study, monkeypatch):
    monkeypatch.setattr(studyfile.StudyFile, "prices", lambda *_: pytest.fail("prices were read"))
    made = register.register(study)
    found: dict[str, Any] = json.loads(study.with_name("study.register.json").read_text(encoding="utf-8"))
    [only] = found["registrations"]
    canonical = json.dumps(only["design"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert only["sha256"] == made.sha256 == hashlib.sha256(canonical.encode()).hexdigest()
    assert only["design"]["tickers"] == ["AAA", "BBB", "CCC", "DDD", "GONE", "MKT"]
    assert only["design"]["events"]["GONE 2020-10-01"] == {"announced": "2020-10-01", "ticker": "GONE"}
    assert only["design"]["choices"]["windows"] == [[0, 0], [-1, 1]]


def test_comments_order_and_stated_defaults_make_no_difference(study):
    register.register(study)
    lines = studies.event_rows().iloc[::-1]
    lines[["announced", "ticker"]].to_csv(study.with_name("events.csv"), index=False)
    top, prices = studies.STUDY.split("\n\n")
    head, *keys = top.splitlines()
    text = "\n".join([prices.replace('path = "prices"', 'path = "./prices" # here'), head, *keys[::-1], "seed = 0"])
    study.write_text(f"# a comment\n{text}\nmodel = {{name = 'market'}}\n", encoding="utf-8")
    assert changed(study) == []


SPAN = "span: ['2020-02-01', '2020-08-04'] -> ['2020-02-02', '2020-08-04']"
CHANGES = [
    ("study.toml", ", [-1, 1]]", "]", "choice windows: [[0, 0], [-1, 1]] -> [[0, 0]]"),
    ("study.toml", "[study]", '[study]\nmodel = "mean"', "choice model: {name: market} -> {name: mean}"),
    ("study.toml", '"prices"', '"other"', "prices path: 'prices' -> 'other'"),
    ("study.toml", '"MKT"', '"AAA"', "ticker MKT removed"),
    (
        "events.csv", "GONE,2020-10-01\n", "",
        "event GONE 2020-10-01 removed: {announced: 2020-10-01, ticker: GONE}",
    ),
    (
        "events.csv", "GONE,2020-10-01\n", "GONE,2020-10-01\nAAA,2020-10-02\n",
        "event AAA 2020-10-02 added: {announced: 2020-10-02, ticker: AAA}",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "said"), CHANGES)
def test_every_change_is_named(study, file, old, new, said):
    register.register(study)
    replace(study.with_name(file), old, new)
    assert said in changed(study)


def test_an_event_with_an_id_changes_cell_by_cell(study):
    events = study.with_name("events.csv")
    rows = "a,AAA,2020-06-17,1,CEO leaves\nb,BBB,2020-07-07,2,x\n"
    events.write_text(f"event_id,ticker,announced,size,headline\n{rows}", encoding="utf-8")
    register.register(study)
    replace(events, "2020-06-17,1", "2020-06-18,1.5")
    assert changed(study) == ["event a, announced: '2020-06-17' -> '2020-06-18'", "event a, size: '1.0' -> '1.5'", SPAN]


def test_two_equal_rows_are_two_events(study):
    events = study.with_name("events.csv")
    events.write_text("ticker,announced\nAAA,2020-06-17\nAAA,2020-06-17\n", encoding="utf-8")
    register.register(study)
    replace(events, "AAA,2020-06-17\n", "")
    assert changed(study) == ["event AAA 2020-06-17 #2 removed: {announced: 2020-06-17, ticker: AAA}"]


def test_rows_of_one_ticker_and_time_have_no_order(study):
    events = study.with_name("events.csv")
    rows = ["AAA,2020-06-17,1\n", "AAA,2020-06-17,2\n", "BBB,2020-07-07,3\n"]
    events.write_text("ticker,announced,size\n" + "".join(rows), encoding="utf-8")
    register.register(study)
    events.write_text("ticker,announced,size\n" + "".join(rows[::-1]), encoding="utf-8")
    assert changed(study) == []


def test_a_register_without_registrations_is_refused(study):
    study.with_name("study.register.json").write_text('{"format": 1, "registrations": []}', encoding="utf-8")
    with pytest.raises(InputError, match="has no registration"):
        register.held(study)


def test_an_earlier_registration_is_kept_and_named(study):
    first = register.register(study)
    with pytest.raises(InputError, match=r"was registered on .* UTC, .* --again"):
        register.register(study)
    replace(study, "[study]", "[study]\nseed = 5")
    register.register(study, again=True)
    held = register.held(study)
    assert held is not None
    assert (len(held.registrations), held.registrations[0].sha256) == (2, first.sha256)
    assert (held.changed, held.since_first) == ((), ("choice seed: 0 -> 5",))
    [note] = held.notes()
    assert note.endswith("changed since the first registration: choice seed: 0 -> 5")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"seed": 0', '"seed": 1', "was edited"),
        ("{", "[", "no register"),
        ('"format": 1', '"format": 2', "format 2"),
        ("+00:00", "", "was edited: a registration has the time"),
        ('"registered": "20', '"registered": "last week, 20', "was edited: a registration has the time"),
    ],
)
def test_an_edited_register_is_refused(study, old, new, said):
    register.register(study)
    replace(study.with_name("study.register.json"), old, new)
    with pytest.raises(InputError, match=said):
        register.held(study)


@pytest.mark.usefixtures("of_one_picture")
def test_a_run_says_in_every_output_that_nothing_changed_or_what(tmp_path, capsys):
    study = studies.write(tmp_path)
    assert cli.main(["run", str(study), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["registration"] is None
    assert cli.main(["register", str(study)]) == 0
    out = capsys.readouterr().out
    sha256 = register.read(register.path_of(study))[0].sha256
    assert sha256 in out
    assert "No file can show that nobody has looked at prices before." in " ".join(out.split())
    page = tmp_path / "r.html"
    assert cli.main(["run", str(study), "--report", str(page)]) == 0
    said = f"sha256 {sha256}; nothing changed since"
    assert said in " ".join(capsys.readouterr().out.split())
    assert said in page.read_text(encoding="utf-8")
    replace(study, "[study]", "[study]\nseed = 5")
    assert cli.main(["run", str(study), "--report", str(page)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "1 change since, see the notes" in out
    assert "choice seed: 0 -&gt; 5" in page.read_text(encoding="utf-8")
    assert "choice seed: 0 -> 5" in out
    assert cli.main(["run", str(study), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["registration"]["changed"] == ["choice seed: 0 -> 5"]


@pytest.mark.skipif(sys.platform == "win32", reason="files.locked waits for nobody there")
@pytest.mark.parametrize("again", [False, True])
def test_of_two_registrations_at_once_none_is_lost(study, monkeypatch, again):
    """Both have read the study before either writes: the second finds the first, and is refused or added."""
    barrier, design = Barrier(2, timeout=20), register.design

    def together(path: Path) -> register.Design:
        barrier.wait()
        return design(path)

    register.register(study)
    before = 1
    if not again:
        register.path_of(study).unlink()
        before = 0
    monkeypatch.setattr(register, "design", together)
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(register.register, study, again) for _ in range(2)]
    refused = [each.exception() for each in done if each.exception()]
    assert [type(each) for each in refused] == [InputError] * (not again)
    assert len(register.read(register.path_of(study))) == before + 2 - len(refused)
