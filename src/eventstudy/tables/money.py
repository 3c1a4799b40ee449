"""Money: what the events cost by group and in total, with the means by value and with equal weights beside the sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.display import formats, names
from eventstudy.errors import InputError, shown
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import BLANK, COUNT, Cell, Format, P, text
from eventstudy.tables._table import Column, Row, Table

if TYPE_CHECKING:
    from eventstudy.analysis.money import Money

UNITS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"), (1.0, ""))
AMOUNT, SHARE = Format("number", 2), Format("percent", 2)
LABELS = {"equal": "Mean, equal weights (%)", "value": "Mean, weights by value (%)", "money": "Sum"}
NAMES = ["covers", "weights", "group", "n", "value", "estimate", "se", "lower", "upper", "p"]


def money(result: Result, *, of: Money | None = None) -> Table:
    """Return what the events cost in money, by group and in total, and the mean effects beside it.

    Parameters
    ----------
    result : Result
    of : Money, optional
        What ``Result.money`` has returned; ``Result.money()`` by default, which needs a column or field
        ``market_value``.

    Returns
    -------
    Table
        ``frame``: covers, weights, group, n, value (of the firms before, summed over events), estimate, se, lower,
        upper, p. Sums are in the currency, means are decimals.

    Raises
    ------
    InputError
        If ``of`` is no such record, or there is no market value.
    """
    from eventstudy.analysis.money import Money

    record = result.money() if of is None else of
    if not isinstance(record, Money):
        raise InputError(f"of is {shown(of)}; give what result.money() returns")
    frame = _frame(record)
    size, unit = _unit(frame)
    rows: list[Row] = []
    breaks, last, unit = set(), "", " ".join(filter(None, (unit, record.currency)))
    for row in frame.to_dict("records"):
        if row["covers"] != last:
            breaks.add(len(rows))
            rows.append((text(f"Of {row['covers']}"), *[BLANK] * 7))
            last = row["covers"]
        rows.append(_row(row, size))
    return Table(
        frame,
        _shared.with_prices(f"Abnormal value, window {formats.window(*record.window)}", result),
        (
            Column("", right=False), Column("N"), Column(f"Value before ({unit})"), Column("Estimate"), Column("SE"),
            *map(Column, names.ends()), Column("p"),
        ),
        tuple(rows),
        (
            f"Sums in {unit}: CAR times the value of the firm at the close before the window; a loss is negative.",
            "These events: the error is noise, correlated on shared dates, and forecast error. Events like these: the"
            " error is the spread over clusters of overlapping windows.",
            *([record.why] if record.why else []), *record.notes,
        ),
        frozenset(breaks - {0}),
        label="money",
    )  # fmt: skip


def _frame(record: Money) -> pd.DataFrame:
    """Return the rows: the groups, then the mean effects and the sum, of these events and of events like these."""
    groups = record.by_group.rename(columns={"total": "estimate"}).assign(weights="money", covers="these events")
    means = record.comparison.assign(group="all", value=record.total["value"])
    order = pd.CategoricalDtype(["these events", "events like these"], ordered=True)
    parts = [part for part in (groups, means) if len(part)]
    frame = pd.concat(parts, ignore_index=True) if parts else groups
    frame = frame.reindex(columns=NAMES).astype({"covers": order}).sort_values("covers", kind="stable")
    return frame.astype({"covers": object}).reset_index(drop=True)


def _unit(frame: pd.DataFrame) -> tuple[float, str]:
    """Return the unit in which the largest sum has one digit or more before the point."""
    largest = float(frame.loc[frame["weights"] == "money", "estimate"].abs().max()) if len(frame) else 1.0
    return next(((size, name) for size, name in UNITS if largest >= size), UNITS[-1])


def _row(row: _shared.Record, size: float) -> Row:
    is_sum = row["weights"] == "money"
    scale, form = (size, AMOUNT) if is_sum else (1.0, SHARE)
    name = formats.plain(row["group"]) if row["group"] != "all" else LABELS[row["weights"]]
    amounts = (Cell(row[key] / scale, form) for key in ("estimate", "se", "lower", "upper"))
    value = Cell(row["value"] / size, AMOUNT) if is_sum else BLANK
    return (text(name), Cell(row["n"], COUNT), value, *amounts, Cell(row["p"], P))


TABLE = money
