"""The parser of all commands, what becomes of errors and warnings, and the exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import re
import sys
import textwrap
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from eventstudy.cli._terminal import RED, YELLOW, painted, width
from eventstudy.errors import EventStudyError, EventStudyWarning, one_of

DESCRIPTION = "Event studies: dated events and prices in, abnormal returns and tests out."
EXIT_CODES = (
    "success",
    "the study cannot be run: prices are missing or wrong, or no event can be used",
    "an argument, the study file, an event or a file of prices is not valid",
)
STREAMS = (
    "Results go to standard output, notes and errors to standard error. COLUMNS sets the width, NO_COLOR=1 turns"
    " colours off."
)
OPTION = re.compile(r"--[a-z][a-z-]*")
LAYOUT: dict[str, Any] = {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 or 2."""
    options = argparse.Namespace(quiet=False, noted=[])  # noted: what the output of a command says, and no note repeats
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EventStudyWarning)
        code, problem = _run(list(sys.argv[1:] if arguments is None else arguments), options)
    notes = [str(w.message) for w in caught if issubclass(w.category, EventStudyWarning)]
    for note in () if options.quiet else dict.fromkeys(notes):
        if note not in options.noted:
            _say("eventstudy: note:", YELLOW, note)
    if problem:
        _say("eventstudy:", RED, problem)
    return code


def _run(arguments: list[str], options: argparse.Namespace) -> tuple[int, str]:
    """Parse the arguments into ``options`` and run the command; return the exit code and what went wrong."""
    try:
        _parse(arguments, options)
        options.command(options)
        sys.stdout.flush()
    except EventStudyError as error:
        return (2 if isinstance(error, ValueError) else 1), str(error)
    except (KeyboardInterrupt, EOFError):  # the end of the input where a question is asked
        return 1, "interrupted"
    except BrokenPipeError:  # the reader has closed the pipe, as in `eventstudy demo | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0, ""


def _say(lead: str, style: str, text: str) -> None:
    """Write a note or an error to standard error, wrapped where that is a terminal."""
    line = f"{lead} {text}"
    if sys.stderr.isatty():
        line = textwrap.fill(line, width(), subsequent_indent="  ", break_on_hyphens=False)
    print(line.replace(lead, painted(lead, style, sys.stderr), 1), file=sys.stderr)


def _parse(arguments: list[str], options: argparse.Namespace) -> None:
    """Parse the arguments; an unknown command or option is an error that names the nearest valid one."""
    names = list(commands())
    if arguments and not arguments[0].startswith("-") and arguments[0] not in names:
        raise one_of("the command", arguments[0], names)
    unknown = parser().parse_known_args(arguments, options)[1]
    if unknown:
        raise one_of(f"an argument of eventstudy {arguments[0]}", unknown[0], options.valid)


def commands() -> dict[str, ModuleType]:
    """Return the modules of the commands by name, in the order of their names."""
    names = sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if not m.name.startswith("_"))
    return {name: importlib.import_module(f"eventstudy.cli.{name}") for name in names}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    return _parsers()[0]


def help_of(name: str) -> str:
    """Return the help of a command, as ``--help`` prints it.

    Examples
    --------
    >>> help_of("check").startswith("usage: eventstudy check")
    True
    """
    return _parsers()[1][name].format_help()


def _parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Return the parser of the command line, and those of the commands by name."""
    made = argparse.ArgumentParser("eventstudy", description=DESCRIPTION, epilog=_epilog(), **LAYOUT)
    made.add_argument("--version", action="version", version=f"eventstudy {version('eventstudy-quant')}")
    subparsers = made.add_subparsers(title="commands", required=True, metavar="COMMAND")
    of_commands = {}
    for name, command in commands().items():
        text = str(command.__doc__).strip()
        summary = text.partition("\n")[0].rstrip(".")
        sub = subparsers.add_parser(name, help=summary[0].lower() + summary[1:], description=_filled(text), **LAYOUT)
        command.arguments(sub)
        sub.set_defaults(command=command.run, valid=sorted(set(OPTION.findall(sub.format_usage()))))
        of_commands[name] = sub
    return made, of_commands


def _epilog() -> str:
    codes = (
        textwrap.fill(text, width(), initial_indent=f"  {code}  ", subsequent_indent=" " * 5)
        for code, text in enumerate(EXIT_CODES)
    )
    return "\n".join(["exit codes:", *codes, "", textwrap.fill(STREAMS, width())])


def _filled(text: str) -> str:
    """Wrap the paragraphs of a text to the terminal; indented ones, which are examples, are unchanged."""
    paragraphs = (p if p.startswith(" ") else textwrap.fill(" ".join(p.split()), width()) for p in text.split("\n\n"))
    return "\n\n".join(paragraphs)
