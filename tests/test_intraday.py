"""Studies in bars within the day, held to pandas by clock time, to hand-made bars and to simulated days."""

from __future__ import annotations

import re
import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy import transform
from eventstudy.analysis import diagnosis
from eventstudy.bars import Bars
from eventstudy.errors import BadPrices, InputError
from eventstudy.plots import _alt
from eventstudy.prepare.calendar import observed_calendar
from eventstudy.prepare.intraday import bar_ends, missing_sessions, seconds_of_day
from eventstudy.reports.text import placement, text
from eventstudy.sources import _write
from eventstudy.tabular.steps import step_of
from eventstudy.types import Block, Status

TICKERS = ("NTES", "BABA", "XPEV")
HOUR = np.timedelta64(3600, "s")
CHOICES: dict[str, Any] = {"estimation": (-800, -17), "event": (-8, 16), "windows": ((0, 0), (0, 6), (-8, 16))}


@pytest.fixture(scope="module")
def folder(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hourly bars of 2021 with a manifest that says which file is which ticker."""
    made = tmp_path_factory.mktemp("bars")
    rows = [f"{name},{name}_1h.csv,XNYS,USD" for name in TICKERS]
    (made / "manifest.csv").write_text("\n".join(["ticker,file,mic,currency", *rows]) + "\n")
    for name in TICKERS:
        (made / f"{name}_1h.csv").symlink_to(shared / "data" / "intraday" / f"{name}_1h.csv")
    return made


@pytest.fixture(scope="module")
def hourly(folder: Path) -> es.Prices:
    return es.read_prices(folder)


def local(shared: Path, ticker: str) -> pd.DataFrame:
    """Read a file by pandas alone: the closes by local start."""
    frame = pd.read_csv(shared / "data" / "intraday" / f"{ticker}_1h.csv", dtype=str)
    for name in frame.columns.drop("date"):
        frame[name] = frame[name].map(float)  # to the last digit, as the oldest pandas does not by itself
    frame.index = pd.DatetimeIndex(pd.to_datetime(frame["date"], utc=True)).tz_convert("America/New_York")
    return frame


def events(*rows: tuple[str, str, str]) -> es.Events:
    return es.Events.from_frame(pd.DataFrame(rows, columns=["event_id", "ticker", "announced"]))


def starts(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[s]")


def regular(days: int, first: str = "2021-01-04") -> pd.DatetimeIndex:
    """Give half-hour bars from 09:30 to 16:00 New York time on weekdays."""
    dates = pd.bdate_range(first, periods=days)
    texts = [f"{day:%Y-%m-%d} {minute // 60:02d}:{minute % 60:02d}" for day in dates for minute in range(570, 960, 30)]
    return pd.DatetimeIndex(texts).tz_localize("America/New_York")


class TestReading:
    def test_a_folder_of_files_with_times_gives_bars_in_utc(self, hourly, shared):
        for ticker in TICKERS:
            bars, wanted = hourly.bars[ticker], local(shared, ticker)
            assert bars.intraday
            assert bars.step == HOUR
            found = hourly.frame(ticker)
            assert (found.index == pd.DatetimeIndex(wanted.index).tz_convert("UTC")).all()
            np.testing.assert_array_equal(found["close"], wanted["close"])
            np.testing.assert_array_equal(found["open"], wanted["open"])

    @pytest.mark.thorough
    def test_what_is_written_is_read_again(self, hourly, tmp_path):
        _write.write(hourly, tmp_path)
        again = es.read_prices(tmp_path)
        for ticker in TICKERS:
            pd.testing.assert_frame_equal(again.frame(ticker), hourly.frame(ticker), check_exact=True)
            assert again.bars[ticker].step == HOUR
            assert again.bars[ticker].mic == "XNYS"

    def test_parquet_gives_the_same(self, hourly, shared, tmp_path):
        frame = local(shared, "BABA")[["open", "close"]].rename_axis("Datetime")
        frame.to_parquet(tmp_path / "BABA.parquet")
        found = es.read_prices(tmp_path).frame("BABA")
        pd.testing.assert_frame_equal(found, hourly.frame("BABA")[["open", "close"]], check_like=True)

    def test_a_range_of_dates_is_of_the_dates_at_the_exchange(self, folder):
        prices = es.fetch_prices(["BABA"], "2021-09-13", "2021-09-13", source="folder", path=folder)
        there = pd.DatetimeIndex(prices.frame("BABA").index).tz_convert("America/New_York")
        assert set(there.strftime("%Y-%m-%d")) == {"2021-09-13"}
        assert there[0].hour == 4
        assert there[-1].hour == 19  # the date in UTC is the next there

    def test_a_frame_with_a_zone_has_bars(self):
        index = regular(3)
        prices = es.Prices.from_frame(pd.DataFrame({"BABA": np.arange(1.0, 40.0)}, index=index), "XNYS")
        assert prices.bars["BABA"].step == np.timedelta64(1800, "s")
        assert (prices.frame("BABA").index == index.tz_convert("UTC")).all()

    def test_a_frame_with_times_and_no_zone_is_refused(self):
        wide = pd.DataFrame({"A": [1.0, 2.0]}, index=pd.to_datetime(["2021-01-04 09:30", "2021-01-04 10:30"]))
        with pytest.raises(InputError, match="tz_localize"):
            es.Prices.from_frame(wide)

    @pytest.mark.parametrize(
        ("rows", "says"),
        [
            (("2021-01-04 09:30:00-05:00", "2021-01-04 10:30:00"), "'2021-01-04 10:30:00' is not the start of a bar"),
            (("2021-01-04", "2021-01-05 10:30:00-05:00"), "'2021-01-04' is not the start of a bar"),
            (("2021-01-04 21:00:00Z", "2021-01-05 21:00:00Z", "2021-01-06 21:00:00Z"), "daily prices whose dates"),
            (("2021-01-04 09:30:00-05:00",), "two or more are needed"),
            (("2021-01-04 09:30:00-05:00", "2021-01-04 14:30:00Z", "2021-01-04 15:30:00Z"), "two rows for"),
            (("2021-01-04 15:30:00Z", "2021-01-04 14:30:00Z", "2021-01-04 16:30:00Z"), "is not sorted"),
            (("2021-01-04 25:30:00Z", "2021-01-04 14:30:00Z"), "does not exist"),
        ],
    )
    def test_bad_files_are_refused(self, tmp_path, rows, says):
        (tmp_path / "A.csv").write_text("Datetime,Close\n" + "".join(f"{row},10\n" for row in rows))
        with pytest.raises((InputError, BadPrices), match=says):
            es.read_prices(tmp_path)

    def test_a_file_that_changes_its_step_is_refused(self):
        half = pd.date_range("2021-01-04 14:30", periods=60, freq="30min")
        whole = pd.date_range(half[-1] + pd.Timedelta("1h"), periods=60, freq="1h")
        mixed = half.append(whole).to_numpy().astype("datetime64[s]")
        with pytest.raises(BadPrices, match=r"mixed steps.*30 minutes.*60 minutes"):
            step_of("A", mixed)

    def test_dates_and_step_must_agree(self):
        one = {"close": np.array([1.0])}
        with pytest.raises(BadPrices, match="step"):
            Bars("A", starts("2021-01-04T14:30"), one)
        with pytest.raises(BadPrices, match="step"):
            Bars("A", np.array(["2021-01-04"], dtype="datetime64[D]"), one, step=HOUR)


class TestEnds:
    def test_a_bar_ends_where_the_next_begins_or_trading_stops(self):
        # The half hour before the opening; the last half hour of trading; lunch in Hong Kong.
        new_york = starts("2021-01-04T14:00", "2021-01-04T14:30", "2021-01-04T20:30", "2021-01-05T14:30")
        wanted = starts("2021-01-04T14:30", "2021-01-04T15:30", "2021-01-04T21:00", "2021-01-05T15:30")
        np.testing.assert_array_equal(bar_ends("XNYS", new_york, HOUR), wanted)
        hong_kong = starts("2021-01-04T02:30", "2021-01-04T03:30", "2021-01-04T05:00", "2021-01-04T07:00")
        wanted = starts("2021-01-04T03:30", "2021-01-04T04:00", "2021-01-04T06:00", "2021-01-04T08:00")
        np.testing.assert_array_equal(bar_ends("XHKG", hong_kong, HOUR), wanted)

    def test_a_bar_over_the_close_that_others_follow_without_a_gap_goes_on(self):
        over = starts("2021-01-04T20:30", "2021-01-04T21:30")
        np.testing.assert_array_equal(bar_ends("XNYS", over, HOUR), over + HOUR)

    def test_an_early_close_cuts_a_bar(self):
        day_after_thanksgiving = starts("2021-11-26T17:30")  # 12:30; the close is at 13:00
        np.testing.assert_array_equal(bar_ends("XNYS", day_after_thanksgiving, HOUR), starts("2021-11-26T18:00"))

    def test_without_an_exchange_only_the_next_bar_is_known(self):
        some = starts("2021-01-04T20:30", "2021-01-04T21:00", "2021-01-05T14:30")
        wanted = starts("2021-01-04T21:00", "2021-01-04T22:00", "2021-01-05T15:30")
        np.testing.assert_array_equal(bar_ends(None, some, HOUR), wanted)

    def test_the_bars_of_the_real_files(self, hourly):
        calendar = observed_calendar("XNYS", list(hourly.bars.values()))
        length = (calendar.closes - calendar.dates) / HOUR
        there = pd.DatetimeIndex(calendar.dates).tz_localize("UTC").tz_convert("America/New_York")
        assert set(length) == {0.5, 1.0}
        assert set(there[length == 0.5].strftime("%H:%M")) == {"09:00", "15:30"}

    def test_the_clock_is_local(self):
        march = starts("2021-03-12T14:30", "2021-03-15T13:30", "2021-11-05T13:30", "2021-11-08T14:30")
        np.testing.assert_array_equal(seconds_of_day("XNYS", march), np.full(4, 9.5 * 3600))
        np.testing.assert_array_equal(seconds_of_day("XNYS", march.astype("datetime64[D]")), np.zeros(4))


class TestHoles:
    def test_a_session_without_bars_is_one_bar_without_a_price(self, hourly):
        calendar = observed_calendar("XNYS", list(hourly.bars.values()))
        empty, days = missing_sessions("XNYS", np.unique(np.concatenate([b.dates for b in hourly.bars.values()])), HOUR)
        assert "2021-08-31" in days.astype(str)  # the files have that evening alone
        assert np.isin(empty, calendar.dates).all()
        assert any("2021-08-31" in note for note in calendar.notes)

    def test_no_return_spans_a_missing_session(self, hourly):
        found = es.Study(model="mean", **CHOICES).run(events(("E", "NTES", "2021-08-30T17:30+08:00")), hourly)
        path = found.path("E")
        evening = path["time"].astype(str) == "2021-08-31 18:00:00-04:00"
        assert evening.sum() == 1
        assert path["ar"][evening].isna().all()

    def test_prices_of_other_hours_have_no_holes(self, hourly):
        evening = transform.hours(hourly, "16:00", "20:00")
        assert len(missing_sessions("XNYS", evening.bars["BABA"].dates, HOUR)[0]) == 0


class TestPlacement:
    @pytest.mark.parametrize(
        ("announced", "bar", "why"),
        [
            ("2021-09-13T08:59:59-04:00", "2021-09-13 08:00:00-04:00", "within the bar"),
            ("2021-09-13T09:00:00-04:00", "2021-09-13 09:00:00-04:00", "within the bar"),  # the bar before has ended
            ("2021-09-13T09:29:59-04:00", "2021-09-13 09:00:00-04:00", "within the bar"),
            ("2021-09-13T09:30:00-04:00", "2021-09-13 09:30:00-04:00", "within the bar"),
            ("2021-09-13T15:59:00-04:00", "2021-09-13 15:30:00-04:00", "within the bar"),
            ("2021-09-11T12:00:00-04:00", "2021-09-13 04:00:00-04:00", "between bars: next bar"),  # a Saturday
            (
                "2021-09-13T10:30:00+08:00",
                "2021-09-13 04:00:00-04:00",
                "between bars: next bar",
            ),  # the night in New York
            ("2021-03-12T10:00:00-05:00", "2021-03-12 09:30:00-05:00", "within the bar"),
            ("2021-03-15T10:00:00-04:00", "2021-03-15 09:30:00-04:00", "within the bar"),  # summer time since Sunday
            ("2021-03-15T22:00:00+08:00", "2021-03-15 09:30:00-04:00", "within the bar"),
            ("2021-11-05T22:00:00+08:00", "2021-11-05 09:30:00-04:00", "within the bar"),
            ("2021-11-08T22:00:00+08:00", "2021-11-08 09:00:00-05:00", "within the bar"),  # 09:00 since Sunday
        ],
    )
    def test_an_event_falls_on_the_first_bar_that_ends_after_it(self, hourly, announced, bar, why):
        its = es.Study(model="mean", **CHOICES).check(events(("E", "BABA", announced)), hourly).loc["E"]
        assert str(its["session"]) == bar
        assert its["placement"] == why

    @pytest.mark.parametrize("policy", ["next", "previous", "drop", "raise"])
    def test_a_date_alone_names_no_bar_and_stops_no_other(self, hourly, policy):
        given = events(("DATE", "BABA", "2021-09-13"), ("TIME", "BABA", "2021-09-13T10:30+08:00"))
        found = es.Study(model="mean", on_closed=policy, **CHOICES).check(given, hourly)
        assert found["status"].tolist() == ["closed", "ok"]
        assert found.loc["DATE", "reason"] == "a date alone names no bar; give a time of day"
        assert pd.isna(found.loc["DATE", "session"])

    def test_events_before_and_after_the_bars_are_outside(self, hourly):
        given = events(("ANT", "BABA", "2020-11-03T20:40+08:00"), ("LATE", "BABA", "2022-03-01T12:00Z"))
        found = es.Study(model="mean", **CHOICES).check(given, hourly)
        assert found["status"].tolist() == ["outside_calendar"] * 2
        assert "from 2021-01-04 04:00-05:00 to" in found.loc["ANT", "reason"]

    def test_bars_without_an_exchange_are_in_utc(self):
        wide = pd.DataFrame({"A": np.linspace(10, 12, 130), "B": np.linspace(5, 9, 130)}, index=regular(10))
        study = es.Study(model="mean", estimation=(-60, -2), event=(-1, 1), windows=((0, 0),), min_estimation=20)
        its = study.check(events(("E", "A", "2021-01-13T12:10-05:00")), es.Prices.from_frame(wide)).loc["E"]
        assert str(its["session"]) == "2021-01-13 17:00:00+00:00"


class TestKinds:
    def test_a_daily_benchmark_of_bars_is_refused(self, hourly):
        daily = es.Prices.from_frame(pd.DataFrame({"^HSI": [1.0, 2.0]}, index=["2021-01-04", "2021-01-05"]), "XHKG")
        both = es.Prices({**hourly.bars, **daily.bars})
        with pytest.raises(InputError, match=r"NTES has bars of 60 minutes and \^HSI has daily prices"):
            es.Study(benchmark="^HSI", **CHOICES).check(events(("E", "BABA", "2021-09-13T10:30+08:00")), both)

    def test_bars_of_two_lengths_are_refused(self, hourly):
        wide = pd.DataFrame({"HALF": np.arange(1.0, 27.0)}, index=regular(2))
        both = es.Prices({**hourly.bars, **es.Prices.from_frame(wide, "XNYS").bars})
        with pytest.raises(InputError, match="bars of 60 minutes and HALF has bars of 30 minutes"):
            es.Study(model="mean", **CHOICES).check(events(("E", "BABA", "2021-09-13T10:30+08:00")), both)

    def test_daily_factors_of_bars_are_refused(self, hourly):
        factors = pd.DataFrame({"F": [0.01, 0.02]}, index=["2021-01-04", "2021-01-05"])
        with pytest.raises(InputError, match="factor F has one value a day"):
            es.Study(model=es.model("factors", names=["F"]), **CHOICES).check(
                events(("E", "BABA", "2021-09-13T10:30+08:00")), hourly, factors=factors
            )

    @pytest.mark.thorough
    def test_factors_by_the_bar_are_the_benchmark_by_another_name(self, hourly, shared):
        given = events(("E", "BABA", "2021-09-13T10:30+08:00"))
        moves = local(shared, "XPEV")["close"].pct_change(fill_method=None)
        # The empty bars of missing sessions break the benchmark's returns, and the factor's must break there too.
        calendar = pd.DatetimeIndex(observed_calendar("XNYS", list(hourly.bars.values())).dates).tz_localize("UTC")
        on_all = local(shared, "XPEV")["close"].tz_convert("UTC").reindex(calendar).pct_change(fill_method=None)
        assert on_all.notna().sum() < moves.notna().sum()
        as_factor = es.Study(model=es.model("factors", names=["F"]), **CHOICES).run(
            given, hourly, factors=on_all.to_frame("F")
        )
        as_benchmark = es.Study(model="market", benchmark="XPEV", **CHOICES).run(given, hourly)
        np.testing.assert_allclose(as_factor.ar, as_benchmark.ar, rtol=1e-10)

    def test_too_few_bars(self, hourly):
        given = events(("E", "BABA", "2021-01-06T10:30+08:00"))
        found = es.Study(model="clock", **CHOICES).run(given, hourly)
        assert found.events["status"].tolist() == ["too_few_estimation"]

    def test_monthly_is_for_daily_prices_and_hours_are_for_bars(self, hourly):
        with pytest.raises(InputError, match="monthly is for daily prices"):
            transform.monthly(hourly)
        daily = es.Prices.from_frame(pd.DataFrame({"A": [1.0, 2.0]}, index=["2021-01-04", "2021-01-05"]))
        for make in (transform.overnight, lambda p: transform.hours(p, "09:30", "16:00")):
            with pytest.raises(InputError, match="A have daily prices"):
                make(daily)


class TestTransforms:
    def test_the_night_and_the_first_bar_multiply_to_the_first_bars_return(self, hourly):
        parted = transform.overnight(hourly)
        for ticker in ("BABA", "XPEV"):
            old, new = hourly.frame(ticker), parted.frame(ticker)
            index = pd.DatetimeIndex(new.index)
            nights = index[index.second == 59]
            assert len(nights) == 244  # 245 days with an opening at 04:00, the first of them without a night before
            first = nights + pd.Timedelta("1s")
            np.testing.assert_array_equal(new.loc[nights, "close"], old.loc[first, "open"])
            before, after = old["close"].pct_change(fill_method=None), new["close"].pct_change(fill_method=None)
            together = (1 + after.loc[nights].to_numpy()) * (1 + after.loc[first].to_numpy()) - 1
            np.testing.assert_allclose(together, before.loc[first], rtol=0, atol=1e-14)
            kept = new.drop(nights)
            pd.testing.assert_frame_equal(kept, old)
        assert "night is missing" in parted.provenance["noticed"]["NTES"][0]  # it does not trade at 04:00 every day

    def test_an_announcement_at_night_falls_on_the_night(self, hourly):
        given = events(("NIGHT", "BABA", "2021-09-13T10:30+08:00"), ("FOUR", "BABA", "2021-09-13T04:00-04:00"))
        found = es.Study(model="clock", **CHOICES).check(given, transform.overnight(hourly))
        assert found["session"].astype(str).tolist() == ["2021-09-13 03:59:59-04:00", "2021-09-13 04:00:00-04:00"]

    def test_overnight_needs_opens(self):
        wide = pd.DataFrame({"A": np.arange(1.0, 27.0)}, index=regular(2))
        with pytest.raises(InputError, match="A have no open"):
            transform.overnight(es.Prices.from_frame(wide))

    def test_a_series_is_attached_by_the_bar(self, hourly):
        spread = hourly.frame("BABA")[["close"]].rename(columns={"close": "BABA"}) * 0.001
        made = transform.attach(hourly, "spread", spread).frame("BABA")
        np.testing.assert_array_equal(made["spread"], spread["BABA"])
        daily = pd.DataFrame({"BABA": [0.1, 0.2]}, index=["2021-01-04", "2021-01-05"])
        with pytest.raises(InputError, match="index it by the starts of bars, with their time zone"):
            transform.attach(hourly, "spread", daily)

    def test_portfolios_and_delistings_are_by_the_bar(self, hourly, shared):
        made = transform.portfolio(hourly, ["BABA", "XPEV"], "TWO").frame("TWO")["close"].pct_change(fill_method=None)
        moves = [local(shared, t)["close"].pct_change(fill_method=None) for t in ("BABA", "XPEV")]
        wanted = (moves[0] + moves[1]) / 2
        np.testing.assert_allclose(made.iloc[1:], wanted.iloc[1:], rtol=0, atol=1e-13)
        short = replace(hourly.bars["BABA"])
        early = replace(short, dates=short.dates[:100], fields={k: v[:100] for k, v in short.fields.items()})
        ended = transform.delisted(es.Prices({**hourly.bars, "BABA": early}), {"BABA": -0.5}).frame("BABA")
        assert ended.index[-1] == hourly.frame("XPEV").index[100]
        np.testing.assert_allclose(ended["close"].iloc[-1], ended["close"].iloc[-2] / 2)

    def test_a_market_that_never_stops_has_no_night(self):
        index = pd.date_range("2021-01-04", periods=72, freq="1h", tz="UTC")
        made = es.Prices.from_frame(pd.DataFrame({"BTC-USD": np.arange(1.0, 73.0)}, index=index)).bars["BTC-USD"]
        whole = es.Prices({"BTC-USD": replace(made, fields={**made.fields, "open": made.fields["close"]})})
        assert len(transform.overnight(whole).bars["BTC-USD"].dates) == 72

    def test_hours_are_those_at_the_exchange_in_summer_and_winter(self, hourly, shared):
        kept = transform.hours(hourly, "09:30", "16:00")
        for ticker in TICKERS:
            wanted = local(shared, ticker).between_time("09:30", "15:59")
            np.testing.assert_array_equal(kept.frame(ticker)["close"], wanted["close"])

    @pytest.mark.parametrize(
        ("first", "last", "says"),
        [
            ("9:30", "16:00", "first is '9:30'"),
            ("16:00", "09:30", "first must be the earlier time"),
            ("01:00", "02:00", "no bar"),
        ],
    )
    def test_bad_hours_are_refused(self, hourly, first, last, says):
        with pytest.raises(InputError, match=says):
            transform.hours(hourly, first, last)


def by_hand(r: pd.Series[float], when: pd.Series[str], n_est: int, weights: np.ndarray) -> dict[str, Any]:
    """Do the clock model by pandas: means and variances of the estimation window by clock time."""
    before, after = r.iloc[:n_est].groupby(when.iloc[:n_est].to_numpy()), r.iloc[n_est:]
    slots = when.iloc[n_est:].to_numpy()
    mean, variance, count = (getattr(before, name)().reindex(slots).to_numpy() for name in ("mean", "var", "count"))
    ar = after.to_numpy() - mean
    total = float((weights**2 * variance).sum())
    for slot in set(slots):
        same = slots == slot
        total += variance[same][0] / count[same][0] * weights[same].sum() ** 2
    return {"ar": ar, "var": total, "dof": count.min() - 1.0, "car": float(weights @ ar)}


class TestClock:
    @pytest.mark.parametrize(
        ("ticker", "announced"),
        [("BABA", "2021-06-15T10:00-04:00"), ("XPEV", "2021-09-13T10:30+08:00"), ("BABA", "2021-11-23T04:10-05:00")],
    )
    def test_it_is_means_and_variances_by_clock_time_in_pandas(self, hourly, shared, ticker, announced):
        found = es.Study(model="clock", **CHOICES).run(events(("E", ticker, announced)), hourly)
        calendar = pd.DatetimeIndex(observed_calendar("XNYS", list(hourly.bars.values())).dates).tz_localize("UTC")
        close = local(shared, ticker)["close"].tz_convert("UTC").reindex(calendar)
        r = close.pct_change(fill_method=None)
        zero = calendar.get_indexer(pd.DatetimeIndex(found.events["session"]).tz_convert("UTC"))[0]
        rows = np.r_[zero - 800 : zero - 16, zero - 8 : zero + 17]
        when = pd.Series(calendar[rows].tz_convert("America/New_York").strftime("%H:%M"))
        for start, end in CHOICES["windows"]:
            inside = (np.arange(-8, 17) >= start) & (np.arange(-8, 17) <= end)
            wanted = by_hand(r.iloc[rows], when, 784, inside.astype(float))
            its = found.cars[(found.cars["start"] == start) & (found.cars["end"] == end)].iloc[0]
            np.testing.assert_allclose(found.ar.loc["E"], wanted["ar"], atol=1e-15)
            np.testing.assert_allclose(its["car"], wanted["car"], atol=1e-14)
            np.testing.assert_allclose(its["se"], np.sqrt(wanted["var"]), rtol=1e-10)
            assert its["df"] == wanted["dof"]
            np.testing.assert_allclose(
                its["p"], 2 * stats.t.sf(abs(wanted["car"]) / np.sqrt(wanted["var"]), wanted["dof"]), rtol=1e-8
            )

    def test_on_daily_prices_it_is_the_constant_mean(self):
        rng = np.random.default_rng(1)
        r = rng.standard_normal((5, 80))
        flat = np.zeros(5, dtype=np.int64)
        block = Block(
            r, rng.random(r.shape) > 0.05, np.zeros((5, 80, 1)), 60, np.arange(5), flat, flat, np.ones(5), 1, 1
        )
        found, mean = es.model("clock").fit(block), es.model("mean").fit(replace(block, x=np.empty((5, 80, 0))))
        for name in ("ar", "sigma", "dof", "coef"):
            np.testing.assert_allclose(getattr(found, name), getattr(mean, name), rtol=1e-12, atol=1e-15, err_msg=name)
        weights = rng.standard_normal(20)
        factors = [((weights @ made.h[:, 60:]) ** 2).sum(axis=1) for made in (found, mean)]
        suffix = [made.h[:, 60:].transpose(0, 2, 1) @ weights for made in (found, mean)]
        np.testing.assert_allclose((suffix[0] ** 2).sum(axis=1), (suffix[1] ** 2).sum(axis=1), rtol=1e-12)
        assert len(factors) == 2

    @pytest.mark.parametrize("missing", [0.0, 0.1])
    def test_with_a_benchmark_it_is_least_squares_with_a_dummy_for_each_clock_time(self, missing):
        rng = np.random.default_rng(2)
        n_est, n_evt = 240, 9
        slot = np.arange(n_est + n_evt) % 6
        x = rng.standard_normal(n_est + n_evt)
        scale = np.array([3.0, 1.0, 0.5, 0.5, 1.0, 2.0])[slot]
        r = 0.2 * slot + 1.3 * x + scale * rng.standard_normal(len(x))
        flat = np.zeros(1, dtype=np.int64)
        ok = (np.random.default_rng(12).random(len(r)) >= missing) | (np.arange(len(r)) >= n_est)
        block = Block(
            r[None], ok[None], np.stack([3600.0 * slot, x], axis=1)[None], n_est, flat, flat, flat, np.ones(1), 1, 1
        )
        made = es.model("clock", benchmark=True).fit(block)
        design = np.column_stack([np.eye(6)[slot], x])
        est = np.flatnonzero(ok[:n_est])
        assert (len(est) < n_est) == (missing > 0)
        b, *_ = np.linalg.lstsq(design[est], r[est], rcond=None)
        e = r - design @ b
        np.testing.assert_allclose(made.ar[0], np.where(ok, e, 0.0), atol=1e-12)
        np.testing.assert_allclose(made.coef[0, 1], b[-1], rtol=1e-12)
        counts = np.bincount(slot[est])
        variance = np.bincount(slot[est], e[est] ** 2) / (counts - 1)
        # The sandwich by clock time, written out: (X'X)^-1 X' diag(s^2) X (X'X)^-1.
        inverse = np.linalg.inv(design[est].T @ design[est])
        spread = inverse @ (design[est].T * variance[slot[est]]) @ design[est] @ inverse
        weights = rng.standard_normal(n_evt)
        late = weights @ design[n_est:]
        wanted = (weights**2 * variance[slot[n_est:]]).sum() + late @ spread @ late
        its = made.sigma[0] ** 2 * ((weights**2 * made.v[0, n_est:]).sum() + ((weights @ made.h[0, n_est:]) ** 2).sum())
        np.testing.assert_allclose(its, wanted, rtol=1e-10)
        assert made.dof[0] == counts.min() - 2

    def test_a_clock_time_with_too_few_bars_has_no_abnormal_return(self):
        rng = np.random.default_rng(3)
        slot = np.concatenate([np.tile([0, 1], 30), [2, 2, 2, 2], [0, 1, 2]])
        r = rng.standard_normal(len(slot))[None]
        flat = np.zeros(1, dtype=np.int64)
        block = Block(r, np.ones(r.shape, bool), slot[None, :, None] * 60.0, 64, flat, flat, flat, np.ones(1), 1, 1)
        made = es.model("clock").fit(block)
        assert made.ok[0, -3:].tolist() == [True, True, False]
        assert made.ok[0, 60:64].tolist() == [False] * 4
        assert made.ar[0, -1] == 0
        only = es.model("clock").fit(replace(block, ok=np.where(np.arange(67) >= 64, slot == 2, True)[None]))
        assert only.status[0] == Status.TOO_FEW_ESTIMATION

    def test_a_clock_time_that_does_not_vary_has_no_abnormal_return(self):
        rng = np.random.default_rng(4)
        slot = np.tile([0, 1], 40)
        r = np.where(slot == 1, 0.0, rng.standard_normal(80))[None]
        flat = np.zeros(1, dtype=np.int64)
        block = Block(r, np.ones(r.shape, bool), slot[None, :, None] * 60.0, 70, flat, flat, flat, np.ones(1), 1, 1)
        with np.errstate(all="raise"):
            made = es.model("clock").fit(block)
        assert made.status[0] == Status.OK
        assert not made.ok[0, slot == 1].any()
        assert made.ok[0, slot == 0].all()

    def test_its_option_is_a_truth_value(self):
        with pytest.raises(InputError, match="True or False"):
            es.model("clock", benchmark="^HSI")

    @pytest.mark.thorough
    @pytest.mark.parametrize("n", [1000, pytest.param(4000, marks=pytest.mark.full)])
    def test_its_size_is_right_at_the_open_where_that_of_the_mean_is_far_off(self, n):
        """13 half hours with a U of volatility, 3 at the open to 0.5 at noon, 60 days to estimate, n events."""
        rng = np.random.default_rng(5)
        days, bars = 61, 13
        shape = 0.5 + 2.5 * ((np.arange(bars) - 6) / 6) ** 2
        r = (shape * rng.standard_normal((n, days, bars))).reshape(n, -1)
        n_est = 60 * bars
        time = np.broadcast_to(1800.0 * np.tile(np.arange(bars), days), r.shape)[..., None]
        flat = np.zeros(n, dtype=np.int64)
        block = Block(r, np.ones(r.shape, bool), time, n_est, np.arange(n), flat, flat, np.ones(n), 1, 1)
        rate: dict[str, list[float]] = {}
        for name in ("clock", "mean"):
            made = es.model(name).fit(block)
            v = np.ones(r.shape) if made.v is None else made.v
            rate[name] = []
            for window in ([0], [6], [0, 1, 2]):
                at = n_est + np.array(window)
                spread = v[:, at].sum(axis=1) + (made.h[:, at].sum(axis=1) ** 2).sum(axis=1)
                t = made.ar[:, at].sum(axis=1) / (made.sigma * np.sqrt(spread))
                rate[name].append(float((2 * stats.t.sf(np.abs(t), made.dof) < 0.05).mean()))
        three_errors = 3 * np.sqrt(0.05 * 0.95 / n)
        assert all(abs(share - 0.05) < three_errors for share in rate["clock"])
        assert rate["mean"][0] > 0.25  # at the open nearly every third bar is an event
        assert rate["mean"][1] < 0.001  # and at noon none is


@pytest.fixture(scope="module")
def found(hourly: es.Prices) -> es.Result:
    given = events(
        ("GAMING", "NTES", "2021-08-30T17:30+08:00"), ("ALIPAY", "BABA", "2021-09-13T09:30+08:00"),
        ("DATE", "BABA", "2021-09-13"), ("XPEV", "XPEV", "2021-09-13T10:30+08:00"),
    )  # fmt: skip
    return es.Study(model="clock", **CHOICES).run(given, hourly)


@pytest.mark.thorough
def test_the_example_finds_the_hour(shared, tmp_path, monkeypatch, capsys):
    script = Path(__file__).parents[1] / "examples" / "intraday_2021" / "hours.py"
    bars = shared / "data" / "intraday"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["hours.py", str(bars)])
    its = runpy.run_path(str(script), run_name="__main__")
    said = capsys.readouterr().out
    assert "30 Aug 05:00     -8.57%" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alipay_split.png", "gaming_hours.png"]
    result = its["run"](bars)
    gaming, alipay = (its["table"](result, name) for name in ("GAMING_HOURS", "ALIPAY_SPLIT"))
    assert gaming["t"].abs().idxmax() == 0
    assert str(gaming.loc[0, "time"]) == "2021-08-30 05:00:00-04:00"
    assert (gaming["p"].drop(0).dropna() > 0.05).all()
    assert (alipay["p"] > 0.05).all()
    raw = local(shared, "BABA")
    friday, monday = raw["close"].loc["2021-09-10"].iloc[-1], raw["open"].loc["2021-09-13"].iloc[0]
    np.testing.assert_allclose(result.reactions.loc["ALIPAY_SPLIT", "close"], monday / friday - 1, rtol=1e-12)


class TestDownstream:
    def test_reactions_are_the_plain_returns_of_the_bar(self, found, shared):
        frame = local(shared, "NTES")
        at = frame.index.get_loc(pd.Timestamp("2021-08-30 05:00-04:00"))
        its = found.reactions.loc["GAMING"]
        for name in ("open", "high", "low", "close"):
            wanted = frame[name].iloc[at] / frame["close"].iloc[at - 1] - 1
            np.testing.assert_allclose(its[name], wanted, rtol=1e-12)
        assert str(its["session"]) == "2021-08-30 05:00:00-04:00"

    def test_sessions_are_times_at_the_exchange(self, found):
        assert str(found.events["session"].dtype).endswith("America/New_York]")
        assert str(found.events.loc["ALIPAY", "session"]) == "2021-09-13 04:00:00-04:00"

    @pytest.mark.thorough
    def test_reports_speak_of_bars_with_their_offsets(self, found, hourly, tmp_path):
        said = text(found)
        assert "2021-08-30 05:00-04:00" in said
        assert "The bar itself" in said
        assert "Session" not in said
        assert max(map(len, said.splitlines())) <= 100
        its = placement(es.Study(model="clock", **CHOICES).check(found.rerun.data.events, hourly))
        assert " Bar " in its
        for suffix in ("html", "tex", "csv"):
            assert "2021-08-30" in found.report(tmp_path / f"r.{suffix}").read_text(encoding="utf-8")
        assert "2021-08-30T05:00:00-04:00" in (tmp_path / "r.csv").read_text(encoding="utf-8")

    def test_steps_of_the_window_are_bars_in_tables_figures_and_reports(self, found, tmp_path):
        table = found.table("aar")
        assert "of each bar" in table.title
        assert table.columns[0].whole == "Bar"
        assert any("on the bar." in note for note in table.notes)
        words = [_alt.alt_text(kind, found) for kind in ("aar", "ar", "caar", "heatmap", "path")]
        words.append(found.report(tmp_path / "r.html").read_text(encoding="utf-8").split("</style>")[-1])
        days = re.compile(r"(?:on|from|is|to) day [−0-9]|(?:by|each|many) days?\b")
        assert [days.findall(text) for text in words] == [[]] * len(words)

    def test_the_path_is_the_running_sum_with_the_errors_of_its_windows(self, found):
        path = found.path("GAMING", 0)
        its = found.cars[(found.cars["event_id"] == "GAMING") & (found.cars["start"] == 0)].set_index("end")
        for end in (0, 6):
            np.testing.assert_allclose(
                path.loc[end, ["car", "se"]].astype(float), its.loc[end, ["car", "se"]].astype(float)
            )
            reach = stats.t.ppf(0.975, its.loc[end, "df"]) * its.loc[end, "se"]
            np.testing.assert_allclose(path.loc[end, "upper"] - path.loc[end, "car"], reach, rtol=1e-10)
        np.testing.assert_allclose(path["car"], path["ar"].fillna(0).cumsum(), atol=1e-14)
        assert str(path["time"].iloc[5]) == "2021-08-30 09:30:00-04:00"
        with pytest.raises(InputError, match="start is 99"):
            found.path("GAMING", 99)
        with pytest.raises(InputError, match="'DATE' has no abnormal returns"):
            found.path("DATE")

    @pytest.mark.thorough
    @pytest.mark.parametrize("kind", ["timeline", "events", "caar", "ar", "path"])
    def test_figures_are_drawn(self, found, kind, tmp_path):
        axes = np.ravel(found.plot(kind))
        axes[0].figure.savefig(tmp_path / "a.png")
        labels = [ax.get_xlabel() for ax in axes] + [axes[0].figure.get_supxlabel()]
        assert not any("Session" in label for label in labels)

    @pytest.mark.thorough
    def test_the_path_is_labelled_by_the_clock_and_its_nights_are_shaded(self, found):
        ax: Any = found.plot("path", event_id="GAMING")
        labels = [tick.get_text() for tick in ax.get_xticklabels()]
        assert "05:00" in labels
        assert ax.get_xlabel().startswith("Start of the bar, America/New_York: Fri 27 Aug, Mon 30 Aug")

    def test_the_timeline_has_windows_of_some_hours(self, found):
        ax: Any = found.plot("timeline")
        boxes = [path.get_extents() for c in ax.collections for path in c.get_paths() if hasattr(c, "get_paths")]
        spans = [box.width for box in boxes if 0.3 < box.height < 1]
        assert spans
        assert max(spans) < 5  # days

    @pytest.mark.thorough
    def test_diagnosis_calibration_and_placebo_dates_run(self, found):
        assert "contaminated estimation" in diagnosis.text(found.diagnose())
        assert len(found.calibrate(draws=100).frame) > 0
        assert found.band(draws=99)["lower"].notna().any()

    def test_other_news_is_found_by_the_bar(self, hourly):
        given = events(
            ("A", "BABA", "2021-09-13T10:30-04:00"), ("B", "BABA", "2021-09-13T13:30-04:00"),
            ("C", "BABA", "2021-09-20T13:30-04:00"),
        )  # fmt: skip
        study = es.Study(model="mean", confounding=(-4, 4), **CHOICES)
        found = study.check(given, hourly)
        assert found["status"].tolist() == ["confounded", "confounded", "ok"]
        assert "on 2021-09-13 13:30-04:00" in found.loc["A", "reason"]
        masked = es.Study(model="mean", contaminated="mask", **CHOICES).check(given, hourly)
        assert masked["n_contaminated"].tolist() == [0, 0, 25 + 3]  # their windows together, three bars apart
        assert masked["status"].tolist() == ["ok"] * 3
