"""Size and power on the securities' own histories."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy import cli

pytestmark = pytest.mark.thorough

SHORT = {"estimation": (-110, -11), "event": (-5, 5), "windows": ((0, 0), (-2, 2)), "min_estimation": 80}


def prices(n: int = 900, n_firms: int = 30, common: float = 0.0, seed: int = 0) -> es.Prices:
    """Firms on a market; ``common`` is the share of a factor that the market model does not know."""
    rng = np.random.default_rng(seed)
    market, factor = rng.normal(0, 0.01, n), rng.normal(0, 0.02, n)
    own = rng.normal(0, 0.02, (n, n_firms))
    r = market[:, None] + np.sqrt(common) * factor[:, None] + np.sqrt(1 - common) * own
    frame = pd.DataFrame(100 * np.cumprod(1 + r, axis=0), columns=[f"F{k}" for k in range(n_firms)])
    frame["M"] = 100 * np.cumprod(1 + market)
    frame.index = pd.bdate_range("2018-01-01", periods=n)
    return es.Prices.from_frame(frame)


def result(tests: object = ("bmp", "kolari_pynnonen"), common: float = 0.0, one_date: bool = False) -> es.Result:
    data = prices(common=common)
    dates = data.bars["M"].dates
    days = [str(dates[500 if one_date else 200 + 21 * k]) for k in range(30)]
    events = es.Events.from_frame(pd.DataFrame({"ticker": [f"F{k}" for k in range(30)], "announced": days}))
    return es.Study(benchmark="M", tests=tests, **SHORT).run(events, data)


def rates(found: object, test: str, start: int = 0) -> dict[float, float]:
    frame = found.frame  # type: ignore[attr-defined]
    rows = frame[(frame["test"] == test) & (frame["start"] == start)]
    return dict(zip(rows["shock"], rows["rejection"], strict=True))


def test_size_holds_and_power_is_that_of_the_normal():
    found = result().calibrate(400, (0.0, 0.006, 0.02), seed=1)
    for test in ("bmp", "kolari_pynnonen"):
        size, power, full = rates(found, test).values()
        assert 0.02 < size < 0.09  # 400 draws at 5 %: three standard errors
        # Mean shift 0.006 with sd 0.02 / sqrt(30): a two-sided t(29) test of size 5 % rejects 36 %.
        assert 0.27 < power < 0.47
        assert full > 0.99
    np.testing.assert_array_equal(found.frame["n_draws"], 400)
    assert (found.frame["lower"] <= found.frame["rejection"]).all()
    assert (found.frame["rejection"] <= found.frame["upper"]).all()


def test_on_one_date_the_unadjusted_test_is_shown_to_fail():
    found = result(common=0.3, one_date=True).calibrate(300, seed=2)
    assert rates(found, "bmp")[0.0] > 0.3
    assert 0.01 < rates(found, "kolari_pynnonen")[0.0] < 0.1


def test_the_interval_is_clopper_and_pearsons():
    from scipy.stats import binomtest

    row = result().calibrate(100, seed=3).frame.iloc[0]
    exact = binomtest(round(row["rejection"] * 100), 100).proportion_ci(method="exact")
    assert (row["lower"], row["upper"]) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_the_placebo_finds_what_is_planted_and_nothing_else():
    data = prices()
    dates = data.bars["M"].dates
    frame = pd.DataFrame({t: b.fields["close"] for t, b in data.bars.items()}, index=pd.DatetimeIndex(dates))
    days = [200 + 21 * k for k in range(30)]
    events = es.Events.from_frame(
        pd.DataFrame({"ticker": [f"F{k}" for k in range(30)], "announced": [str(dates[d]) for d in days]})
    )
    study = es.Study(benchmark="M", tests=(es.test("placebo", draws=199),), **SHORT)
    calm = study.run(events, data).tests
    for k, d in enumerate(days):
        frame.iloc[d:, k] *= 0.97
    hit = study.run(events, es.Prices.from_frame(frame)).tests
    assert (calm["p"] > 0.01).all()
    assert hit["p"].iloc[0] == pytest.approx(1 / 200)
    assert hit["statistic"].iloc[0] < -3
    assert "199 samples" in hit["note"].iloc[0]


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"draws": 5}, "draws is 5"),
        ({"shocks": ()}, "shocks is"),
        ({"shocks": (float("nan"),)}, "shocks is"),
        ({"level": 1.0}, "level is 1.0"),
    ],
)
def test_bad_choices(choice: dict[str, object], words: str):
    with pytest.raises(es.InputError, match=words):
        result().calibrate(**choice)


def test_a_test_that_draws_cannot_be_calibrated_by_drawing():
    with pytest.raises(es.InputError, match="placebo"):
        result(tests=(es.test("placebo", draws=99), "bmp")).calibrate(50)


def test_options_of_tests():
    with pytest.raises(es.InputError, match="'lots'; valid are 'draws'"):
        es.test("placebo", lots=3)
    with pytest.raises(es.InputError, match="99 or more"):
        es.test("placebo", draws=10)
    with pytest.raises(es.InputError, match="has no options"):
        es.test("bmp", draws=10)


def test_the_power_curve_is_drawn():
    calibration = result().calibrate(50, (0.0, 0.01))
    axes = calibration.plot(level=0.9)
    assert len(axes.lines) >= 3
    drawn = np.array([[a.get_datalim(axes.transData).y0, a.get_datalim(axes.transData).y1] for a in axes.collections])
    first = calibration.frame[calibration.frame["end"] == calibration.frame["end"].iloc[0]]
    for (_, rows), ends in zip(first.groupby("test", sort=False), drawn, strict=True):
        exact = [
            stats.binomtest(round(row["rejection"] * row["n_draws"]), int(row["n_draws"])).proportion_ci(0.9)
            for _, row in rows.iterrows()
        ]
        np.testing.assert_allclose(ends, (min(ci.low for ci in exact), max(ci.high for ci in exact)), rtol=1e-9)
    assert "shaded: 90 % intervals; dashed: 5%" in " ".join(axes.texts[0].get_text().split())
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"bmp", "kolari_pynnonen"}


def test_groups_are_tested_one_by_one():
    data = prices()
    dates = data.bars["M"].dates
    days = [str(dates[200 + 21 * k]) for k in range(30)]
    frame = pd.DataFrame({"ticker": [f"F{k}" for k in range(30)], "announced": days, "half": ["a", "b"] * 15})
    both = es.Study(benchmark="M", tests=("bmp",), group="half", **SHORT).run(es.Events.from_frame(frame), data)
    alone = es.Study(benchmark="M", tests=("bmp",), **SHORT).run(es.Events.from_frame(frame[::2]), data)
    assert both.tests["group"].unique().tolist() == ["all", "a", "b"]
    ours = both.tests[both.tests["group"] == "a"]
    np.testing.assert_allclose(ours["statistic"], alone.tests["statistic"], rtol=1e-12)
    np.testing.assert_allclose(ours["effect"], alone.tests["effect"], rtol=1e-12)
    with pytest.raises(es.InputError, match="group is 'third'"):
        es.Study(benchmark="M", group="third", **SHORT).run(es.Events.from_frame(frame), data)


def test_weights_are_numbers_above_0():
    data = prices()
    frame = pd.DataFrame({"ticker": ["F0"], "announced": ["2019-06-03"], "cap": [0.0]})
    with pytest.raises(es.InputError, match="a weight is a number above 0"):
        es.Study(benchmark="M", weight="cap", **SHORT).run(es.Events.from_frame(frame), data)


def test_the_command(tmp_path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "events.csv").write_text("event_id,ticker,announced\nA,9988.HK,2021-09-13\nB,0700.HK,2021-06-01\n")
    (tmp_path / "s.toml").write_text(
        '[study]\nevents = "events.csv"\nbenchmark = "^HSI"\nestimation = [-120, -11]\nevent = [-2, 2]\n'
        'windows = [[0, 0]]\nmin_estimation = 60\n[prices]\nsource = "simulated"\nstart = "2020-01-01"\n'
    )
    png = tmp_path / "power.png"
    command = ["calibrate", str(tmp_path / "s.toml"), "--draws", "40", "--shocks", "0", "0.05", "--plot", str(png)]
    assert cli.main(command) == 0
    out = capsys.readouterr().out
    assert "simulated prices" in out
    assert "[0.025" in out
    assert max(map(len, out.splitlines()[:-1])) <= 100
    assert png.stat().st_size > 5000
