"""A saved result beside the study run again: the cells that differ, with ticker and date, and the exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import eventstudy as es
from eventstudy import cli, studyfile
from eventstudy.reproduce.verify import compare
from eventstudy.result import Result
from tests.reproduce import studies

pytestmark = pytest.mark.filterwarnings("ignore:1 of 6 tickers could not be read")


@pytest.fixture(scope="module")
def result() -> Result:
    return es.Study(**studies.CHOICES).run(studies.events(), studies.prices())


@pytest.mark.thorough
def test_the_same_study_has_no_difference_also_when_it_was_saved(result, tmp_path):
    again = es.Study(**studies.CHOICES).run(studies.events(), studies.prices())
    saved = es.read_result(result.save(tmp_path / "x.result"))
    for found in (compare(result, again), compare(saved, again)):
        assert (found.cells, found.inputs, found.versions, found.same) == ((), (), (), True)


def test_a_cell_is_named_with_its_ticker_and_date(result):
    used = result.events[result.events["status"] == "ok"]
    event = used.index[3]
    ar = result.ar.copy()
    ar.loc[event, 2] += 1e-6
    tests = result.tests.copy()
    tests.loc[1, "p"] = np.nan
    found = compare(result, replace(result, ar=ar, tests=tests))
    first, second = found.cells
    assert (first.frame, first.row, first.column) == ("ar", str(event), "2")
    assert first.ticker == used.loc[event, "ticker"]
    assert first.date == f"{used.loc[event, 'session']:%Y-%m-%d}"
    assert first.computed - first.saved == pytest.approx(1e-6)
    row = result.tests.loc[1]
    assert (second.frame, second.column, second.saved) == ("tests", "p", row["p"])
    assert second.row == f"{row['group']} {row['start']} {row['end']} {row['test']}"
    assert str(first).startswith(f"ar, {first.ticker} {first.date}, row {event}, column 2: ")


def test_the_last_bits_are_no_difference_and_a_missing_row_is_one(result):
    close = replace(result, cars=result.cars.assign(car=result.cars["car"] * (1 + 1e-13)))
    assert compare(result, close).same
    far = replace(result, cars=result.cars.assign(car=result.cars["car"] * (1 + 1e-7)))
    assert len(compare(result, far).cells) == result.cars["car"].notna().sum()
    fewer = replace(result, daily=result.daily.iloc[1:])
    cells = compare(result, fewer).cells
    assert {(cell.frame, cell.row, cell.computed) for cell in cells} == {("daily", "-5", None)}
    assert len(cells) == len(result.daily.columns)


def test_other_choices_and_prices_are_named(result):
    prices = studies.prices()
    bars = prices.bars["BBB"]
    other = replace(bars, fields={name: values * 2 for name, values in bars.fields.items()})
    changed = replace(prices, bars={**prices.bars, "BBB": other})
    again = es.Study(**{**studies.CHOICES, "windows": ((0, 0),)}).run(studies.events(), changed)
    found = compare(result, again)
    assert [text.partition(":")[0] for text in found.inputs][:1] == ["the choice windows"]
    assert any(cell.frame == "reactions" for cell in found.cells) is False  # twice the price, the same returns


def verify(capsys, *arguments: Path | str) -> tuple[int, str, str]:
    code = cli.main(["verify", *map(str, arguments)])
    found = capsys.readouterr()
    return code, found.out, found.err


@pytest.mark.thorough
def test_the_command_says_what_differs_by_its_exit_code_and_in_words(tmp_path, capsys):
    study = studies.write(tmp_path)
    file = studyfile.read(study)
    saved = file.study.run(file.events, file.prices()).save(tmp_path / "r")
    code, out, _ = verify(capsys, study)
    assert (code, "are those of lock.json" in out) == (0, True)
    code, out, _ = verify(capsys, study, saved)
    assert (code, "gives the numbers of" in out) == (0, True)

    event = es.read_events(tmp_path / "events.csv").frame.iloc[1]
    day = f"{event['date']:%Y-%m-%d}"
    prices = next((tmp_path / "prices").glob(f"{event['ticker']}.*.csv"))
    lines = prices.read_text().splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith(day))
    date, close = lines[at].split(",")
    prices.write_text("\n".join([*lines[:at], f"{date},{float(close) * 1.01}", *lines[at + 1 :]]) + "\n")
    code, out, err = verify(capsys, study)
    assert (code, f"prices of {event['ticker']}: {day} differs" in out) == (1, True)
    code, out, err = verify(capsys, study, saved)
    assert code == 1
    assert f"prices of {event['ticker']}: {day} differs" in out
    assert f"another input: the prices of {event['ticker']}" in out
    assert f"ar, {event['ticker']} {day}, row " in out
    assert "not the same: 1 file of prices and " in err
    code, out, _ = verify(capsys, study, saved, "--json")
    document = json.loads(out)
    assert code == 1
    assert document["prices"] == {event["ticker"]: f"{day} differs"}
    assert {"frame", "row", "column", "ticker", "date", "saved", "computed"} == set(document["cells"][0])


def test_what_cannot_be_compared_is_exit_code_2(tmp_path, capsys):
    study = studies.write(tmp_path)
    (tmp_path / "no").write_text("x")
    assert verify(capsys, study, tmp_path / "no")[0] == 2
    assert verify(capsys, study, tmp_path / "absent")[0] == 2
    assert verify(capsys, tmp_path / "absent.toml")[0] == 2
    study.write_text(study.read_text().replace('"folder"\npath = "prices"', '"simulated"'))
    code, _, err = verify(capsys, study)
    assert (code, "nothing to verify" in err) == (2, True)


def test_prices_that_are_not_locked_are_said_to_be_read_again(tmp_path, capsys):
    study = studies.write(tmp_path)
    file = studyfile.read(study)
    saved = file.study.run(file.events, file.prices()).save(tmp_path / "r")
    assert "no locked folder" not in verify(capsys, study, saved)[1]
    study.write_text(study.read_text().replace('"folder"\npath = "prices"', '"simulated"'))
    code, out, _ = verify(capsys, study, saved)
    assert code == 1
    assert "the prices are in no locked folder: 'simulated' was read again, which draws the same prices" in out
    assert "another input: the prices of " in out
