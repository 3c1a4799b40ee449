r"""Columns of numbers in LaTeX, aligned at the decimal point by siunitx (its versions 2 and 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from eventstudy.tables._cells import Cell

# The digits are in the font of the text around them; brackets are text beside a number, not its uncertainty.
SETUP = (
    r"\sisetup{detect-all,mode=text,group-digits=false,input-open-uncertainty=,input-close-uncertainty=,"
    "table-align-text-pre=false,table-align-text-post=false}"
)
NUMBER = re.compile(r"([(<]*)(−?)(\d+)(?:\.(\d+))?")
BEFORE = {"": "", "(": "(", "<": "{$<$}", "(<": "{($<$}"}


class Number(NamedTuple):
    """The parts of a cell: an opening bracket or "<", sign, digits around the decimal point, and what follows."""

    before: str
    sign: str
    whole: str
    decimals: str
    after: str

    @property
    def left(self) -> str:
        """What stands to the left of the decimal point."""
        return self.before + self.sign + self.whole


def number(cell: Cell) -> Number | None:
    """Return the parts of a cell that is a number; None for text, and where the value is missing or infinite.

    Examples
    --------
    >>> from eventstudy.tables._cells import P, PERCENT
    >>> number(Cell(-0.0612, PERCENT, "***")), number(Cell(1e-9, P, brackets=True)), number(Cell(None, P))
    (Number(before='', sign='−', whole='6', decimals='12', after='***'), \
Number(before='(<', sign='', whole='0', decimals='001', after=')'), None)
    """
    body, after = cell.parts
    match = NUMBER.fullmatch(body)
    if match is None or match[1] not in BEFORE:
        return None
    return Number(match[1], match[2], match[3], match[4] or "", after)


def kind(cells: Sequence[Cell], mark: Callable[[str], str]) -> str:
    """Return the type of a column: S with room for the digits, sign, bracket and marks of each cell; c without numbers.

    Parameters
    ----------
    cells : sequence of Cell
    mark : function from what follows a number to its LaTeX

    Examples
    --------
    >>> from eventstudy.tables._cells import PERCENT
    >>> kind([Cell(-0.0612, PERCENT), Cell(0.121, PERCENT, brackets=True)], str)
    'S[table-format=-2.2,table-space-text-pre=(,table-space-text-post={)}]'
    """
    numbers = [parts for parts in map(number, cells) if parts is not None]
    if not numbers:
        return "c"
    sign = "-" if any(parts.sign for parts in numbers) else ""
    decimals = max(len(parts.decimals) for parts in numbers)
    options = f"table-format={sign}{max(len(parts.whole) for parts in numbers)}" + (f".{decimals}" if decimals else "")
    before = max((parts.before for parts in numbers), key=len)
    after = max((parts.after for parts in numbers), key=len)
    options += f",table-space-text-pre={BEFORE[before]}" if before else ""
    options += f",table-space-text-post={{{mark(after)}}}" if after else ""
    return f"S[{options}]"


def width(cells: Sequence[Cell], measure: Callable[[str], float]) -> float:
    """Return how wide a column of numbers is: room to the left and to the right of the point, or the longest text."""
    numbers = [parts for parts in map(number, cells) if parts is not None]
    texts = [cell.text for cell in cells if number(cell) is None]
    room = [
        max((measure(part(parts)) for parts in numbers), default=0.0)
        for part in (
            lambda parts: parts.before, lambda parts: parts.sign, lambda parts: parts.whole,
            lambda parts: f".{parts.decimals}" if parts.decimals else "", lambda parts: parts.after,
        )
    ]  # fmt: skip
    return max(sum(room), *map(measure, texts), 0.0)


def entry(cell: Cell, escape: Callable[[str], str], mark: Callable[[str], str]) -> str:
    """Return a cell: a number as siunitx reads it, or text in braces, which it centres.

    Parameters
    ----------
    cell : Cell
    escape, mark : functions from text, and from what follows a number, to LaTeX

    Examples
    --------
    >>> from eventstudy.tables._cells import P
    >>> entry(Cell(1e-9, P, brackets=True), str, str), entry(Cell(None, P), str, str), entry(Cell(""), str, str)
    ('{($<$}0.001)', '{–}', '')
    """
    parts = number(cell)
    if parts is None:
        body, after = cell.parts
        return f"{{{escape(body)}{mark(after)}}}" if body + after else ""
    point = f".{parts.decimals}" if parts.decimals else ""
    return BEFORE[parts.before] + parts.sign.replace("−", "-") + parts.whole + point + mark(parts.after)
