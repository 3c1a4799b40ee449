r"""A LaTeX fragment for ``\input``: the tables of a paper, with booktabs rules and notes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eventstudy.reports import _files, _tables
from eventstudy.result import Result
from eventstudy.tables import _latex
from eventstudy.types import Analysis

MAX_EVENTS = 1000


class Latex:
    """The tables of a result as LaTeX."""

    def render(self, result: Result, path: str | Path, *, analyses: Sequence[Analysis] = ()) -> None:
        """Write the tables to ``path``, as a fragment without preamble; of the table of events the first 1,000."""
        tables = _tables.of_result(result, MAX_EVENTS, analyses)
        _files.write(path, _latex.render(tables))

    def wrote(self, path: Path) -> bool:
        """Return whether a file begins like this report."""
        return _files.head(path).startswith(_latex.NEEDS)


REPORT = Latex()
