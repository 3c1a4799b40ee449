"""The example of eventstudytools.com: 16 additions to the S&P 500, with real prices."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

import eventstudy as es
from tests.oracles.data import agree, by_day, cumulated, days_and_sums, events, per_event, read

pytestmark = pytest.mark.thorough

TOL = 1e-12
N, M = 16, 120
DAYS = range(-2, 3)
RETURNS = ("simple", "log")


class Given(NamedTuple):
    """Prices by permanent number (a firm's name is no ticker), and the events."""

    prices: pd.DataFrame
    events: es.Events


def long(folder: Path, name: str) -> pd.DataFrame:
    frame = read(folder, name, sep=";", header=None, names=["name", "date", "price"])
    return frame.assign(date=pd.to_datetime(frame["date"], format="%d.%m.%Y"))


@pytest.fixture(scope="module")
def folder(shared) -> Path:
    found: Path = shared / "data" / "oracles" / "eventstudytools" / "sp500_example"
    return found


@pytest.fixture(scope="module")
def given(folder) -> Given:
    request = read(folder, "01_RequestFile.csv", sep=";", header=None)
    names = {firm: f"P{number}" for number, firm in zip(request[0], request[1], strict=True)}
    firms = long(folder, "02_FirmData.csv").pivot(index="date", columns="name", values="price").rename(columns=names)
    index = long(folder, "03_MarketData.csv").set_index("date")["price"].rename("SP500")
    dates = pd.to_datetime(request[3], format="%d.%m.%Y").dt.strftime("%Y-%m-%d")
    return Given(firms.join(index, how="outer"), events(request[1].map(names), dates))


@pytest.fixture(scope="module")
def results(given) -> dict[str, es.Result]:
    prices = es.Prices.from_frame(given.prices.where(given.prices > 0))
    return {
        returns: es.Study(
            benchmark="SP500", returns=returns, estimation=(-130, -11), event=(-2, 2), min_estimation=M, tests="all",
            windows=days_and_sums(-2, 2),
        ).run(given.events, prices)
        for returns in RETURNS
    }  # fmt: skip


def test_negative_prices_are_refused_as_they_come(given):
    """CRSP marks an average of bid and ask by a minus sign; no return can be taken from it unawares."""
    with pytest.warns(es.EventStudyWarning, match=r"P75573 .* -16\.75 on 1997-03-10 \(2 such in all\)"):
        prices = es.Prices.from_frame(given.prices)
    assert "P75573" not in prices.bars


def test_a_negative_price_made_missing_costs_two_returns(given):
    marked = given.prices["P75573"]
    assert int((marked < 0).sum()) == 2
    clean = es.Prices.from_frame(given.prices.where(given.prices > 0))
    study = es.Study(benchmark="SP500", estimation=(-130, -11), event=(-2, 2), windows=((0, 0),), min_estimation=100)
    after = str(marked.index[marked < 0][0] + pd.Timedelta(days=120))[:10]
    result = study.run(events(["P75573"], [after]), clean)
    session = marked.index.get_loc(result.events["session"].iloc[0])
    window = marked.iloc[session - 131 : session - 10]  # one more than the returns
    inside = int((window < 0).sum())
    missing_at_the_start = int(window.isna().sum())
    assert inside == 2
    assert result.events["n_estimation"].tolist() == [M - 2 * inside - missing_at_the_start]


@pytest.mark.parametrize("returns", RETURNS)
def test_coefficients_and_abnormal_returns(folder, results, returns):
    theirs = read(folder, f"computed_market_model_{returns}.csv")
    ours = results[returns]
    assert ours.attrition.to_numpy().tolist() == [["ok", N]]
    assert ours.events["ticker"].tolist() == [f"P{number}" for number in theirs["id"]]
    assert ours.events["n_estimation"].tolist() == theirs["n"].tolist()
    for name in ("alpha", "beta", "sigma"):
        agree(ours.events[name], theirs[name], TOL)
    agree(ours.ar, theirs[[f"AR{day}" for day in DAYS]], TOL)
    cars = ours.cars.set_index(["start", "end"])["car"]
    agree(cars.loc[[(-2, 2)]], theirs["CAR"], TOL)


@pytest.mark.parametrize(
    ("test", "name"),
    [("cross_section", "csect_t"), ("patell", "patell_z"), ("bmp", "bmp_t"), ("generalized_sign", "gsign_z")],
)
def test_statistics_computed_independently(folder, results, test, name):
    theirs = read(folder, "computed_tests_simple.csv").set_index("day").loc[list(DAYS)]
    agree(by_day(results["simple"], test, DAYS), theirs[name], TOL)
    agree(results["simple"].daily["aar"], theirs["AAR"], TOL)


@pytest.mark.parametrize(
    ("file", "test", "day", "window"),
    [
        ("CSectT", "cross_section", "aar_t", "caar_t"),
        ("PatellZ", "patell", "aar_z", "caar_z"),
        ("SignT", "sign", "sign_z", "csign_z"),
    ],
)
def test_statistics_of_the_r_package(folder, results, file, test, day, window):
    theirs = read(folder, f"sipemu_simple_{file}.csv").set_index("relative_index").loc[list(DAYS)]
    agree(by_day(results["simple"], test, DAYS), theirs[day], TOL)
    agree(cumulated(results["simple"], test, DAYS), theirs[window], TOL)
    agree(results["simple"].daily["caar"], theirs["caar"], TOL)


def test_the_generalized_sign_of_the_r_package_has_the_share_of_single_days_in_windows_too(folder, results):
    """Ours has that of sums of as many days, so that one day is equal, and in windows the count of positive CARs."""
    result = results["simple"]
    theirs = read(folder, "sipemu_simple_GSignT.csv").set_index("relative_index").loc[list(DAYS)]
    agree(by_day(result, "generalized_sign", DAYS), theirs["gsign_z"], TOL)
    up = np.array([(per_event(result, "car", [(DAYS[0], d)]) > 0).sum() for d in DAYS])
    n = len(per_event(result, "car", [(0, 0)]))
    day, one = by_day(result, "generalized_sign", DAYS[:1])[0], up[0]
    share = brentq(lambda p: (one - n * p) / np.sqrt(n * p * (1 - p)) - day, 0.01, 0.99)
    agree((up - n * share) / np.sqrt(n * share * (1 - share)), theirs["cgsign_z"], TOL)
    ours = cumulated(result, "generalized_sign", DAYS)
    assert np.isfinite(ours).all()
    assert (np.abs(ours - theirs["cgsign_z"])[1:] > 1e-3).any()


def test_bmp_of_the_r_package_lacks_the_forecast_error(folder, results):
    """Theirs is the t of AR / sigma; with the forecast error it is ours (above), smaller on the day of the jump."""
    theirs = read(folder, "sipemu_simple_BMP.csv").set_index("relative_index").loc[list(DAYS)]
    ours = results["simple"]
    plain = ours.ar.to_numpy() / ours.events["sigma"].to_numpy()[:, None]
    agree(plain.mean(axis=0) / plain.std(axis=0, ddof=1) * np.sqrt(N), theirs["bmp_t"], TOL)
    assert by_day(ours, "bmp", [1])[0] < theirs["bmp_t"].loc[1]
