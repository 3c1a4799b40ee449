"""CAAR: the mean effect of each window with stars, and the statistics of all tests beside it."""

from __future__ import annotations

from collections.abc import Sequence

from eventstudy import arguments
from eventstudy.display import formats, names
from eventstudy.display.rows import in_window
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import BLANK, COUNT, Cell, text
from eventstudy.tables._shared import BRACKETS, Record
from eventstudy.tables._table import Column, Row, Table


def caar(result: Result, *, stars: bool = True, brackets: str = "se") -> Table:
    """Return the mean CAR of each window over all events, with every test of the study.

    Parameters
    ----------
    result : Result
    stars : bool
        Whether means and statistics have stars: three for p < 0.01, two for p < 0.05, one for p < 0.10, those of the
        mean by the primary test. A test that does not hold for the sample has a dagger instead.
    brackets : {"se", "t", "p"}
        What stands in brackets below the mean: its standard error, the mean over its standard error, or the p of the
        primary test. Below each statistic is its p.

    Returns
    -------
    Table
        ``frame``: start, end, n, effect, se, median, positive, then for each test columns as bmp_statistic, bmp_p and
        bmp_valid; means are decimals.
    """
    arguments.flag("stars", stars)
    arguments.choice("brackets", brackets, BRACKETS)
    measure = result.measure
    tests = result.tests[result.tests["group"] == "all"]
    labels = _shared.tests_in_order(result)
    rows: list[Row] = []
    for window in _shared.windows(tests):
        of_window = in_window(tests, window).to_dict("records")
        rows += rows_of_window(result, window, of_window, labels, (stars, brackets))
    mean = _shared.mean_head(measure)
    places = _shared.places(tests)
    return Table(
        _shared.beside(tests, labels),
        _shared.with_prices(f"Tests of the mean {measure.averaged_full}", result),
        (
            Column("Window", right=False), Column("N"), Column(_shared.with_unit(mean, measure)),
            Column("Positive (%)"), *(Column(names.of_test(label)) for label in labels),
        ),
        tuple(rows),
        (
            f"In brackets below the mean: {BRACKETS[brackets]}; below a statistic: its p.",
            *_shared.about_stars(tests, places, stars),
            *_shared.other_sign(tests, places),
            *_shared.about_tests(tests, places),
            *_shared.dependence(result),
            *_shared.implausible(result),
        ),
        label="caar",
        empty="nothing could be tested",
    )  # fmt: skip


def rows_of_window(
    result: Result, window: tuple[int, int], records: Sequence[Record], labels: Sequence[str], shown: tuple[bool, str]
) -> list[Row]:
    """Return the two rows of a window: effect and statistics, and below them what stands in brackets."""
    starred, brackets = shown
    form, primary = _shared.value_format(result.measure), records[0]
    by_test = {row["test"]: row for row in records}
    below = _shared.in_brackets(primary, brackets, form)
    effect = Cell(primary["effect"], form, _shared.effect_mark(primary, starred))
    lead = (text(formats.window(*window)), Cell(primary["n"], COUNT), effect)
    positive = Cell(primary["positive"], _shared.SHARE)
    return [
        (*lead, positive, *(_shared.statistic(by_test.get(label), starred) for label in labels)),
        (BLANK, BLANK, below, BLANK, *(_shared.p_in_brackets(by_test.get(label)) for label in labels)),
    ]


TABLE = caar
