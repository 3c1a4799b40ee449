"""The command line: each file is a command whose name does not begin with ``_``, and its docstring is the help.

A command has two functions: ``arguments(parser)`` adds its arguments, and ``run(options)`` runs it.
"""

from eventstudy.cli._main import main

__all__ = ["main"]
