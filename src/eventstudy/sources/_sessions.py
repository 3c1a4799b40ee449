"""What a careful reader would want to know of daily prices before using them: noticed, never repaired."""

from __future__ import annotations

import numpy as np

from eventstudy.bars import Bars
from eventstudy.markets import sessions, sessions_between
from eventstudy.types import Dates

JUMP = 5.0  # five times or a fifth in a day is more often a missed split or a wrong unit than a return


def noticed(bars: Bars, mic: str, until: np.datetime64) -> list[str]:
    """Compare prices with the sessions of their exchange up to a date (of no earlier than the last row)."""
    known = bars.dates >= sessions(mic)[0][0]  # older rows cannot be held to the calendar
    dates = bars.dates[known]
    expected = sessions_between(mic, bars.dates[0], until)
    inside = expected <= bars.dates[-1]
    priced = ~np.isnan(bars.fields["close"])
    found = {
        f"no row on sessions of {mic}": np.setdiff1d(expected[inside], dates),
        f"rows on days when {mic} was closed": np.setdiff1d(dates, expected),
        f"the end is stale: no row on the last sessions of {mic}": expected[~inside],
        "rows without a close": bars.dates[~priced],
        f"close more than {JUMP:g} times, or less than 1/{JUMP:g} of, the one before": _jumps(bars),
    }
    return [f"{what}: {_some(days)}" for what, days in found.items() if len(days)]


def _jumps(bars: Bars) -> Dates:
    days = []
    for name in {"close", "adjusted"} & set(bars.fields):
        priced = ~np.isnan(bars.fields[name])
        steps = np.abs(np.diff(np.log(bars.fields[name][priced])))
        days.append(bars.dates[priced][1:][steps > np.log(JUMP)])
    return np.unique(np.concatenate(days))


def _some(days: Dates) -> str:
    shown = ", ".join(map(str, days[:3]))
    return shown if len(days) <= 3 else f"{shown}, ... ({len(days)} days, the last {days[-1]})"
