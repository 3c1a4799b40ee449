"""Adjusted BMP: the additive form by hand, and the size of both with missing days, own windows and more variance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eventstudy import _registry
from eventstudy.core import run as running
from eventstudy.errors import InputError
from eventstudy.inference import kolari_pynnonen
from eventstudy.types import Test, Verdict
from tests import make
from tests.make import Case
from tests.simulation.sizes import Draw, Sizes, batches, together, with_halts

MARKET = _registry.load("models", "market")
ADDITIVE = kolari_pynnonen.make(variance="additive")


def answer(case: Case, test: Test = kolari_pynnonen.TEST) -> Verdict:
    return running.run(case.panels, case.placed, MARKET, {"it": test}, case.sample).verdicts["it"]


def test_the_additive_form_is_its_formula_where_windows_overlap_and_days_are_missing() -> None:
    """Estimation days are missing, so that each event has its own variance on ordinary days."""
    case = make.case(np.random.default_rng(1), n=20, kind="same_day", missing=0.0)
    (panel,) = case.panels
    ok = panel.ok.copy()
    ok[:, :60] = np.random.default_rng(2).random((20, 60)) > 0.2
    case = case._replace(panels=[replace(panel, ok=ok, r=np.where(ok, panel.r, 0.0))])
    found = answer(case, ADDITIVE)
    r = running.run(case.panels, case.placed, MARKET, {}, case.sample).shared["overlap"]["windows"][0]
    dof = np.array([fit.dof for fit in make.fits(case)])
    assert len(set(dof.tolist())) > 3
    for window in range(3):
        z, _ = make.scars(case, window)
        t = z.mean() / np.sqrt(z.var(ddof=1) / 20 + r[window] * np.mean(dof / (dof - 2)))
        np.testing.assert_allclose(found.statistic[0, window], t, rtol=1e-10)
        np.testing.assert_allclose(found.p[0, window], make.p_of_t(t, np.float64(19)), rtol=1e-9)


def test_the_additive_form_counts_the_events_that_have_a_car_in_the_window() -> None:
    """Three events miss a day of the longest window: their variance on ordinary days is not in its mean."""
    case = make.case(np.random.default_rng(4), n=12, kind="same_day", missing=0.0)
    (panel,) = case.panels
    ok = panel.ok.copy()
    ok[case.placed.asset[:3], case.placed.day[:3] + 4] = False
    ok[case.placed.asset[:3], case.placed.day[:3] - 40] = False  # of these three the variance is another
    case = case._replace(panels=[replace(panel, ok=ok, r=np.where(ok, panel.r, 0.0))])
    found = answer(case, ADDITIVE)
    assert found.n.tolist() == [[12, 12, 9]]
    r = running.run(case.panels, case.placed, MARKET, {}, case.sample).shared["overlap"]["windows"][0]
    dof = np.array([fit.dof for fit in make.fits(case)])
    for window, counted in enumerate((dof, dof, dof[3:])):
        z, _ = make.scars(case, window)
        t = z.mean() / np.sqrt(z.var(ddof=1) / len(z) + r[window] * np.mean(counted / (counted - 2)))
        np.testing.assert_allclose(found.statistic[0, window], t, rtol=1e-10)


def test_both_forms_are_bmp_where_no_windows_overlap() -> None:
    case = make.bunches([1] * 14)
    bmp = answer(case, _registry.load("inference", "bmp"))
    for test in (kolari_pynnonen.TEST, ADDITIVE):
        np.testing.assert_allclose(answer(case, test).statistic, bmp.statistic, rtol=1e-12)


def test_what_has_no_variance_on_ordinary_days_has_a_reason() -> None:
    """Of t(2), the distribution of SCAR with two degrees of freedom, there is no variance."""
    case = make.case(
        np.random.default_rng(3), n=9, kind="same_day", missing=0.0, study_spec=make.spec(4, min_estimation=4)
    )
    assert set(answer(case, ADDITIVE).note.ravel()) == {"an event has no more than 2 degrees of freedom"}
    assert np.isfinite(answer(case).statistic).all()


def test_an_option_that_is_not_valid_is_an_error() -> None:
    with pytest.raises(InputError, match="variance of the kolari_pynnonen test is 'own'; valid are 'multiplicative'"):
        kolari_pynnonen.make(variance="own")


@pytest.mark.slow
@pytest.mark.parametrize("spread", [1, 5, 20])
def test_size_with_three_tenths_of_the_returns_missing(spread: int) -> None:
    its = make.spec(120, ((0, 0), (-5, 5)), min_coverage=0.5)
    draw = with_halts(together(its, 100, spread, 0.1), 0.3)
    rate = Sizes(batches(draw, ["kolari_pynnonen"], 2000, seed=61, batch=100)).of("kolari_pynnonen")
    assert (rate > 0.035).all(), rate
    assert (rate < 0.07).all(), rate


def on_day_zero(draw: Draw) -> Draw:
    """Give every event an event window of its own that is day 0."""

    def draw_on_day_zero(rng: np.random.Generator, replications: int) -> Case:
        case = draw(rng, replications)
        own = np.tile([*case.sample.spec.estimation, 0, 0], (len(case.placed.day), 1))
        return case._replace(placed=case.placed._replace(own_windows=own))

    return draw_on_day_zero


@pytest.mark.slow
def test_size_with_event_windows_of_their_own() -> None:
    its = make.spec(120, ((0, 0), (-5, 5)))
    draw = on_day_zero(together(its, 100, 20, 0.1))
    rate = Sizes(batches(draw, ["kolari_pynnonen"], 2000, seed=62, batch=100)).of("kolari_pynnonen")
    assert (np.abs(rate - 0.05) < 0.015).all(), rate
    assert rate[0] == rate[1]


def louder(draw: Draw, factor: float, own: bool) -> Draw:
    """Draw the noise of a date again, in the event window with ``factor`` times all its variance or that of its own."""

    def draw_louder(rng: np.random.Generator, replications: int) -> Case:
        case = draw(rng, replications)
        first = -case.sample.spec.estimation[0] + case.sample.spec.event[0]
        panels = []
        for panel in case.panels:
            common = np.sqrt(0.1) * rng.standard_normal(panel.r.shape[1])
            noise = np.sqrt(0.9) * rng.standard_normal(panel.r.shape)
            noise[:, first:] *= np.sqrt(factor)
            if not own:
                common[first:] *= np.sqrt(factor)
            panels.append(replace(panel, r=panel.x[:, 0] + 0.02 * (common + noise)))
        return case._replace(panels=panels)

    return draw_louder


@pytest.mark.slow
def test_on_one_date_each_form_keeps_its_size_where_its_assumption_holds() -> None:
    tests = {"multiplicative": kolari_pynnonen.TEST, "additive": ADDITIVE}
    sizes = {
        own: Sizes(
            batches(louder(together(make.spec(120, ((0, 0),)), 100, 1, 0.1), 3.0, own), tests, 4000, 63, batch=100)
        )
        for own in (False, True)
    }
    rates = {(own, name): sizes[own].of(name)[0] for own in sizes for name in tests}
    assert 0.04 < rates[False, "multiplicative"] < 0.06, rates
    assert 0.15 < rates[False, "additive"] < 0.22, rates
    assert rates[True, "multiplicative"] < 0.01, rates
    assert 0.03 < rates[True, "additive"] < 0.055, rates
