from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from eventstudy.display import formats
from tests.reports.fake import fake


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-0.06123, "−6.12 %"), (0.00499, "+0.50 %"), (0.00001, "0.00 %"), (-0.00001, "0.00 %"), (-0.0, "0.00 %"),
     (np.inf, "+∞ %"), (-np.inf, "−∞ %"), (np.nan, "–"), (None, "–"), (np.float64(1.5), "+150.00 %")],
)  # fmt: skip
def test_percent(value, shown):
    assert formats.percent(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "<0.001"), (0.00099999, "<0.001"), (0.001, "0.001"), (0.0495, "0.050"), (1.0, "1.000"), (np.nan, "–")],
)
def test_p_value(value, shown):
    assert formats.p_value(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(pd.Timestamp("2021-09-13"), "2021-09-13"), ("2021-09-13", "2021-09-13"),
     (np.datetime64("2021-09-13"), "2021-09-13"),
     ("2020-11-03T20:40:05+08:00", "2020-11-03 20:40:05+08:00"), ("2020-11-03 20:40", "2020-11-03 20:40"),
     (pd.Timestamp("2020-11-03", tz="Asia/Hong_Kong"), "2020-11-03 00:00+08:00"), (pd.NaT, "–"), ("", "–"),
     ("soon\n", "soon")],
)  # fmt: skip
def test_date(value, shown):
    assert formats.date(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [((-260, -11), "(−260, −11)"), ([[0, 0], [-1, 1]], "(0, 0), (−1, 1)"), (np.array([0, 5]), "(0, 5)"),
     (1e-05, "1e−05"), (True, "True"), ({}, "–"), ([], "–"), ({"name": "dimson", "leads": 1}, "name: dimson, leads: 1"),
     (None, "–")],
)  # fmt: skip
def test_setting(value, shown):
    assert formats.setting(value) == shown


@pytest.mark.parametrize("hidden", ["\x1b", "\x00", "\u202e", "\u200b", "\ud800", "\x9b", "\r\n", "\t"])
def test_plain_text_is_one_line_that_hides_nothing(hidden):
    assert formats.plain(f"a{hidden}b") == "a b"


def test_the_note_on_the_prices_may_be_absent_in_every_way():
    result = fake()
    stories: list[dict[str, Any]] = [{}, {"prices": {}}, {"prices": None}, {"prices": {"note": None}}]
    for story in [*stories, {"prices": {"note": ""}}]:
        assert formats.prices_note(replace(result, provenance=story)) == ""
    assert formats.prices_note(result) == "simulated prices"
