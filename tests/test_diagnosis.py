"""Each problem is planted in a clean sample, and its check alone fires; each figure is held to a plain computation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy import _registry
from eventstudy.analysis.advice import ADVICE, advice
from eventstudy.analysis.diagnosis import run_again, text
from eventstudy.reports import _html_words
from eventstudy.types import Failing

SHORT: dict[str, Any] = {
    "benchmark": "M", "estimation": (-125, -6), "event": (-5, 5), "windows": ((0, 0), (-1, 1)), "min_estimation": 100,
    "tests": ("cross_section",),
}  # fmt: skip
CHECKS = ["clustering", "correlation", *ADVICE]
N, T = 24, 460
FIRST = 140  # session of the first event; each further one is 12 later


@dataclass
class Clean:
    """Normal, independent residuals; one event a ticker, and no two event windows share a day."""

    n: int = N
    seed: int = 0
    day: list[int] = field(default_factory=list)
    more: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.dates = pd.bdate_range("2019-01-01", periods=T)
        self.market = 0.01 * rng.standard_normal(T)
        self.e = 0.02 * rng.standard_normal((T, self.n))
        self.beta = rng.uniform(0.5, 1.5, self.n)
        self.day = self.day or [FIRST + 12 * i for i in range(self.n)]

    @property
    def tickers(self) -> list[str]:
        return [f"S{i}" for i in range(self.n)]

    def closes(self) -> pd.DataFrame:
        r = np.column_stack([self.beta * self.market[:, None] + self.e, self.market])
        r[0] = 0.0
        return pd.DataFrame(100 * np.cumprod(1 + r, axis=0), index=self.dates, columns=[*self.tickers, "M"])

    def events(self, **columns: Any) -> es.Events:
        rows = [*zip(self.tickers, self.day, strict=True), *self.more]
        frame = pd.DataFrame(
            {"ticker": [t for t, _ in rows], "announced": [str(self.dates[d].date()) for _, d in rows]}
        )
        return es.Events.from_frame(frame.assign(**columns))

    def run(
        self, closes: pd.DataFrame | None = None, columns: Any = None, exchange: Any = None, **choices: Any
    ) -> es.Result:
        prices = es.Prices.from_frame(self.closes() if closes is None else closes, exchange)
        return es.Study(**{**SHORT, **choices}).run(self.events(**(columns or {})), prices)


def fired(frame: pd.DataFrame) -> set[str]:
    return set(frame.loc[frame["breaks"] != "", "check"])


def row(frame: pd.DataFrame, check: str) -> dict[str, Any]:
    [found] = frame[frame["check"] == check].to_dict("records")
    return {str(name): value for name, value in found.items()}


def residuals(closes: pd.DataFrame, ticker: str, day: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Market model of one event by least squares: estimation residuals and plain returns, and SCAR of day 0."""
    r = closes[ticker].pct_change(fill_method=None).to_numpy()
    m = closes["M"].pct_change(fill_method=None).to_numpy()
    at = np.arange(day - 125, day - 5)
    at = at[np.isfinite(r[at])]
    x = np.column_stack([np.ones(len(at)), m[at]])
    b = np.linalg.lstsq(x, r[at], rcond=None)[0]
    e = r[at] - x @ b
    sigma = np.sqrt((e**2).sum() / (len(at) - 2))
    new = np.array([1.0, m[day]])
    se = sigma * np.sqrt(1 + new @ np.linalg.inv(x.T @ x) @ new)
    return e, r[at], float((r[day] - new @ b) / se)


def variances_before(clean: Clean, closes: pd.DataFrame, length: int = 1) -> np.ndarray:
    """Variance across events of the standardised sums of each run of estimation days, by projection matrices."""
    z = []
    for ticker, day in zip(clean.tickers, clean.day, strict=True):
        e, _, _ = residuals(closes, ticker, day)
        m = closes["M"].pct_change(fill_method=None).to_numpy()[day - 125 : day - 5]
        x = np.column_stack([np.ones(120), m])
        maker = np.eye(120) - x @ np.linalg.inv(x.T @ x) @ x.T
        runs = np.array([np.eye(120)[at : at + length].sum(axis=0) for at in range(121 - length)])
        sigma = np.sqrt((e**2).sum() / 118)
        z.append(runs @ e / (sigma * np.sqrt(np.diag(runs @ maker @ runs.T))))
    return np.asarray(np.var(z, axis=0, ddof=1))


# A clean sample, and its figures.


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_wrong_with_a_clean_sample(seed: int):
    frame = Clean(seed=seed).run().diagnose()
    assert frame.columns.tolist() == ["check", "figure", "value", "breaks", "survives", "remedy"]
    assert frame["check"].tolist() == CHECKS
    assert fired(frame) == set()
    assert (frame[["survives", "remedy"]] == "").all(axis=None)
    assert (frame["value"] != "").all()
    unknown = {"cross-zone benchmark", "treated benchmark", "expected signs", "unlinked news", "agreement of tests"}
    assert set(frame.loc[frame["figure"].isna(), "check"]) == unknown


@pytest.mark.thorough
def test_figures_of_residuals_are_those_of_a_plain_loop():
    clean = Clean(seed=1)
    closes = clean.closes()
    frame = clean.run(closes).diagnose()
    fits = [residuals(closes, t, d) for t, d in zip(clean.tickers, clean.day, strict=True)]
    scar = np.array([z for _, _, z in fits]) * np.sqrt(116 / 118)
    assert row(frame, "event-induced variance")["figure"] == pytest.approx(scar.var(ddof=1), rel=1e-9)
    before = variances_before(clean, closes)
    p = (1 + (before >= scar.var(ddof=1)).sum()) / (1 + len(before))
    its = row(frame, "event-induced variance")["value"]
    assert its.endswith(f"{np.median(before):.2f} is usual before the events (p {p:.3f})")
    rejected = [stats.jarque_bera(e).pvalue < 0.05 for e, _, _ in fits]
    assert row(frame, "normality")["figure"] == pytest.approx(np.mean(rejected))
    assert f"{sum(rejected)} of 24 events" in row(frame, "normality")["value"]
    rho = np.array([(e[1:] * e[:-1]).sum() / np.sqrt((e[1:] ** 2).sum() * (e[:-1] ** 2).sum()) for e, _, _ in fits])
    assert row(frame, "autocorrelation")["figure"] == pytest.approx(rho.mean(), rel=1e-9)
    beyond = (np.abs(rho) > 2 / np.sqrt(120)).mean()
    assert f"{beyond:.0%} of the events" in row(frame, "autocorrelation")["value"]


def test_autocorrelation_pairs_days_that_follow_each_other():
    clean = Clean(seed=2)
    closes = clean.closes()
    closes.loc[closes.index[20 : clean.day[0] - 5 : 7], "S0"] = np.nan
    _, kept, _ = residuals(closes, "S0", clean.day[0])
    assert len(kept) < 100
    frame = clean.run(closes, min_estimation=50).diagnose()
    rho = []
    for ticker, day in zip(clean.tickers, clean.day, strict=True):
        e, _, _ = residuals(closes, ticker, day)
        series = pd.Series(np.nan, index=range(day - 125, day - 5))
        series[closes[ticker].pct_change(fill_method=None).iloc[day - 125 : day - 5].notna().to_numpy()] = e
        both = pd.concat([series, series.shift()], axis=1).dropna().to_numpy()
        rho.append((both[:, 0] * both[:, 1]).sum() / np.sqrt((both**2).sum(axis=0).prod()))
    assert row(frame, "autocorrelation")["figure"] == pytest.approx(np.mean(rho), rel=1e-9)


# One problem at a time.


def test_clustering():
    clean = Clean(day=[FIRST + 24 * (i // 2) for i in range(N)])
    frame = clean.run().diagnose()
    assert fired(frame) == {"clustering"}
    its = row(frame, "clustering")
    assert its["figure"] == pytest.approx(12 / (24 * 23 / 2))
    assert its["value"].startswith("24 events on 12 dates; 4.3% of the pairs")
    survivors = set(its["survives"].split(", "))
    assert survivors == {
        n for n in _registry.names("inference") if _registry.load("inference", n).survives == "overlap"
    }
    assert all(name in its["breaks"] for name in set(_registry.names("inference")) - survivors)


def test_correlation():
    clean = Clean(day=[FIRST + 24 * (i // 2) for i in range(N)])
    clean.e += 0.03 * np.random.default_rng(9).standard_normal((T, 1))  # common to all, beside the market
    closes = clean.closes()
    frame = clean.run(closes).diagnose()
    assert fired(frame) == {"clustering", "correlation"}
    total = 0.0
    for i in range(0, N, 2):  # the pairs of one date; all others share no day of their windows
        (a, _, _), (b, _, _) = (residuals(closes, f"S{k}", clean.day[k]) for k in (i, i + 1))
        total += 2 * (a * b).mean() / np.sqrt((a**2).mean() * (b**2).mean())
    r = total / (N * (N - 1))
    its = row(frame, "correlation")
    assert its["figure"] == pytest.approx(r, rel=1e-9)
    assert f"is {1 + 23 * r:.2f} times" in its["value"]


def test_that_one_date_cannot_tell_a_shock_from_an_effect_stands_where_the_primary_p_is_read():
    result = Clean(n=12, day=[FIRST] * 12).run(tests="default")
    says = "ll 12 events share one date, and one date cannot tell a common shock from an effect"
    assert f"\n  a{says}" in repr(result)
    [effects] = [grid for grid in result.summary().tables if "Primary test" in grid.columns]
    assert effects.title == f"A{says}"
    assert f"a{says}" in _html_words.answer(result)[1]
    for others in (Clean(n=1), Clean(n=12)):
        assert "shock" not in repr(others.run())


def test_one_date_names_the_tests_that_hold_there():
    frame = Clean(day=[200] * N).run().diagnose()
    assert fired(frame) == {"clustering", "small sample"}
    assert {"grank_t", "kolari_pynnonen"} <= set(row(frame, "clustering")["survives"].split(", "))
    assert row(frame, "clustering")["figure"] == 1.0
    assert row(frame, "small sample")["figure"] == 1.0


@pytest.mark.thorough
def test_contaminated_estimation_windows():
    clean = Clean()
    clean.more = [("S0", clean.day[0] + 12 * N), ("S1", clean.day[1] - 6), ("S2", clean.day[2] - 125), ("S3", 10)]
    lost = ["M"] * N + ["M"] + ["NOPE"] * 3  # those have a session, though they cannot be used
    frame = clean.run(benchmark="index", columns={"index": lost}).diagnose()
    assert fired(frame) == {"contaminated estimation"}
    its = row(frame, "contaminated estimation")
    # S1 and S2 have another event on the last and on the first day of the window; those of S0 and S3 lie outside.
    assert its["figure"] == 2
    assert its["value"] == "2 of 25 events have another event of the same ticker in their estimation window"
    clean.more = [("S0", clean.day[0] + 60)]
    both = clean.run().diagnose()
    assert row(both, "contaminated estimation")["figure"] == 1  # the later of the two alone


def test_confounding_events_and_duplicates():
    clean = Clean()
    clean.more = [("S0", clean.day[0] + 5), ("S1", clean.day[1] - 5), ("S2", clean.day[2] + 6), ("S3", clean.day[3])]
    lost = ["M"] * N + ["NOPE"] * 3 + ["M"]
    result = clean.run(benchmark="index", columns={"index": lost})
    assert result.events["status"].iloc[-1] == "duplicate"
    frame = result.diagnose()
    assert fired(frame) == {"confounding events"}
    assert row(frame, "confounding events")["figure"] == 2
    assert row(frame, "confounding events")["survives"] == "none"


@pytest.mark.thorough
def test_windows_without_day_0_do_not_count_the_event_itself():
    clean = Clean()
    frame = clean.run(event=(1, 5), windows=((1, 1),)).diagnose()
    assert row(frame, "confounding events")["figure"] == 0
    frame = clean.run(estimation=(-125, 2), event=(3, 8), windows=((3, 3),)).diagnose()
    assert row(frame, "contaminated estimation")["figure"] == 0


def test_event_induced_variance():
    clean = Clean()
    clean.e[clean.day, range(N)] += 0.05 * np.random.default_rng(7).standard_normal(N)
    closes = clean.closes()
    frame = clean.run(closes).diagnose()
    assert fired(frame) == {"event-induced variance"}
    scar = np.array([residuals(closes, t, d)[2] for t, d in zip(clean.tickers, clean.day, strict=True)])
    its = row(frame, "event-induced variance")
    assert its["figure"] == pytest.approx(scar.var(ddof=1) * 116 / 118, rel=1e-9)
    assert its["value"].endswith("(p 0.008)")  # the largest of 121


def test_normality():
    clean = Clean()
    for i, day in enumerate(clean.day):
        clean.e[day - 125 : day - 10 : 20, i] *= 6
    closes = clean.closes()
    frame = clean.run(closes).diagnose()
    assert fired(frame) == {"normality"}
    rejected = [
        stats.jarque_bera(residuals(closes, t, d)[0]).pvalue < 0.05
        for t, d in zip(clean.tickers, clean.day, strict=True)
    ]
    assert row(frame, "normality")["figure"] == pytest.approx(np.mean(rejected))
    assert "p_sq" in row(frame, "normality")["survives"]


def test_autocorrelation():
    clean = Clean()
    for t in range(1, T):
        clean.e[t] += 0.4 * clean.e[t - 1]
    frame = clean.run(windows=((0, 0),)).diagnose()
    assert fired(frame) == {"autocorrelation"}
    assert row(frame, "autocorrelation")["figure"] == pytest.approx(0.4, abs=0.05)


def test_thin_trading():
    clean = Clean()
    closes = clean.closes()
    some = np.random.default_rng(4).random(T) < 0.3
    closes["S5"] = closes["S5"].where(~some).ffill()
    frame = clean.run(closes).diagnose()
    assert fired(frame) == {"thin trading"}
    _, r, _ = residuals(closes, "S5", clean.day[5])
    assert (r == 0).mean() > 0.2
    its = row(frame, "thin trading")
    assert its["figure"] == pytest.approx((r == 0).sum() / (N * 120))
    assert its["value"].endswith("1 event above 20%")


@pytest.mark.thorough
def test_missing_returns():
    clean = Clean()
    closes = clean.closes()
    closes.iloc[clean.day[3] + 4, 3] = np.nan  # no return on days 4 and 5
    closes.iloc[clean.day[4] - 50, 4] = np.nan
    frame = clean.run(closes).diagnose()
    assert fired(frame) == {"missing returns"}
    its = row(frame, "missing returns")
    assert its["figure"] == pytest.approx(4 / (N * 131))
    assert "1 event with such a day in the event window" in its["value"]
    closes.iloc[clean.day[3] + 4, 3] = 100.0
    assert fired(clean.run(closes).diagnose()) == set()  # two days of the estimation windows are nothing


@pytest.mark.thorough
def test_a_benchmark_of_another_zone():
    clean = Clean()
    prices = clean.closes()
    york, kong = ("XNYS", "XHKG")
    mics = {**dict.fromkeys(clean.tickers, york), "M": york}
    same = clean.run(prices.loc[_sessions(prices, york)], exchange=mics).diagnose()
    assert row(same, "cross-zone benchmark")["figure"] == 0
    assert fired(same) == set()
    with pytest.warns(es.EventStudyWarning, match="another time zone"):
        other = clean.run(_on(prices, york, kong), exchange={**mics, "M": kong})
    frame = other.diagnose()
    assert fired(frame) == {"cross-zone benchmark"}
    assert row(frame, "cross-zone benchmark")["figure"] == (other.events["status"] == "ok").sum() == N
    led = clean.run(_on(prices, york, kong), exchange={**mics, "M": kong}, model=es.model("dimson", leads=1, lags=1))
    its = row(led.diagnose(), "cross-zone benchmark")
    assert (its["figure"], its["breaks"]) == (N, "")
    assert its["value"].endswith("the model has a lead of it")


def _sessions(prices: pd.DataFrame, mic: str) -> np.ndarray:
    from eventstudy import markets

    return np.isin(prices.index.to_numpy().astype("datetime64[D]"), markets.sessions(mic)[0])


def _on(prices: pd.DataFrame, own: str, other: str) -> pd.DataFrame:
    """Leave the securities the sessions of one exchange, and the benchmark those of the other."""
    made = prices.copy()
    made.loc[~_sessions(prices, own), prices.columns != "M"] = np.nan
    made.loc[~_sessions(prices, other), "M"] = np.nan
    return made


@pytest.mark.thorough
def test_a_benchmark_that_holds_the_treated():
    result = Clean().run()
    its = row(result.diagnose(), "treated benchmark")
    assert np.isnan(its["figure"])
    assert "constituents=" in its["value"]
    for constituents in (["S3", "S7", "X"], {"M": ("X", "S7", "S3"), "Q": ["S1"]}):
        frame = result.diagnose(constituents)
        assert fired(frame) == {"treated benchmark"}
        its = row(frame, "treated benchmark")
        assert its["figure"] == 2
        assert its["value"] == "2 of 24 treated firms in their own benchmark: S3, S7"
    assert row(result.diagnose(["X"]), "treated benchmark")["figure"] == 0
    unknown = row(result.diagnose({"Q": ["S1"]}), "treated benchmark")
    assert np.isnan(unknown["figure"])
    assert unknown["value"] == "constituents does not have M"
    wrong: Any
    for wrong in ("S3", {"M": "S3"}, 5):
        with pytest.raises(es.InputError, match=r"constituents is .*; give tickers, or a mapping"):
            result.diagnose(wrong)


@pytest.mark.parametrize(("n", "wrong"), [(9, True), (10, False)])
def test_small_sample(n: int, wrong: bool):
    frame = Clean(n=n).run().diagnose()
    assert fired(frame) == ({"small sample"} if wrong else set())
    assert row(frame, "small sample")["figure"] == n


def test_a_model_without_a_benchmark():
    frame = Clean().run(model="mean").diagnose(["S1"])
    for check in ("cross-zone benchmark", "treated benchmark"):
        assert np.isnan(row(frame, check)["figure"])
        assert row(frame, check)["value"] == "the model has no benchmark"


# Too little.


def test_one_event_has_no_pairs_and_no_variance():
    frame = Clean(n=1).run().diagnose()
    missing = set(frame.loc[frame["figure"].isna(), "check"])
    assert {"clustering", "correlation", "event-induced variance"} <= missing
    assert "small sample" in fired(frame)
    assert frame["value"].str.len().gt(5).all()
    assert not np.isinf(frame["figure"]).any()


def test_no_usable_event_gives_nothing_with_the_reason():
    clean = Clean(n=1, day=[20])  # too near to the first price
    clean.more = [("NOPE", 200)]
    result = clean.run()
    assert result.events["status"].tolist() == ["too_few_estimation", "unknown_ticker"]
    frame = result.diagnose(["S0"])
    assert frame["check"].tolist() == CHECKS
    assert frame["figure"].isna().all()
    assert (frame["value"] == "no event could be used").all()
    assert fired(frame) == set()
    lost = Clean(n=1).run(columns={"index": ["NOPE"]}, benchmark="index")
    assert (lost.diagnose()["value"] == "no event could be used").all()


def test_groups_of_panels_and_padded_calendars():
    clean = Clean(day=[110 + 12 * i for i in range(N)])
    clean.more = [("S0", 3), ("S1", 300)]
    frame = clean.run(
        benchmark="index", columns={"index": ["M", "S23"] * 12 + ["NOPE", "M"]}, min_estimation=80
    ).diagnose()
    assert row(frame, "contaminated estimation")["figure"] == 1  # S0's window begins before the first price
    assert (
        row(frame, "small sample")["value"] == "24 events on 24 dates, in 22 clusters of overlapping event windows"
    )  # S23 is its own benchmark, and S1 has two


@pytest.mark.parametrize(("last", "wrong"), [(24, False), (25, True)])
def test_a_window_of_more_than_a_quarter_of_the_estimation_window_is_long(last: int, wrong: bool):
    """With 100 days a variance summed from single days lacks 25 %, and a test at 5 % rejects 8 %."""
    made = Clean(n=12, day=[FIRST + 26 * i for i in range(12)])
    frame = made.run(estimation=(-105, -6), windows=((0, 0), (0, last)), event=(-5, 30)).diagnose()
    its = row(frame, "long window")
    assert its["figure"] == (last + 1) / 100
    assert its["value"] == f"{last + 1} days in the longest window, 100 in the estimation window"
    assert ("patell" in its["breaks"]) == wrong


# What it says.


def test_what_survives_is_a_test_of_the_library():
    known = {*_registry.names("inference", plugins=False), "p_sq", "p_conformal", "none", "all"}
    assert list(advice()) == list(ADVICE)
    for check, its in advice().items():
        assert set(its.survives.split(", ")) <= known, check
        named = set(re.findall(r"[a-z]+_[a-z_]+", its.breaks)) | set(re.findall(r"\bj[12]\b", its.breaks))
        assert named <= known, check
        assert not named & set(its.survives.split(", ")), check
        assert its.breaks, check
        assert its.remedy, check


def test_the_tests_that_are_named_say_it_of_themselves():
    tests = {name: _registry.load("inference", name) for name in _registry.names("inference", plugins=False)}
    assert {its.failing for its in ADVICE.values()} - {None} == set(get_args(Failing))
    for check, its in advice().items():
        if its.failing is None:
            continue
        robust = {name for name, test in tests.items() if its.failing in test.robust_to}
        fails = {name for name, test in tests.items() if its.failing in test.fails_under}
        assert set(its.survives.split(", ")) - {"p_sq", "p_conformal"} == robust, check
        assert robust, check
        assert {name for name in tests if re.search(rf"(?<!\w){name}(?!\w)", its.breaks)} == fails, check
    assert len(advice()["event-induced variance"].survives.split(", ")) == 15
    assert {"patell", "adjusted_patell", "brown_warner"} <= set(re.findall(r"[a-z_]+", advice()["long window"].breaks))
    assert advice()["thin trading"].survives == "generalized_sign, placebo"
    assert advice()["autocorrelation"].breaks.endswith("patell, and p of single events")


@pytest.mark.thorough
def test_the_text_has_a_line_a_check_and_says_what_to_do_where_something_is_wrong():
    frame = Clean(n=9).run().diagnose()
    lines = text(frame).splitlines()
    assert max(map(len, lines)) <= 100
    heads = [line for line in lines if not line.startswith("    ")]
    assert [re.split(":", line[2:])[0] for line in heads] == CHECKS
    assert [line[0] == "!" for line in heads] == [check == "small sample" for check in CHECKS]
    at = lines.index("! small sample: 9 events on 9 dates")
    told = " ".join(line.strip() for line in lines[at : lines.index(heads[-1])])
    its = row(frame, "small sample")
    assert told.endswith(f"breaks: {its['breaks']} survives: {its['survives']} remedy: {its['remedy']}")


# The sample as a whole.


def test_variance_over_several_days_is_ranked_among_runs_as_long():
    clean = Clean(seed=3)
    closes = clean.closes()
    frame = clean.run(closes, windows=((-1, 1),)).diagnose()
    before = variances_before(clean, closes, 3)
    assert len(before) == 118
    assert f"; {np.median(before):.2f} is usual" in row(frame, "event-induced variance")["value"]


@pytest.mark.thorough
def test_variance_on_one_date_is_compared_with_days_of_the_same_correlation():
    clean = Clean(seed=4, day=[300] * N)
    clean.e += 0.02 * np.random.default_rng(4).standard_normal((T, 1))  # what is in all residuals of a day
    found = clean.run().diagnose()
    assert row(found, "event-induced variance")["breaks"] == ""
    clean.e[300] += 0.05 * np.random.default_rng(5).standard_normal(N)
    found = clean.run().diagnose()
    assert row(found, "event-induced variance")["figure"] > 1.5
    assert row(found, "event-induced variance")["breaks"] != ""


@pytest.mark.thorough
def test_signs_that_cancel_out():
    clean = Clean()
    with pytest.warns(es.EventStudyWarning, match="hold both expected signs"):
        frame = clean.run(columns={"expected_sign": [1, -1] * (N // 2)}).diagnose()
    its = row(frame, "expected signs")
    assert fired(frame) == {"expected signs"}
    assert its["value"] == "12 of 24 events should rise and 12 fall by 'expected_sign'"
    frame = clean.run(columns={"expected_sign": [1, 0] * (N // 2)}).diagnose()
    assert fired(frame) == set()
    frame = clean.run(columns={"expected_sign": [1, -1] * (N // 2)}, sign="expected_sign").diagnose()
    assert fired(frame) == set()


@pytest.mark.thorough
def test_a_primary_test_that_is_alone():
    clean = Clean(seed=11)
    clean.e[clean.day[0], 0] += 1.0  # one large reaction moves a mean, and no sign test
    frame = clean.run(tests={"first": "j1", "second": "sign", "third": "wilcoxon"}, windows=((0, 0),)).diagnose()
    its = row(frame, "agreement of tests")
    assert its["value"] == "the primary test alone rejects at 5 % in 1 window: first in (0, 0)"
    assert its["breaks"] != ""
    frame = clean.run(tests=["sign", "wilcoxon"]).diagnose()
    assert row(frame, "agreement of tests")["figure"] == 0


def test_few_events_with_skewed_returns():
    days = [FIRST + 30 * i for i in range(8)]
    clean = Clean(n=8, day=days)
    clean.e = 0.02 * (np.random.default_rng(3).standard_exponential((T, 8)) - 1.0)
    result = clean.run(windows=((0, 0),), tests="default")
    its = row(result.diagnose(), "skewed returns")
    of_events = [residuals(clean.closes(), f"S{i}", day)[0] for i, day in enumerate(days)]
    skewness = np.array([stats.skew(e) for e in of_events])
    assert its["figure"] == pytest.approx(skewness.mean(), rel=1e-9)  # prices round the returns
    assert skewness.mean() ** 2 / 8 > 0.08
    assert f"(standard error {skewness.std(ddof=1) / np.sqrt(8):.2f}), of 8 events over 1 day" in its["value"]
    assert its["breaks"] != ""
    assert its["survives"].split(",")[0] == result.tests["test"].iloc[0]  # the primary test changes too
    longer = row(clean.run(windows=((-5, 5),)).diagnose(), "skewed returns")
    assert longer["breaks"] == ""  # sums of eleven days are less skewed


@pytest.mark.thorough
def test_a_shock_that_is_common_to_the_events_of_a_date():
    days = [FIRST + 30 * (i // 4) for i in range(N)]
    clean = Clean(seed=1, day=days)
    assert row(clean.run().diagnose(), "common shock")["breaks"] == ""
    shock = 0.08 * np.random.default_rng(3).standard_normal(N // 4)
    clean.e[days, range(N)] += np.repeat(shock, 4)
    its = row(clean.run().diagnose(), "common shock")
    assert its["figure"] > 4
    assert its["survives"] == "clustered, ibragimov_muller, two_way, wild_bootstrap"


def test_the_usual_variance_of_windows_within_a_day_is_one_under_clock():
    """Bars of different clock times share no estimate: the sums of a day's residuals have the variances of its bars."""
    rng = np.random.default_rng(8)
    sessions = es.markets.sessions_between("XNYS", "2021-01-04", "2021-03-31")
    starts = pd.DatetimeIndex([f"{day} {hour}:00" for day in sessions for hour in range(10, 16)])
    returns = 0.002 * rng.standard_normal((len(starts), 30))
    names = [f"S{k}" for k in range(30)]
    closes = pd.DataFrame(100.0 * np.cumprod(1.0 + returns, axis=0), starts.tz_localize("America/New_York"), names)
    events = pd.DataFrame({"ticker": names, "announced": str(closes.index[6 * 40 + 1])})
    study = es.Study(model="clock", estimation=(-120, -1), event=(0, 5), windows=((0, 5),), tests=("cross_section",))
    result = study.run(es.Events.from_frame(events), es.Prices.from_frame(closes, "XNYS"))
    residuals = run_again(result.rerun)
    # A variance over 30 independent events has a standard error of .26; these are 20 such days, by six starts.
    assert np.mean(residuals.before) == pytest.approx(1.0, abs=0.2)
