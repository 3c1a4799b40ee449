"""A small study with its events and prices, in memory and as the files of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy.sources import _write

TICKERS = ("AAA", "BBB", "CCC", "DDD")
CHOICES: dict[str, Any] = {
    "benchmark": "^M", "estimation": (-80, -11), "event": (-5, 5), "windows": ((0, 0), (-1, 1)), "min_estimation": 40,
}  # fmt: skip
STUDY = """[study]
events = "events.csv"
benchmark = "^M"
estimation = [-80, -11]
event = [-5, 5]
windows = [[0, 0], [-1, 1]]
min_estimation = 40

[prices]
source = "folder"
path = "prices"
"""


def prices(n_days: int = 300) -> es.Prices:
    """Draw closes of a few securities and their market."""
    random = np.random.default_rng(7)
    days = pd.bdate_range("2020-01-01", periods=n_days)
    names = ["^M", *TICKERS]
    r = 0.01 * random.standard_normal((n_days, 1)) + 0.01 * random.standard_normal((n_days, len(names)))
    return es.Prices.from_frame(pd.DataFrame(50 * np.cumprod(1 + r, axis=0), index=days, columns=names))


def event_rows() -> pd.DataFrame:
    """Return the rows of the events: three for each ticker, and one of a ticker without prices."""
    days = pd.bdate_range("2020-01-01", periods=300)[120:280:14]
    rows = [(TICKERS[i % 4], f"{day:%Y-%m-%d}") for i, day in enumerate(days)]
    return pd.DataFrame([*rows, ("GONE", "2020-10-01")], columns=["ticker", "announced"])


def events() -> es.Events:
    """Return the events."""
    return es.Events.from_frame(event_rows())


def write(folder: Path) -> Path:
    """Write study file, events and prices into a folder, and return the path of the study file."""
    folder.mkdir(parents=True, exist_ok=True)
    event_rows().to_csv(folder / "events.csv", index=False)
    _write.write(prices(), folder / "prices")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return folder / "study.toml"
