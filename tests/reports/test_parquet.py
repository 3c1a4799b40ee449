"""Parquet: what pandas reads is what the result has."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from eventstudy import demo
from eventstudy.reports import parquet
from tests.reports.fake import NOTE, VARIANTS

FRAMES = {"": "cars", **{f"_{name}": name for name in ("events", "ar", "daily", "tests", "reactions", "attrition")}}


def same(read: pd.DataFrame, given: pd.DataFrame) -> None:
    """Hold a frame to what was written, bit for bit; times to the instant, for Parquet counts no seconds."""
    assert list(read.columns) == list(given.columns)
    pd.testing.assert_index_equal(read.index, given.index)
    for name in given:
        if pd.api.types.is_numeric_dtype(given[name].dtype):
            pd.testing.assert_series_equal(read[name], given[name], check_exact=True)
        else:
            known = given[name].notna()
            assert (read[name].notna() == known).all()
            assert [str(cell) for cell in read[name][known]] == [str(cell) for cell in given[name][known]]


@pytest.mark.thorough
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_frame_comes_back_with_its_types(variant, tmp_path):
    result = VARIANTS[variant]()
    parquet.REPORT.render(result, tmp_path / "new" / "found.parquet")
    for suffix, name in FRAMES.items():
        same(pd.read_parquet(tmp_path / "new" / f"found{suffix}.parquet"), getattr(result, name))
    about = json.loads((tmp_path / "new" / "found_provenance.json").read_text(encoding="utf-8"))
    assert (about.get("note", "").find(NOTE) >= 0) == (variant != "real_prices")


@pytest.mark.thorough
def test_a_real_result_is_written_by_its_suffix(tmp_path):
    result = demo.run().result
    assert result.report(tmp_path / "x.parquet") == tmp_path / "x.parquet"
    for suffix, name in FRAMES.items():
        same(pd.read_parquet(tmp_path / f"x{suffix}.parquet"), getattr(result, name))


def test_a_column_of_several_kinds_is_text(tmp_path):
    result = VARIANTS["full"]()
    mixed = result.events.assign(mixed=pd.Series([1, "a"] * (len(result.events) // 2), result.events.index, object))
    parquet.REPORT.render(replace(result, events=mixed), tmp_path / "x.parquet")
    assert pd.read_parquet(tmp_path / "x_events.parquet")["mixed"].tolist()[:2] == ["1", "a"]
