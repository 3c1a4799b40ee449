"""Set formulas as MathML when the pages are built: browsers show it by themselves, and no script is fetched."""

from __future__ import annotations

import re
from html import escape

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

LOG = logging.getLogger(__name__)
# What latex2mathml gives, and what browsers set well: signs that are no letters, a minus that begins a number, bars
# without room around them, and a line as long as what it is over.
MENDED = {
    "<mi>&#x0007E;</mi>": "<mo>&#x0223C;</mo>",
    "<mi>(&#x000B1;|:)</mi>": r"<mo>\1</mo>",
    "(<mrow>|<mo[^>]*>(?:&#x00028;|&#x0003D;|&#x0002C;)</mo>)<mo>&#x02212;": r'\1<mo form="prefix">&#x02212;',
    '<mo stretchy="false">&#x0007C;': '<mo stretchy="false" lspace="0" rspace="0">&#x0007C;',
    '<mover>(<mrow>(?:(?!</?mrow>).)*</mrow>)<mo accent="true">&#x02015;</mo></mover>': r'<mrow class="over">\1</mrow>',
}


def _mathml(latex: str, display: str, node: nodes.Node) -> str:
    # A bracket that is large by \\Big is not large below an exponent; one that grows by itself is.
    latex = re.sub(r"\\Big([\[(])", r"\\left\1", re.sub(r"\\Big([\])])", r"\\right\1", latex.strip()))
    try:
        made = convert(latex, display=display)
    except Exception as error:  # the library has no common base of its errors
        LOG.warning("the formula %r cannot be set: %r", latex, error, location=node)
        return f"<code>{escape(latex)}</code>"
    for given, better in MENDED.items():
        made = re.sub(given, better, made)
    return made


def inline(self: HTML5Translator, node: nodes.math) -> None:
    """Set a formula within a line."""
    self.body.append(_mathml(node.astext(), "inline", node))
    raise nodes.SkipNode


def block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Set formulas on lines of their own, one after each blank line; wide ones scroll."""
    for latex in filter(str.strip, node.astext().split("\n\n")):
        self.body.append(f'<div class="formula">{_mathml(latex, "block", node)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer; ``html_math_renderer = "mathml"`` chooses it."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
