"""Multiverse: the median effect under each choice, and the shares of specifications that agree and are significant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.display import formats
from eventstudy.errors import InputError, shown
from eventstudy.result import Result
from eventstudy.tables import _shared
from eventstudy.tables._cells import BLANK, COUNT, Cell, Format, text
from eventstudy.tables._table import Column, Row, Table

if TYPE_CHECKING:
    from eventstudy.analysis.multiverse import Multiverse

WHOLE = Format("percent", 0)
SHARES = ("agree", "significant", "opposite", "adjusted")
MOST = 4  # errors that notes name


def multiverse(result: Result, *, of: Multiverse | None = None) -> Table:
    """Return what all specifications agree on, and the same for each value of each choice that varies.

    Parameters
    ----------
    result : Result
    of : Multiverse, optional
        What ``Result.multiverse`` has returned; ``Result.multiverse()``, the windows of the study, by default.

    Returns
    -------
    Table
        ``frame``: choice, value, n, n_run, n_valid, median, low, high, agree, significant, opposite, adjusted, as in
        ``Multiverse.by_choice``; the first row is of all specifications. Effects and shares are decimals.

    Raises
    ------
    InputError
        If ``of`` is no such record.
    """
    from eventstudy.analysis.multiverse import Multiverse
    from eventstudy.analysis.multiverse_choices import printed

    record = result.multiverse() if of is None else of
    if not isinstance(record, Multiverse):
        raise InputError(f"of is {shown(of)}; give what result.multiverse() returns")
    choices = record.by_choice()
    every = record.summary().to_frame().T.assign(choice="all", value="").reindex(columns=choices.columns)
    frame = pd.concat([every, choices], ignore_index=True).astype(dict.fromkeys(("n", "n_run", "n_valid"), int))
    effect = _shared.value_format(record.measure)
    rows: list[Row] = []
    breaks, last = set(), "all"
    for row in frame.to_dict("records"):
        if row["choice"] != last:
            breaks.add(len(rows))
            rows.append((text(_shared.capital(str(row["choice"]))), *[BLANK] * 8))
            last = row["choice"]
        effects = (Cell(row[name], effect) for name in ("median", "low", "high"))
        shares = (Cell(row[name], WHOLE) for name in SHARES)
        name = "All specifications" if last == "all" else printed(row["choice"], row["value"])
        rows.append((text(name), Cell(row["n_run"], COUNT), *effects, *shares))
    unit = _shared.with_unit(_shared.mean_head(record.measure), record.measure)
    return Table(
        frame,
        _shared.with_prices(f"{_shared.capital(record.measure.averaged_full)} under all choices", result),
        (
            Column("", right=False), Column("N"), Column("Median", span=unit), Column("Lowest", span=unit),
            Column("Highest", span=unit), Column("Same sign (%)"), Column("p < 5 % (%)"),
            Column("Other sign, p < 5 % (%)"), Column("Adjusted p < 5 % (%)"),
        ),
        tuple(rows),
        tuple(_notes(record)),
        frozenset(breaks),
        label="multiverse",
    )  # fmt: skip


def _notes(record: Multiverse) -> Iterator[str]:
    """Yield what the shares are of, and why specifications have no numbers."""
    own = record.own
    yield (
        "N: specifications with an effect. Same sign: as the study's own effect,"
        f" {record.measure.text(own['effect'])} in {formats.window(own['start'], own['end'])}. p: of those whose test"
        " holds. Adjusted: p of the mean by Romano & Wolf over all specifications, with random signs of blocks of"
        " events."
    )
    yield f"The specifications share events and days. Joint p of their median: {formats.p_value(record.p_median)}."
    errors = record.frame.loc[record.frame["error"] != "", "error"].value_counts()
    for error, n in errors.head(MOST).items():
        yield f"{formats.plural(n, 'specification')} without an effect: {formats.plain(error)}."
    if len(errors) > MOST:
        yield f"{int(errors.iloc[MOST:].sum())} more have other errors, in the frame of the multiverse."


TABLE = multiverse
