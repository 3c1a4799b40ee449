"""Comparisons of mean CARs between groups of events, and cross-sectional regressions of CARs.

``measure`` is the short name of the measure in messages: CAR, BHAR or another.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.analysis.formula_values import with_values
from eventstudy.analysis.formulas import column_names, model_of
from eventstudy.core.nulls import p_t
from eventstudy.errors import EventStudyWarning, InputError, NotEnoughData
from eventstudy.tabular.labels import cleaned, labels_of
from eventstudy.types import Floats, ResultFrames, Window

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionModel, RegressionResultsWrapper

COVARIANCES = ("HC1", "nonrobust", "cluster")
WEIGHTS = (None, "precision")
MOST = 30  # groups compared in pairs at most
ROUNDING = 1e-24  # a variance below this share of the mean squared CAR is rounding error


class _Pair(NamedTuple):
    """Two groups of events: their names, CARs (n,), sessions as numbers (n,), and the short name of the measure."""

    names: tuple[object, object]
    car: tuple[Floats, Floats]
    session: tuple[np.ndarray, np.ndarray]
    measure: str


def compare(result: ResultFrames, column: str, window: Window | None) -> pd.DataFrame:
    """Compare the mean CAR of every pair of values of a column; see ``Result.compare``."""
    arguments.choice("column", column, result.events.columns)
    measure = result.measure.short
    frame, window = _with_car(result.events, result.cars, window)
    frame = _signed(frame, result.measure.sign)
    labels = labels_of(frame[column])
    if labels.notes:
        warnings.warn("; ".join(labels.notes), EventStudyWarning, stacklevel=3)
    blank = labels.codes < 0
    excluded = {_no_car(window, measure): int(frame["car"].isna().sum()), f"without {column!r}": int(blank.sum())}
    _warn_of_excluded(len(frame), excluded)
    used = ~blank & frame["car"].notna().to_numpy()
    frame, code = frame[used], labels.codes[used]
    values = _sort(labels.values, np.unique(code).tolist())
    if len(values) < 2:
        raise NotEnoughData(
            f"the events with a {measure} have {len(values)} value of {column!r}; two are needed to compare"
        )
    if len(values) > MOST:
        raise InputError(f"column {column!r} has {len(values)} values; up to {MOST} are compared in pairs: use regress")
    of_group = {at: frame[code == at] for at in values}
    session = pd.Series(pd.factorize(frame["session"])[0], index=frame.index)
    rows = []
    for first, second in itertools.combinations(values, 2):
        groups = [of_group[first], of_group[second]]
        car = [group["car"].to_numpy(dtype=np.float64) for group in groups]
        days = [session[group.index].to_numpy() for group in groups]
        names = (labels.values[first], labels.values[second])
        rows.append(_compare_pair(_Pair(names, (car[0], car[1]), (days[0], days[1]), measure)))
    return pd.DataFrame(rows)


def _compare_pair(pair: _Pair) -> dict[str, object]:
    a, b = pair.car
    notes: list[str] = []
    t, df = _welch(pair, notes)
    row = {
        "first": pair.names[0], "second": pair.names[1], "n1": len(a), "n2": len(b), "difference": a.mean() - b.mean(),
        "t": t, "df": df, "p": float(p_t(np.array(t), np.array(df))), "p_rank": _rank_sum(pair, notes),
    }  # fmt: skip
    return {**row, **_cluster_test(pair, notes), "note": "; ".join(notes)}


def _varies(pair: _Pair) -> bool:
    """Return whether the CARs vary within at least one of the groups."""
    squares = max(float((car**2).mean()) for car in pair.car)
    return max(float(car.var()) for car in pair.car) > ROUNDING * squares


def _welch(pair: _Pair, notes: list[str]) -> tuple[float, float]:
    """Return Welch's t and its degrees of freedom."""
    single = [name for name, car in zip(pair.names, pair.car, strict=True) if len(car) < 2]
    if single or not _varies(pair):
        reason = (
            " and ".join(f"{name!r} has 1 event" for name in single)
            or f"the {pair.measure}s do not vary within the groups"
        )
        notes.append(f"t: {reason}")
        return np.nan, np.nan
    (a, b), n = pair.car, np.array([len(car) for car in pair.car])
    share = np.array([car.var(ddof=1) for car in pair.car]) / n
    df = share.sum() ** 2 / (share**2 / (n - 1)).sum()
    return float((a.mean() - b.mean()) / np.sqrt(share.sum())), float(df)


def _rank_sum(pair: _Pair, notes: list[str]) -> float:
    from scipy import stats

    if np.ptp(np.concatenate(pair.car)) == 0.0:
        notes.append(f"p_rank: the {pair.measure}s are all equal")
        return np.nan
    return float(stats.mannwhitneyu(*pair.car).pvalue)


def _cluster_test(pair: _Pair, notes: list[str]) -> dict[str, float]:
    """Regress the CAR on a dummy of the first group, with errors clustered by date and t(dates - 1)."""
    from statsmodels.regression.linear_model import OLS

    session = np.concatenate(pair.session)
    n_dates = len(np.unique(session))
    undefined = {"t_cluster": np.nan, "p_cluster": np.nan, "n_dates": n_dates}
    single = [name for name, days in zip(pair.names, pair.session, strict=True) if len(np.unique(days)) < 2]
    if single:
        # The residuals of such a group sum to zero on its date, so that its variance would be ignored.
        notes.append("p_cluster: " + " and ".join(f"{name!r} has 1 date" for name in single))
        return undefined
    if not _varies(pair):
        notes.append(f"p_cluster: the {pair.measure}s do not vary within the groups")
        return undefined
    car = np.concatenate(pair.car)
    dummy = np.repeat([1.0, 0.0], [len(c) for c in pair.car])
    fit = OLS(car, np.column_stack([np.ones(len(car)), dummy])).fit(
        cov_type="cluster", cov_kwds={"groups": session}, use_t=True
    )
    variance = float(fit.cov_params()[1, 1])
    if not variance > ROUNDING * float((car**2).mean()):
        notes.append("p_cluster: the residuals of each date cancel out")
        return undefined
    return {"t_cluster": float(fit.tvalues[1]), "p_cluster": float(fit.pvalues[1]), "n_dates": n_dates}


def regress(
    result: ResultFrames, formula: str, window: Window | None, weights: str | None, cov: str
) -> RegressionResultsWrapper:
    """Regress the CARs on the columns of the events; see ``Result.regress``."""
    from statsmodels.regression.linear_model import OLS, WLS

    arguments.choice("weights", weights, WEIGHTS)
    arguments.choice("cov", cov, COVARIANCES)
    measure = result.measure.short
    frame, window = _with_car(result.events, result.cars, window)
    frame = _signed(frame, result.measure.sign)
    names = column_names(formula, frame.columns)
    with_car = frame[frame["car"].notna()]
    with_car = with_car.apply(cleaned)
    missing = {f"without {name!r}": int(with_car[name].isna().sum()) for name in names}
    with_value, undefined = with_values(formula, with_car)
    model = model_of(OLS, formula, with_value)
    used = with_value.loc[model.data.row_labels]
    _warn_of_excluded(len(frame), {_no_car(window, measure): len(frame) - len(with_car), **missing, **undefined})
    clusters = pd.factorize(used["session"])[0]
    _check_design(model, len(np.unique(clusters)) if cov == "cluster" else None, measure)
    if weights == "precision":
        model = model_of(WLS, formula, used, weights=1.0 / used["se"].to_numpy(dtype=np.float64) ** 2)
    return model.fit(cov_type=cov, cov_kwds={"groups": clusters} if cov == "cluster" else None, use_t=True)


def _check_design(model: RegressionModel, n_clusters: int | None, measure: str) -> None:
    """Raise an error for a design for which statsmodels would return infinities, or one of several solutions."""
    n, k = model.exog.shape
    if k == 0:
        raise InputError("the formula has no term, and there is nothing to estimate; name one, such as 'car ~ 1'")
    if np.ndim(model.endog) != 1:
        raise InputError("the left side of the formula has several columns; it must be one number for each event")
    if n <= k:
        raise NotEnoughData(f"events left: {n}, for {k} coefficients; use fewer terms, or more events")
    if n_clusters is not None and n_clusters < 2:
        raise NotEnoughData("the events share one date; cov='cluster' needs two or more: use 'HC1'")
    if np.linalg.matrix_rank(model.exog) < k:
        raise InputError(f"the terms {', '.join(model.exog_names)} are not independent among the events; leave one out")
    y = np.asarray(model.endog, dtype=np.float64)
    if not y.var() > ROUNDING * (y**2).mean():
        raise NotEnoughData(f"the {measure}s are all equal: there is nothing to explain")


def _with_car(events: pd.DataFrame, cars: pd.DataFrame, window: Window | None) -> tuple[pd.DataFrame, Window]:
    """Return the used events with ``car`` and ``se`` of a window, the first by default, and the window."""
    columns = [name for name in ("car", "bhar", "se") if name in cars.columns]
    taken = [name for name in columns if name in events.columns]
    if taken:
        raise InputError(f"the events' column {taken[0]!r} has the name of a result; rename it")
    windows = list(dict.fromkeys(zip(cars["start"].tolist(), cars["end"].tolist(), strict=True)))
    if not windows:
        raise NotEnoughData("no event could be used; see attrition")
    chosen = arguments.one_window(window, windows)
    in_window = cars[(cars["start"] == chosen[0]) & (cars["end"] == chosen[1])].drop_duplicates("event_id")
    in_window = in_window.assign(car=in_window.get("bhar", in_window["car"]))  # the BHAR if returns are compounded
    joined = events[events["status"] == "ok"].join(in_window.set_index("event_id")[columns])
    return joined, chosen


def _signed(frame: pd.DataFrame, sign: str | None) -> pd.DataFrame:
    """Multiply the CARs by the expected sign of their events; events without one are left out."""
    if sign is None:
        return frame
    signs = pd.to_numeric(frame[sign], errors="coerce").astype(float)
    signed = frame[signs.abs() == 1.0]
    names = [name for name in ("car", "bhar") if name in frame]
    return signed.assign(**{name: signed[name] * signs[signed.index] for name in names})


def _sort(values: Sequence[Any], codes: list[int]) -> list[int]:
    """Sort codes by their values, or by the texts of these if they cannot be compared."""
    try:
        return sorted(codes, key=lambda code: values[code])
    except TypeError:
        return sorted(codes, key=lambda code: str(values[code]))


def _no_car(window: Window, measure: str) -> str:
    return f"without a {measure} in {window}"


def _warn_of_excluded(n: int, excluded: Mapping[str, int]) -> None:
    """Warn of the used events that are left out; an event may be counted for several reasons."""
    reasons = [f"{count} {reason}" for reason, count in excluded.items() if count]
    if reasons:
        warnings.warn(f"of {n} used events are left out: {', '.join(reasons)}", EventStudyWarning, stacklevel=4)
