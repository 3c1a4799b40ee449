"""Build the data frames of a result; integers are converted back to labels here only."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.core.nulls import divide, p_t
from eventstudy.errors import InputError
from eventstudy.types import EventTable, Floats, Ints, Outcome, Spec, Status

CHUNK = 65_536  # values processed at a time
DAILY = ("n", "aar", "caar", "se", "lower", "upper")
EFFECTS = ("mean", "se", "df", "lower", "upper")


def placement(event_table: EventTable, outcome: Outcome, spec: Spec) -> pd.DataFrame:
    """Return the table of ``Study.check``: every event with its session, placement, status and reason."""
    counts, status, reason = _outcome_by_event(event_table, outcome.n_est, outcome.status, spec)
    columns = ["ticker", "announced", "session", "placement", "benchmark", *_screening_columns(event_table)]
    table: pd.DataFrame = event_table.frame[columns].copy()
    table["session"] = event_table.at_the_exchange(table["session"])
    table["n_estimation"] = counts
    table["status"], table["reason"] = _labels(status), reason
    return table


def assemble(
    event_table: EventTable,
    outcome: Outcome,
    spec: Spec,
    coefficients: tuple[str, ...],
    input_events: pd.DataFrame,
    singles: dict[str, np.ndarray] | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the frames of a :class:`Result` but the tests.

    ``singles`` stands in for those of the outcome, and is emptied: each array is freed when it has been copied.
    """
    counts, status, reason = _outcome_by_event(event_table, outcome.n_est, outcome.status, spec)
    names = event_table.frame.index
    single = (dict(outcome.singles) if singles is None else singles) or _empty_singles(spec, len(coefficients))
    n_without_car = np.isnan(single.get("bhar", single["car"])).sum(axis=0)
    with_results, single = _of_rows(event_table, status, single)
    shown = ("ticker", "announced", "session", "placement", *_screening_columns(event_table))
    columns: dict[Hashable, Any] = {name: event_table.frame[name] for name in shown}
    columns["session"] = event_table.at_the_exchange(columns["session"])
    columns |= {"status": _labels(status), "reason": reason, "n_estimation": counts}
    fits = {"alpha": np.nan, **dict(zip(coefficients, single.pop("coef").T, strict=True))}
    for name in (*fits, "sigma", "r2"):
        columns[name] = np.full(len(names), np.nan)
        columns[name][with_results] = fits.pop(name) if name in fits else single.pop(name)
    taken = (*columns, "stamp", "date")
    columns |= {name: input_events[name] for name in input_events.columns if name not in taken}
    events = pd.DataFrame(columns, index=names, copy=False)
    ids = names if len(with_results) == len(names) else names[with_results]
    ar = pd.DataFrame(single["ar"], index=ids, columns=pd.Index(spec.days, name="day"), copy=False)
    return {
        "events": events,
        "ar": ar,
        "cars": _cars(ids, single, spec),
        "daily": pd.DataFrame(_daily(outcome, spec, 1), index=pd.Index(spec.days, name="day")),
        "effects": _effects(outcome, spec),
        "attrition": _attrition(status, n_without_car, spec),
    }


def _of_rows(
    event_table: EventTable, status: Ints, singles: dict[str, np.ndarray]
) -> tuple[Ints, dict[str, np.ndarray]]:
    """Return the rows of the events with results, and their results; ``singles`` is emptied array by array."""
    estimated = event_table.rows[singles["id"]]
    position = np.full(len(status), -1)
    position[estimated] = np.arange(len(estimated))
    position = position[event_table.duplicate_of]  # a duplicate has the results of the event that it duplicates
    with_results = np.flatnonzero((position >= 0) & np.isin(status, [Status.OK, Status.DUPLICATE]))
    selected: Ints | slice = position[with_results]
    if np.array_equal(position[with_results], np.arange(len(estimated))):
        selected = slice(None)  # without a copy
    return with_results, {name: singles.pop(name)[selected] for name in [*singles]}


def check_names(input_events: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise InputError if a column of the input has the name of one that the study adds to the events."""
    for name in columns:
        if name in input_events.columns:
            raise InputError(
                f"the events have a column {name!r}, which the results of this study have too; rename it, as in"
                f" df.rename(columns={{{name!r}: {'own_' + name!r}}})"
            )


def _screening_columns(event_table: EventTable) -> list[str]:
    return [name for name in ("n_contaminated", "implausible_prices") if name in event_table.frame]


def _outcome_by_event(
    event_table: EventTable, n_est: Ints, fit_status: Ints, spec: Spec
) -> tuple[Ints, Ints, np.ndarray]:
    """Return estimation days, status and reason of all events from those of the placed events (n,)."""
    status, reason = event_table.status.copy(), event_table.reason.copy()
    counts = np.zeros(len(status), dtype=np.int64) if event_table.n_read is None else event_table.n_read.copy()
    counts[event_table.rows] = n_est
    too_few = (n_est < spec.min_estimation) & (fit_status == Status.OK)
    fit_status = np.where(too_few, Status.TOO_FEW_ESTIMATION, fit_status)
    status[event_table.rows] = fit_status
    few = f"valid returns in the estimation window; {spec.min_estimation} are needed"
    texts = {
        Status.TOO_FEW_ESTIMATION: "the model needs more valid returns in the estimation window",
        Status.EMPTY_EVENT_WINDOW: "no valid return in the event window",
        Status.SINGULAR: "the regressors do not vary, or not independently, in the estimation window",
        Status.NO_VARIATION: "the residuals do not vary: a constant price, or the security is its own benchmark",
        Status.NO_PEERS: "too few peers have returns on the days of its windows",
        Status.NOT_CONVERGED: "the estimation of the model did not converge",
    }
    excluded = fit_status != Status.OK
    for row, code, n in zip(event_table.rows[excluded], fit_status[excluded], n_est[excluded], strict=True):
        short = code == Status.TOO_FEW_ESTIMATION and n < spec.min_estimation
        reason[row] = f"{n} {few}" if short else texts.get(Status(code), "")
    duplicate = (event_table.duplicate_of != np.arange(len(status))) & (status == Status.DUPLICATE)
    counts[duplicate] = counts[event_table.duplicate_of[duplicate]]
    return counts, status, reason


def _labels(status: Ints) -> np.ndarray:
    labels = np.array([code.label for code in Status], dtype=object)
    return np.asarray(labels[status])


def _empty_singles(spec: Spec, n_coefficients: int) -> dict[str, np.ndarray]:
    """Return the results of no events."""
    names = ("car", "se", "n_days", "p_sq", "p_conformal", *(("bhar",) if spec.compound else ()))
    windows = {name: np.empty((0, len(spec.windows))) for name in names}
    flat = {name: np.empty(0) for name in ("sigma", "dof", "r2")}
    empty = {"id": np.empty(0, dtype=np.int64), "coef": np.empty((0, n_coefficients)), "ar": np.empty((0, spec.n_evt))}
    return {**windows, **flat, **empty}


def _cars(names: pd.Index, single: dict[str, np.ndarray], spec: Spec) -> pd.DataFrame:
    n, v = single["car"].shape
    t: Floats = divide(single["car"], single["se"])
    df = np.repeat(single["dof"], v)
    bhar: dict[str, np.ndarray] = {"bhar": single["bhar"].ravel()} if "bhar" in single else {}
    p_placebo: dict[str, np.ndarray] = {"p_placebo": single["p_placebo"].ravel()} if "p_placebo" in single else {}
    return pd.DataFrame(
        {
            "event_id": names.repeat(v).array,
            "start": np.tile(spec.windows[:, 0], n),
            "end": np.tile(spec.windows[:, 1], n),
            "car": single["car"].ravel(),
            **bhar,
            "se": single["se"].ravel(),
            "t": t.ravel(),
            "df": df,
            "p": _p_values(t.ravel(), df),
            "p_sq": single["p_sq"].ravel(),
            "p_conformal": single["p_conformal"].ravel(),
            **p_placebo,
            "n_days": single["n_days"].ravel().astype(np.int64, copy=False),
        },
        copy=False,
    )


def _p_values(t: Floats, df: Floats) -> Floats:
    """Return the two-sided p-values of Student's t, in chunks."""
    p = np.empty(len(t))
    for start in range(0, len(t), CHUNK):
        chunk = slice(start, start + CHUNK)
        p[chunk] = p_t(t[chunk], df[chunk])
    return p


def daily(outcome: Outcome, spec: Spec, groups: Sequence[str]) -> pd.DataFrame:
    """Return the averages of each group and day: group, day, n, aar, caar, se, lower, upper."""
    labels = {"group": np.repeat(np.array(groups, dtype=object), spec.n_evt), "day": np.tile(spec.days, len(groups))}
    return pd.DataFrame({**labels, **_daily(outcome, spec, len(groups))})


def _daily(outcome: Outcome, spec: Spec, n_groups: int) -> dict[str, np.ndarray]:
    empty = {name: np.full((n_groups, spec.n_evt), 0.0 if name == "n" else np.nan) for name in DAILY}
    values = outcome.shared.get("daily", empty)
    columns = {name: values[name].ravel() for name in DAILY}
    return {**columns, "n": columns["n"].astype(np.int64)}


def _effects(outcome: Outcome, spec: Spec) -> pd.DataFrame:
    """Return the mean CAR, or BHAR, of each window, with its standard error (:mod:`eventstudy.core.effects`)."""
    nan = np.full((1, len(spec.windows)), np.nan)
    effects = outcome.shared.get("effects", {"n": np.zeros(nan.shape), **dict.fromkeys(EFFECTS, nan)})
    windows = {"start": spec.windows[:, 0], "end": spec.windows[:, 1], "n": effects["n"][0].astype(np.int64)}
    means = {"effect" if name == "mean" else name: effects[name][0] for name in EFFECTS}
    return pd.DataFrame({**windows, **means})


def _attrition(status: Ints, n_without_car: Ints, spec: Spec) -> pd.DataFrame:
    """Count the events by status, and by window those of status OK without a CAR."""
    codes, counts = np.unique(status, return_counts=True)
    rows = [(Status(code).label, int(n)) for code, n in zip(codes, counts, strict=True)]
    few = (
        "a day is missing" if spec.min_coverage == 1.0 else f"fewer than {spec.min_coverage:.0%} of the days are valid"
    )
    for (start, end), n in zip(spec.windows, n_without_car, strict=True):
        if n:
            rows.append((f"ok, but {few} in ({start}, {end})", int(n)))
    return pd.DataFrame(rows, columns=["reason", "n"])


def with_row(attrition: pd.DataFrame, reason: str, n: int) -> pd.DataFrame:
    """Return the attrition with one more reason, unless no event has it."""
    return (
        attrition if not n else pd.concat([attrition, pd.DataFrame({"reason": [reason], "n": [n]})], ignore_index=True)
    )
