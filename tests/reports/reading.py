"""What is needed to read a report: the tags of a page, and a document around LaTeX tables."""

from __future__ import annotations

from html.parser import HTMLParser

DOCUMENT = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage{booktabs,array,siunitx,threeparttable,longtable,rotating,pdflscape}
\begin{document}
%s
\end{document}
"""


class Page(HTMLParser):
    """The tags with their attributes, and the text, of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]
