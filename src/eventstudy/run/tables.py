"""Build the data frames of a result; integers are converted back to labels here only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from eventstudy.core.nulls import divide, margin, p_t
from eventstudy.core.sums import mean_and_sd
from eventstudy.errors import InputError
from eventstudy.types import EventTable, Floats, Ints, Outcome, Spec, Status

CHUNK = 65_536  # values processed at a time


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
    test_note: str,
    singles: dict[str, np.ndarray] | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the frames of a :class:`Result`; ``test_note`` is added to the note of every test.

    ``singles`` stands in for those of the outcome, and is emptied: each array is freed when it has been copied.
    """
    counts, status, reason = _outcome_by_event(event_table, outcome.n_est, outcome.status, spec)
    names = event_table.frame.index
    single = (dict(outcome.singles) if singles is None else singles) or _empty_singles(spec, len(coefficients))
    estimated = event_table.rows[single["id"]]
    position = np.full(len(names), -1)
    position[estimated] = np.arange(len(estimated))
    position = position[event_table.duplicate_of]  # a duplicate has the results of the event that it duplicates
    with_results = np.flatnonzero((position >= 0) & np.isin(status, [Status.OK, Status.DUPLICATE]))
    selected: Ints | slice = position[with_results]
    n_without_car = np.isnan(single.get("bhar", single["car"])).sum(axis=0)
    if np.array_equal(position[with_results], np.arange(len(estimated))):
        selected = slice(None)  # without a copy
    single = {name: single.pop(name)[selected] for name in [*single]}
    events = event_table.frame[["ticker", "announced", "session", "placement", *_screening_columns(event_table)]].copy()
    events["session"] = event_table.at_the_exchange(events["session"])
    events["status"], events["reason"], events["n_estimation"] = _labels(status), reason, counts
    fits = {"alpha": np.full(len(with_results), np.nan), **dict(zip(coefficients, single["coef"].T, strict=True))}
    for name, values in {**fits, "sigma": single["sigma"], "r2": single["r2"]}.items():
        column = np.full(len(names), np.nan)
        column[with_results] = values
        events[name] = column
    taken = (*events.columns, "stamp", "date")
    events = events.join(input_events[[name for name in input_events.columns if name not in taken]])
    ids = names if len(with_results) == len(names) else names[with_results]
    ar = pd.DataFrame(single["ar"], index=ids, columns=pd.Index(spec.days, name="day"), copy=False)
    return {
        "events": events,
        "ar": ar,
        "cars": _cars(ids, single, spec),
        "daily": _daily(outcome, spec),
        "tests": verdicts(outcome, spec, test_note),
        "effects": _effects(outcome, spec),
        "attrition": _attrition(status, n_without_car, spec),
    }


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
    counts, status, reason = (
        np.zeros(len(event_table.status), dtype=np.int64),
        event_table.status.copy(),
        event_table.reason.copy(),
    )
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
    optional = {name: single[name].ravel() for name in ("bhar", "p_placebo") if name in single}
    frame = pd.DataFrame(
        {
            "event_id": names.repeat(v).array,
            "start": np.tile(spec.windows[:, 0], n),
            "end": np.tile(spec.windows[:, 1], n),
            "car": single["car"].ravel(),
            "se": single["se"].ravel(),
            "t": t.ravel(),
            "df": df,
            "p": _p_values(t.ravel(), df),
            "p_sq": single["p_sq"].ravel(),
            "p_conformal": single["p_conformal"].ravel(),
            "n_days": single["n_days"].ravel().astype(np.int64, copy=False),
        },
        copy=False,
    )
    order = [*frame.columns[:4], "bhar", *frame.columns[4:-1], "p_placebo", "n_days"]
    return frame.assign(**optional)[[name for name in order if name in frame.columns or name in optional]]


def _p_values(t: Floats, df: Floats) -> Floats:
    """Return the two-sided p-values of Student's t, in chunks."""
    p = np.empty(len(t))
    for start in range(0, len(t), CHUNK):
        chunk = slice(start, start + CHUNK)
        p[chunk] = p_t(t[chunk], df[chunk])
    return p


def _daily(outcome: Outcome, spec: Spec) -> pd.DataFrame:
    columns = ("n", "aar", "caar", "se", "lower", "upper")
    daily = outcome.shared.get(
        "daily", {name: np.full((1, spec.n_evt), 0.0 if name == "n" else np.nan) for name in columns}
    )
    frame = pd.DataFrame({name: daily[name][0] for name in columns}, index=pd.Index(spec.days, name="day"))
    return frame.astype({"n": np.int64})


def verdicts(outcome: Outcome, spec: Spec, test_note: str, groups: Sequence[str] = ("all",)) -> pd.DataFrame:
    """Return one row for each group, window and test; ``test_note`` is added to every note."""
    zeros = np.zeros((len(groups), len(spec.windows)))
    moments = outcome.shared.get("moments", {"car": zeros, "n": zeros})
    effect = divide(moments["car"], moments["n"])
    rows = []
    for g, group in enumerate(groups):
        for name, verdict in outcome.verdicts.items():
            for v, (start, end) in enumerate(spec.windows):
                value, df, p, n, note = (part[g, v] for part in verdict)
                text = "; ".join(filter(None, (note, test_note)))
                rows.append((group, start, end, name, n, effect[g, v], value, df, p, text))
    return pd.DataFrame(
        rows, columns=["group", "start", "end", "test", "n", "effect", "statistic", "df", "p", "note"]
    ).astype({"n": np.int64, "effect": float, "statistic": float, "df": float, "p": float})


def _effects(outcome: Outcome, spec: Spec) -> pd.DataFrame:
    r"""Return the mean CAR of each window with its standard error, which allows for events that share days.

    .. math:: se = \frac{sd(CAR)}{\sqrt N} \sqrt{\frac{1 + (N-1) r}{1 - r}}

    as in the band around the CAAR, with r of :mod:`eventstudy.core.overlap` for the window; NaN for a single event.
    """
    n_windows = len(spec.windows)
    n, effect, se = np.zeros(n_windows), np.full(n_windows, np.nan), np.full(n_windows, np.nan)
    if outcome.shared:
        moments, r = outcome.shared["moments"], outcome.shared["overlap"]["windows"][0]
        n = moments["n"][0]
        effect, sd = mean_and_sd(n, moments["car"][0], moments["car2"][0])
        inflation = divide(1.0 + (n - 1.0) * r, 1.0 - r)
        se = sd * np.sqrt(np.where(inflation > 0, inflation, np.nan) / np.maximum(n, 1))
    half_width = margin(se, n - 1)
    columns = {"start": spec.windows[:, 0], "end": spec.windows[:, 1], "n": n.astype(np.int64), "effect": effect}
    return pd.DataFrame({**columns, "se": se, "df": n - 1, "lower": effect - half_width, "upper": effect + half_width})


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
