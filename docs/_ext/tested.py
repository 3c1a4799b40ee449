"""The table of the page "How tested", from the records of what was tried at length and the measured sizes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import eventstudy as es

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
SIZES = Path(es.__file__).parent / "data" / "sizes.json"
NO_BREAK = "\N{NON-BREAKING HYPHEN}"
HEAD = "| tried | found | command | date |\n|---|---|---|---|\n"


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield, for each record, its kind, what was tried, what was found, the command, and the date."""
    sizes = json.loads(SIZES.read_text(encoding="utf-8"))
    first, last = sizes["runs"][0], sizes["runs"][-1]
    n = sum(cell["n"] for cell in sizes["cells"])
    tried = f"{n:,} draws of {len(sizes['scenarios'])} kinds of samples, as each test and window sees them"
    found = f"{len(sizes['cells']):,} rates with their intervals: [which test when](which_test.md)"
    yield "Simulations", tried, found, first["command"], last["date"]
    for record in json.loads((DOCS / "tested.json").read_text(encoding="utf-8")).values():
        yield record["kind"], record["tried"], record["found"], record["command"], record["date"]


def table() -> str:
    """Return the table: what was tried, with its kind, what was found, the command, and the date in one piece."""
    lines = [
        f"| **{kind}**: {tried} | {found} | `{command}` | {date.replace('-', NO_BREAK)} |\n"
        for kind, tried, found, command, date in sorted(rows())
    ]
    return HEAD + "".join(lines)


def write(app: Sphinx) -> None:
    """Write the file in ``generated/`` that the page includes."""
    (Path(app.srcdir) / "generated" / "tested.txt").write_text(table(), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write after ``members`` has deleted the folder."""
    app.connect("builder-inited", write, priority=200)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
