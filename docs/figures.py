"""Draw the README's figures: its ten lines, the CAAR of the demo, and the last measurement of speed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from eventstudy import demo
from eventstudy.plots._save import save_figure

STATIC = Path(__file__).parent / "_static"
HISTORY = Path(__file__).parent.parent / "benchmarks" / "history.json"
OURS, THEIRS, FLOOR = "#1f5a99", "#b0552c", "#8a8a8a"
BARS = {
    "loop: pandas and statsmodels": ("loop by hand, pandas and statsmodels", THEIRS),
    "loop: statsmodels OLS": ("loop by hand, statsmodels on arrays", THEIRS),
    "loop: numpy lstsq": ("loop by hand, NumPy lstsq", THEIRS),
    "five, and ranks and signs": ("five parametric tests, and three of ranks and signs", OURS),
    "five, with every single event": ("five tests, and every event by itself", OURS),
    "five parametric tests": ("five parametric tests", OURS),
    "fit only": ("market model alone", OURS),
    "floor: argsort every window once": ("floor: order each window once", FLOOR),
    "floor: read every window once": ("floor: read each window once", FLOOR),
}


def press() -> Any:
    """Draw what the ten lines of the README draw."""
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    code = readme.split("```python\n")[1].split("```")[0].split("path = ")[0]
    names: dict[str, Any] = {}
    exec(code, names)
    return names["result"].plot("forest").figure


def caar() -> Any:
    """Draw the average reaction of the demo, with overlap taken out."""
    return np.ravel(demo.run().result.plot("caar", joint=True))[0].figure


def speed() -> Any:
    """Draw the microseconds per event of the last run in the history, for its largest number of events."""
    rows = json.loads(HISTORY.read_text(encoding="utf-8"))[-1]["rows"]
    microseconds = {row["what"]: row["us"] for row in rows}  # the last row of each kind has the most events
    figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    names = [*BARS][::-1]
    bars = axes.barh([BARS[n][0] for n in names], [microseconds[n] for n in names], color=[BARS[n][1] for n in names])
    times = [microseconds[n] for n in names]
    axes.bar_label(bars, [f"{us:,.2g}" if us < 10 else f"{us:,.0f}" for us in times], padding=3)
    axes.set(xscale="log", xlim=(0.1, 3 * max(times)), xlabel="microseconds an event, one thread")
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


if __name__ == "__main__":
    for name, draw in {"press": press, "caar": caar, "speed": speed}.items():
        save_figure(draw(), STATIC / f"{name}.png", dpi=120)
