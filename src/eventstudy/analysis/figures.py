"""The figures of records: drawn by ``plots/``, with their options checked."""

from __future__ import annotations

from typing import Any

from eventstudy import _registry, arguments


def drawn(record: object, module: str, what: str, options: dict[str, Any], function: str = "draw") -> Any:
    """Draw a figure of a record and return its axes; raise InputError for an option that the figure does not have.

    Parameters
    ----------
    record : object
        What an analysis has returned.
    module, function : str
        The file of ``plots/`` and its function.
    what : str
        The figure, as an error names it.
    options : dict
    """
    draw = getattr(_registry.helper("plots", module), function)
    arguments.check_figure_options(what, options, draw)
    return draw(record, **options)
