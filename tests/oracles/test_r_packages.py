"""The R packages EventStudy and estudy2 on the same simulated prices: events on 30 dates, and 30 events on one date."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from tests.oracles.data import Floats, agree, by_day, column, cumulated, days_and_sums, events, per_event, read

pytestmark = pytest.mark.thorough

TOL = 1e-12
DAYS = range(-10, 11)
SUMS = [(DAYS[0], d) for d in DAYS]
N, M = 30, 250
CASES = ("r_a", "r_c")  # 30 dates; one date, with a factor in common that the model leaves out


class Case(NamedTuple):
    """One set of prices and events, where R's answers lie, and ours."""

    folder: Path
    prices: pd.DataFrame
    events: pd.DataFrame
    result: es.Result

    def package(self, name: str, by: str = "relative_index") -> pd.DataFrame:
        """Read a table of a package, one row a relative day in order."""
        return read(self.folder, name).set_index(by).loc[list(DAYS)]

    def by_event(self, name: str, value: str) -> Floats:
        """Read a column of a table of events by days as an array (N, days)."""
        wide = read(self.folder, name).pivot(index="event_id", columns="relative_index", values=value)
        return wide[list(DAYS)].to_numpy()

    def market(self) -> tuple[Floats, Floats]:
        """Give the market's returns in the estimation (N, M) and event windows (N, days)."""
        returns = np.asarray(self.prices["MKT"].pct_change(), dtype=np.float64)
        row = self.events["row"].to_numpy()[:, None]
        return returns[row + np.arange(-260, -10)], returns[row + np.array(DAYS)]

    def residuals(self) -> Floats:
        """Give the estimation residuals (N, M) that the coefficients of R leave."""
        fit = read(self.folder, "EventStudy/models.csv")
        returns = self.prices.pct_change()
        rows = self.events["row"].to_numpy()[:, None] + np.arange(-260, -10)
        own = np.stack([returns[firm].to_numpy()[r] for firm, r in zip(self.events["firm"], rows, strict=True)])
        alpha, beta = fit[["alpha", "beta"]].to_numpy(dtype=np.float64).T[..., None]
        left: Floats = own - alpha - beta * self.market()[0]
        return left


@pytest.fixture(scope="module")
def cases(shared) -> dict[str, Case]:
    found = {}
    for name in CASES:
        folder = shared / "data" / "oracles" / name
        prices = read(folder, "prices_wide.csv", index_col="date", parse_dates=True)
        given = read(folder, "events.csv")
        tests = [test for test in es.tests() if test != "placebo"]  # no package draws dates
        study = es.Study(benchmark="MKT", windows=days_and_sums(DAYS[0], DAYS[-1]), tests=tests)
        result = study.run(events(given["firm"], given["date"]), es.Prices.from_frame(prices))
        found[name] = Case(folder, prices, given, result)
    return found


@pytest.fixture(params=CASES)
def case(request, cases) -> Case:
    found: Case = cases[request.param]
    return found


def test_every_event_is_used_on_its_date(case):
    assert case.result.attrition.to_numpy().tolist() == [["ok", N]]
    assert (case.result.events["n_estimation"] == M).all()
    rows = case.prices.index.get_indexer(case.result.events["session"])
    assert rows.tolist() == case.events["row"].tolist()


def test_coefficients(case):
    ours = case.result.events
    for package in ("EventStudy", "estudy2"):
        theirs = read(case.folder, f"{package}/models.csv")
        for name in ("alpha", "beta"):
            agree(ours[name], theirs[name], TOL)
    theirs = read(case.folder, "EventStudy/models.csv")
    for name in ("sigma", "r2"):
        agree(ours[name], theirs[name], TOL)


def test_abnormal_returns(case):
    for package in ("EventStudy/ar_car.csv", "estudy2/ar.csv"):
        agree(case.result.ar, case.by_event(package, "abnormal_returns"), TOL)
    agree(case.result.daily["aar"], case.package("EventStudy/aar_CSectT.csv")["aar"], TOL)
    agree(case.result.daily["caar"], case.package("EventStudy/aar_CSectT.csv")["caar"], TOL)


def test_cumulative_abnormal_returns(case):
    """Their t leaves the forecast error out: CAR / (sigma sqrt L)."""
    ours = per_event(case.result, "car", SUMS)
    agree(ours, case.by_event("EventStudy/ar_car.csv", "car"), TOL)
    plain = case.result.events["sigma"].to_numpy()[:, None] * np.sqrt(np.arange(1, len(DAYS) + 1))
    agree(ours / plain, case.by_event("EventStudy/ar_car.csv", "car_t"), TOL)


def test_forecast_error_of_cumulative_abnormal_returns(case):
    """Sigma of R and the closed form for the market model: L + L^2 / M + (sum of market deviations)^2 / Sxx."""
    before, during = case.market()
    mean = before.mean(axis=1, keepdims=True)
    length = np.arange(1, len(DAYS) + 1)
    lever = np.cumsum(during - mean, axis=1) ** 2 / ((before - mean) ** 2).sum(axis=1, keepdims=True)
    sigma = read(case.folder, "EventStudy/models.csv")["sigma"].to_numpy()[:, None]
    se = sigma * np.sqrt(length + length**2 / M + lever)
    agree(per_event(case.result, "se", SUMS), se, TOL)
    t = case.by_event("EventStudy/ar_car.csv", "car") / se
    agree(per_event(case.result, "t", SUMS), t, TOL)
    agree(per_event(case.result, "p", SUMS), 2 * stats.t.sf(np.abs(t), M - 2), TOL, scale=1.0)


@pytest.mark.parametrize(
    ("file", "test", "day", "window"),
    [
        ("aar_CSectT.csv", "cross_section", "aar_t", "caar_t"),
        ("aar_PatellZ.csv", "patell", "aar_z", "caar_z"),
        ("aar_SignT.csv", "sign", "sign_z", "csign_z"),
    ],
)
def test_statistics_of_eventstudy(case, file, test, day, window):
    theirs = case.package(f"EventStudy/{file}")
    agree(by_day(case.result, test, DAYS), theirs[day], TOL)
    agree(cumulated(case.result, test, DAYS), theirs[window], TOL)
    assert by_day(case.result, test, DAYS, "n").tolist() == theirs["n_valid_events"].tolist()
    if test != "sign":
        agree(by_day(case.result, test, DAYS, "p"), theirs["p_raw_aar"], TOL, scale=1.0)
        agree(cumulated(case.result, test, DAYS, "p"), theirs["p_raw_caar"], TOL, scale=1.0)


def test_p_of_the_sign_test_is_exact_where_theirs_is_normal(case):
    theirs = case.package("EventStudy/aar_SignT.csv")
    exact = [stats.binomtest(int(up), N).pvalue for up in theirs["n_pos"]]
    agree(by_day(case.result, "sign", DAYS, "p"), exact, TOL, scale=1.0)
    agree(2 * stats.norm.sf(np.abs(by_day(case.result, "sign", DAYS))), theirs["p_raw_aar"], TOL, scale=1.0)


@pytest.mark.parametrize(
    ("file", "test", "name"),
    [
        ("t_test.csv", "cross_section", "t_test_stat"),
        ("boehmer.csv", "bmp", "bh_stat"),
        ("sign_test.csv", "sign", "sign_stat"),
        ("generalized_sign_test.csv", "generalized_sign", "gsign_stat"),
        ("rank_test.csv", "corrado", "rank_stat"),
        ("modified_rank_test.csv", "corrado", "mrank_stat"),
    ],
)
def test_statistics_of_estudy2(case, file, test, name):
    agree(by_day(case.result, test, DAYS), case.package(f"estudy2/{file}", "rel")[name], TOL)


def test_p_of_the_tests_that_estudy2_only_stars(case):
    for test, file, name in (
        ("generalized_sign", "generalized_sign_test.csv", "gsign_stat"),
        ("corrado", "rank_test.csv", "rank_stat"),
    ):
        z = case.package(f"estudy2/{file}", "rel")[name]
        agree(by_day(case.result, test, DAYS, "p"), 2 * stats.norm.sf(np.abs(z)), TOL, scale=1.0)
    t = case.package("estudy2/boehmer.csv", "rel")["bh_stat"]
    agree(by_day(case.result, "bmp", DAYS, "p"), 2 * stats.t.sf(np.abs(t), N - 1), TOL, scale=1.0)


def test_brown_warner_1980_is_not_ours_and_follows_from_our_sigma(case):
    """It takes the events to be independent: sqrt(sum of variances) / N, with divisor M - 1."""
    theirs = case.package("estudy2/brown_warner_1980.csv", "rel")
    sigma = case.result.events["sigma"].to_numpy() * np.sqrt((M - 2) / (M - 1))
    agree(case.result.daily["aar"] / (np.sqrt((sigma**2).sum()) / N), theirs["bw_1980_stat"], TOL)


def test_brown_warner_1985_on_one_date(cases):
    case = cases["r_c"]
    theirs = case.package("estudy2/brown_warner_1985.csv", "rel")["bw_1985_stat"].to_numpy()
    agree(by_day(case.result, "brown_warner", DAYS), theirs, TOL)
    agree(by_day(case.result, "brown_warner", DAYS, "p"), 2 * stats.t.sf(np.abs(theirs), M - 1), TOL, scale=1.0)
    length = np.arange(1, len(DAYS) + 1)
    agree(cumulated(case.result, "brown_warner", DAYS), np.cumsum(theirs) / np.sqrt(length), TOL)


def test_brown_warner_1985_on_many_dates_is_in_calendar_time(cases):
    """Theirs averages the residuals in event time; ours averages those of one date, as if there were N of them."""
    case = cases["r_a"]
    e = case.residuals()
    aar = case.package("EventStudy/aar_CSectT.csv")["aar"].to_numpy()
    theirs = case.package("estudy2/brown_warner_1985.csv", "rel")["bw_1985_stat"]
    agree(aar / e.mean(axis=0).std(ddof=1), theirs, TOL)
    dates = case.events["row"].to_numpy()[:, None] + np.arange(-260, -10)
    average = np.array([e[dates == date].sum() / np.sqrt((dates == date).sum() * N) for date in np.unique(dates)])
    agree(by_day(case.result, "brown_warner", DAYS), aar / average.std(ddof=1), TOL)
    assert by_day(case.result, "brown_warner", DAYS, "df").tolist() == [len(average) - 1] * len(DAYS)


def test_kolari_pynnonen_on_one_date(cases):
    case = cases["r_c"]
    theirs = case.package("EventStudy/aar_KP.csv")
    agree(by_day(case.result, "kolari_pynnonen", DAYS), theirs["kp_t"], TOL)
    agree(cumulated(case.result, "kolari_pynnonen", DAYS), theirs["ckp_t"], TOL)
    agree(by_day(case.result, "kolari_pynnonen", DAYS, "p"), theirs["p_raw_aar"], TOL, scale=1.0)
    agree(cumulated(case.result, "kolari_pynnonen", DAYS, "p"), theirs["p_raw_caar"], TOL, scale=1.0)


def test_the_mean_correlation_and_adjusted_patell_on_one_date(cases):
    """r is the mean of the off-diagonal correlations of R's residuals, and what KP over Boehmer implies."""
    case = cases["r_c"]
    matrix = np.corrcoef(case.residuals())
    r = (matrix.sum() - N) / (N * (N - 1))
    boehmer = case.package("estudy2/boehmer.csv", "rel")["bh_stat"].to_numpy()
    agree(boehmer * np.sqrt((1 - r) / (1 + (N - 1) * r)), case.package("EventStudy/aar_KP.csv")["kp_t"], TOL)
    theirs = case.package("EventStudy/aar_PatellZ.csv")
    inflation = np.sqrt(1 + (N - 1) * r)
    agree(by_day(case.result, "adjusted_patell", DAYS), theirs["aar_z"] / inflation, TOL)
    agree(cumulated(case.result, "adjusted_patell", DAYS), theirs["caar_z"] / inflation, TOL)


def test_kolari_pynnonen_weights_pairs_by_the_days_they_share(cases):
    """On many dates: rho from the dates that two estimation windows share, by the overlap of the event windows."""
    case = cases["r_a"]
    e = case.residuals()
    z = pd.DataFrame(index=range(len(case.prices)), columns=range(N), dtype=float)
    rows = case.events["row"].to_numpy()
    for i, row in enumerate(rows):
        z.iloc[row - 260 : row - 10, i] = e[i] / np.sqrt((e[i] ** 2).mean())
    for start, end in ((-10, 10), (-10, 0), (0, 0)):
        length, total = end - start + 1, 0.0
        for i in range(N):
            for j in range(N):
                together = max(0, length - abs(int(rows[i]) - int(rows[j])))
                if i != j and together:
                    total += (z[i] * z[j]).mean() * together / length
        r = total / (N * (N - 1))
        assert (r != 0.0) == (start < end)  # no two events are on one date, and some windows overlap
        shrink = np.sqrt((1 - r) / (1 + (N - 1) * r))
        bmp = column(case.result, "bmp", [(start, end)])
        agree(column(case.result, "kolari_pynnonen", [(start, end)]), bmp * shrink, TOL)
        patell = column(case.result, "patell", [(start, end)])
        agree(column(case.result, "adjusted_patell", [(start, end)]), patell / np.sqrt(1 + (N - 1) * r), TOL)
