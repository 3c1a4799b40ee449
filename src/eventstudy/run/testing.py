"""The table of tests: each statistic beside the effect that it tests, and whether the test holds for the sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.core.residuals import Residuals
from eventstudy.run.validity import Situation, judge
from eventstudy.types import Bools, Floats, Ints, Outcome, Spec, StudySample, Test, Window

COLUMNS = (
    "group", "start", "end", "test", "n", "effect", "se", "lower", "upper", "median", "positive", "statistic", "df",
    "p", "valid", "note",
)  # fmt: skip
EFFECT = ("effect", "se", "lower", "upper", "median", "positive")
TYPES = {"n": np.int64, "valid": bool, **dict.fromkeys((*EFFECT, "statistic", "df", "p"), float)}


class Members(NamedTuple):
    """The effects of single events (n, V), NaN where missing, and the events of each group: masks (n,).

    ``residuals`` are those of each group, and ``n_unlinked`` its events beside unlinked news, 0 where these are too few
    to matter. ``n_linked`` is the number of pairs of dates that report the same news, if there are no groups.
    """

    effect: Floats
    groups: Sequence[Bools]
    residuals: Sequence[Residuals]
    n_unlinked: Sequence[int]
    n_linked: int = 0


def effects_of_events(outcome: Outcome, sample: StudySample) -> tuple[Ints, Floats]:
    """Return the rows of the estimated events among those placed (n,), and their effects (n, V) as they are averaged.

    Those of a study with expected signs are multiplied by them, and NaN without a sign.
    """
    ids = outcome.singles.get("id", np.empty(0, dtype=np.int64))
    effect = outcome.singles.get("bhar", outcome.singles.get("car", np.empty((0, len(sample.sample.spec.windows)))))
    if sample.placed.sign is None:
        return ids, effect
    sign = sample.placed.sign[ids, None]
    return ids, np.where(sign == 0.0, np.nan, sign * effect)


def table_of_tests(
    outcome: Outcome,
    spec: Spec,
    tests: Mapping[str, Test],
    members: Members,
    groups: Sequence[str],
    by_default: bool,
) -> pd.DataFrame:
    """Return one row for each group, window and test, in each window the primary test first.

    The primary test is the first one that holds, in the order of ``tests``. ``by_default``: say why it is the first.
    """
    rows = [
        row
        for g, group in enumerate(groups)
        for v, (start, end) in enumerate(spec.windows.tolist())
        for row in _of_window(outcome, tests, members, (g, v), (group, (start, end)), by_default)
    ]
    columns = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
    cells = {name: list(column) for name, column in zip(COLUMNS, columns, strict=True)}
    return pd.DataFrame({name: np.array(cells[name], TYPES[name]) if name in TYPES else cells[name] for name in cells})


def _of_window(
    outcome: Outcome,
    tests: Mapping[str, Test],
    members: Members,
    at: tuple[int, int],
    label: tuple[str, Window],
    by_default: bool,
) -> list[tuple[object, ...]]:
    """Return the rows of one group and window, the primary test first."""
    group, (start, end) = label
    situation = _situation(outcome, at, end - start + 1, members)
    effect = _effect(outcome, members, at)
    one_cluster = "" if group == "all" else situation.one_cluster
    rows: list[tuple[object, ...]] = []
    primary = None
    for name, test in tests.items():
        statistic, df, p, n, note = (part[at] for part in outcome.verdicts[name])
        valid, about = judge(test, situation, float(p))
        is_primary = valid and primary is None
        why = f"primary: {situation.reason}" if is_primary and by_default else ""
        texts = (why, one_cluster, note, about)
        row = (group, start, end, name, n, *effect, statistic, df, p, valid, "; ".join(filter(None, texts)))
        if is_primary:
            primary = row
        else:
            rows.append(row)
    return rows if primary is None else [primary, *rows]


def _effect(outcome: Outcome, members: Members, at: tuple[int, int]) -> tuple[float, ...]:
    """Return mean, standard error, interval, median and share of positive effects; NaN without events."""
    group, v = at
    values = members.effect[members.groups[group], v]
    values = values[np.isfinite(values)]
    if not len(values) or not outcome.shared:
        return (np.nan,) * len(EFFECT)
    effects = outcome.shared["effects"]
    mean = (float(effects[name][at]) for name in ("mean", "se", "lower", "upper"))
    return (*mean, float(np.median(values)), float((values > 0).mean()))


def _situation(outcome: Outcome, at: tuple[int, int], length: int, members: Members) -> Situation:
    """Return what is known of the events of a group in a window."""
    if not outcome.shared:
        return Situation(0, 0, 0, length)
    n, n_clusters, n_dates = (int(outcome.shared["effects"][name][at]) for name in ("n", "n_clusters", "n_dates"))
    group = at[0]
    return Situation(
        n, n_clusters, n_dates, length, members.n_linked, members.n_unlinked[group], members.residuals[group]
    )


def no_test_holds(frame: pd.DataFrame) -> Iterator[str]:
    """Yield a warning if no test of the whole sample holds in any window, although some have values."""
    rows = frame[(frame["group"] == "all") & frame["p"].notna()]
    if len(rows) and not rows["valid"].any():
        reasons = dict(zip(rows["test"], rows["note"], strict=True))
        name, reason = next(iter(reasons.items()))
        others = f", and none of the {len(reasons) - 1} others either" if len(reasons) > 1 else ""
        yield f"the test {name!r} does not hold for this sample: {reason}{others}; tests='default' takes one that does"
