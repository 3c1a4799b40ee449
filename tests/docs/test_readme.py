"""What the README lists is what the library has, and what it says of 13 September 2021 is so on real prices."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy import _registry, markets
from eventstudy.cli._main import commands
from eventstudy.reports._write import suffixes

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SHARES = ("9988.HK", "0700.HK", "1211.HK", "9868.HK")


BOX = {
    row[0].strip(): row[1]
    for row in (
        line.strip("|").split("|", 1) for line in README.split("## What is included")[1].split("##")[0].splitlines()
    )
    if len(row) == 2
}


def listed(*rows: str) -> list[str]:
    """Give the names in backticks of some rows of the box, and check that the first row's head counts them."""
    found = re.findall(r"`([.\w]+)`", " ".join(BOX[row] for row in rows))
    assert rows[0].split()[0] == str(len(found))
    return sorted(found)


def test_the_box_lists_every_member():
    other = [head for head in BOX if head.startswith(("for ", "with ", "from "))]
    assert listed("22 return models", *other) == sorted(_registry.names("models", plugins=False))
    tests = listed("24 tests: parametric", "ranks and signs", "resampling")
    assert tests == sorted(_registry.names("inference", plugins=False))
    assert listed("18 tables") == sorted(_registry.names("tables", plugins=False))
    assert listed("11 figures") == sorted(_registry.names("plots", plugins=False))


def test_the_box_lists_every_command_report_and_exchange():
    reports = re.findall(r"`(\.\w+)`", BOX["9 reports"])
    assert sorted(reports) == sorted(suffixes())
    assert len(reports) == 9
    assert re.findall(r"`(\w+)`", BOX["Command line"]) == sorted(commands(), key=BOX["Command line"].index)
    exchanges = {*markets.SUFFIXES.values(), *markets.INDICES.values(), "XNYS"}
    assert f"sessions of {len(exchanges)} exchanges" in BOX["Dates"]
    assert len(list((Path(__file__).parents[2] / "notebooks").glob("*.py"))) == 9  # "nine notebooks"


def numbers(cell: str) -> list[float]:
    return [float(text.replace("−", "-")) for text in re.findall(r"[+−]?\d+\.?\d*", cell)]


def facts() -> dict[str, list[list[float]]]:
    """Give the cells of the table as numbers, by ticker; the index has no ticker of its own in it."""
    lines = README.split("| 2021-09-13, Hong Kong |")[1].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].split(", ")[-1]: [numbers(cell) for cell in row[2:]] for row in rows}


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore::eventstudy.EventStudyWarning")  # of prices that the folder does not have
def test_the_facts_of_the_day_are_those_of_the_prices(shared):
    frame = pd.DataFrame({"ticker": SHARES, "announced": "2021-09-13T09:30+08:00", "cluster": 1})
    prices = es.read_prices(shared / "data" / "prices")
    result = es.Study(benchmark="^HSI", windows=((0, 0),), min_estimation=30).run(es.Events.from_frame(frame), prices)
    day = result.reactions.join(result.cars.set_index("event_id")).set_index("ticker")
    said = facts()
    for ticker in SHARES:
        row = day.loc[ticker]
        half = stats.t.ppf(0.975, row["df"]) * row["se"]
        measured = [[row["low"]], [row["close"]], [row["car"], row["car"] - half, row["car"] + half]]
        assert said[ticker] == [[round(100 * value, 1) for value in cell] for cell in measured]
    [low, close, _] = said["Hang Seng"]
    benchmark = day.iloc[0]
    assert (low, close) == (
        [round(100 * benchmark["benchmark_low"], 1)],
        [round(100 * benchmark["benchmark_close"], 1)],
    )
