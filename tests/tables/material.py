"""A study of the catalogue on simulated prices, with groups and five tests, and each kind of table of it."""

from __future__ import annotations

from functools import cache
from typing import Any

import eventstudy as es
from eventstudy import _registry, demo
from eventstudy.tables._table import Table

TESTS = ("bmp", "kolari_pynnonen", "clustered", "corrado", "patell")
WINDOWS = ((0, 0), (-1, 1), (0, 5), (-5, 5))
KINDS = _registry.names("tables", plugins=False)
OPTIONS: dict[str, dict[str, Any]] = {
    "models": {"of": ("market", "market_adjusted", "mean")},
    "regressions": {"formulas": ("car ~ C(sector)", "car ~ beta", "car ~ beta + C(sector) + priority")},
}
ENGINES = {
    "pdflatex": "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n",
    "lualatex": "\\documentclass{article}\n\\usepackage{fontspec}\n",
}
PACKAGES = "\\usepackage{booktabs,array,threeparttable,longtable,rotating,pdflscape}\n"


@cache
def study() -> es.Result:
    """Run the study: three sectors of the catalogue."""
    data = demo.run().result.rerun.data  # the demo's result has its study
    frame = data.events.frame
    kept = frame[frame["sector"].isin(["EV", "platform", "gaming"])].reset_index()
    events = es.Events.from_frame(kept.drop(columns=["stamp", "date"]))
    choices: dict[str, Any] = {"benchmark": demo.BENCHMARK, "sign": "expected_sign", "group": "sector", "seed": 0}
    return es.Study(**choices, tests=TESTS, windows=WINDOWS).run(events, data.prices)


@cache
def table_of(kind: str) -> Table:
    """Return a table of the study."""
    return study().table(kind, **options_of(kind))


@cache
def options_of(kind: str) -> dict[str, Any]:
    """Return the options without which a kind has no table."""
    return {"of": study().pairs({"BABA": "9988.HK"})} if kind == "pairs" else OPTIONS.get(kind, {})
