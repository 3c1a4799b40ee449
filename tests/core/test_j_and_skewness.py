"""J1, J2 and the skewness-adjusted t: plain loops, SciPy, printed numbers; the bootstrap against all resamples."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import cache, partial
from itertools import combinations_with_replacement
from math import factorial

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy import _registry
from eventstudy.core import parts
from eventstudy.core import run as running
from eventstudy.core.sums import add
from eventstudy.core.windows import blocks
from eventstudy.inference import skewness_adjusted
from eventstudy.types import Sample, Test, Verdict
from tests import make
from tests.make import Case, Fit, columns_of
from tests.simulation.sizes import LEVEL, MARKET, Sizes, apart

KINDS: tuple[make.Kind, ...] = ("independent", "same_day", "overlap")


def answer(test: Test | str, case: Case, model: str = "market") -> Verdict:
    chosen = _registry.load("inference", test) if isinstance(test, str) else test
    fitted = _registry.load("models", model)
    return running.run(case.panels, case.placed, fitted, {"test": chosen}, case.sample).verdicts["test"]


def cars(fits: list[Fit], days: np.ndarray) -> list[tuple[float, float, int]]:
    """Give CAR, its forecast variance and M - k of the events whose window is complete."""
    return [(*fit.car(days)[:2], fit.dof) for fit in fits if np.isfinite(fit.e[days]).all()]


def hall(x: np.ndarray, centre: float = 0.0) -> float:
    """Give Hall's t as the cube that its polynomial is, with SciPy's skewness (divisor N) and t."""
    n = len(x)
    g = float(stats.skew(x)) * ((n - 1) / n) ** 1.5
    s = float(stats.ttest_1samp(x, centre).statistic) / np.sqrt(n)
    cube = ((1 + g * s / 3) ** 3 - 1) / g if abs(g) > 1e-6 else s
    return float(np.sqrt(n) * (cube + g / (6 * n)))


def on(x: np.ndarray, test: Test = skewness_adjusted.TEST) -> Verdict:
    """Give a test's verdict on CARs alone, (N, V)."""
    state = add({}, test.chunk(*make.with_cars(x), {}))
    windows = tuple((v, v) for v in range(x.shape[1]))
    return test.finalize(state, Sample(make.spec(windows=windows), 1, np.zeros(1, int), np.zeros((1, 71), int)))


@pytest.mark.parametrize("missing", [0.0, 0.04])
@pytest.mark.parametrize("kind", KINDS)
def test_j1_j2_and_halls_t_equal_their_plain_loops(kind: make.Kind, missing: float) -> None:
    case = make.case(np.random.default_rng(31), n=26, kind=kind, missing=missing)
    fits = make.fits(case)
    found = {name: answer(name, case) for name in ("j1", "j2", "skewness_adjusted")}
    for window in range(3):
        kept = cars(fits, columns_of(case.sample.spec, window))
        n = len(kept)
        caar = sum(car for car, _, _ in kept) / n
        wanted = {
            "j1": caar / np.sqrt(sum(var for _, var, _ in kept) / n**2),
            "j2": sum(car / np.sqrt(var) for car, var, _ in kept) / np.sqrt(sum(m / (m - 2) for _, _, m in kept)),
            "skewness_adjusted": hall(np.array([car for car, _, _ in kept])),
        }
        for name, value in wanted.items():
            assert found[name].statistic[0, window] == pytest.approx(value, rel=1e-9)
            assert found[name].p[0, window] == pytest.approx(2 * stats.norm.sf(abs(value)), rel=1e-8)
            assert np.isnan(found[name].df[0, window])
            assert found[name].n[0, window] == n
    assert (len({fit.dof for fit in fits}) > 1) == bool(missing)


def test_j2_of_events_of_one_length_is_the_printed_form() -> None:
    case = make.case(np.random.default_rng(32), n=26, kind="independent", missing=0.0)
    found, fits = answer("j2", case), make.fits(case)
    for window in range(3):
        mean = np.mean([car / np.sqrt(var) for car, var, _ in cars(fits, columns_of(case.sample.spec, window))])
        assert found.statistic[0, window] == pytest.approx(np.sqrt(26 * (60 - 4) / (60 - 2)) * mean, rel=1e-10)


def test_j2_of_one_day_is_patell_where_events_are_of_one_length() -> None:
    case = make.case(np.random.default_rng(33), n=26, missing=0.0)
    j2, patell = answer("j2", case), answer("patell", case)
    assert j2.statistic[0, 0] == pytest.approx(patell.statistic[0, 0], rel=1e-12)
    assert j2.statistic[0, 2] != pytest.approx(patell.statistic[0, 2], rel=1e-4)


def test_j1_of_one_event_is_its_car_over_the_forecast_error() -> None:
    case = make.case(np.random.default_rng(34), n=1, missing=0.0)
    outcome = running.run(case.panels, case.placed, MARKET, {"j1": _registry.load("inference", "j1")}, case.sample)
    np.testing.assert_allclose(outcome.verdicts["j1"].statistic, outcome.singles["car"] / outcome.singles["se"])


def test_j2_leaves_events_without_a_variance_out_and_says_so() -> None:
    case = make.case(
        np.random.default_rng(35), n=20, kind="same_day", missing=0.0, study_spec=make.spec(min_estimation=3)
    )
    panel, day = case.panels[0], case.placed.day[0]
    ok = panel.ok.copy()
    for asset, valid in enumerate((3, 4, 5, 6)):  # M - 2 is 1 to 4
        ok[asset, : day - 5 - valid] = False
    case = case._replace(panels=[replace(panel, ok=ok)])
    found, kept = answer("j2", case), cars(make.fits(case), columns_of(case.sample.spec, 1))
    assert sorted(m for _, _, m in kept)[:5] == [1, 2, 3, 4, 58]
    some = [row for row in kept if row[2] > 2]
    wanted = sum(car / np.sqrt(var) for car, var, _ in some) / np.sqrt(sum(m / (m - 2) for _, _, m in some))
    assert found.n.tolist() == [[18, 18, 18]]
    assert found.statistic[0, 1] == pytest.approx(wanted, rel=1e-9)
    assert answer("j1", case).n.tolist() == [[20, 20, 20]]


@pytest.mark.parametrize("n", [9, 10, 200])
def test_halls_t_is_students_where_the_sample_is_symmetric(n: int) -> None:
    half = np.random.default_rng(36).exponential(1.0, n // 2)
    x = 0.3 + np.concatenate([half, -half, np.zeros(n % 2)])
    assert on(x[:, None]).statistic[0, 0] == pytest.approx(stats.ttest_1samp(x, 0).statistic, rel=1e-10)


@pytest.mark.parametrize("n", [8, 12, 500])
def test_halls_t_is_the_cube_of_scipys_moments(n: int) -> None:
    rng = np.random.default_rng(37)
    for x in (rng.standard_normal(n) + 0.2, rng.exponential(1.0, n) - 1, 0.01 - rng.lognormal(0, 0.5, n)):
        assert on(x[:, None]).statistic[0, 0] == pytest.approx(hall(x), rel=1e-9)
        assert on(1e-9 * x[:, None]).statistic[0, 0] == pytest.approx(hall(x), rel=1e-9)


def test_halls_t_of_equal_values_is_infinite_on_their_side_of_the_centre() -> None:
    """As that of values which differ by less and less."""
    rows = np.array([[1.0, 1.0, 1.0], [3.0, 3.0, 3.0], [-1.0, -1.0, -1.0]])
    np.testing.assert_array_equal(skewness_adjusted.hall(rows, 2.0), [-np.inf, np.inf, -np.inf])
    near = rows + 1e-6 * np.array([-1.0, 0.0, 1.0])
    np.testing.assert_array_equal(np.sign(skewness_adjusted.hall(near, 2.0)), [-1.0, 1.0, -1.0])


def test_a_mean_amid_its_resamples_has_the_p_value_1() -> None:
    """A third of the resamples of 6 of these 24 balance, as all 24 do, so that each tail has two thirds of them."""
    found = on(np.repeat([[-0.0625], [0.0625]], 12, axis=0), skewness_adjusted.make(bootstrap=True))
    assert found.statistic.tolist() == [[0.0]]
    assert found.p.tolist() == [[1.0]]


def test_halls_t_grows_with_the_mean() -> None:
    x = np.random.default_rng(38).exponential(1.0, 20) - 1
    means = np.linspace(-5, 5, 400)
    assert (np.diff(on(x[:, None] + means).statistic[0]) > 0).all()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "fewer than 8"),
        ([0.1], "fewer than 8"),
        ([0.1, 0.2, 0.4] * 2 + [0.0], "fewer than 8"),
        ([0.1] * 8, "equal"),
    ],
)
@pytest.mark.parametrize("bootstrap", [False, True])
def test_too_few_or_equal_cars_have_no_t(values: list[float], reason: str, bootstrap: bool) -> None:
    with np.errstate(all="raise"):
        found = on(np.array(values)[:, None], skewness_adjusted.make(bootstrap=bootstrap))
    assert np.isnan(found.statistic[0, 0])
    assert np.isnan(found.p[0, 0])
    assert found.n[0, 0] == len(values)
    assert reason in found.note[0, 0]


def test_a_printed_answer_differs_only_by_its_estimate_of_the_skewness(shared) -> None:
    """The service of eventstudytools takes Hall's t of the unbiased skewness, N^2 / ((N - 1)(N - 2)) times ours."""
    folder = shared / "data" / "oracles" / "eventstudytools" / "api_output_2017"
    days = pd.read_csv(folder / "ar_results.csv", sep=";").iloc[:3, 1:6].to_numpy(dtype=float)
    window = pd.read_csv(folder / "car_results.csv", sep=";")["CAR Value"].to_numpy(dtype=float)[:3]
    table = pd.read_csv(folder / "aar_results.csv", sep=";", header=None, skiprows=1, index_col=0)
    lines = table[table.index.str.startswith("Skewness")].iloc[0].to_numpy(dtype=float)
    sums = pd.read_csv(folder / "caar_results.csv", sep=";").set_index("Grouping Variable")
    printed = [*lines, float(sums.loc["VW Group", "Skewness Corrected T"])]
    for x, theirs in zip([*days.T, window], printed, strict=True):
        s, sd = x.mean() / x.std(ddof=1), x.std(ddof=1)
        ours, unbiased = ((x - x.mean()) ** 3).sum() / (3 * sd**3), float(stats.skew(x, bias=False))
        assert unbiased == pytest.approx(ours * 9 / 2)
        found = [np.sqrt(3) * (s + g * s**2 / 3 + g**2 * s**3 / 27 + g / 18) for g in (unbiased, ours)]
        assert found[0] == pytest.approx(theirs, abs=1e-4)
        assert skewness_adjusted.hall(x[None], 0.0)[0] == pytest.approx(found[1], rel=1e-10)


@pytest.mark.parametrize(("n", "size"), [(8, 5), (19, 5), (23, 5), (24, 6), (81, 20)])
def test_a_resample_has_a_quarter_of_the_cars_and_at_least_five(n: int, size: int) -> None:
    x = np.random.default_rng(39).standard_normal((n, 1))
    found = on(x, skewness_adjusted.make(bootstrap=True, draws=99))
    assert found.note[0, 0] == f"99 resamples of {size}"
    assert found.statistic == on(x).statistic


@pytest.mark.thorough
def test_the_bootstrap_equals_a_plain_loop_over_its_draws() -> None:
    x = np.random.default_rng(40).exponential(1.0, (48, 2)) - 0.8
    found = on(x, skewness_adjusted.make(bootstrap=True, draws=199, seed=7))
    for window in range(2):
        car = np.sort(x[:, window])
        draws = np.random.Generator(np.random.PCG64(np.random.SeedSequence([7, 0, window]))).integers(0, 48, (199, 12))
        drawn = [hall(car[row], car.mean()) for row in draws]
        t = hall(car)
        p = 2 * min(1 + sum(b <= t for b in drawn), 1 + sum(b >= t for b in drawn)) / 200
        assert found.p[0, window] == pytest.approx(p, rel=1e-12)
        assert 0.01 < p < 1


@pytest.mark.thorough
@pytest.mark.parametrize("shift", [-0.6, *(pytest.param(shift, marks=pytest.mark.full) for shift in (0.0, 0.4))])
def test_the_bootstrap_comes_near_the_share_among_all_resamples(shift: float) -> None:
    """Of 8 CARs there are 8^5 of five; five times one value has an infinite t, on the side on which it lies.

    As a resample and its orders have one t, each multiset of five counts with the number of its orders.
    """
    x = np.array([-0.9, -0.7, -0.2, 0.1, 0.15, 0.5, 0.6, 1.4])
    t, low, high = hall(x + shift), 0.0, 0.0
    for row in combinations_with_replacement(x, 5):
        values, n_orders = np.array(row), 120 / np.prod([factorial(row.count(value)) for value in set(row)])
        alike = len(set(row)) == 1
        b = np.sign(values[0] - x.mean()) * np.inf if alike else hall(values, x.mean())
        low, high = low + n_orders * (b <= t), high + n_orders * (b >= t)
    share = 2 * min(low, high) / 8**5
    found = on(x[:, None] + shift, skewness_adjusted.make(bootstrap=True, draws=40_000))
    assert found.p[0, 0] == pytest.approx(min(share, 1.0), abs=0.02)
    assert share > 0.01


def test_the_draws_do_not_depend_on_order_partition_or_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    test = skewness_adjusted.make(bootstrap=True, draws=499)
    x = np.random.default_rng(41).standard_normal((90, 3)) + 0.2
    wanted = on(x, test).p
    np.testing.assert_array_equal(on(x[::-1].copy(), test).p, wanted)
    case = make.case(np.random.default_rng(42), n=60, groups=2)
    whole = answer(test, case)
    monkeypatch.setattr(parts, "blocks", partial(blocks, size=7))
    make.same(answer(test, case), whole)
    monkeypatch.setattr(skewness_adjusted, "CELLS", 100)
    np.testing.assert_array_equal(on(x, test).p, wanted)


def test_the_draws_depend_on_seed_and_window() -> None:
    x = np.repeat(np.random.default_rng(43).standard_normal((30, 1)) + 0.3, 2, axis=1)
    first, other = (on(x, skewness_adjusted.make(bootstrap=True, seed=seed)) for seed in (0, 1))
    assert first.p[0, 0] != first.p[0, 1]
    assert first.p[0, 0] != other.p[0, 0]
    np.testing.assert_allclose(first.p, other.p, atol=0.05)
    np.testing.assert_array_equal(first.statistic, other.statistic)
    np.testing.assert_array_equal(on(x, skewness_adjusted.make(seed=5)).p, on(x).p)


def test_a_test_with_options_can_be_sent_to_another_process() -> None:
    x = np.random.default_rng(44).standard_normal((30, 1))
    test = skewness_adjusted.make(bootstrap=True, draws=199, seed=3)
    np.testing.assert_array_equal(on(x, pickle.loads(pickle.dumps(test))).p, on(x, test).p)


def test_the_seed_is_the_samples_unless_the_test_has_its_own() -> None:
    case = make.case(np.random.default_rng(47), n=12, kind="independent", missing=0.0)

    def p(seed: int, test: Test) -> np.ndarray:
        sample = replace(case.sample, seed=seed)
        return np.asarray(running.run(case.panels, case.placed, MARKET, {"it": test}, sample).verdicts["it"].p)

    told = skewness_adjusted.make(bootstrap=True, draws=199)
    assert (p(0, told) != p(7, told)).any()
    for seed in (0, 7):
        np.testing.assert_array_equal(p(seed, told), p(3, skewness_adjusted.make(bootstrap=True, draws=199, seed=seed)))


@pytest.mark.parametrize("options", [{"draws": 98}, {"draws": 1e3}, {"seed": -1}, {"seed": "a"}])
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(es.InputError, match=str(next(iter(options.values())))):
        es.test("skewness_adjusted", bootstrap=True, **options)


def test_a_study_takes_the_bootstrap_as_an_option() -> None:
    given = make.material(np.random.default_rng(45), n=12, kind="independent")
    chosen = {"plain": es.test("skewness_adjusted"), "drawn": es.test("skewness_adjusted", bootstrap=True)}
    study = es.Study(benchmark="M", estimation=(-65, -6), event=(-5, 5), min_estimation=40, tests=chosen)
    table = study.run(given.events, given.prices).tests.set_index("test")
    np.testing.assert_array_equal(table.loc["plain", "statistic"], table.loc["drawn", "statistic"])
    assert (table.loc["plain", "p"].to_numpy() != table.loc["drawn", "p"].to_numpy()).all()
    assert set(table.loc["drawn", "note"]) == {"1999 resamples of 5"}


@cache
def sizes() -> Sizes:
    """1,000 replications of 50 independent events."""

    def outcomes():
        tests = {name: _registry.load("inference", name) for name in ("j1", "j2", "skewness_adjusted")}
        tests["bootstrap"] = skewness_adjusted.make(bootstrap=True, draws=499)
        draw = apart(make.spec(250, ((0, 0), (-5, 5))), 50)
        for child in np.random.SeedSequence(46).spawn(5):
            case = draw(np.random.default_rng(child), 200)
            yield running.run(case.panels, case.placed, MARKET, tests, case.sample)

    return Sizes(outcomes())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["j1", "j2", "skewness_adjusted", "bootstrap"])
def test_size_at_5_per_cent(name: str) -> None:
    assert sizes().of(name) == pytest.approx(LEVEL, abs=3 * np.sqrt(LEVEL * (1 - LEVEL) / 1000))
