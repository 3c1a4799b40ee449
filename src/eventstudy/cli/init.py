"""Write a commented study file and its events, to begin with.

The study runs at once, on simulated prices. What no option gives is asked for where there is a terminal; elsewhere,
and for an empty answer, the default is taken. No file is overwritten.

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
    """Ask what is not given, and write the two files."""
    from eventstudy.cli._template import Start, events, missing_data, study

    paths = [options.folder / name for name in ("study.toml", "events.csv")]
    for path in paths:
        if os.path.lexists(path):
            raise InputError(f"{path} exists, and init overwrites nothing; name another folder")
        check_place("the study", path)
    answers = [_answer(question, getattr(options, question.name)) for question in QUESTIONS]
    tickers, dates, benchmark, (model,), (source,) = answers
    start = Start(tickers, dates, benchmark[0] if benchmark else None, model, source)
    texts = [study(start), events(start)]
    with writing("the study", options.folder):
        options.folder.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, texts, strict=True):
            with path.open("x", encoding="utf-8", newline="\n") as file:  # "x": fails if it has appeared meanwhile
                file.write(text)
            print(f"written: {path}")
    for line in missing_data(start):
        print(f"first: {line}")
    print(f"next: eventstudy run {paths[0]}")


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
