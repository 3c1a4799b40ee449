"""Groups: the mean effect of each group in every window, and the differences between groups."""

from __future__ import annotations

import math
import re
import warnings

import pandas as pd

from eventstudy import arguments
from eventstudy.display import formats
from eventstudy.display.rows import in_window
from eventstudy.errors import EventStudyWarning, InputError, NotEnoughData
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._shared import BRACKETS, Record
from eventstudy.tables._table import Row, Table

MOST = 6  # groups of which all pairs are compared: 15
SIDES = (("first", "n1"), ("second", "n2"))  # of a pair of Result.compare: a group, and its events
ONCE = (
    "A mean counts an event in each group that lists it; a difference counts it once, in the group of the listing that"
    " is used, and need not be the difference of the means."
)
COLUMNS = ["group", "start", "end", "n", "effect", "se", "test", "p", "valid", "note"]


def groups(result: Result, *, stars: bool = True, brackets: str = "se") -> Table:
    """Return the mean CAR of each group of the study in every window, and the differences of all pairs of groups.

    Parameters
    ----------
    result : Result
        Of a study with a group column.
    stars : bool
        Whether means and differences have stars: three for p < 0.01, two for p < 0.05, one for p < 0.10; those of a
        mean by the primary test of its group, those of a difference by ``Result.compare``. A test that does not hold
        for the group has a dagger instead.
    brackets : {"se", "t", "p"}
        What stands in brackets below: the standard error, the mean or difference over it, or the p.

    Returns
    -------
    Table
        ``frame``: group, start, end, n, effect, se, test, p, valid, note; means are decimals. A difference has both
        groups in ``group`` as "a − b", the events of both in ``n``, and ``compare`` as its test. Of more than six
        groups there are no differences.

    Raises
    ------
    InputError
        If the study has no groups, or an option is not valid.
    """
    arguments.flag("stars", stars)
    arguments.choice("brackets", brackets, BRACKETS)
    tests = result.tests[result.tests["group"] != "all"]
    if tests.empty:
        raise InputError("the study has no groups; name a column of its events, as in Study(group='sector')")
    primary = formats.primary(result.tests)[COLUMNS]
    of_groups = primary[primary["group"] != "all"]
    names = list(dict.fromkeys(of_groups["group"]))
    differences, left_out = _differences(result, of_groups)
    everyone = primary[primary["group"] == "all"]
    frame = pd.concat([part for part in (of_groups, everyone, differences) if len(part)], ignore_index=True)
    rows: list[Row] = []
    spans = _shared.windows(tests)
    breaks = set()
    labelled = {**{name: formats.plain(name) for name in names}, "all": "All events"}
    for part in (of_groups, everyone, differences):
        breaks.add(len(rows))
        for name in dict.fromkeys(part["group"]):
            own = part[part["group"] == name]
            rows += _shared.effect_rows(labelled.get(name, name), own, spans, result.measure, (stars, brackets))
    shown = frame[frame["test"] != "compare"]
    at, tested = _places(shown), formats.primary(result.tests)
    return Table(
        frame,
        _shared.with_prices(f"{_shared.capital(f'mean {result.measure.averaged_full}')} of groups", result),
        _shared.effect_columns("Group", spans, result.measure),
        tuple(rows),
        (
            f"In brackets: {BRACKETS[brackets]}.",
            *_shared.about_stars(shown, at, stars),
            *_shared.other_sign(tested, _places(tested)),
            *left_out,
            *_shared.dependence(result),
            *_shared.implausible(result),
        ),
        frozenset(breaks - {0}),
        label="groups",
    )


def _places(tests: pd.DataFrame) -> list[str]:
    return [f"{formats.plain(n)} {w}" for n, w in zip(tests["group"], _shared.places(tests), strict=True)]


def _differences(result: Result, of_groups: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the differences of all pairs in every window, and notes on them."""
    nothing = pd.DataFrame(columns=COLUMNS)
    names = list(dict.fromkeys(of_groups["group"]))
    column = None if result.rerun is None else result.rerun.choices.group
    if len(names) < 2:
        return nothing, []
    if column is None:
        return nothing, [_shared.needs_study("Differences of groups")]
    if len(names) > MOST:
        return nothing, [f"{len(names)} groups have {math.comb(len(names), 2)} differences: see Result.compare."]
    rows: list[Record] = []
    once = False
    for window in _shared.windows(result.tests):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EventStudyWarning)  # counts of left-out events, which the attrition has
            try:
                pairs = result.compare(column, window).to_dict("records")
            except NotEnoughData:
                continue
        rows += [_difference(pair, window) for pair in pairs]
        compared = {str(pair[group]): pair[n] for pair in pairs for group, n in SIDES}
        means = in_window(of_groups, window)
        once |= any(n and compared.get(group) != n for group, n in zip(means["group"], means["n"], strict=True))
    if not rows:
        return nothing, ["No two groups have the events to be compared."]
    kinds = dict.fromkeys(re.split("[,;]", str(row["note"]))[0].removeprefix("p: ") for row in rows)
    notes = [f"Differences: {', or '.join(kinds)} (notes in the frame)."] + [ONCE] * once
    return pd.DataFrame(rows, columns=COLUMNS), notes


def _difference(pair: Record, window: _shared.Window) -> Record:
    """Return a pair of ``Result.compare`` as a row of the frame."""
    t, difference = pair["t"], pair["difference"]
    return {
        "group": f"{formats.plain(pair['first'])} − {formats.plain(pair['second'])}", "start": window[0],
        "end": window[1], "n": pair["n1"] + pair["n2"], "effect": difference,
        "se": abs(difference / t) if t else math.nan, "test": "compare", "p": pair["p"],
        "valid": not formats.is_missing(pair["p"]), "note": pair["note"],
    }  # fmt: skip


TABLE = groups
