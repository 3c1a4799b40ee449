"""The help of every command, as the command line prints it, for the page on the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.cli._main import commands, help_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx

COLUMNS = "88"


@contextmanager
def _columns() -> Iterator[None]:
    """Let the help be as wide as the page."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = COLUMNS
    try:
        yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before


def sections() -> str:
    """Return a section for each command, with its help."""
    with _columns():
        return "\n\n".join(f"## {name}\n\n```text\n{help_of(name).strip()}\n```" for name in commands())


def write(app: Sphinx) -> None:
    """Write the file in ``generated/`` that the page includes."""
    (Path(app.srcdir) / "generated" / "commands.txt").write_text(sections() + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write after ``members`` has deleted the folder."""
    app.connect("builder-inited", write, priority=200)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
