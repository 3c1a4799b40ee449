"""A study that grows: which results of events are taken over from the run before, and why others are computed anew.

A result is taken over only if the model and the tests would read the same numbers again, bit for bit: windows,
regressors, weight and sign (:func:`eventstudy.core.windows.unchanged`). The states of events are sums over blocks, so
that a block is taken over whole or not at all; its clusters and groups are numbered as in the new sample.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from eventstudy.core import parts
from eventstudy.core.parts import Known, PartResult, States, build, n_bytes, nothing, split, take
from eventstudy.core.run import of_one_pass, shares_of
from eventstudy.core.sums import Counted, Numbers, add, renumbered
from eventstudy.core.windows import select, unchanged
from eventstudy.display import formats
from eventstudy.errors import InputError
from eventstudy.prepare.events import Events
from eventstudy.run.groups import Grouped
from eventstudy.run.provenance import fingerprint
from eventstudy.types import Bools, Ints, Outcome, Panel, Placed, StudySample, Summed, Test

NOT_KEPT = (
    "the states of the earlier run are not kept: it was large, on a cluster, read from a checkpoint, made by an"
    " analysis, or pickled by other code"
)
SHOWN = 5  # events that are named


class Kept(NamedTuple):
    """What a run keeps for the next: the results of its events, with the states of blocks, and its tests by name."""

    part: PartResult
    tests: Mapping[str, Test]


class Named(NamedTuple):
    """Placed events with their names, which are those of the input, and in groups also of the group."""

    sample: StudySample
    names: pd.Index


def named(sample: StudySample, groups: Grouped | None = None) -> Named:
    """Return the placed events of a study, or those of its groups."""
    ids = sample.event_table.frame.index[sample.event_table.rows]
    if groups is None:
        return Named(sample, ids)
    labels = np.asarray(groups.labels, dtype=object)[groups.sample.placed.group]
    return Named(groups.sample, pd.MultiIndex.from_arrays([ids[groups.rows], labels]))


def kept(outcome: Outcome, tests: Mapping[str, Test]) -> Kept | None:
    """Return what the next run needs; None if it would take too much memory."""
    n_events = len(outcome.status)
    size = sum(map(n_bytes, outcome.blocks)) + sum(values.nbytes for values in outcome.singles.values())
    if size > parts.KEPT_BYTES or (n_events and not outcome.blocks):
        return None
    singles = {name: values.copy() for name, values in outcome.singles.items()}  # frames of the result, if written to
    rows, blocks = np.arange(n_events), tuple(outcome.blocks)
    return Kept(PartResult({}, {}, {}, singles, rows, outcome.status, outcome.n_est, blocks), dict(tests))


def appended(events: Events, new: Events) -> Events:
    """Return the events of a study with new ones after them.

    Raises
    ------
    InputError
        If an id is in both.
    """
    both = new.frame.index[events.frame.index.get_indexer(new.frame.index) >= 0]
    if len(both):
        raise InputError(
            f"the study has {formats.plural(len(both), 'event')} of these ids already: {', '.join(both[:SHOWN])}"
            f"{' ...' if len(both) > SHOWN else ''}; give the new events alone, with ids of their own in event_id"
        )
    return Events(pd.concat([events.frame, new.frame]))


class Growth:
    """Whether a run keeps its results for the next, and what it takes over from a run of the events ``before``."""

    def __init__(self, keep: bool, before: Events | None) -> None:
        self.keep, self._before = keep, before
        self._records: dict[str, dict[str, Any]] = {}

    def known(self, of: str, kept: Kept | None, earlier: Named, now: Named, tests: Mapping[str, Test]) -> Known:
        """Return what is known of all events or of groups, by the name ``of``."""
        known, self._records[of] = _grown(kept, earlier, now, tests)
        return known

    def record(self) -> dict[str, Any]:
        """Return the record for the provenance: nothing for a run that is not of a grown study."""
        if self._before is None:
            return {}
        origin = {"n": len(self._before), "sha256": fingerprint(self._before.frame)}
        of_groups = {of: record for of, record in self._records.items() if of != "all"}
        return {"extended": {"events": origin, **self._records["all"], **of_groups}}


def _grown(before: Kept | None, earlier: Named, now: Named, tests: Mapping[str, Test]) -> tuple[Known, dict[str, Any]]:
    """Return the results that a run takes over from the run before it, and a record of them as plain values.

    The record has the numbers of placed events that are new, that changed (``changed`` names some of them), that are
    placed no more, that were reused and that were computed, and says why more than the new ones were.
    """
    at = earlier.names.get_indexer(now.names)
    matched = np.flatnonzero(at >= 0)
    same = _same(earlier.sample, now.sample, at[matched], matched)
    part, cannot = _taken_over(before, earlier.sample, now.sample, (at[matched][same], matched[same]), tests)
    n, n_changed, n_dropped = len(at), int((~same).sum()), len(earlier.names) - len(matched)
    record: dict[str, Any] = {
        "n_new": n - len(matched), "n_changed": n_changed, "n_dropped": n_dropped, "n_reused": len(part.rows),
        "n_computed": n - len(part.rows), "changed": [str(name) for name in now.names[matched[~same]][:SHOWN]],
    }  # fmt: skip
    why = [cannot] if cannot else []
    if n_changed:
        why.append(f"returns, regressors, weight, sign or cluster of {formats.plural(n_changed, 'event')} changed")
    if n_dropped:
        why.append(f"{formats.plural(n_dropped, 'event')} of the earlier run left out: duplicates now, or excluded")
    n_beside = len(matched) - n_changed - len(part.rows)
    if n_beside and not cannot:
        why.append(f"the states of {formats.plural(n_beside, 'event')} are kept only in sums with other events")
    record["why"] = [*why, *_of_whole_sample(tests)]
    return Known(part, np.setdiff1d(np.arange(n), matched[same])), record


def _of_whole_sample(tests: Mapping[str, Test]) -> list[str]:
    """Say which tests cannot be updated."""
    two_pass, drawn = ([name for name, test in tests.items() if flag(test)] for flag in (_is_two_pass, _draws))
    reasons = (
        (two_pass, "measured by the moments of all events, in a second pass over all of them"),
        (drawn, "compared with dates of all events that are drawn anew"),
    )
    return [f"{_listed(names)}: each event is {reason}" for names, reason in reasons if names]


def _listed(names: Sequence[str]) -> str:
    return f"the test{'s' * (len(names) > 1)} {', '.join(map(repr, names))}"


def _is_two_pass(test: Test) -> bool:
    return bool(test.needs)


def _draws(test: Test) -> bool:
    return test.draws > 0


def _same(before: StudySample, now: StudySample, first: Ints, second: Ints) -> Bools:
    """Return which events (n,), by their rows in two samples, have the same numbers, clusters and groups as before."""
    same = np.zeros(len(first), dtype=bool)
    for rows in _portions(now, second):
        (panels, at), (newer, at_newer) = _built(before, first[rows]), _built(now, second[rows])
        same[rows] = unchanged(panels, newer, (at, at_newer), now.sample.spec)
    for name in ("cluster", "group"):
        numbers = (getattr(sample.placed, name)[at[same]] for sample, at in ((before, first), (now, second)))
        same[same] = _one_to_one(*numbers)
    return same


def _portions(sample: StudySample, rows: Ints) -> list[Ints]:
    """Split events so that the deferred panels of each portion fit in memory."""
    if all(isinstance(panel, Panel) for panel in sample.panels):
        return [np.arange(len(rows))]
    return split(select(sample.placed, rows), sample.panels)


def _built(sample: StudySample, rows: Ints) -> tuple[tuple[list[Panel], Placed], Ints]:
    """Return built panels with the events (n,), and where these are in them."""
    if all(isinstance(panel, Panel) for panel in sample.panels):
        return ([build(panel) for panel in sample.panels], sample.placed), rows
    ordered = np.sort(rows)
    panels, placed = take(sample.panels, sample.placed, ordered)
    return ([build(panel) for panel in panels], placed), np.searchsorted(ordered, rows)


def _one_to_one(first: Ints, second: Ints) -> Bools:
    """Return which of the pairs of numbers (n,) have one partner each, on both sides."""
    alone = np.ones(len(first), dtype=bool)
    for numbers, partners in ((first, second), (second, first)):
        partner = np.full(numbers.max(initial=-1) + 1, -1)
        partner[numbers] = partners
        alone &= ~np.isin(numbers, numbers[partner[numbers] != partners])
    return alone


def _taken_over(
    before: Kept | None, earlier: StudySample, now: StudySample, rows: tuple[Ints, Ints], tests: Mapping[str, Test]
) -> tuple[PartResult, str]:
    """Return the results of the blocks whose events are all among ``rows``, and why there can be none, if so.

    ``rows`` are those of the old and the new sample.
    """
    if before is None or (len(rows[0]) and not before.part.blocks):
        return nothing(), NOT_KEPT
    missing = [name for name, test in tests.items() if not _has_states(name, test, before.tests)]
    if missing:
        return nothing(), f"{_listed(missing)}: there are no states of the earlier events"
    several = (len(sample.sample.cluster_group) > sample.sample.n_groups for sample in (earlier, now))
    if len({*several}) > 1:  # on which a test may choose its state
        return nothing(), "the events shared one date, and do not now, or the other way round"
    row = np.full(len(earlier.placed.day), -1)
    row[rows[0]] = rows[1]
    numbers: Numbers = {**_numbers(earlier, now, rows), "event": (row, len(now.placed.day))}
    blocks = [block for block in before.part.blocks if (row[block.rows] >= 0).all()]
    moved = [_renumbered(block, numbers, of_one_pass(tests), shares_of(tests)) for block in blocks]
    known = [block for block in moved if block is not None]
    if len(known) < len(moved):
        return nothing(), "a test does not say which rows of its state are clusters or groups, whose numbers changed"
    return _sum(before.part, np.concatenate([np.arange(0), *(block.rows for block in blocks)]), row, known), ""


def _renumbered(block: Summed, numbers: Numbers, tests: Collection[str], shares: Collection[str]) -> Summed | None:
    """Return a block with the states that are still used, numbered as in the new sample; None if that is not known."""
    selected = [
        {name: state for name, state in states.items() if name in names}
        for states, names in ((block.tests, tests), (block.shared, shares), (block.extra, block.extra))
    ]
    rows = numbers["event"][0][block.rows]
    if all(_is_as_before(*numbers[of]) for of in ("cluster", "group")) and (rows == block.rows).all():
        return Summed(rows, *selected)
    moved = [{name: renumbered(state, numbers) for name, state in states.items()} for states in selected]
    if any(state is None for states in moved for state in states.values()):
        return None
    return Summed(rows, *({name: state or {} for name, state in states.items()} for states in moved))


def _is_as_before(to: Ints, size: int) -> bool:
    return len(to) == size and bool(((to == np.arange(size)) | (to < 0)).all())


def _sum(part: PartResult, taken: Ints, row: Ints, blocks: Sequence[Summed]) -> PartResult:
    """Return the part of some events ``taken`` of an earlier run, whose new rows ``row`` has, and states ``blocks``."""
    sums: tuple[States, States, States] = ({}, {}, {})
    for block in blocks:
        for total, states in zip(sums, block[1:], strict=True):
            for name, state in states.items():
                add(total.setdefault(name, {}), state)
    singles = dict(part.singles)
    if singles:
        here = np.isin(singles["id"], taken)
        singles = {name: values[here] for name, values in singles.items()}
        singles["id"] = row[singles["id"]]
    return PartResult(*sums, singles, row[taken], part.status[taken], part.n_est[taken], tuple(blocks))


def _has_states(name: str, test: Test, before: Mapping[str, Test]) -> bool:
    """Return whether a run of the tests ``before`` has the states that can be kept of a test."""
    if not {*shares_of({name: test})} <= {*shares_of(before)}:
        return False
    other = before.get(name)
    if test.needs or test is other:
        return True
    return other is not None and bool(test.name) and (test.name, test.options) == (other.name, other.options)


def _numbers(earlier: StudySample, now: StudySample, rows: tuple[Ints, Ints]) -> Numbers:
    """Return the new numbers of clusters and groups."""
    sizes = [{"cluster": len(study.sample.cluster_group), "group": study.sample.n_groups} for study in (earlier, now)]
    numbers: dict[Counted, tuple[Ints, int]] = {}
    names: tuple[Counted, ...] = ("cluster", "group")
    for name in names:
        to = np.full(sizes[0][name], -1)
        to[getattr(earlier.placed, name)[rows[0]]] = getattr(now.placed, name)[rows[1]]
        numbers[name] = to, sizes[1][name]
    return numbers
