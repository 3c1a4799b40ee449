"""Excel: the tables of a result as a workbook of real numbers with number formats, one sheet for each table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eventstudy.reports import _files, _tables
from eventstudy.result import Result
from eventstudy.tables import _excel
from eventstudy.types import Analysis

MAX_EVENTS = 100_000


class Xlsx:
    """The tables of a result as sheets; it needs xlsxwriter, of the extra ``excel``."""

    def render(self, result: Result, path: str | Path, *, analyses: Sequence[Analysis] = ()) -> None:
        """Write the workbook, with the first 100,000 events; no text of the user becomes a formula or a link."""
        _excel.render(_tables.of_result(result, MAX_EVENTS, analyses), Path(path))

    def wrote(self, path: Path) -> bool:
        """Return whether a file has the mark of this report in its properties."""
        return _files.has_mark(path, _excel.MARK)


REPORT = Xlsx()
