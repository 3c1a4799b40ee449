"""Links that lead somewhere in a checkout and on the site: to a file there, to its generated page here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from eventstudy import _registry

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDERS = "|".join(_registry.CONTRACTS)
# A pattern after ``](`` and any ``../`` that leads to the folder docs, and the page in its place.
PAGES = {
    rf"\.\./src/eventstudy/({FOLDERS})/(\w+)\.py": r"generated/\1/\2.rst",
    rf"\.\./src/eventstudy/({FOLDERS})": r"generated/\1/index.rst",
    r"\.\./src/eventstudy": "generated/reference.rst",
    r"\.\./notebooks": "generated/notebooks/index.md",
    "gallery": "generated/gallery/index.rst",
}


def resolved(text: str) -> str:
    """Return the text of a page with links to generated pages in place of those to files.

    >>> resolved("[a](../src/eventstudy/models/mean.py), [b](../../src/eventstudy)")
    '[a](generated/models/mean.rst), [b](../generated/reference.rst)'
    """
    for pattern, page in PAGES.items():
        text = re.sub(rf"\]\(((?:\.\./)*?){pattern}\)", rf"](\g<1>{_shifted(page)})", text)
    return text


def _shifted(page: str) -> str:
    """Return a replacement whose groups come after that of the ``../``."""
    return re.sub(r"\\(\d)", lambda match: rf"\g<{int(match[1]) + 1}>", page)


def setup(app: Sphinx) -> dict[str, bool]:
    """Change the text of every page before it is parsed."""

    def change(_: Sphinx, name: str, source: list[str]) -> None:
        if not name.startswith("generated/"):
            source[0] = resolved(source[0])

    app.connect("source-read", change)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
