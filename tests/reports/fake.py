"""A result that is difficult to print: titles with markup, excluded events, missing numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from eventstudy.result import Result
from eventstudy.run.testing import COLUMNS

SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("x")'
NOTE = "simulated prices"
WINDOWS = ((0, 0), (-1, 1), (0, 5))
DAYS = np.arange(-10, 11)
LACKING = "only 1 event has a CAR; a cross-section needs 2"

Row = tuple[str, str, str, str | None, str, str, str]
# event_id, ticker, announced, session, status, reason, title
EVENTS: list[Row] = [
    ("ANT_SUSPENDED-9988.HK", "9988.HK", "2020-11-03T20:40+08:00", "2020-11-04", "ok", "", f"Ant IPO {SCRIPT}"),
    ("ANT_SUSPENDED-BABA", "BABA", "2020-11-03T20:40+08:00", "2020-11-03", "ok", "", "Ant IPO: $37bn & 100 %"),
    ("SAMR_DRAFT-0700.HK", "0700.HK", "2020-11-10", "2020-11-10", "ok", "", "反垄断指南征求意见稿"),
    ("SAMR_DRAFT-3690.HK", "3690.HK", "2020-11-10", "2020-11-10", "ok", "", "反垄断指南 draft_guidelines #1 {x} ~ ^"),
    ("PROBE-9988.HK", "9988.HK", "2020-12-24T09:00+08:00", "2020-12-24", "ok", "", FORMULA),
    ("SAMR_FINES_ALIBABA_18_BILLION-BABA", "BABA", "2021-04-10", "2021-04-12", "ok", "", "$2.8bn, $ unpaired; 4 %"),
    ("DIDI_REVIEW-DIDI", "DIDI", "2021-07-02T19:00+08:00", "2021-07-02", "too_few_estimation", "2 of 120 days", ""),
    ("TUTORS-TAL", "TAL", "2021-07-23", "2021-07-23", "ok", "", "Tutoring: no profit, no listing, no weekends " * 4),
    ("TUTORS-EDU", "EDU", "2021-07-23", "2021-07-23", "duplicate", "the same as TUTORS-TAL & 1 more_%", "-Tutoring"),
    ("MINORS-0700.HK", "0700.HK", "2021-08-30", "2021-08-30", "ok", "", "Minors: 3 hours a week\nin games\x1b[31m"),
    ("LINKS-^HSI", "^HSI", "2021-09-13T08:30+08:00", "2021-09-13", "ok", "", "@Links must open \\textbf{now}"),
    ("GONE_CO-0000.HK", "0000.HK", "2021-09-13", None, "unknown_ticker", f"0000.HK is unknown {SCRIPT}", "+Gone"),
]  # fmt: skip


def fake(rows: Sequence[Row] = EVENTS, seed: int = 7, note: str = NOTE) -> Result:
    """Build a result; its numbers are consistent for a model without estimated parameters."""
    random = np.random.default_rng(seed)
    names = ["event_id", "ticker", "announced", "session", "status", "reason", "title"]
    events = pd.DataFrame(rows, columns=names).set_index("event_id")
    ok = (events["status"] == "ok").to_numpy()
    sigma = np.where(ok, random.uniform(0.012, 0.035, len(events)), np.nan)
    shock = np.where(DAYS == 0, -0.04, np.where(np.isin(DAYS, [1, 2]), -0.01, 0.0))
    values = sigma[:, None] * random.standard_normal((len(events), DAYS.size)) + shock
    if len(events) > 2:
        values[2, DAYS == 3] = np.nan  # a halted day
    ar = pd.DataFrame(values, index=events.index, columns=pd.Index(DAYS, name="day"))
    events["announced"] = [pd.Timestamp(a) for a in events["announced"]]
    events["session"] = pd.to_datetime(events["session"])
    events.insert(5, "n_estimation", np.where(ok, 250, 2))
    for column, value in (("alpha", 0.0), ("beta", 1.0), ("sigma", sigma), ("r2", 0.4)):
        events.insert(events.columns.get_loc("title"), column, np.where(ok, value, np.nan))
    events["sector"] = "platform"
    cars = _cars(ar, sigma)
    return Result(
        events, ar, cars, _daily(ar), _tests(cars), _reactions(events, ar), _attrition(events), provenance(note)
    )


def _cars(ar: pd.DataFrame, sigma: np.ndarray) -> pd.DataFrame:
    rows = []
    for row, event_id in enumerate(ar.index):
        for start, end in WINDOWS:
            inside = ar.loc[event_id, start:end]
            n_days = int(inside.notna().sum())
            car = inside.sum() if n_days == end - start + 1 else np.nan
            se = sigma[row] * np.sqrt(end - start + 1) if np.isfinite(car) else np.nan
            p = 2 * stdtr(248, -abs(car / se))
            rows.append((event_id, start, end, car, se, car / se, 248.0, p, max(p, 1 / 251), max(p, 1 / 261), n_days))
    columns = ["event_id", "start", "end", "car", "se", "t", "df", "p", "p_sq", "p_conformal", "n_days"]
    return pd.DataFrame(rows, columns=columns)


def _daily(ar: pd.DataFrame) -> pd.DataFrame:
    n = ar.notna().sum()
    aar = ar.mean()
    caar = aar.cumsum()
    se = np.sqrt((ar.var() / n).cumsum())
    daily = {"n": n, "aar": aar, "caar": caar, "se": se, "lower": caar - 1.96 * se, "upper": caar + 1.96 * se}
    return pd.DataFrame(daily).rename_axis("day")


def _tests(cars: pd.DataFrame) -> pd.DataFrame:
    notes = {
        "kolari_pynnonen": "mean correlation 0.12 over windows that overlap",
        "grank_t": "ranks of 250 estimation days & the event, one cumulative day; needs 100 % of $ and _ escaped "
        + "so that this long note, 反垄断, has to be wrapped somewhere",
    }
    rows: list[tuple[Any, ...]] = []
    for (start, end), window in cars.groupby(["start", "end"], sort=False):
        car = window["car"].dropna()
        se = car.std() / np.sqrt(len(car)) if len(car) > 1 else np.nan
        ends = (car.mean() - 2 * se, car.mean() + 2 * se)
        effect = (len(car), car.mean(), se, *ends, car.median(), (car > 0).mean())
        for name, note in notes.items():
            if name == "grank_t" and end == 5:
                rows.append(("all", start, end, name, 1, *effect[1:], np.nan, np.nan, np.nan, False, LACKING))
                continue
            t = car.mean() / se
            df = len(car) - 1.0
            p = 2 * stdtr(df, -abs(t)) if np.isfinite(t) else np.nan
            rows.append(("all", start, end, name, *effect, t, df, p, np.isfinite(p), note))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _reactions(events: pd.DataFrame, ar: pd.DataFrame) -> pd.DataFrame:
    shown = events["status"].isin(["ok", "duplicate"]).to_numpy()
    moves = {"open": ar[0] / 2, "high": ar[0] / 3, "low": ar[0] - 0.01, "close": ar[0] - 0.004}
    frame = events.loc[shown, ["ticker", "session"]].assign(**{k: v[shown] for k, v in moves.items()}, benchmark="^HSI")
    return frame.assign(**{f"benchmark_{k}": -0.004 for k in moves})


def _attrition(events: pd.DataFrame) -> pd.DataFrame:
    return events["status"].value_counts().rename_axis("reason").rename("n").reset_index()


def provenance(note: str = NOTE) -> dict[str, Any]:
    prices = {"source": "simulated" if note else "folder", "sha256": "3f" * 32, "tickers": 9}
    return {
        "eventstudy": "0.1.0",
        "prices": {**prices, "note": note} if note else prices,
        "settings": {
            "model": "market",
            "benchmark": {"XHKG": "^HSI", "XNYS": "^GSPC"},
            "estimation": (-260, -11),
            "event": (-10, 10),
            "windows": list(WINDOWS),
            "tests": "default",
            "returns": "simple",
            "min_estimation": 120,
        },
        "notes": [
            "7 of 9 events share their event window with another: tests that need independence were left out",
            f"the benchmark ^HSI holds the treated firm 9988.HK {SCRIPT}; $ and % and & and _ and # are harmless here",
        ],
        "versions": {"python": "3.11.7", "numpy": "2.4.6", "pandas": "3.1.1"},
    }


def unusable() -> Result:
    """No event could be used; the frames of results are empty."""
    rows: list[Row] = [(*r[:4], "no_price", f"{r[1]} has no price on 2021-09-13", r[6]) for r in EVENTS]
    result = fake(rows)
    nothing = {name: getattr(result, name).iloc[:0] for name in ("ar", "cars", "daily", "tests", "reactions")}
    return replace(result, **nothing)


def nothing_given() -> Result:
    """The study has no events."""
    result = unusable()
    return replace(result, events=result.events.iloc[:0], attrition=result.attrition.iloc[:0])


def nan_statistics() -> Result:
    """Events were used, but no test could be computed."""
    result = fake()
    tests = result.tests.assign(statistic=np.nan, df=np.nan, p=np.nan, valid=False, note=LACKING)
    daily = result.daily.assign(se=np.nan, lower=np.nan, upper=np.nan)
    return replace(
        result,
        tests=tests,
        daily=daily,
        cars=result.cars.assign(se=np.nan, t=np.nan, p=np.nan, p_sq=np.nan, p_conformal=np.nan),
    )


def many(n: int = 61) -> Result:
    """Some sixty events over 19 tickers, many of them overlapping."""
    random = np.random.default_rng(3)
    tickers = ["9988.HK", "0700.HK", "3690.HK", "9618.HK", "1211.HK", "BABA", "JD", "PDD", "NIO", "TAL", "EDU", "BIDU"]
    tickers += ["XPEV", "LI", "BILI", "NTES", "TME", "^HSI", "9999.HK"]
    days = pd.bdate_range("2020-11-03", "2021-09-30")
    rows: list[Row] = []
    for i in range(n):
        day = str(days[int(random.integers(len(days)))].date())
        status = "ok" if random.random() < 0.9 else ["no_price", "too_few_estimation", "closed"][i % 3]
        reason = "" if status == "ok" else "prices begin later"
        rows.append((f"EVENT_{i:03d}", str(random.choice(tickers)), day, day, status, reason, f"Measure {i}"))
    return fake(rows)


VARIANTS = {
    "full": fake,
    "real_prices": lambda: fake(note=""),
    "one_event": lambda: fake(EVENTS[:1]),
    "unusable": unusable,
    "nothing_given": nothing_given,
    "nan_statistics": nan_statistics,
    "many": many,
}
