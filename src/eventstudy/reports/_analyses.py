"""The analyses that a report is given: checked, and their tables."""

from __future__ import annotations

from collections.abc import Sequence

from eventstudy.errors import InputError, shown
from eventstudy.result import Result
from eventstudy.tables._table import Table
from eventstudy.types import Analysis

NO_ANALYSIS = "is no analysis that a report can show; give what a method such as result.dates() has returned"


def checked(analyses: object) -> list[Analysis]:
    """Return the analyses as a list.

    Raises
    ------
    InputError
        If it is not a list of records of analyses.
    """
    if isinstance(analyses, str) or not isinstance(analyses, Sequence):
        raise InputError(f"analyses is {shown(analyses)}; give a list, such as [result.dates()]")
    records = []
    for record in analyses:
        if isinstance(record, type) or not isinstance(record, Analysis):
            raise InputError(f"analyses has {shown(record)}, which {NO_ANALYSIS}")
        records.append(record)
    return records


def tables(result: Result, analyses: Sequence[Analysis]) -> list[Table]:
    """Return the table of each analysis."""
    return [result.table(record.kind, of=record) for record in checked(analyses)]
