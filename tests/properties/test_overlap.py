"""The mean correlation and the count of overlapping pairs, against loops over all pairs of events."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eventstudy as es
from eventstudy import _registry
from eventstudy.core.clustering import clustering
from eventstudy.core.date_pairs import DatePairs
from eventstudy.core.run import run
from eventstudy.types import Outcome, Sample, Spec
from tests import make
from tests.make import Case, Fit
from tests.properties import QUICK

SEEDS = st.integers(0, 2**32 - 1)
MARKET = _registry.load("models", "market")


def outcome(case: Case, *names: str) -> Outcome:
    return run(case.panels, case.placed, MARKET, {n: _registry.load("inference", n) for n in names}, case.sample)


def residuals(fit: Fit) -> dict[int, float]:
    """Give an event's residuals of unit variance by calendar date."""
    before = fit.e[: fit.n_est]
    valid = np.isfinite(before)
    z = before / np.sqrt((before[valid] ** 2).mean())
    return {int(d): float(v) for d, v, ok in zip(fit.dates[: fit.n_est], z, valid, strict=True) if ok}


def valid_dates(fit: Fit, its: Spec, first: int, last: int) -> set[int]:
    """Give the dates of an event's valid days in a window; none if they are too few for a CAR."""
    days = its.n_est + np.arange(first - its.event[0], last - its.event[0] + 1)
    dates = {int(d) for d, e in zip(fit.dates[days], fit.e[days], strict=True) if np.isfinite(e)}
    return dates if len(dates) >= its.min_coverage * len(days) else set()


def mean_correlation(fits: list[Fit], its: Spec, first: int, last: int, by_cluster: bool) -> float:
    """Average rho_ij |W_i and W_j| / sqrt(L_i L_j) over the pairs of events with a CAR.

    rho is that of the pair itself, or of the pair's two clusters, over all events of these.
    """
    z = [residuals(fit) for fit in fits]
    windows = [valid_dates(fit, its, first, last) for fit in fits]
    sums: dict[tuple[int, int], list[float]] = {}
    for i in range(len(fits)):
        for j in range(len(fits)):
            key = (fits[i].cluster, fits[j].cluster) if by_cluster else (i, j)
            if i != j:
                shared = z[i].keys() & z[j].keys()
                sums.setdefault(key, []).extend(z[i][d] * z[j][d] for d in shared)
    total, known = 0.0, [i for i, dates in enumerate(windows) if dates]
    for i in known:
        for j in known:
            if i != j:
                products = sums[(fits[i].cluster, fits[j].cluster) if by_cluster else (i, j)]
                rho = sum(products) / len(products) if products else 0.0
                total += rho * len(windows[i] & windows[j]) / np.sqrt(len(windows[i]) * len(windows[j]))
    return total / max(len(known) * (len(known) - 1), 1)


@pytest.mark.thorough
@given(seed=SEEDS, n=st.integers(2, 14), sparse=st.booleans(), spread=st.integers(1, 40))
@QUICK
def test_with_nothing_missing_r_is_the_mean_over_pairs(seed: int, n: int, sparse: bool, spread: int) -> None:
    case = two_calendars(seed, n, 0.0, sparse, spread)
    its, fits = case.sample.spec, make.fits(case)
    found = outcome(case).shared["overlap"]
    for v, (first, last) in enumerate(its.windows):
        wanted = mean_correlation(fits, its, first, last, by_cluster=False)
        np.testing.assert_allclose(found["windows"][0, v], wanted, rtol=1e-9, atol=1e-13)
    for v, day in enumerate(its.days):
        wanted = mean_correlation(fits, its, its.event[0], day, by_cluster=False)
        np.testing.assert_allclose(found["cumulative"][0, v], wanted, rtol=1e-9, atol=1e-13)


@pytest.mark.thorough
@given(
    seed=SEEDS,
    n=st.integers(2, 14),
    sparse=st.booleans(),
    spread=st.integers(1, 12),
    min_coverage=st.sampled_from([1.0, 0.5]),
)
@QUICK
def test_with_missing_days_pairs_are_weighted_by_the_valid_days_that_they_share(
    seed: int, n: int, sparse: bool, spread: int, min_coverage: float
) -> None:
    """The correlation of a pair of clusters is over all its pairs and days."""
    case = two_calendars(seed, n, 0.15, sparse, spread, min_coverage)
    its, fits = case.sample.spec, make.fits(case)
    found = outcome(case).shared["overlap"]
    for v, (first, last) in enumerate(its.windows):
        wanted = mean_correlation(fits, its, first, last, by_cluster=True)
        np.testing.assert_allclose(found["windows"][0, v], wanted, rtol=1e-9, atol=1e-13)
    for v, day in enumerate(its.days):
        wanted = mean_correlation(fits, its, its.event[0], day, by_cluster=True)
        np.testing.assert_allclose(found["cumulative"][0, v], wanted, rtol=1e-9, atol=1e-13)


def test_with_event_windows_of_their_own_of_one_day_r_is_that_of_the_day() -> None:
    """Also where some events have all days of the study's window, and others their own."""
    case = two_calendars(3, 14, 0.0, False, 5)
    its, n = case.sample.spec, 14
    day = outcome(case).shared["overlap"]["windows"][0, 0]
    own = np.tile([*its.estimation, 0, 0], (n, 1))
    found = outcome(case._replace(placed=case.placed._replace(own_windows=own))).shared["overlap"]
    np.testing.assert_allclose(found["windows"][0], day, rtol=1e-12)
    assert day > 0.1
    own[::2, 2:] = its.event
    mixed = outcome(case._replace(placed=case.placed._replace(own_windows=own))).shared["overlap"]["windows"][0, 2]
    fits = make.fits(case)
    for fit in fits[1::2]:
        fit.e[its.n_est : its.n_est + 5] = fit.e[its.n_est + 6 :] = np.nan
    its = replace(its, min_coverage=0.01)
    assert mixed == pytest.approx(mean_correlation(fits, its, -5, 5, by_cluster=True), rel=1e-9)


def test_a_bhar_without_a_value_is_no_event_of_the_mean() -> None:
    """A return of -100 % has no logarithm, so that the event is as absent as one without a price."""
    case = two_calendars(1, 14, 0.0, False, 5)
    sample = replace(case.sample, spec=replace(case.sample.spec, compound=True))
    number, asset, day = (int(part[4]) for part in case.placed[:3])
    lost, absent = ([replace(p, r=p.r.copy(), ok=p.ok.copy()) for p in case.panels] for _ in range(2))
    lost[number].r[asset, day + 2] = -1.0
    absent[number].ok[asset, day + 2] = False
    found, wanted = (outcome(case._replace(panels=made, sample=sample)).shared["overlap"] for made in (lost, absent))
    for name in ("windows", "cumulative"):
        assert np.isfinite(found[name]).all()
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-12)


def two_calendars(seed: int, n: int, missing: float, sparse: bool, spread: int, min_coverage: float = 1.0) -> Case:
    """Put events within ``spread`` sessions on two panels whose sessions differ; a common factor by date."""
    rng = np.random.default_rng(seed)
    its = make.spec(40, min_estimation=5, min_coverage=min_coverage)
    days = 40 + 11 + 45
    dates = np.arange(18000, 18000 + (2 * days if sparse else days + 6))
    factor = dict(zip(dates.tolist(), 0.03 * rng.standard_normal(len(dates)), strict=True))
    panels = []
    for _ in range(2):
        sessions = np.sort(rng.choice(dates, days, replace=False))
        made = make.panel(rng, assets=n, days=days, missing=missing, sessions=sessions)
        moved = made.r + np.array([factor[int(d)] for d in sessions])
        panels.append(replace(made, r=np.where(made.ok, moved, 0.0)))
    where = [(int(rng.integers(2)), i, int(45 + rng.integers(spread))) for i in range(n)]
    return make.place(panels, its, where)


def test_the_brute_force_cases_have_something_to_find() -> None:
    case = two_calendars(1, 14, 0.0, False, 5)
    its, fits = case.sample.spec, make.fits(case)
    assert mean_correlation(fits, its, -5, 5, by_cluster=False) > 0.2
    assert len({fit.cluster for fit in fits}) > 5
    assert len(set(case.placed.panel.tolist())) == 2


@given(seed=SEEDS, n=st.integers(2, 20))
@QUICK
def test_with_one_shared_date_it_is_the_published_statistic(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    case = make.case(rng, n=n, kind="same_day", missing=0.0)
    (panel,) = case.panels
    case = case._replace(panels=[replace(panel, r=panel.r + 0.02 * rng.standard_normal(panel.r.shape[1]))])
    e = np.array([fit.e[:60] for fit in make.fits(case)])
    z = e / np.sqrt((e**2).mean(axis=1, keepdims=True))
    correlation = z @ z.T / 60
    r = correlation[~np.eye(n, dtype=bool)].mean()
    found = outcome(case, "bmp", "kolari_pynnonen", "patell", "adjusted_patell")
    verdicts = found.verdicts
    np.testing.assert_allclose(found.shared["overlap"]["windows"], np.full((1, 3), r), rtol=1e-10)
    shrunk = verdicts["bmp"].statistic * np.sqrt((1 - r) / (1 + (n - 1) * r))
    np.testing.assert_allclose(verdicts["kolari_pynnonen"].statistic, shrunk, rtol=1e-9)
    np.testing.assert_array_equal(verdicts["kolari_pynnonen"].df, n - 1)
    deflated = verdicts["patell"].statistic / np.sqrt(1 + (n - 1) * r)
    np.testing.assert_allclose(verdicts["adjusted_patell"].statistic, deflated, rtol=1e-9)


def test_a_mean_correlation_that_leaves_no_variance_is_nan_with_a_reason() -> None:
    """1 + (N - 1) r below zero cannot come from data of one date, yet a weighted mean can give it."""
    sample = Sample(make.spec(), 1, np.zeros(1, dtype=np.int64), np.zeros((1, 71), dtype=np.int64))
    moments = {k: np.array([[v] * 3]) for k, v in (("n", 5.0), ("z", 4.0), ("z2", 6.0), ("car", 4.0), ("car2", 6.0))}
    shared = {"moments": moments, "overlap": {"windows": np.array([[-0.3, 1.0, 0.2]])}}
    found = _registry.load("inference", "kolari_pynnonen").finalize({}, replace(sample, shared=shared))
    assert np.isnan(found.statistic).tolist() == [[True, True, False]]
    assert all(found.note[0])
    state = {"z": np.full((1, 3), 4.0), "n": np.full((1, 3), 5.0)}
    found = _registry.load("inference", "adjusted_patell").finalize(state, replace(sample, shared=shared))
    assert np.isnan(found.statistic).tolist() == [[True, False, False]]


@given(seed=SEEDS, n=st.integers(1, 30), span=st.integers(1, 200))
@QUICK
def test_the_share_of_overlapping_pairs_is_that_of_a_loop_over_pairs(seed: int, n: int, span: int) -> None:
    rng = np.random.default_rng(seed)
    day = rng.integers(0, span, n)
    first, last = day - rng.integers(0, 8, n), day + rng.integers(0, 8, n)
    pairs = overlapping = 0
    for i in range(n):
        for j in range(i):
            pairs += 1
            overlapping += bool(set(range(first[i], last[i] + 1)) & set(range(first[j], last[j] + 1)))
    found = clustering(first, day, last)
    assert found.n_events == n
    assert found.n_dates == len(set(day.tolist()))
    assert found.share == pytest.approx(overlapping / pairs if pairs else 0.0, abs=1e-12)
    once, counts = np.unique(np.column_stack([first, day, last]), axis=0, return_counts=True)
    assert clustering(once[:, 0], once[:, 1], once[:, 2], counts)._replace(n_dates=0) == found._replace(n_dates=0)
    same_day = found.n_dates == 1 and n > 1
    assert found.kind == ("independent" if not overlapping else "same_day" if same_day else "overlap")


@pytest.mark.parametrize("year", [1929, 1963, 2013])
def test_overlap_is_seen_in_every_year(year: int) -> None:
    """Days are counted from 1970: dates before are negative, and dates all the same."""
    rng = np.random.default_rng(1)
    dates = pd.bdate_range(f"{year}-01-01", periods=400)
    wide = pd.DataFrame(100 * np.cumprod(1 + 0.02 * rng.standard_normal((400, 13)), axis=0), dates)
    wide.columns = pd.Index([*(f"S{i}" for i in range(12)), "M"])
    given = pd.DataFrame({"ticker": wide.columns[:12], "announced": [str(d.date()) for d in dates[330:342]]})
    result = es.Study(benchmark="M").run(es.Events.from_frame(given), es.Prices.from_frame(wide))
    assert result.tests["test"].unique().tolist() == list(es.study.DEFAULT_TESTS["overlap"])


def test_pairs_far_apart_on_the_calendar_take_no_room_together() -> None:
    rng = np.random.default_rng(7)
    start = np.sort(rng.choice(5_000_000, 2_000, replace=False))
    start[1::2] = start[::2] + rng.integers(0, 40, 1_000)  # pairs of rows that share days
    dates, values = start[:, None] + np.arange(60), rng.standard_normal((2_000, 60))
    first = np.concatenate([np.arange(2_000), np.arange(0, 2_000, 2)])
    second = np.concatenate([np.arange(2_000), np.arange(1, 2_000, 2)])
    tracemalloc.start()
    found = DatePairs(dates, first, second).sums(values)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6
    for value, i, j in zip(found, first, second, strict=True):
        lag = start[j] - start[i]
        wanted = values[i, lag:] @ values[j, : 60 - lag] if lag >= 0 else values[i, :lag] @ values[j, -lag:]
        assert value == pytest.approx(wanted, rel=1e-10, abs=1e-12)
