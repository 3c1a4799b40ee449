"""AAR: the mean abnormal return of each day with the study's tests of it, and the CAAR."""

from __future__ import annotations

import warnings

import pandas as pd

from eventstudy import arguments
from eventstudy.display import formats, names
from eventstudy.display.measure import Measure
from eventstudy.errors import EventStudyWarning
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import COUNT, Cell
from eventstudy.tables._table import Column, Table

MOST_EVENTS = 100_000  # a run with as many windows as days keeps every event's results in each of them
TOO_MANY = f"Tests by {{}} are left out of a study of more than {MOST_EVENTS:,} events, for lack of memory."


def aar(result: Result, *, stars: bool = True) -> Table:
    """Return the mean abnormal return of each day over all events, with every test of the study, and the CAAR.

    The tests of a day are those of the window (day, day): the study is run again with these windows.

    Parameters
    ----------
    result : Result
    stars : bool
        Whether AARs and statistics have stars: three for p < 0.01, two for p < 0.05, one for p < 0.10, those of the AAR
        by the primary test of the day. A test that does not hold for the sample has a dagger instead.

    Returns
    -------
    Table
        ``frame``: day, n, aar, caar, median, positive, then for each test columns as bmp_statistic, bmp_p and
        bmp_valid; means are decimals. Without the study (``Result.rerun`` is None), or with more than 100,000
        events, only day, n, aar and caar.
    """
    arguments.flag("stars", stars)
    measure, daily, step = result.measure, result.daily, formats.day_or_bar(result.events["session"])
    tests, labels = _of_days(result), _shared.tests_in_order(result)
    frame = pd.DataFrame({"day": daily.index.to_numpy(), "n": daily["n"].to_numpy(), "aar": daily["aar"].to_numpy()})
    frame["caar"] = daily["caar"].to_numpy()
    if tests is not None:
        by_day = (
            _shared.beside(tests, labels).drop(columns=["end", "n", "effect", "se"]).rename(columns={"start": "day"})
        )
        frame = frame.merge(by_day, on="day", how="left")
    at = [f"{step} {formats.count(day)}" for day in ([] if tests is None else tests["start"])]
    missing = TOO_MANY.format(step) if result.rerun else _shared.needs_study(f"Tests by {step}")
    notes = [missing] if tests is None else _notes(tests, at, stars, result)
    return Table(
        frame,
        _shared.with_prices(f"{_shared.capital(_mean_name(measure))} of each {step}", result),
        (
            Column(step.capitalize()), Column("N"), Column(_shared.with_unit(_mean_head(measure), measure)),
            Column(_shared.with_unit(_shared.mean_head(measure), measure)),
            *(() if tests is None else (Column(_shared.with_unit("Median", measure)), Column("Positive (%)"))),
            *(Column(names.of_test(label)) for label in ([] if tests is None else labels)),
        ),
        tuple(_row(record, tests, labels, measure, stars) for record in frame.to_dict("records")),
        (*notes, *_shared.dependence(result), *_shared.implausible(result)),
        label="aar",
        empty="no event could be used",
    )  # fmt: skip


def _of_days(result: Result) -> pd.DataFrame | None:
    """Return the tests of each day; None without the study, or with too many events."""
    if result.rerun is None or len(result.events) > MOST_EVENTS:
        return None
    days = [(int(day), int(day)) for day in result.daily.index]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventStudyWarning)  # those of the run that made the result
        tests = result.rerun.result(windows=days).tests
    return tests[tests["group"] == "all"]


def _mean_head(measure: Measure) -> str:
    signed = "" if measure.sign is None else "Signed "
    return f"{signed}AAR" if measure.of_returns and measure.percent else "Mean"


def _mean_name(measure: Measure) -> str:
    signed = "" if measure.sign is None else "signed "
    return f"mean {signed}{measure.daily}{' (AAR)' if measure.of_returns and measure.percent else ''}"


def _row(
    record: _shared.Record, tests: pd.DataFrame | None, labels: list[str], measure: Measure, starred: bool
) -> tuple[Cell, ...]:
    form = _shared.value_format(measure)
    lead = (Cell(record["day"], COUNT), Cell(record["n"], COUNT))
    cumulated = Cell(record["caar"], form)
    if tests is None:
        return (*lead, Cell(record["aar"], form), cumulated)
    by_test = {row["test"]: row for row in tests[tests["start"] == record["day"]].to_dict("records")}
    primary = next(iter(by_test.values()), None)
    mean = Cell(record["aar"], form, "" if primary is None else _shared.effect_mark(primary, starred))
    spread = (Cell(record["median"], form), Cell(record["positive"], _shared.SHARE))
    return (*lead, mean, cumulated, *spread, *(_shared.statistic(by_test.get(label), starred) for label in labels))


def _notes(tests: pd.DataFrame, at: list[str], starred: bool, result: Result) -> list[str]:
    counted = f"N: events with an {result.measure.daily} on the {formats.day_or_bar(result.events['session'])}."
    stars = _shared.about_stars(tests, at, starred)
    return [counted, *stars, *_shared.other_sign(tests, at), *_shared.about_tests(tests, at)]


TABLE = aar
