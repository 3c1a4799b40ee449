"""Events are read exactly, and whatever could be misread is refused with the row, the value and the remedy."""

from __future__ import annotations

import datetime as dt
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.errors import InputError
from eventstudy.prepare.events import Events, read_events
from eventstudy.prepare.stamps import IANA

ANT = "2020-11-03T20:40:00+08:00"


def frame(announced: Any, ticker: Any = "BABA", **further: Any) -> pd.DataFrame:
    n = len(announced)
    return pd.DataFrame(
        {"ticker": ticker if isinstance(ticker, list) else [ticker] * n, "announced": announced} | further
    )


def read(announced: Any, ticker: Any = "BABA", **further: Any) -> pd.DataFrame:
    return Events.from_frame(frame(announced, ticker, **further)).frame


def refusal(announced: Any, ticker: Any = "BABA", **further: Any) -> str:
    with pytest.raises(InputError) as caught:
        read(announced, ticker, **further)
    return str(caught.value)


def csv(folder: Path, text: str) -> Path:
    file = folder / "events.csv"
    file.write_text(text, encoding="utf-8")
    return file


def utc(*when: int) -> pd.Timestamp:
    return pd.Timestamp(dt.datetime(*when, tzinfo=dt.UTC))  # type: ignore[misc]


# What an event holds


def test_columns_types_and_order() -> None:
    found = read([ANT, "2021-09-13"], sector=["a", "b"], cluster=["x", ""], weight=[1.5, 2.0])
    assert list(found) == ["ticker", "announced", "stamp", "date", "cluster", "sector", "weight"]
    assert found.index.name == "event_id"
    assert list(found.index) == ["E0001", "E0002"]
    assert str(found["stamp"].dtype) == "datetime64[ns, UTC]"
    assert str(found["date"].dtype) == "datetime64[ns]"
    assert found["weight"].tolist() == [1.5, 2.0]
    assert found["cluster"].tolist() == ["x", "E0002"]


def test_dates_alone_keep_the_type_of_stamps() -> None:
    assert str(read(["2021-09-13"])["stamp"].dtype) == "datetime64[ns, UTC]"


@pytest.mark.parametrize(
    ("text", "canonical", "stamp", "day"),
    [
        (ANT, ANT, utc(2020, 11, 3, 12, 40), "2020-11-03"),
        ("2020-11-03 20:40+0800", ANT, utc(2020, 11, 3, 12, 40), "2020-11-03"),
        (" 2020-11-03T20:40+08 ", ANT, utc(2020, 11, 3, 12, 40), "2020-11-03"),
        ("2020-11-03T12:40Z", "2020-11-03T12:40:00+00:00", utc(2020, 11, 3, 12, 40), "2020-11-03"),
        (
            "2020-11-04T01:10:05.25+05:30",
            "2020-11-04T01:10:05.25+05:30",
            utc(2020, 11, 3, 19, 40, 5, 250000),
            "2020-11-04",
        ),
        ("2021-07-04T23:30:00-03:30", "2021-07-04T23:30:00-03:30", utc(2021, 7, 5, 3), "2021-07-04"),
        ("2021-09-13", "2021-09-13", None, "2021-09-13"),
        ("2020-02-29", "2020-02-29", None, "2020-02-29"),
    ],
)
def test_text(text: str, canonical: str, stamp: pd.Timestamp | None, day: str) -> None:
    event = read([text]).iloc[0]
    assert event["announced"] == canonical
    assert event["date"] == pd.Timestamp(day)
    assert (pd.isna(event["stamp"]) if stamp is None else event["stamp"] == stamp) is True


def test_nanoseconds_are_kept() -> None:
    assert read(["2021-09-13T00:00:00.123456789Z"])["stamp"].iloc[0].nanosecond == 789


def test_naive_times_take_their_zone() -> None:
    zones = ["Asia/Shanghai", "America/New_York", "America/New_York", "not looked at"]
    texts = ["2020-11-03 20:40", "2021-07-01T09:30", "2021-12-01T09:30", "2021-09-13"]
    found = read(texts, timezone=zones)
    assert found["stamp"].tolist()[:3] == [
        utc(2020, 11, 3, 12, 40),
        utc(2021, 7, 1, 13, 30),
        utc(2021, 12, 1, 14, 30),
    ]
    assert found["announced"].tolist()[1:] == ["2021-07-01T09:30:00-04:00", "2021-12-01T09:30:00-05:00", "2021-09-13"]
    assert found["date"].iloc[0] == pd.Timestamp("2020-11-03")
    assert found["timezone"].tolist() == zones


def test_an_offset_wins_over_the_zone() -> None:
    assert read([ANT], timezone=["America/New_York"])["stamp"].iloc[0] == utc(2020, 11, 3, 12, 40)


# What a frame may hold instead of text


def test_naive_datetimes_at_midnight_are_dates() -> None:
    found = read(pd.to_datetime(["2021-09-13", "2021-09-14"]))
    assert found["announced"].tolist() == ["2021-09-13", "2021-09-14"]
    assert found["stamp"].isna().all()


def test_one_time_of_day_makes_the_column_times() -> None:
    column = pd.to_datetime(["2021-09-13 00:00", "2021-09-14 10:30"])
    message = refusal(column)
    assert "2 of 2 rows" in message
    assert "2021-09-13 00:00:00" in message
    assert read(column, timezone="Asia/Tokyo")["stamp"].tolist() == [utc(2021, 9, 12, 15), utc(2021, 9, 14, 1, 30)]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/New_York"])
@pytest.mark.parametrize("clock", ["00:01", "10:30", "23:59:59.5"])
def test_datetimes_with_a_zone_are_stamps(zone: str, clock: str) -> None:
    column = pd.Series(pd.to_datetime([f"2021-09-13T{clock}", f"2021-12-13T{clock}"])).dt.tz_localize(zone)
    found = read(column)
    assert found["stamp"].tolist() == column.tolist()
    assert found["date"].tolist() == [pd.Timestamp("2021-09-13"), pd.Timestamp("2021-12-13")]
    assert [pd.Timestamp(text) for text in found["announced"]] == column.tolist()


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/New_York"])
@pytest.mark.parametrize("kind", ["datetimes", "objects", "text"])
def test_a_zoned_column_wholly_at_midnight_is_dates(zone: str, kind: str, tmp_path: Path) -> None:
    days = ["2021-09-14", "2021-11-16"]
    column = pd.Series(pd.to_datetime(days)).dt.tz_localize(zone)
    cells: Any = {"datetimes": column, "objects": column.astype(object), "text": column.astype(str)}[kind]
    found = read(cells)
    assert found["announced"].tolist() == days
    assert found["stamp"].isna().all()
    file = tmp_path / "events.csv"
    frame(cells).to_csv(file, index=False)
    assert read_events(file).frame["announced"].tolist() == days


def test_one_other_time_makes_a_zoned_column_instants() -> None:
    column = pd.to_datetime(["2021-09-14 00:00", "2021-11-16 09:30"]).tz_localize("Asia/Shanghai")
    assert read(column)["stamp"].tolist() == [utc(2021, 9, 13, 16), utc(2021, 11, 16, 1, 30)]
    assert read(["2021-09-14 00:00"], timezone="Asia/Shanghai")["stamp"].tolist() == [utc(2021, 9, 13, 16)]


def test_objects_of_every_kind_in_one_column() -> None:
    column = [
        dt.date(2021, 1, 1),
        pd.Timestamp("2021-01-02"),
        dt.datetime(2021, 1, 3),
        np.datetime64("2021-01-04"),
        "2021-01-05",
        dt.datetime(2021, 1, 6, 9, tzinfo=ZoneInfo("Asia/Tokyo")),
        pd.Timestamp("2021-01-07 00:00", tz="Asia/Tokyo"),
    ]
    found = read(pd.Series(column, dtype=object))
    assert found["date"].tolist() == list(pd.date_range("2021-01-01", periods=7))
    assert found["stamp"].isna().tolist() == [True] * 5 + [False] * 2
    assert found["stamp"].tolist()[5:] == [utc(2021, 1, 6), utc(2021, 1, 6, 15)]


def test_naive_datetime_objects_with_times_need_a_zone() -> None:
    column = pd.Series([dt.datetime(2021, 1, 1), dt.datetime(2021, 1, 2, 9, 30)], dtype=object)
    assert "row 2: announced '2021-01-02T09:30:00' has a time without a time zone" in refusal(column)


def test_the_given_frame_is_left_alone() -> None:
    mine = frame([ANT], "9988.HK;BABA", event_id=["A"]).set_index("event_id")
    before = mine.copy()
    assert list(Events.from_frame(mine).frame.index) == ["A:9988.HK", "A:BABA"]
    pd.testing.assert_frame_equal(mine, before)


def test_an_index_of_another_name_is_ignored() -> None:
    mine = frame([ANT, ANT]).set_axis([7, 7])
    assert list(Events.from_frame(mine).frame.index) == ["E0001", "E0002"]


# Several tickers, ids and clusters


def test_several_tickers_become_events_of_one_cluster() -> None:
    found = read([ANT, "2021-09-13"], [" 9988.HK ; BABA", "BABA"], event_id=["ANT", "FT"], n=[1, 2])
    assert found["ticker"].to_dict() == {"ANT:9988.HK": "9988.HK", "ANT:BABA": "BABA", "FT": "BABA"}
    assert found["cluster"].tolist() == ["ANT", "ANT", "FT"]
    assert found["n"].tolist() == [1, 1, 2]
    assert found["announced"].tolist() == [ANT, ANT, "2021-09-13"]


def test_made_ids_are_as_wide_as_needed() -> None:
    found = read(["2021-09-13"] * 10_000, ["A;B"] + ["A"] * 9_999)
    assert list(found.index[:3]) == ["E00001:A", "E00001:B", "E00002"]
    assert found.index[-1] == "E10000"


def test_a_given_cluster_wins() -> None:
    found = read([ANT, ANT], ["A;B", "C"], event_id=["x", "y"], cluster=["one", "one"])
    assert found["cluster"].tolist() == ["one"] * 3
    assert read([ANT], event_id=[7], cluster=[3])["cluster"].tolist() == ["3"]
    assert read([ANT], event_id=[7], cluster=[None])["cluster"].tolist() == ["7"]


def test_rows_that_repeat_stay_where_ids_are_made() -> None:
    assert list(read([ANT, ANT]).index) == ["E0001", "E0002"]


@pytest.mark.parametrize(
    ("ids", "tickers", "named"),
    [
        (["A", "B", "A"], ["X", "X", "Y"], "1 event_id repeated: 'A'"),
        (["A", "A"], ["X", "X"], "1 event_id repeated: 'A'"),
        (["A", "A"], ["X;Y", "Z;W"], "1 event_id repeated: 'A'"),
        (["A", "A:X"], ["X;Y", "Z"], "1 event_id repeated: 'A:X'"),
    ],
)
def test_ids_that_repeat(ids: list[str], tickers: list[str], named: str) -> None:
    assert named in refusal([ANT] * len(ids), tickers, event_id=ids)


@pytest.mark.parametrize("missing", [None, "", " ", float("nan"), pd.NA])
def test_an_empty_id(missing: Any) -> None:
    assert "(row 2): event_id is empty" in refusal([ANT, ANT], event_id=["A", missing])


# Times that are not certain


@pytest.mark.parametrize(
    "text",
    [
        *("03/11/2020", "3.11.2020", "11-03-2020", "20201103", "2020-11", "2020-W45-2", "2020-308", "3 Nov 2020"),
        *(
            "2020-11-03T20",
            "2020-11-03T20:40+8",
            "2020-11-03T20:40 HKT",
            "2020-11-03T20:40+99:00",
            "today",
            "1604407200",
        ),
        *("2020-11-03T20:40:00.1234567890Z", "٢٠٢٠-١١-٠٣", "0001-01-01", "9999-12-31", "2020-11-03T20:40z"),
    ],
)
def test_what_is_not_iso(text: str) -> None:
    message = refusal([ANT, text])
    assert f"1 of 2 rows of the events cannot be read:\n  row 2: announced {text!r} is not in ISO 8601" in message
    assert "write 2021-09-13T10:30+08:00" in message


@pytest.mark.parametrize(
    "text", ["2021-02-29", "2021-13-01", "2021-09-13T24:00Z", "2021-09-13T10:60Z", "2021-09-13T10:30:60Z"]
)
def test_what_does_not_exist(text: str) -> None:
    assert f"announced {text!r} is not an existing day or time" in refusal([text])


@pytest.mark.parametrize("value", [20201103, 20201103.0, 1604407200000000000, True])
def test_a_number_is_no_time(value: Any) -> None:
    assert f"announced '{value}' is not in ISO 8601" in refusal([value])


@pytest.mark.parametrize("missing", [None, "", pd.NaT, float("nan"), pd.NA])
def test_a_missing_time(missing: Any) -> None:
    message = refusal(pd.Series([ANT, missing], dtype=object))
    assert "row 2: announced '' is empty; give a time with its offset, or a date" in message


@pytest.mark.parametrize("zone", [None, "Asia/Shanghai"])
def test_a_missing_datetime(zone: str | None) -> None:
    column = pd.Series(pd.DatetimeIndex(["2021-09-13", pd.NaT])).dt.tz_localize(zone)
    message = refusal(column)
    assert "1 of 2 rows" in message
    assert "row 2: announced '' is empty" in message


@pytest.mark.parametrize("zones", [None, [""], [None], [float("nan")]])
def test_a_time_without_zone_says_what_to_add(zones: Any) -> None:
    further = {} if zones is None else {"timezone": zones}
    message = refusal(["2020-11-03T20:40"], event_id=["ANT"], **further)
    assert "event 'ANT' (row 1): announced '2020-11-03T20:40' has a time without a time zone" in message
    assert "add its offset, as in 2020-11-03T20:40+08:00, or a column timezone" in message


@pytest.mark.parametrize("zone", ["HKT", "Asia/Shangai", "Asia", "../etc/passwd", "+08:00", "asia/shanghai"])
def test_a_zone_that_is_none(zone: str) -> None:
    message = refusal(["2020-11-03T20:40"], timezone=[zone])
    assert f"has the timezone {zone!r}, which is not an IANA name; examples are Asia/Hong_Kong" in message


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory", "posix/Asia/Tokyo", "right/Asia/Tokyo"])
def test_a_zone_of_the_computer_is_no_place(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a computer's folder of zones has beside those of IANA, as Debian's localtime."""
    names = {*available_timezones(), zone}
    monkeypatch.setattr("eventstudy.prepare.stamps.available_timezones", lambda: names)
    message = refusal(["2020-11-03T20:40"], timezone=[zone])
    assert f"has the timezone {zone!r}, which is not an IANA name; examples are Asia/Hong_Kong" in message


def test_datetimes_in_the_zone_of_the_computer() -> None:
    with resources.files("tzdata").joinpath("zoneinfo/Asia/Tokyo").open("rb") as file:
        zone = ZoneInfo.from_file(file, key="localtime")
    message = refusal([dt.datetime(2021, 7, 6, 15, 30, tzinfo=zone)])
    assert "has the timezone 'localtime', which is not an IANA name" in message


def test_the_zones_are_those_of_the_package_tzdata() -> None:
    """Its list is that of IANA, on every computer; Factory and zones without summer time are no places."""
    listed = set(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()) - {"Factory"}
    others = {"localtime", "posixrules", "Factory", "SystemV/EST5EDT", "posix/Asia/Tokyo"}
    assert set(filter(IANA.fullmatch, listed | others)) == listed


@pytest.mark.parametrize(
    ("zone", "place"),
    [
        ("EST", "America/New_York"),
        ("MST", "America/Denver"),
        ("HST", "Pacific/Honolulu"),
        ("Etc/GMT+8", "Asia/Shanghai or America/Los_Angeles"),
        ("Etc/GMT-8", "America/Los_Angeles or Asia/Shanghai"),
        ("GMT+8", "Asia/Shanghai"),
        ("UTC+08:00", "Asia/Shanghai"),
        ("GMT-5", "America/New_York"),
    ],
)
def test_a_zone_that_is_no_place_is_told_with_its_place(zone: str, place: str) -> None:
    message = refusal(["2021-07-06T15:30"], timezone=[zone])
    assert f"has the timezone {zone!r}, which is not a place" in message
    assert place in message
    assert refusal(["2021-07-06T15:30"], timezone=["JST"]).endswith("did you mean Asia/Tokyo?")


@pytest.mark.parametrize("zone", ["EST", "Etc/GMT+8"])
@pytest.mark.parametrize("kind", ["datetimes", "objects"])
def test_datetimes_in_a_zone_that_is_no_place(zone: str, kind: str) -> None:
    column = pd.Series(pd.to_datetime(["2021-07-06 15:30", "2021-07-07 15:30"])).dt.tz_localize(zone)
    message = refusal(column if kind == "datetimes" else column.astype(object))
    assert "2 of 2 rows" in message
    assert f"has the timezone {zone!r}, which is not a place" in message


def test_an_offset_is_no_place_and_needs_none() -> None:
    column = pd.Series(pd.to_datetime(["2021-07-06T15:30+08:00"]))
    assert read(column)["stamp"].tolist() == [utc(2021, 7, 6, 7, 30)]
    assert read(["2021-07-06T15:30"], timezone=["Etc/GMT"])["stamp"].tolist() == [utc(2021, 7, 6, 15, 30)]


def test_local_times_where_clocks_change() -> None:
    texts = ["2021-03-28 01:30", "2021-10-31 01:30", "2021-10-31 02:00", "2021-03-28 02:00"]
    message = refusal(texts, timezone="Europe/London")
    assert "2 of 4 rows" in message
    assert "row 1: announced '2021-03-28 01:30' does not exist in Europe/London" in message
    assert "row 2: announced '2021-10-31 01:30' happens twice in Europe/London" in message
    assert "write it with its offset" in message
    assert read(["2021-10-31 01:30+01:00"], timezone="Europe/London")["stamp"].iloc[0] == utc(2021, 10, 31, 0, 30)


# Tickers


@pytest.mark.parametrize(
    ("ticker", "telling"),
    [
        (700, "ticker 700 is int, not text; write it as text, with its zeros and its exchange, as in 0700.HK"),
        (700.0, "ticker 700.0 is float, not text"),
        (["BABA"], "ticker ['BABA'] is list, not text"),
        ("../BABA", "ticker '../BABA' is not valid; a ticker is 1 to 20 of the characters"),
        ("BABA?x=1", "ticker 'BABA?x=1' is not valid"),
        ("A..B", "ticker 'A..B' is not valid"),
        ("BABA JD", "ticker 'BABA JD' is not valid"),
        ("BABA,JD", "ticker 'BABA,JD' is not valid"),
        ("ＢＡＢＡ", "is not valid"),
        ("A" * 21, "is not valid"),
        ("baba", "ticker 'baba' is not in capitals; write BABA"),
        ("0700.hk", "write 0700.HK"),
        ("", "ticker is empty; name one, as in BABA"),
        ("BABA;", "ticker is empty"),
        (None, "ticker is empty"),
        (float("nan"), "ticker is empty"),
        ("BABA;JD;BABA", "ticker 'BABA;JD;BABA' names BABA twice; name it once"),
    ],
)
def test_tickers_that_are_not(ticker: Any, telling: str) -> None:
    message = refusal([ANT, ANT], ["JD", ticker])
    assert message.startswith("1 of 2 rows of the events cannot be read:\n  row 2: ")
    assert telling in message


@pytest.mark.parametrize(
    "ticker", ["NA", "TRUE", "^HSI", "BRK.B", "HKD=X", "0700.HK", "600519.SS", "BF-B", "10107", "005930"]
)
def test_tickers_that_are(ticker: str) -> None:
    assert read([ANT], ticker)["ticker"].tolist() == [ticker]


def test_all_bad_rows_are_counted_and_five_shown() -> None:
    tickers = ["", "BABA", "baba", "../x", "BABA", "a?", "^", "JD", "=0"]
    announced = [*["2021-09-13"] * 4, "03/11/2020", *["2021-09-13"] * 3, "2020"]
    message = refusal(announced, tickers, event_id=list("abcdefghi"))
    head, *rows, last = message.split("\n")
    assert head == "7 of 9 rows of the events cannot be read:"
    assert [row.split(":")[0].strip() for row in rows] == [
        "event 'a' (row 1)", "event 'c' (row 3)", "event 'd' (row 4)", "event 'e' (row 5)", "event 'f' (row 6)"
    ]  # fmt: skip
    assert last == "  and 2 more"


def test_a_row_tells_all_that_is_wrong_with_it() -> None:
    message = refusal(["03/11/2020"], "baba")
    assert message.startswith("1 of 1 row of the events")
    assert "write BABA; announced '03/11/2020' is not in ISO 8601" in message


# Columns


def test_missing_columns_name_those_found() -> None:
    with pytest.raises(InputError, match="no column ticker; the columns found are 'symbol', 'announced'"):
        Events.from_frame(pd.DataFrame({"symbol": ["A"], "announced": [ANT]}))
    with pytest.raises(InputError, match="no column ticker and no column announced; the columns found are none"):
        Events.from_frame(pd.DataFrame())


@pytest.mark.parametrize(
    ("named", "meant"),
    [("tickers", "ticker"), ("Ticker ", "ticker"), ("symbol", "ticker"), ("PERMNO", "ticker"), ("date", "announced"),
     ("Announced", "announced"), ("anounced", "announced"), ("event_date", "announced")],
)  # fmt: skip
def test_a_column_of_another_name_is_told_with_the_one_that_is_meant(named: str, meant: str) -> None:
    table = frame(["2021-09-13"]).rename(columns={meant: named})
    with pytest.raises(InputError, match=f"no column {meant}; .*did you mean {named!r}. rename it to {meant};"):
        Events.from_frame(table)


@pytest.mark.parametrize("values", [[1, 10**400], ["x", -(10**400)], [None, 10**400]])
def test_a_whole_number_beyond_the_floats_is_refused(values: list[Any]) -> None:
    said = refusal([ANT, ANT], value=pd.Series(values, dtype=object))
    assert "row 2: value" in said
    assert "is too large; give a number up to 1.8e308" in said
    assert len(read([ANT, ANT], value=pd.Series([10**300, "x"], dtype=object))) == 2


@pytest.mark.parametrize("value", ["first", True, [1]])
def test_a_priority_is_a_number(value: Any) -> None:
    assert "row 2: priority" in refusal([ANT, ANT], priority=pd.Series([1, value], dtype=object))
    assert len(read([ANT, ANT], priority=pd.Series([1, None], dtype=object))) == 2


@pytest.mark.parametrize(
    "name", ["session", "status", "reason", "n_estimation", "alpha", "sigma", "r2", "stamp", "date"]
)
def test_names_of_the_results_are_refused(name: str) -> None:
    message = refusal([ANT], **{name: [1]})
    assert f"columns {name} have names of the results; rename them" in message


def test_a_column_that_stands_twice() -> None:
    doubled = pd.concat([frame([ANT]), frame([ANT])], axis=1)
    with pytest.raises(InputError, match="columns announced, ticker more than once"):
        Events.from_frame(doubled)


def test_no_rows() -> None:
    with pytest.raises(InputError, match="no rows; give at least one event"):
        Events.from_frame(frame([]))


@pytest.mark.parametrize("thing", [{"ticker": ["A"]}, None, "events.csv"])
def test_something_else_than_a_frame(thing: Any) -> None:
    with pytest.raises(InputError, match=f"events are of type {type(thing).__name__}; a pandas DataFrame is needed"):
        Events.from_frame(thing)


# Files


def test_csv_is_text(tmp_path: Path) -> None:
    text = (
        "event_id,ticker,announced,code,size,share,when,empty,mixed,huge,endless\n"
        "001,NA,2021-09-13,0700,1,-1.5,2021-01-01,,1,12345678901234567890,1\n"
        '\n002,"9988.HK;BABA",2020-11-03T20:40+08:00,0005,2,,2021-01-02,,x,1,nan\n'
    )
    found = read_events(csv(tmp_path, text)).frame
    assert found["ticker"].to_dict() == {"001": "NA", "002:9988.HK": "9988.HK", "002:BABA": "BABA"}
    assert found["code"].tolist() == ["0700", "0005", "0005"]
    assert found["size"].tolist() == [1, 2, 2]
    assert found["size"].dtype == np.int64
    assert found["share"].dtype == np.float64
    np.testing.assert_array_equal(found["share"], [-1.5, np.nan, np.nan])
    assert found["when"].iloc[0] == "2021-01-01"
    assert found["empty"].tolist() == [""] * 3
    assert found["mixed"].tolist() == ["1", "x", "x"]
    assert found["huge"].iloc[0] == "12345678901234567890"
    assert found["endless"].tolist() == ["1", "nan", "nan"]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1", "-2", "+3"], [1, -2, 3]),
        (["0", "0.5", ".5", "5.", "1e-3", "2E5"], [0, 0.5, 0.5, 5, 1e-3, 2e5]),
        ([" 1 ", "", "2"], [1, np.nan, 2]),
        (["inf", "1"], None),
        (["1e999", "1"], None),
        (["1_000", "1"], None),
        (["1,000", "1"], None),
        (["0x10", "1"], None),
        (["00", "1"], None),
        (["-07", "1"], None),
        (["١", "1"], None),
        (["", ""], None),
    ],
)
def test_only_plain_decimals_become_numbers(tmp_path: Path, cells: list[str], numbers: list[float] | None) -> None:
    lines = [f'BABA,2021-09-13,"{cell}"' for cell in cells]
    found = read_events(csv(tmp_path, "\n".join(["ticker,announced,extra", *lines]))).frame["extra"]
    if numbers is None:
        assert found.tolist() == cells
    else:
        np.testing.assert_array_equal(found.to_numpy(dtype=float), np.array(numbers, dtype=float))


def test_csv_keeps_named_columns_as_text(tmp_path: Path) -> None:
    found = read_events(csv(tmp_path, "event_id,ticker,announced,cluster\n1,BABA,2021-09-13,7\n")).frame
    assert list(found.index) == ["1"]
    assert found["cluster"].tolist() == ["7"]


def test_csv_with_digits_for_a_ticker(tmp_path: Path) -> None:
    found = read_events(csv(tmp_path, "ticker,announced\n0700,2021-09-13\n10107,2021-09-13\n")).frame
    assert found["ticker"].tolist() == ["0700", "10107"]


def test_csv_of_a_spreadsheet_has_a_byte_order_mark(tmp_path: Path) -> None:
    assert read_events(csv(tmp_path, "\ufeffticker,announced\r\nBABA,2021-09-13\r\n")).frame.index[0] == "E0001"


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("", "the columns found are none"),
        ("\n\n", "the columns found are none"),
        ("ticker,announced\n", "no rows"),
        ("ticker,announced,x\n\n", "no rows"),
        (
            "ticker;announced\nBABA;2021-09-13\n",
            "its header has one cell, 'ticker;announced'; separate cells by commas",
        ),
        (
            "ticker,announced\nBABA,JD,2021-09-13\n",
            "line 2 has 3 cells and the header 2; put a cell that holds a comma",
        ),
        ("ticker,announced,x\n\nBABA,2021-09-13\n", "line 3 has 2 cells and the header 3"),
        ("ticker,announced,x,x\nBABA,2021-09-13,1,2\n", "columns x more than once"),
        ('ticker,announced\n"BABA,2021-09-13\n', "unexpected end of data"),
        ("ticker,announced,alpha\nBABA,2021-09-13,1\n", "columns alpha have names of the results"),
    ],
)
def test_csv_files_that_are_not_sound(tmp_path: Path, text: str, telling: str) -> None:
    with pytest.raises(InputError) as caught:
        read_events(csv(tmp_path, text))
    assert telling in str(caught.value)


def test_csv_in_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes("ticker,announced,title\nBABA,2021-09-13,über\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"events\.csv' is not UTF-8 \('utf-8' codec"):
        read_events(file)


def test_parquet_is_read_with_its_types(tmp_path: Path) -> None:
    file = tmp_path / "events.PARQUET"
    stamps = pd.to_datetime([ANT, "2021-09-13T10:30:00+08:00"])
    frame(stamps, ["9988.HK;BABA", "NA"], event_id=["A", "B"], n=[1, 2]).set_index("event_id").to_parquet(file)
    found = read_events(str(file)).frame
    assert list(found.index) == ["A:9988.HK", "A:BABA", "B"]
    assert found["stamp"].tolist() == [stamps[0], stamps[0], stamps[1]]
    assert found["n"].tolist() == [1, 1, 2]


def test_parquet_of_dates(tmp_path: Path) -> None:
    file = tmp_path / "events.parquet"
    frame([dt.date(2021, 9, 13)]).to_parquet(file)
    assert read_events(file).frame["announced"].tolist() == ["2021-09-13"]


def test_parquet_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "events.parquet"
    file.write_bytes(b"not parquet")
    with pytest.raises(InputError, match="cannot be read"):
        read_events(file)


@pytest.mark.parametrize("name", ["events.xls", "events", "events.csv.gz", "events.tsv"])
def test_other_suffixes(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"suffix of the events file is .*valid are '\.csv', '\.parquet'"):
        read_events(tmp_path / name)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no events file .*nowhere\.csv"):
        read_events(tmp_path / "nowhere.csv")


def test_len_and_repr() -> None:
    few = Events.from_frame(frame([ANT, "2021-09-13"], ["9988.HK;BABA", "BABA"]))
    assert len(few) == 3
    assert repr(few) == "Events(3 events, 2 tickers: 9988.HK, BABA, 2020-11-03 to 2021-09-13)"
    many = Events.from_frame(frame([ANT], "A;B;C;D;E;F"))
    assert repr(many) == "Events(6 events, 6 tickers: A, B, C, D, E, ..., 2020-11-03 to 2020-11-03)"


# Properties: the same instants come out, by Python's own reading of time

OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
STAMPS = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2060, 1, 1), timezones=OFFSETS).filter(
    lambda stamp: stamp.time() != dt.time()  # a column wholly at midnight is dates
)
DATES = st.dates(dt.date(1990, 1, 1), dt.date(2060, 1, 1))
TICKERS = st.lists(st.sampled_from(["BABA", "0700.HK", "NA", "^HSI", "BRK.B"]), min_size=1, max_size=3, unique=True)
ROWS = st.lists(st.tuples(TICKERS, st.one_of(STAMPS, DATES)), min_size=1, max_size=8)


@pytest.mark.thorough
@settings(deadline=None, max_examples=60)
@given(rows=ROWS, as_text=st.booleans())
def test_instants_survive(rows: list[tuple[list[str], dt.date]], as_text: bool) -> None:
    announced = [when.isoformat() if as_text else when for _, when in rows]
    events = Events.from_frame(frame(pd.Series(announced, dtype=object), [";".join(names) for names, _ in rows]))
    expected = [(name, when) for names, when in rows for name in names]
    assert len(events) == len(expected)
    for (_, event), (name, when) in zip(events.frame.iterrows(), expected, strict=True):
        assert event["ticker"] == name
        if isinstance(when, dt.datetime):
            assert event["stamp"] == pd.Timestamp(when.astimezone(dt.UTC))
            assert dt.datetime.fromisoformat(event["announced"]) == when
            assert event["date"] == pd.Timestamp(when.date())
        else:
            assert pd.isna(event["stamp"])
            assert event["date"] == pd.Timestamp(when)
    again = Events.from_frame(events.frame.drop(columns=["stamp", "date"])).frame
    pd.testing.assert_frame_equal(again, events.frame)


ZONES = st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "UTC"])


@pytest.mark.thorough
@settings(deadline=None, max_examples=60)
@given(naive=st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2037, 1, 1)), name=ZONES)
def test_local_times_agree_with_zoneinfo(naive: dt.datetime, name: str) -> None:
    zone = ZoneInfo(name)
    instants = {naive.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1)}
    if len(instants) == 1:
        assert read([naive.isoformat()], timezone=name)["stamp"].tolist() == [pd.Timestamp(instants.pop())]
    else:
        exists = any(i.astimezone(zone).replace(tzinfo=None) == naive for i in instants)
        assert ("happens twice" if exists else "does not exist") in refusal([naive.isoformat()], timezone=name)


def test_clusters_named_by_numbers_have_one_text_in_whole_and_in_floating_columns() -> None:
    rows = {"event_id": ["a", "b"], "ticker": ["A", "B"], "announced": ["2021-01-04"] * 2}
    for cluster in ([7, None], ["7", ""], [7.0, float("nan")]):
        frame = Events.from_frame(pd.DataFrame({**rows, "cluster": cluster})).frame
        assert frame["cluster"].tolist() == ["7", "b"]


@pytest.mark.thorough
def test_rows_of_events_are_events() -> None:
    events = es.catalogue("china-tech")
    pd.testing.assert_frame_equal(Events.from_frame(events.frame).frame, events.frame)
    some = events.frame[events.frame["sector"] == "gaming"]
    pd.testing.assert_frame_equal(Events.from_frame(some).frame, some)
    mixed = pd.DataFrame(
        {
            "ticker": ["BABA;9988.HK", "JD", "0700.HK"],
            "announced": ["2020-11-03T09:00", "2020-11-03", "2020-01-02T00:00+08:00"],
            "timezone": ["Asia/Hong_Kong", None, None],
            "phase": [None, "AMC", None],
        }
    )
    read = Events.from_frame(mixed).frame
    pd.testing.assert_frame_equal(Events.from_frame(read).frame, read)


def test_a_date_column_of_ones_own_is_still_refused() -> None:
    frame = pd.DataFrame({"ticker": ["BABA"], "announced": ["2020-11-03"], "date": pd.to_datetime(["2020-11-04"])})
    with pytest.raises(InputError, match="columns date have names of the results"):
        Events.from_frame(frame)
