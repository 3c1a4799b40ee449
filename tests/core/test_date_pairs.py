"""Products of rows over their common dates, against a loop over pairs and dates."""

from __future__ import annotations

import numpy as np
import pytest

from eventstudy.core import date_pairs
from eventstudy.core.date_pairs import DatePairs, by_date
from eventstudy.types import Floats, Ints


def rows_of_dates(rng: np.random.Generator, n: int, days: int, span: int, gaps: bool) -> Ints:
    """Draw rows of increasing dates, consecutive or with gaps as on the calendars of several exchanges."""
    steps = rng.integers(1, 4, (n, days)) if gaps else np.ones((n, days), dtype=np.int64)
    return rng.integers(0, span, n)[:, None] + np.cumsum(steps, axis=1)


def by_hand(dates: Ints, values: Floats, first: Ints, second: Ints) -> list[float]:
    """Sum the products of each pair, date by date."""
    by_date = [dict(zip(row.tolist(), of_row.tolist(), strict=True)) for row, of_row in zip(dates, values, strict=True)]
    return [
        sum(value * by_date[b].get(date, 0.0) for date, value in by_date[a].items())
        for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("days", [1, 7, 40])
@pytest.mark.parametrize("few", [0, 1_000])
def test_it_is_a_loop_over_pairs_and_dates(few, days, gaps, monkeypatch):
    """Both ways, with pairs that share no date, a row with itself, and rows in any order of their dates."""
    monkeypatch.setattr(date_pairs, "FEW", few)
    monkeypatch.setattr(date_pairs, "SINGLE", 100)  # so that pairs come in several steps
    rng = np.random.default_rng(days)
    dates = rows_of_dates(rng, 23, days, 60, gaps)
    first, second = (leaf.ravel() for leaf in np.indices((23, 23)))
    values = rng.standard_normal((2, 23, days))
    pairs = DatePairs(dates, first, second)
    sums = pairs.sums(values)
    assert sums.shape == (2, 23 * 23)
    np.testing.assert_array_equal(pairs.sums(values[1]), sums[1])
    for of_window, one in zip(sums, values, strict=True):
        np.testing.assert_allclose(of_window, by_hand(dates, one, first, second), rtol=1e-12, atol=1e-12)


def test_the_number_of_partners_decides_how_it_is_computed():
    dates = np.arange(30)[:, None] + np.arange(5)
    first, second = np.triu_indices(30)
    kinds = [
        type(DatePairs(dates, *pairs)._others[0]).__name__ for pairs in ((first, second), (first[:60], second[:60]))
    ]
    assert kinds == ["_Together", "_Single"]


def test_rows_without_a_partner_are_multiplied_by_themselves():
    values = np.array([[2.0, 3.0], [5.0, 7.0]])
    both = np.arange(2)
    assert DatePairs(np.array([[0, 1], [9, 10]]), both, both).sums(values).tolist() == [13.0, 74.0]


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("days", [1, 7, 40])
def test_products_by_date_are_those_of_a_loop(days, gaps, monkeypatch):
    monkeypatch.setattr(date_pairs, "SINGLE", 100)
    rng = np.random.default_rng(days)
    dates = rows_of_dates(rng, 23, days, 60, gaps)
    first, second = np.triu_indices(23)
    values, factor, n_dates = rng.standard_normal((23, days)), rng.standard_normal(len(first)), int(dates.max()) + 1
    wanted = np.zeros(n_dates)
    for a, b, times in zip(first, second, factor, strict=True):
        for date, value in zip(dates[a], values[a], strict=True):
            wanted[date] += times * value * values[b][dates[b] == date].sum()
    found = by_date(dates, first, second, values, factor, n_dates)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
