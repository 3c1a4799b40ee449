"""Dates drawn anew: where they may fall, what they keep, and what they do not depend on."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from eventstudy._registry import load
from eventstudy.core.draws import ShockedModel, draw_samples, drawn_cars
from eventstudy.core.ols import least_squares
from eventstudy.core.run import run
from eventstudy.models.market import MODEL
from eventstudy.types import Panel, Placed, Sample, Spec, Status
from tests import make

SPEC = Spec((-40, -6), (-5, 5), np.array([[0, 0], [-1, 1]]), min_estimation=30)


def study(days: list[list[int]], n_days: int = 600, n_assets: int = 12) -> tuple[list[Panel], Placed, Sample]:
    """Events on one panel, the days of each group; asset k has its k-th event."""
    rng = np.random.default_rng(3)
    r, x = rng.normal(0, 0.02, (n_assets, n_days)), rng.normal(0, 0.01, (n_days, 1))
    panel = Panel(r, np.ones(r.shape, dtype=bool), x, np.arange(n_days) * 2, tuple("abcdefghijkl"), ("benchmark",))
    day = np.concatenate([np.array(its) for its in days])
    group = np.repeat(np.arange(len(days)), [len(its) for its in days])
    labels = group * n_days + day
    _, at, cluster = np.unique(labels, return_index=True, return_inverse=True)
    zero = np.zeros(len(day), dtype=np.int64)
    sample = Sample(SPEC, len(days), group[at], day[at][:, None] + SPEC.offsets)
    return [panel], Placed(zero, np.arange(len(day)) % n_assets, day, cluster, group, np.ones(len(day))), sample


def all_days(panels: list[Panel], placed: Placed, sample: Sample, n: int, seed: int = 0) -> np.ndarray:
    return np.concatenate([d.placed.day.reshape(d.n_draws, -1) for d in draw_samples(panels, placed, sample, n, seed)])


def test_overlapping_dates_move_together_and_others_do_not():
    panels, placed, sample = study([[100, 104, 104, 300]])
    days = all_days(panels, placed, sample, 500)
    assert (days[:, 1] - days[:, 0] == 4).all()
    assert (days[:, 2] == days[:, 1]).all()
    assert len(np.unique(days[:, 3] - days[:, 0])) > 100
    assert len(np.unique(days[:, 0])) > 200


def test_the_events_of_one_news_move_together_whatever_their_dates():
    panels, placed, sample = study([[100, 200, 300, 400]])
    linked = placed._replace(link=np.array([7, 9, 7, 8]))
    days = all_days(panels, linked, sample, 500)
    assert (days[:, 2] - days[:, 0] == 200).all()
    for other in (1, 3):
        assert len(np.unique(days[:, other] - days[:, 0])) > 100
    assert len(np.unique(days[:, 3] - days[:, 1])) > 100


def test_a_day_with_just_enough_estimation_days_can_be_drawn():
    """The estimation window of days 135 to 140 holds the 30 valid days 100 to 129, as many as it needs."""
    panels, placed, sample = study([[138]])
    panels[0].ok[0] = False
    panels[0].ok[0, 100:130] = panels[0].ok[0, 140:146] = True
    assert set(all_days(panels, placed, sample, 200)[:, 0]) == set(range(135, 141))


def test_every_drawn_event_can_be_used_and_avoids_the_real_ones():
    panels, placed, sample = study([[100, 104, 300]])
    panels[0].ok[1, 400:450] = False  # the second asset is suspended for a while
    days = all_days(panels, placed, sample, 1000)
    assert days.min() >= 40
    assert days.max() <= 600 - 6
    for event in range(3):
        asset, own = placed.asset[event], placed.day[event]
        assert (np.abs(days[:, event] - own) > 10).all()
        for day in np.unique(days[:, event]):
            assert panels[0].ok[asset, day - 40 : day - 5].sum() >= 30
            assert panels[0].ok[asset, day - 5 : day + 6].any()


def test_draws_are_even_over_the_places():
    panels, placed, sample = study([[100]], n_days=200)
    days = all_days(panels, placed, sample, 20_000)[:, 0]
    places, counts = np.unique(days, return_counts=True)
    assert set(places) == set(range(40, 195)) - set(range(90, 111))
    expected = 20_000 / len(places)
    assert ((counts - expected) ** 2 / expected).sum() < 200  # chi-square(133) is beyond with p 0.0002


def test_draws_depend_on_seed_and_dates_alone():
    panels, placed, sample = study([[100, 104, 300]])
    first = all_days(panels, placed, sample, 200)
    np.testing.assert_array_equal(first, all_days(panels, placed, sample, 200))
    np.testing.assert_array_equal(first[:50], all_days(panels, placed, sample, 50))
    assert (first != all_days(panels, placed, sample, 200, seed=1)).any()
    order = np.array([2, 0, 1])
    turned = Placed(*(part[order] for part in placed[:6]))
    np.testing.assert_array_equal(first[:, order], all_days(panels, turned, sample, 200))


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch):
    panels, placed, sample = study([[100, 104, 300], [150]])
    whole = all_days(panels, placed, sample, 100)
    monkeypatch.setattr("eventstudy.core.draws.CELLS", 3000)
    parts = list(draw_samples(panels, placed, sample, 100, 0))
    assert len(parts) > 5
    np.testing.assert_array_equal(whole, np.concatenate([d.placed.day.reshape(d.n_draws, -1) for d in parts]))


def test_a_drawn_sample_has_the_clusters_and_groups_of_the_study():
    panels, placed, sample = study([[100, 104, 104], [104, 300]])
    (one,) = draw_samples(panels, placed, sample, 7, 0)
    assert one.sample.n_groups == 14
    np.testing.assert_array_equal(one.placed.group, (np.arange(7)[:, None] * 2 + placed.group).ravel())
    np.testing.assert_array_equal(one.sample.cluster_group[one.placed.cluster], one.placed.group)
    for draw in range(7):
        mine = slice(5 * draw, 5 * draw + 5)
        cluster = one.placed.cluster[mine]
        assert cluster[1] == cluster[2]
        assert len(set(cluster)) == 4
        dates = one.sample.cluster_dates[cluster, SPEC.n_est + 5]
        np.testing.assert_array_equal(dates, one.placed.day[mine])


def test_a_study_whose_histories_hold_no_other_place_stays():
    panels, placed, sample = study([[42]], n_days=48)
    days = all_days(panels, placed, sample, 30)
    assert set(days[:, 0]) <= set(range(40, 43))


def test_an_event_that_cannot_be_used_keeps_its_date():
    panels, placed, sample = study([[100, 300]])
    panels[0].ok[1, 290:320] = False
    days = all_days(panels, placed, sample, 50)
    assert (days[:, 1] == 300).all()
    assert len(np.unique(days[:, 0])) > 10


def test_without_panels_nothing_is_drawn():
    _, placed, sample = study([[100]])
    assert list(draw_samples([], placed, sample, 5, 0)) == []


def test_excluded_peers_follow_their_events_into_each_draw():
    panels, placed, sample = study([[100, 300]])
    excluded = np.array([[0, 3], [0, 5], [1, 2]])
    (one,) = draw_samples(panels, placed._replace(excluded_peers=excluded), sample, 3, 0)
    wanted = [[2 * draw + event, peer] for draw in range(3) for event, peer in excluded.tolist()]
    assert one.placed.excluded_peers is not None
    assert one.placed.excluded_peers.tolist() == wanted


def test_histories_on_which_the_model_fits_nothing_give_no_draws_and_a_reason():
    panels, placed, sample = study([[100]])
    days = np.arange(600)
    own = (days >= 60) & (days <= 94)  # its estimation window: the price moves on no other day
    panels[0].r[0, ~own] = 0.0
    panels[0].ok[0] = own | (days == 100) | (days < 45) | (days > 130)
    run_alone = partial(run, panels, placed, MODEL, keep_events=False)
    found = run_alone({"placebo": load("inference", "placebo")}, sample)
    assert (found.status == Status.OK).all()
    assert found.shared["draws"] == {}
    verdict = found.verdicts["placebo"]
    assert verdict.n[0].tolist() == [1, 0]
    assert np.isnan(verdict.statistic).all()
    assert np.isnan(verdict.p).all()
    assert verdict.note[0, 0].startswith("fewer than 20 drawn samples")
    assert verdict.note[0, 1] == "no event"
    assert np.isnan(drawn_cars(run, panels, placed, MODEL, sample, 30, 0)).all()


def test_cars_on_drawn_dates_are_those_of_regressions_there_and_nan_where_an_event_stays():
    """The second asset has prices around its own date alone."""
    panels, placed, sample = study([[100, 300]])
    (panel,) = panels
    panel.ok[1, :255] = panel.ok[1, 306:] = False
    found = drawn_cars(run, panels, placed, MODEL, sample, 6, 0)
    days = all_days(panels, placed, sample, 6)
    assert found.dtype == np.float64
    assert found.shape == days.shape == (6, 2)
    for draw in range(6):
        day = days[draw, 0]
        before = slice(day - 40, day - 5)
        slope, level = np.polyfit(panel.x[before, 0], panel.r[0, before], 1)
        np.testing.assert_allclose(found[draw, 0], panel.r[0, day] - level - slope * panel.x[day, 0], rtol=1e-9)
    stays = days[:, 1] == 300
    assert stays.any()
    np.testing.assert_array_equal(np.isnan(found[:, 1]), stays | ~panel.ok[1, days[:, 1]])


def test_a_shock_adds_to_day_0_alone():
    shocked = ShockedModel(MODEL, 0.05, 2)
    assert (shocked.columns, shocked.coefficients) == (MODEL.columns, MODEL.coefficients)
    block = make.block(np.random.default_rng(2), MODEL.columns, missing=0.0)
    plain, moved = MODEL.fit(block), ShockedModel(MODEL, 0.05, 2).fit(block)
    wanted = plain.ar.copy()
    wanted[:, block.n_est + 2] += 0.05
    np.testing.assert_allclose(moved.ar, wanted, atol=1e-14)
    np.testing.assert_array_equal(moved.sigma, plain.sigma)
    again = least_squares(replace(block, r=block.r), [1.0, block.x[..., 0]])
    np.testing.assert_array_equal(again.ar, plain.ar)  # the block itself is as it was
