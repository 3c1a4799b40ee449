"""One HTML file that holds everything: numbers, losses, tests, figures, events, settings; no script, nothing remote."""

from __future__ import annotations

import base64
import io
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np

from eventstudy.display import formats
from eventstudy.reports import _files, _tables
from eventstudy.reports._tables import Table
from eventstudy.result import Result

FIGURES = {"caar": "Average reaction", "timeline": "Timeline", "events": "Reactions one by one"}
MOST_EFFECTS = 6
MOST_EVENTS = 1000
DOTS_PER_INCH = 160


class Figure(NamedTuple):
    """A figure as it stands in the page; sizes in CSS pixels."""

    title: str
    png: str
    width: int
    height: int


def _figure(result: Result, kind: str, title: str) -> Figure:
    axes: Any = result.plot(kind)
    sheet = np.ravel(axes)[0].figure
    target = io.BytesIO()
    sheet.savefig(target, format="png", dpi=DOTS_PER_INCH, facecolor="white")
    width, height = (round(96 * inches) for inches in sheet.get_size_inches())
    return Figure(title, base64.b64encode(target.getvalue()).decode("ascii"), width, height)


def _with_titles(table: Table, titles: list[str]) -> Table:
    """Add a column of titles behind the first."""
    return table._replace(
        columns=(table.columns[0], "Title", *table.columns[1:]),
        rows=[(row[0], title, *row[1:]) for row, title in zip(table.rows, titles, strict=False)],
        right=(False, *table.right),
    )


def _facts(title: str, values: dict[str, Any]) -> Table:
    rows: list[tuple[str, ...]] = list(_tables.flat(values))
    return Table(title, ("Name", "Value"), rows, (False, False), empty="none recorded")


def _page(result: Result) -> dict[str, Any]:
    """Give what the template shows."""
    events = _tables.per_event(result, ("p", "p_sq", "p_placebo"), MOST_EVENTS)
    dropped = _tables.dropped(result, MOST_EVENTS)
    if "title" in result.events:
        ok = result.events["status"] == "ok"
        events = _with_titles(events, [formats.plain(t) for t in result.events.loc[ok, "title"]])
        dropped = _with_titles(dropped, [formats.plain(t) for t in result.events.loc[~ok, "title"]])
    # Without an event to draw, the timeline alone has something to show.
    figures = FIGURES if len(formats.used(result)) else {"timeline": FIGURES["timeline"]}
    known = result.provenance
    rest = {k: v for k, v in known.items() if k not in ("settings", "notes")}
    return {
        "prices_note": formats.prices_note(result),
        "headline": _tables.headline(result),
        "effects": _tables.effects(result)[:MOST_EFFECTS],
        "attrition": _tables.attrition(result),
        "dropped": dropped,
        "noticed": _tables.notes(result),
        "tests": _tables.tests(result),
        "figures": [_figure(result, kind, title) for kind, title in figures.items()],
        "events": events,
        "reactions": _tables.reactions(result, MOST_EVENTS) if result.measure.of_returns else None,
        "settings": _facts(_tables.titled("Settings", result), known.get("settings") or {}),
        "provenance": _facts(_tables.titled("Provenance", result), rest),
        "version": formats.plain(known.get("eventstudy")),
        "created": formats.date(known.get("created")),
    }


class Html:
    """The report as one self-contained page for screen and print."""

    def render(self, result: Result, path: str | Path) -> None:
        """Write the page to ``path``; every text of the user is escaped."""
        source = (resources.files("eventstudy.reports") / "_report.html.j2").read_text(encoding="utf-8")
        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        _files.write(path, environment.from_string(source).render(_page(result)))


REPORT = Html()
