"""CARs compared between groups and explained by columns, held to scipy, statsmodels and matrices by hand."""

from __future__ import annotations

import itertools
import re
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import eventstudy as es
from eventstudy.analysis import comparison
from eventstudy.display.measure import measure_of
from tests.make import material

FIRST, WELCH = ("t", "df", "p"), ("t_welch", "p_welch")
DATES = pd.bdate_range("2021-01-04", periods=300)[::5]  # windows of three days around them do not overlap


def sample(car: Any, session: Any = None, status: Any = None, **columns: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the two frames of a result; the CARs of a second window are the negative ones."""
    car = np.asarray(car, dtype=float)
    n = len(car)
    names = pd.Index([f"E{i}" for i in range(n)], name="event_id")
    days = DATES[np.arange(n) if session is None else np.asarray(session)]
    events = pd.DataFrame({"status": "ok" if status is None else status, "session": days, **columns}, index=names)
    se = np.where(np.isnan(car), np.nan, 0.01 + 0.001 * np.arange(n))
    parts = [
        pd.DataFrame({"event_id": names, "start": start, "end": end, "car": sign * car, "se": se})
        for start, end, sign in ((0, 0, 1), (-1, 1, -1))
    ]
    return events, pd.concat(parts)


def frames_of(events: pd.DataFrame, cars: pd.DataFrame) -> Any:
    return SimpleNamespace(events=events, cars=cars, measure=measure_of())


def compare(
    events: pd.DataFrame, cars: pd.DataFrame, column: str, window: Any = None, cov: str = "auto"
) -> pd.DataFrame:
    return comparison.compare(None, frames_of(events, cars), column, window, cov, 999)


def regress(
    events: pd.DataFrame, cars: pd.DataFrame, formula: str, window: Any = None, weights: Any = None, cov: str = "auto"
) -> Any:
    return comparison.regress(None, frames_of(events, cars), formula, window, weights, cov, 999)


def drawn(n: int = 60, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    size = rng.lognormal(size=n)
    sector = rng.choice(["bank", "tech", "util"], n)
    session = rng.integers(0, 15, n)
    car = (
        0.01 * size + 0.02 * (sector == "tech") + 0.01 * rng.standard_normal(15)[session] + 0.02 * rng.standard_t(4, n)
    )
    return {"car": car, "session": session, "size": size, "sector": sector}


def clustered(y: np.ndarray, x: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """OLS with errors clustered as Stata does: coefficients and covariance, by a loop over clusters."""
    inverse = np.linalg.inv(x.T @ x)
    b = inverse @ x.T @ y
    e = y - x @ b
    meat = np.zeros((x.shape[1],) * 2)
    for g in set(groups):
        score = x[groups == g].T @ e[groups == g]
        meat += np.outer(score, score)
    n, k, c = len(y), x.shape[1], len(set(groups))
    return b, c / (c - 1) * (n - 1) / (n - k) * inverse @ meat @ inverse


def cr2_by_hand(y: np.ndarray, x: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """OLS with CR2 and the degrees of freedom of Bell & McCaffrey from N by N matrices: b, covariance, df."""
    inverse = np.linalg.inv(x.T @ x)
    hat = x @ inverse @ x.T
    e, left_out = y - hat @ y, np.eye(len(y)) - hat
    meat, columns = np.zeros((x.shape[1],) * 2), []
    for g in np.unique(groups):
        rows = groups == g
        values, vectors = np.linalg.eigh(left_out[np.ix_(rows, rows)])
        weighted = vectors @ np.diag(values**-0.5) @ vectors.T @ x[rows]
        meat += np.outer(weighted.T @ e[rows], weighted.T @ e[rows])
        columns.append(left_out[:, rows] @ weighted @ inverse)
    squares = np.stack(columns)  # by cluster: (G, N, k)
    kernels = [squares[:, :, j] @ squares[:, :, j].T for j in range(x.shape[1])]
    return inverse @ x.T @ y, inverse @ meat @ inverse, np.array([np.trace(k) ** 2 / np.trace(k @ k) for k in kernels])


# Pairs of groups.


def test_every_pair_is_compared_as_scipy_and_matrices_by_hand_do():
    its = drawn()
    table = compare(*sample(**its), "sector", None)
    assert list(zip(table["first"], table["second"], strict=True)) == list(
        itertools.combinations(["bank", "tech", "util"], 2)
    )
    for row in table.to_dict("records"):
        mine = [its["sector"] == row[name] for name in ("first", "second")]
        a, b = (its["car"][m] for m in mine)
        welch = stats.ttest_ind(a, b, equal_var=False)
        assert (row["n1"], row["n2"]) == (len(a), len(b))
        assert row["difference"] == pytest.approx(a.mean() - b.mean(), rel=1e-13)
        assert row["t_welch"] == pytest.approx(welch.statistic, rel=1e-12)
        assert row["p_welch"] == pytest.approx(welch.pvalue, rel=1e-10)
        assert row["p_rank"] == stats.mannwhitneyu(a, b).pvalue
        both = mine[0] | mine[1]
        x = np.column_stack([np.ones(both.sum()), mine[0][both]])
        slope, covariance, df = cr2_by_hand(its["car"][both], x, its["session"][both])
        dates = len(set(its["session"][both]))
        assert row["n_dates"] == dates
        assert row["t"] == pytest.approx(slope[1] / np.sqrt(covariance[1, 1]), rel=1e-11)
        assert row["df"] == pytest.approx(df[1], rel=1e-11)
        assert row["p"] == pytest.approx(2 * stats.t.sf(abs(row["t"]), df[1]), rel=1e-10)
        assert f"p: CR2 by date, {dates} clusters" in row["note"]
        assert f"take events as independent, but {both.sum()} have {dates} dates" in row["note"]


def test_independent_events_are_compared_without_a_remark_on_welch():
    car = drawn()["car"]
    [row] = compare(*sample(car, kind=["a", "b"] * 30), "kind", None).to_dict("records")
    assert "independent" not in row["note"]
    assert row["t"] == pytest.approx(row["t_welch"], rel=0.02)  # of clusters of one event


def test_the_window_is_the_first_or_the_one_that_is_named():
    frames = sample(**drawn())
    first, other = compare(*frames, "sector", None), compare(*frames, "sector", (-1, 1))
    assert np.isfinite(first["p"]).all()
    np.testing.assert_allclose(other["difference"], -first["difference"])
    np.testing.assert_allclose(other["p"], first["p"])
    with pytest.raises(es.InputError, match=r"window is \(0, 9\); valid are \(0, 0\), \(-1, 1\)"):
        compare(*frames, "sector", (0, 9))


def test_what_events_are_left_out_is_counted():
    car = [0.01, 0.03, np.nan, 0.02, 0.05, 0.04, 0.2, 0.3]
    kind = ["a", "a", "a", "b", "b", "b", "", None]
    events, cars = sample(car, kind=kind)
    with pytest.warns(
        es.EventStudyWarning, match=r"of 8 used events are left out: 1 without a CAR in \(0, 0\), 2 without 'kind'"
    ):
        table = compare(events, cars, "kind", None)
    assert table[["n1", "n2"]].to_numpy().tolist() == [[2, 3]]
    kept = events.assign(status=["ok", "ok", "no_price", "ok", "ok", "ok", "duplicate", "duplicate"])
    again = compare(kept, cars, "kind", None)  # what the study itself lost is in its attrition
    pd.testing.assert_frame_equal(again, table)


@pytest.mark.parametrize(
    ("car", "kind", "session", "missing", "reason"),
    [
        ([1, 2, 3, 4], "abbb", [0, 1, 2, 3], {*WELCH, *FIRST}, "a coefficient that rests on one cluster alone"),
        ([1, 2], "ab", [0, 1], {*WELCH, *FIRST}, "'a' has 1 event and 'b' has 1 event"),
        ([1, 2, 3, 5], "aabb", [0, 0, 1, 2], {*FIRST}, "a coefficient that rests on one cluster alone"),
        ([1, 2, 3, 5], "aabb", [0, 0, 0, 0], {*FIRST}, "p: the events share one date: on fewer than 3"),
        ([1, 2, 3, 5], "aabb", [0, 0, 1, 1], {*FIRST}, "the events have 2 dates, 2 of them without overlapping"),
        ([1, 3, 3, 1, 2, 2], "aaaabb", [0, 0, 1, 1, 2, 3], {*FIRST}, "each date cancel out"),
        (
            [0.1] * 4, "aabb", [0, 1, 2, 3], {"p_rank", *WELCH, *FIRST},
            "p: the CARs do not vary within the groups; t_welch: the CARs do not vary within the groups; p_rank: the",
        ),
        ([0.1, 0.1, 0.3, 0.3], "aabb", [0, 1, 2, 3], {*WELCH, *FIRST}, "do not vary within"),
        ([0.0] * 4, "aabb", [0, 1, 2, 3], {"p_rank", *WELCH, *FIRST}, "the CARs are all equal"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_missing_with_a_reason(
    car: Any, kind: str, session: Any, missing: set[str], reason: str
):
    [row] = compare(*sample(car, session, kind=list(kind)), "kind", None).to_dict("records")
    numbers = {name: value for name, value in row.items() if name not in ("first", "second", "note")}
    assert {name for name, value in numbers.items() if not np.isfinite(value)} == missing
    assert not any(np.isinf(value) for value in numbers.values())
    assert reason in row["note"]


def test_one_group_that_does_not_vary_is_still_compared():
    a, b = np.array([0.01, 0.01, 0.01]), np.array([0.03, 0.01, 0.04, 0.02])
    [row] = compare(*sample([*a, *b], kind=list("aaabbbb")), "kind", None).to_dict("records")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy's, of the group that does not vary
        welch = stats.ttest_ind(a, b, equal_var=False)
    assert row["t_welch"] == pytest.approx(welch.statistic, rel=1e-12)
    assert row["p_welch"] == pytest.approx(welch.pvalue, rel=1e-12)
    assert np.isfinite(row["p"])


def test_a_column_that_cannot_be_compared_says_why():
    frames = sample(np.arange(40) / 100, size=np.arange(40.0), same="x", mixed=[1, "b"] * 20)
    for column, error, words in (
        ("sector", es.InputError, "column is 'sector'; valid are 'status', 'session', 'size', 'same', 'mixed'"),
        ("size", es.InputError, "column 'size' has 40 values; up to 30"),
        ("same", es.NotEnoughData, "have 1 value of 'same'"),
    ):
        with pytest.raises(error, match=words):
            compare(*frames, column, None)
    assert compare(*frames, "mixed", None)[["first", "second"]].to_numpy().tolist() == [[1, "b"]]
    with pytest.raises(es.NotEnoughData, match="no event could be used"):
        compare(frames[0].assign(status="no_price"), frames[1].iloc[:0], "mixed", None)


# Regressions.


@pytest.mark.parametrize("cov", ["HC1", "nonrobust", "cluster"])
@pytest.mark.parametrize("weights", [None, "precision"])
def test_a_regression_is_the_one_that_statsmodels_makes_by_hand(cov: str, weights: str | None):
    its = drawn()
    events, cars = sample(**its)
    fit = regress(events, cars, "car ~ size + C(sector)", (0, 0), weights, cov)
    x = np.column_stack([np.ones(60), its["sector"] == "tech", its["sector"] == "util", its["size"]]).astype(float)
    w = np.ones(60) if weights is None else 1 / (0.01 + 0.001 * np.arange(60)) ** 2
    options = {"cov_kwds": {"groups": its["session"]}} if cov == "cluster" else {}
    hand = sm.WLS(its["car"], x, weights=w).fit(cov_type=cov, use_t=True, **options)
    assert fit.params.index.tolist() == ["Intercept", "C(sector)[T.tech]", "C(sector)[T.util]", "size"]
    np.testing.assert_allclose(fit.params, hand.params, rtol=1e-9)
    np.testing.assert_allclose(fit.bse, hand.bse, rtol=1e-9)
    np.testing.assert_allclose(fit.pvalues, hand.pvalues, rtol=1e-7)
    np.testing.assert_allclose(fit.conf_int(), hand.conf_int(), rtol=1e-7, atol=1e-12)
    for name in ("fvalue", "f_pvalue", "rsquared", "rsquared_adj", "aic", "df_model", "df_resid", "condition_number"):
        assert getattr(fit, name) == pytest.approx(getattr(hand, name), rel=1e-7), name
    root = np.sqrt(w)[:, None]
    b = np.linalg.lstsq(x * root, its["car"] * root[:, 0], rcond=None)[0]
    np.testing.assert_allclose(fit.params, b, rtol=1e-9)
    if cov == "cluster" and weights is None:
        np.testing.assert_allclose(fit.cov_params(), clustered(its["car"], x, its["session"])[1], rtol=1e-8)
        t = fit.params["size"] / fit.bse["size"]
        dates = len(set(its["session"]))
        assert fit.pvalues["size"] == pytest.approx(2 * stats.t.sf(abs(t), dates - 1), rel=1e-8)


@pytest.mark.parametrize("weights", [None, "precision"])
def test_a_regression_clustered_by_date_is_the_one_of_full_matrices(weights: str | None):
    its = drawn()
    fit = regress(*sample(**its), "car ~ size + C(sector)", (0, 0), weights)
    x = np.column_stack([np.ones(60), its["sector"] == "tech", its["sector"] == "util", its["size"]]).astype(float)
    root = np.ones(60) if weights is None else 1 / (0.01 + 0.001 * np.arange(60))
    b, covariance, df = cr2_by_hand(its["car"] * root, x * root[:, None], its["session"])
    assert np.isfinite(df).all()
    assert (fit.cov_type, fit.nobs) == ("cr2", 60)
    np.testing.assert_allclose(fit.params, b, rtol=1e-10)
    np.testing.assert_allclose(fit.cov_params(), covariance, rtol=1e-10)
    np.testing.assert_allclose(fit.df, df, rtol=1e-11)
    t = b / np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(fit.tvalues, t, rtol=1e-10)
    np.testing.assert_allclose(fit.pvalues, 2 * stats.t.sf(np.abs(t), df), rtol=1e-9)
    for level in (0.95, 0.9):
        half = stats.t.ppf((1 + level) / 2, df) * np.sqrt(np.diag(covariance))
        np.testing.assert_allclose(fit.conf_int(alpha=1 - level), np.column_stack([b - half, b + half]), rtol=1e-9)
    # what packages of tables read beside these numbers (maketables 0.2.0, of any result with params, bse and pvalues)
    assert fit.model.endog_names == "car"
    for series in (fit.params, fit.bse, fit.tvalues, fit.pvalues, fit.conf_int(alpha=0.1).iloc[:, 0]):
        assert series.index.tolist() == ["Intercept", "C(sector)[T.tech]", "C(sector)[T.util]", "size"]
    plain = sm.WLS(its["car"], x, weights=root**2).fit()
    assert fit.rsquared == pytest.approx(plain.rsquared, rel=1e-10)
    # Hotelling's T^2 of the three terms with the smallest of the degrees of freedom
    nu = df.min()
    f = b[1:] @ np.linalg.inv(covariance[1:, 1:]) @ b[1:] * (nu - 2) / (3 * nu)
    assert fit.fvalue == pytest.approx(f, rel=1e-9)
    assert fit.f_pvalue == pytest.approx(stats.f.sf(f, 3, nu - 2), rel=1e-9)
    text = str(fit.summary())
    assert "CR2 by date, 15 clusters" in text
    assert f"{fit.pvalues['size']:.3f}" in text
    assert fit.get_robustcov_results("HC1").pvalues[3] == pytest.approx(
        sm.WLS(its["car"], x, weights=root**2).fit(cov_type="HC1", use_t=True).pvalues[3], rel=1e-9
    )


@pytest.mark.parametrize("weights", [None, "precision"])
@pytest.mark.parametrize("cov", ["cr2", "HC1", "nonrobust", "cluster"])
@pytest.mark.parametrize("unit", [1e-12, 1e9, 1e12, 1e16])
def test_the_unit_of_a_term_is_that_of_its_coefficient_and_changes_nothing_else(
    unit: float, cov: str, weights: str | None
):
    """Market values stand beside shares and dummies, in units of a currency of which a firm is worth 1e15."""
    its = drawn() | {"share": np.linspace(0, 1, 60) ** 2}
    formula = "car ~ size + share + C(sector)"
    wanted = regress(*sample(**its), formula, (0, 0), weights, cov)
    found = regress(*sample(**its | {"size": unit * its["size"]}), formula, (0, 0), weights, cov)
    assert np.isfinite([wanted.pvalues, found.pvalues]).all()
    size = np.where(wanted.params.index == "size", unit, 1.0)
    np.testing.assert_allclose(found.params * size, wanted.params, rtol=1e-10)
    np.testing.assert_allclose(found.cov_params() * np.outer(size, size), wanted.cov_params(), rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(found.conf_int().to_numpy() * size[:, None], wanted.conf_int(), rtol=1e-9, atol=1e-12)
    for name in ("tvalues", "pvalues", "df", "fvalue", "f_pvalue", "rsquared", "df_resid", "df_model"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-9, err_msg=name)
    assert (found.df_model, found.df_resid) == (4, 55)


def test_terms_that_are_combinations_of_others_are_refused_in_any_unit():
    its = drawn()
    twice = its | {"size": 1e14 * its["size"], "value": 3e-9 * its["size"] + 1e-9}
    with pytest.raises(es.InputError, match="are not independent"):
        regress(*sample(**twice), "car ~ size + value", (0, 0))


def test_windows_that_overlap_are_one_cluster():
    its = drawn()
    events, cars = sample(**its)
    near = events.assign(session=pd.bdate_range("2021-01-04", periods=45)[3 * its["session"]])
    separate = regress(near, cars, "car ~ size", (-1, 1), None, "cr2")  # every third weekday
    assert "15 clusters" in separate.note
    joined = events.assign(session=pd.bdate_range("2021-01-04", periods=45)[3 * its["session"] - its["session"] % 2])
    pairs = regress(joined, cars, "car ~ size", (-1, 1), None, "cr2")
    x = np.column_stack([np.ones(60), its["size"]])
    _, covariance, _ = cr2_by_hand(-its["car"], x, its["session"] // 2)
    np.testing.assert_allclose(pairs.cov_params(), covariance, rtol=1e-10)


def test_what_assumes_independent_events_says_so():
    frames = sample(**drawn())
    for cov, words in (("HC1", "60 have 15 dates: use cov='auto'"), ("cluster", "few dates or uneven ones: here 15")):
        fit = regress(*frames, "car ~ size", None, None, cov)
        assert words in fit.note
        assert words in str(fit.summary()).replace("\n", " ")
    assert "independent" not in regress(*sample(drawn()["car"], size=np.arange(60.0)), "car ~ size", cov="HC1").note


def test_missing_values_are_left_out_and_counted_by_reason():
    its = drawn()
    car, size = its["car"].copy(), its["size"].copy()
    sector = its["sector"].astype(object)
    car[3], size[[5, 6]], sector[[6, 7, 8]] = np.nan, np.nan, ["", None, ""]
    size[10] = -1.0
    lost = [3, 5, 6, 7, 8, 10]
    events, cars = sample(car, its["session"], size=size, sector=sector, far=np.nan)
    said = (
        r"of 60 used events are left out: 1 without a CAR in \(0, 0\), 2 without 'size', 3 without 'sector',"
        r" 1 for which np\.log\(size\) is not a finite number"
    )
    with pytest.warns(es.EventStudyWarning, match=said) as seen:
        fit = regress(events, cars, "car ~ np.log(size) + C(sector)", (0, 0), "precision", "cluster")
    assert len(seen) == 1
    kept = np.setdiff1d(np.arange(60), lost)
    tech, util = (sector[kept] == name for name in ("tech", "util"))
    x = np.column_stack([np.ones(len(kept)), tech, util, np.log(size[kept])]).astype(float)
    hand = sm.WLS(car[kept], x, weights=1 / (0.01 + 0.001 * kept) ** 2).fit(
        cov_type="cluster", cov_kwds={"groups": its["session"][kept]}, use_t=True
    )
    assert fit.nobs == 54
    np.testing.assert_allclose(fit.params, hand.params, rtol=1e-9)
    np.testing.assert_allclose(fit.bse, hand.bse, rtol=1e-8)


@pytest.mark.parametrize(
    ("size", "term", "n", "x"),
    [
        ([2.0, 3.0, 5.0, 4.0, 9.0, 0.0, -1.0], "log(size)", 2, np.log([2.0, 3.0, 5.0, 4.0, 9.0])),
        ([2.0, 3.0, 5.0, 4.0, 9.0, np.inf, np.nan], "size", 1, [2.0, 3.0, 5.0, 4.0, 9.0]),
        ([2.0, 3.0, 5.0, 4.0, 9.0, 0.0, np.nan], "I(1 / size)", 1, [1 / 2, 1 / 3, 1 / 5, 1 / 4, 1 / 9]),
    ],
)
def test_events_for_which_a_term_is_infinite_or_undefined_are_left_out_by_its_name(
    size: list[float], term: str, n: int, x: list[float]
) -> None:
    car = [0.01, 0.05, -0.02, 0.03, 0.00, -0.04, 0.02]
    with pytest.warns(es.EventStudyWarning, match=rf"{n} for which {re.escape(term)} is not a finite number"):
        fit = regress(*sample(car, size=size), f"car ~ {term}", None, None, "nonrobust")
    assert fit.nobs == 5
    assert fit.params.iloc[1] == pytest.approx(stats.linregress(x, car[:5]).slope, rel=1e-9)


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("car ~ size", "size"),
        ("np.abs(car) ~ I(size**2) + size:sector", "size"),
        ("car ~ Q('market cap') + C(sector, Treatment(reference='tech'))", "market cap"),
        ("car ~ C(sector, Sum) + listed", "listed"),
        ("car ~ 0 + size + sector", "size"),
    ],
)
def test_formulas_may_use_what_formulas_can(formula: str, names: str):
    its = drawn()
    frames = sample(**its, **{"market cap": its["size"], "listed": its["size"] > 1})
    fit = regress(*frames, formula, None, None, "HC1")
    assert fit.nobs == 60
    assert any(names in term for term in fit.params.index)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("car ~ sizes", r"names 'sizes'; the columns are 'status', 'session', 'size', 'sector', 'car', 'se'"),
        ("car ~ frame", "names 'frame'"),  # a name of ours is no column
        ("car ~ Q('nope')", "the columns are 'status'"),
        ("car ~ size +", "cannot be used"),
        ("car ~ (size", "cannot be used"),
        ("car ~ nope(size)", "cannot be used"),
        ("car ~ np.log(size - size)", r"of 60 events none is left: 60 for which np\.log\(size - size\) is not a fin"),
        ("car ~ I(size / 0)", r"60 for which I\(size / 0\) is not a finite number"),
        ("sector ~ size", "cannot be used"),
        ("car ~ size + I(2 * size)", r"size, I\(2 \* size\) are not independent"),
    ],
)
def test_a_formula_that_cannot_be_used_is_an_error_of_the_input(formula: str, words: str):
    with pytest.raises(es.InputError, match=words):
        regress(*sample(**drawn()), formula, None, None, "HC1")


@pytest.mark.parametrize(
    ("its", "options", "error", "words"),
    [
        ({"car": [0.01, 0.02]}, {}, es.NotEnoughData, "events left: 2, for 2 coefficients"),
        ({"car": [0.01]}, {}, es.NotEnoughData, "events left: 1, for 2"),
        ({"car": [0.01] * 9}, {}, es.NotEnoughData, "all equal"),
        ({"car": [1, 2, 4], "session": [0] * 3}, {"cov": "cluster"}, es.NotEnoughData, "share one date"),
        ({"car": [1, 2, 4], "session": [0] * 3}, {"cov": "auto"}, es.NotEnoughData, "share one date.*Study.run"),
        ({"car": [1, 2, 4], "session": [0] * 3}, {"cov": "cr2"}, es.NotEnoughData, "needs 3 dates.*cov='history'"),
        ({"car": [1, 2, 4]}, {"cov": "history"}, es.NotEnoughData, "has no study with its data.*Study.run"),
        ({"car": [1, 2, 4]}, {"cov": "placebo"}, es.NotEnoughData, "has no study with its data.*Study.run"),
        ({"car": [1, 2, 4]}, {"weights": "gls"}, es.NotEnoughData, "has no study with its data.*Study.run"),
        ({"car": [1, 2, 4]}, {"cov": "HC3"}, es.InputError, "cov is 'HC3'; valid are 'auto', 'history', 'cr2', 'pla"),
        (
            {"car": [1, 2, 4]},
            {"weights": "size"},
            es.InputError,
            "weights is 'size'; valid are None, 'precision', 'gls",
        ),
        ({"car": [1, 2, 4], "se": 1.0}, {}, es.InputError, "column 'se' has the name of a result"),
    ],
)
def test_too_little_is_said_and_never_answered_with_infinity(
    its: Any, options: Any, error: type[Exception], words: str
):
    frames = sample(**its, size=np.arange(len(its["car"])) ** 2.0)
    choices = {"formula": "car ~ size", "window": None, "weights": None, "cov": "HC1", **options}
    with pytest.raises(error, match=words):
        regress(*frames, **choices)


def test_the_result_of_a_study_is_compared_and_explained():
    made = material(np.random.default_rng(5), n=20)
    made.events.frame["sector"] = ["x", "y"] * 10
    made.events.frame["size"] = [np.nan, *range(19)]
    result = es.Study(
        benchmark="M", estimation=(-65, -6), event=(-5, 5), windows=((0, 0), (-1, 1)), min_estimation=40
    ).run(made.events, made.prices)
    cars = result.cars[result.cars["start"] == -1].set_index("event_id")["car"]
    a, b = (cars[result.events["sector"] == name] for name in "xy")
    [row] = result.compare("sector", window=(-1, 1)).to_dict("records")
    assert row["p_welch"] == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-10)
    with pytest.warns(es.EventStudyWarning, match="1 without 'size'") as seen:
        fit = result.regress("car ~ size", window=(-1, 1), cov="HC1")
    assert seen[0].filename == __file__
    assert fit.params["size"] == pytest.approx(stats.linregress(range(19), cars.iloc[1:]).slope, rel=1e-9)
    assert fit.cov_type == "HC1"
