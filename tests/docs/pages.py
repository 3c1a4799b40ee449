"""Blocks of code in the pages: what runs, what it prints, and what is a file of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
WRITTEN = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "how_to").glob("*.md")]
PAGES = sorted([*WRITTEN, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))])
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


class Fence(NamedTuple):
    """A block of a page: its language, whether it is to run, its text, its line, and the output that the page shows.

    A block that is a ``file`` of its own has its name, and is tested as a file (``test_contributing.py``).
    """

    language: str
    runs: bool
    body: str
    line: int
    shown: str | None
    file: str = ""


def fences(text: str) -> list[Fence]:
    """Give the blocks of a page; one of ``text`` straight after one of ``python`` is what that prints."""
    found = []
    matches = list(FENCE.finditer(text))
    for at, match in enumerate(matches):
        language, _, rest = match["info"].partition(" ")
        follower = matches[at + 1] if at + 1 < len(matches) else None
        adjacent = follower is not None and not text[match.end() : follower.start()].strip()
        shown = follower["body"] if follower is not None and adjacent and follower["info"] == "text" else None
        line = text.count("\n", 0, match.start()) + 1
        file = rest.removeprefix("file=") if rest.startswith("file=") else ""
        found.append(Fence(language, not file and "no-run" not in rest, match["body"], line, shown, file))
    return found
