"""The words of the HTML report: its title, the answer in two sentences, and what each test says in plain language."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from eventstudy.display import formats, names
from eventstudy.display.rows import in_window
from eventstudy.errors import EventStudyError
from eventstudy.reports import _tables
from eventstudy.result import Result
from eventstudy.tables._shared import signed_cars

LEVEL = 0.05
MODELS = {
    "market": "the market model",
    "market_adjusted": "the return of the benchmark itself",
    "mean": "the mean return of each security",
}
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
Row = Mapping[Hashable, Any]


def title(result: Result) -> str:
    """Return the title of a report that was given none: what was measured, of how many events, and when.

    Examples
    --------
    >>> from eventstudy import demo
    >>> title(demo.run().result)
    'CARs of 393 events at 47 securities, November 2020 to January 2026'
    """
    measure, used = result.measure, formats.usable_events(result)
    if used.empty:
        return f"{measure.short}s of {formats.plural(len(result.events), 'event')}, none of which could be used"
    first, last = used["session"].min(), used["session"].max()
    months = [f"{MONTHS[day.month - 1]} {day.year}" for day in (first, last)]
    period = " to ".join(dict.fromkeys(months)) if first.date() != last.date() else f"{first.day} {months[0]}"
    if len(used) == 1:
        return f"{measure.short} of {formats.plain(used['ticker'].iloc[0])}, {period}"
    n_tickers = used["ticker"].nunique()
    securities = "1 security" if n_tickers == 1 else f"{n_tickers} securities"
    return f"{measure.short}s of {len(used)} events at {securities}, {period}"


def span(result: Result, start: int, end: int) -> str:
    """Return a window in words."""
    unit = formats.day_unit(result.events["session"])
    if start == end:
        return f"on the {unit} of the event" if start == 0 else f"on {unit} {formats.count(start)}"
    return f"over the {unit}s from {formats.count(start)} to {formats.signed(end, 0)} around the event"


def first_row(result: Result) -> Row | None:
    """Return the primary test of the first window of all events, which answers the study's question; None if none."""
    rows = formats.primary(result.tests).to_dict("records")
    return next((row for row in rows if row["group"] == "all"), rows[0] if rows else None)


def answer(result: Result) -> tuple[str, ...]:
    """Return the answer of the study in two sentences: what was found, and what it does not show.

    It is that of the primary test of the first window, whatever the p-values of other tests and windows.
    """
    used, row = formats.usable_events(result), first_row(result)
    if used.empty or row is None:
        return (
            f"None of the {formats.plural(len(result.events), 'event')} could be used: the study has no answer.",
            "This does not show that the events had no effect: what became of each of them stands under Data.",
        )
    if len(used) == 1:
        return _one_event(result, row)
    return _found(result, row), _limits(result, row)


def _found(result: Result, row: Row) -> str:
    """Return what was found over all events: the effect with its interval, and what the primary test says of it."""
    measure = result.measure
    mean = f"the mean {measure.averaged_full} of {formats.plural(row['n'], 'event')} is {measure.text(row['effect'])}"
    if not formats.is_missing(row["lower"]):
        mean += f" (95 % interval {measure.text(row['lower'])} to {measure.text(row['upper'])})"
    place = span(result, row["start"], row["end"])
    sentence = f"{place[:1].upper()}{place[1:]}, {mean}{_direction(result, row)}"
    name = names.of_test(row["test"])
    if formats.is_missing(row["p"]):
        return f"{sentence}; no test of it could be computed ({formats.plain(row['note'])})."
    if not row["valid"]:
        return (
            f"{sentence}; none of the study's tests holds for this sample, so that whether the mean differs from zero"
            " is not known."
        )
    if row["p"] < LEVEL:
        return f"{sentence}; the primary test ({name}) rejects a mean of zero, p {formats.p_value(row['p'])}."
    return f"{sentence}; the primary test ({name}) cannot tell it from zero, p {formats.p_value(row['p'])}."


def _direction(result: Result, row: Row) -> str:
    if result.measure.sign is None or formats.is_missing(row["effect"]) or row["effect"] == 0:
        return ""
    return ", in the direction that was expected" if row["effect"] > 0 else ", against the direction that was expected"


def _limits(result: Result, row: Row) -> str:
    """Return what the answer does not show."""
    measure = result.measure
    if formats.is_missing(row["p"]):
        return "The size of a mean alone is no evidence of an effect."
    if not row["valid"]:
        reason = (
            "" if formats.is_missing(row["note"]) else f" ({names.of_test(row['test'])}: {formats.plain(row['note'])})"
        )
        return f"A small p of a test that does not hold is no evidence, and is marked below{reason}."
    interval = "" if formats.is_missing(row["lower"]) else _disagreement(row)
    shared = formats.one_date(result)
    interval += f"; {shared}" if shared else ""
    if row["p"] >= LEVEL:
        within = (
            ""
            if formats.is_missing(row["lower"]) or _excludes_zero(row)
            else f": mean effects from {measure.text(row['lower'])} to {measure.text(row['upper'])} fit these data too"
        )
        return f"This does not show that there was no effect{within}{interval}."
    cars = signed_cars(result, (row["start"], row["end"]))
    share = float((cars * row["effect"] > 0).mean())  # an effect of zero has no sign
    return (
        f"It is a mean against {_benchmark(result)}: it does not show that every event had this effect"
        f" ({formats.percent(share, 0).lstrip('+')} of the single effects have its sign), nor that the announcements,"
        f" and no other news of the same days, caused it{interval}."
    )


def _disagreement(row: Row) -> str:
    """Say that interval and test do not agree, which they need not: the test may standardise or rank the effects."""
    if _excludes_zero(row) == (row["p"] < LEVEL):
        return ""
    side = "does not contain" if _excludes_zero(row) else "contains"
    return f"; the interval {side} zero: it rests on the plain mean of the effects, and the test does not"


def _excludes_zero(row: Row) -> bool:
    return bool(row["lower"] > 0 or row["upper"] < 0)


def _benchmark(result: Result) -> str:
    model = (result.provenance.get("settings") or {}).get("model")
    return MODELS.get(model, f"the model {formats.setting(model)}") if isinstance(model, str) else "the study's model"


def _one_event(result: Result, row: Row) -> tuple[str, ...]:
    """Return the answer of a study of one event, whose own p-value replaces that of a mean."""
    measure, used = result.measure, formats.usable_events(result)
    start, end = row["start"], row["end"]
    name = f"{formats.plain(used['ticker'].iloc[0])} on {formats.date(used['session'].iloc[0])}"
    place = span(result, start, end)
    found = f"{place[:1].upper()}{place[1:]}, the {measure.averaged_full} of {name} is {measure.text(row['effect'])}"
    if not formats.is_missing(row["lower"]):
        found += f" (95 % interval {measure.text(row['lower'])} to {measure.text(row['upper'])})"
    found += _direction(result, row)
    p = own_p(result, start, end)
    if p is not None:
        before = f"{formats.day_or_bar(result.events['session'])}s before"
        found += f"; among the {before}, it is {'' if p < LEVEL else 'not '}unusual (p {formats.p_value(p)})"
        if not formats.is_missing(row["lower"]) and (row["lower"] > 0 or row["upper"] < 0) != (p < LEVEL):
            found += ", while the interval, which assumes normal returns, says otherwise"
    return (
        f"{found}.",
        f"One event cannot tell its own effect from other news of the same days, and says nothing of other events; it"
        f" is measured against {_benchmark(result)}.",
    )


def own_p(result: Result, start: int, end: int) -> float | None:
    """Return the first p-value of the only used event in a window; None if there are several, or it has none."""
    used, cars = formats.usable_events(result), result.cars
    if len(used) != 1 or not result.measure.has_p:
        return None
    own = cars[(cars["event_id"] == used.index[0]) & (cars["start"] == start) & (cars["end"] == end)]
    p = own[formats.first_p(result.cars, start, end)]
    return None if p.empty or formats.is_missing(p.iloc[0]) else float(p.iloc[0])


def headline(result: Result) -> list[tuple[str, str]]:
    """Return the facts of the study as pairs of name and value, the model with its printed name."""
    model = (result.provenance.get("settings") or {}).get("model")
    printed = {"Model": names.of_model(model)} if isinstance(model, str) else {}
    return [(name, printed.get(name, value)) for name, value in _tables.headline(result) if name != "Prices"]


def effects(result: Result) -> list[tuple[str, str, str]]:
    """Return the mean of each window: its name, the mean, and its interval with the p of the primary test."""
    measure, cards = result.measure, []
    tests = result.tests[result.tests["group"] == "all"]
    for row in formats.primary(tests).to_dict("records"):
        interval = f"[{measure.text(row['lower'])}, {measure.text(row['upper'])}], "
        tested = "" if formats.is_missing(row["lower"]) else interval
        own = own_p(result, row["start"], row["end"])
        if formats.is_missing(row["p"]):
            tested += "no test could be computed" if own is None else f"p {formats.p_value(own)} (of the event itself)"
        else:
            tested += f"p {formats.marked_p(row['p'], row['valid'])} ({names.of_test(row['test'])}"
            tested += ")" if row["valid"] else ", does not hold here)"
        name = f"Mean {measure.averaged} {formats.window(row['start'], row['end'])}"
        cards.append((name, measure.text(row["effect"]), tested))
    return cards


def readings(result: Result) -> list[str]:
    """Return what the tests of all events say in each window, in plain language."""
    tests = result.tests[result.tests["group"] == "all"]
    adjusted = _adjusted(result)
    texts = []
    for start, end in dict.fromkeys(zip(tests["start"].tolist(), tests["end"].tolist(), strict=True)):
        rows = in_window(tests, (start, end))
        first, *others = rows.to_dict("records")
        text = f"{formats.window(start, end)}: mean {result.measure.averaged} "
        text += result.measure.with_interval(first["effect"], first["lower"], first["upper"])
        own = own_p(result, start, end)
        if formats.is_missing(first["p"]) and own is not None:
            texts.append(f"{text}. Of the event itself, p {formats.p_value(own)}; a mean of one event has no test.")
            continue
        texts.append(f"{text}. {_verdict(first, adjusted.get((start, end)))}{_others(others)}")
    return texts


def _verdict(row: Row, adjusted: float | None) -> str:
    name = names.of_test(row["test"])
    if formats.is_missing(row["p"]):
        return "No test of it could be computed."
    if not row["valid"]:
        return f"No test holds for this sample: the p {formats.p_value(row['p'])} of {name} is no evidence."
    says = "rejects" if row["p"] < LEVEL else "does not reject"
    text = f"The primary test, {name}, {says} a mean of zero at 5 % (p {formats.p_value(row['p'])}"
    if adjusted is not None:
        text += f"; {formats.p_value(adjusted)} when all windows are tested together"
    return f"{text})."


def _others(rows: list[dict[Hashable, Any]]) -> str:
    """Say how many of the other tests agree, and how many do not hold for the sample."""
    holding = [row for row in rows if row["valid"] and not formats.is_missing(row["p"])]
    failing = [row for row in rows if not row["valid"] and not formats.is_missing(row["p"])]
    text = ""
    if holding:
        n = sum(row["p"] < LEVEL for row in holding)
        listed = ", ".join(names.of_test(row["test"]) for row in holding)
        text += f" Of the other tests that hold ({listed}), {n} of {len(holding)} {'rejects' if n == 1 else 'reject'}."
    if failing:
        listed = ", ".join(names.of_test(row["test"]) for row in failing)
        text += f" Not counted, because their assumptions do not hold here: {listed}."
    return text


def _adjusted(result: Result) -> dict[tuple[int, int], float]:
    """Return the p of the primary test of each window by Holm's method; none where there is one window."""
    if result.tests.empty or len(_tables.windows(result)) < 2:
        return {}
    try:
        everyone = replace(result, tests=result.tests[result.tests["group"] == "all"])
        frame: pd.DataFrame = formats.primary(everyone.adjust("holm"))
    except EventStudyError:
        return {}
    rows = frame[frame["valid"] & frame["p_adjusted"].notna()]
    if rows["test"].nunique() != 1:  # a family is the windows of one test
        return {}
    return {(int(r["start"]), int(r["end"])): float(r["p_adjusted"]) for r in rows.to_dict("records")}
