"""A result in one file: read as it was, to the bit; every damaged or foreign file is an error of the library."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
import tempfile
import zipfile
from dataclasses import asdict, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy import demo
from eventstudy.display.measure import measure_of
from eventstudy.errors import InputError, OutputError
from eventstudy.reports import _saved
from eventstudy.reports._objects import back, plain
from tests.reports.fake import fake
from tests.reports.studies import study

FRAMES = [f.name for f in fields(es.Result) if isinstance(getattr(fake(), f.name), pd.DataFrame)]
HEAD = "eventstudy-result.json"


def assert_same(found: es.Result, expected: es.Result) -> None:
    """Compare everything but ``rerun``: values to the bit, types, index and names."""
    for name in FRAMES:
        a, b = getattr(found, name), getattr(expected, name)
        pd.testing.assert_frame_equal(a, b, check_exact=True, check_index_type="exact", check_column_type="exact")
        for column in b.select_dtypes("float64"):
            bits, of_expected = (np.asarray(frame[column]).view(np.uint64) for frame in (a, b))
            missing = b[column].isna().to_numpy()
            np.testing.assert_array_equal(bits[~missing], of_expected[~missing])
        assert [type(x) for x in a.to_numpy(dtype=object).ravel()] == [
            type(x) for x in b.to_numpy(dtype=object).ravel()
        ]
    assert (found.measure, found.provenance) == (expected.measure, expected.provenance)


@cache
def demonstration() -> es.Result:
    return demo.run().result


RESULTS: dict[str, Any] = {
    "demo": demonstration,
    "difficult text": fake,
    "BHAR": lambda: study("compound"),
    "placebos": lambda: study("peers"),
    "intraday": lambda: in_other_times("Asia/Shanghai"),
}


def in_other_times(zone: str) -> es.Result:
    """A result whose sessions are time stamps with a zone, as those of intraday bars."""
    result = fake()
    return replace(result, events=result.events.assign(session=result.events["session"].dt.tz_localize(zone)))


@pytest.mark.thorough
@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_read_as_it_was(name: str, tmp_path: Path) -> None:
    result = RESULTS[name]()
    file = result.save(tmp_path / "deep" / "x.result")
    found = es.read_result(str(file))
    assert_same(found, result)
    assert found.rerun is None
    assert repr(found) == repr(result)
    assert found.summary().as_html() == result.summary().as_html()
    first = file.read_bytes()
    assert found.save(file).read_bytes() == first  # deterministic, and an earlier one is replaced
    assert found.save(tmp_path / "other name").read_bytes() == first
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_no_field_of_a_result_is_forgotten() -> None:
    assert {f.name for f in fields(es.Result)} == {*_saved.FRAMES, "measure", "provenance", "rerun"}
    assert sorted(_saved.FRAMES) == sorted(FRAMES)


def test_the_file_has_no_pickle_and_no_time_of_its_own(tmp_path: Path) -> None:
    with zipfile.ZipFile(fake().save(tmp_path / "x")) as archive:
        assert archive.namelist() == [HEAD, *(f"{name}.parquet" for name in _saved.FRAMES)]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        head = json.loads(archive.read(HEAD))
        cars = pd.read_parquet(io.BytesIO(archive.read("cars.parquet")))  # other readers can read it
    assert head["format"] == 1
    np.testing.assert_array_equal(cars["3"], fake().cars["car"])


CELLS: list[object] = [
    "text", "", "阿里", 1, -1.5, -0.0, float("inf"), float("nan"), None, True, pd.NA, pd.NaT, 2**70,
    np.int8(3), np.float32(0.1),
    np.bool_(False), decimal.Decimal("1.10"), dt.date(2021, 9, 13), dt.datetime(2021, 9, 13, 8, 30, tzinfo=dt.UTC),
    pd.Timestamp("2021-09-13 08:30", tz="Asia/Shanghai"), pd.Timestamp("2021-09-13"), (1, (2,)), [1, "a"], {"a": 1},
    {1: 2}, {"$tuple": 1}, {},
]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{type(cell).__name__} {cell}")
def test_an_object_is_read_in_its_type(cell: object) -> None:
    found = back(json.loads(json.dumps(plain(cell, repr))))
    assert type(found) is type(cell)
    assert repr(found) == repr(cell)


COLUMNS: dict[str, Any] = {
    "objects": CELLS[:12],
    "categories": pd.Categorical(["b", "a", None] * 4, categories=["b", "a", "unused"], ordered=True),
    "whole numbers or missing": pd.array([1, None, 3] * 4, dtype="Int64"),
    "truths or missing": pd.array([True, None, False] * 4, dtype="boolean"),
    "days": pd.date_range("2021-01-01", periods=12, tz="Europe/Vienna", unit="s"),
    "nanoseconds": pd.date_range("2021-01-01", periods=12, unit="ns"),
    "spans": pd.to_timedelta(range(12), unit="h"),
    "months": pd.period_range("2021-01", periods=12, freq="M"),
    "small": np.arange(12, dtype=np.int8),
    "single": np.linspace(0, 1, 12, dtype=np.float32),
    "floats": [0.1, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1e308, 0.1 + 0.2, 1.0, 2.0, 3.0, 4.0],
    "all missing": [None] * 12,
}  # fmt: skip


@pytest.mark.thorough
def test_columns_of_the_user_keep_their_types(tmp_path: Path) -> None:
    result = fake()
    for name, cells in COLUMNS.items():
        result.events[name] = cells
    assert_same(es.read_result(result.save(tmp_path / "x")), result)


@pytest.mark.parametrize(
    "cells",
    [[object()] * 12, [{1, 2}] * 12, [b"x"] * 12, np.arange(12) * 1j],
)
def test_what_no_file_can_keep_is_named(cells: Any, tmp_path: Path) -> None:
    result = fake()
    result.events["odd one"] = cells
    with pytest.raises(InputError, match=r"column 'odd one'.*cannot be kept in a file.*make it text"):
        result.save(tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_another_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("the only copy")
    with pytest.raises(InputError, match="is not replaced"):
        fake().save(tmp_path / "x")
    assert (tmp_path / "x").read_text() == "the only copy"
    with pytest.raises(InputError, match="the path of the result is 3"):
        fake().save(3)
    (tmp_path / "y").write_text("")
    with pytest.raises(OutputError, match="the result cannot be written"):
        fake().save(tmp_path / "y" / "z")


@pytest.mark.thorough
def test_what_runs_the_study_again_says_how(tmp_path: Path) -> None:
    result = study("return")
    found = es.read_result(result.save(tmp_path / "x"))
    again = (
        lambda r: r.calibrate(), lambda r: r.across(["market"]), lambda r: r.diagnose(), lambda r: r.band(),
        lambda r: r.joint(), lambda r: r.adjust("romano_wolf"),
    )  # fmt: skip
    for method in again:
        with pytest.raises(InputError, match=r"a file keeps the numbers.*run the study again.*study\.run"):
            method(found)
    pd.testing.assert_frame_equal(found.adjust("holm"), result.adjust("holm"))
    pd.testing.assert_frame_equal(found.paths(), result.paths())


# What is no saved result, or no longer one


@cache
def saved() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return fake().save(Path(folder) / "whole").read_bytes()


def written(tmp_path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(tmp_path / "made", "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return tmp_path / "made"


def members_of() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(saved())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no result; give a file that result.save"),
        (b"ticker,announced\n", "is no result"),
        (b"PK\x03\x04 but no zip", "is damaged"),
    ],
)
def test_a_foreign_file_is_no_result(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InputError, match=words):
        es.read_result(tmp_path / "x")


def test_a_file_that_is_missing_or_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            es.read_result(path)


def test_a_later_format_says_to_update(tmp_path: Path) -> None:
    members = members_of()
    head = {**json.loads(members[HEAD]), "format": 2, "eventstudy": "9.1"}
    file = written(tmp_path, members | {HEAD: json.dumps(head).encode()})
    with pytest.raises(InputError, match=r"has format 2, written by eventstudy '9\.1'.*update eventstudy"):
        es.read_result(file)


@pytest.mark.parametrize("head", [b"[]", b"{}", b'{"format": true}', b'{"format": "1"}', b'"text"', b"null"])
def test_another_zip_is_no_result(head: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no result"):
        es.read_result(written(tmp_path, {HEAD: head}))


@pytest.mark.parametrize("head", [b"{", b"[" * 100_000, b'{"format": 1}', b"\xff"])
def test_a_damaged_record_is_found(head: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is damaged"):
        es.read_result(written(tmp_path, {HEAD: head}))


@pytest.mark.parametrize(
    "change",
    [
        {"provenance": []},
        {"provenance": None},
        {"measure": {**asdict(measure_of()), "percent": "yes"}},
        {"measure": {}},
    ],
    ids=["list", "none", "type", "empty"],
)
def test_a_record_of_another_type_is_damaged(change: dict[str, Any], tmp_path: Path) -> None:
    members = members_of()
    changed = json.dumps({**json.loads(members[HEAD]), **change}).encode()
    with pytest.raises(InputError, match="is damaged"):
        es.read_result(written(tmp_path, {**members, HEAD: changed}))


def test_a_member_that_is_missing_or_another_is_found(tmp_path: Path) -> None:
    members = members_of()
    for name in ("ar.parquet", "cars.parquet"):
        others = {key: content for key, content in members.items() if key != name}
        with pytest.raises(InputError, match="is damaged"):
            es.read_result(written(tmp_path, others))
        with pytest.raises(InputError, match="is damaged"):
            es.read_result(written(tmp_path, members | {name: members["events.parquet"]}))


def test_members_that_unpack_to_much_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = members_of()
    with pytest.raises(InputError, match="is damaged"):
        es.read_result(written(tmp_path, members, zipfile.ZIP_DEFLATED))
    monkeypatch.setattr(_saved, "LEAST", 100_000)
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *_: pytest.fail("it was unpacked"))
    zeros, texts = pa.table({"0": pa.array(np.zeros(1_000_000))}), pa.table({"0": ["a" * 1000] * 90})
    for table, options in ((zeros, {"use_dictionary": False}), (texts, {"use_dictionary": True})):
        packed = io.BytesIO()
        pq.write_table(table, packed, compression="zstd", **options)
        assert len(packed.getvalue()) < 6_000
        with pytest.raises(InputError, match="is damaged"):
            es.read_result(written(tmp_path, members | {"events.parquet": packed.getvalue()}))


@pytest.mark.thorough
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_is_found_or_changes_nothing(data: st.DataObject, tmp_path: Path) -> None:
    content = bytearray(saved())
    # Half of the flips are in the names, sizes and sums of the zip, which are at its end.
    at = data.draw(st.one_of(st.integers(0, len(content) - 1), st.integers(len(content) - 900, len(content) - 1)))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    (tmp_path / "x").write_bytes(bytes(content))
    try:
        found = es.read_result(tmp_path / "x")
    except InputError:
        return
    assert_same(found, fake())


@pytest.mark.thorough
@given(share=st.floats(0, 1, exclude_max=True))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_was_cut_is_found(share: float, tmp_path: Path) -> None:
    content = saved()
    (tmp_path / "x").write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError):
        es.read_result(tmp_path / "x")
