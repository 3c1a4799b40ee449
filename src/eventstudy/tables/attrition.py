"""Attrition: from the events of the list to those used, step by step."""

from __future__ import annotations

import pandas as pd

from eventstudy.display import names
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import COUNT, Cell, text
from eventstudy.tables._table import Column, Table

ALL, USED = "events of the list", "events used"


def attrition(result: Result) -> Table:
    """Return the number of events dropped at each step, and how many are left after it.

    Parameters
    ----------
    result : Result

    Returns
    -------
    Table
        ``frame``: step, n (events dropped; for the first and last row, and for the remarks below it, events counted),
        left (events left; NaN for the remarks). The remarks count events that are used, but not in every window.
    """
    counts = dict(zip(result.attrition["reason"], result.attrition["n"], strict=True))
    used = int(counts.pop("ok", 0))
    remarks = {reason: n for reason, n in counts.items() if reason not in names.STATUSES}
    dropped = {reason: n for reason, n in counts.items() if reason in names.STATUSES}
    left = used + sum(dropped.values())
    steps: list[tuple[str, int, float]] = [(ALL, left, left)]
    for reason, n in dropped.items():
        left -= n
        steps.append((names.of_status(reason), n, left))
    steps.append((USED, used, used))
    steps += [(reason.removeprefix("ok, but "), n, float("nan")) for reason, n in remarks.items()]
    first_remark = len(dropped) + 2
    rows = []
    for number, (step, n, after) in enumerate(steps):
        name = "− " + step if 0 < number < len(dropped) + 1 else _shared.capital(step)
        name = f"of these, {step}" if number >= first_remark else name
        rows.append((text(name), Cell(n, COUNT), Cell(after if number < first_remark else "", COUNT)))
    return Table(
        pd.DataFrame(steps, columns=["step", "n", "left"]),
        _shared.with_prices("Sample selection", result),
        (Column("Step", right=False), Column("Events"), Column("Left")),
        tuple(rows),
        breaks=frozenset({len(dropped) + 1}),
        label="attrition",
    )


TABLE = attrition
