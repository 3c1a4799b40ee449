"""What a run leaves as data frames: the only place where labels come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.core.nulls import divide, margin, p_t
from eventstudy.core.sums import mean_and_sd
from eventstudy.types import EventTable, Floats, Ints, Outcome, Spec, Status

CHUNK = 65_536  # values that are worked on at a time


def placement(event_table: EventTable, n_estimation: Ints, spec: Spec) -> pd.DataFrame:
    """Give the table of ``Study.check``: every event, its session and why, and what would become of it."""
    counts, status, reason = _after(event_table, n_estimation, np.full(len(event_table.rows), Status.OK), spec)
    shown = ["ticker", "announced", "session", "placement", "benchmark", *_screened(event_table)]
    table: pd.DataFrame = event_table.frame[shown].copy()
    table["session"] = event_table.at_the_exchange(table["session"])
    table["n_estimation"] = counts
    table["status"], table["reason"] = _labels(status), reason
    return table


def assemble(
    event_table: EventTable, outcome: Outcome, spec: Spec, coefficients: tuple[str, ...], given: pd.DataFrame, why: str
) -> dict[str, pd.DataFrame]:
    """Give the frames of a :class:`Result` from what a run leaves; ``why`` goes into the note of every test."""
    counts, status, reason = _after(event_table, outcome.n_est, outcome.status, spec)
    names = event_table.frame.index
    single = dict(outcome.singles) or _none(spec, len(coefficients))
    own = event_table.rows[single["id"]]
    at = np.full(len(names), -1)
    at[own] = np.arange(len(own))
    at = at[event_table.duplicate_of]  # a duplicate shows what it repeats
    shown = np.flatnonzero((at >= 0) & np.isin(status, [Status.OK, Status.DUPLICATE]))
    pick: Any = at[shown]
    lost = np.isnan(single.get("bhar", single["car"])).sum(axis=0)
    if np.array_equal(pick, np.arange(len(own))):
        pick = slice(None)
    single = {name: single.pop(name)[pick] for name in [*single]}
    events = event_table.frame[["ticker", "announced", "session", "placement", *_screened(event_table)]].copy()
    events["session"] = event_table.at_the_exchange(events["session"])
    events["status"], events["reason"], events["n_estimation"] = _labels(status), reason, counts
    fits = {"alpha": np.full(len(shown), np.nan), **dict(zip(coefficients, single["coef"].T, strict=True))}
    for name, values in {**fits, "sigma": single["sigma"], "r2": single["r2"]}.items():
        column = np.full(len(names), np.nan)
        column[shown] = values
        events[name] = column
    events = events.join(given[[c for c in given.columns if c not in (*events.columns, "stamp", "date")]])
    ids = names if len(shown) == len(names) else names[shown]
    ar = pd.DataFrame(single["ar"], index=ids, columns=pd.Index(spec.days, name="day"), copy=False)
    return {
        "events": events,
        "ar": ar,
        "cars": _cars(ids, single, spec),
        "daily": _daily(outcome, spec),
        "tests": verdicts(outcome, spec, why),
        "effects": _effects(outcome, spec),
        "attrition": _attrition(status, lost, spec),
    }


def _screened(event_table: EventTable) -> list[str]:
    return [name for name in ("n_contaminated",) if name in event_table.frame]


def _after(event_table: EventTable, n_est: Ints, fitted: Ints, spec: Spec) -> tuple[Ints, Ints, np.ndarray]:
    """Carry what the run found back to the rows of all events: estimation days, status, reason."""
    counts, status, reason = (
        np.zeros(len(event_table.status), dtype=np.int64),
        event_table.status.copy(),
        event_table.reason.copy(),
    )
    counts[event_table.rows] = n_est
    fitted = np.where((n_est < spec.min_estimation) & (fitted == Status.OK), Status.TOO_FEW_ESTIMATION, fitted)
    status[event_table.rows] = fitted
    few = f"valid returns in the estimation window; {spec.min_estimation} are needed"
    texts = {
        Status.TOO_FEW_ESTIMATION: "the model needs more valid returns in the estimation window",
        Status.EMPTY_EVENT_WINDOW: "no valid return in the event window",
        Status.SINGULAR: "the regressors do not vary, or not independently, in the estimation window",
        Status.NO_VARIATION: "the residuals do not vary: a constant price, or the security is its own benchmark",
        Status.NO_PEERS: "too few peers have returns on the days of its windows",
        Status.NOT_CONVERGED: "the estimation of the model did not converge",
    }
    lost = fitted != Status.OK
    for row, code, n in zip(event_table.rows[lost], fitted[lost], n_est[lost], strict=True):
        short = code == Status.TOO_FEW_ESTIMATION and n < spec.min_estimation
        reason[row] = f"{n} {few}" if short else texts.get(Status(code), "")
    again = (event_table.duplicate_of != np.arange(len(status))) & (status == Status.DUPLICATE)
    counts[again] = counts[event_table.duplicate_of[again]]
    return counts, status, reason


def _labels(status: Ints) -> np.ndarray:
    labels = np.array([code.label for code in Status], dtype=object)
    return np.asarray(labels[status])


def _none(spec: Spec, n_coefficients: int) -> dict[str, np.ndarray]:
    """Stand in for the single events where there is none."""
    names = ("car", "se", "n_days", "p_sq", *(("bhar",) if spec.compound else ()))
    windows = {name: np.empty((0, len(spec.windows))) for name in names}
    flat = {name: np.empty(0) for name in ("sigma", "dof", "r2")}
    empty = {"id": np.empty(0, dtype=np.int64), "coef": np.empty((0, n_coefficients)), "ar": np.empty((0, spec.n_evt))}
    return {**windows, **flat, **empty}


def _cars(names: pd.Index, single: dict[str, np.ndarray], spec: Spec) -> pd.DataFrame:
    n, v = single["car"].shape
    t: Floats = divide(single["car"], single["se"])
    df = np.repeat(single["dof"], v)
    further = {name: single[name].ravel() for name in ("bhar", "p_placebo") if name in single}
    made = pd.DataFrame(
        {
            "event_id": names.repeat(v).array,
            "start": np.tile(spec.windows[:, 0], n),
            "end": np.tile(spec.windows[:, 1], n),
            "car": single["car"].ravel(),
            "se": single["se"].ravel(),
            "t": t.ravel(),
            "df": df,
            "p": _p(t.ravel(), df),
            "p_sq": single["p_sq"].ravel(),
            "n_days": single["n_days"].ravel().astype(np.int64, copy=False),
        },
        copy=False,
    )
    order = [*made.columns[:4], "bhar", *made.columns[4:-1], "p_placebo", "n_days"]
    return made.assign(**further)[[name for name in order if name in made.columns or name in further]]


def _p(t: Floats, df: Floats) -> Floats:
    """Give p of Student's t, some thousand at a time."""
    p = np.empty(len(t))
    for start in range(0, len(t), CHUNK):
        some = slice(start, start + CHUNK)
        p[some] = p_t(t[some], df[some])
    return p


def _daily(outcome: Outcome, spec: Spec) -> pd.DataFrame:
    columns = ("n", "aar", "caar", "se", "lower", "upper")
    found = outcome.shared.get(
        "daily", {name: np.full((1, spec.n_evt), 0.0 if name == "n" else np.nan) for name in columns}
    )
    frame = pd.DataFrame({name: found[name][0] for name in columns}, index=pd.Index(spec.days, name="day"))
    return frame.astype({"n": np.int64})


def verdicts(outcome: Outcome, spec: Spec, why: str, groups: Sequence[str] = ("all",)) -> pd.DataFrame:
    """Give one row a group, window and test; ``why`` goes into every note."""
    none = np.zeros((len(groups), len(spec.windows)))
    moments = outcome.shared.get("moments", {"car": none, "n": none})
    effect = divide(moments["car"], moments["n"])
    rows = []
    for g, group in enumerate(groups):
        for name, verdict in outcome.verdicts.items():
            for v, (start, end) in enumerate(spec.windows):
                value, df, p, n, note = (part[g, v] for part in verdict)
                text = "; ".join(filter(None, (note, why)))
                rows.append((group, start, end, name, n, effect[g, v], value, df, p, text))
    return pd.DataFrame(
        rows, columns=["group", "start", "end", "test", "n", "effect", "statistic", "df", "p", "note"]
    ).astype({"n": np.int64, "effect": float, "statistic": float, "df": float, "p": float})


def _effects(outcome: Outcome, spec: Spec) -> pd.DataFrame:
    r"""Return the mean CAR of each window with its standard error, which allows for events that share days.

    .. math:: se = \frac{sd(CAR)}{\sqrt N} \sqrt{\frac{1 + (N-1) r}{1 - r}}

    as the band around the CAAR has it, with r of :mod:`eventstudy.core.overlap` for the window; NaN for one event.
    """
    n_windows = len(spec.windows)
    n, effect, se = np.zeros(n_windows), np.full(n_windows, np.nan), np.full(n_windows, np.nan)
    if outcome.shared:
        moments, r = outcome.shared["moments"], outcome.shared["overlap"]["windows"][0]
        n = moments["n"][0]
        effect, sd = mean_and_sd(n, moments["car"][0], moments["car2"][0])
        inflation = divide(1.0 + (n - 1.0) * r, 1.0 - r)
        se = sd * np.sqrt(np.where(inflation > 0, inflation, np.nan) / np.maximum(n, 1))
    reach = margin(se, n - 1)
    columns = {"start": spec.windows[:, 0], "end": spec.windows[:, 1], "n": n.astype(np.int64), "effect": effect}
    return pd.DataFrame({**columns, "se": se, "df": n - 1, "lower": effect - reach, "upper": effect + reach})


def _attrition(status: Ints, lost: Ints, spec: Spec) -> pd.DataFrame:
    codes, counts = np.unique(status, return_counts=True)
    rows = [(Status(code).label, int(n)) for code, n in zip(codes, counts, strict=True)]
    few = (
        "a day is missing" if spec.min_coverage == 1.0 else f"fewer than {spec.min_coverage:.0%} of the days are valid"
    )
    for (start, end), n in zip(spec.windows, lost, strict=True):
        if n:
            rows.append((f"ok, but {few} in ({start}, {end})", int(n)))
    return pd.DataFrame(rows, columns=["reason", "n"])
