"""Multiple testing: p-values adjusted for the number of windows, and a simultaneous band over days."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.errors import InputError
from eventstudy.types import Floats, Rerun, ResultFrames, required

METHODS = ("holm", "bh", "by", "romano_wolf")
FEWEST = 20  # drawn samples, as in the placebo test


def adjust(rerun: Rerun | None, result: ResultFrames, method: str, draws: int) -> pd.DataFrame:
    """Adjust the p-values of several windows; see ``Result.adjust``."""
    arguments.choice("method", method, METHODS)
    draws = arguments.whole("draws", draws, 99, arguments.MOST_DRAWS)
    null = required(rerun).null(draws) if method == "romano_wolf" else {}
    return adjust_tests(result.tests, method, null)


def band(rerun: Rerun | None, result: ResultFrames, level: float, draws: int) -> pd.DataFrame:
    """Return a simultaneous band over all days; see ``Result.band``."""
    check_band(level, draws)
    null = required(rerun).null(draws)["all"].get("cumulative", np.empty((0, len(result.daily))))
    return simultaneous_band(result.daily, null, level)


def adjust_tests(tests: pd.DataFrame, method: str, null: Mapping[str, Mapping[str, Floats]]) -> pd.DataFrame:
    """Return the table of tests with a column ``p_adjusted``; see ``Result.adjust``.

    Parameters
    ----------
    tests : DataFrame
        ``Result.tests``: the rows of each group and test in the order of the windows.
    method : {"holm", "bh", "by", "romano_wolf"}
    null : mapping from group to mapping from ``t:test`` to float array (draws, V)
        The statistics on drawn dates, for "romano_wolf"; a test without them is not adjusted, and its note says so.
    """
    arguments.choice("method", method, METHODS)
    p = tests["p"].to_numpy(dtype=np.float64)
    p_adjusted, notes = np.full(len(tests), np.nan), tests["note"].to_numpy(dtype=object, copy=True)
    for (group, name), family in tests.reset_index(drop=True).groupby(["group", "test"], sort=False):
        rows = family.index.to_numpy()
        defined = rows[np.isfinite(p[rows])]
        if method != "romano_wolf":
            p_adjusted[defined] = adjust_p_values(p[defined], method)
            continue
        t = np.where(np.isfinite(p[rows]), tests["statistic"].to_numpy(dtype=np.float64)[rows], np.nan)
        drawn = null.get(str(group), {}).get(f"t:{name}")
        p_adjusted[rows] = np.nan if drawn is None else romano_wolf(t, drawn)
        reason = (
            "it draws dates itself"
            if drawn is None
            else f"fewer than {FEWEST} drawn samples have a value, or they do not differ"
        )
        for row in defined[np.isnan(p_adjusted[defined])]:
            notes[row] = "; ".join(filter(None, (notes[row], f"not adjusted: {reason}")))
    return tests.assign(note=notes, p_adjusted=p_adjusted)


def adjust_p_values(p: Floats, method: str) -> Floats:
    """Adjust p-values, none of them NaN, by a method that uses only the p-values."""
    if method != "holm":
        from scipy.stats import false_discovery_control

        return np.asarray(false_discovery_control(p, method="bh" if method == "bh" else "by")) if len(p) else p
    # statsmodels has it too, and collects all garbage of the process at each call.
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(adjusted, 1.0)


def romano_wolf(t: Floats, drawn: Floats) -> Floats:
    r"""Adjust the p-values of several statistics by their joint null distribution, stepping down from the largest.

    .. math:: p_{(j)} = \max\Big(p_{(j-1)},\;
              \frac{1 + \#\{b : \max_{k \ge j} |t^*_{b(k)}| \ge |t_{(j)}|\}}{1 + B}\Big), \quad
              |t_{(1)}| \ge |t_{(2)}| \ge \dots

    Romano & Wolf (2005, Econometrica 73:1237), with the p-values of Romano & Wolf (2016, Statistics & Probability
    Letters 113:38). The familywise error rate is controlled under any dependence of the statistics.

    Parameters
    ----------
    t : float array (V,)
        Studentised statistics, centred on zero under the null; NaN is left out of the family.
    drawn : float array (B, V)
        The same statistics under the null; rows with a missing value in the family are not used.

    Returns
    -------
    float array (V,)
        NaN where t is NaN; all NaN with fewer than 20 rows, or if the rows do not differ.

    Examples
    --------
    >>> drawn = np.tile(np.arange(1.0, 100.0)[:, None], (1, 2))
    >>> romano_wolf(np.array([-99.5, 90.0]), drawn).tolist()
    [0.01, 0.11]
    """
    at = np.flatnonzero(np.isfinite(t))
    size = np.abs(_complete_rows(drawn[:, at]))
    p = np.full(len(t), np.nan)
    if len(size) == 0:
        return p
    order = np.argsort(-np.abs(t[at]), kind="stable")
    largest_left = np.maximum.accumulate(size[:, order[::-1]], axis=1)[:, ::-1]
    at = at[order]
    n_as_large = (largest_left >= np.abs(t[at]) * (1 - 1e-12)).sum(axis=0)
    p[at] = np.maximum.accumulate((1.0 + n_as_large) / (1.0 + len(size)))
    return p


def max_t_quantile(drawn: Floats, level: float) -> float:
    """Return the ``level`` quantile of the largest absolute statistic of a row.

    Parameters
    ----------
    drawn : float array (B, V)
        Statistics under the null; rows with a missing value are not used.
    level : float

    Returns
    -------
    float
        The value of rank ceil(level (B + 1)) among the largest absolute statistics of the rows, which keeps the level
        with few rows too; NaN with fewer rows than that rank or than 20, or if the rows do not differ.

    Examples
    --------
    >>> max_t_quantile(np.array([[1.0, -k] for k in range(1, 100)]), 0.95)
    95.0
    """
    rows = _complete_rows(drawn)
    rank = _rank(level, len(rows))
    if rank > len(rows):
        return float("nan")
    return float(np.sort(np.abs(rows).max(axis=1))[rank - 1])


def _complete_rows(drawn: Floats) -> Floats:
    """Return the rows without a missing value; no rows if they are fewer than 20, or all equal."""
    rows = drawn[np.isfinite(drawn).all(axis=1)]
    enough = drawn.shape[1] > 0 and len(rows) >= FEWEST and (np.ptp(rows, axis=0) > 1e-12 * np.abs(rows).max()).any()
    return rows if enough else rows[:0]


def _rank(level: float, n: int) -> int:
    return int(np.ceil(level * (n + 1) - 1e-9))


def check_band(level: float, draws: int) -> None:
    """Raise InputError if the level is not valid, or has no quantile with so few draws."""
    arguments.share("level", level)
    arguments.whole("draws", draws, 99, arguments.MOST_DRAWS)
    if _rank(level, draws) > draws:
        raise InputError(f"draws is {draws}; a band of level {level} needs at least {np.ceil(level / (1 - level)):.0f}")


def simultaneous_band(daily: pd.DataFrame, drawn: Floats, level: float) -> pd.DataFrame:
    """Return the simultaneous band around the CAAR; see ``Result.band``.

    Parameters
    ----------
    daily : DataFrame
        ``Result.daily``.
    drawn : float array (draws, n_evt)
        The CAAR over its standard error on drawn dates.
    level : float
    """
    defined = np.isfinite(daily["caar"].to_numpy()) & np.isfinite(daily["se"].to_numpy())
    half_width = max_t_quantile(drawn[:, defined], level) * daily["se"]
    return pd.DataFrame(
        {"caar": daily["caar"], "lower": daily["caar"] - half_width, "upper": daily["caar"] + half_width}
    )
