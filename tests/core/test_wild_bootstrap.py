"""The wild cluster bootstrap against a plain loop over sign vectors, BMP and cluster-robust errors of statsmodels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm

from eventstudy import _registry
from eventstudy.core import parts
from eventstudy.core import run as running
from eventstudy.core.windows import blocks
from eventstudy.errors import InputError
from eventstudy.inference import wild_bootstrap
from eventstudy.types import Placed, Sample, Spec, Test, Verdict
from tests import make
from tests.make import Case
from tests.simulation.sizes import LEVEL, Draw, returns

MARKET = _registry.load("models", "market")
BMP = _registry.load("inference", "bmp")


def answer(case: Case, test: Test = wild_bootstrap.TEST) -> Verdict:
    return running.run(case.panels, case.placed, MARKET, {"it": test}, case.sample).verdicts["it"]


def t_of(z: np.ndarray, cluster: np.ndarray) -> float:
    """Give the mean over its cluster-robust error, event by event."""
    names, n = np.unique(cluster), len(z)
    squares = sum((z[cluster == name] - z.mean()).sum() ** 2 for name in names)
    return float(z.mean() / np.sqrt(len(names) / (len(names) - 1) * squares / n**2))


def exact_p(z: np.ndarray, cluster: np.ndarray) -> float:
    names, at = np.unique(cluster, return_inverse=True)
    found = [t_of(z * np.array(signs)[at], cluster) for signs in product((1.0, -1.0), repeat=len(names))]
    return float(np.mean([abs(t) >= abs(t_of(z, cluster)) - 1e-9 for t in found]))


@pytest.mark.thorough
@pytest.mark.parametrize("missing", [0.0, 0.03])
@pytest.mark.parametrize("sizes", [[3, 1, 4, 2, 2, 5], [1, 1, 2, 6, 1, 1, 1, 3], [2] * 9])
def test_every_sign_vector_is_taken_where_they_are_few(sizes: list[int], missing: float) -> None:
    case = make.bunches(sizes, missing=missing)
    found = answer(case)
    for window in range(3):
        z, cluster = make.scars(case, window)
        names = len(np.unique(cluster))
        assert found.n[0, window] == len(z)
        if names < 6:
            assert np.isnan(found.p[0, window])
            continue
        assert found.statistic[0, window] == pytest.approx(t_of(z, cluster), rel=1e-9)
        assert found.p[0, window] == pytest.approx(exact_p(z, cluster), abs=1e-12)
        assert found.note[0, window] == f"{names} clusters of events, all {2**names} sign vectors"


def test_the_statistic_has_the_cluster_robust_error_of_a_regression_on_a_constant() -> None:
    case = make.bunches([3, 1, 4, 2, 2, 5, 7])
    found = answer(case)
    for window in range(3):
        z, cluster = make.scars(case, window)
        fit = sm.OLS(z, np.ones(len(z))).fit(cov_type="cluster", cov_kwds={"groups": cluster})
        assert found.statistic[0, window] == pytest.approx(fit.tvalues[0], rel=1e-9)


def test_with_one_event_a_cluster_the_statistic_is_bmp() -> None:
    case = make.bunches([1] * 14)
    np.testing.assert_allclose(answer(case).statistic, answer(case, BMP).statistic, rtol=1e-10)


def test_drawn_signs_come_near_the_exact_p() -> None:
    case = make.bunches([2, 1, 3, 1, 2, 1, 1, 2, 1, 1, 2, 1])
    exact = answer(case, wild_bootstrap.make(draws=4096))
    assert "all 4096" in exact.note[0, 0]
    drawn = answer(case, wild_bootstrap.make(draws=4095))
    assert drawn.note[0, 0] == "12 clusters of events, 4095 draws"
    np.testing.assert_array_equal(drawn.statistic, exact.statistic)
    error = np.sqrt(exact.p * (1 - exact.p) / 4095)
    assert (np.abs(drawn.p - exact.p) < 4 * error).all()
    assert (drawn.p != exact.p).all()
    np.testing.assert_allclose(drawn.p * 4096, np.rint(drawn.p * 4096), atol=1e-9)  # (1 + #) / (1 + B)


def test_the_seed_is_the_samples_unless_the_test_has_its_own() -> None:
    case = make.bunches([2, 1, 3] * 5)

    def p(seed: int, test: Test) -> np.ndarray:
        return np.asarray(answer(case._replace(sample=replace(case.sample, seed=seed)), test).p)

    told, own = wild_bootstrap.make(draws=199), {seed: wild_bootstrap.make(draws=199, seed=seed) for seed in (0, 7)}
    assert (p(0, told) != p(7, told)).any()
    for seed in (0, 7):
        np.testing.assert_array_equal(p(seed, told), p(3, own[seed]))


def test_the_seed_decides_the_draws() -> None:
    case = make.bunches([2] * 15)
    first, again, other = (answer(case, wild_bootstrap.make(draws=199, seed=seed)).p for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def tied() -> Case:
    """Draw four clusters of three events, the same four with their abnormal returns turned, and one more."""
    case = make.bunches([3] * 9)
    panel, its = case.panels[0], case.sample.spec
    r, columns = panel.r.copy(), case.placed.day[:, None] + its.offsets
    noise = np.random.default_rng(46).standard_normal((15, columns.shape[1]))
    sources = [*range(12), *(-1 - np.arange(12)[::-1]), *range(12, 15)]
    for asset, where, source in zip(case.placed.asset, columns, sources, strict=True):
        r[asset, where] = panel.x[where, 0] + (noise[source] if source >= 0 else -noise[-1 - source])
    return case._replace(panels=[replace(panel, r=r)])


@pytest.mark.thorough
@pytest.mark.parametrize("test", [wild_bootstrap.TEST, wild_bootstrap.make(draws=199)])
def test_ties_fall_the_same_way_whatever_the_order_and_the_partition(
    test: Test, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To turn a cluster and its opposite leaves t as it is, but for the rounding of the sums."""
    case, model = tied(), _registry.load("models", "market_adjusted")
    wanted = running.run(case.panels, case.placed, model, {"it": test}, case.sample).verdicts["it"].p
    assert np.isfinite(wanted).all()
    if test is wild_bootstrap.TEST:  # each pair is turned or not, and then all once more
        assert (wanted >= 2 * 2**4 / 2**9).all()
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(len(case.placed.day))
        turned = case._replace(placed=Placed(*(part[order] for part in case.placed[:6])))
        for size in (1, 4, 512):
            monkeypatch.setattr(parts, "blocks", partial(blocks, size=size))
            found = running.run(turned.panels, turned.placed, model, {"it": test}, turned.sample).verdicts["it"].p
            np.testing.assert_array_equal(found, wanted)


def test_clusters_are_counted_in_the_order_of_the_calendar() -> None:
    case = make.bunches([2, 1, 3, 1, 2, 1, 1, 2, 1, 1, 2, 1])
    test = wild_bootstrap.make(draws=199)
    order = np.random.default_rng(43).permutation(12)
    placed = case.placed._replace(cluster=np.argsort(order)[case.placed.cluster])
    sample = replace(case.sample, cluster_dates=case.sample.cluster_dates[order])
    np.testing.assert_array_equal(answer(case._replace(placed=placed, sample=sample), test).p, answer(case, test).p)


@pytest.mark.parametrize(("step", "wanted"), [(1, [8, 1, 1]), (2, [8, 1, 1]), (3, [8, 8, 1]), (11, [8, 8, 8])])
def test_windows_that_share_a_day_are_one_cluster(step: int, wanted: list[int]) -> None:
    """Windows of 1, 3 and 11 days; by date there are 8 clusters whatever the window."""
    case = make.bunches([2] * 8, step=step)
    found = answer(case)
    for window, clusters in enumerate(wanted):
        if clusters == 1:
            assert np.isnan(found.statistic[0, window])
            assert "fewer than 6 clusters" in found.note[0, window]
        else:
            assert found.note[0, window].startswith(f"{clusters} clusters")
    by_date = answer(case, wild_bootstrap.make(cluster="date"))
    assert all(note.startswith("8 clusters") for note in by_date.note.ravel())


def test_events_of_one_date_on_two_exchanges_are_one_cluster() -> None:
    rng = np.random.default_rng(44)
    panels = [make.panel(rng, assets=8, days=300) for _ in range(2)]
    case = make.place(panels, make.spec(), [(k, asset, 70 + make.GAP * asset) for k in range(2) for asset in range(8)])
    assert len(case.sample.cluster_group) == 16
    for test in (wild_bootstrap.TEST, wild_bootstrap.make(cluster="date")):
        assert all(note.startswith("8 clusters") for note in answer(case, test).note.ravel())


@pytest.mark.parametrize("dates", [1, 5])
def test_fewer_than_six_clusters_have_a_reason(dates: int) -> None:
    """With 5 the smallest share of sign vectors is 2 in 32."""
    found = answer(make.bunches([4] * dates))
    assert np.isnan(found.p).all()
    assert set(found.note.ravel()) == {"fewer than 6 clusters of events: too few sign patterns to reject at 5 %"}
    assert (found.n == 4 * dates).all()
    assert np.isfinite(answer(make.bunches([4] * 6)).p).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 50}, "draws of the wild_bootstrap test is 50; give a whole number, 99 or more"),
        ({"draws": 1e3}, "draws of the wild_bootstrap test is 1000.0"),
        ({"cluster": "event"}, "cluster of the wild_bootstrap test is 'event'; valid are 'overlap', 'date'"),
        ({"seed": -1}, "seed of the wild_bootstrap test is -1; give a whole number, 0 or more"),
    ],
)
def test_an_option_that_is_not_valid_is_an_error(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        wild_bootstrap.make(**options)


def dated(its: Spec, n: int, dates: int, rho: float) -> Draw:
    """Draw n events a replication on dates far apart, their noise correlated rho by date.

    No event window lies in another's estimation window, which would make later CARs move against earlier ones.
    """
    step = its.n_est + its.n_evt

    def draw(rng: np.random.Generator, replications: int) -> Case:
        days = step * dates
        panels = [
            returns(rng, n, days, np.concatenate([[rho], rng.standard_normal(days)])) for _ in range(replications)
        ]
        panel, asset = np.repeat(np.arange(replications), n), np.tile(np.arange(n), replications)
        date = rng.integers(0, dates, n * replications)
        day = date * step - its.estimation[0]
        found, first, cluster = np.unique(panel * dates + date, return_index=True, return_inverse=True)
        placed = Placed(panel, asset, day, cluster, panel, np.ones(len(panel)))
        return Case(panels, placed, Sample(its, replications, found // dates, day[first][:, None] + its.offsets))

    return draw


def one_sign_an_event(case: Case) -> Case:
    """Make each event a cluster of its own, on dates that no other has."""
    own, width = np.arange(len(case.placed.day)), case.sample.cluster_dates.shape[1]
    dates = own[:, None] * width + np.arange(width)
    sample = replace(case.sample, cluster_group=case.placed.group, cluster_dates=dates)
    return case._replace(placed=case.placed._replace(cluster=own), sample=sample)


def rate(draw: Draw, test: Test, change: Callable[[Case], Case] = lambda case: case) -> np.ndarray:
    """Give the share of 2,000 replications that reject."""
    made = [
        (answer(change(draw(np.random.default_rng(child), 100)), test).p < LEVEL).mean(axis=0)
        for child in np.random.SeedSequence(45).spawn(20)
    ]
    return np.asarray(np.mean(made, axis=0))


@pytest.mark.slow
@pytest.mark.parametrize("dates", [10, 20])
def test_size_on_dates_apart_with_correlation_within_them(dates: int) -> None:
    found = rate(dated(make.spec(60, ((0, 0), (-5, 5))), 100, dates, 0.1), wild_bootstrap.make(draws=399))
    assert (np.abs(found - LEVEL) < 0.015).all(), found


@pytest.mark.slow
def test_one_sign_an_event_rejects_far_too_often() -> None:
    draw = dated(make.spec(60, ((0, 0), (-5, 5))), 100, 20, 0.1)
    found = rate(draw, wild_bootstrap.make(draws=399), one_sign_an_event)
    assert (np.abs(found - 0.105) < 0.025).all(), found
