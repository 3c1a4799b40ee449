"""The study as its users meet it: bad input, attrition, choices, and the real day of 2021-09-13."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es

SHORT: dict[str, Any] = {"estimation": (-60, -11), "event": (-5, 5), "windows": ((0, 0), (-1, 1)), "min_estimation": 40}


def walk(n: int = 300, seed: int = 0, names: tuple[str, ...] = ("A", "B", "M")) -> pd.DataFrame:
    """Prices of some securities on weekdays, the last one a market that the others follow."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0003, 0.01, n)
    moves = {name: 0.9 * market + rng.normal(0, 0.015, n) for name in names[:-1]} | {names[-1]: market}
    index = pd.bdate_range("2020-01-01", periods=n)
    return pd.DataFrame({name: 100 * np.cumprod(1 + r) for name, r in moves.items()}, index=index)


def events(*rows: tuple[str, str], **columns: list[object]) -> es.Events:
    return es.Events.from_frame(
        pd.DataFrame({"ticker": [r[0] for r in rows], "announced": [r[1] for r in rows], **columns})
    )


@pytest.fixture(scope="module")
def real(shared: Path) -> es.Prices:
    return es.read_prices(shared / "data" / "prices")


# What is lost is counted, with a reason, and never stops the others.


def test_every_event_has_a_status_and_a_reason_and_the_good_one_is_estimated():
    prices = walk()
    prices["STALE"] = 50.0
    prices["YOUNG"] = prices["A"].where(prices.index >= prices.index[180])
    prices["GONE"] = prices["A"].where(prices.index < prices.index[100])
    prices["HALTED"] = prices["A"].where((prices.index < prices.index[190]) | (prices.index > prices.index[215]))
    day = str(prices.index[200].date())
    given = events(
        ("A", day), ("A", day), ("NOPE", day), ("B", "1999-01-04"), ("STALE", day), ("YOUNG", day), ("GONE", day),
        ("HALTED", day), ("M", day), ("B", "2035-01-01"),
    )  # fmt: skip
    result = es.Study(benchmark="M", **SHORT).run(given, es.Prices.from_frame(prices))
    status = dict(
        zip(
            ["A", "A2", "NOPE", "B", "STALE", "YOUNG", "GONE", "HALTED", "M", "B2"],
            result.events["status"],
            strict=True,
        )
    )
    assert status == {
        "A": "ok", "A2": "duplicate", "NOPE": "unknown_ticker", "B": "outside_calendar", "STALE": "no_variation",
        "YOUNG": "too_few_estimation", "GONE": "no_price", "HALTED": "empty_event_window", "M": "no_variation",
        "B2": "outside_calendar",
    }  # fmt: skip
    lost = result.events[result.events["status"] != "ok"]
    assert (lost["reason"].str.len() > 10).all()
    assert result.events.index[0] in lost["reason"].iloc[0]
    assert result.attrition["n"].sum() == len(given)
    assert set(result.ar.index) == {result.events.index[0], result.events.index[1]}  # the duplicate shows its twin
    assert result.ar.iloc[0].equals(result.ar.iloc[1])
    assert (result.daily["n"] == 1).all()


def test_check_says_the_same_as_run_without_estimating():
    prices = es.Prices.from_frame(walk())
    given = events(("A", "2020-10-01"), ("B", "2020-01-15"), ("NOPE", "2020-10-01"), ("A", "2020-10-03"))
    study = es.Study(benchmark="M", **SHORT)
    table = study.check(given, prices)
    result = study.run(given, prices)
    assert (
        table["status"].tolist()
        == result.events["status"].tolist()
        == ["ok", "too_few_estimation", "unknown_ticker", "ok"]
    )
    assert table["n_estimation"].tolist() == result.events["n_estimation"].tolist()
    assert table["session"].iloc[3] == pd.Timestamp("2020-10-05")
    assert table["placement"].tolist()[3] == "no session on the date: next"


def test_a_constant_benchmark_is_singular():
    prices = walk()
    prices["M"] = 100.0
    result = es.Study(benchmark="M", **SHORT).run(events(("A", "2020-10-01")), es.Prices.from_frame(prices))
    assert result.events["status"].tolist() == ["singular"]
    assert result.tests["statistic"].isna().all()
    assert (result.tests["n"] == 0).all()
    assert result.tests["note"].str.contains("no event could be used").all()
    assert result.daily["caar"].isna().all()


def test_without_a_usable_event_the_frames_are_empty_and_say_why():
    result = es.Study(benchmark="M", **SHORT).run(events(("NOPE", "2020-10-01")), es.Prices.from_frame(walk()))
    assert result.ar.empty
    assert result.cars.empty
    assert result.attrition.to_dict("list") == {"reason": ["unknown_ticker"], "n": [1]}


@pytest.mark.parametrize(
    ("policy", "expected"), [("next", "2020-10-05"), ("previous", "2020-10-02"), ("drop", None), ("raise", None)]
)
def test_a_date_without_a_session(policy: str, expected: str | None):
    study = es.Study(benchmark="M", on_closed=policy, **SHORT)
    prices, given = es.Prices.from_frame(walk()), events(("A", "2020-10-03"))
    if policy == "raise":
        with pytest.raises(es.AlignmentError, match="2020-10-03 is not a session"):
            study.check(given, prices)
        return
    row = study.check(given, prices).iloc[0]
    assert row["status"] == ("ok" if expected else "closed")
    assert str(row["session"])[:10] == (expected or "NaT")


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"model": "capn"}, "'capn'; valid are"),
        ({"tests": ("bmp", "nope")}, "'nope'; valid are"),
        ({"estimation": (-20, -5)}, "does not end before event"),
        ({"event": (3, -3)}, "the first not after the second"),
        ({"windows": ()}, "give at least one"),
        ({"window": (0, 0)}, "a choice of the study is 'window'"),
        ({"window": (0, 0)}, "did you mean 'windows'?"),
        ({"estimate": (-60, -3)}, "did you mean 'estimation'?"),
        ({"windows": ((0, 20),)}, "is not inside event"),
        ({"windows": ((0, 0.5),)}, "two whole numbers"),
        ({"returns": "pct"}, "'simple', 'log'"),
        ({"price": "vwap"}, "'close', 'open', 'high', 'low'"),
        ({"on_closed": "later"}, "'next', 'previous', 'drop', 'raise'"),
        ({"gaps": "fill"}, "'missing', 'span'"),
        ({"min_estimation": 500}, "has 250 days"),
        ({"min_coverage": 0.0}, "above 0"),
        ({"model": object()}, "an object with a fit"),
    ],
)
def test_a_bad_choice_names_itself_and_what_is_valid(choice: dict[str, object], words: str):
    with pytest.raises(es.InputError, match=re.escape(words)):
        es.Study(**choice)


def test_unknown_option_of_a_model():
    with pytest.raises(es.InputError, match="'lead'; valid are 'leads', 'lags'"):
        es.model("dimson", lead=1)


def test_a_benchmark_that_has_no_prices():
    with pytest.raises(es.AlignmentError, match="there are no prices of X"):
        es.Study(benchmark="X", **SHORT).run(events(("A", "2020-10-01")), es.Prices.from_frame(walk()))
    with pytest.raises(es.AlignmentError, match="needs a benchmark"):
        es.Study(**SHORT).run(events(("A", "2020-10-01")), es.Prices.from_frame(walk()))


def test_a_price_field_that_no_security_has():
    with pytest.raises(es.InputError, match="price is 'low'"):
        es.Study(benchmark="M", price="low", **SHORT).run(events(("A", "2020-10-01")), es.Prices.from_frame(walk()))


def test_an_unknown_factor():
    study = es.Study(model=es.model("factors", names=("SMB",)), **SHORT)
    with pytest.raises(es.InputError, match="'SMB'; valid are 'A', 'B', 'M'"):
        study.run(events(("A", "2020-10-01")), es.Prices.from_frame(walk()))


# Choices do what they say.


@pytest.mark.thorough
def test_benchmarks_by_ticker_by_column_and_by_mapping_agree():
    prices = walk(names=("A", "B", "M2", "M"))
    given = events(("A", "2020-10-01"), ("B", "2020-10-08"), index=["M", "M2"])
    frame = es.Prices.from_frame(prices)
    column = es.Study(benchmark="index", **SHORT).run(given, frame)
    mapping = es.Study(benchmark={"A": "M", "B": "M2"}, **SHORT).run(given, frame)
    single = es.Study(benchmark="M", **SHORT).run(given, frame)
    pd.testing.assert_frame_equal(column.ar, mapping.ar)
    np.testing.assert_array_equal(column.ar.iloc[0], single.ar.iloc[0])
    assert not np.allclose(column.ar.iloc[1], single.ar.iloc[1])


def test_factors_from_a_frame_equal_the_same_series_as_a_ticker():
    prices = walk()
    factor = prices[["M"]].pct_change().rename(columns={"M": "MKT"})
    given = events(("A", "2020-10-01"), ("B", "2020-10-08"))
    study = es.Study(model=es.model("factors", names=["MKT"]), **SHORT)
    ours = study.run(given, es.Prices.from_frame(prices), factors=factor)
    market = es.Study(benchmark="M", **SHORT).run(given, es.Prices.from_frame(prices))
    np.testing.assert_allclose(ours.ar, market.ar, atol=1e-15)
    assert ours.events["MKT"].round(12).tolist() == market.events["beta"].round(12).tolist()


def test_the_risk_free_return_is_taken_off():
    prices = walk()
    factor = pd.DataFrame({"MKT": prices["M"].pct_change(), "RF": 0.0001 * np.arange(len(prices))}, index=prices.index)
    given = events(("A", "2020-10-01"))
    study = es.Study(model=es.model("factors", names=["MKT"], risk_free="RF"), **SHORT)
    ours = study.run(given, es.Prices.from_frame(prices), factors=factor)
    first = prices.index.get_loc("2020-10-01") - 60
    excess = (prices["A"].pct_change() - factor["RF"]).iloc[first : first + 50]
    design = np.column_stack([np.ones(50), factor["MKT"].iloc[first : first + 50]])
    beta = np.linalg.lstsq(design, excess, rcond=None)[0]
    np.testing.assert_allclose(ours.events[["alpha", "MKT"]].iloc[0].to_numpy(float), beta, atol=1e-12)


@pytest.mark.thorough
def test_the_default_follows_the_clustering_and_says_so():
    prices = es.Prices.from_frame(walk(600, names=("A", "B", "C", "D", "M")))
    study = es.Study(benchmark="M", **SHORT)
    apart = study.run(events(("A", "2020-10-01"), ("B", "2021-03-01"), ("C", "2021-08-02")), prices)
    same = study.run(events(("A", "2020-10-01"), ("B", "2020-10-01"), ("C", "2020-10-01")), prices)
    near = study.run(events(("A", "2020-10-01"), ("B", "2020-10-05"), ("C", "2021-08-02")), prices)
    assert set(apart.tests["test"]) == {"cross_section", "bmp", "grank_t", "generalized_sign"}
    assert set(same.tests["test"]) == {"kolari_pynnonen", "kolari_pynnonen(variance='additive')", "grank_t"}
    assert set(near.tests["test"]) == {
        "clustered", "ibragimov_muller", "two_way", "wild_bootstrap", "kolari_pynnonen",
    }  # fmt: skip
    assert apart.tests["note"].iloc[0].startswith("primary: no two windows share a day")
    assert same.tests["note"].iloc[0].startswith("primary: all events share one date")
    assert near.tests["note"].iloc[0].startswith("primary: ")
    assert near.provenance["clustering"]["n_clusters"] == 2


def test_a_user_may_pass_a_model_and_a_test_of_their_own():
    from eventstudy.inference.bmp import TEST
    from eventstudy.models.market import MODEL

    prices, given = es.Prices.from_frame(walk()), events(("A", "2020-10-01"), ("B", "2020-10-08"))
    named = es.Study(benchmark="M", tests=("bmp",), **SHORT).run(given, prices)
    own = es.Study(model=MODEL, benchmark="M", tests={"mine": TEST}, **SHORT).run(given, prices)
    assert own.tests["test"].unique().tolist() == ["mine"]
    np.testing.assert_array_equal(own.tests["statistic"], named.tests["statistic"])


@pytest.mark.thorough
def test_missing_days_make_a_car_missing_unless_the_share_allows_it():
    prices = walk()
    at = prices.index.get_loc("2020-10-01")
    prices.iloc[at + 1, 0] = np.nan  # no price on day 1: no return on days 1 and 2
    given = events(("A", "2020-10-01"), ("B", "2020-10-01"))
    whole = es.Study(benchmark="M", **SHORT).run(given, es.Prices.from_frame(prices))
    half = es.Study(benchmark="M", min_coverage=0.6, **SHORT).run(given, es.Prices.from_frame(prices))
    assert whole.ar.iloc[0].isna().tolist() == [d in (1, 2) for d in range(-5, 6)]
    car = whole.cars[whole.cars["start"] == -1].set_index("event_id")["car"]
    assert np.isnan(car.iloc[0])
    assert np.isfinite(car.iloc[1])
    assert whole.attrition["reason"].tolist() == ["ok", "ok, but a day is missing in (-1, 1)"]
    assert half.cars[half.cars["start"] == -1]["n_days"].tolist() == [2, 3]
    span = es.Study(benchmark="M", gaps="span", **SHORT).run(given, es.Prices.from_frame(prices))
    assert span.ar.iloc[0].isna().tolist() == [d == 1 for d in range(-5, 6)]


def test_frames_have_the_columns_that_are_promised():
    result = es.Study(benchmark="M", **SHORT).run(
        events(("A", "2020-10-01"), ("B", "2020-10-08"), sector=["x", "y"]), es.Prices.from_frame(walk())
    )
    assert result.events.columns.tolist()[:11] == [
        "ticker", "announced", "session", "placement", "status", "reason", "n_estimation",
        "alpha", "beta", "sigma", "r2",
    ]  # fmt: skip
    assert result.events["sector"].tolist() == ["x", "y"]
    assert result.events.index.name == "event_id"
    assert result.ar.columns.tolist() == list(range(-5, 6))
    columns = ["event_id", "start", "end", "car", "se", "t", "df", "p", "p_sq", "p_conformal", "n_days"]
    assert result.cars.columns.tolist() == columns
    assert result.daily.columns.tolist() == ["n", "aar", "caar", "se", "lower", "upper"]
    assert result.tests.columns.tolist() == [
        "group", "start", "end", "test", "n", "effect", "se", "lower", "upper", "median", "positive", "statistic",
        "df", "p", "valid", "note",
    ]  # fmt: skip
    assert result.attrition.columns.tolist() == ["reason", "n"]


# The real day.


def test_the_day_of_the_alipay_report(real: es.Prices, shared: Path):
    given = events(("9988.HK", "2021-09-13"), ("0700.HK", "2021-09-13"), ("1211.HK", "2021-09-13"))
    result = es.Study(benchmark="^HSI").run(given, real)
    moves = result.reactions.set_index("ticker")
    frame = pd.read_csv(shared / "data" / "prices" / "9988.HK.csv", index_col=0)
    before, day = frame.iloc[frame.index.get_loc("2021-09-13") - 1], frame.loc["2021-09-13"]
    for name in ("open", "high", "low", "close"):
        plain = day[name.title()] / before["Close"] - 1  # no dividend that day; adjusted closes have 6 decimals
        assert moves.loc["9988.HK", name] == pytest.approx(plain, abs=2e-8)
    assert round(100 * moves.loc["9988.HK", "low"], 1) in (-6.5, -6.6)
    assert round(100 * moves.loc["9988.HK", "close"], 1) == -4.2
    assert round(100 * moves.loc["9988.HK", "benchmark_low"], 1) == -2.4


def test_the_ant_suspension_falls_on_two_sessions(real: es.Prices):
    given = events(("BABA;9988.HK", "2020-11-03T20:40:00+08:00"))
    table = es.Study(benchmark={"XHKG": "^HSI", "XNYS": "^GSPC"}).check(given, real)
    assert table.set_index("ticker")["session"].astype(str).to_dict() == {"BABA": "2020-11-03", "9988.HK": "2020-11-04"}
    assert table["placement"].tolist() == ["before the close", "after the close: next session"]


@pytest.mark.thorough
@pytest.mark.parametrize("price", ["open", "high", "low"])
def test_the_reaction_to_another_price_of_the_day(real: es.Prices, price: str):
    given = events(("9988.HK", "2021-09-13"))
    close = es.Study(benchmark="^HSI").run(given, real)
    other = es.Study(benchmark="^HSI", price=price).run(given, real)
    same = [c for c in close.ar.columns if c != 0]
    np.testing.assert_array_equal(close.ar[same], other.ar[same])
    fit = other.events.iloc[0]
    moves = other.reactions.iloc[0]
    expected = moves[price] - fit["alpha"] - fit["beta"] * moves[f"benchmark_{price}"]
    assert other.ar.loc[given.frame.index[0], 0] == pytest.approx(expected, abs=1e-14)
    assert any("simultaneous" in note for note in other.provenance["notes"]) == (price != "open")


@pytest.mark.thorough
def test_a_benchmark_of_another_zone_warns_once_and_dimson_quiets_it(real: es.Prices):
    given = events(("BABA", "2021-09-13"), ("BABA", "2021-08-02"))
    with pytest.warns(es.EventStudyWarning, match="another time zone") as seen:
        plain = es.Study(benchmark="^HSI").run(given, real)
    assert len(seen) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        leads = es.Study(benchmark="^HSI", model=es.model("dimson", leads=1, lags=1)).run(given, real)
    assert leads.events["beta_lead1"].iloc[0] > 0.2  # the design measured 0.42 over 2020-21
    assert any("another time zone" in note for note in plain.provenance["notes"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", "x"), ("seed", -1), ("seed", 1.5), ("seed", True), ("benchmark", 3), ("benchmark", {}),
        ("benchmark", {"XHKG": 3}), ("currency", 3), ("group", 3), ("weight", ""), ("peers", 3),
        ("peers", [1]), ("outcome", 3), ("outcome", None), ("tests", []), ("tests", {}), ("tests", 3), ("tests", None),
        ("windows", 3), ("windows", None), ("windows", "x"), ("windows", ()), ("min_estimation", 2.5),
        ("min_estimation", "x"), ("min_coverage", "x"), ("min_coverage", None), ("estimation", 3), ("event", None),
        ("confounding", 3), ("estimation_columns", "x"), ("event_columns", ("a", 3)), ("returns", 3), ("gaps", None),
        ("model", None), ("model", 3),
    ],
)  # fmt: skip
def test_a_choice_of_another_type_is_refused_and_named(name, value):
    with pytest.raises(es.InputError, match=name.rstrip("s").partition("_")[0]):
        es.Study(**{name: value})


def test_whole_numbers_of_numpy_are_whole_numbers():
    study = es.Study(seed=np.int64(3), min_estimation=np.int64(100), min_coverage=np.float64(0.5))
    assert (study.seed, study.min_estimation, study.min_coverage) == (3, 100, 0.5)
