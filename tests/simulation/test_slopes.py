"""How often slopes and differences of groups are found where there is none: at 5 %, on real days and on few dates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eventstudy.analysis import comparison
from tests.simulation import slopes

CHARACTERISTICS: dict[str, Callable[[slopes.Placed], np.ndarray]] = {
    "volatility": slopes.volatility, "momentum": slopes.momentum,
}  # fmt: skip
N = 60


def rejections(
    shared: Path, window: tuple[int, int], replications: int, cov: str, weights: str | None = None
) -> dict[str, float]:
    """Count rejections at 5 % on real days without an event: of slopes, and of high less low volatility."""
    p: dict[str, list[float]] = {name: [] for name in (*CHARACTERISTICS, "compare", "welch", "rank")}
    for its in slopes.on_one_day(slopes.closes(shared), N, window, replications, seed=1):
        columns: dict[str, Any] = {name: of(its) for name, of in CHARACTERISTICS.items()}
        high = columns["volatility"] > np.median(columns["volatility"])
        frames = its.frames(**columns, level=np.where(high, "high", "low"))
        for name in CHARACTERISTICS:
            p[name].append(comparison.regress(its, frames, f"car ~ {name}", None, weights, cov, 199).pvalues[name])
        if cov != "HC1" and weights is None:
            [row] = comparison.compare(its, frames, "level", None, cov, 199).to_dict("records")
            for name, column in (("compare", "p"), ("welch", "p_welch"), ("rank", "p_rank")):
                p[name].append(row[column])
    values = {name: np.array(found) for name, found in p.items() if found}
    assert all(np.isfinite(found).all() for found in values.values())
    return {name: float((found < 0.05).mean()) for name, found in values.items()}


def on_dates(rng: np.random.Generator, first: int, second: int) -> float:
    """Give p of two groups on dates of their own."""
    frames = slopes.on_dates_of_their_own(rng, first, second)
    return float(comparison.compare(None, frames, "kind", None, "auto", 199)["p"].iloc[0])


@pytest.mark.thorough
def test_few_real_days_in_the_quick_tier(shared: Path) -> None:
    found = rejections(shared, (0, 0), 40, "auto")
    assert max(found[name] for name in ("volatility", "momentum", "compare")) <= 0.125, found
    assert min(found["welch"], found["rank"]) >= 0.15, found


@pytest.mark.thorough
def test_few_samples_of_few_dates_in_the_quick_tier() -> None:
    rng = np.random.default_rng(0)
    assert np.mean([on_dates(rng, 3, 20) < 0.05 for _ in range(100)]) <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize("weights", [None, "gls"])
def test_the_size_of_slopes_on_a_thousand_real_days(shared: Path, weights: str | None) -> None:
    found = rejections(shared, (0, 0), 1000, "auto", weights)
    for name in {"volatility", "momentum", "compare"} & found.keys():
        assert 0.02 <= found[name] <= 0.065, found  # of 696 different days: the standard error is 0.8 %


@pytest.mark.slow
def test_the_size_of_what_takes_firms_as_independent_on_the_same_days(shared: Path) -> None:
    plain = rejections(shared, (0, 0), 1000, "HC1")
    assert min(plain.values()) > 0.12, plain


@pytest.mark.slow
def test_the_size_over_eleven_real_days(shared: Path) -> None:
    found = rejections(shared, (-5, 5), 500, "auto")
    # of 63 windows that do not overlap
    assert all(0.01 <= found[name] <= 0.1 for name in ("volatility", "momentum", "compare")), found


@pytest.mark.slow
def test_the_size_on_dates_drawn_from_real_days(shared: Path) -> None:
    found = rejections(shared, (0, 0), 200, "placebo")
    assert all(0.01 <= found[name] <= 0.1 for name in ("volatility", "momentum", "compare")), found


@pytest.mark.slow
@pytest.mark.parametrize(("first", "highest"), [(2, 0.02), (3, 0.055), (5, 0.06)])
def test_the_size_of_a_difference_between_few_and_twenty_dates(first: int, highest: float) -> None:
    rng = np.random.default_rng(first)
    p = np.array([on_dates(rng, first, 20) for _ in range(4000)])
    assert np.isfinite(p).all()
    assert np.mean(p < 0.05) <= highest, np.mean(p < 0.05)
