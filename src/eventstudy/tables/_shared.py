"""What the kinds of tables share: heads, stars, windows, and what notes say of tests."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from eventstudy.display import formats, names
from eventstudy.display.measure import Measure
from eventstudy.display.rows import in_window
from eventstudy.result import Result
from eventstudy.tables._cells import BLANK, COUNT, NUMBER, PERCENT, Cell, Format, P, text
from eventstudy.tables._table import Column, Row
from eventstudy.types import Clustering

MOST_PLACES = 4  # windows or days that a note names
SHARE = Format("percent", 1)
BRACKETS = {
    "se": "the standard error, which allows for events that share days",
    "t": "the value above over its standard error",
    "p": "the p of the value above",
}
Record = Mapping[Hashable, Any]
Window = tuple[int, int]


def needs_study(what: str) -> str:
    """Return the note on a part of a table that a result without its study does not have."""
    return f"{what} need the study with its data: they are left out of a result that was read from a file."


def with_prices(title: str, result: Result) -> str:
    """Return a title with the note on the prices that every table shows (``simulated prices``)."""
    note = formats.prices_note(result)
    return f"{title} ({note})" if note else title


def capital(text: str) -> str:
    """Return a text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def value_format(measure: Measure) -> Format:
    """Return the format of values of a measure: per cent without the sign, or a number with its digits."""
    return PERCENT if measure.percent else Format("number", measure.digits)


def with_unit(head: str, measure: Measure) -> str:
    """Return a head with the unit of the measure's values.

    Examples
    --------
    >>> from eventstudy.display.measure import measure_of
    >>> with_unit("CAR", measure_of()), with_unit("CAV", measure_of("volume"))
    ('CAR (%)', 'CAV')
    """
    return f"{head} (%)" if measure.percent else head


def mean_head(measure: Measure) -> str:
    """Return the short name of the mean of a measure.

    Examples
    --------
    >>> from eventstudy.display.measure import measure_of
    >>> mean_head(measure_of()), mean_head(measure_of(sign="expected")), mean_head(measure_of("volume"))
    ('CAAR', 'Signed CAAR', 'Mean CAV')
    """
    if measure.short == "CAR":
        return "CAAR" if measure.sign is None else "Signed CAAR"
    return f"Mean {measure.averaged}"


def windows(frame: pd.DataFrame) -> list[Window]:
    """Return the windows of the rows of a frame in their order."""
    pairs = frame[["start", "end"]].drop_duplicates()
    return [(int(start), int(end)) for start, end in zip(pairs["start"], pairs["end"], strict=True)]


def places(frame: pd.DataFrame) -> list[str]:
    """Return the window of each row as text."""
    return [formats.window(start, end) for start, end in zip(frame["start"], frame["end"], strict=True)]


def tests_in_order(result: Result) -> list[str]:
    """Return the labels of the study's tests in its order; ``Result.tests`` has the primary test first."""
    labels = list(dict.fromkeys(result.tests["test"]))
    order = {name: at for at, name in enumerate(result.provenance.get("tests") or ())}
    return sorted(labels, key=lambda name: order.get(name, len(order)))


def beside(tests: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Return one row for each window: its effect, and statistic, p and valid of each test in columns of its name."""
    keys = ["start", "end"]
    frame = tests.drop_duplicates(keys)[[*keys, "n", "effect", "se", "median", "positive"]].set_index(keys)
    for label in labels:
        own = tests[tests["test"] == label].set_index(keys)
        for name in ("statistic", "p", "valid"):
            frame[f"{label}_{name}"] = own[name]
    return frame.reset_index()


def signed_cars(result: Result, window: Window) -> pd.Series[float]:
    """Return the CARs of the used events by event, times their sign; those that are missing are left out."""
    used = formats.usable_events(result)
    of_window = in_window(result.cars, window).set_index("event_id")[result.measure.column]
    cars = of_window.reindex(used.index).astype(float)
    if result.measure.sign is not None:
        signs = pd.to_numeric(used[result.measure.sign], errors="coerce").astype(float)
        cars = (cars * signs).where(signs.abs() == 1.0)
    return cars.dropna()


def effect_mark(row: Record, starred: bool) -> str:
    """Return the mark of an effect: the stars of its primary test, or the sign that this does not hold."""
    if formats.is_missing(row["p"]):
        return ""
    return (formats.stars(row["p"]) if starred else "") if row["valid"] else formats.DOES_NOT_HOLD


def statistic(row: Record | None, starred: bool) -> Cell:
    """Return the statistic of a test with its stars, or the sign that it does not hold."""
    return Cell(None, NUMBER) if row is None else Cell(row["statistic"], NUMBER, effect_mark(row, starred))


def p_in_brackets(row: Record | None) -> Cell:
    """Return the p of a test in brackets."""
    return Cell(None if row is None else row["p"], P, brackets=True)


def effect_columns(head: str, spans: Sequence[Window], measure: Measure) -> tuple[Column, ...]:
    """Return the heads of a table of effects by window: N and the mean of each."""
    mean = with_unit(mean_head(measure), measure)
    pairs = ((Column("N", span=formats.window(*w)), Column(mean, span=formats.window(*w))) for w in spans)
    return (Column(head, right=False), *(column for pair in pairs for column in pair))


def effect_rows(
    name: str, rows: pd.DataFrame, spans: Sequence[Window], measure: Measure, shown: tuple[bool, str]
) -> list[Row]:
    """Return the two rows of a group or model: N and effect in each window, and below what stands in brackets."""
    form, (starred, brackets) = value_format(measure), shown
    above, below = [text(name)], [BLANK]
    by_window = {(row["start"], row["end"]): row for row in rows.to_dict("records")}
    for window in spans:
        row = by_window.get(window)
        if row is None:
            above += [Cell(None, COUNT), Cell(None, form)]
            below += [BLANK, BLANK]
            continue
        above += [Cell(row["n"], COUNT), Cell(row["effect"], form, effect_mark(row, starred))]
        below += [BLANK, in_brackets(row, brackets, form)]
    return [tuple(above), tuple(below)]


def in_brackets(row: Record, brackets: str, form: Format) -> Cell:
    """Return the standard error of an effect, the effect over it, or its p, in brackets."""
    if brackets == "p":
        return p_in_brackets(row)
    if brackets == "t":
        return Cell(row["effect"] / row["se"] if row["se"] else None, NUMBER, brackets=True)
    return Cell(row["se"], form, brackets=True)


def about_stars(tests: pd.DataFrame, at: Sequence[str], starred: bool) -> list[str]:
    """Return the notes on stars and on the primary test, which is that of the first row of each place.

    Parameters
    ----------
    tests : DataFrame
        Rows of ``Result.tests``.
    at : sequence of str
        The place of each row in the table: its window, day or group.
    """
    if not tests["p"].notna().any():
        return []
    first = tests.assign(place=list(at)).drop_duplicates("place")
    valid = first[first["valid"]]
    notes = [f"Stars: {formats.STARS}."] if starred else []
    if len(valid):
        by_name = valid.groupby("test", sort=False)["place"].agg(list)
        named = [
            names.of_test(name) + (f" in {_places(own, len(first))}" if len(by_name) > 1 else "")
            for name, own in by_name.items()
        ]
        of_effect = "Stars of the mean" if starred else "The test of the mean"
        notes.append(f"{of_effect}: the primary test, which is the first that holds: {'; '.join(named)}.")
    if (~tests["valid"] & tests["p"].notna()).any():
        notes.append(f"{formats.DOES_NOT_HOLD} does not hold for this sample, and has no stars.")
    return notes


def other_sign(tests: pd.DataFrame, at: Sequence[str]) -> list[str]:
    """Return a note on the primary tests whose statistic has another sign than the mean; an F has none.

    Parameters
    ----------
    tests, at
        As in :func:`about_stars`.
    """
    first = tests.assign(place=list(at)).drop_duplicates("place")
    first = first[(first["statistic"] * first["effect"] < 0) & ~first["note"].str.contains("F(", regex=False)]
    by_name = first.groupby("test", sort=False)["place"].agg(list)
    return [
        f"{names.of_test(name)} has another sign than the mean in {_places(own, len(set(at)))}: it weighs"
        " the events otherwise than the plain mean."
        for name, own in by_name.items()
    ]


def about_tests(tests: pd.DataFrame, at: Sequence[str]) -> list[str]:
    """Return one note for each test: what it assumes, why it does not hold or has no value, and where.

    A remark that is true everywhere is said without a place. What differs from place to place is named for up to four
    of them, and else only counted where it invalidates the test.
    """
    notes = []
    frame = tests.assign(place=list(at))
    for name, rows in frame.groupby("test", sort=False):
        remarks: dict[str, list[str]] = {}
        for note, place in zip(rows["note"], rows["place"], strict=True):
            for remark in str(note).split("; ") if note else ():
                remarks.setdefault(formats.plain(remark), []).append(place)
        by_places: dict[tuple[str, ...], list[str]] = {}
        for remark, own in remarks.items():
            by_places.setdefault(tuple(own), []).append(remark.removeprefix("primary: "))
        said = [text for own, texts in by_places.items() if (text := _said("; ".join(texts), own, rows))]
        if said:
            notes.append(f"{names.of_test(name)}: {'; '.join(said)}.")
    return notes


def _said(remark: str, own: Sequence[str], rows: pd.DataFrame) -> str:
    """Return a remark with its places; empty text for one that need not be said."""
    if len(own) == len(rows):
        return remark
    matters = not rows.loc[rows["place"].isin(own), "valid"].all()
    if len(rows) > MOST_PLACES and not matters:
        return ""
    return f"{_places(own, len(rows))}: {remark}"


def _places(own: Sequence[str], n: int) -> str:
    return ", ".join(own) if len(own) <= MOST_PLACES else f"{len(own)} of {n}"


def dependence(result: Result) -> list[str]:
    """Return the note on events that share days, from the clustering of the sample that the study has recorded."""
    record = result.provenance.get("clustering")
    return [f"Dependence: {Clustering(**record)}."] if record else []


def implausible(result: Result) -> list[str]:
    """Return a note on implausible prices in the windows of used events, if there are any."""
    used = formats.usable_events(result)
    if "implausible_prices" not in used:
        return []
    texts = used["implausible_prices"][used["implausible_prices"] != ""]
    if texts.empty:
        return []
    first = formats.plain(texts.iloc[0])
    return [f"Implausible prices in the windows of {len(texts)} of {formats.plural(len(used), 'event')}, as {first}."]
