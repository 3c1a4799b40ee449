"""The command line: what it prints, its exit codes, and the study file."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from eventstudy import cli, studyfile
from eventstudy.cli._main import parser
from eventstudy.cli._study import load
from eventstudy.errors import InputError

EXAMPLE = Path(__file__).parent.parent / "examples" / "china_tech_2021"
STUDY = """
[study]
events = "events.csv"
model = { name = "dimson", leads = 1, lags = 1 }
benchmark = "^HSI"
estimation = [-120, -11]
event = [-5, 5]
windows = [[0, 0], [-1, 1]]
min_estimation = 60

[prices]
source = "simulated"
seed = 3
"""
EVENTS = "event_id,ticker,announced\nA,9988.HK,2021-09-13\nB,0700.HK,2021-06-01\nC,BABA,2021-03-01\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "events.csv").write_text(EVENTS)
    return tmp_path


def test_run_prints_tables_of_100_columns_and_writes_reports(folder: Path, capsys: pytest.CaptureFixture[str]):
    html, tex = folder / "out.html", folder / "out.tex"
    assert cli.main(["run", str(folder / "study.toml"), "--report", str(html), "--report", str(tex)]) == 0
    out, err = capsys.readouterr()
    assert "3 of 3 used" in out
    assert "simulated prices" in out
    assert max(map(len, out.splitlines())) <= 100
    assert "<html" in html.read_text()
    assert r"\toprule" in tex.read_text()
    assert err == ""


def test_check_estimates_nothing_and_shows_every_event(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["check", str(folder / "study.toml")]) == 0
    out = capsys.readouterr().out
    assert "2021-09-13" in out
    assert all(name in out for name in ("9988.HK", "0700.HK", "BABA"))
    assert max(map(len, out.splitlines())) <= 100


def test_fetch_writes_a_folder_that_gives_the_same_study(folder: Path, capsys: pytest.CaptureFixture[str]):
    study = str(folder / "study.toml")
    assert cli.main(["fetch", study, "--to", str(folder / "prices")]) == 0
    assert "4 files" in capsys.readouterr().out
    first, second = studyfile.read(study), studyfile.read(study)
    ours = first.study.run(first.events, first.prices())
    again = load(parser().parse_args(["run", study, "--prices", str(folder / "prices")]))
    theirs = again.study.run(second.events, again.prices())
    assert ours.cars["car"].tolist() == pytest.approx(theirs.cars["car"].tolist(), abs=1e-14)
    assert ours.cars["car"].notna().all()


@pytest.mark.thorough
def test_demo_ends_with_planted_beside_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)  # for the path that is printed is as long as it is
    assert cli.main(["demo", "--out", "."]) == 0
    out = capsys.readouterr().out
    tail = out[out.index("Planted beside recovered") :]
    assert "simulated prices" in tail
    assert "9988.HK" in tail
    assert max(map(len, out.splitlines())) <= 100
    assert (tmp_path / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("leads = 1", "lead = 1"), 2, "'lead'"),
        (("model =", "modle ="), 2, "modle"),
        (('"^HSI"', "7"), 2, "benchmark"),
        (("[study]", "[study"), 2, "not TOML"),
        (('source = "simulated"', 'source = "yahooo"'), 2, "yahooo"),
        (('source = "simulated"', ""), 2, "names no source"),
        (("seed = 3", "sead = 3"), 2, "sead"),
        (("events.csv", "nothing.csv"), 2, "nothing.csv"),
        (("[-120, -11]", "[-120, 0]"), 2, "does not end before event"),
    ],
)
def test_a_bad_study_file_is_exit_2_with_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], code: int, words: str
):
    (folder / "study.toml").write_text(STUDY.replace(*change))
    assert cli.main(["run", str(folder / "study.toml")]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.startswith("eventstudy: ")
    assert "Traceback" not in err


def test_no_study_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["check", str(tmp_path / "none.toml")]) == 2
    assert "none.toml cannot be read" in capsys.readouterr().err


def test_nothing_usable_is_exit_1_after_the_tables(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "events.csv").write_text("event_id,ticker,announced\nA,9988.HK,2000-03-01\n")
    assert cli.main(["run", str(folder / "study.toml")]) == 1
    out, err = capsys.readouterr()
    assert "0 of 1 used" in out
    assert "no event could be used" in err


def test_wrong_arguments_are_exit_2(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        cli.main(["fly"])
    assert stop.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


@pytest.mark.parametrize("date", ["03/11/2020", "2020-13-01"])
def test_an_ambiguous_date_is_exit_2(folder: Path, capsys: pytest.CaptureFixture[str], date: str):
    (folder / "events.csv").write_text(f"event_id,ticker,announced\nA,9988.HK,{date}\n")
    assert cli.main(["check", str(folder / "study.toml")]) == 2
    assert date in capsys.readouterr().err


def test_tests_with_options(folder: Path):
    (folder / "study.toml").write_text(
        STUDY.replace("[prices]", 'tests = ["bmp", { name = "placebo", draws = 99 }]\n[prices]')
    )
    file = studyfile.read(folder / "study.toml")
    chosen = file.study.tests_for("overlap")
    assert list(chosen) == ["bmp", "placebo"]
    assert chosen["placebo"].draws == 99


def test_both_events_and_a_catalogue(folder: Path):
    (folder / "study.toml").write_text(STUDY.replace("events =", 'catalogue = "china-tech"\nevents ='))
    with pytest.raises(InputError, match="either events"):
        studyfile.read(folder / "study.toml")


def test_a_catalogue_in_a_study_file_and_factors(folder: Path):
    text = STUDY.replace('events = "events.csv"', 'catalogue = "china-tech"\nfactors = "f.csv"')
    (folder / "study.toml").write_text(text)
    (folder / "f.csv").write_text("date,SMB\n2021-01-04,0.01\n2021-01-05,\n")
    file = studyfile.read(folder / "study.toml")
    assert len(file.events) > 200
    assert file.factors is not None
    assert file.factors["SMB"].tolist()[0] == 0.01
    assert file.factors["SMB"].isna().tolist() == [False, True]
    assert "^HSI" in file.tickers()


# The example, on the real prices.


def test_the_example_on_real_prices(shared: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["run", str(EXAMPLE / "study.toml"), "--prices", str(shared / "data" / "prices")]) == 0
    out, err = capsys.readouterr()
    assert "11 of 12 used" in out
    assert "NTES" in err  # no file has it, and that is said
    events, session = out.split("The session itself")
    lines = {line.split()[0]: line for line in events.splitlines() if line.strip()}
    assert "2020-11-03" in lines["ANT_IPO_SUSPENDED:BABA"]
    assert "2020-11-04" in lines["ANT_IPO_SUSPENDED:9988.HK"]
    moves = next(line for line in session.splitlines() if "ALIPAY_SPLIT" in line and "9988.HK" in line)
    assert moves.split()[-9:] == ["-6.55", "%", "-4.23", "%", "^HSI", "-2.42", "%", "-1.50", "%"]


def test_the_script_of_the_example_prints_the_table(
    shared: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "argv", ["reactions.py", str(shared / "data" / "prices")])
    with pytest.warns(match="NTES"):
        runpy.run_path(str(EXAMPLE / "reactions.py"), run_name="__main__")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    rows = {cells[0]: cells[1:] for cells in lines if cells and cells[0][0] in "019^"}
    assert rows["9988.HK"][0] == "-6.00%"
    assert rows["9988.HK"][2:4] == ["-6.55%", "-4.23%"]
    assert rows["^HSI"][2] == "-2.42%"
    assert set(rows) == {"9988.HK", "0700.HK", "1211.HK", "9868.HK", "^HSI"}
