"""How many runs of days have a sum whose size reaches a number.

Most sums are far from it, so that single precision and a bound of its error tell on which side they are; the others are
added up once more in double precision. All counts are those of double precision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from eventstudy.core.runs import LARGEST, RoundedSums, RunSums, count, root
from eventstudy.types import Bools, Floats, Ints

EPS = 2.0**-24  # largest relative error of rounding to single precision
TINY = 1e-36  # added to the bound of an error: smaller numbers lose all digits


class Terms(NamedTuple):
    """What is subtracted from the first of some values: the others times factors (N, any or 1), and a level (N, 1)."""

    factors: Sequence[Floats] = ()
    level: Floats | None = None

    def apply(self, function: Callable[[Floats], Floats]) -> Terms:
        """Apply a function to each factor and to the level."""
        factors = [function(factor) for factor in self.factors]
        return Terms(factors, None if self.level is None else function(self.level))


NOTHING = Terms()


class Rounded(NamedTuple):
    """Runs of rows of days (N, n), or of the first rows less terms with the others: sums in single precision."""

    apart: Sequence[RoundedSums]

    def n_reaching(self, length: int, least: Floats, among: Bools | None, terms: Terms = NOTHING) -> Ints:
        """Count the runs of a length that reach ``least`` (N, 1), (N,)."""

        def exactly(row: Ints, first: Ints) -> Floats:
            sums = [sums.exactly(row, first, length) for sums in self.apart]
            return np.abs(less(sums, terms.apply(lambda values: values[row])))

        largest, *others = [sums.largest(length) for sums in self.apart]
        for values, factor in zip(others, terms.factors, strict=True):
            largest = largest + values * np.abs(factor)
        if terms.level is not None:
            largest = largest + np.abs(terms.level)
        error = EPS * (length.bit_length() + len(terms.factors) + 4) * largest + TINY
        apart, rounded = [sums.of(length) for sums in self.apart], terms.apply(single)
        if largest.max(initial=0.0) < LARGEST:
            sums = less(apart, rounded)
        else:
            error = np.where(largest < LARGEST, error, np.nan)
            with np.errstate(over="ignore", invalid="ignore"):
                sums = less(apart, rounded)
        sizes = np.abs(sums, out=None if sums is apart[0] else sums)
        return n_reaching(sizes, least, error, exactly, among)


class Scaled(NamedTuple):
    """The same runs, their sums divided by the root of that of a variance: sums in double precision."""

    apart: Sequence[RunSums]
    variance: RunSums

    def n_reaching(self, length: int, least: Floats, among: Bools | None, terms: Terms = NOTHING) -> Ints:
        """Count the runs of a length that reach ``least`` (N, 1), (N,)."""
        sums = less([sums.of(length) for sums in self.apart], terms)
        large = np.abs(sums / root(self.variance.of(length))) >= least
        return count(large if among is None else large & among)


def runs_of(apart: Sequence[Floats], variance: Floats | None) -> Rounded | Scaled:
    """Return the runs of rows of days (N, n), divided by the root of a variance if there is one."""
    if variance is None:
        return Rounded([RoundedSums(rows) for rows in apart])
    return Scaled([RunSums(np.asfortranarray(rows)) for rows in apart], RunSums(np.asfortranarray(variance)))


def less(values: Sequence[Floats], terms: Terms) -> Floats:
    """Return the first of the values (N, any) less the terms."""
    difference, *others = values
    for value, factor in zip(others, terms.factors, strict=True):
        product = value * factor
        difference = np.subtract(difference, product, out=product)
    if terms.level is None:
        return difference
    return np.subtract(difference, terms.level, out=difference if others else None)


def n_reaching(
    sums: Floats, least: Floats, error: Floats, exactly: Callable[[Ints, Ints], Floats], among: Bools | None = None
) -> Ints:
    """Count the sums (N, n) of each row that are at least a number (N, 1), (N,).

    Parameters
    ----------
    sums : single-precision float array (N, n)
        In Fortran order.
    least : float array (N, 1)
    error : float array (N, 1)
        How far the sums may be off; NaN where they are not known.
    exactly : function of rows (m,) and columns (m,)
        Returns sums in double precision, (m, 1), for those that are no farther from the number than that.
    among : bool array (N, n), optional
        Which sums to count.

    Examples
    --------
    >>> sums, least = np.array([[1.0, 2.0, 3.0]]), np.array([[2.0 + 1e-12]])
    >>> rounded, error = single(sums), np.array([[1e-6]])
    >>> n_reaching(rounded, least, error, lambda row, column: sums[row, column, None]).tolist()
    [1]
    """
    error = error + EPS * np.abs(least)
    large, near = sums >= single(least + error), sums < single(least - error)
    np.logical_not(near, out=near)  # where the error is not known too
    if among is not None:
        large &= among
        near &= among
    n, n_near = count(large), count(near)
    rows = np.flatnonzero(n_near > n)
    if len(rows):
        at, column = np.nonzero(near[rows] & ~large[rows])
        row = rows[at]
        n += np.bincount(row[(exactly(row, column) >= least[row])[:, 0]], minlength=len(n))
    return n


def single(values: Floats) -> Floats:
    """Round to single precision; infinite where that is too small."""
    with np.errstate(over="ignore"):
        return values.astype("float32")
