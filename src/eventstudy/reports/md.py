"""Markdown: the tables of a result, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eventstudy.reports import _files, _tables
from eventstudy.result import Result
from eventstudy.types import Analysis

HEAD = "# Event study\n"
MAX_EVENTS = 1000


class Markdown:
    """The tables of a result as pipe tables."""

    def render(self, result: Result, path: str | Path, *, analyses: Sequence[Analysis] = ()) -> None:
        """Write the tables to ``path``; of the table of events the first 1,000."""
        tables = _tables.of_result(result, MAX_EVENTS, analyses)
        _files.write(path, "\n".join([HEAD, *(table.to_markdown() for table in tables)]))

    def wrote(self, path: Path) -> bool:
        """Return whether a file begins like this report."""
        return _files.head(path).startswith(HEAD)


REPORT = Markdown()
