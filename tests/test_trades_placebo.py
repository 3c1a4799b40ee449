"""Placebos of trades are the rule on other dates; what a rule without content earns is inside their band."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.analysis.trades import Trades
from eventstudy.analysis.trades_plan import planned, settled
from eventstudy.errors import InputError, NotEnoughData
from tests.traded import CHOICES, all_prices, study, without_day

DATES = pd.bdate_range("2018-01-01", periods=700)
LOOSE = dict(os.environ)  # as it is before the tests' door to the network is closed


def random_study(seed: int, n: int = 14) -> es.Result:
    """Events of random dates and signs on prices that know nothing of them."""
    rng = np.random.default_rng(seed)
    market = 0.01 * rng.standard_normal(len(DATES))
    names = [f"S{k}" for k in range(6)]
    returns = 0.8 * market[:, None] + 0.02 * rng.standard_t(5, (len(DATES), len(names)))
    levels = pd.DataFrame(100 * np.cumprod(1 + np.column_stack([returns, market]), axis=0), DATES, [*names, "M"])
    days = DATES[rng.integers(80, len(DATES) - 20, n)]
    events = pd.DataFrame({"ticker": rng.choice(names, n), "announced": [str(d.date()) for d in days]})
    events["side"] = rng.choice([-1, 1], n)
    return run(events, es.Prices.from_frame(levels))


def run(events: pd.DataFrame, prices: es.Prices) -> es.Result:
    return es.Study(**{**CHOICES, "benchmark": "M"}).run(es.Events.from_frame(events), prices)


@pytest.fixture(scope="module")
def result() -> es.Result:
    return random_study(1)


@pytest.fixture(scope="module")
def trades(result: es.Result) -> Trades:
    return result.trades(hold=4, size="inverse_sigma", cost_bps=15.0)


def test_a_placebo_is_the_rule_on_its_dates(result, trades):
    """The events moved to the dates of a draw, in a study of their own, earn what the draw earns."""
    from eventstudy.core.draws import draw_days

    desk = trades.made.desk
    days = draw_days(desk.sample.panels, desk.sample.placed, desk.sample.sample, 3, 0)[:, desk.placed]
    drawn = trades.placebo(19, seed=0)
    plan = planned(desk, trades.made.rules, trades.made.which, trades.made.direction, days)
    book = settled(desk, plan, trades.rule).book
    for k in range(3):
        dates = [desk.dates[desk.shifts[p][d]] for p, d in zip(desk.lines.panel, days[k], strict=True)]
        frame = desk.events.iloc[desk.rows][["ticker", "side"]].assign(announced=[str(d) for d in dates])
        moved = run(frame.reset_index(), result.rerun.prices)
        again = moved.trades(hold=4, size="inverse_sigma", cost_bps=15.0)
        net = book.gross[k] - book.cost[k] - book.borrow[k]
        np.testing.assert_allclose(again.returns.sum(), net.sum(), rtol=1e-8)
        np.testing.assert_allclose(drawn.placebos.frame["total"][k], again.returns.sum(), rtol=1e-8)
        np.testing.assert_allclose(drawn.placebos.frame["sharpe"][k], again.summary()["value"]["sharpe"], rtol=1e-7)
        np.testing.assert_allclose(
            drawn.placebos.frame["mean_return"][k], again.summary()["value"]["mean_return"], rtol=1e-8
        )


def test_the_rank_counts_draws_at_or_above(trades):
    drawn = trades.placebo(99, seed=4)
    sharpe = drawn.placebos.frame["sharpe"].to_numpy()
    assert drawn.placebos.p == (1 + (sharpe >= drawn.summary()["value"]["sharpe"]).sum()) / 100
    assert drawn.summary()["value"]["placebo_p"] == drawn.placebos.p
    assert (drawn.placebos.band["lower"] <= drawn.placebos.band["upper"]).all()
    assert drawn.placebo(99, seed=4).placebos.frame.equals(drawn.placebos.frame)
    assert f"p {drawn.placebos.p:.3f}" in drawn.answer()
    with pytest.raises(InputError, match="draws is 3"):
        trades.placebo(3)


def test_a_walk_forward_can_have_placebos_and_is_the_chosen_rules_in_parts(trades):
    split = ["2019-06-01", "2020-01-01"]
    walked = trades.walk_forward(split, [{"hold": 2}, {"hold": 9}])
    frame = walked.frame[walked.frame["status"] == "traded"]
    assert set(frame["decided"].dt.tz_localize(None) >= "2019-06-01") == {True}
    for text, own in frame.groupby("rule"):
        hold = int(text.split("held ")[1].split(",")[0])
        alone = random_study(1).trades(hold=hold, size="inverse_sigma", cost_bps=15.0).frame.loc[own.index]
        pd.testing.assert_frame_equal(
            own[["entry_date", "exit_date", "beta"]], alone[["entry_date", "exit_date", "beta"]]
        )
    assert (walked.frame["status"] == "training").sum() > 0
    assert 0 < walked.placebo(19).placebos.p <= 1


@pytest.mark.parametrize(
    ("split", "rules", "said"),
    [
        (["2020-01-01", "2019-01-01"], [{"hold": 1}], "give dates in their order"),
        ("soon", [{"hold": 1}], "split is 'soon'; give dates"),
        (20190601, [{"hold": 1}], "split is 20190601; give dates as text"),
        ("2019-06-01", [], "rules is"),
        ("2019-06-01", {"hold": 1}, "rules is"),
        ("2019-06-01", [3], "a rule is 3"),
        ("2019-06-01", [{"cost_bps": 1}], "an option of a rule that is chosen is 'cost_bps'"),
    ],
)
def test_what_is_no_walk_forward_is_refused(trades, split, rules, said):
    with pytest.raises(InputError, match=said):
        trades.walk_forward(split, rules)


def test_a_first_split_before_any_trade_is_refused(trades):
    with pytest.raises(NotEnoughData, match="no rule earned or lost anything before 2018-01-01"):
        trades.walk_forward("2018-01-01", [{"hold": 1}])


@pytest.mark.slow
def test_a_rule_without_content_is_inside_the_band_of_its_placebos():
    """1,000 random catalogues; the middle 95 % of 199 drawn ratios. Binomial 95 % interval: 936 to 963 inside."""
    inside = 0
    for seed in range(1000):
        drawn = random_study(seed).trades(hold=4).placebo(199)
        rank = int((drawn.placebos.frame["sharpe"] < drawn.summary()["value"]["sharpe"]).sum())
        inside += 5 <= rank < 195
    assert 936 <= inside <= 963, inside


PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pandas as pd
returns = pd.read_csv(sys.argv[1], index_col=0, parse_dates=True)["returns"]
import quantstats, pyfolio
perf = pyfolio.timeseries.perf_stats(returns)
print(json.dumps({
    "quantstats": [float(quantstats.stats.sharpe(returns)), float(quantstats.stats.volatility(returns))],
    "pyfolio": [float(perf["Sharpe ratio"]), float(perf["Annual volatility"])],
}))
"""


@pytest.mark.slow
def test_quantstats_and_pyfolio_read_the_returns(tmp_path):
    """In an environment of their own, from the package index; their Sharpe ratio and volatility are those of summary().

    Wanted from another program, as these two bring some 60 packages that the library does not need.
    """
    rows = [(f"E{k}", "0700.HK", f"2021-0{k}-20T18:00+08:00", (-1) ** k) for k in (5, 6, 7, 8, 9)]
    trades = study(rows).trades(hold=4)
    trades.returns.to_csv(tmp_path / "returns.csv")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True, env=LOOSE)
    [python] = (tmp_path / "venv").glob("*/python") if os.name != "nt" else (tmp_path / "venv").glob("*/python.exe")
    free = {name: value for name, value in LOOSE.items() if name != "PYTHONPATH"}
    install = [str(python), "-m", "pip", "install", "-q", "quantstats==0.0.86", "pyfolio-reloaded==0.10.1"]
    subprocess.run(install, check=True, env=free)
    told = subprocess.run(
        [str(python), "program.py", "returns.csv"],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(tmp_path),
        env=free,
    )
    found, value = json.loads(told.stdout.strip().splitlines()[-1]), trades.summary()["value"]
    for program in ("quantstats", "pyfolio"):
        np.testing.assert_allclose(found[program], [value["sharpe"], value["volatility"]], rtol=1e-9)


def test_the_record_shows_itself():
    trades = study([("A", "0700.HK", "2021-07-20T18:00+08:00", 1), ("B", "BABA", "2021-08-20", -1)]).trades()
    assert max(map(len, repr(trades).splitlines())) <= 100
    assert "Sharpe ratio" in trades._repr_html_()
    assert isinstance(trades, es.types.Analysis)
    ax = trades.placebo(19).plot(title="Mine", figsize=(6, 4))
    assert ax.get_title(loc="left") == "Mine"
    table = study([("A", "0700.HK", "2021-07-20T18:00+08:00", 1)]).table("trades", of=trades)
    assert table.frame["figure"].tolist() == trades.summary().index.tolist()
    with pytest.raises(InputError, match="of is 3"):
        study([("A", "0700.HK", "2021-07-20T18:00+08:00", 1)]).table("trades", of=3)


def test_intraday_bars_are_entered_at_the_next_open():
    starts = pd.date_range("2021-07-20 13:30", periods=7, freq="60min", tz="UTC")
    days = pd.bdate_range("2021-07-01", periods=30)
    index = pd.DatetimeIndex(
        np.concatenate([(starts + (d - days[0].normalize()) - pd.Timedelta(days=19)) for d in days])
    )
    rng = np.random.default_rng(2)
    frames = []
    for ticker in ("BABA", "^GSPC"):
        close = 100 * np.cumprod(1 + 0.003 * rng.standard_normal(len(index)))
        frames.append(pd.DataFrame({"ticker": ticker, "date": index, "open": close * 1.001, "close": close}))
    prices = es.Prices.from_frame(pd.concat(frames))
    events = pd.DataFrame({"ticker": ["BABA"], "announced": [str(index[100] + pd.Timedelta(minutes=20))], "side": [1]})
    result = es.Study(**{**CHOICES, "benchmark": "^GSPC"}).run(es.Events.from_frame(events), prices)
    row = result.trades(hold=2, cost_bps=0.0, borrow_bps=0.0, hedge=False).frame.iloc[0]
    baba = frames[0]
    assert row["entry_time"] == index[101]
    np.testing.assert_allclose(row["return"], baba["close"].iloc[102] / baba["open"].iloc[101] - 1, rtol=1e-10)


@pytest.mark.filterwarnings("ignore::eventstudy.EventStudyWarning")
def test_there_are_no_drawn_dates_where_the_study_measures_nothing() -> None:
    prices = all_prices(**without_day("0700.HK", "2021-07-21"))
    trades = study([("A", "0700.HK", "2021-07-20T18:00+08:00", 1)], prices).trades(delay=1)
    assert trades.frame["status"].tolist() == ["traded"]
    with pytest.raises(NotEnoughData, match="can measure none of its events"):
        trades.placebo(draws=19)
