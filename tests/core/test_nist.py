"""Least squares against the certified values of the NIST Statistical Reference Datasets (linear regression).

The data are public domain (https://www.itl.nist.gov/div898/strd/lls/lls.shtml). Agreement is counted in digits, as NIST
does: the log relative error. What the method attains (float64 on x86-64) is what stands beside each set below; half a
digit less is demanded. For Wampler's and Filippelli's polynomials it is limited by the condition of the powers of x.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import ArrayLike

from eventstudy.core.ols import least_squares
from eventstudy.types import Abnormal, Block, Status

EXACT = 15.0  # digits printed by NIST


class Problem(NamedTuple):
    """One data set: response and regressors as printed, certified coefficients and residual standard deviation."""

    y: list[str]
    x: list[list[Fraction]]  # rows, the 1 of the intercept included
    coef: list[float]
    sigma: float


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((v * w for v, w in zip(a, b, strict=True)), Fraction(0))


def powers(x: list[str], degree: int) -> list[list[Fraction]]:
    return [[Fraction(value) ** k for k in range(degree + 1)] for value in x]


LONGLEY = """
60323  83.0 234289 2356 1590 107608 1947
61122  88.5 259426 2325 1456 108632 1948
60171  88.2 258054 3682 1616 109773 1949
61187  89.5 284599 3351 1650 110929 1950
63221  96.2 328975 2099 3099 112075 1951
63639  98.1 346999 1932 3594 113270 1952
64989  99.0 365385 1870 3547 115094 1953
63761 100.0 363112 3578 3350 116219 1954
66019 101.2 397469 2904 3048 117388 1955
67857 104.6 419180 2822 2857 118734 1956
68169 108.4 442769 2936 2798 120445 1957
66513 110.8 444546 4681 2637 121950 1958
68655 112.6 482704 3813 2552 123366 1959
69564 114.2 502601 3931 2514 125368 1960
69331 115.7 518173 4806 2572 127852 1961
70551 116.9 554894 4007 2827 130081 1962
"""
FILIP = """
0.8116 -6.860120914  0.9072 -4.324130045  0.9052 -4.358625055  0.9039 -4.358426747  0.8053 -6.955852379
0.8377 -6.661145254  0.8667 -6.355462942  0.8809 -6.118102026  0.7975 -7.115148017  0.8162 -6.815308569
0.8515 -6.519993057  0.8766 -6.204119983  0.8885 -5.853871964  0.8859 -6.109523091  0.8959 -5.79832982
0.8913 -5.482672118  0.8959 -5.171791386  0.8971 -4.851705903  0.9021 -4.517126416  0.909  -4.143573228
0.9139 -3.709075441  0.9199 -3.499489089  0.8692 -6.300769497  0.8872 -5.953504836  0.89   -5.642065153
0.891  -5.031376979  0.8977 -4.680685696  0.9035 -4.329846955  0.9078 -3.928486195  0.7675 -8.56735134
0.7705 -8.363211311  0.7713 -8.107682739  0.7736 -7.823908741  0.7775 -7.522878745  0.7841 -7.218819279
0.7971 -6.920818754  0.8329 -6.628932138  0.8641 -6.323946875  0.8804 -5.991399828  0.7668 -8.781464495
0.7633 -8.663140179  0.7678 -8.473531488  0.7697 -8.247337057  0.77   -7.971428747  0.7749 -7.676129393
0.7796 -7.352812702  0.7897 -7.072065318  0.8131 -6.774174009  0.8498 -6.478861916  0.8741 -6.159517513
0.8061 -6.835647144  0.846  -6.53165267   0.8751 -6.224098421  0.8856 -5.910094889  0.8919 -5.598599459
0.8934 -5.290645224  0.894  -4.974284616  0.8957 -4.64454848   0.9047 -4.290560426  0.9129 -3.885055584
0.9209 -3.408378962  0.9219 -3.13200249   0.7739 -8.726767166  0.7681 -8.66695597   0.7665 -8.511026475
0.7703 -8.165388579  0.7702 -7.886056648  0.7761 -7.588043762  0.7809 -7.283412422  0.7961 -6.995678626
0.8253 -6.691862621  0.8602 -6.392544977  0.8809 -6.067374056  0.8301 -6.684029655  0.8664 -6.378719832
0.8834 -6.065855188  0.8898 -5.752272167  0.8964 -5.132414673  0.8963 -4.811352704  0.9074 -4.098269308
0.9119 -3.66174277   0.9228 -3.2644011
"""
# Wampler3 to Wampler5 add 1, 100 and 10 000 times these, orthogonal to all polynomials up to x^5, to Wampler1.
DEVIATIONS = [
    759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048, 2048,
    -2048, 1838, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 759,
]  # fmt: skip


def longley() -> Problem:
    rows = [line.split() for line in LONGLEY.strip().splitlines()]
    coef = [
        -3482258.63459582, 15.0618722713733, -0.358191792925910e-01, -2.02022980381683, -1.03322686717359,
        -0.511041056535807e-01, 1829.15146461355,
    ]  # fmt: skip
    x = [[Fraction(1), *map(Fraction, row[1:])] for row in rows]
    return Problem([row[0] for row in rows], x, coef, 304.854073561965)


def filip() -> Problem:
    cells = FILIP.split()
    coef = [
        -1467.48961422980, -2772.17959193342, -2316.37108160893, -1127.97394098372, -354.478233703349,
        -75.1242017393757, -10.8753180355343, -1.06221498588947, -0.670191154593408e-01, -0.246781078275479e-02,
        -0.402962525080404e-04,
    ]  # fmt: skip
    return Problem(cells[::2], powers(cells[1::2], 10), coef, 0.334801051324544e-02)


def wampler(base: str, noise: int, sigma: float) -> Problem:
    """Give y = sum of (base x)^k, k = 0..5, at x = 0..20, with ``noise`` times the deviations on top."""
    x = powers([str(v) for v in range(21)], 5)
    coef = [Fraction(base) ** k for k in range(6)]
    y = [str(float(dot(coef, row)) + noise * d) for row, d in zip(x, DEVIATIONS, strict=True)]
    return Problem(y, x, [float(c) for c in coef], sigma)


class Attained(NamedTuple):
    """A problem and the digits that are attained of coefficients, residual standard deviation and leverage.

    ``ar`` is the error that the abnormal return may have, as a share of the largest y.
    """

    problem: Problem
    coef: float
    sigma: float | None
    leverage: float
    ar: float


PROBLEMS = {
    "Longley": Attained(longley(), 13.9, 15.0, 15.0, 1e-15),
    "Filip": Attained(filip(), 7.7, 8.0, 8.0, 2e-10),
    "Wampler1": Attained(wampler("1", 0, 0.0), 9.7, None, 14.0, 1e-15),
    "Wampler2": Attained(wampler("1/10", 0, 0.0), 12.8, None, 14.0, 1e-15),
    "Wampler3": Attained(wampler("1", 1, 2360.14502379268), 9.1, 14.6, 14.0, 1e-15),
    "Wampler4": Attained(wampler("1", 100, 236014.502379268), 8.3, 14.8, 14.0, 1e-14),
    "Wampler5": Attained(wampler("1", 10_000, 23601450.2379268), 6.3, 14.8, 14.0, 1e-13),
}
SLACK = 0.5  # digits that another processor's order of summation may cost


def digits(found: ArrayLike, certified: ArrayLike) -> float:
    """Give the least log relative error of some values, at most the 15 digits that are certified."""
    assert np.isfinite(found).all()
    error = np.max(np.abs(np.subtract(found, certified)) / np.abs(certified))
    return EXACT if error == 0 else min(EXACT, float(-np.log10(error)))


def fit(problem: Problem) -> Abnormal:
    """Fit a problem; its first row stands a second time, as the one day of the event window."""
    x = np.array([[float(v) for v in row] for row in problem.x])
    y = np.array([float(v) for v in problem.y])
    n = len(y)
    zero = np.zeros(1, dtype=np.int64)
    block = Block(
        r=np.append(y, y[0])[None], ok=np.ones((1, n + 1), dtype=bool), x=np.vstack([x, x[:1]])[None, :, 1:], n_est=n,
        id=zero, cluster=zero, group=zero, weight=np.ones(1), n_clusters=1, n_groups=1,
    )  # fmt: skip
    return least_squares(block, [1.0, *np.moveaxis(block.x, -1, 0)])


def solve(x: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """Solve (X'X) b = right in rational numbers."""
    columns = list(zip(*x, strict=True))
    rows = [[*(dot(one, other) for other in columns), value] for one, value in zip(columns, right, strict=True)]
    for i, pivot in enumerate(rows):
        rows[i] = pivot = [value / pivot[i] for value in pivot]
        for j, row in enumerate(rows):
            if j != i:
                rows[j] = [a - row[i] * b for a, b in zip(row, pivot, strict=True)]
    return [row[-1] for row in rows]


class Exact(NamedTuple):
    """The solution in rational numbers, without rounding: coefficients, residuals, leverage of the first row."""

    coef: list[Fraction]
    residuals: list[Fraction]
    leverage: Fraction


@cache
def exact(name: str) -> Exact:
    problem = PROBLEMS[name].problem
    y = [Fraction(value) for value in problem.y]
    coef = solve(problem.x, [dot(column, y) for column in zip(*problem.x, strict=True)])
    residuals = [value - dot(coef, row) for value, row in zip(y, problem.x, strict=True)]
    return Exact(coef, residuals, dot(solve(problem.x, problem.x[0]), problem.x[0]))


each = pytest.mark.parametrize("name", PROBLEMS)


@each
def test_the_data_as_typed_here_have_the_certified_solution(name):
    problem, solution = PROBLEMS[name].problem, exact(name)
    assert digits([float(value) for value in solution.coef], problem.coef) > 14.3  # 15 digits are certified
    variance = dot(solution.residuals, solution.residuals) / (len(problem.y) - len(problem.coef))
    assert float(variance) ** 0.5 == pytest.approx(problem.sigma, rel=1e-14, abs=0.0)


@each
def test_coefficients(name):
    problem = PROBLEMS[name].problem
    assert digits(fit(problem).coef[0], problem.coef) >= PROBLEMS[name].coef - SLACK


@each
def test_residual_standard_deviation(name):
    problem, attained = PROBLEMS[name].problem, PROBLEMS[name].sigma
    found = fit(problem)
    assert found.dof[0] == len(problem.y) - len(problem.coef)
    if attained is None:  # the fit is perfect: there is no variance to estimate
        assert found.status[0] == Status.NO_VARIATION
        assert np.isnan(found.sigma[0])
        assert np.isnan(found.r2[0])
    else:
        assert found.status[0] == Status.OK
        assert digits(found.sigma, [problem.sigma]) >= attained - SLACK


@each
def test_the_abnormal_return_is_what_the_exact_fit_leaves(name):
    problem = PROBLEMS[name].problem
    error = abs(fit(problem).ar[0, -1] - float(exact(name).residuals[0]))
    assert error <= PROBLEMS[name].ar * max(abs(float(y)) for y in problem.y)


@each
def test_the_forecast_factor_is_the_leverage(name):
    h = fit(PROBLEMS[name].problem).h[0]
    assert digits([h[-1] @ h[-1]], [float(exact(name).leverage)]) >= PROBLEMS[name].leverage - SLACK
    assert np.sum(h[:-1] ** 2) == pytest.approx(len(exact(name).coef), rel=1e-12)
