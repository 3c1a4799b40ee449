"""A commented study file and its events, which run as they are written."""

from __future__ import annotations

import csv
import io
import itertools
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, get_args, get_origin

from eventstudy import _registry
from eventstudy.cli._fields import choices, plain_text
from eventstudy.cli._members import needs
from eventstudy.cli._schema import of_type, sources
from eventstudy.demo import BENCHMARK
from eventstudy.errors import InputError
from eventstudy.markets import INDICES, mic_of
from eventstudy.members import model

COLUMNS = 100
CORE = (
    "model",
    "benchmark",
    "estimation",
    "event",
    "windows",
    "tests",
    "seed",
)  # written as they are; others commented
WITH_OPTIONS = {"model": '{ name = "dimson", leads = 1 }', "tests": '["bmp", { name = "placebo", draws = 499 }]'}
PLACEHOLDERS = {"path": "prices", "uri": "env:EVENTSTUDY_SQL"}  # of the options that a source must have


class Start(NamedTuple):
    """What a study begins with."""

    tickers: Sequence[str]
    dates: Sequence[str]
    benchmark: str | None
    model: str
    source: str


def events(start: Start) -> str:
    """Return the events as CSV: every ticker on every date."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("event_id", "ticker", "announced", "headline"))
    for number, (day, ticker) in enumerate(itertools.product(start.dates, start.tickers), start=1):
        writer.writerow((f"E{number}", ticker, day, "what was announced"))
    return text.getvalue()


def study(start: Start) -> str:
    """Return the study file: every choice with what it means; those that are not often made are commented out."""
    benchmark = start.benchmark or default_benchmark(start.tickers)
    given = {"model": start.model, "benchmark": benchmark} if needs_benchmark(start.model) else {"model": start.model}
    lines = [
        "# An event study. Lines that begin with # are comments; remove it to make a choice.",
        "#",
        "#     eventstudy check study.toml                        where the events fall",
        "#     eventstudy run study.toml --report report.html     estimates, tests, report",
        "#     eventstudy models, eventstudy tests                what can be named below",
        "",
        "[study]",
        *_comment(
            "The events, one row each: event_id; ticker in Yahoo's notation; announced, a date or a local time such as"
            " 2021-09-13 10:30+08:00, from which the session follows; further columns are kept."
        ),
        'events = "events.csv"',
        *_factors(start.model),
    ]
    before = ""
    for name, (hint, default, text) in choices().items():
        value = given.get(name, default)
        lines += ["", *_comment(text)] if text != before else []
        lines += _comment(f"Valid: {', '.join(map(toml, get_args(hint)))}.") if get_origin(hint) is Literal else []
        lines += _comment(f"With options: {name} = {WITH_OPTIONS[name]}") if name in WITH_OPTIONS else []
        written = _example(hint) if value is None else toml(value)
        lines.append(f"{'' if name in CORE and value is not None else '# '}{name} = {written}")
        before = text
    return "\n".join([*lines, "", *_prices(start.source)]) + "\n"


def default_benchmark(tickers: Sequence[str]) -> str | dict[str, str]:
    """Return the broad index of the tickers' exchange, or of several exchanges by MIC.

    Examples
    --------
    >>> default_benchmark(["BABA"]), default_benchmark(["BABA", "0700.HK"])
    ('^GSPC', {'XNYS': '^GSPC', 'XHKG': '^HSI'})
    """
    known = {mic: index for index, mic in reversed(INDICES.items())} | BENCHMARK
    exchanges = dict.fromkeys(mic_of(ticker) for ticker in tickers)
    missing = [mic for mic in exchanges if mic not in known]
    if missing:
        raise InputError(f"no index of {missing[0]} is known; give a benchmark, as in --benchmark ^GSPC")
    found = {mic: known[mic] for mic in exchanges}
    return found if len(found) > 1 else next(iter(found.values()))


def needs_benchmark(name: str) -> bool:
    """Return whether a model has the benchmark as a regressor."""
    return "benchmark" in needs(model(name)).split(", ")


def missing_data(start: Start) -> Iterator[str]:
    """Yield what a study needs beside the two files before it runs."""
    wanted = needs(model(start.model))
    if "factors" in wanted:
        yield f"the model {start.model} needs {wanted}: put their decimal returns into factors.csv, dates first"
    if "peers" in wanted:
        yield f"the model {start.model} compares with peers: name some in also = [...] of [prices]"
    for option in _required(start.source):
        yield f"the source {start.source} reads {option} = {toml(PLACEHOLDERS[option])}: name yours in [prices]"


def _factors(name: str) -> list[str]:
    if "factors" not in needs(model(name)):
        return []
    return [*_comment("Factor returns as decimals, dates in the first column."), 'factors = "factors.csv"']


def _prices(source: str) -> list[str]:
    lines = ["[prices]", *_comment("Where the prices come from:")]
    summaries = _registry.summaries("sources")
    for name in sources():
        text = f"{name:<10} {plain_text(summaries[name])}"
        lines += textwrap.wrap(text, COLUMNS, initial_indent="#   ", subsequent_indent="#" + " " * 14)
    lines.append(f"source = {toml(source)}")
    return [*lines, *(f"{option} = {toml(PLACEHOLDERS[option])}" for option in _required(source))]


def _required(source: str) -> list[str]:
    return [option for option in sources()[source]["required"] if option in PLACEHOLDERS]


def _example(hint: object) -> str:
    """Return a value of a type, for a choice without a default."""
    kind = of_type(hint) or {}
    pair = "[-5, 5]" if kind.get("items") == {"type": "integer"} else '["...", "..."]'
    return {"array": pair, "object": "{}"}.get(kind.get("type", ""), '"..."')


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, COLUMNS, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def toml(value: object) -> str:
    """Return a value as TOML.

    Examples
    --------
    >>> toml(((0, 0), (-1, 1))), toml({"XHKG": "^HSI"})
    ('[[0, 0], [-1, 1]]', '{ XHKG = "^HSI" }')
    """
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{name} = {toml(item)}' for name, item in value.items())} }}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
