"""The 54 cumulative abnormal returns that a paper on the takeover of Mannesmann prints, with their t: three models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from tests.oracles.data import Floats, agree_as_printed, events, levels, read

pytestmark = pytest.mark.thorough

M = 252
FIRMS = {"M": ("mannesmann", "dax"), "V": ("vodafone", "footsie")}
MODELS = {"market": "market", "market_adjusted": "market_adjusted", "constant_mean": "mean"}
# The paper prints other t's for 10-13 January 2000 than its CAR / (sigma sqrt 4), and one with its zero elsewhere.
CORRECT_T = {
    ("market", "2000-01-10"): 1.056,
    ("market", "2000-03-27"): 0.057,
    ("market_adjusted", "2000-01-10"): 1.209,
    ("constant_mean", "2000-01-10"): 0.940,
}
# One CAR is rounded the wrong way in the paper: -4.67 for -4.66.
ROUNDED = {("constant_mean", "1999-12-20"): -4.66}


@pytest.fixture(scope="module")
def folder(shared) -> Path:
    found: Path = shared / "data" / "oracles" / "vodafone_mannesmann"
    return found


def windows(folder: Path, firm: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the returns of estimation and event window; Mannesmann's days without a change were left out."""
    names = dict(zip(FIRMS[firm], ("FIRM", "INDEX"), strict=True))
    parts = [
        read(folder, f"{part}{firm}.csv", index_col="dates", parse_dates=True).rename(columns=names)
        for part in ("estimation", "eventwindow")
    ]
    if firm == "M":
        parts[0] = parts[0][parts[0]["FIRM"] != 0]
    return parts[0], parts[1]


def study(folder: Path, firm: str, model: str) -> tuple[pd.DataFrame, es.Result]:
    """Give the rows of the paper for a firm and model, and our result for their windows."""
    before, during = windows(folder, firm)
    assert len(before) == M
    rows = read(folder, "printed.csv")
    rows = rows[(rows["firm"] == firm) & (rows["model"] == model)]
    spans = []
    for text in rows["dates"]:
        at = during.index.get_indexer(pd.to_datetime(text.split(";"))).tolist()
        assert at == list(range(at[0], at[-1] + 1))  # the printed dates are consecutive rows
        assert at[0] >= 0
        spans.append((at[0], at[-1]))
    prices = es.Prices.from_frame(levels(pd.concat([before, during]), "1998-01-01"))
    made = es.Study(
        model=MODELS[model], benchmark="INDEX", estimation=(-M, -1), event=(0, len(during) - 1), windows=spans,
        min_estimation=M, tests="cross_section",
    ).run(events(["FIRM"], [str(during.index[0].date())]), prices)  # fmt: skip
    assert made.events["n_estimation"].tolist() == [M]
    return rows, made


def sigma(result: es.Result, before: pd.DataFrame, model: str) -> float:
    """Give the standard deviation that the paper takes: ours, but about the mean where nothing is estimated."""
    if model == "market_adjusted":
        return float((before["FIRM"] - before["INDEX"]).std(ddof=1))
    return float(result.events["sigma"].iloc[0])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("firm", FIRMS)
def test_every_printed_car_and_t(folder, firm, model):
    rows, result = study(folder, firm, model)
    assert len(rows) == {"M": 8, "V": 10}[firm]
    first = [(model, text[:10]) for text in rows["dates"]]
    flagged = [key in CORRECT_T or key in ROUNDED for key in first] if firm == "V" else [False] * len(first)
    assert flagged == rows["flag"].notna().tolist()
    printed, t_printed = rows["CAR_pct"].tolist(), rows["t"].tolist()
    if firm == "V":
        printed = [ROUNDED.get(key, value) for key, value in zip(first, printed, strict=True)]
        t_printed = [CORRECT_T.get(key, value) for key, value in zip(first, t_printed, strict=True)]
    car: Floats = result.cars["car"].to_numpy(dtype=np.float64)
    agree_as_printed(100 * car, printed, digits=2)
    t = car / (sigma(result, windows(folder, firm)[0], model) * np.sqrt(result.cars["n_days"].to_numpy()))
    agree_as_printed(t, t_printed, digits=3)


@pytest.mark.parametrize(("firm", "alpha", "beta"), [("M", 0.003534, 0.682696), ("V", 0.001748, 1.247092)])
def test_printed_coefficients(folder, firm, alpha, beta):
    _, result = study(folder, firm, "market")
    agree_as_printed(result.events[["alpha", "beta"]], [[alpha, beta]], digits=6)


def test_our_sigma_of_the_market_adjusted_model_is_about_zero(folder):
    _, result = study(folder, "V", "market_adjusted")
    before = windows(folder, "V")[0]
    excess = before["FIRM"] - before["INDEX"]
    assert result.events["sigma"].iloc[0] == pytest.approx(np.sqrt((excess**2).mean()), rel=1e-12)
