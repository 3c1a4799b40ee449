"""A study of the catalogue on simulated prices, with groups and five tests, and each kind of table of it."""

from __future__ import annotations

from collections.abc import Callable
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
PACKAGES = "\\usepackage{booktabs,array,siunitx,threeparttable,longtable,rotating,pdflscape}\n"


@cache
def study() -> es.Result:
    """Run the study: three sectors of the catalogue."""
    data = demo.run().result.rerun.data  # the demo's result has its study
    frame = data.events.frame
    kept = frame[frame["sector"].isin(["EV", "platform", "gaming"])].reset_index()
    value = {"market_value": 1e9 * (5.0 + kept["ticker"].str.len()), "market_value_currency": "USD"}
    events = es.Events.from_frame(kept.drop(columns=["stamp", "date"]).assign(**value))
    choices: dict[str, Any] = {"benchmark": demo.BENCHMARK, "sign": "expected_sign", "group": "sector", "seed": 0}
    return es.Study(**choices, tests=TESTS, windows=WINDOWS).run(events, data.prices)


@cache
def one_market() -> es.Result:
    """Run the study on the events of Hong Kong shares on the dates that have most of them."""
    data = study().rerun.data
    frame = data.events.frame
    frame = frame[frame["ticker"].str.endswith(".HK")]
    frame = frame[frame["date"].isin(frame["date"].value_counts().index[:4])]
    frame = frame.assign(priority=range(len(frame)))
    choices: dict[str, Any] = {"benchmark": demo.BENCHMARK, "model": "mean", "sign": "expected_sign"}
    return es.Study(**choices, windows=WINDOWS).run(es.Events.from_frame(frame), data.prices)


RECORDS: dict[str, Callable[[es.Result], Any]] = {  # kinds of analyses that a table is given
    "moves": lambda result: es.explain_moves(
        result.rerun.data.prices, es.catalogue("china-tech"), n=3, ticker="0700.HK", benchmark="^HSI"
    ),
    "single": lambda result: result.single(result.ar.index[0]),
    "spillover": lambda result: result.spillover(["EDU", "TAL", "GOTU"]),
    "pairs": lambda result: result.pairs({"BABA": "9988.HK"}),
    "market_wide": lambda _: one_market().market_wide("priority"),
}


@cache
def options(kind: str) -> dict[str, Any]:
    """Return the options with which a kind of table can be made: for an analysis its record."""
    return OPTIONS.get(kind, {}) | ({"of": RECORDS[kind](study())} if kind in RECORDS else {})


@cache
def table_of(kind: str) -> Table:
    """Return a table of the study."""
    return study().table(kind, **options(kind))
