"""One HTML file with events, attrition, tests, figures, settings and provenance; no script, nothing remote."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import jinja2
import numpy as np

from eventstudy.display import formats
from eventstudy.reports import _files, _tables
from eventstudy.reports._tables import Table
from eventstudy.result import Result

FIGURES = {"caar": "Average reaction", "timeline": "Timeline", "events": "Reactions one by one"}
MAX_EFFECTS = 6
MAX_EVENTS = 1000
DOTS_PER_INCH = 160


class Figure(NamedTuple):
    """A figure of the page: a base64-encoded PNG, with its size in CSS pixels."""

    title: str
    png: str
    width: int
    height: int


def _figure(result: Result, kind: str, title: str) -> Figure:
    figure = np.asarray(result.plot(kind), dtype=object).ravel()[0].figure
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=DOTS_PER_INCH, facecolor="white")
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return Figure(title, base64.b64encode(target.getvalue()).decode("ascii"), width, height)


def _add_titles(table: Table, titles: list[str]) -> Table:
    """Return a table with a column of titles after the first column."""
    return table._replace(
        columns=(table.columns[0], "Title", *table.columns[1:]),
        rows=[(row[0], title, *row[1:]) for row, title in zip(table.rows, titles, strict=False)],
        right=(False, *table.right),
    )


def _name_value_table(title: str, values: Mapping[str, object]) -> Table:
    rows: list[tuple[str, ...]] = list(_tables.flatten(values))
    return Table(title, ("Name", "Value"), rows, (False, False), empty="none recorded")


def _variables(result: Result) -> dict[str, object]:
    """Return the variables of the template."""
    events = _tables.per_event(result, MAX_EVENTS, with_t=True)
    dropped = _tables.dropped(result, MAX_EVENTS)
    if "title" in result.events:
        ok = result.events["status"] == "ok"
        events = _add_titles(events, [formats.plain(t) for t in result.events.loc[ok, "title"]])
        dropped = _add_titles(dropped, [formats.plain(t) for t in result.events.loc[~ok, "title"]])
    # The other figures need a usable event.
    figures = FIGURES if len(formats.usable_events(result)) else {"timeline": FIGURES["timeline"]}
    provenance = result.provenance
    origin = {k: v for k, v in provenance.items() if k not in ("settings", "notes")}
    return {
        "prices_note": formats.prices_note(result),
        "headline": _tables.headline(result),
        "effects": _tables.effects(result)[:MAX_EFFECTS],
        "attrition": _tables.attrition(result),
        "dropped": dropped,
        "news": _tables.news(result, MAX_EVENTS),
        "noticed": _tables.notes(result),
        "tests": _tables.tests(result),
        "differences": _tables.differences(result),
        "figures": [_figure(result, kind, title) for kind, title in figures.items()],
        "events": events,
        "reactions": _tables.reactions(result, MAX_EVENTS) if result.measure.of_returns else None,
        "settings": _name_value_table(_tables.add_prices_note("Settings", result), provenance.get("settings") or {}),
        "provenance": _name_value_table(_tables.add_prices_note("Provenance", result), origin),
        "version": formats.plain(provenance.get("eventstudy")),
    }


class Html:
    """The report as one self-contained page for screen and print."""

    def render(self, result: Result, path: str | Path) -> None:
        """Write the page to ``path``; all text of the user is escaped."""
        source = (resources.files("eventstudy.reports") / "_report.html.j2").read_text(encoding="utf-8")
        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        _files.write(path, environment.from_string(source).render(_variables(result)))

    def wrote(self, path: Path) -> bool:
        """Return whether a file begins like this report."""
        return "<title>Event study" in _files.head(path)


REPORT = Html()
