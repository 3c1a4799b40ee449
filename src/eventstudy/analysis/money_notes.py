"""What to say of the sums of money: what is missing, counted twice or unequal, and how signs relate to them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy import markets
from eventstudy.analysis.money_sums import Counted
from eventstudy.display import amounts, formats
from eventstudy.display.shares import in_percent
from eventstudy.types import Bools, Dates, Rerun, ResultFrames

MISSING = {"no_value": "value", "no_car": "CAR"}
SIGNS = ((-1.0, "−1"), (0.0, "0"), (1.0, "+1"))


def about_missing(frame: pd.DataFrame, n_used: int) -> list[str]:
    """Count the used events without a value or a CAR, with the first reason."""
    notes = []
    for status, what in MISSING.items():
        rows = frame[frame["status"] == status]
        if len(rows):
            first = f"{rows.index[0]}: {rows['reason'].iloc[0]}"
            notes.append(f"{len(rows)} of {n_used} used events have no {what} and are in no sum ({first}).")
    return notes


def about_values(frame: pd.DataFrame, before: Dates, currency: str) -> list[str]:
    """Say which values are of an earlier session than ``before`` (n,), and if their currency is not known."""
    late = int((frame["valued_on"] < pd.DatetimeIndex(before)).sum())
    notes = [f"{formats.plural(late, 'value')} of an earlier session than the one before the window."] * bool(late)
    unknown = not currency and bool(frame["value"].notna().any())
    return notes + ["The prices do not say their currency: amounts are in the units of the values."] * unknown


def about_exchanges(placed: pd.DataFrame, ok: Bools, rerun: Rerun) -> list[str]:
    """Say if one announcement is counted on several exchanges and the events do not name firms."""
    if "firm" in placed:
        return []
    mics = pd.Series([rerun.prices.bars[ticker].mic for ticker in placed["ticker"]], placed.index)[ok]
    mics = mics.replace(markets.NAMES)
    n = int((mics.groupby(placed["cluster"][ok]).nunique() > 1).sum())
    return [
        f"{formats.plural(n, 'announcement')} with tickers on several exchanges: without a column firm each ticker"
        " counts as a firm, so that one with two listings counts twice."
    ] * bool(n)


def counted_twice(counted: Counted, days: list[Dates]) -> list[str]:
    """Count the sessions of a firm in the windows of several events; ``days`` are the sessions of the window, (n,)."""
    cells = pd.concat([pd.DataFrame({"firm": counted.firm, "day": day}) for day in days])
    repeated = int(cells.duplicated().sum())
    return [
        f"Windows of events of one firm overlap: {formats.plural(repeated, 'session')} of a firm are in the sum again,"
        " and what was lost on them counts more than once."
    ] * bool(repeated)


def about_sign(result: ResultFrames, counted: Counted, currency: str) -> list[str]:
    """Say how the sum relates to the expected signs of the study."""
    name = result.measure.sign
    if name is None or not len(counted.ids):
        return []
    sign = np.sign(pd.to_numeric(result.events.loc[counted.ids, name]).fillna(0.0).to_numpy(float))
    lost = counted.car * counted.value
    parts = [
        f"{amounts.money(float(lost[sign == s].sum()), currency)} by events of sign {text}"
        for s, text in SIGNS if (sign == s).any()
    ]  # fmt: skip
    return [
        f"Amounts are not multiplied by {name!r}, unlike the means of the study: a loss is negative. The sum is"
        f" {', '.join(parts)}; in the expected direction it is {amounts.money(float(sign @ lost), currency)}."
    ]


def why(counted: Counted) -> str:
    """Say how unequal the firms are, and what that does to the mean."""
    n = len(counted.ids)
    if n < 2:
        return ""
    share = counted.value / counted.value.sum()
    largest = int(np.argmax(share))
    return (
        f"By value the {n} events weigh as much as {1.0 / float(share @ share):.1f} of one size, the largest"
        f" ({formats.plain(counted.ids[largest])}) {in_percent(share[largest])} of all: the mean is"
        f" {formats.percent(float(share @ counted.car))} by value and {formats.percent(float(counted.car.mean()))} with"
        " equal weights."
    )
