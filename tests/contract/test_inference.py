"""What every test of abnormal returns keeps, for being a file in ``inference/``."""

from __future__ import annotations

import hashlib
import importlib
import pickle
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import _registry
from eventstudy.core import parts
from eventstudy.core import run as running
from eventstudy.core.draws import null
from eventstudy.core.scores import scores
from eventstudy.core.sums import Gathered, add
from eventstudy.core.windows import blocks
from eventstudy.study import DEFAULT_TESTS
from eventstudy.types import Outcome, Panel, Sample, Status, Test, Verdict
from tests import make
from tests.cases import params_of

pytestmark = pytest.mark.contract("name", "model")

NAMES = _registry.names("inference", plugins=False)
MODEL_NAMES = _registry.names("models", plugins=False)
MARKET = _registry.load("models", "market")
STRENGTH = ("independent", "same_day", "overlap")
DRAWS = 39  # for those that draw dates anew: the smallest p is 1/40
RANK_ALL_DAYS = ("corrado", "corrado_zivney")  # those of the event window too
ROUNDING = 1e-9  # relative difference of forecast variances that is none
ANSWERS: dict[bytes, dict[str, Verdict]] = {}  # of each case that was run
CHOSEN: list[str] = []  # the names that this session has in the running test, with the values it is run with


def values(item: pytest.Item) -> tuple[str, str]:
    """Give a test, and what it is run with beside a name."""
    others = {key: value for key, value in params_of(item).items() if key != "name"}
    return item.nodeid.split("[")[0], str(others)


@pytest.fixture(scope="module")
def names_of(request: pytest.FixtureRequest) -> Mapping[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for item in request.session.items:
        if item.nodeid.startswith(request.node.nodeid) and params_of(item).get("name") in NAMES:
            found.setdefault(values(item), []).append(params_of(item)["name"])
    return found


@pytest.fixture(autouse=True)
def _chosen(request: pytest.FixtureRequest, names_of: Mapping[tuple[str, str], list[str]]) -> None:
    CHOSEN[:] = names_of.get(values(request.node), [])


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=make.KINDS)
def kind(request: pytest.FixtureRequest) -> make.Kind:
    found: make.Kind = request.param
    return found


@cache
def draw(kind: make.Kind = "overlap", seed: int = 5, n_est: int = 60, **choices: Any) -> make.Case:
    """Draw a sample, once for all tests, which cannot write to it."""
    made: make.Case = make.read_only(
        make.case(np.random.default_rng(seed), kind=kind, study_spec=make.spec(n_est), **choices)
    )
    return made


def load(name: str) -> Test:
    test: Test = _registry.load("inference", name)
    return replace(test, draws=DRAWS) if test.draws else test


def outcome(names: Sequence[str], case: make.Case, model: str = "market", keep_events: bool = True) -> Outcome:
    once, tests = make.CachedModel(_registry.load("models", model)), {name: load(name) for name in names}
    with np.errstate(all="raise", under="ignore"):
        return running.run(case.panels, case.placed, once, tests, case.sample, keep_events=keep_events)


def answer(name: str, case: make.Case, model: str = "market", size: int | None = None) -> Verdict:
    """Give the verdict of a test: run once for a case beside all others, and alone if it draws dates."""
    key = hashlib.sha256(pickle.dumps((case, model, size))).digest()
    known = ANSWERS.setdefault(key, {})
    if name not in known:
        together = [name] if load(name).draws else [other for other in CHOSEN if not load(other).draws]
        try:
            known |= verdicts([other for other in together if other not in known], case, model, size)
        except Exception:  # of one of them: which, its own run tells
            known |= verdicts([name], case, model, size)
    return known[name]


def verdicts(names: Sequence[str], case: make.Case, model: str, size: int | None) -> Mapping[str, Verdict]:
    with pytest.MonkeyPatch.context() as patch:
        if size is not None:
            patch.setattr(parts, "blocks", partial(blocks, size=size))
        return outcome(names, case, model, keep_events=False).verdicts


def ordinary(name: str) -> float:
    """Give the share of missing days in ordinary data; tests that need many events or dates have none."""
    return 0.03 if make.has_value_for_all_kinds(load(name)) else 0.0


def defined(name: str, kind: make.Kind) -> bool:
    """Say whether a test has a value for events of a kind."""
    return kind in load(name).value_under


def with_panels(case: make.Case, change: Any) -> make.Case:
    return case._replace(panels=[change(panel) for panel in case.panels])


def sane(found: Verdict, groups: int, windows: int) -> None:
    """Hold a verdict to its shape, and every value to be finite, or NaN with a reason."""
    for part in found:
        assert part.shape == (groups, windows)
    assert not np.isinf(found.statistic).any()
    assert not np.isinf(found.df).any()
    lost = np.isnan(found.statistic)
    np.testing.assert_array_equal(np.isnan(found.p), lost)
    assert ((found.p >= 0) & (found.p <= 1) | lost).all()
    assert all(isinstance(note, str) for note in found.note.ravel())
    assert all(found.note[lost])
    assert (found.n >= 0).all()


def test_the_tests_of_the_design_are_here() -> None:
    assert {"cross_section", "brown_warner", "patell", "bmp", "kolari_pynnonen", "grank_t", "sign"} <= set(NAMES)


@pytest.mark.parametrize("groups", [1, 3])
def test_a_verdict_on_ordinary_data_is_finite(name: str, kind: make.Kind, groups: int) -> None:
    case = draw(kind, groups=groups, n=90, missing=ordinary(name))  # some tests need 12 events in a group
    found = answer(name, case)
    sane(found, groups, 3)
    assert np.isfinite(found.statistic).all() == defined(name, kind)
    if defined(name, kind):
        assert (found.n > 2).all()


def test_the_partition_into_blocks_changes_nothing(name: str, kind: make.Kind) -> None:
    case = draw(kind, n=12 if load(name).draws else 28, groups=2, missing=ordinary(name))
    wanted = answer(name, case)
    for size in (1, 7):
        make.same(answer(name, case, size=size), wanted)


@cache
def in_parts(names: Sequence[str], kind: make.Kind, draws: bool, missing: float, size: int | None) -> Outcome:
    """Run tests that draw dates, or others, in parts of so many events."""
    with pytest.MonkeyPatch.context() as patch:
        if size is not None:
            patch.setattr(running, "split", partial(parts.split, size=size))
        return outcome(names, draw(kind, n=12 if draws else 32, groups=2, missing=missing))


@pytest.mark.thorough
def test_the_partition_into_parts_by_asset_changes_nothing(name: str, kind: make.Kind) -> None:
    few, share = load(name).draws > 0, ordinary(name)
    names = tuple(other for other in CHOSEN if (load(other).draws > 0) == few)
    wanted = in_parts(names, kind, few, share, None)
    for size in (1, 20):
        found = in_parts(names, kind, few, share, size)
        make.same(found.verdicts[name], wanted.verdicts[name], 1e-11)  # sums of parts, not of one row after the other
        np.testing.assert_array_equal(found.status, wanted.status)
        np.testing.assert_array_equal(found.n_est, wanted.n_est)
        own, its = (np.argsort(one.singles["id"]) for one in (found, wanted))
        for leaf, values in wanted.singles.items():
            np.testing.assert_allclose(found.singles[leaf][own], values[its], 1e-12, 1e-12, err_msg=leaf)


def test_the_order_of_events_clusters_and_panels_changes_nothing(name: str, kind: make.Kind) -> None:
    case = draw(kind, groups=2)
    rng = np.random.default_rng(6)
    order = rng.permutation(len(case.placed.day))
    clusters = rng.permutation(len(case.sample.cluster_group))
    panel_order = np.arange(len(case.panels))[::-1]
    placed = case.placed._replace(
        cluster=np.argsort(clusters)[case.placed.cluster], panel=np.argsort(panel_order)[case.placed.panel]
    )
    sample = replace(
        case.sample,
        cluster_group=case.sample.cluster_group[clusters],
        cluster_dates=case.sample.cluster_dates[clusters],
    )
    turned = make.Case(
        [case.panels[k] for k in panel_order], type(placed)(*(part[order] for part in placed[:6])), sample
    )
    make.same(answer(name, turned), answer(name, case), 1e-11)


def test_turning_the_sign_of_abnormal_returns_turns_the_statistic(name: str, kind: make.Kind) -> None:
    case = draw(kind)
    found = answer(name, with_panels(case, lambda p: replace(p, r=-p.r)))
    wanted = answer(name, case)
    assert np.isfinite(wanted.statistic).all() == defined(name, kind)
    np.testing.assert_allclose(found.statistic, -wanted.statistic, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.p, wanted.p, rtol=1e-10)
    np.testing.assert_array_equal(found.n, wanted.n)


@pytest.mark.parametrize("unit", [100.0, 1e-12, 1e12])
def test_the_unit_of_returns_changes_nothing(name: str, kind: make.Kind, unit: float) -> None:
    case = draw(kind)
    other = with_panels(case, lambda p: replace(p, r=unit * p.r, x=unit * p.x))
    make.same(answer(name, other), answer(name, case), 1e-9)


@cache
def coarse(kind: make.Kind, missing: float) -> make.Case:
    """Draw returns in steps of 2 %, a standard deviation: most days tie with others, and many CARs do."""
    case = draw(kind, n=40, missing=missing)
    made: make.Case = make.read_only(with_panels(case, lambda p: replace(p, r=0.02 * np.rint(p.r / 0.02))))
    return made


@pytest.mark.parametrize("model", ["market_adjusted", "mean"])
def test_returns_that_tie_give_a_value_that_the_order_of_events_does_not_change(
    name: str, kind: make.Kind, model: str
) -> None:
    case = coarse(kind, 0.0)
    if model == "market_adjusted":  # whose abnormal returns then tie too
        case = with_panels(case, lambda p: replace(p, x=np.zeros_like(p.x)))
    found = answer(name, case, model)
    sane(found, 1, 3)
    assert np.isfinite(found.statistic).all() == defined(name, kind)
    order = np.random.default_rng(7).permutation(len(case.placed.day))
    turned = case._replace(placed=type(case.placed)(*(part[order] for part in case.placed[:6])))
    make.same(answer(name, turned, model), found, 1e-11)


@pytest.mark.parametrize("missing", [0.2, 0.4])
def test_data_with_many_gaps_give_a_finite_value_or_nan_with_a_reason(
    name: str, kind: make.Kind, missing: float
) -> None:
    case = draw(kind, n=60, missing=missing)
    found = answer(name, case)
    sane(found, 1, 3)
    valid = [case.panels[p].ok[a, d] for p, a, d in zip(*case.placed[:3], strict=True)]
    assert (found.n[:, 0] <= sum(valid)).all()
    assert np.isfinite(found.statistic[0, 0]) or not ordinary(name) or load(name).draws
    turned = answer(name, with_panels(case, lambda p: replace(p, r=-p.r)))
    np.testing.assert_array_equal(np.isnan(turned.statistic), np.isnan(found.statistic))
    np.testing.assert_allclose(turned.statistic, -found.statistic, rtol=1e-10, atol=1e-12)


def test_an_event_window_of_one_day_has_the_value_that_day_has_in_a_longer_one(name: str, kind: make.Kind) -> None:
    case = draw(kind, missing=0.0, n=30)
    spec = case.sample.spec
    columns = np.r_[: spec.n_est, spec.n_est - spec.event[0]]
    alone = replace(spec, event=(0, 0), windows=np.zeros((1, 2), dtype=np.int64))
    dates = case.sample.cluster_dates[:, columns]
    one_day = case._replace(sample=replace(case.sample, spec=alone, cluster_dates=dates))
    found, wanted = answer(name, one_day), answer(name, case)
    sane(found, 1, 1)
    np.testing.assert_array_equal(found.n[:, 0], wanted.n[:, 0])
    assert np.isfinite(found.statistic).all() == defined(name, kind)
    if name not in RANK_ALL_DAYS and not load(name).draws:  # dates are drawn by which event windows overlap
        np.testing.assert_allclose(found.statistic[:, 0], wanted.statistic[:, 0], rtol=1e-11)
        np.testing.assert_allclose(found.p[:, 0], wanted.p[:, 0], rtol=1e-11)


def test_a_reaction_of_all_events_is_found(name: str, kind: make.Kind) -> None:
    case = draw(kind, n=60, missing=0.0)
    panels = [replace(p, r=p.r.copy()) for p in case.panels]
    for at, asset, day in zip(case.placed.panel, case.placed.asset, case.placed.day, strict=True):
        panels[at].r[asset, day] += 0.1  # noise is 0.026 a day
    found = answer(name, case._replace(panels=panels))
    if defined(name, kind):
        assert (found.statistic[0, :2] > 1.96).all()
        assert (found.p[0, :2] < 0.05).all()
    else:
        assert np.isnan(found.statistic).all()


@pytest.mark.parametrize("poison", [1e9, np.nan, np.inf])
def test_what_stands_in_masked_cells_changes_nothing(name: str, poison: float) -> None:
    case = draw(missing=0.1)

    def spoil(panel: Panel) -> Panel:
        r, x = panel.r.copy(), panel.x.copy()
        r[~panel.ok] = poison
        x[~panel.ok.any(axis=0)] = poison
        assert (r != panel.r).any()
        return replace(panel, r=r, x=x)

    make.same(answer(name, with_panels(case, spoil)), answer(name, case), 0.0)


def state_of(test: Test, case: make.Case) -> tuple[dict[str, Any], Sample]:
    """Give the state and the sample that a run would hand to ``finalize``."""
    wanted = dict.fromkeys([*test.needs, *test.shares])
    spec = case.sample.spec
    passes = [
        (scores(fitted, spec), fitted)
        for fitted in map(MARKET.fit, blocks(case.panels, case.placed, spec, len(case.sample.cluster_group), 1))
    ]
    shared: dict[str, dict[str, Any]] = {key: {} for key in wanted}
    for scored, fitted in passes:
        for key in wanted:
            add(shared[key], parts.SHARED[key].chunk(scored, fitted, spec))
    state: dict[str, Any] = {}
    for scored, fitted in passes:
        make.read_only([scored, fitted, shared])
        add(state, test.chunk(scored, fitted, {key: shared[key] for key in test.needs}))
    done = {key: parts.SHARED[key].finalize(shared[key], case.sample) for key in test.shares}
    if test.draws:
        done["draws"] = null(running.run, *case[:2], MARKET, {}, case.sample, test.draws, 0)
    return state, replace(case.sample, shared=done)


def test_finalize_modifies_nothing_and_can_be_called_again(name: str, kind: make.Kind) -> None:
    test = load(name)
    case = draw(kind, missing=0.0)
    state, sample = state_of(test, case)
    kept = {k: leaf.values.copy() if isinstance(leaf, Gathered) else leaf.copy() for k, leaf in state.items()}
    make.read_only([state, sample])
    first, again = test.finalize(state, sample), test.finalize(state, sample)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    for key, value in kept.items():
        leaf = state[key]
        np.testing.assert_array_equal(leaf.values if isinstance(leaf, Gathered) else leaf, value)
    make.same(first, answer(name, case))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_events_give_a_finite_value_or_nan_with_a_reason(name: str, kind: make.Kind, n: int) -> None:
    for seed in range(4):
        sane(answer(name, draw(kind, seed=seed, n=n, missing=0.0)), 1, 3)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_events_that_are_all_alike_give_a_finite_value_or_nan_with_a_reason(name: str, kind: make.Kind, n: int) -> None:
    case = draw("same_day", n=n, missing=0.0)
    alike = with_panels(case, lambda p: replace(p, r=np.repeat(p.r[:1], n, axis=0)))
    if kind == "independent":  # the same windows far apart: clusters that share no date
        placed = alike.placed._replace(cluster=np.arange(n))
        dates = alike.sample.cluster_dates + 1000 * np.arange(n)[:, None]
        alike = make.Case(
            alike.panels, placed, replace(alike.sample, cluster_group=np.zeros(n, int), cluster_dates=dates)
        )
    found = answer(name, alike)
    sane(found, 1, 3)
    if name in ("cross_section", "bmp", "kolari_pynnonen"):
        assert np.isnan(found.statistic).all(), "a spread of rounding errors is no spread"


def test_abnormal_returns_of_zero_give_a_finite_value_or_nan_with_a_reason(name: str, kind: make.Kind) -> None:
    case = draw(kind, n=10, missing=0.0)
    panels = [replace(p, r=p.r.copy()) for p in case.panels]
    for at, asset, day in zip(case.placed.panel, case.placed.asset, case.placed.day, strict=True):
        window = slice(day - 5, day + 6)
        panels[at].r[asset, window] = panels[at].x[window, 0]
    found = answer(name, case._replace(panels=panels), "market_adjusted")
    sane(found, 1, 3)
    known = np.isfinite(found.statistic)
    if name != "generalized_sign":  # no positive CAR among zeros is fewer than the residuals lead one to expect
        assert (found.p[known] > 0.05).all()
    if name in ("cross_section", "bmp", "kolari_pynnonen", "sign", "wilcoxon", "grank_t"):
        assert not known.any()


@pytest.mark.parametrize("n_est", [50, 60, 101, 250])
def test_two_events_that_mirror_each_other_show_no_reaction(name: str, n_est: int) -> None:
    case = draw("same_day", n=2, missing=0.0, n_est=n_est)

    def mirror(panel: Panel) -> Panel:
        return replace(panel, r=np.stack([panel.r[0], -panel.r[0]]), x=np.zeros_like(panel.x))

    found = answer(name, with_panels(case, mirror), "market_adjusted")
    sane(found, 1, 3)
    known = np.isfinite(found.statistic)
    np.testing.assert_allclose(found.statistic[known], 0, atol=1e-6)


@pytest.mark.parametrize("model", ["market_adjusted", "market"])
def test_two_events_whose_mean_is_their_benchmark_show_no_reaction(name: str, model: str) -> None:
    """Their abnormal returns are opposite but for rounding, which is no evidence of anything."""
    for seed in range(6):
        case = draw("same_day", seed=seed, n=2, missing=0.0)
        panels = [replace(p, x=p.r.mean(axis=0)[:, None]) for p in case.panels]
        found = answer(name, case._replace(panels=panels), model)
        sane(found, 1, 3)
        assert (found.p[np.isfinite(found.p)] > 0.05).all(), found


def test_windows_without_a_valid_day_are_nan_with_a_reason(name: str, kind: make.Kind) -> None:
    case = draw(kind, n=10, missing=0.0)
    panels = [replace(p, ok=p.ok.copy()) for p in case.panels]
    for at, asset, day in zip(case.placed.panel, case.placed.asset, case.placed.day, strict=True):
        panels[at].ok[asset, day] = False
    found = answer(name, case._replace(panels=panels))
    sane(found, 1, 3)
    assert np.isnan(found.statistic).all()
    np.testing.assert_array_equal(found.n, 0)


def test_no_usable_event_is_no_error(name: str) -> None:
    case = draw(n=5, missing=0.0)
    found = outcome([name], with_panels(case, lambda p: replace(p, ok=np.zeros_like(p.ok))))
    assert (found.status == Status.TOO_FEW_ESTIMATION).all()
    sane(found.verdicts[name], 1, 3)
    assert np.isnan(found.verdicts[name].statistic).all()
    np.testing.assert_array_equal(found.verdicts[name].n, 0)


def test_a_group_without_events_is_nan_with_a_reason(name: str) -> None:
    case = draw(groups=2)
    empty = case._replace(sample=replace(case.sample, n_groups=3))
    found = answer(name, empty)
    sane(found, 3, 3)
    assert np.isnan(found.statistic[2]).all()
    np.testing.assert_array_equal(found.n[2], 0)
    wanted = answer(name, case)
    np.testing.assert_allclose(found.statistic[:2], wanted.statistic, rtol=1e-12)


def test_groups_are_tested_as_if_each_were_alone(name: str, kind: make.Kind) -> None:
    case = draw(kind, n=50, groups=2)
    found = answer(name, case)
    for group in range(2):
        mine = case.placed.group == group
        where = zip(*(part[mine].tolist() for part in case.placed[:3]), strict=True)
        wanted = answer(name, make.place(case.panels, case.sample.spec, list(where)))
        np.testing.assert_array_equal(found.n[group], wanted.n[0])
        if not load(name).draws:  # whose dates are drawn for all groups at once
            np.testing.assert_allclose(found.statistic[group], wanted.statistic[0], rtol=1e-11)
            np.testing.assert_allclose(found.p[group], wanted.p[0], rtol=1e-11)


def test_a_security_without_data_changes_nothing(name: str, kind: make.Kind) -> None:
    case = draw(kind)

    def add_empty(panel: Panel) -> Panel:
        blank = np.zeros((1, panel.r.shape[1]))
        r, ok = np.vstack([blank, panel.r]), np.vstack([blank.astype(bool), panel.ok])
        return replace(panel, r=r, ok=ok, assets=("EMPTY", *panel.assets))

    where = [(int(p), int(a) + 1, int(d)) for p, a, d in zip(*case.placed[:3], strict=True)]
    larger = make.place([add_empty(p) for p in case.panels], case.sample.spec, [*where, (0, 0, where[0][2])])
    found = outcome([name], larger)
    assert found.status[-1] == Status.TOO_FEW_ESTIMATION
    make.same(found.verdicts[name], answer(name, case))


@pytest.mark.thorough
def test_a_study_with_a_security_without_data_says_the_same(name: str) -> None:
    given = make.material(np.random.default_rng(8), n=12)
    frame = given.events.frame
    more = es.Events(frame.rename(index=str).iloc[[0]].assign(ticker="EMPTY").rename(index={"E0": "X"}))
    both = es.Events.from_frame(pd.concat([frame, more.frame]).reset_index()[["event_id", "ticker", "announced"]])
    bars = dict(given.prices.bars)
    nothing = {"close": np.full(len(bars["M"].dates), np.nan)}
    bars["EMPTY"] = replace(bars["M"], ticker="EMPTY", fields=nothing)
    tested = es.test(name, draws=99) if load(name).draws else name
    study = es.Study(benchmark="M", estimation=(-65, -6), event=(-5, 5), min_estimation=40, tests=[tested])
    wanted = study.run(given.events, given.prices)
    found = study.run(both, es.Prices(bars))
    assert found.events.loc["X", "status"] == "no_price"
    pd.testing.assert_frame_equal(found.tests, wanted.tests, rtol=1e-12)
    pd.testing.assert_frame_equal(found.daily, wanted.daily, rtol=1e-12)


def one_design(case: make.Case, model: str) -> bool:
    """Say whether a model gives all events of a case the same degrees of freedom and forecast variance."""
    once, spec = make.CachedModel(_registry.load("models", model)), case.sample.spec
    fitted = [*map(once.fit, blocks(case.panels, case.placed, spec, len(case.sample.cluster_group), 1))]
    dof = np.concatenate([made.dof for made in fitted])
    factor = np.concatenate([scores(made, spec).var / made.sigma[:, None] ** 2 for made in fitted])
    return bool(np.ptp(dof) == 0 and (np.ptp(factor, axis=0) <= ROUNDING * factor.mean(axis=0)).all())


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_every_test_runs_on_every_model(name: str, model: str) -> None:
    test, columns = load(name), _registry.load("models", model).columns
    n = 3 if test.draws else 24  # a hundred studies on drawn dates: few events in each
    case = draw(test.value_under[-1], 9, n_est=90, columns=columns, n=n, missing=ordinary(name))
    found = answer(name, case, model)
    sane(found, 1, 3)
    if test.one_design and not one_design(case, model):
        assert np.isnan(found.statistic).all()
    else:
        long = np.char.find(found.note.astype(str), "longer than a quarter of the estimation window") >= 0
        assert np.isfinite(found.statistic[~long]).all()
        assert not long.all()


@pytest.mark.thorough
def test_a_model_with_one_design_and_one_without_are_told_apart() -> None:
    case = draw("same_day", 9, columns=make.BENCHMARK, n=12, missing=0.0)
    assert one_design(case, "market")
    assert not one_design(case, "garch")


def test_what_is_declared_of_values_is_among_the_kinds_of_dependence(name: str) -> None:
    under = load(name).value_under
    assert under
    assert set(under) <= set(make.KINDS)


def test_survives_is_one_of_the_kinds_of_dependence(name: str) -> None:
    assert _registry.load("inference", name).survives in STRENGTH


@pytest.mark.parametrize(("kind", "chosen"), [(k, t) for k, tests in DEFAULT_TESTS.items() for t in tests])
def test_default_tests_survive_the_dependence_they_are_chosen_for(kind: str, chosen: str) -> None:
    survives = _registry.load("inference", chosen).survives
    assert STRENGTH.index(survives) >= STRENGTH.index(kind)


def test_every_kind_of_dependence_has_default_tests() -> None:
    assert set(DEFAULT_TESTS) == set(STRENGTH)
    assert all(DEFAULT_TESTS.values())


def test_the_docstring_has_an_equation_and_a_reference(name: str) -> None:
    doc = importlib.import_module(f"eventstudy.inference.{name}").__doc__ or ""
    assert ".. math::" in doc
    assert re.search(r"\((1[89]|20)\d\d\b", doc), "a reference has its year in brackets"


def test_a_test_has_a_value_for_one_event_only_if_it_says_so(name: str) -> None:
    test = load(name)
    found = answer(name, draw("same_day", n=1, missing=0.0))
    sane(found, 1, 3)
    assert (found.n <= 1).all()
    if test.one_event:
        assert np.isfinite(found.statistic).all()
    else:
        assert np.isnan(found.p).all()
        assert all(str(note).startswith("1 event: ") for note in found.note.ravel())
