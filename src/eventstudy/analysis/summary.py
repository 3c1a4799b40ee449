"""A result in one view: what was studied and left out, the mean effects with the primary test, checks and notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from eventstudy.display import formats, names
from eventstudy.display.cards import WIDTH, Grid, Summary
from eventstudy.types import ResultFrames

if TYPE_CHECKING:
    import pandas as pd

MOST_NOTES = 6  # of those on the data
MOST_LINES = 12  # windows of groups in the short text
ONE_EVENT = "of one event the p-values are in result.table('events')"


def summary(result: ResultFrames) -> Summary:
    """Return the facts, the mean effects by window, the p-values of all tests, and the notes of a result."""
    measure = result.measure
    note = formats.prices_note(result)
    title = f"Event study: mean {measure.averaged_full}" + (f", {note}" if note else "")
    tables = [_effects(result)] if len(result.tests) else []
    tests = result.tests[result.tests["group"] == "all"]
    if tests["test"].nunique() > 1:
        tables.append(_all_tests(result))
    return Summary(title, tuple(_facts(result)), tuple(tables), tuple(_notes(result)))


def short_text(result: ResultFrames) -> str:
    """Return the mean effects by window, what was left out, and the warnings that matter, in at most 100 columns."""
    measure, note = result.measure, formats.prices_note(result)
    head = f"Result({_n_used(result)} of {len(result.events)} events used{', ' + note if note else ''})"
    lines = []
    rows = formats.primary(result.tests).to_dict("records")
    for row in rows[:MOST_LINES]:
        window = f"{formats.plain(row['group'])} {formats.window(row['start'], row['end'])}"
        effect = measure.with_interval(row["effect"], row["lower"], row["upper"])
        mark = formats.stars(row["p"], row["valid"])
        tested = f"{formats.tested(row)}{' ' + mark if mark else ''}"
        lines.append(f"{window}: mean {measure.averaged} {effect}, {tested}")
    if len(rows) > MOST_LINES:
        lines.append(f"and {len(rows) - MOST_LINES} more windows of groups, in result.summary()")
    shared = formats.one_date(result)
    lines += [shared] if shared else []
    left_out, partly_used = _left_out(result), _partly_used(result)
    lines += [f"left out: {left_out}", *_example(result)] if left_out else []
    lines += [f"of those used, {partly_used}"] if partly_used else []
    lines += [ONE_EVENT] if _n_used(result) == 1 else []
    lines += _implausible(result)
    if "*" in "".join(lines):
        lines.append(formats.STARS)
    indented = [f"  {part}" for line in lines for part in formats.wrap(line, WIDTH - 2, "  ")]
    return formats.terminal("\n".join([head, *indented]))


def _facts(result: ResultFrames) -> Iterator[tuple[str, str]]:
    settings: Mapping[str, object] = result.provenance.get("settings") or {}
    prices: Mapping[str, object] = result.provenance.get("prices") or {}
    yield "Events used", f"{_n_used(result)} of {len(result.events)}"
    yield "Left out", _left_out(result) or "none"
    partly_used = _partly_used(result)
    if partly_used:
        yield "Of those used", partly_used
    yield "Securities", str(_of_used(result, "ticker").nunique())
    sessions = _of_used(result, "session")
    if len(sessions):
        yield "Period", f"{formats.date(sessions.min())} to {formats.date(sessions.max())}"
    note = formats.prices_note(result)
    if "source" in prices or note:
        yield "Prices", note or formats.plain(prices["source"])
    if result.measure.sign is not None:
        yield "Signed by", formats.plain(result.measure.sign)
    yield "Model", _member(settings.get("model"))
    yield "Benchmark", formats.setting(settings.get("benchmark"))
    unit = formats.day_unit(result.events["session"])
    yield f"Estimation ({unit}s)", formats.setting(settings.get("estimation"))
    yield f"Event window ({unit}s)", formats.setting(settings.get("event"))
    yield "Day 0 measured to the", formats.setting(settings.get("price"))


def _member(settings: object) -> str:
    """Return the name of a model with its options."""
    if not isinstance(settings, Mapping):
        return formats.setting(settings)
    options = {name: value for name, value in settings.items() if name != "name"}
    return formats.plain(settings.get("name")) + (f" ({formats.setting(options)})" if options else "")


def _left_out(result: ResultFrames) -> str:
    """Return the number of events that are not used, by status."""
    rows = zip(result.attrition["reason"], result.attrition["n"], strict=True)
    counts = [(formats.plain(reason), formats.count(n)) for reason, n in rows if reason != "ok"]
    return "; ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in counts if reason in names.STATUSES)


def _example(result: ResultFrames) -> Iterator[str]:
    """Yield the reason of the first event that is not used, and where those of the others are."""
    for event_id, reason in result.events["reason"][result.events["status"] != "ok"].iloc[:1].items():
        text = f"for instance {formats.plain(event_id)}: {formats.plain(reason)}"
        yield f"{text}; result.events['reason'] has that of every event"


def _partly_used(result: ResultFrames) -> str:
    """Return the number of events that are used, but not in every average, by what they lack."""
    rows = zip(result.attrition["reason"], result.attrition["n"], strict=True)
    lacks = [(formats.plain(reason), formats.count(n)) for reason, n in rows if reason not in names.STATUSES]
    texts = [f"{reason.removeprefix('ok, but ')}: {n}" for reason, n in lacks]
    return "; ".join(text.replace("without a sign:", "without a sign (in no average):") for text in texts)


def _effects(result: ResultFrames) -> Grid:
    """Return the mean effect of each window with the primary test."""
    measure = result.measure
    several = result.tests["group"].nunique() > 1
    rows = []
    for row in formats.primary(result.tests).to_dict("records"):
        lead = (formats.plain(row["group"]),) if several else ()
        spread = (measure.text(row["se"]).removeprefix("+"), formats.number(row["statistic"]))
        tested = (formats.marked_p(row["p"], row["valid"]), measure.text(row["lower"]), measure.text(row["upper"]))
        effect = (measure.text(row["effect"]), formats.stars(row["p"], row["valid"]))
        last = (formats.count(row["n"]), formats.plain(row["test"]))
        rows.append((*lead, formats.window(row["start"], row["end"]), *effect, *spread, *tested, *last))
    heads = ("Window", f"Mean {measure.short}", "", "SE", "Statistic", "p", *names.ends(), "N", "Primary test")
    right = (False, True, False, True, True, True, True, True, True, False)
    shared = formats.one_date(result)
    title = f"{shared[:1].upper()}{shared[1:]}"
    return Grid((*("Group",)[:several], *heads), rows, (*(False,)[:several], *right), title)


def _all_tests(result: ResultFrames) -> Grid:
    """Return the p-value of each test of the whole sample in each window."""
    frame = result.tests[result.tests["group"] == "all"]
    windows = list(dict.fromkeys(zip(frame["start"], frame["end"], strict=True)))
    columns = ("test", "start", "end", "p", "valid")
    p = {
        (name, start, end): formats.marked_p(p, valid)
        for name, start, end, p, valid in zip(*(frame[column] for column in columns), strict=True)
    }
    names = dict.fromkeys(frame["test"])
    rows = [(formats.plain(name), *(p[name, *window] for window in windows)) for name in names]
    heads = ("p of", *(formats.window(*window) for window in windows))
    return Grid(heads, rows, (False, *(True for _ in windows)), "Checks: all tests of the mean, in every window")


def _notes(result: ResultFrames) -> Iterator[str]:
    """Yield what stars and marks mean, what the tests assume, and what matters of the data."""
    primary = formats.primary(result.tests)
    if len(primary):
        yield f"{formats.STARS}; no star where the test does not hold for the sample"
        yield "statistic and p are those of the primary test; SE and the 95 % interval allow for events that share days"
    clustering: Mapping[str, Any] = result.provenance.get("clustering") or {}
    if clustering:
        events, dates = (int(clustering[name]) for name in ("n_events", "n_dates"))
        share = f"{100 * clustering['share']:.1f} % of the pairs of events share days of their event windows"
        yield f"{formats.plural(events, 'event')} on {formats.plural(dates, 'date')}; {share}"
    marked = result.tests[~result.tests["valid"] & result.tests["p"].notna()]
    if len(marked):
        yield f"{formats.DOES_NOT_HOLD} the test does not hold for this sample; result.tests['note'] says why"
    if _n_used(result) == 1:
        yield ONE_EVENT
    of_all = primary[primary["group"] == "all"].drop_duplicates(["test", "note"])
    yield from _notes_of_tests(of_all)
    yield from _implausible(result)
    notes = [formats.plain(note) for note in result.provenance.get("notes") or ()]
    yield from notes[:MOST_NOTES]
    if len(notes) > MOST_NOTES:
        yield f"and {len(notes) - MOST_NOTES} more notes, in result.provenance['notes']"


def _notes_of_tests(tests: pd.DataFrame) -> Iterator[str]:
    """Yield the longest note of each test."""
    longest: dict[str, str] = {}
    for name, note in zip(map(formats.plain, tests["test"]), map(formats.plain, tests["note"]), strict=True):
        if note != formats.MISSING and len(note) > len(longest.get(name, "")):
            longest[name] = note
    for name, note in longest.items():
        yield f"{name} (primary): {note.removeprefix('primary: ')}"


def _implausible(result: ResultFrames) -> Iterator[str]:
    """Yield a note on implausible prices in the windows of used events, if there are any."""
    if "implausible_prices" not in result.events:
        return
    found = _of_used(result, "implausible_prices")
    texts = found[found != ""]
    if len(texts):
        of = f"{len(texts)} of {formats.plural(len(found), 'event')}"
        yield f"implausible prices in the windows of {of}, as {formats.plain(texts.iloc[0])}"


def _n_used(result: ResultFrames) -> int:
    return int((result.events["status"] == "ok").sum())


def _of_used(result: ResultFrames, column: str) -> pd.Series:
    """Return a column of the used events alone: the columns of the user may be many and long."""
    values: pd.Series = result.events[column][result.events["status"] == "ok"]
    return values
