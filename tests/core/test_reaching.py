"""Counts of runs whose sum reaches a number: those of a loop in double precision, whatever the numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstudy.core.reaching import NOTHING, Terms, less, n_reaching, runs_of, single
from eventstudy.core.runs import RunSums
from eventstudy.types import Floats

N, DAYS, LENGTHS = 40, 60, (1, 2, 5, 11, 21)


def plain(apart: list[Floats], length: int, least: Floats, terms: Terms = NOTHING) -> list[int]:
    """Count the runs in double precision."""
    u = np.abs(less([RunSums(rows).of(length) for rows in apart], terms))
    return [int(n) for n in (u >= least).sum(axis=1)]


def of_unit(unit: float) -> Callable[[np.random.Generator], Floats]:
    return lambda rng: unit * rng.standard_t(3, (N, DAYS))


KINDS: dict[str, Callable[[np.random.Generator], Floats]] = {
    "plain": of_unit(0.02),
    "whole numbers": lambda rng: np.round(2.0 * rng.standard_normal((N, DAYS))),
    "zeros": lambda rng: np.where(rng.random((N, DAYS)) < 0.7, 0.0, rng.standard_normal((N, DAYS))),
    "one wild day": lambda rng: np.where(rng.random((N, DAYS)) < 0.02, 1e9, rng.standard_normal((N, DAYS))),
    "wild rows": lambda rng: np.where(np.arange(N)[:, None] % 3 == 0, 1e35, 1.0) * rng.standard_normal((N, DAYS)),
    "nearly equal": lambda rng: 1.0 + 1e-9 * rng.standard_normal((N, DAYS)),
    "1e-41": of_unit(1e-41),
    "1e-37": of_unit(1e-37),
    "1e31": of_unit(1e31),
    "1e100": of_unit(1e100),
}


@pytest.mark.parametrize("kind", KINDS)
def test_counts_are_those_of_double_precision(kind: str) -> None:
    rng = np.random.default_rng(2)
    e, h = KINDS[kind](rng), 0.1 * rng.standard_normal((N, DAYS))
    g = np.std(e, axis=1, keepdims=True) * rng.standard_normal((N, 1))
    differ = False
    for length in LENGTHS:
        sums = RunSums(e).of(length)
        at = np.abs(sums[:, 3:4])  # a number that one of the sums is equal to, and its neighbours
        terms = Terms([g], 0.01 * at)
        for least in (at, np.nextafter(at, np.inf), np.nextafter(at, 0.0), 1.3 * at):
            found = runs_of([e], None).n_reaching(length, least, None)
            assert found.tolist() == plain([e], length, least)
            of_fit = np.abs(sums[:, 7:8] - RunSums(h).of(length)[:, 7:8] * g - 0.01 * at) if least is at else least
            found = runs_of([e, h], None).n_reaching(length, of_fit, None, terms)
            assert found.tolist() == plain([e, h], length, of_fit, terms)
            differ |= bool(found.min() != found.max())
    assert differ


def test_only_some_runs_are_counted() -> None:
    rng = np.random.default_rng(3)
    e, among = np.round(rng.standard_normal((N, DAYS))), rng.random((N, DAYS)) < 0.5
    found = runs_of([e], None).n_reaching(1, np.ones((N, 1)), among)
    assert found.tolist() == ((np.abs(e) >= 1.0) & among).sum(axis=1).tolist()
    scaled = runs_of([e], np.full(e.shape, 4.0)).n_reaching(1, np.full((N, 1), 0.5), among)
    assert scaled.tolist() == found.tolist()


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.sampled_from([0, 1, 2]))
def test_counts_of_random_numbers_with_ties(seed: int, length: int, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    e = np.round(rng.standard_normal((5, 40)), decimals) * 10.0 ** rng.integers(-12, 13)
    least = np.abs(RunSums(e).of(length)[:, :1])
    assert runs_of([e], None).n_reaching(length, least, None).tolist() == plain([e], length, least)


def test_what_is_far_from_the_number_is_not_added_up_again() -> None:
    sums = np.linspace(0.0, 1.0, 1_001)[None]
    asked: list[int] = []

    def exactly(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        asked.extend(column.tolist())
        return np.asarray(sums[row, column, None])

    found = n_reaching(single(sums), np.array([[0.5]]), np.array([[1e-6]]), exactly)
    assert found.tolist() == [501]
    assert asked == [500]
