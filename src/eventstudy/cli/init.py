"""Write a commented study file and its events, to begin with.

The study runs at once, on simulated prices. What no option gives is asked for where there is a terminal; elsewhere,
and for an empty answer, the default is taken. No file is overwritten; if the folder has an events.csv, the study is of
its events.

    eventstudy init mystudy --ticker BABA 0700.HK --date 2021-04-12 2021-09-13
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from eventstudy import _registry
from eventstudy.errors import InputError, one_of
from eventstudy.files import check_place, writing
from eventstudy.markets import check_ticker


class Question(NamedTuple):
    """What a study begins with: its option, what to answer, the check of an answer, and its default."""

    name: str
    text: str
    check: Callable[[str], str]
    default: tuple[str, ...]
    several: bool = False


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(f"the date is {text!r}; give one such as 2021-09-13") from None


def _model(text: str) -> str:
    if text not in _registry.names("models"):
        raise one_of("the model", text, _registry.names("models"))
    return text


def _source(text: str) -> str:
    from eventstudy.cli._schema import sources

    if text not in sources():
        raise one_of("the source", text, sources())
    return text


DATES = ("2020-11-03", "2020-12-24", "2021-04-12", "2021-08-17", "2021-09-13")
QUESTIONS = (
    Question("ticker", "tickers in Yahoo's notation", check_ticker, ("BABA", "0700.HK"), several=True),
    Question("date", "dates of the announcements", _date, DATES, several=True),
    Question("benchmark", "the benchmark (default: the index of each exchange)", check_ticker, ()),
    Question("model", "the return model; eventstudy models lists them", _model, ("market",)),
    Question("source", "the source of prices", _source, ("simulated",)),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(), metavar="FOLDER",
        help="folder for study.toml and events.csv (default: this folder)",
    )  # fmt: skip
    for name, text, _, default, several in QUESTIONS:
        shown = f"{text} (default: {' '.join(default)})" if default else text
        parser.add_argument(f"--{name}", nargs="+" if several else 1, metavar=name.upper(), help=shown)


def run(options: argparse.Namespace) -> None:
    """Ask what is not given, and write the two files, or the study alone beside events that exist."""
    from eventstudy.cli._template import Start, events, missing_data, study

    path, events_path = (options.folder / name for name in ("study.toml", "events.csv"))
    if os.path.lexists(path):
        raise InputError(f"{path} exists, and init overwrites nothing; name another folder")
    check_place("the study", path)
    has_events = os.path.lexists(events_path)
    if has_events:
        _take_events(options, events_path)
    answers = [_answer(question, getattr(options, question.name)) for question in QUESTIONS]
    tickers, dates, benchmark, (model,), (source,) = answers
    start = Start(tickers, dates, benchmark[0] if benchmark else None, model, source)
    texts = {path: study(start)} if has_events else {path: study(start), events_path: events(start)}
    with writing("the study", options.folder):
        options.folder.mkdir(parents=True, exist_ok=True)
        for file_path, text in texts.items():
            with file_path.open("x", encoding="utf-8", newline="\n") as file:  # "x": fails if it has appeared meanwhile
                file.write(text)
            print(f"written: {file_path}")
    if has_events:
        print(f"kept: {events_path}")
    for line in missing_data(start):
        print(f"first: {line}")
    print(f"next: eventstudy run {path}")


def _take_events(options: argparse.Namespace, path: Path) -> None:
    """Set tickers and dates to those of a file of events."""
    from eventstudy.prepare.events import read_events

    given = [f"--{name}" for name in ("ticker", "date") if getattr(options, name) is not None]
    if given:
        raise InputError(f"{path} exists, and the study is of its events; leave out {' and '.join(given)}")
    frame = read_events(path).frame
    options.ticker = list(dict.fromkeys(frame["ticker"]))
    options.date = [day.isoformat() for day in dict.fromkeys(frame["date"].dt.date)]


def _answer(question: Question, given: list[str] | None) -> list[str]:
    """Return what an option gives, else what is answered at a terminal, else the default."""
    if given is not None:
        return [question.check(text) for text in given]
    if not sys.stdin.isatty():
        return list(question.default)
    while True:
        hint = f" [{' '.join(question.default)}]" if question.default else ""
        words = input(f"{question.text}{hint}: ").replace(",", " ").split() or list(question.default)
        try:
            if len(words) > 1 and not question.several:
                raise InputError(f"{len(words)} were given; give one")
            return [question.check(word) for word in words]
        except InputError as error:
            print(error)
