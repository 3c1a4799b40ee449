"""Compare the returns that the press reported on 2021-09-13 with prices and a market model.

Run it with a folder of prices in Yahoo's layout; without a folder it downloads prices from Yahoo:

    python reactions.py [FOLDER]
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

import eventstudy as es
from eventstudy import studyfile

DAY = "2021-09-13"
# Returns in early trading in Hong Kong, as reported on the day.
REPORTED = {"9988.HK": -0.06, "0700.HK": -0.03, "1211.HK": -0.035, "9868.HK": -0.035, "^HSI": -0.023}
LINE = "{:<10}{:>10}{:>12}{:>12}{:>14}{:>13}{:>8}{:>8}"


def table(prices_folder: str | None = None) -> pd.DataFrame:
    """Return, by ticker, the return reported, those to the open, low and close, the abnormal return, p and p_sq."""
    file = studyfile.read(Path(__file__).parent / "study.toml")
    if prices_folder is not None:
        file = replace(file, source="folder", options={"path": prices_folder})
    prices = file.prices()
    shares = file.study.run(file.events, prices)
    # The index has no benchmark: its abnormal return is its return minus its mean.
    day = pd.DataFrame({"event_id": ["INDEX"], "ticker": ["^HSI"], "announced": [DAY]})
    index = replace(file.study, model="mean", sign=None).run(es.Events.from_frame(day), prices)
    rows = pd.concat([_rows(shares), _rows(index)])
    rows.insert(0, "reported", pd.Series(REPORTED))
    return rows.loc[list(REPORTED)]


def _rows(result: es.Result) -> pd.DataFrame:
    """Return the reactions of the day by ticker, with the abnormal return at the close."""
    moves = result.reactions[result.reactions["session"] == DAY]
    cars = result.cars[(result.cars["start"] == 0) & (result.cars["end"] == 0)].set_index("event_id")
    rows = moves.join(cars[["car", "p", "p_sq"]]).drop_duplicates("ticker").set_index("ticker")
    return rows[["open", "low", "close", "car", "p", "p_sq"]]


def main() -> None:
    """Print the table."""
    print(f"Hong Kong, {DAY}: plain returns from the previous close, and the abnormal return at the close\n")
    print(LINE.format("ticker", "reported", "to the open", "to the low", "at the close", "abnormal", "p", "p SQ"))
    for ticker, row in table(*sys.argv[1:2]).iterrows():
        moves = [f"{row[name]:+.2%}" for name in ("reported", "open", "low", "close", "car")]
        print(LINE.format(str(ticker), *moves, f"{row['p']:.3f}", f"{row['p_sq']:.3f}"))


if __name__ == "__main__":
    main()
