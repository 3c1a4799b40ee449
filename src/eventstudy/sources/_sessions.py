"""Check daily prices against their exchange's sessions; findings are reported, prices are never changed."""

from __future__ import annotations

import numpy as np

from eventstudy.bars import Bars
from eventstudy.markets import sessions, sessions_between
from eventstudy.types import Dates

JUMP = 5.0  # a factor of five in a day is more often a missed split or a wrong unit than a return


def find_anomalies(bars: Bars, mic: str, until: np.datetime64) -> list[str]:
    """Return what looks wrong in daily prices, one sentence per kind of finding.

    Parameters
    ----------
    bars : Bars
    mic : str
        The exchange whose sessions are expected.
    until : datetime64[D]
        The last session expected, no earlier than the last row.
    """
    covered = bars.dates >= sessions(mic)[0][0]  # the calendar does not reach back to older rows
    dates = bars.dates[covered]
    expected = sessions_between(mic, bars.dates[0], until)
    inside = expected <= bars.dates[-1]
    has_close = ~np.isnan(bars.fields["close"])
    anomalies = {
        f"no row on sessions of {mic}": np.setdiff1d(expected[inside], dates),
        f"rows on days when {mic} was closed": np.setdiff1d(dates, expected),
        f"the end is stale: no row on the last sessions of {mic}": expected[~inside],
        "rows without a close": bars.dates[~has_close],
        f"close more than {JUMP:g} times, or less than 1/{JUMP:g} of, the one before": _jumps(bars),
    }
    return [f"{what}: {_list_days(days)}" for what, days in anomalies.items() if len(days)]


def _jumps(bars: Bars) -> Dates:
    days = []
    for name in {"close", "adjusted"} & set(bars.fields):
        has_price = ~np.isnan(bars.fields[name])
        steps = np.abs(np.diff(np.log(bars.fields[name][has_price])))
        days.append(bars.dates[has_price][1:][steps > np.log(JUMP)])
    return np.unique(np.concatenate(days))


def _list_days(days: Dates) -> str:
    shown = ", ".join(map(str, days[:3]))
    return shown if len(days) <= 3 else f"{shown}, ... ({len(days)} days, the last {days[-1]})"
