"""The runs of a multiverse: one for each model, estimation window and benchmark, from which all else is read.

Windows and tests come out of the same fit, and so do samples: they are groups of one study, whose events keep their
estimates, peers and sessions. Samples that share no event are groups of one run.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from eventstudy.analysis.multiverse_choices import Varied
from eventstudy.core.clustering import components
from eventstudy.display.rows import in_window
from eventstudy.errors import EventStudyError, EventStudyWarning
from eventstudy.run.direction import signs
from eventstudy.types import Bools, Floats, Ints, Rerun, ResultFrames, Status, StudySample, Window, required

COLUMN = "multiverse sample"  # of the events, in the runs of samples
OF_TESTS = ["test", "n", "effect", "se", "lower", "upper", "p", "valid", "note"]
UNUSED = "no event of the sample could be used"
Row = dict[str, object]
Key = tuple[str, str, str, str]  # model, estimation, benchmark, sample


class Days(NamedTuple):
    """Placed events of a run: rows of the input (n,), first and last session of each window (n, V), and their news.

    ``news`` is the row of the first event that reports the same news.
    """

    rows: Ints
    first: Ints
    last: Ints
    news: Ints


class Cell(NamedTuple):
    """The events of a specification, whatever its test: rows of the input (n,), and effects as they are averaged."""

    key: Key
    window: Window
    rows: Ints
    effect: Floats


@dataclass(frozen=True)
class Runs:
    """What the runs gave: rows of the frame, cells, days of events, how often each warning was issued, and errors."""

    rows: list[Row] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    days: list[Days] = field(default_factory=list)
    warned: dict[str, int] = field(default_factory=dict)
    errors: list[Exception] = field(default_factory=list)


class _Pack(NamedTuple):
    """Samples of one run: the group of each by label, and the column (N,) of groups, None where there is none."""

    groups: dict[str, str]
    column: np.ndarray

    @property
    def grouped(self) -> bool:
        return bool((self.column != None).any())  # noqa: E711


def run_all(rerun: Rerun, varied: Varied) -> Runs:
    """Run the study for every model, estimation window and benchmark; one that fails is rows with its error."""
    runs = Runs()
    packs = _packs(varied.samples, len(rerun.events))
    for model, estimation, benchmark in itertools.product(varied.models, varied.estimations, varied.benchmarks):
        for pack in packs:
            try:
                result = _run(rerun, varied, (model, estimation, benchmark), pack, runs.warned)
            except Exception as error:  # also what a user's model raises: one specification never stops the others
                runs.errors.append(error)
                text = str(error) if isinstance(error, EventStudyError) else f"{type(error).__name__}: {error}"
                keys = [(model, estimation, benchmark, sample) for sample in pack.groups]
                runs.rows.extend(
                    row for key in keys for window in varied.windows for row in _missing(varied, key, window, text)
                )
                continue
            for sample, group in pack.groups.items():
                _read(result, varied, (model, estimation, benchmark, sample), _members(result, pack, group), runs)
            runs.days.append(days_of(required(result.rerun).sample(), varied.windows))
    return runs


class Calendar(NamedTuple):
    """When the events of the input (N,) have their windows: first and last session (N, V), and pairs of the same news.

    Events that no run has placed have a first session after the last one.
    """

    first: Ints
    last: Ints
    links: Ints

    def clusters(self, rows: Ints, windows: Sequence[int]) -> Ints:
        """Return the cluster of some events (n,): those whose days overlap in a chain, or that report the same news.

        The days are those of some windows, given by their numbers, together.
        """
        position = np.full(len(self.first), -1)
        position[rows] = np.arange(len(rows))
        links = position[self.links]
        first, last = self.first[rows][:, windows].min(axis=1), self.last[rows][:, windows].max(axis=1)
        return components(first, last, links[(links >= 0).all(axis=1)])


def calendar_of(days: Sequence[Days], n_events: int) -> Calendar:
    """Return when the events of the input have their windows, from the days of several runs."""
    shape = (n_events, days[0].first.shape[1])
    first, last = np.full(shape, np.iinfo(np.int64).max), np.full(shape, np.iinfo(np.int64).min)
    for part in days:
        first[part.rows] = np.minimum(first[part.rows], part.first)
        last[part.rows] = np.maximum(last[part.rows], part.last)
    pairs = [np.column_stack([part.rows, part.news])[part.rows != part.news] for part in days]
    return Calendar(first, last, np.unique(np.concatenate(pairs), axis=0))


def days_of(sample: StudySample, windows: Sequence[Window]) -> Days:
    """Return the first and last session of each window of the placed events of a run, and the news that they report."""
    placed, rows, bounds = sample.placed, sample.event_table.rows, np.array(windows)
    days = np.empty((len(rows), *bounds.shape), dtype=np.int64)
    for k, panel in enumerate(sample.panels):
        own = placed.panel == k
        days[own] = panel.sessions[placed.day[own][:, None, None] + bounds]
    news = rows
    if placed.link is not None:
        _, at, code = np.unique(placed.link, return_index=True, return_inverse=True)
        news = rows[at][code]
    return Days(rows, days[..., 0], days[..., 1], news)


def effects_of(result: ResultFrames, window: Window) -> Floats:
    """Return the effect of each event of the input in a window as it is averaged (N,), NaN if it is in no average."""
    events, cars = result.events, result.cars
    own = in_window(cars, window).set_index("event_id")[result.measure.column]
    effect = own.reindex(events.index).where(events["status"] == "ok").to_numpy(dtype=np.float64)
    if result.measure.sign is None:
        return effect
    sign = signs(events, result.measure.sign)
    return np.where(sign == 0.0, np.nan, sign * effect)


def _packs(samples: Mapping[str, Bools | None], n_events: int) -> list[_Pack]:
    """Put samples that share no event together; one of all events goes with the first."""
    packs = [_Pack({}, np.full(n_events, None, dtype=object))]
    for k, (label, mask) in enumerate(samples.items()):
        if mask is None:
            packs[0].groups[label] = "all"
            continue
        pack = next((pack for pack in packs if all(value is None for value in pack.column[mask])), None)
        if pack is None:
            pack = _Pack({}, np.full(n_events, None, dtype=object))
            packs.append(pack)
        pack.groups[label] = f"sample {k}"
        pack.column[mask] = f"sample {k}"
    return packs


def _run(rerun: Rerun, varied: Varied, key: tuple[str, str, str], pack: _Pack, warned: dict[str, int]) -> ResultFrames:
    """Run the study of one model, estimation window and benchmark, and count what it warns of."""
    choices: dict[str, object] = {
        "model": varied.models[key[0]], "estimation": varied.estimations[key[1]],
        "benchmark": varied.benchmarks[key[2]], "windows": tuple(varied.windows),
        "group": COLUMN if pack.grouped else None,
    }  # fmt: skip
    if varied.tests is not None:
        choices["tests"] = dict(varied.tests)
    events = rerun.events.assign(**{COLUMN: pack.column}) if pack.grouped else None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EventStudyWarning)
        result = rerun.result(events=events, choices=choices)
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        warned[text] = warned.get(text, 0) + 1
    return result


def _members(result: ResultFrames, pack: _Pack, group: str) -> tuple[str, Bools]:
    """Return a group, and which events of the input (N,) are in it: an event is where one of its listings is."""
    if group == "all":
        return group, np.ones(len(pack.column), dtype=bool)
    table = required(result.rerun).sample().event_table
    listed = (pack.column == group) & np.isin(table.status, (Status.OK, Status.DUPLICATE))
    inside = np.zeros(len(pack.column), dtype=bool)
    inside[table.duplicate_of[listed]] = True
    return group, inside


def _read(result: ResultFrames, varied: Varied, key: Key, members: tuple[str, Bools], runs: Runs) -> None:
    """Add the rows and the cells of a sample of a run."""
    group, inside = members
    tests = result.tests[result.tests["group"] == group]
    for window in varied.windows:
        own = in_window(tests, window)
        if varied.tests is None:
            own = own.head(1)
        else:
            own = own.set_index("test").reindex(list(varied.tests)).dropna(subset="n").reset_index()
        for row in own[OF_TESTS].to_dict("records"):
            failed = "" if row["effect"] == row["effect"] else row["note"] or UNUSED
            runs.rows.append({**_place(key, window), **{str(name): row[name] for name in row}, "error": failed})
        if own.empty:
            runs.rows.extend(_missing(varied, key, window, UNUSED))
        effect = np.where(inside, effects_of(result, window), np.nan)
        rows = np.flatnonzero(np.isfinite(effect))
        if len(rows):
            runs.cells.append(Cell(key, window, rows, effect[rows]))


def _place(key: Key, window: Window) -> Row:
    names = ("model", "estimation", "benchmark", "sample", "start", "end")
    return dict(zip(names, (*key, *window), strict=True))


def _missing(varied: Varied, key: Key, window: Window, error: str) -> list[Row]:
    """Return the rows of a specification that has no numbers, with the reason."""
    nothing = {"n": 0, **dict.fromkeys(("effect", "se", "lower", "upper", "p"), np.nan), "valid": False, "note": ""}
    return [{**_place(key, window), "test": test, **nothing, "error": error} for test in varied.tests or ("",)]
