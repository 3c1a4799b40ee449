"""States that add: whatever the parts, the sum is that of a plain loop."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Literal, cast

import numpy as np
import pytest

from eventstudy.core.nulls import divide, p_normal, p_t, verdict
from eventstudy.core.runs import count
from eventstudy.core.sums import Gathered, Rows, add, mean_and_sd, moments, packed, products_by_cluster, rows
from eventstudy.types import Abnormal, grouping
from tests import make


@pytest.mark.parametrize("size", [1, 3, 50])
def test_rows_equal_a_plain_loop(size: int) -> None:
    rng = np.random.default_rng(1)
    index, values = rng.integers(0, size, 40), rng.standard_normal((40, 3, 2))
    wanted = np.zeros((size, 3, 2))
    for at, value in zip(index, values, strict=True):
        wanted[at] += value
    total = add({}, {"leaf": rows(grouping(index), values, size)})["leaf"]
    np.testing.assert_allclose(total, wanted, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("cluster", [[4, 4, 0, 2, 2, 2], [3, 1, 3, 1, 0, 3]])
def test_products_by_cluster_equal_a_plain_loop(cluster: list[int]) -> None:
    rng = np.random.default_rng(3)
    left, right = rng.standard_normal((2, 6, 3)), rng.standard_normal((2, 6, 8))
    wanted = np.zeros((5, 3, 8))
    for event, at in enumerate(cluster):
        wanted[at] += left[:, event].T @ right[:, event]
    block = SimpleNamespace(by_cluster=grouping(np.array(cluster)), n_clusters=5)
    found: Any = products_by_cluster(cast(Abnormal, SimpleNamespace(block=block)), left, right)
    np.testing.assert_allclose(add({}, {"leaf": found})["leaf"], wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("order", ["C", "F"])
def test_counts_of_more_cells_than_a_byte_holds(order: Literal["C", "F"]) -> None:
    mask = np.random.default_rng(4).random((3, 700)) < 0.9
    mask[0] = True
    assert count(np.asarray(mask, order=order)).tolist() == [sum(row) for row in mask.tolist()]


def test_rows_count_bools_as_numbers() -> None:
    found = rows(grouping(np.array([1, 1, 1])), np.array([[True], [True], [False]]), 2)
    assert found.values.dtype == np.float64
    assert found.values.tolist() == [[2.0]]


def test_parts_add_to_the_whole() -> None:
    rng = np.random.default_rng(2)
    index, values = rng.integers(0, 5, 30), rng.standard_normal((30, 4))
    whole = add({}, {"sum": rows(grouping(index), values, 5), "kept": Gathered((values,)), "array": values.sum(axis=0)})
    total: dict[str, object] = {}
    for start in range(0, 30, 7):
        part, at = values[start : start + 7], index[start : start + 7]
        add(total, {"sum": rows(grouping(at), part, 5), "kept": Gathered((part,)), "array": part.sum(axis=0)})
    np.testing.assert_allclose(total["sum"], whole["sum"], rtol=1e-13)  # type: ignore[call-overload]
    np.testing.assert_allclose(total["array"], whole["array"], rtol=1e-13)  # type: ignore[call-overload]
    np.testing.assert_array_equal(total["kept"].values, values)  # type: ignore[attr-defined]


@pytest.mark.parametrize("shape", [(200,), (200, 3)])
def test_a_table_of_which_most_rows_are_0_is_packed_and_restored(shape: tuple[int, ...]) -> None:
    table = np.zeros(shape)
    table[3], table[90] = 1.5, -2.5
    held = packed({"few": table, "most": table + 1.0, "short": table[:50], "number": np.array(2.0)})
    assert isinstance(held["few"], Rows)
    assert held["few"].index.tolist() == [3, 90]
    assert all(isinstance(held[name], np.ndarray) for name in ("most", "short", "number"))
    restored = add({}, held)
    for name, wanted in (("few", table), ("most", table + 1.0), ("short", table[:50]), ("number", 2.0)):
        np.testing.assert_array_equal(restored[name], wanted)


def test_adding_leaves_the_state_as_it_is() -> None:
    state = make.read_only(
        {"a": np.ones(3), "b": Rows(np.array([1]), np.ones((1, 2)), 2), "c": Gathered((np.ones(2),))}
    )
    total = add(add({}, state), state)
    np.testing.assert_array_equal(total["a"], [2, 2, 2])
    np.testing.assert_array_equal(total["b"], [[0, 0], [2, 2]])
    np.testing.assert_array_equal(state["a"], [1, 1, 1])
    np.testing.assert_array_equal(state["b"].values, [[1, 1]])


def test_moments_are_those_of_numpy() -> None:
    cars = np.random.default_rng(3).standard_normal((20, 2))
    found = add({}, moments(*make.with_cars(cars)))
    np.testing.assert_array_equal(found["n"], [[20, 20]])
    for leaf, wanted in (("car", cars), ("car2", cars**2), ("z", cars), ("z2", cars**2)):
        np.testing.assert_allclose(found[leaf], wanted.sum(axis=0)[None], rtol=1e-13, err_msg=leaf)
    mean, sd = mean_and_sd(found["n"], found["car"], found["car2"])
    np.testing.assert_allclose(mean[0], cars.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(sd[0], cars.std(axis=0, ddof=1), rtol=1e-12)


@pytest.mark.parametrize("values", [[], [0.3], [0.1] * 3, [1e-9 / 3] * 7, [0.0] * 4])
def test_a_spread_that_does_not_exist_is_nan(values: list[float]) -> None:
    x = np.array(values)
    with np.errstate(all="raise"):
        mean, sd = mean_and_sd(np.array([[float(len(x))]]), np.array([[x.sum()]]), np.array([[(x**2).sum()]]))
    assert np.isnan(sd).all()
    assert np.isnan(mean).all() if not values else mean[0, 0] == pytest.approx(values[0], rel=1e-12)


def test_division_is_nan_where_the_divisor_is_not_positive() -> None:
    with np.errstate(all="raise"):
        found = divide(np.array([1.0, 1.0, 0.0, np.nan]), np.array([2.0, 0.0, -1.0, 4.0]))
    np.testing.assert_array_equal(found, [0.5, np.nan, np.nan, np.nan])


def test_p_values_are_those_of_scipy_stats() -> None:
    from scipy import stats

    x = np.array([-40.0, -2.5, -1.96, 0.0, 0.3, 1.96, 7.0])
    np.testing.assert_allclose(p_normal(x), 2 * stats.norm.sf(np.abs(x)), rtol=1e-10)
    for df in (1.0, 4.0, 118.0):
        np.testing.assert_allclose(p_t(x, np.full(7, df)), 2 * stats.t.sf(np.abs(x), df), rtol=1e-10)
    assert np.isnan(p_t(np.array([np.nan, 1.0]), np.array([3.0, np.nan]))).all()


def test_a_verdict_notes_the_first_reason_that_applies() -> None:
    statistic = np.array([[1.0, np.inf, 2.0, np.nan]])
    third = np.array([[False, False, True, False]])
    why = [(third, "first"), (third, "second")]
    found = verdict(statistic, np.full((1, 4), 9.0), df=np.full((1, 4), 8.0), note="fine", undefined=why)
    assert found.note.tolist() == [
        ["fine", "the statistic has no finite value", "first", "the statistic has no finite value"]
    ]
    np.testing.assert_array_equal(found.statistic, [[1.0, np.nan, np.nan, np.nan]])
    for part in (found.df, found.p):
        np.testing.assert_array_equal(np.isnan(part), [[False, True, True, True]])
