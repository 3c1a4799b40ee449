"""Word: the tables of a result as a document, each with its notes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eventstudy.reports import _files, _tables
from eventstudy.result import Result
from eventstudy.tables import _word
from eventstudy.types import Analysis

MAX_EVENTS = 1000


class Docx:
    """The tables of a result as a Word document; it needs python-docx, of the extra ``word``."""

    def render(self, result: Result, path: str | Path, *, analyses: Sequence[Analysis] = ()) -> None:
        """Write the document to ``path``; of the table of events the first 1,000."""
        tables = _tables.of_result(result, MAX_EVENTS, analyses)
        _word.render(tables, Path(path))

    def wrote(self, path: Path) -> bool:
        """Return whether a file has the mark of this report in its properties."""
        return _files.has_mark(path, _word.MARK)


REPORT = Docx()
