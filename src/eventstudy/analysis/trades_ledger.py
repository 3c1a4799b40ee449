"""The ledger of a backtest: one row for each event of the study, traded or not, with the reason."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.analysis.trades_desk import Desk
from eventstudy.analysis.trades_plan import Plan, Settled, tradable
from eventstudy.analysis.trades_rule import Rule
from eventstudy.display import names
from eventstudy.types import Bools, Floats, Ints

FIELDS = np.array(["open", "close"], dtype=object)
SHARE_OF_VOLUME = 0.01  # of a session's trade that an entry may be, for the capacity
TRADED = ("traded", "open")
WORDS = {
    "training": "before the first split", "no_sign": "no expected sign", "no_entry": "no price to enter at",
    "no_hedge": "no price of the benchmark to hedge at", "capped": "held up to the cap already",
    "open": "still held at the last price",
}  # fmt: skip


def ledger(desk: Desk, made: Settled, rule: Rule, training: Bools) -> pd.DataFrame:
    """Return one row for each event of the input; see ``Trades.frame``."""
    n, plan = len(desk.rows), made.plan
    weight = made.weight[0]
    is_share = np.arange(len(made.event)) < np.count_nonzero(made.weight)
    book = made.book
    columns: dict[str, object] = {"direction": plan.direction[0]}
    columns |= _point(desk, plan.enter[0], weight != 0.0, "entry")
    columns |= _point(desk, plan.leave[0], weight != 0.0, "exit")
    columns["weight"] = np.abs(weight)
    columns["beta"] = np.where((weight != 0.0) & (desk.benchmark >= 0), plan.beta[0], np.nan)
    columns["sigma"] = np.where(weight != 0.0, plan.sigma[0], np.nan)

    def total(values: Floats, legs: Bools) -> Floats:
        return np.asarray(np.bincount(made.event[legs], values[legs], n), dtype=np.float64)

    every = np.ones(len(made.event), dtype=bool)
    profits = {
        "gross": total(book.leg_gross, is_share), "hedge": total(book.leg_gross, ~is_share),
        "cost": total(book.leg_cost, every), "borrow": total(book.leg_borrow, every),
    }  # fmt: skip
    profits["net"] = profits["gross"] + profits["hedge"] - profits["cost"] - profits["borrow"]
    with np.errstate(divide="ignore", invalid="ignore"):
        profits["return"] = profits["net"] / np.abs(weight)
        profits["capacity"] = SHARE_OF_VOLUME * _traded(desk, plan.enter[0]) / np.abs(weight)
    columns |= {name: np.where(weight != 0.0, values, np.nan) for name, values in profits.items()}
    status, reason = _statuses(desk, plan, rule, weight, training)
    frame = desk.frame.rename(columns={"known": "decided"})
    own = pd.DataFrame({**columns, "status": status, "reason": reason}, index=frame.index[desk.rows])
    out = frame.drop(columns=["status", "reason"]).join(own)
    for name in ("status", "reason"):
        out[name] = out[name].fillna(frame[name])
    out["direction"] = out["direction"].fillna(0.0)
    first = ["ticker", "status", "reason", "decided", "direction"]
    return out[
        [*first, *(name for name in out if name not in (*first, "benchmark", "currency")), "benchmark", "currency"]
    ]


def _point(desk: Desk, point: Ints, is_traded: Bools, name: str) -> dict[str, object]:
    """Return date, field, price and instant of an entry or exit; missing where there is none."""
    n_points = desk.points.price.shape[1]
    has = is_traded & (point < n_points)
    at = np.minimum(point, n_points - 1)
    date = desk.dates[desk.points.date[desk.asset, at]].astype("datetime64[s]")
    never = np.datetime64("NaT", "s")
    instant = desk.points.instant[desk.asset, at].astype("datetime64[ns]")
    stamp = pd.DatetimeIndex(np.where(has, instant, np.datetime64("NaT", "ns"))).tz_localize("UTC")
    return {
        f"{name}_date": np.where(has, date, never),
        f"{name}_field": np.where(has, FIELDS[at % 2], ""),
        f"{name}_price": np.where(has, desk.quoted[desk.asset, at], np.nan),
        f"{name}_time": stamp,
    }


def _traded(desk: Desk, point: Ints) -> Floats:
    at = np.minimum(point, desk.points.price.shape[1] - 1)
    return np.asarray(desk.traded[desk.asset, at])


def _statuses(desk: Desk, plan: Plan, rule: Rule, weight: Floats, training: Bools) -> tuple[list[str], list[str]]:
    """Return the status and the reason of each event of the desk."""
    n_points = desk.points.price.shape[1]
    can = tradable(desk, plan, rule)[0]

    def of(row: int) -> tuple[str, str]:
        ticker = desk.tickers[desk.asset[row]]
        if training[row]:
            return "training", "announced before the first split, where the rules are chosen"
        if plan.direction[0, row] == 0.0:
            return "no_sign", "its expected sign is 0 or empty"
        if plan.enter[0, row] >= n_points:
            return "no_entry", _why_no_entry(desk, row)
        if not can[row]:
            return _why_not(desk, plan, row)
        if weight[row] == 0.0:
            return "capped", f"{ticker}, or all shares together, are held up to the cap already"
        if plan.leave[0, row] >= n_points:
            last = desk.dates[desk.points.date[desk.asset[row], _last(desk, row)]]
            return "open", f"still held on {last}, the last price of {ticker}, which marks it"
        return "traded", ""

    pairs = [of(row) for row in range(len(weight))]
    return [status for status, _ in pairs], [reason for _, reason in pairs]


def in_words(status: object) -> str:
    """Return a status of the ledger in words; those of the study are its own.

    Examples
    --------
    >>> in_words("no_sign"), in_words("no_benchmark")
    ('no expected sign', 'no return of the benchmark')
    """
    text = str(status)
    return WORDS[text] if text in WORDS else names.of_status(text)


def _why_not(desk: Desk, plan: Plan, row: int) -> tuple[str, str]:
    if np.isfinite(plan.beta[0, row]) and np.isfinite(plan.sigma[0, row]):
        return "no_hedge", "its benchmark has no price at or after the entry"
    return "too_few_estimation", (
        f"fewer than {desk.choices.min_estimation} days of returns in the estimation window: beta and sigma are not"
        " known"
    )


def _why_no_entry(desk: Desk, row: int) -> str:
    ticker, asset = desk.tickers[desk.asset[row]], desk.asset[row]
    if not np.isfinite(desk.points.price[asset]).any():
        return f"no exchange rate for any price of {ticker}"
    known = np.datetime64(int(desk.known[row]), "ns").astype("datetime64[m]")
    last = desk.dates[desk.points.date[asset, _last(desk, row)]]
    if desk.points.instant[asset, _last(desk, row)] <= desk.known[row]:
        return f"the last price of {ticker} is on {last}, and the event was known on {known} UTC"
    return (
        f"{ticker} has no price, or no exchange rate, in the session of the entry; the event was known on {known} UTC"
    )


def _last(desk: Desk, row: int) -> int:
    """Return the last point of an event's security that has a price."""
    return int(np.flatnonzero(np.isfinite(desk.points.price[desk.asset[row]]))[-1])
