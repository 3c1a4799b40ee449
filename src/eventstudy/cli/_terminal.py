"""The terminal: its width, and colours where it shows them."""

from __future__ import annotations

import os
import re
import shutil
from typing import TextIO

NARROWEST, WIDEST, OTHERWISE = 60, 160, 100
BOLD, DIM, RED, YELLOW = "1", "2", "31", "33"
HEADING = re.compile(r"^(.+)\n([-=]{20,})$", re.MULTILINE)


def width() -> int:
    """Return the columns of the terminal, or of COLUMNS, between 60 and 160; 100 where there is no terminal."""
    return min(max(shutil.get_terminal_size((OTHERWISE, 24)).columns, NARROWEST), WIDEST)


def has_colours(stream: TextIO) -> bool:
    """Return whether a stream is a terminal with colours, which NO_COLOR and TERM=dumb turn off."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str, style: str, stream: TextIO) -> str:
    """Return text in a style where the stream shows it, else unchanged."""
    return f"\x1b[{style}m{text}\x1b[0m" if has_colours(stream) else text


def with_headings(text: str, stream: TextIO) -> str:
    """Return a report with its titles bold and the rules below them dim."""
    return HEADING.sub(lambda m: f"{painted(m[1], BOLD, stream)}\n{painted(m[2], DIM, stream)}", text)
