"""The command line: what it prints, its exit codes, and the study file."""

from __future__ import annotations

import io
import json
import re
import runpy
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import _registry, cli, studyfile
from eventstudy.cli._json import as_json
from eventstudy.cli._main import commands, parser
from eventstudy.cli._study import load
from eventstudy.cli._terminal import with_headings
from eventstudy.display import formats
from eventstudy.errors import InputError, NotEnoughData

EXAMPLE = Path(__file__).parents[2] / "examples" / "china_tech_2021"
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
GROUPED = (
    "event_id,ticker,announced,sector\nA,9988.HK,2021-09-13,internet\nB,0700.HK,2021-06-01,internet\n"
    "C,BABA,2021-03-01,autos\nD,XPEV,2021-03-11,autos\n反垄断指南征求意见稿,NIO,1990-03-01,autos\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "events.csv").write_text(EVENTS)
    return tmp_path


@pytest.mark.thorough
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


@pytest.mark.thorough
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
@pytest.mark.usefixtures("of_one_picture")
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


@pytest.mark.thorough
def test_nothing_usable_is_exit_1_after_the_tables(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "events.csv").write_text("event_id,ticker,announced\nA,9988.HK,2000-03-01\n")
    assert cli.main(["run", str(folder / "study.toml")]) == 1
    out, err = capsys.readouterr()
    assert "0 of 1 used" in out
    assert "no event could be used" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chek", "x.toml"], "the command is 'chek'; valid are .*did you mean 'check'"),
        (["run", "x.toml", "--reprot", "a"], "an argument of eventstudy run is '--reprot'; .*did you mean '--report'"),
        (["run", "x.toml", "--report", "a.pptx"], "suffix of the report is '.pptx'; valid are '.csv'"),
        (["run", "x.toml", "--report", "a.csv", "a.csv"], "a.csv is named 2 times"),
        (["run", "x.toml", "--report", "taken/a.csv"], "taken is not a folder"),
        (["run", "x.toml", "--report", "own.html"], "own.html exists and was not written by an earlier report"),
        (["run", "x.toml", "--figures", "taken"], "taken is not a folder"),
        (["run", "x.toml", "--save", "own.html"], "own.html exists and was not written by an earlier"),
        (["run", "x.toml", "--save", "taken/a.result"], "taken is not a folder"),
        (["run", "x.toml", "--save", "a.csv", "--report", "a.csv"], "--save and --report both name a.csv"),
        (["run", "x.toml", "--title", "T", "--report", "a.csv"], "--title is 'T', and no report has a title"),
        (["calibrate", "x.toml", "--plot", "a.jpg"], "suffix of the figure is '.jpg'"),
    ],
)
def test_wrong_arguments_are_exit_2_before_the_study_file_is_read(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    for name in ("taken", "own.html"):
        Path(name).write_text("my own")
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.match(f"eventstudy: .*{words}", err)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["own.html", "taken"]


def test_a_missing_argument_shows_the_usage(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        cli.main(["run"])
    assert stop.value.code == 2
    assert "usage: eventstudy run" in capsys.readouterr().err


def test_help_has_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert all(f"\n    {name}" in out for name in commands())
    assert re.search(r"0  success\n  1  .*\n  2  ", out)


def result_of(folder: Path) -> es.Result:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = studyfile.read(folder / "study.toml")
        return file.study.run(file.events, file.prices())


@pytest.mark.thorough
def test_json_is_one_document_of_numbers(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "events.csv").write_text(EVENTS + "D,NIO,1990-01-01\n")
    assert cli.main(["run", str(folder / "study.toml"), "--json", "--report", str(folder / "a.txt")]) == 0
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    result = result_of(folder)
    assert (document["n_events"], document["n_used"]) == (4, 3)
    assert document["attrition"] == [{"reason": "ok", "n": 3}, {"reason": "no_price", "n": 1}]
    assert len(document["tests"]) == len(result.tests)
    for record, row in zip(document["tests"], result.tests.to_dict("records"), strict=True):
        assert list(record) == list(row)
        for name, value in row.items():
            assert record[name] == (None if value != value else value), name
    assert any(record["p"] is None for record in document["tests"])
    assert [record["effect"] for record in document["effects"]] == result.effects["effect"].tolist()
    assert document["notes"] == result.provenance["notes"]
    assert document["prices"]["note"] == "simulated prices"


@pytest.mark.thorough
def test_json_of_check_and_calibrate(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["check", str(folder / "study.toml"), "--json"]) == 0
    checked = json.loads(capsys.readouterr().out)
    assert checked["counts"] == {"ok": 3}
    assert [checked["events"][0][name] for name in ("event_id", "session")] == ["A", "2021-09-13"]
    (folder / "study.toml").write_text(STUDY.replace("[prices]", 'tests = ["bmp"]\n[prices]'))
    assert cli.main(["calibrate", str(folder / "study.toml"), "--draws", "20", "--json"]) == 0
    calibrated = json.loads(capsys.readouterr().out)
    assert {record["test"] for record in calibrated["rejections"]} == {"bmp"}
    assert all(
        0 <= record["lower"] <= record["rejection"] <= record["upper"] <= 1 for record in calibrated["rejections"]
    )


@pytest.mark.thorough
def test_calibrate_prints_what_the_library_counts(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "60")
    (folder / "study.toml").write_text(STUDY.replace("[prices]", 'tests = ["bmp", "sign"]\n[prices]'))
    arguments = [str(folder / "study.toml"), "--draws", "20", "--shocks", "0", "0.05", "--plot", str(folder / "p.png")]
    assert cli.main(["calibrate", *arguments]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("written: ")]
    assert max(map(len, lines)) == 60
    rows = [line for line in lines if line.startswith("(") and "simulated" not in line]
    frame = result_of(folder).calibrate(20, [0.0, 0.05], seed=0).frame
    assert len(rows) == len(frame)
    for row in frame.to_dict("records"):
        head = f"({row['start']}, {row['end']})"
        [shown] = [r for r in rows if r.startswith(head) and row["test"] in r and ("+5.00" in r) == (row["shock"] > 0)]
        rate = "–" if row["n_draws"] == 0 else f"{row['rejection']:.1%}"
        assert rate in shown.split()
    assert (folder / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_place_that_cannot_be_written_is_known_before_the_work(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert cli.main(["run", "none.toml", "--report", str(folder / "a.csv")]) == 1
    assert "is not writable; grant write access" in capsys.readouterr().err


def test_a_result_that_is_kept_is_verified_until_a_choice_changes(folder: Path, capsys: pytest.CaptureFixture[str]):
    study, kept = folder / "study.toml", folder / "kept" / "study.result"
    assert cli.main(["run", str(study), "--save", str(kept)]) == 0
    assert f"written: {kept}" in capsys.readouterr().out
    file = load(parser().parse_args(["run", str(study)]))
    assert es.read_result(kept).cars.equals(file.study.run(file.events, file.prices()).cars)
    assert cli.main(["verify", str(study), str(kept)]) == 0
    assert f"gives the numbers of {kept} again" in capsys.readouterr().out
    study.write_text(STUDY.replace("leads = 1, lags = 1", "leads = 1, lags = 2"))
    assert cli.main(["verify", str(study), str(kept)]) == 1
    assert "differ" in capsys.readouterr().err


@pytest.mark.thorough
@pytest.mark.usefixtures("of_one_picture")
def test_a_title_is_that_of_the_reports_that_have_one(folder: Path):
    html, csv = folder / "a.html", folder / "a.csv"
    arguments = ["run", str(folder / "study.toml"), "--title", "Fines & firms", "--report", str(html), str(csv)]
    assert cli.main(arguments) == 0
    assert re.search(r"<h1[^>]*>\s*Fines &amp; firms", html.read_text())
    assert csv.is_file()


def test_infinite_and_missing_values_in_json():
    values = {"a": np.inf, "b": -np.inf, "c": np.nan, "d": pd.NaT, "e": None, "f": np.float64(0.1), "g": np.int64(2)}
    made = json.loads(as_json({**values, "h": pd.Timestamp("2021-09-13T10:00Z"), "i": (np.bool_(True), {"x": [1]})}))
    del made["eventstudy"]
    assert made == {
        "a": "inf", "b": "-inf", "c": None, "d": None, "e": None, "f": 0.1, "g": 2,
        "h": "2021-09-13T10:00:00+00:00", "i": [True, {"x": [1]}],
    }  # fmt: skip


@pytest.mark.thorough
def test_quiet_prints_errors_only(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "study.toml").write_text(STUDY.replace("[prices]", 'tests = ["patell"]\n[prices]'))
    report = folder / "a.csv"
    assert cli.main(["run", str(folder / "study.toml"), "--quiet", "--report", str(report)]) == 0
    assert capsys.readouterr() == ("", "")
    assert report.is_file()
    (folder / "events.csv").write_text("event_id,ticker,announced\nA,9988.HK,2000-03-01\n")
    assert cli.main(["run", str(folder / "study.toml"), "--quiet"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("eventstudy: no event could be used")
    assert err.count("\n") == 1


@pytest.mark.thorough
def test_a_warning_that_the_report_has_is_said_once(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "study.toml").write_text(
        STUDY.replace('"^HSI"', '"^GSPC"').replace(", leads = 1, lags = 1", ", leads = 0")
    )
    assert cli.main(["run", str(folder / "study.toml")]) == 0
    out, err = capsys.readouterr()
    assert " ".join(out.split()).count("closes in another time zone") == 1
    assert "closes in another time zone" not in err
    assert cli.main(["calibrate", str(folder / "study.toml"), "--draws", "20"]) == 0
    assert capsys.readouterr().err.count("closes in another time zone") == 1


@pytest.mark.thorough
@pytest.mark.parametrize("suffix", ["png", pytest.param("pdf", marks=pytest.mark.slow)])
def test_figures_are_written_or_named_with_the_reason(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, suffix: str
):
    from eventstudy.plots import timeline

    def cannot(result: es.Result) -> None:
        raise NotEnoughData("too few for a timeline")

    monkeypatch.setattr(timeline, "PLOT", cannot)
    arguments = ["run", str(folder / "study.toml"), "--figures", str(folder / "f"), "--figure-format", suffix]
    assert cli.main(arguments) == 0
    out = capsys.readouterr().out
    kinds = set(_registry.names("plots")) - {"timeline", "groups"}
    assert {file.name for file in (folder / "f").iterdir()} == {f"{kind}.{suffix}" for kind in kinds}
    assert all(f"written: {folder / 'f' / kind}.{suffix}\n" in out for kind in kinds)
    assert "no figure timeline: too few for a timeline\n" in out
    assert "no figure groups: the study has no groups; name a column of its events" in " ".join(out.split())


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("columns", "width"),
    [
        ("40", 60),
        ("300", 160),
        *(pytest.param(str(width), width, marks=pytest.mark.full) for width in (60, 80, 160)),
    ],
)
def test_no_line_is_wider_than_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str, width: int
):
    monkeypatch.setenv("COLUMNS", columns)
    (folder / "events.csv").write_text(GROUPED)
    (folder / "study.toml").write_text(STUDY.replace("[prices]", 'group = "sector"\n[prices]'))
    for command in ("check", "run"):
        assert cli.main([command, str(folder / "study.toml")]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(map(formats.columns_of, lines)) == width
    shown = " ".join(line for line in lines if line.startswith("not shown at this width"))
    assert ("Its low" in shown) == (width == 60)


def test_colours_are_for_terminals_alone(monkeypatch: pytest.MonkeyPatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    report = f"Tests\n{'-' * 60}\nWindow"
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    coloured = with_headings(report, Terminal())
    assert coloured == f"\x1b[1mTests\x1b[0m\n\x1b[2m{'-' * 60}\x1b[0m\nWindow"
    assert with_headings(report, io.StringIO()) == report
    monkeypatch.setenv("TERM", "dumb")
    assert with_headings(report, Terminal()) == report
    monkeypatch.setenv("TERM", "xterm")
    assert with_headings(report, Terminal()) == coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert with_headings(report, Terminal()) == report


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


@pytest.mark.thorough
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


@pytest.mark.thorough
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
