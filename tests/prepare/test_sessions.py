"""Sessions as prices show them: what opens one, what is left out, closes that are not known, or that are stated."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy import markets, studyfile
from eventstudy.bars import Bars
from eventstudy.errors import InputError
from eventstudy.prepare.calendar import UNKNOWN_CLOSE, observed_calendar, place
from eventstudy.types import Calendar, Status

SESSIONS = markets.sessions_between("XETR", "2019-01-02", "2019-12-30")
HOLIDAY = np.datetime64("2019-12-24")  # no session of Xetra
SATURDAY = np.datetime64("2019-06-15")


def levels(seed: int, n: int = len(SESSIONS)) -> np.ndarray:
    return 100 * np.cumprod(1 + 0.01 * np.random.default_rng(seed).standard_normal(n))


def share(ticker: str, seed: int, extra: dict[Any, Any] | None = None, mic: str | None = "XETR", **more: Any) -> Bars:
    """Make a share with a price on all sessions, and on further days: None repeats the price before."""
    series = pd.Series(levels(seed), pd.DatetimeIndex(SESSIONS))
    added = pd.Series({pd.Timestamp(day): price for day, price in (extra or {}).items()}, dtype=float)
    kept = series.drop(added.index, errors="ignore")
    series = (pd.concat([kept, added]).sort_index() if len(added) else kept).ffill()
    dates = series.index.to_numpy().astype("datetime64[D]")
    return Bars(ticker, dates, {"close": series.to_numpy(), **{k: v(series) for k, v in more.items()}}, mic)


def extra_of(calendar: Calendar) -> list[str]:
    return [str(day) for day in calendar.dates[~np.isin(calendar.dates, markets.sessions("XETR")[0])]]


def test_a_padded_row_opens_no_session_and_a_note_names_it() -> None:
    padded = share("SAP.DE", 1, {HOLIDAY: None})
    calendar = observed_calendar("XETR", [padded, share("BAS.DE", 2), share("BMW.DE", 3)])
    assert extra_of(calendar) == []
    assert any("SAP.DE on 2019-12-24" in note and "left out" in note for note in calendar.notes)
    alone = observed_calendar("XETR", [padded])
    assert extra_of(alone) == []


def test_a_frame_that_is_filled_forward_opens_no_session() -> None:
    every = pd.date_range("2019-01-02", "2019-12-30")
    bars = []
    for seed in (1, 2, 3):
        series = pd.Series(levels(seed), pd.DatetimeIndex(SESSIONS)).reindex(every, method="ffill")
        volume = pd.Series(1000.0 + np.arange(len(SESSIONS)), pd.DatetimeIndex(SESSIONS)).reindex(every, method="ffill")
        fields = {"close": series.to_numpy(), "volume": volume.to_numpy()}
        bars.append(Bars(f"S{seed}.DE", every.to_numpy().astype("datetime64[D]"), fields, "XETR"))
    assert extra_of(observed_calendar("XETR", bars)) == []


def test_a_session_on_which_nothing_traded_is_closed_unless_it_is_stated() -> None:
    """One ticker repeats its price on a Monday, and the other has no row."""
    monday = np.datetime64("2019-06-17")
    other = share("BAS.DE", 2)
    keep = other.dates != monday
    other = Bars("BAS.DE", other.dates[keep], {"close": other.fields["close"][keep]}, "XETR")
    bars = [share("SAP.DE", 1, {monday: None}), other]
    assert monday not in observed_calendar("XETR", bars).dates
    assert monday in observed_calendar("XETR", bars, stated=(("2019-06-17", "14:00"),)).dates


@pytest.mark.parametrize(("n_traded", "opened"), [(1, False), (2, True), (4, True)])
def test_half_of_the_tickers_open_a_session_and_fewer_do_not(n_traded: int, opened: bool) -> None:
    bars = [share(f"S{i}.DE", i, {SATURDAY: 101.5} if i < n_traded else None) for i in range(4)]
    calendar = observed_calendar("XETR", bars)
    assert extra_of(calendar) == (["2019-06-15"] if opened else [])
    assert [str(day) for day in calendar.unknown] == extra_of(calendar)


def test_a_day_with_a_volume_and_an_unchanged_close_traded() -> None:
    def volume(series: pd.Series) -> np.ndarray:
        return np.where(series.index == pd.Timestamp(SATURDAY), 17.0, 1000.0)

    assert extra_of(observed_calendar("XETR", [share("A", 1, {SATURDAY: None}, volume=volume)])) == ["2019-06-15"]
    none = share("A", 1, {SATURDAY: None}, volume=lambda series: np.zeros(len(series)))
    assert extra_of(observed_calendar("XETR", [none])) == []


def test_the_close_of_a_session_that_only_prices_show_is_not_known() -> None:
    calendar = observed_calendar("XETR", [share(f"S{i}.DE", i, {SATURDAY: 101.5}) for i in range(3)])
    local = ["2019-06-14T18:00", "2019-06-15T10:00", "2019-06-15T23:30", "2019-06-16T00:30"]
    stamps = pd.DatetimeIndex(local).tz_localize("Europe/Berlin").tz_convert("UTC")
    placed = place(pd.DataFrame({"stamp": stamps, "date": pd.DatetimeIndex([t[:10] for t in local])}), calendar, "next")
    assert [str(day) for day in calendar.dates[placed.position]] == [*["2019-06-15"] * 3, "2019-06-17"]
    assert placed.rule.tolist() == ["after the close: next session", UNKNOWN_CLOSE, UNKNOWN_CLOSE,
                                    "closed day: next session"]  # fmt: skip
    assert (placed.status == Status.OK).all()


def test_a_time_outside_a_calendar_without_closes_is_outside_the_calendar() -> None:
    calendar = Calendar(None, np.array(["2021-01-04", "2021-01-05"], dtype="M8[D]"), None)
    stamps = pd.DatetimeIndex(["2020-01-06T10:00", "2021-01-04T10:00", "2022-01-06T10:00"], tz="UTC")
    placed = place(pd.DataFrame({"stamp": stamps, "date": stamps.tz_localize(None).normalize()}), calendar, "next")
    assert placed.status.tolist() == [Status.OUTSIDE_CALENDAR, Status.OK, Status.OUTSIDE_CALENDAR]


def test_a_policy_that_is_none_is_refused() -> None:
    frame = pd.DataFrame({"stamp": pd.DatetimeIndex([None], tz="UTC"), "date": pd.DatetimeIndex(["2019-06-17"])})
    with pytest.raises(InputError, match=r"^on_closed is 'later'; valid are 'next', 'previous', 'drop', 'raise'"):
        place(frame, observed_calendar("XETR", [share("SAP.DE", 1)]), "later")


@pytest.mark.parametrize("unit", ["D", "s"])
@pytest.mark.parametrize("closes", [None, np.empty(0, dtype="M8[ns]")])
def test_every_event_is_outside_a_calendar_without_sessions(closes: np.ndarray | None, unit: str) -> None:
    calendar = Calendar("XNYS", np.empty(0, dtype=f"M8[{unit}]"), closes)
    stamps = pd.DatetimeIndex(["2020-01-06T10:00", None, "2020-01-07T10:00"], tz="UTC")
    dates = pd.DatetimeIndex(["2020-01-06", "2020-01-06", "2020-01-07"])
    placed = place(pd.DataFrame({"stamp": stamps, "date": dates}), calendar, "next")
    assert placed.position.tolist() == [-1, -1, -1]
    of_a_date = Status.OUTSIDE_CALENDAR if unit == "D" else Status.CLOSED
    assert placed.status.tolist() == [Status.OUTSIDE_CALENDAR, of_a_date, Status.OUTSIDE_CALENDAR]
    assert all(rule.endswith("outside the calendar, which has no sessions") for rule in placed.rule[[0, 2]])


CHOICES: dict[str, Any] = {
    "benchmark": "^GDAXI", "estimation": (-110, -11), "event": (-5, 5), "windows": ((0, 0), (-1, 1)),
    "min_estimation": 60, "tests": ["cross_section"],
}  # fmt: skip


def german(**more: Bars) -> es.Prices:
    bars = {"^GDAXI": share("^GDAXI", 0), "SAP.DE": share("SAP.DE", 1), "BAS.DE": share("BAS.DE", 2)}
    return es.Prices({**bars, **{b.ticker: b for b in more.values()}})


def at(ticker: str, announced: str) -> es.Events:
    return es.Events.from_frame(pd.DataFrame({"ticker": [ticker], "announced": [announced]}))


@pytest.mark.parametrize(
    "other",
    [
        share("BTC-USD", 5, {f"2019-06-{day:02d}": 90.0 + day for day in range(1, 31)}, "CRYPTO"),
        share("EURUSD=X", 5, {np.datetime64("2019-06-16"): 99.0, SATURDAY: 98.0}, "FX"),
        share("BMW.DE", 5, {np.datetime64("2019-06-16"): None, SATURDAY: 77.0}),
        share("AAPL", 5, {SATURDAY: 98.0}, "XNYS"),
    ],
    ids=["crypto", "rates on Sundays", "a padded share of the exchange", "another exchange"],
)  # fmt: skip
def test_a_ticker_beside_changes_no_result_of_others(other: Bars) -> None:
    study, event = es.Study(**CHOICES), at("SAP.DE", "2019-06-17")
    plain, beside = study.run(event, german()), study.run(event, german(other=other))
    assert np.isfinite(plain.cars["car"]).all()
    pd.testing.assert_frame_equal(plain.ar, beside.ar)
    pd.testing.assert_frame_equal(plain.cars, beside.cars)


class TestStated:
    @pytest.mark.thorough
    def test_closes_closures_and_openings_place_events(self) -> None:
        stated = {"XETR": {"2019-06-17": "14:00", "2019-06-18": None, "2019-06-15": "12:00"}}
        prices = german(x=share("BMW.DE", 4, {SATURDAY: 55.0}))
        for announced, session in [
            ("2019-06-17T15:00+02:00", "2019-06-19"),
            ("2019-06-17T13:00+02:00", "2019-06-17"),
            ("2019-06-15T11:00+02:00", "2019-06-15"),
            ("2019-06-15T13:00+02:00", "2019-06-17"),
        ]:
            found = es.Study(**CHOICES, calendars=stated).check(at("SAP.DE", announced), prices)
            assert str(found["session"].iloc[0])[:10] == session, announced
        made = es.Study(**CHOICES, calendars=stated).run(at("SAP.DE", "2019-07-17"), prices)
        assert made.provenance["settings"]["calendars"] == stated
        assert any("SAP.DE on 2019-06-18" in note for note in made.provenance["notes"])

    def test_markets_with_the_same_sessions_share_what_is_stated(self) -> None:
        closed = {"XNAS": {"2021-09-14": None}}
        days = markets.sessions("XNYS")[0]
        days = days[(days >= np.datetime64("2020-09-01")) & (days <= np.datetime64("2021-12-30"))]
        wide = pd.DataFrame({"A": levels(1, len(days)), "^GDAXI": levels(2, len(days))}, index=pd.DatetimeIndex(days))
        study = es.Study(**CHOICES, calendars=closed)
        found = study.check(at("A", "2021-09-13T17:00-04:00"), es.Prices.from_frame(wide, "XNYS"))
        assert str(found["session"].iloc[0])[:10] == "2021-09-15"

    def test_a_study_keeps_a_copy(self) -> None:
        stated: dict[str, dict[str, str | None]] = {"XETR": {"2019-06-17": "14:00"}}
        study = es.Study(calendars=stated)
        stated["XETR"]["2019-06-17"] = None
        assert study.calendars == {"XETR": {"2019-06-17": "14:00"}}

    @pytest.mark.thorough
    def test_a_study_file_says_closed_for_a_closed_day(self, tmp_path: Any) -> None:
        file = tmp_path / "study.toml"
        file.write_text(
            '[study]\ncatalogue = "china-tech"\n[study.calendars]\n'
            'XBOM = { "2021-11-04" = "19:15" }\nXKRX = { "2026-06-03" = "closed" }\n[prices]\nsource = "simulated"\n'
        )
        assert studyfile.read(file).study.calendars == {
            "XBOM": {"2021-11-04": "19:15"},
            "XKRX": {"2026-06-03": None},
        }

    @pytest.mark.parametrize(
        ("value", "hint"),
        [
            (3, "calendars is of type int"),
            ({"XXXX": {}}, "XXXX"),
            ({3: {}}, "3 is not an exchange"),
            ({"XBOM": "2021-11-04"}, "that of XBOM is of type str"),
            ({"XBOM": {"4 Nov 2021": None}}, "'4 Nov 2021' of XBOM is not a date"),
            ({"XBOM": {"2021-13-04": None}}, "'2021-13-04' of XBOM is not a date"),
            ({"XBOM": {"2021-11-04": "25:00"}}, "XBOM on 2021-11-04 is '25:00'"),
            ({"XBOM": {"2021-11-04": 19}}, "XBOM on 2021-11-04 is 19"),
            ({"XNYS": {"2021-11-04": None}, "XNAS": {"2021-11-04": "13:00"}}, "XNYS and XNAS share their sessions"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, value: Any, hint: str) -> None:
        with pytest.raises(InputError, match=hint):
            es.Study(calendars=value)


def test_prices_of_two_markets_without_an_exchange_are_warned_of() -> None:
    hk, ny = (markets.sessions(mic)[0] for mic in ("XHKG", "XNYS"))
    one, two = (
        pd.Series(levels(i, len(days)), pd.DatetimeIndex(days))
        for i, days in enumerate(
            d[(d >= np.datetime64("2020-06-01")) & (d <= np.datetime64("2021-12-30"))] for d in (hk, ny)
        )
    )
    study = es.Study(**{**CHOICES, "benchmark": "B"})
    with pytest.warns(es.EventStudyWarning, match="the dates of A and B differ"):
        study.run(at("A", "2021-09-14"), es.Prices.from_frame(pd.concat({"A": one, "B": two}, axis=1, sort=True)))
    rng = np.random.default_rng(0)  # a share that is traded on half of the days is of no other market
    thin = two.mask(rng.random(len(two)) < 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error", es.EventStudyWarning)
        both = pd.concat({"A": thin, "B": two, "C": two * 2}, axis=1)
        es.Study(**{**CHOICES, "min_coverage": 0.1, "min_estimation": 10}).check(
            at("C", "2021-09-14"), es.Prices.from_frame(both.rename(columns={"B": "^GDAXI"}))
        )


CLOSURE = SESSIONS[100]  # a day that the calendar takes for a session


def test_a_padded_row_on_a_closure_that_the_calendar_lacks_does_not_keep_it_open() -> None:
    def without(bars: Bars, padded: bool) -> Bars:
        row = int(np.flatnonzero(bars.dates == CLOSURE)[0])
        close = bars.fields["close"].copy()
        close[row] = close[row - 1] if padded else np.nan
        return Bars(bars.ticker, bars.dates, {"close": close}, bars.mic)

    bars = [without(share(f"S{i}.DE", i), padded=i == 0) for i in range(3)]
    calendar = observed_calendar("XETR", bars)
    assert not np.isin(CLOSURE, calendar.dates)
    assert any(f"nothing traded on {CLOSURE}" in note for note in calendar.notes)
    alone = observed_calendar("XETR", bars[:1])
    assert np.isin(CLOSURE, alone.dates), "one share may have been suspended"
    every = observed_calendar("XETR", [without(share(f"S{i}.DE", i), padded=True) for i in range(5)])
    assert not np.isin(CLOSURE, every.dates), "five shares do not all stand still on an open day"
    still = observed_calendar("XETR", [share("A", 1), share("B", 2)])
    assert len(np.setdiff1d(SESSIONS, still.dates)) == 0


def test_without_an_exchange_weekends_that_were_filled_forward_are_no_sessions() -> None:
    every = pd.date_range("2019-01-02", "2019-12-30")
    wide = pd.DataFrame({s: pd.Series(levels(s), pd.DatetimeIndex(SESSIONS)) for s in (1, 2)}).reindex(every).ffill()
    bars = list(es.Prices.from_frame(wide.set_axis(["A", "B"], axis=1)).bars.values())
    dates = observed_calendar(None, bars).dates
    assert (np.is_busday(dates)).all()
    assert np.isin(SESSIONS, dates).all()


def test_a_number_with_other_zeros_is_named() -> None:
    its = es.Prices({"0700.HK": share("0700.HK", 1, mic="XETR"), "^GDAXI": share("^GDAXI", 2)})
    found = es.Study(**CHOICES).check(at("00700.HK", "2019-06-17"), its)
    assert found["reason"].tolist() == ["there are no prices of 00700.HK; did you mean 0700.HK?"]


class TestNamesOfAnExchange:
    """An exchange has a MIC and other names, and a mapping may have any of them."""

    CHOICES: ClassVar[dict[str, Any]] = {"estimation": (-60, -11), "event": (-1, 1), "windows": ((0, 0),)}

    def run(self, exchange: str, **choices: Any) -> es.Result:
        days = markets.sessions_between("XNYS", "2021-01-04", "2021-12-30")
        wide = pd.DataFrame({name: levels(at, len(days)) for at, name in enumerate(("AAA", "IDX", "OTHER"))}, days)
        study = es.Study(**self.CHOICES, min_estimation=40, tests=("cross_section",), **choices)
        return study.run(at("AAA", "2021-09-13T17:00-04:00"), es.Prices.from_frame(wide, exchange))

    @pytest.mark.parametrize(
        ("exchange", "key"),
        [
            ("NYSE", "XNYS"), ("XNYS", "NYSE"), ("NYSE", "NYSE"), ("NASDAQ", "XNAS"), ("XNAS", "NASDAQ"),
            ("NASDAQ", "XNYS"), ("NASDAQ", "NYSE"), ("XASE", "NYSE"), ("OOTC", "XNYS"),
        ],
    )  # fmt: skip
    def test_a_benchmark_of_the_exchange_by_any_name(self, exchange: str, key: str) -> None:
        made = self.run(exchange, benchmark={key: "IDX"})
        pd.testing.assert_frame_equal(made.cars, self.run("XNYS", benchmark="IDX").cars)

    def test_the_own_exchange_comes_before_the_one_with_the_same_sessions(self) -> None:
        expected = self.run("XNYS", benchmark="IDX").cars
        assert np.isfinite(expected["car"]).all()
        for exchange, named in (
            ("NASDAQ", {"NYSE": "OTHER", "XNAS": "IDX"}),
            ("NYSE", {"XNAS": "OTHER", "XNYS": "IDX"}),
        ):
            pd.testing.assert_frame_equal(self.run(exchange, benchmark=named).cars, expected)

    def test_a_reason_names_the_exchange_and_the_keys(self) -> None:
        made = self.run("NYSE", benchmark={"XHKG": "IDX", "XTKS": "OTHER"})
        assert made.events["status"].tolist() == ["no_benchmark"]
        assert made.events["reason"].tolist() == [
            "no benchmark is named for it: its exchange is NYSE, and benchmark names XHKG, XTKS"
        ]

    def test_a_closure_is_stated_by_any_name(self) -> None:
        closed = self.run("XNYS", benchmark="IDX", calendars={"NYSE": {"2021-09-14": None}})
        assert str(closed.events["session"].iloc[0])[:10] == "2021-09-15"
        with pytest.raises(InputError, match="NYSE and XNYS share their sessions"):
            es.Study(calendars={"NYSE": {"2021-09-14": None}, "XNYS": {"2021-09-14": "13:00"}})
