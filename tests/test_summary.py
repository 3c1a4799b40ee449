"""What objects say of themselves: the numbers of the frames, in 100 columns, and HTML that is safe in any notebook."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

import eventstudy as es
from eventstudy import demo
from eventstudy.display import formats
from eventstudy.display.cards import WIDTH, Grid, Summary
from tests.reports.fake import SCRIPT, fake
from tests.reports.studies import FULL, STUDIES, study


@cache
def shown() -> es.Result:
    return demo.run().result


@cache
def objects() -> dict[str, Any]:
    """One object of each type that a notebook shows."""
    result = study("return")
    events = es.Events.from_frame(
        pd.DataFrame({"ticker": ["A<b>"[:1], "B"], "announced": ["2021-01-04", "2021-01-05"]})
    )
    frame = pd.DataFrame({"A": [1.0, 2.0], "M": [1.0, 1.5]}, index=pd.to_datetime(["2021-01-04", "2021-01-05"]))
    return {
        "study": es.Study(benchmark="M"),
        "events": events,
        "prices": es.Prices.from_frame(frame),
        "result": result,
        "summary": result.summary(),
        "test": es.test("placebo", draws=499),
        "model": es.model("ff6"),
        "calibration": result.calibrate(20),
        "specifications": result.across(["market", "mean"]),
    }


class Parser(HTMLParser):
    """Collect the tags, and check that each one that is opened is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= {"style", "scope"}
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


ALLOWED = {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li"}


@pytest.mark.parametrize("name", sorted(objects()))
def test_each_object_has_text_in_100_columns_and_plain_html(name: str) -> None:
    text, page = repr(objects()[name]), objects()[name]._repr_html_()
    assert text
    assert max(map(formats.columns_of, text.splitlines())) <= WIDTH
    parser = Parser(page)
    assert parser.open == []
    assert set(parser.tags) <= ALLOWED
    assert not re.search(r"(?<!-)color:|background: #", page)  # those of the page around it


def rows_of(result: es.Result) -> list[list[str]]:
    """Return the cells of the windows in the printed summary."""
    lines = result.summary().as_text().splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith(("Window", "Group")))
    rows = []
    for line in lines[first + 1 :]:
        if line.startswith("-"):
            break
        rows.append(re.split(r"\s{2,}", line))
    return rows


@pytest.mark.thorough
def test_the_summary_has_the_numbers_of_the_frames() -> None:
    result = shown()
    first = result.tests.drop_duplicates(["group", "start", "end"])
    assert [row[0] for row in rows_of(result)] == [f"({a}, {b})" for a, b in first[["start", "end"]].to_numpy()]
    for cells, (_, row) in zip(rows_of(result), first.iterrows(), strict=True):
        assert cells[1:4] == [f"{100 * row['effect']:+.2f} %", "***", f"{100 * row['se']:.2f} %"]
        assert row["p"] < 0.001
        assert cells[4:6] == [f"{row['statistic']:.2f}", "<0.001"]
        assert cells[6:8] == [f"{100 * row['lower']:+.2f} %", f"{100 * row['upper']:+.2f} %"]
        assert cells[8:] == [str(row["n"]), row["test"]]


@pytest.mark.thorough
def test_everything_that_was_dropped_is_counted() -> None:
    result = shown()
    text = " ".join(result.summary().as_text().split())
    used = int((result.events["status"] == "ok").sum())
    assert f"Events used: {used} of {len(result.events)}" in text
    for status, n in result.events["status"].value_counts().items():
        assert status == "ok" or f"{n} {str(status).replace('_', ' ')}" in repr(result)
    unsigned = int((result.events.loc[result.events["status"] == "ok", "expected_sign"] == 0).sum())
    left_out, partly_used = repr(result).partition("of those used, ")[::2]
    assert "without a sign" not in left_out
    assert partly_used.startswith(f"without a sign (in no average): {unsigned}\n")
    assert "Of those used:" in text
    assert f"without a sign (in no average): {unsigned}" in text
    assert "simulated prices" in repr(result)
    assert "simulated prices" in text.split("=====")[0]


@pytest.mark.parametrize("name", [*STUDIES])
def test_each_quantity_has_its_name_and_stays_in_100_columns(name: str) -> None:
    result = study(name)
    text = result.summary().as_text()
    assert text.splitlines()[0].strip() == f"Event study: mean {FULL[name]}"
    assert max(map(formats.columns_of, [*text.splitlines(), *repr(result).splitlines()])) <= WIDTH
    assert text.isascii()
    assert "Left out:" in text


def test_text_of_the_user_stays_text() -> None:
    result = fake()
    page = result._repr_html_()
    assert SCRIPT not in page
    assert SCRIPT in "".join(Parser(page).texts)
    assert "\x1b" not in result.summary().as_text()


def with_tests(**columns: Any) -> es.Result:
    result = fake()
    result.tests[list(columns)] = pd.DataFrame({n: [v] * len(result.tests) for n, v in columns.items()})
    return result


@pytest.mark.parametrize(("p", "mark"), [(0.0099, "***"), (0.01, "**"), (0.0499, "**"), (0.05, "*"), (0.1, "")])
def test_stars_are_those_of_the_footer(p: float, mark: str) -> None:
    result = with_tests(p=p, valid=True)
    assert all((row[2] == mark) if mark else (set(row[2]) != {"*"}) for row in rows_of(result))
    lines = [line for line in repr(result).splitlines() if ": mean CAR" in line]
    assert all(line.endswith(f"(kolari_pynnonen){' ' + mark if mark else ''}") for line in lines)
    assert "*** p < 0.01, ** p < 0.05, * p < 0.10" in result.summary().as_text()


def test_a_test_that_does_not_hold_has_a_mark_and_no_star() -> None:
    result = with_tests(p=0.002, valid=False)
    assert all(row[4] == "0.002!" and "*" not in "".join(row) for row in rows_of(result))
    assert "! the test does not hold for this sample" in result.summary().as_text()
    assert "does not hold" not in with_tests(p=0.002, valid=True).summary().as_text().replace("where the test does", "")


def test_implausible_prices_are_said() -> None:
    result = fake()
    result.events["implausible_prices"] = ["BABA 2020-11-04: spike"] + [""] * (len(result.events) - 1)
    said = "implausible prices in the windows of 1 of 9 events, as BABA 2020-11-04: spike"
    assert said in repr(result)
    assert said in " ".join(result.summary().as_text().split())
    assert said in result._repr_html_()


def test_many_groups_and_windows_stay_readable() -> None:
    one = fake()
    parts = [one.tests.assign(group=f"group {k}") for k in range(9)]
    result = replace(one, tests=pd.concat([one.tests, *parts], ignore_index=True))
    assert "and 18 more windows of groups, in result.summary()" in repr(result)
    assert len(rows_of(result)) == 30
    assert {row[0] for row in rows_of(result)} == {"all", *(f"group {k}" for k in range(9))}


def test_a_wide_table_is_parted_and_loses_no_column() -> None:
    heads = ("Test", *(f"(-{k}, {k})" for k in range(30)))
    grid = Grid(heads, [("bmp", *(f"0.{k:03d}" for k in range(30)))], (False, *(True,) * 30))
    text = Summary("Wide", tables=[grid]).as_text()
    assert max(map(len, text.splitlines())) <= WIDTH
    words = text.split()
    assert all(f"0.{k:03d}" in words for k in range(30))
    assert words.count("bmp") == sum(line.startswith("bmp") for line in text.splitlines()) > 1


def test_a_study_shows_a_call_that_makes_it_again() -> None:
    choices = {"benchmark": {"XHKG": "^HSI", "XNYS": "^GSPC"}, "sign": "s", "windows": ((0, 0),), "seed": 3}
    for made in (es.Study(), es.Study(**choices)):
        assert eval(repr(made), {"Study": es.Study}) == made
    assert "tests=['bmp', test('placebo', draws=99)]" in repr(es.Study(tests=["bmp", es.test("placebo", draws=99)]))
