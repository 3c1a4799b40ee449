"""The page of the HTML report: its figures, tables and texts, and the template that puts them in order."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib import resources
from typing import Any, NamedTuple

import jinja2
import numpy as np

from eventstudy import _registry, arguments
from eventstudy.display import formats, names
from eventstudy.reports import _analyses, _html_explorer, _html_paths, _html_sections, _html_words, _tables
from eventstudy.reports._tables import Table
from eventstudy.result import Result
from eventstudy.types import Analysis

MAX_EFFECTS = 6
MAX_EVENTS = 1000
FEWEST = 5  # events whose effects are shown as a distribution
FOLDED = 12  # rows of a table, from which it is folded
LONG = 40  # rows of the table of an analysis, from which it is folded
DOTS_PER_INCH = 160
NARROW = (3.75, 3.2)  # inches: a figure on a telephone
NARROW_ROWS = 4.8  # inches: one with rows of names, which need their height too


class Figure(NamedTuple):
    """A figure of the page: a base64-encoded PNG, with its size in CSS pixels and what it shows in words.

    ``narrow`` is the same figure for a telephone, or empty.
    """

    alt: str
    png: str
    width: int
    height: int
    narrow: str = ""


def _figure(result: Result, kind: str, alt: str = "", narrow: bool = False, **options: Any) -> Figure:
    words = alt or _registry.helper("plots", "_alt").alt_text(kind, result)
    return _drawn(partial(result.plot, kind, **options), words, NARROW if narrow else None)


def _drawn(plot: Callable[..., Any], words: str, narrow: tuple[float, float] | None) -> Figure:
    """Return a figure that a function draws and gives the axes of, and what it shows in words."""
    figure = np.ravel(np.asarray(plot(), dtype=object))[0].figure
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    small = _drawn(partial(plot, figsize=narrow), words, None).png if narrow else ""
    return Figure(words, _png(figure), width, height, small)


class Section(NamedTuple):
    """The section of an analysis: its anchor, its heading, what was found, its figure, and its table as HTML.

    ``fold`` is the line that stands for a table of many rows until it is opened, or empty.
    """

    anchor: str
    heading: str
    answer: str
    figure: Figure
    table: str
    fold: str


def _section(result: Result, record: Analysis, number: int) -> Section:
    heading, answer = names.of_analysis(record.kind), formats.plain(record.answer())
    figure = _drawn(record.plot, f"{heading}: {answer}", None)
    small = (NARROW_ROWS, max(NARROW[1], figure.height / 96))
    figure = figure._replace(narrow=_drawn(partial(record.plot, figsize=small), figure.alt, None).png)
    table = result.table(record.kind, of=record)
    fold = f"{table.title}: {len(table.rows)} rows" if len(table.rows) > LONG else ""
    table = replace(table, notes=tuple(note for note in table.notes if note != answer))  # it stands above
    return Section(f"analysis-{number}", heading, answer, figure, table.to_html(style=False), fold)


def _png(figure: Any) -> str:
    target = io.BytesIO()
    with _registry.helper("plots", "_style").placed(figure, DOTS_PER_INCH):
        figure.savefig(target, format="png", dpi=DOTS_PER_INCH, facecolor="white", metadata={"Software": None})
    return base64.b64encode(target.getvalue()).decode("ascii")


def _figures(result: Result) -> dict[str, Figure]:
    """Return the figures by section; those of the reactions need a usable event."""
    figures = {"data": _figure(result, "timeline")}
    if formats.usable_events(result).empty:
        return figures
    if len(result.by_group):
        note = f" ({formats.prices_note(result)})" if formats.prices_note(result) else ""
        words = f"{result.measure.average} of all events by {formats.day_or_bar(result.events['session'])}{note}"
        figures["answer"] = _figure(result, "caar", words, narrow=True, group="all")
        figures["groups"] = _figure(result, "caar", narrow=True)
    else:
        figures["answer"] = _figure(result, "caar", narrow=True)
    if len(formats.usable_events(result)) >= FEWEST:
        figures["events"] = _figure(result, "distribution", narrow=True)
    return figures


def _name_value_table(title: str, values: Mapping[str, object]) -> Table:
    rows: list[tuple[str, ...]] = list(_tables.flatten(values))
    return Table(title, ("Name", "Value"), rows, (False, False), empty="none recorded")


def _provenance(result: Result) -> dict[str, object]:
    """Return the variables of the section on provenance."""
    provenance = result.provenance
    origin = {k: v for k, v in provenance.items() if k not in ("settings", "notes")}
    prints = [
        f"{name} {record['sha256'][:12]}"
        for name, record in origin.items()
        if isinstance(record, Mapping) and isinstance(record.get("sha256"), str)
    ]
    return {
        "settings": _name_value_table(_tables.add_prices_note("Settings", result), provenance.get("settings") or {}),
        "provenance": _name_value_table(_tables.add_prices_note("Provenance", result), origin),
        "version": formats.plain(provenance.get("eventstudy")),
        "prints": prints,
    }


def _printed(table: Table, column: str, name: Callable[[str], str]) -> Table:
    """Return a table in which a column has printed names, before the marks of its notes."""
    k = table.columns.index(column)
    cells = [row[k].partition(" [") for row in table.rows]
    shown = [name(label) + mark + number for label, mark, number in cells]
    return table._replace(rows=[(*row[:k], cell, *row[k + 1 :]) for row, cell in zip(table.rows, shown, strict=True)])


def _titles(result: Result) -> dict[str, str]:
    """Return the titles of the events by the text of their ids."""
    if "title" not in result.events:
        return {}
    pairs = zip(result.events.index, result.events["title"], strict=True)
    return {formats.plain(event_id): formats.plain(title) for event_id, title in pairs if not formats.is_missing(title)}


def _variables(result: Result, title: str | None, question: str | None) -> dict[str, object]:
    """Return the variables of the template."""
    used = formats.usable_events(result)
    drawn, robustness = _html_paths.paths(result), _html_sections.robustness(result)
    return {
        "title": formats.plain(_html_words.title(result) if title is None else title),
        "question": None if question is None else formats.plain(question),
        "prices_note": formats.prices_note(result),
        "answer": _html_words.answer(result),
        "headline": _html_words.headline(result),
        "effects": _html_words.effects(result)[:MAX_EFFECTS],
        "figures": _figures(result),
        "readings": _html_words.readings(result),
        "tests": _printed(_tables.tests(result), "Test", names.of_test),
        "caar": result.table("caar").to_html(style=False),
        "step": formats.day_or_bar(result.events["session"]),
        "aar": result.table("aar").to_html(style=False) if len(used) else None,
        "groups": result.table("groups").to_html(style=False) if len(result.by_group) else None,
        "robustness": robustness if isinstance(robustness, str) else None,
        "models": None if isinstance(robustness, str) else robustness.to_html(style=False),
        "diagnosis": _html_sections.diagnosis(result),
        "attrition": result.table("attrition").to_html(style=False),
        "dropped": _printed(_tables.dropped(result, MAX_EVENTS), "Status", names.of_status),
        "news": _tables.news(result, MAX_EVENTS),
        "reactions": _tables.reactions(result, MAX_EVENTS) if result.measure.of_returns else None,
        "noticed": _tables.notes(result),
        "events": _tables.per_event(result, MAX_EVENTS, with_t=True),
        "titles": _titles(result),
        "paths": drawn,
        "lines": [drawn.by_event.get(event_id) for event_id in used.index[:MAX_EVENTS]],
        "methods": _html_sections.methods(result),
        "citation": result.cite(),
        "folded": FOLDED,
        "table_style": _registry.helper("tables", "_html").STYLE,
        **_provenance(result),
    }


def page(
    result: Result,
    title: str | None,
    question: str | None,
    interactive: bool = False,
    analyses: Sequence[Analysis] = (),
) -> str:
    """Return the page; all text of the user is escaped.

    Parameters
    ----------
    result : Result
    title : str or None
        By default what was measured, of how many events, and when.
    question : str or None
        The question of the study, which stands below the title.
    interactive : bool
        Whether to add an explorer of the events.
    analyses : sequence of Analysis
        Each has a section.

    Raises
    ------
    InputError
        If a parameter is not valid, or ``interactive`` needs a library that is not installed.
    """
    for name, value in (("title", title), ("question", question)):
        if value is not None:
            arguments.text(name, value)
    arguments.flag("interactive", interactive)
    records = _analyses.checked(analyses)
    variables = _variables(result, title, question)
    variables["analyses"] = [_section(result, record, n) for n, record in enumerate(records, start=1)]
    explorer = _html_explorer.explorer(result) if interactive else None
    return _environment().get_template("_report.html.j2").render(**variables, explorer=explorer)


@cache
def _environment() -> jinja2.Environment:
    """Return the templates, which are compiled once."""
    folder = resources.files("eventstudy.reports")
    loader = jinja2.FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8"))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, loader=loader)
    environment.filters.update(breakable=_breakable, tied=_tied)
    return environment


def _breakable(text: str) -> list[str]:
    """Return the parts of an id between which a line may break: after a colon, a hyphen, a slash or an underline."""
    parts = [""]
    for character in text:
        parts[-1] += character
        if character in ":_-/":
            parts.append("")
    return [part for part in parts if part]


def _tied(text: str) -> str:
    """Return a sentence whose lines do not break between a number and what belongs to it."""
    for tied in (" %", " <0"):
        text = text.replace(tied, "\N{NO-BREAK SPACE}" + tied[1:])
    return text.replace("p 0", "p\N{NO-BREAK SPACE}0")
