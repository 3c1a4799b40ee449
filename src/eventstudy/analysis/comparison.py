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
from eventstudy.analysis.past import Past
from eventstudy.analysis.slopes import COVARIANCES, Inference, Regression, infer
from eventstudy.core.nulls import p_t
from eventstudy.core.slopes import independent
from eventstudy.display.rows import in_window
from eventstudy.errors import EventStudyWarning, InputError, NotEnoughData
from eventstudy.tabular.labels import cleaned, labels_of
from eventstudy.types import Floats, Ints, Rerun, ResultFrames, Window

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionModel, RegressionResultsWrapper

PLAIN = ("HC1", "nonrobust", "cluster")  # those of statsmodels
WEIGHTS = (None, "precision", "gls")
MOST = 30  # groups compared in pairs at most
ROUNDING = 1e-24  # a variance below this share of the mean squared CAR is rounding error


class _Pair(NamedTuple):
    """Two groups of events: their names, CARs (n,), and their rows in the frame of all events."""

    names: tuple[object, object]
    car: tuple[Floats, Floats]
    rows: tuple[Ints, Ints]
    measure: str


def compare(
    rerun: Rerun | None, result: ResultFrames, column: str, window: Window | None, cov: str, draws: int
) -> pd.DataFrame:
    """Compare the mean CAR of every pair of values of a column; see ``Result.compare``."""
    arguments.choice("column", column, result.events.columns)
    arguments.choice("cov", cov, COVARIANCES)
    draws = arguments.whole("draws", draws, 99, arguments.MOST_DRAWS)
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
    past = Past(rerun, frame, window, draws)
    car = frame["car"].to_numpy(dtype=np.float64)
    rows = []
    for pair in itertools.combinations(values, 2):
        first, second = (np.flatnonzero(code == at) for at in pair)
        names = (labels.values[pair[0]], labels.values[pair[1]])
        rows.append(_compare_pair(_Pair(names, (car[first], car[second]), (first, second), measure), past, cov))
    return pd.DataFrame(rows)


def _compare_pair(pair: _Pair, past: Past, cov: str) -> dict[str, object]:
    (a, b), rows = pair.car, np.concatenate(pair.rows)
    sessions = past.frame["session"].iloc[rows].nunique()
    notes: list[str] = []
    row: dict[str, object] = {
        "first": pair.names[0], "second": pair.names[1], "n1": len(a), "n2": len(b), "difference": a.mean() - b.mean(),
        **_difference(pair, past, cov, notes),
    }  # fmt: skip
    t, df = _welch(pair, notes)
    row |= {"t_welch": t, "p_welch": float(p_t(np.array(t), np.array(df))), "p_rank": _rank_sum(pair, notes)}
    if sessions < len(rows):
        notes.append(f"p_welch and p_rank take events as independent, but {len(rows)} have {sessions} dates")
    return {**row, "n_dates": sessions, "note": "; ".join(notes)}


def _difference(pair: _Pair, past: Past, cov: str, notes: list[str]) -> dict[str, float]:
    """Regress the CAR on a dummy of the first group; without a p-value, say why."""
    undefined = {"t": np.nan, "df": np.nan, "p": np.nan}
    if not _varies(pair):
        notes.append(f"p: the {pair.measure}s do not vary within the groups")
        return undefined
    y, dummy = np.concatenate(pair.car), np.repeat([1.0, 0.0], [len(car) for car in pair.car])
    its = Regression(np.column_stack([np.ones(len(y)), dummy]), y, past, np.concatenate(pair.rows), pair.measure)
    try:
        inference = infer(its, cov)
    except NotEnoughData as error:
        notes.append(f"p: {error}")
        return undefined
    notes.append(f"p: {inference.note}")
    values = {"t": inference.t[1], "df": inference.df[1], "p": inference.p[1]}
    difference = {"difference": inference.b[1]} if inference.effects.size else {}
    return {**difference, **{name: float(value) for name, value in values.items()}}


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
        notes.append(f"t_welch: {reason}")
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


def regress(
    rerun: Rerun | None,
    result: ResultFrames,
    formula: str,
    window: Window | None,
    weights: str | None,
    cov: str,
    draws: int,
) -> RegressionResultsWrapper:
    """Regress the CARs on the columns of the events; see ``Result.regress``."""
    from statsmodels.regression.linear_model import GLS, OLS, WLS

    from eventstudy.analysis.fits import plain

    arguments.choice("weights", weights, WEIGHTS)
    arguments.choice("cov", cov, (*COVARIANCES, *PLAIN))
    draws = arguments.whole("draws", draws, 99, arguments.MOST_DRAWS)
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
    _check_design(model, used["session"].nunique() if cov == "cluster" else None, measure)
    its = Regression(
        np.asarray(model.exog, dtype=np.float64), np.asarray(model.endog, dtype=np.float64),
        Past(rerun, used, window, draws), np.arange(len(used)), measure, weights,
        used["se"].to_numpy(dtype=np.float64), str(model.endog_names),
    )  # fmt: skip
    options: dict[str, Floats] = {}
    if weights == "precision":
        options = {"weights": 1.0 / its.working().sd ** 2}
        model = model_of(WLS, formula, used, **options)
    elif weights == "gls":
        options = {"sigma": its.working().covariance}
        model = model_of(GLS, formula, used, **options)
    if cov in PLAIN:
        return plain(model, cov, pd.factorize(used["session"])[0], options)
    return _fit(model, infer(its, cov), its, options)


def _fit(
    model: RegressionModel, found: Inference, its: Regression, options: Mapping[str, Floats]
) -> RegressionResultsWrapper:
    """Return the statsmodels results with the covariance that was found, and date effects where it has some."""
    from eventstudy.analysis.fits import results

    if found.effects.size:
        dates = its.past.frame["session"].groupby(its.day).first().iloc[1:]
        effects = pd.DataFrame(found.effects, its.past.frame.index, [f"date[{date:%Y-%m-%d}]" for date in dates])
        design = pd.concat([pd.DataFrame(model.exog, its.past.frame.index, model.exog_names), effects], axis=1)
        outcome = pd.Series(model.endog, its.past.frame.index, name=model.endog_names)
        model = type(model)(outcome, design, **options)
    return results(model, found, options)


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
        raise NotEnoughData("the events share one date; cov='cluster' needs two or more: use 'auto'")
    if not independent(model.exog):
        raise InputError(f"the terms {', '.join(model.exog_names)} are not independent among the events; leave one out")
    y = np.asarray(model.endog, dtype=np.float64)
    if not y.var() > ROUNDING * (y**2).mean():
        raise NotEnoughData(f"the {measure}s are all equal: there is nothing to explain")


def _with_car(events: pd.DataFrame, cars: pd.DataFrame, window: Window | None) -> tuple[pd.DataFrame, Window]:
    """Return the used events with ``car`` and ``se`` of a window, the first by default, and the window.

    Both ``compare`` and ``regress`` take the CARs from here.
    """
    columns = [name for name in ("car", "bhar", "se") if name in cars.columns]
    taken = [name for name in columns if name in events.columns]
    if taken:
        raise InputError(f"the events' column {taken[0]!r} has the name of a result; rename it")
    windows = list(dict.fromkeys(zip(cars["start"].tolist(), cars["end"].tolist(), strict=True)))
    if not windows:
        raise NotEnoughData("no event could be used; see attrition")
    chosen = arguments.one_window(window, windows)
    rows = in_window(cars, chosen).drop_duplicates("event_id")
    rows = rows.assign(car=rows.get("bhar", rows["car"]))  # the BHAR if returns are compounded
    joined = events[events["status"] == "ok"].join(rows.set_index("event_id")[columns])
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
