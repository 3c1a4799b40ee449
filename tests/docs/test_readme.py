"""What the README says of 13 September 2021 is so on real prices."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

import eventstudy as es

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SHARES = ("9988.HK", "0700.HK", "1211.HK", "9868.HK")


def numbers(cell: str) -> list[float]:
    return [float(text.replace("−", "-")) for text in re.findall(r"[+−]?\d+\.?\d*", cell)]


def facts() -> dict[str, list[list[float]]]:
    """Give the cells of the table as numbers, by ticker; the index has no ticker of its own in it."""
    lines = README.split("| 2021-09-13, Hong Kong |")[1].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].split(", ")[-1]: [numbers(cell) for cell in row[2:]] for row in rows}


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
