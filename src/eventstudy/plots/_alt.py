"""Figures in words, for those who do not see them: one sentence with the main numbers."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

from eventstudy import _registry
from eventstudy.display import formats
from eventstudy.result import Result

MOST = 5  # names or numbers in a list


def alt_text(kind: str, result: Result) -> str:
    """Describe a figure, drawn with its default options, in a sentence with its main numbers.

    The words are those of the function ``alt(result)`` beside the figure's ``PLOT``; of a figure of a plug-in without
    one, the first line of its documentation. The note on the prices follows.

    Parameters
    ----------
    kind : str
        As in ``Result.plot``.
    result : Result

    Returns
    -------
    str
        Plain text on one line.

    Raises
    ------
    InputError
        If there is no figure of this name.

    Examples
    --------
    >>> from eventstudy import demo
    >>> alt_text("caar", demo.run().result)[:67]
    'Line chart of the cumulative average abnormal return, signed, by se'
    """
    draw = _registry.load("plots", kind)
    describe = getattr(inspect.getmodule(draw), "alt", None)
    text = describe(result) if callable(describe) else (inspect.getdoc(draw) or kind).partition("\n")[0]
    note = formats.prices_note(result)
    return ". ".join(filter(None, (formats.plain(text).removesuffix("."), note))) + "."


def listed(items: Iterable[str]) -> str:
    """Return the first items of a list in words, with the number of the others.

    Examples
    --------
    >>> listed(["a", "b", "c"]), listed("abcdefgh")
    ('a, b and c', 'a, b, c, d, e and 3 more')
    """
    names = list(items)
    shown = names if len(names) <= MOST else [*names[:MOST], f"{len(names) - MOST} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "none"
