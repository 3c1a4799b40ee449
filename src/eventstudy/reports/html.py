"""One HTML page for a reader: the answer, the figure, what the tests say, and everything that they rest on.

In this order: title and question, the answer in two sentences, the figure of the mean, the tests in plain language,
groups, other models, the analyses that are given, the checks of the assumptions, data and attrition, each event, the
methods, and provenance. The page has no script and fetches nothing; ``interactive=True`` adds an explorer of the
events, whose scripts are part of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eventstudy.reports import _files
from eventstudy.reports._html_page import page
from eventstudy.result import Result
from eventstudy.types import Analysis

GENERATOR = '<meta name="generator" content="eventstudy'


class Html:
    """The report as one self-contained page for screen and print."""

    def render(
        self,
        result: Result,
        path: str | Path,
        *,
        title: str | None = None,
        question: str | None = None,
        interactive: bool = False,
        analyses: Sequence[Analysis] = (),
    ) -> None:
        """Write the page to ``path``.

        Parameters
        ----------
        result : Result
        path : path ending in ``.html``
        title : str, optional
            By default what was measured, of how many events, and when.
        question : str, optional
            The question of the study, which stands below the title.
        interactive : bool
            Whether to add an explorer of the events, with scripts that are part of the page: about 5 MB.
        analyses : sequence of Analysis
            What methods such as ``Result.dates`` have returned; each has a section with its answer, figure and table.

        Raises
        ------
        InputError
            If an option is not valid, or ``interactive`` needs a library that is not installed.
        """
        _files.write(path, page(result, title, question, interactive, analyses))

    def wrote(self, path: Path) -> bool:
        """Return whether a file begins like this report."""
        return GENERATOR in _files.head(path)


REPORT = Html()
