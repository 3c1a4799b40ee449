"""The cells of a table: a value, with the format by which text, Excel and Word show it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from eventstudy.display import formats

LEAST_P = 0.001  # smaller p-values are shown as below it


@dataclass(frozen=True)
class Format:
    """How a value is shown: its kind, and the decimals of a number; ``percent`` shows a decimal times 100, no sign."""

    kind: Literal["text", "count", "number", "percent", "p", "date"]
    digits: int = 2

    @property
    def is_number(self) -> bool:
        """Whether values are numbers, flush right."""
        return self.kind not in ("text", "date")

    def text(self, value: object) -> str:
        """Return a value as text.

        Examples
        --------
        >>> PERCENT.text(-0.0612), P.text(0.0123), COUNT.text(1234), DATE.text(None)
        ('−6.12', '0.012', '1234', '–')
        """
        if self.kind == "text":
            return formats.plain(value)
        if self.kind == "date":
            return formats.date(value)
        x = math.nan if formats.is_missing(value) else float(value)  # type: ignore[arg-type]  # a number by its kind
        if self.kind == "p":
            return formats.p_value(x)
        if self.kind == "count":
            return formats.count(x)
        return formats.number(100 * x if self.kind == "percent" else x, self.digits)


TEXT, COUNT, PERCENT, NUMBER = Format("text"), Format("count"), Format("percent"), Format("number")
P, DATE = Format("p", 3), Format("date")


class Cell(NamedTuple):
    """One cell: a value and its format; ``mark`` follows it (stars, a dagger), ``brackets`` enclose it.

    Examples
    --------
    >>> Cell(-0.0612, PERCENT, "***").text, Cell(0.0051, PERCENT, brackets=True).text, Cell(None, PERCENT).text
    ('−6.12***', '(0.51)', '–')
    """

    value: object
    format: Format = TEXT
    mark: str = ""
    brackets: bool = False

    @property
    def parts(self) -> tuple[str, str]:
        """The text with which numbers align at the right, and what stands to the right of that line."""
        if isinstance(self.value, str) and not self.value:
            return "", self.mark
        text = self.format.text(self.value)
        if self.brackets and not formats.is_missing(self.value):
            return f"({text}", f"){self.mark}"
        return text, self.mark

    @property
    def text(self) -> str:
        """The whole text of the cell."""
        return "".join(self.parts)


BLANK = Cell("")


def text(value: object, mark: str = "") -> Cell:
    """Return a cell of text."""
    return Cell(value, TEXT, mark)
