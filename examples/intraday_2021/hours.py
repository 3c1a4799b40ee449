"""Find the hour that moved NetEase and Alibaba, with hourly bars of their shares in New York.

Run it with a folder of hourly bars, NTES_1h.csv and BABA_1h.csv (README.md describes their format):

    python hours.py FOLDER
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import eventstudy as es
from eventstudy import transform

HERE = Path(__file__).parent
TICKERS = ("NTES", "BABA")
FIRST, LAST = -8, 16
LINE = "{:<12} {:>10} {:>10} {:>8} {:>8}"


def bars(folder: str | Path) -> es.Prices:
    """Read the bars, with the night before each day as a separate bar."""
    with tempfile.TemporaryDirectory() as directory:
        rows = [f"{ticker},{ticker}_1h.csv,XNYS,USD" for ticker in TICKERS]
        (Path(directory) / "manifest.csv").write_text("\n".join(["ticker,file,mic,currency", *rows]) + "\n")
        for ticker in TICKERS:
            shutil.copy(Path(folder) / f"{ticker}_1h.csv", directory)
        return transform.overnight(es.read_prices(directory))


def study() -> es.Study:
    """Return the study: each bar is a window, compared with the bars at the same time on previous days."""
    windows = [(bar, bar) for bar in range(FIRST, LAST + 1)]
    return es.Study(model="clock", estimation=(-800, -17), event=(FIRST, LAST), windows=[*windows, (0, 12)])


def run(folder: str | Path) -> es.Result:
    """Run the study of both announcements."""
    return study().run(es.read_events(HERE / "events.csv"), bars(folder))


def table(result: es.Result, event_id: str) -> pd.DataFrame:
    """Return one row per bar: start in New York, abnormal return, cumulative return from the announcement, t and p."""
    cars = result.cars[(result.cars["event_id"] == event_id) & (result.cars["start"] == result.cars["end"])]
    single = cars.set_index("start")[["car", "t", "p"]].rename(columns={"car": "ar"})
    single.index.name = "bar"
    path = result.path(event_id)
    before = path["car"].shift(fill_value=0.0).loc[0]
    single.insert(0, "time", path["time"])
    single.insert(2, "cumulative", np.where(path.index >= 0, path["car"] - before, np.nan))
    return single


def main() -> None:
    """Print both tables, and write both figures to the working directory."""
    result = run(sys.argv[1])
    for event_id, event in result.events.iterrows():
        print(f"{event['title']}: {event['ticker']}, announced {event['announced']}\n")
        print(LINE.format("New York", "abnormal", "cumulative", "t", "p"))
        rows = table(result, str(event_id)).loc[0:]
        for _, row in rows.iterrows():
            start = "night" if row["time"].second == 59 else f"{row['time']:%d %b %H:%M}"
            cells = [f"{row['ar']:+.2%}", f"{row['cumulative']:+.2%}", f"{row['t']:+.1f}", f"{row['p']:.3f}"]
            print(LINE.format(start, *cells if np.isfinite(row["ar"]) else "–" * 4))
        figure: Any = result.plot("path", event_id=event_id).figure
        figure.savefig(f"{str(event_id).lower()}.png", dpi=150)
        print()


if __name__ == "__main__":
    main()
