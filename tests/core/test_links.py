"""The same news on two exchanges: clusters that are linked move together, whatever their dates say."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from eventstudy import _registry
from eventstudy.core.clustering import components
from eventstudy.core.draws import draw_samples
from eventstudy.core.run import run
from eventstudy.core.sums import grouped, links
from eventstudy.types import Panel
from tests import make

MEAN = _registry.load("models", "mean")
LISTINGS = 30  # firms, each listed at home and abroad
LATER = 1  # sessions after which the news is in the price abroad


def listed_twice(seed: int = 1, linked: bool = True, own: float = 0.2) -> make.Case:
    """Draw firms on two exchanges; abroad each return is that of home a session before, and a little noise."""
    rng = np.random.default_rng(seed)
    its, days = make.spec(windows=((0, 0), (-2, 2))), 1600
    home = 0.02 * rng.standard_normal((LISTINGS, days))
    abroad = np.roll(home, LATER, axis=1) + own * 0.02 * rng.standard_normal((LISTINGS, days))
    sessions = np.arange(18000, 18000 + days)
    panels = [
        Panel(
            r,
            np.ones(r.shape, dtype=bool),
            np.empty((days, 0)),
            sessions,
            tuple(map(str, range(LISTINGS))),
            (),
            calendar=name,
        )
        for name, r in (("H", home), ("A", abroad))
    ]
    where = [(k, i, 100 + 40 * i + k * LATER) for i in range(LISTINGS) for k in (0, 1)]
    case = make.place(panels, its, where)
    if not linked:
        return case
    placed = case.placed._replace(link=np.repeat(np.arange(LISTINGS), 2))
    return case._replace(placed=placed, sample=replace(case.sample, links=links(placed)))


def test_links_are_the_pairs_of_clusters_of_one_news() -> None:
    case = listed_twice()
    assert len(case.sample.links) == LISTINGS
    assert (case.sample.cluster_group[case.sample.links] == 0).all()
    firsts, seconds = case.sample.cluster_dates[case.sample.links.T, 60 + 5]
    np.testing.assert_array_equal(np.abs(seconds - firsts), LATER)


def test_a_firm_on_three_exchanges_is_linked_in_all_three_pairs() -> None:
    case = listed_twice()
    cluster = np.array([4, 0, 2, 7, 7, 9, 2, 1], dtype=np.int64)
    group = np.array([0, 0, 0, 0, 0, 0, 1, 1], dtype=np.int64)
    link = np.array([3, 3, 3, 5, 5, 5, 3, 6], dtype=np.int64)
    found = links(case.placed._replace(cluster=cluster, group=group, link=link))
    assert found.tolist() == [[0, 2], [0, 4], [2, 4], [7, 9]]


def test_without_links_there_are_none_and_nothing_changes() -> None:
    case = listed_twice(linked=False)
    assert links(case.placed).shape == (0, 2)
    assert len(case.sample.links) == 0


def test_a_linked_pair_counts_with_its_correlation_at_the_distance_of_its_dates() -> None:
    case = listed_twice()
    found = run(case.panels, case.placed, MEAN, {}, case.sample).shared["overlap"]["windows"][0]
    its, total = case.sample.spec, 0.0
    for i in range(LISTINGS):
        at = 100 + 40 * i + np.arange(its.estimation[0], its.estimation[1] + 1)
        e, f = (r - r.mean() for r in (case.panels[0].r[i, at], case.panels[1].r[i, at + LATER]))
        total += 2 * np.mean(e * f) / np.sqrt(np.mean(e**2) * np.mean(f**2))
    n = 2 * LISTINGS
    np.testing.assert_allclose(found, total / (n * (n - 1)), rtol=1e-12)
    assert found[0] * (n - 1) > 0.9, "each event has one other that is nearly itself"


def test_unlinked_listings_look_independent_on_one_day() -> None:
    case = listed_twice(linked=False)
    found = run(case.panels, case.placed, MEAN, {}, case.sample).shared["overlap"]["windows"][0]
    assert found[0] == 0.0
    assert abs(found[1]) * (2 * LISTINGS - 1) < 0.3


def test_the_wild_bootstrap_turns_both_listings_together() -> None:
    test = {"wild_bootstrap": _registry.load("inference", "wild_bootstrap")}
    notes = []
    for linked in (True, False):
        case = listed_twice(linked=linked)
        notes.append(run(case.panels, case.placed, MEAN, test, case.sample).verdicts["wild_bootstrap"].note[0, 0])
    assert notes[0].startswith(f"{LISTINGS} clusters")
    assert notes[1].startswith(f"{2 * LISTINGS} clusters")


def test_drawn_dates_keep_both_listings_at_their_distance() -> None:
    case = listed_twice()
    for one in draw_samples(case.panels, case.placed, case.sample, 20, 3):
        day = one.placed.day.reshape(one.n_draws, LISTINGS, 2)
        np.testing.assert_array_equal(day[..., 1] - day[..., 0], LATER)
        # Two firms that are drawn onto one date share their clusters, and so one link.
        assert 0.95 * one.n_draws * LISTINGS < len(one.sample.links) <= one.n_draws * LISTINGS
        assert len(np.unique(day[:, 0, 0])) > 5


def test_groups_keep_the_links_within_them() -> None:
    case = listed_twice()
    group = np.arange(2 * LISTINGS) // 2 % 2
    placed, sample = grouped(case.placed, case.sample, group.astype(np.int64), 2)
    assert len(sample.links) == LISTINGS
    apart, parted = grouped(case.placed, case.sample, np.arange(2 * LISTINGS, dtype=np.int64) % 2, 2)
    assert len(parted.links) == 0
    assert apart.link is not None
    assert placed.link is not None


@pytest.mark.parametrize(("links_", "wanted"), [([], [0, 1, 2]), ([(0, 2)], [0, 1, 0]), ([(0, 1), (1, 2)], [0, 0, 0])])
def test_components_join_what_is_linked(links_: list[tuple[int, int]], wanted: list[int]) -> None:
    pairs = np.array(links_, dtype=np.int64).reshape(-1, 2)
    found = components(np.array([0, 20, 40]), np.array([5, 25, 45]), pairs)
    same = found[:, None] == found
    np.testing.assert_array_equal(same, np.array(wanted)[:, None] == np.array(wanted))


def test_linked_portfolios_have_the_covariance_at_the_distance_of_their_dates() -> None:
    """One event on each date, so that Z is AR / s: links add twice the correlation of each pair, and its forecast."""
    test = {"it": _registry.load("inference", "calendar_time")}
    with_links, without = (
        run(case.panels, case.placed, MEAN, test, case.sample).verdicts["it"].statistic[0, 0]
        for case in (listed_twice(), listed_twice(linked=False))
    )
    case, z, added = listed_twice(), 0.0, 0.0
    its = case.sample.spec
    for i in range(LISTINGS):
        day = 100 + 40 * i
        at = day + np.arange(its.estimation[0], its.estimation[1] + 1)
        e, f = (r - r.mean() for r in (case.panels[0].r[i, at], case.panels[1].r[i, at + LATER]))
        z += (case.panels[0].r[i, day] - case.panels[0].r[i, at].mean()) / e.std(ddof=1)
        z += (case.panels[1].r[i, day + LATER] - case.panels[1].r[i, at + LATER].mean()) / f.std(ddof=1)
        added += 2 * np.corrcoef(e, f)[0, 1] * (1 + 1 / its.n_est)
    assert (z / with_links) ** 2 - (z / without) ** 2 == pytest.approx(added, rel=1e-9)
    assert added > 1.8 * LISTINGS


ALLOWING = ("kolari_pynnonen", "calendar_time", "clustered")


@cache
def rejected() -> dict[str, float]:
    """Return the share of 200 samples without an effect in which each test rejects at 5 %."""
    tests = {name: _registry.load("inference", name) for name in ("bmp", *ALLOWING)}
    p: dict[str, list[float]] = {name: [] for name in tests}
    for seed in range(200):
        case = listed_twice(seed)
        verdicts = run(case.panels, case.placed, MEAN, tests, case.sample, keep_events=False).verdicts
        for name in tests:
            p[name].append(verdicts[name].p[0, 0])
    return {name: float(np.mean(np.array(values) < 0.05)) for name, values in p.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ALLOWING)
def test_the_size_holds_where_every_firm_is_listed_twice(name: str) -> None:
    # Of 200 samples at 5 % between 2 and 9.5 % reject in 99 of 100 cases.
    assert rejected()["bmp"] > 0.12
    assert 0.01 <= rejected()[name] <= 0.095
