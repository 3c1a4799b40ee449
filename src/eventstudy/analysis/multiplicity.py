"""Several windows, one error rate: p-values adjusted for all the windows of a test, and a band for all days at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.errors import InputError, one_of
from eventstudy.types import Floats, Rerun, ResultFrames, required

METHODS = {"holm": "holm", "bh": "fdr_bh", "by": "fdr_by", "romano_wolf": ""}  # names in statsmodels
FEWEST = 20  # samples, as in the placebo test


def adjust(rerun: Rerun | None, result: ResultFrames, method: str, draws: int) -> pd.DataFrame:
    """Adjust the p-values of several windows; see ``Result.adjust``."""
    drawn = _null(rerun, draws) if method == "romano_wolf" else {}
    return adjusted(result.tests, method, drawn)


def band(rerun: Rerun | None, result: ResultFrames, level: float, draws: int) -> pd.DataFrame:
    """Return a band that holds for all days together; see ``Result.band``."""
    check_band(level, draws)
    drawn = _null(rerun, draws)["all"].get("cumulative", np.empty((0, len(result.daily))))
    return band_of(result.daily, drawn, level)


def _null(rerun: Rerun | None, draws: int) -> dict[str, dict[str, Floats]]:
    """Return by group what the statistics are on dates drawn anew."""
    if not isinstance(draws, int) or draws < 99:
        raise InputError(f"draws is {draws!r}; give a whole number, 99 or more")
    return required(rerun).null(draws)


def adjusted(tests: pd.DataFrame, method: str, drawn: Mapping[str, Mapping[str, Floats]]) -> pd.DataFrame:
    """Give the table of tests with a column ``p_adjusted``; see ``Result.adjust``.

    Parameters
    ----------
    tests : DataFrame
        ``Result.tests``: the rows of one group and test stand in the order of the windows.
    method : {"holm", "bh", "by", "romano_wolf"}
    drawn : mapping from group to mapping from ``t:test`` to float array (draws, V)
        The statistics on drawn dates, for "romano_wolf"; a test that is not there is not adjusted, and says so.
    """
    if method not in METHODS:
        raise one_of("method", method, METHODS)
    p = tests["p"].to_numpy(dtype=np.float64)
    found, notes = np.full(len(tests), np.nan), tests["note"].to_numpy(dtype=object, copy=True)
    families: Mapping[Any, Any] = tests.groupby(["group", "test"], sort=False).indices
    for (group, name), rows in families.items():
        known = rows[np.isfinite(p[rows])]
        if method != "romano_wolf":
            found[known] = _by_p(p[known], method)
            continue
        t = np.where(np.isfinite(p[rows]), tests["statistic"].to_numpy(dtype=np.float64)[rows], np.nan)
        null = drawn.get(group, {}).get(f"t:{name}")
        found[rows] = np.nan if null is None else romano_wolf(t, null)
        why = (
            "it draws dates itself"
            if null is None
            else f"fewer than {FEWEST} drawn samples have a value, or they do not differ"
        )
        for row in known[np.isnan(found[known])]:
            notes[row] = "; ".join(filter(None, (notes[row], f"not adjusted: {why}")))
    return tests.assign(note=notes, p_adjusted=found)


def _by_p(p: Floats, method: str) -> Floats:
    """Adjust known p-values by what they alone tell."""
    from statsmodels.stats.multitest import multipletests

    return np.asarray(multipletests(p, method=METHODS[method])[1]) if len(p) else p


def romano_wolf(t: Floats, drawn: Floats) -> Floats:
    r"""Adjust the p-values of several statistics by their joint null distribution, stepping down from the largest.

    .. math:: p_{(j)} = \max\Big(p_{(j-1)},\;
              \frac{1 + \#\{b : \max_{k \ge j} |t^*_{b(k)}| \ge |t_{(j)}|\}}{1 + B}\Big), \quad
              |t_{(1)}| \ge |t_{(2)}| \ge \dots

    Romano & Wolf (2005, Econometrica 73:1237), with the p-values of Romano & Wolf (2016, Statistics & Probability
    Letters 113:38). The error rate of the family is kept whatever the dependence of the statistics.

    Parameters
    ----------
    t : float array (V,)
        Studentised statistics, centred on zero under the null; NaN is left out of the family.
    drawn : float array (B, V)
        The same where nothing happened; a row with a missing value in the family does not count.

    Returns
    -------
    float array (V,)
        NaN where t is, and all NaN with fewer than 20 rows, or where they do not differ.

    Examples
    --------
    >>> drawn = np.tile(np.arange(1.0, 100.0)[:, None], (1, 2))
    >>> romano_wolf(np.array([-99.5, 90.0]), drawn).tolist()
    [0.01, 0.11]
    """
    at = np.flatnonzero(np.isfinite(t))
    size = np.abs(_whole(drawn[:, at]))
    p = np.full(len(t), np.nan)
    if len(size) == 0:
        return p
    at_order = np.argsort(-np.abs(t[at]), kind="stable")
    largest_left = np.maximum.accumulate(size[:, at_order[::-1]], axis=1)[:, ::-1]
    at = at[at_order]
    beyond = (largest_left >= np.abs(t[at]) * (1 - 1e-12)).sum(axis=0)
    p[at] = np.maximum.accumulate((1.0 + beyond) / (1.0 + len(size)))
    return p


def max_t_quantile(drawn: Floats, level: float) -> float:
    """Give the bound below which all statistics of a row stay together with probability ``level``.

    Parameters
    ----------
    drawn : float array (B, V)
        Statistics where nothing happened; a row with a missing value does not count.
    level : float

    Returns
    -------
    float
        The value of rank ceil(level (B + 1)) among the largest sizes of the rows, so that the level is kept with few
        rows too; NaN where there are not so many rows, or fewer than 20, or where they do not differ.

    Examples
    --------
    >>> max_t_quantile(np.array([[1.0, -k] for k in range(1, 100)]), 0.95)
    95.0
    """
    whole = _whole(drawn)
    rank = _rank(level, len(whole))
    if rank > len(whole):
        return float("nan")
    return float(np.sort(np.abs(whole).max(axis=1))[rank - 1])


def _whole(drawn: Floats) -> Floats:
    """Give the rows without a missing value; none where they are too few, or all the same for want of other dates."""
    rows = drawn[np.isfinite(drawn).all(axis=1)]
    enough = drawn.shape[1] > 0 and len(rows) >= FEWEST and (np.ptp(rows, axis=0) > 1e-12 * np.abs(rows).max()).any()
    return rows if enough else rows[:0]


def _rank(level: float, n: int) -> int:
    return int(np.ceil(level * (n + 1) - 1e-9))


def check_band(level: float, draws: int) -> None:
    """Refuse a level, or so few draws that no bound has it."""
    if not 0.0 < level < 1.0:
        raise InputError(f"level is {level!r}; it is a share between 0 and 1, as in 0.95")
    if _rank(level, draws) > draws:
        raise InputError(f"draws is {draws}; a band of level {level} needs at least {np.ceil(level / (1 - level)):.0f}")


def band_of(daily: pd.DataFrame, drawn: Floats, level: float) -> pd.DataFrame:
    """Give the band around the CAAR that holds for all days together; see ``Result.band``.

    Parameters
    ----------
    daily : DataFrame
        ``Result.daily``.
    drawn : float array (draws, n_evt)
        The CAAR over its standard error on drawn dates.
    level : float
    """
    known = np.isfinite(daily["caar"].to_numpy()) & np.isfinite(daily["se"].to_numpy())
    reach = max_t_quantile(drawn[:, known], level) * daily["se"]
    return pd.DataFrame({"caar": daily["caar"], "lower": daily["caar"] - reach, "upper": daily["caar"] + reach})
