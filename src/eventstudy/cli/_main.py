"""The parser of all commands, what becomes of errors and warnings, and the exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from eventstudy.errors import EventStudyError, EventStudyWarning


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 or 2."""
    options = parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("always", EventStudyWarning)
        warnings.showwarning = _warn
        try:
            options.command(options)
        except EventStudyError as error:
            print(f"eventstudy: {error}", file=sys.stderr)
            return 2 if isinstance(error, ValueError) else 1
        except KeyboardInterrupt:
            print("eventstudy: interrupted", file=sys.stderr)
            return 1
        except BrokenPipeError:  # the reader has closed the pipe, as in `eventstudy demo | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
    return 0


def _warn(message: Warning | str, category: type[Warning], *args: object, **kwargs: object) -> None:
    if issubclass(category, EventStudyWarning):
        print(f"eventstudy: note: {message}", file=sys.stderr)


def commands() -> dict[str, ModuleType]:
    """Return the modules of the commands by name, in the order of their names."""
    names = sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if not m.name.startswith("_"))
    return {name: importlib.import_module(f"eventstudy.cli.{name}") for name in names}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="eventstudy", description="Event studies: dated events and prices in, abnormal returns and tests out."
    )
    made.add_argument("--version", action="version", version=f"eventstudy {version('eventstudy-quant')}")
    subparsers = made.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, command in commands().items():
        text = str(command.__doc__).strip()
        sub = subparsers.add_parser(name, help=text.partition("\n")[0].rstrip("."), description=text)
        command.arguments(sub)
        sub.set_defaults(command=command.run)
    return made
