"""From a statistic and its null distribution to a verdict; a statistic that has no value has a reason."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import special

from eventstudy.types import Bools, Floats, Ints, Verdict


def p_t(t: Floats, df: Floats) -> Floats:
    """Two-sided p of Student's t; NaN where t or df is."""
    return np.asarray(2.0 * special.stdtr(df, -np.abs(t)))


def margin(se: Floats, df: Floats) -> Floats:
    """Give half the width of a 95 % interval from t(df); NaN where df is not above zero."""
    return np.asarray(special.stdtrit(np.where(df > 0, df, np.nan), 0.975) * se)


def p_normal(z: Floats) -> Floats:
    """Two-sided p of the normal; NaN where z is."""
    return np.asarray(2.0 * special.ndtr(-np.abs(z)))


def divide(a: Floats, b: Floats) -> Floats:
    """Divide where b is above zero, and give NaN elsewhere, without a warning."""
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
    """Finish a test: p from t(df), or from the normal where df is None, unless the test has its own p.

    ``undefined`` names where the statistic has no value, and why; the first reason that applies is noted. A value
    that is not finite without such a reason is noted as not computable.
    """
    shape = statistic.shape
    notes = np.full(shape, note, dtype=object)
    lost = np.zeros(shape, dtype=bool)
    for where, reason in (*undefined, (~np.isfinite(statistic), "the statistic has no finite value")):
        fresh = np.broadcast_to(where, shape) & ~lost
        notes[fresh] = reason
        lost |= fresh
    value = np.where(lost, np.nan, statistic)
    degrees = np.full(shape, np.nan) if df is None else np.where(lost, np.nan, df)
    if p is None:
        p = p_normal(value) if df is None else p_t(value, degrees)
    return Verdict(value, degrees, np.where(lost, np.nan, p), np.rint(n).astype(np.int64), notes)


def t_of_mean(n: Floats, mean: Floats, sd: Floats, alike: str) -> Verdict:
    """Compare a mean with its standard error across events, t(n - 1); ``alike`` is why an sd of NaN has no value."""
    return verdict(
        divide(mean * np.sqrt(n), sd),
        n,
        df=n - 1,
        undefined=[(n < 2, "fewer than 2 events"), (np.isnan(sd), alike)],
    )
