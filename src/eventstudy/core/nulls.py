"""Turn a statistic and its null distribution into a verdict; a statistic without a value gets a reason."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from eventstudy.types import Bools, Floats, Ints, Verdict


def p_t(t: Floats, df: Floats) -> Floats:
    """Return the two-sided p-value of Student's t; NaN where t or df is NaN."""
    from scipy import special

    return np.asarray(2.0 * special.stdtr(df, -np.abs(t)))


def margin(se: Floats, df: Floats, level: float = 0.95) -> Floats:
    """Return half the width of an interval from t(df); NaN where df is not positive."""
    from scipy import special

    return np.asarray(special.stdtrit(np.where(df > 0, df, np.nan), 0.5 + level / 2.0) * se)


def margin_at(level: float, margin95: Floats, se: Floats) -> Floats:
    """Return half the width of an interval of another level than 95 %, from that of 95 % and the standard error.

    Their ratio is the quantile of t(df), which grows as df falls, so that df is found by bisection. NaN where either is
    NaN, or the standard error is 0.

    Examples
    --------
    >>> se, df = np.array([0.01, 0.02]), np.array([3.7, 120.0])
    >>> np.allclose(margin_at(0.9, margin(se, df), se), margin(se, df, 0.9), rtol=1e-9)
    True
    """
    from scipy import special

    quantile = divide(margin95, se)
    low, high = np.full(quantile.shape, np.log(0.05)), np.full(quantile.shape, np.log(1e9))
    for _ in range(80):
        middle = (low + high) / 2.0
        wide = special.stdtrit(np.exp(middle), 0.975) > quantile
        low, high = np.where(wide, middle, low), np.where(wide, high, middle)
    return np.asarray(special.stdtrit(np.exp(high), 0.5 + level / 2.0) * se * np.where(np.isnan(quantile), np.nan, 1.0))


def binomial_interval(hits: Floats, n: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the exact interval of a share of n draws (Clopper & Pearson 1934, Biometrika 26:404); NaN without draws.

    Examples
    --------
    >>> lower, upper = binomial_interval(np.array([0.0, 5.0]), np.array([10.0, 10.0]))
    >>> lower.round(3).tolist(), upper.round(3).tolist()
    ([0.0, 0.187], [0.308, 0.813])
    """
    from scipy import special

    tail = (1.0 - level) / 2.0
    none, all_of_them = np.where(n > 0, 0.0, np.nan), np.where(n > 0, 1.0, np.nan)
    misses = n - hits
    lower = special.betaincinv(np.maximum(hits, 1.0), misses + 1.0, tail)
    upper = special.betaincinv(hits + 1.0, np.maximum(misses, 1.0), 1.0 - tail)
    return np.where(hits > 0, lower, none), np.where(misses > 0, upper, all_of_them)


def p_normal(z: Floats) -> Floats:
    """Return the two-sided p-value of the standard normal; NaN where z is NaN."""
    from scipy import special

    return np.asarray(2.0 * special.ndtr(-np.abs(z)))


def divide(a: Floats, b: Floats) -> Floats:
    """Divide where b is positive and return NaN elsewhere, without a warning."""
    a, b = np.broadcast_arrays(a, b)
    return np.asarray(np.divide(a, b, out=np.full(a.shape, np.nan), where=b > 0))


def verdict(
    statistic: Floats,
    n: Floats | Ints,
    *,
    df: Floats | None = None,
    p: Floats | None = None,
    note: str = "",
    undefined: Iterable[tuple[Bools, str]] = (),
) -> Verdict:
    """Return the result of a test: p from t(df), or from the normal if df is None, unless ``p`` is passed.

    ``undefined`` holds pairs of a mask, where the statistic has no value, and the reason; the first reason that applies
    becomes the note. A value that is not finite for none of these reasons is noted as having no finite value.
    """
    shape = statistic.shape
    notes = np.full(shape, note, dtype=object)
    missing = np.zeros(shape, dtype=bool)
    for mask, reason in (*undefined, (~np.isfinite(statistic), "the statistic has no finite value")):
        newly_missing = np.broadcast_to(mask, shape) & ~missing
        notes[newly_missing] = reason
        missing |= newly_missing
    value = np.where(missing, np.nan, statistic)
    degrees = np.full(shape, np.nan) if df is None else np.where(missing, np.nan, df)
    if p is None:
        p = p_normal(value) if df is None else p_t(value, degrees)
    return Verdict(value, degrees, np.where(missing, np.nan, p), np.rint(n).astype(np.int64), notes)


def t_of_mean(n: Floats, mean: Floats, sd: Floats, equal_reason: str) -> Verdict:
    """Divide a mean by its cross-sectional standard error, t(n - 1); ``equal_reason`` is the note where sd is NaN."""
    return verdict(
        divide(mean * np.sqrt(n), sd),
        n,
        df=n - 1,
        undefined=[(n < 2, "fewer than 2 events"), (np.isnan(sd), equal_reason)],
    )
