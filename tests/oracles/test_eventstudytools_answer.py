"""An answer of the service of eventstudytools.com: five German car makers on 2017-07-24, in two groups.

Its inputs were not published, so its abnormal returns go through our tests, and what it says of them is compared. It
prints four digits after the point and computes from such numbers: the bounds below follow from that.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike

from eventstudy.inference import adjusted_patell, cross_section, kolari_pynnonen
from eventstudy.types import Sample, Spec, State, Test
from tests.oracles.data import Floats, agree, read

pytestmark = pytest.mark.thorough

HALF = 0.5e-4
GROUPS = {"VW Group": slice(0, 3), "Other": slice(3, 5)}


@pytest.fixture(scope="module")
def folder(shared) -> Path:
    found: Path = shared / "data" / "oracles" / "eventstudytools" / "api_output_2017"
    return found


def statistic(test: Test, state: State, shared: Mapping[str, object]) -> float:
    """Give a test's statistic for one group and one window from its state and what is shared."""
    spec = Spec((-10, -1), (0, 0), np.array([[0, 0]]))
    sample = Sample(spec, 1, np.zeros(1, dtype=np.int64), np.zeros((1, 11), dtype=np.int64), shared=shared)
    return float(test.finalize(state, sample).statistic[0, 0])


def moments(n: int, name: str, values: ArrayLike) -> dict[str, Floats]:
    total, squares = np.sum(values), np.sum(np.square(values))
    return {key: np.array([[value]]) for key, value in (("n", float(n)), (name, total), (f"{name}2", squares))}


def lines(folder: Path, group: str) -> pd.DataFrame:
    """Give the statistics of a group by day."""
    table = read(folder, "aar_results.csv", sep=";", header=None, skiprows=1, index_col=0)
    start = table.index.tolist().index(group)
    rows = table.iloc[start : start + 14]
    found: pd.DataFrame = rows[~rows.index.str.match(r"N\(|Pos:|Skewness")].apply(pd.to_numeric)
    return found.rename(index=lambda name: " ".join(name.split()))  # one name has a no-break space


@pytest.mark.parametrize("group", GROUPS)
def test_cross_sectional_t_of_days(folder, group):
    ar = read(folder, "ar_results.csv", sep=";").iloc[GROUPS[group], 1:6].to_numpy(dtype=np.float64)
    for t, day in zip(lines(folder, group).loc["Csect T"], ar.T, strict=True):
        ours = statistic(cross_section.TEST, {}, {"moments": moments(len(day), "car", day)})
        agree([ours], [t], HALF / (day.std(ddof=1) / np.sqrt(len(day))) + HALF, scale=1.0)


@pytest.mark.parametrize("group", GROUPS)
def test_cross_sectional_t_of_the_window(folder, group):
    car = read(folder, "car_results.csv", sep=";")["CAR Value"].to_numpy(dtype=np.float64)[GROUPS[group]]
    table = read(folder, "caar_results.csv", sep=";").set_index("Grouping Variable")
    ours = statistic(cross_section.TEST, {}, {"moments": moments(len(car), "car", car)})
    error = HALF / (car.std(ddof=1) / np.sqrt(len(car)))
    agree([ours], [float(table.loc[group, "Csect T"])], error + HALF, scale=1.0)


@pytest.mark.parametrize("group", GROUPS)
def test_the_adjustments_for_common_days(folder, group):
    """One mean correlation explains what the adjustment makes of Patell (no 1 - r on top) and of BMP on every day."""
    table = lines(folder, group)
    n = GROUPS[group].stop - GROUPS[group].start
    largest = table.loc["Patell Z"].abs().idxmax()  # printed to most digits
    plain, adjusted = table.loc[["Patell Z", "Adjusted Patell Z"], largest].to_numpy(dtype=float)
    r = ((plain / adjusted) ** 2 - 1) / (n - 1)
    overlap = {"windows": np.array([[r]])}
    for day in table:  # the four digits give r to 1e-4, and the adjusted statistics to 2e-4 of their size
        patell, bmp = table.loc[["Patell Z", "StdCSect Z"], day].to_numpy(dtype=float)
        state = {"z": np.array([[patell * np.sqrt(n)]]), "n": np.array([[float(n)]])}
        ours = statistic(adjusted_patell.TEST, state, {"overlap": overlap})
        theirs = float(table.loc["Adjusted Patell Z", day])
        agree([ours], [theirs], 2 * HALF + 2e-4 * abs(theirs), scale=1.0)
        spread = np.linspace(-1.0, 1.0, n) / np.linspace(-1.0, 1.0, n).std(ddof=1)  # mean 0 and sd 1
        shared = {"moments": moments(n, "z", bmp / np.sqrt(n) + spread), "overlap": overlap}
        ours = statistic(kolari_pynnonen.TEST, {}, shared)
        theirs = float(table.loc["Adjusted StdCSect Z", day])
        agree([ours], [theirs], 2 * HALF + 2e-4 * abs(theirs), scale=1.0)
