"""Prices that cannot be are found where they were planted; what the market did is not taken for an error."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eventstudy as es
from eventstudy import transform
from eventstudy.bars import Bars
from eventstudy.plausibility import Finding, screen
from eventstudy.reports.text import placement

T = 400
DAYS = pd.bdate_range("2020-06-01", periods=T)
DATES = DAYS.to_numpy().astype("datetime64[D]")
AT = 250
Plant = Callable[[dict[str, np.ndarray]], None]


def bars_of(seed: int = 0, sigma: float = 0.02, start: float = 100.0) -> dict[str, np.ndarray]:
    """Draw clean bars: the close is a random walk, and open, high and low are around it."""
    rng = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(sigma * rng.standard_normal(T)))
    open_ = close * np.exp(0.2 * sigma * rng.standard_normal(T))
    high, low = np.maximum(close, open_), np.minimum(close, open_)
    return {
        "open": open_, "high": high * (1 + 0.3 * sigma), "low": low * (1 - 0.3 * sigma), "close": close,
        "volume": np.floor(rng.uniform(1e5, 1e6, T)),
    }  # fmt: skip


def times(rows: slice | int, factor: float, *names: str) -> Plant:
    """Multiply some rows of the named prices, all prices by default, by a factor."""

    def plant(fields: dict[str, np.ndarray]) -> None:
        for name in names or ("open", "high", "low", "close"):
            fields[name][rows] *= factor

    return plant


def found_in(plant: Plant, dates: np.ndarray = DATES, **series: Any) -> list[Finding]:
    fields = bars_of(**series)
    plant(fields)
    return list(screen(dates, fields))


def to(value: float, rows: slice | int = AT, *names: str) -> Plant:
    """Set some rows of the named prices, all prices by default, to a value."""

    def plant(fields: dict[str, np.ndarray]) -> None:
        for name in names or ("open", "high", "low", "close"):
            fields[name][rows] = value

    return plant


def constant(rows: slice, volume: float = 0.0) -> Plant:
    """Repeat the row before ``rows``, with another volume."""

    def plant(fields: dict[str, np.ndarray]) -> None:
        for name in ("open", "high", "low", "close"):
            fields[name][rows] = fields["close"][rows.start - 1]
        fields["volume"][rows] = volume

    return plant


def closes_only(plant: Plant) -> Plant:
    def planted(fields: dict[str, np.ndarray]) -> None:
        for name in ("open", "high", "low", "volume"):
            del fields[name]
        plant(fields)

    return planted


CLEAN = bars_of()


def move(fields: dict[str, np.ndarray], row: int) -> float:
    return float(fields["close"][row] / fields["close"][row - 1] - 1)


def planted_move(factor: float) -> float:
    return (1 + move(CLEAN, AT)) * factor - 1


CASES: dict[str, tuple[Plant, str, int, int, float]] = {
    "a close above its high": (
        times(AT, 2.0, "close"), "contradiction", AT, AT, 2 * CLEAN["close"][AT] / CLEAN["high"][AT] - 1,
    ),
    "an open below its low": (
        times(AT, 0.5, "open"), "contradiction", AT, AT, CLEAN["low"][AT] / (0.5 * CLEAN["open"][AT]) - 1,
    ),
    "a low above its high": (
        lambda f: f.update(low=np.where(np.arange(T) == AT, 1.5 * CLEAN["high"], f["low"]), close=f["close"]),
        "contradiction", AT, AT, max(0.5, 1.5 * CLEAN["high"][AT] / min(CLEAN["close"][AT], CLEAN["open"][AT]) - 1),
    ),
    "a tick of a tenth": (times(AT, 0.1), "spike", AT, AT, planted_move(0.1)),
    "ten times": (times(AT, 10.0), "spike", AT, AT, planted_move(10.0)),
    "a hundred times on three days": (times(slice(AT, AT + 3), 100.0), "spike", AT, AT + 2, planted_move(100.0)),
    "a tenth of closes alone": (closes_only(times(AT, 0.1, "close")), "spike", AT, AT, planted_move(0.1)),
    "a high of nine times": (to(900.0, AT, "high"), "spike", AT, AT, 900.0 / CLEAN["close"][AT] - 1),
    "+1,480 %": (times(slice(AT, None), 15.8), "jump", AT, AT, planted_move(15.8)),
    "from pence to pounds": (times(slice(AT, None), 0.01), "currency", AT, AT, planted_move(0.01)),
    "from pounds to pence": (times(slice(AT, None), 100.0), "currency", AT, AT, planted_move(100.0)),
    "the last price to the end": (constant(slice(350, None)), "stale", 350, T - 1, 50.0),
    "the last close to the end": (closes_only(to(77.0, slice(350, None), "close")), "stale", 351, T - 1, 49.0),
    "one price for 40 days": (constant(slice(200, 240)), "repeated", 200, 239, 40.0),
    "9999": (to(9999.0), "sentinel", AT, AT, 9999.0),
    "999.99 at the end": (closes_only(to(999.99, T - 1, "close")), "sentinel", T - 1, T - 1, 999.99),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_check_finds_what_was_planted_and_nothing_else(name):
    plant, check, first, last, size = CASES[name]
    (finding,) = found_in(plant)
    assert (finding.check, finding.date, finding.last) == (check, DATES[first], DATES[last])
    assert finding.size == pytest.approx(size, rel=1e-12)
    assert finding.what


@pytest.mark.parametrize("scale", [1e-3, 1e3])
@pytest.mark.parametrize("name", [name for name in CASES if CASES[name][1] != "sentinel"])
def test_the_unit_of_prices_changes_nothing(name, scale):
    plain = bars_of()
    CASES[name][0](plain)
    scaled = {key: values * (1.0 if key == "volume" else scale) for key, values in plain.items()}
    expected, actual = screen(DATES, plain), screen(DATES, scaled)
    assert [f[:3] for f in actual] == [f[:3] for f in expected]
    assert [f.size for f in actual] == pytest.approx([f.size for f in expected], rel=1e-9)


def test_a_whole_row_that_comes_again_is_found_and_a_flat_one_is_not():
    def again(fields: dict[str, np.ndarray]) -> None:
        for values in fields.values():
            values[AT : AT + 2] = values[AT - 1]

    (finding,) = found_in(again)
    assert (finding.check, finding.date, finding.last, finding.size) == ("repeated", DATES[AT], DATES[AT + 1], 2.0)
    assert found_in(constant(slice(AT, AT + 2), volume=100.0)) == []


@pytest.mark.parametrize("rows", [slice(200, 229), slice(381, None)])
def test_a_thin_share_that_does_not_move_for_a_month_is_no_suspension(rows):
    assert found_in(constant(rows)) == []


def test_one_price_at_which_shares_change_hands_is_none_of_these():
    def pegged(fields: dict[str, np.ndarray]) -> None:
        volume = fields["volume"].copy()
        constant(slice(200, None))(fields)
        fields["volume"][:] = volume

    assert found_in(pegged) == []


SPLITS = {
    "four for one": (0.25, 4.0, "is not applied"),
    "one for ten": (10.0, 0.1, "is not applied"),
    "one for 190": (190.0, 0.005263, "is not applied"),
    "three for two": (2 / 3, 1.5, "is not applied"),
    "four for one, twice": (4.0, 4.0, "is applied twice"),
}


@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize("name", SPLITS)
def test_a_split_of_the_file_that_the_prices_do_not_follow_is_found(name, adjusted):
    factor, split, how = SPLITS[name]

    def plant(fields: dict[str, np.ndarray]) -> None:
        times(slice(AT, None), factor)(fields)
        fields["split"] = np.where(np.arange(T) == AT, split, 0.0)
        if adjusted:
            fields["adjusted"] = fields["close"].copy()

    (finding,) = found_in(plant)
    assert (finding.check, finding.date) == ("split", DATES[AT])
    assert finding.size == pytest.approx(planted_move(factor), rel=1e-12)
    assert how in finding.what


@pytest.mark.parametrize("split", [4.0, 0.1, 1.5, 1.02, 1.0, np.nan])
def test_a_split_that_is_applied_is_no_finding(split):
    def plant(fields: dict[str, np.ndarray]) -> None:
        fields["split"] = np.where(np.arange(T) == AT, split, 0.0)
        fields["adjusted"] = fields["close"].copy()
        times(slice(AT, None), 1.0 / split if split > 0 else 1.0)(fields)

    assert found_in(plant) == []


def test_a_slip_of_the_close_is_found_beside_an_adjusted_close_without_it():
    def plant(fields: dict[str, np.ndarray]) -> None:
        fields["adjusted"] = fields["close"].copy()
        times(AT, 10.0)(fields)

    (finding,) = found_in(plant)
    assert (finding.check, finding.date, finding.size) == ("spike", DATES[AT], pytest.approx(planted_move(10.0)))


# Closes as they were: the news is true, and the move with it.
TRUE_MOVES = {
    "TAL, 2021-07-23": [20.52, 6.00, 4.04],
    "GME, 2021-01-22 to 02-02": [65.01, 76.79, 147.98, 347.51, 193.60, 325.00, 225.00, 90.00],
    "a halt of months, then -40 %": [1.80, *[np.nan] * 66, 1.08, 0.61],
    "suspended for a year, then -63 %": [1.0, *[np.nan] * 370, 0.37, 0.31],
    "2157.HK, 2022-09-09": [6.60, 6.54, 25.10, 14.50, 12.50],
    "1783.HK, 2022-01-11": [0.062, 0.066, 0.130, 0.075, 0.070, 0.098, 0.140],
}


@pytest.mark.parametrize("name", TRUE_MOVES)
def test_what_the_market_did_is_no_error(name):
    moves = np.array(TRUE_MOVES[name])
    walk = np.exp(0.02 * np.random.default_rng(1).standard_normal(400).cumsum())
    before, after = moves[0] * walk[:200] / walk[199], moves[-1] * walk[200:] / walk[200]
    close = np.concatenate([before, moves[1:-1], after])
    dates = np.arange(len(close)) + np.datetime64("2019-01-02")
    assert screen(dates, {"close": close}) == ()


@given(seed=st.integers(0, 2**32 - 1), sigma=st.floats(1e-4, 0.08), lost=st.floats(0.0, 0.3))
def test_a_clean_random_walk_has_no_finding(seed, sigma, lost):
    fields = bars_of(seed, sigma)
    gone = np.random.default_rng(seed).random(T) < lost
    assert screen(DATES, fields) == ()
    assert screen(DATES, {name: np.where(gone, np.nan, values) for name, values in fields.items()}) == ()


@given(st.lists(st.floats(5e-324, 1.7e308), min_size=0, max_size=60))
def test_no_price_is_too_large_or_too_small_to_be_screened(close):
    fields = {name: np.array(close) for name in ("open", "high", "low", "close", "adjusted")}
    assert all(finding.what for finding in screen(DATES[: len(close)], fields))


def test_bars_of_minutes_may_stay_and_recur_but_not_slip():
    starts = np.datetime64("2021-01-04T14:30", "s") + np.arange(T) * np.timedelta64(300, "s")
    assert found_in(constant(slice(300, None)), dates=starts) == []
    (finding,) = found_in(times(AT, 0.1), dates=starts)
    assert (finding.check, finding.date) == ("spike", starts[AT])


@pytest.mark.thorough
def test_the_shares_of_hong_kong_show_their_suspensions_alone(shared):
    wide = pd.read_csv(shared / "data" / "hk_universe_adjclose.csv.gz", index_col=0).dropna(axis=1, how="all")
    found = es.Prices.from_frame(wide, "XHKG").screen()
    assert set(found["check"]) == {"stale", "repeated"}
    suspended = {"1114.HK", "1773.HK", "1918.HK", "1969.HK", "2799.HK", "3380.HK", "3800.HK", "6666.HK"}
    assert set(found["ticker"]) == {*suspended, "1066.HK"}  # the last was traded, and its file repeats one price
    assert es.read_prices(shared / "data" / "prices").screen().empty


# --- in a study ----------------------------------------------------------------------------------------------------


def prices_with(plant: Plant, ticker: str = "BAD") -> es.Prices:
    """Return the planted bars of one ticker, those of another, and of a benchmark."""
    bars = {}
    for seed, name in enumerate(("BAD", "GOOD", "M")):
        fields = bars_of(seed)
        if name == ticker:
            plant(fields)
        bars[name] = Bars(name, DATES, fields)
    return es.Prices(bars)


EVENTS = es.Events.from_frame(
    pd.DataFrame({"ticker": ["BAD", "GOOD"], "announced": [str(DATES[AT]), str(DATES[AT + 30])]})
)
STUDY = es.Study(
    benchmark="M", estimation=(-140, -11), event=(-5, 5), windows=((0, 0), (-1, 1)), tests=["cross_section"]
)


def run(prices: es.Prices, study: es.Study = STUDY, events: es.Events = EVENTS) -> tuple[es.Result, list[str]]:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        result = study.run(events, prices)
    return result, [str(w.message) for w in seen]


def test_a_bar_that_contradicts_itself_does_not_count_and_is_named():
    plant = times(AT, 0.2, "close")
    result, said = run(prices_with(plant), replace(STUDY, min_coverage=0.3))
    assert result.ar.loc["E0001"].isna().to_numpy().nonzero()[0].tolist() == [5, 6]  # its return and the next
    assert result.events["status"].tolist() == ["ok", "ok"]
    assert result.cars["car"].isna().tolist() == [True, False, False, False]
    assert result.reactions["close"].isna().tolist() == [True, False]
    (note,) = (text for text in result.provenance["notes"] if "BAD" in text)
    assert note.startswith(f"BAD: contradiction on {DATES[AT]}: the close ")
    assert "does not count" in note
    assert len(said) == 1
    assert note in said[0]
    assert result.events["implausible_prices"].tolist() == [f"BAD: contradiction on {DATES[AT]}", ""]


def test_an_event_without_a_measured_window_has_the_bar_as_its_reason():
    result, said = run(prices_with(times(AT, 0.2, "close")))
    assert result.events["status"].tolist() == ["suspended", "ok"]
    assert result.events["reason"].iloc[0].endswith(f"BAD: contradiction on {DATES[AT]}")
    assert f"BAD: contradiction on {DATES[AT]}" in said[0]


def test_a_bar_that_contradicts_itself_counts_by_choice():
    prices, clean = prices_with(times(AT, 0.2, "close")), prices_with(lambda fields: None)
    kept, said = run(prices, replace(STUDY, contradictory="keep"))
    change = kept.ar.loc["E0001", 0] - run(clean)[0].ar.loc["E0001", 0]
    assert change == pytest.approx(-0.8 * (1 + move(CLEAN, AT)), rel=1e-9)
    assert kept.provenance["settings"]["contradictory"] == "keep"
    assert "does not count" not in said[0]
    assert f"BAD: contradiction on {DATES[AT]}" in said[0]


def test_without_it_the_study_is_that_of_a_missing_price():
    dropped, _ = run(prices_with(times(AT, 0.2, "close")))
    missing, said = run(prices_with(to(np.nan)))
    pd.testing.assert_frame_equal(dropped.ar, missing.ar)
    pd.testing.assert_frame_equal(dropped.cars, missing.cars)
    assert said == []


def test_an_event_that_is_lost_by_bars_that_do_not_count_says_so():
    adjusted_beside_a_range_that_is_not = times(slice(None), 0.5, "close")
    result, said = run(prices_with(adjusted_beside_a_range_that_is_not))
    assert result.events["status"].tolist() == ["too_few_estimation", "ok"]
    assert len(said) == 1
    n_prices = (130 + 1) + (11 + 1)  # a return needs the price before it
    assert f"BAD: contradiction on {n_prices} dates" in said[0]
    assert "do not count" in said[0]


@pytest.mark.contract("day", "ticker")
@pytest.mark.thorough
@pytest.mark.parametrize("ticker", ["BAD", "M"])
@pytest.mark.parametrize("day", [-100, -5, 0, 5])
def test_what_lies_in_a_window_of_a_used_event_is_told_where_the_number_is_read(day, ticker, tmp_path: Path):
    prices = prices_with(times(AT + day, 0.1), ticker)
    only = es.Events.from_frame(pd.DataFrame({"ticker": ["BAD"], "announced": [str(DATES[AT])]}))
    result, said = run(prices, events=only)
    text = f"{ticker}: spike on {DATES[AT + day]}"
    assert len(said) == 1
    assert text in said[0]
    assert sum(note.startswith(text) for note in result.provenance["notes"]) == 1
    checked = STUDY.check(only, prices)
    assert checked["implausible_prices"].tolist() == [text]
    assert text in " ".join(placement(checked).split())
    (row,) = result.diagnose().query("check == 'implausible prices'").to_dict("records")
    assert row["figure"] == 1
    assert text in row["value"]
    assert row["remedy"]
    for name in ("report.txt", "report.html", "report.tex") if day == 0 else ("report.txt",):
        result.report(tmp_path / name)
        assert f"spike on {DATES[AT + day]}" in (tmp_path / name).read_text(encoding="utf-8").replace("\n", " ")


@pytest.mark.parametrize("day", [-200, -8, 7, 100])
def test_what_lies_outside_the_windows_is_not_told(day):
    only = es.Events.from_frame(pd.DataFrame({"ticker": ["BAD"], "announced": [str(DATES[AT])]}))
    result, said = run(prices_with(times(AT + day, 0.1)), events=only)
    assert said == []
    assert "implausible_prices" not in result.events
    assert not any("BAD" in note for note in result.provenance["notes"])
    assert result.diagnose().query("check == 'implausible prices'")["figure"].tolist() == [0]


def test_many_findings_of_a_ticker_are_one_line_that_has_the_largest():
    def plant(fields: dict[str, np.ndarray]) -> None:
        for row, factor in ((AT - 90, 0.1), (AT - 60, 50.0), (AT - 30, 0.1), (AT + 60, 1000.0)):
            times(row, factor)(fields)

    only = es.Events.from_frame(pd.DataFrame({"ticker": ["BAD"], "announced": [str(DATES[AT])]}))
    result, _ = run(prices_with(plant), events=only)
    (note,) = (text for text in result.provenance["notes"] if "BAD" in text)
    assert note.startswith(f"BAD: spike on 3 dates, the largest on {DATES[AT - 60]}: ")


def test_windows_of_single_events_are_those_that_count():
    frame = pd.DataFrame({"ticker": ["BAD"], "announced": [str(DATES[AT])], "first": [-100], "last": [-11]})
    study = replace(STUDY, estimation_columns=("first", "last"), min_estimation=50)
    assert len(run(prices_with(times(AT - 90, 0.1)), study, es.Events.from_frame(frame))[1]) == 1
    assert run(prices_with(times(AT - 110, 0.1)), study, es.Events.from_frame(frame))[1] == []


def test_a_peer_is_named_in_a_note_without_a_warning():
    bars = dict(prices_with(lambda fields: None).bars)
    for seed, row in ((7, AT), (8, AT + 100)):
        fields = bars_of(seed)
        times(row, 0.1)(fields)
        bars[f"P{seed}"] = Bars(f"P{seed}", DATES, fields)
    study = replace(STUDY, model="peers", benchmark=None, peers=["P7", "P8", "M"])
    only = es.Events.from_frame(pd.DataFrame({"ticker": ["BAD"], "announced": [str(DATES[AT])]}))
    result, said = run(es.Prices(bars), study, only)
    assert said == []
    (note,) = (text for text in result.provenance["notes"] if "implausible" in text)
    assert "peers in the windows of events: P7 (1);" in note


def test_an_outcome_that_is_no_return_has_no_implausible_prices():
    result, said = run(prices_with(times(AT, 0.1)), replace(STUDY, outcome="volume"))
    assert not any("implausible" in text for text in said)
    assert "implausible_prices" not in result.events


def test_a_store_says_what_its_prices_say_and_reads_nothing_for_it(tmp_path: Path):
    def plant(fields: dict[str, np.ndarray]) -> None:
        times(AT, 0.2, "close")(fields)
        times(AT - 60, 10.0)(fields)

    prices = prices_with(plant)
    es.write_prices(prices, tmp_path / "store", partition=2)
    stored = es.read_prices(tmp_path / "store")
    pd.testing.assert_frame_equal(stored.screen(), prices.screen())
    assert stored.screen()["check"].tolist() == ["spike", "contradiction"]
    assert stored.bars.files.n_read == 0  # type: ignore[attr-defined]
    (expected, said), (actual, said_of_store) = run(prices), run(stored)
    assert said_of_store == said
    pd.testing.assert_frame_equal(actual.ar, expected.ar, check_exact=True)
    some = es.fetch_prices(["BAD"], str(DATES[200]), str(DATES[300]), source="store", path=tmp_path / "store")
    assert some.screen()["check"].tolist() == ["contradiction"]


def test_a_folder_says_the_same(tmp_path: Path):
    prices = prices_with(times(AT, 0.2, "close"))
    for name, bars in prices.bars.items():
        names = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}
        pd.DataFrame({names[k]: v for k, v in bars.fields.items()}, index=DAYS.strftime("%Y-%m-%d")).rename_axis(
            "Date"
        ).to_csv(tmp_path / f"{name}.csv")
    pd.testing.assert_frame_equal(es.read_prices(tmp_path).screen(), prices.screen())


def test_a_portfolio_says_of_which_implausible_prices_it_is_made():
    made = transform.portfolio(prices_with(times(AT, 0.1)), ["BAD", "GOOD"], "BOTH")
    assert made.provenance["noticed"]["BOTH"] == [
        f"made from implausible prices of BAD (1, the first a spike on {DATES[AT]}); see prices.screen()"
    ]


def test_a_month_has_the_product_of_its_splits():
    fields = bars_of()
    fields["split"] = np.zeros(T)
    fields["split"][[AT, AT + 1]] = 2.0, 3.0
    month = transform.monthly(es.Prices({"A": Bars("A", DATES, fields)})).bars["A"].fields["split"]
    assert sorted(set(month.tolist())) == [1.0, 6.0]
