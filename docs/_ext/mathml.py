"""Convert formulas to MathML when the pages are built: browsers render it without a script."""

from __future__ import annotations

import re
from html import escape

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

LOG = logging.getLogger(__name__)
# Corrections of latex2mathml's output for browsers, pattern to replacement: operators that it marks as identifiers, a
# minus as prefix, vertical bars without space around them, and an overline as wide as its formula.
CORRECTIONS = {
    "<mi>&#x0007E;</mi>": "<mo>&#x0223C;</mo>",
    "<mi>(&#x000B1;|:)</mi>": r"<mo>\1</mo>",
    "(<mrow>|<mo[^>]*>(?:&#x00028;|&#x0003D;|&#x0002C;)</mo>)<mo>&#x02212;": r'\1<mo form="prefix">&#x02212;',
    '<mo stretchy="false">&#x0007C;': '<mo stretchy="false" lspace="0" rspace="0">&#x0007C;',
    '<mover>(<mrow>(?:(?!</?mrow>).)*</mrow>)<mo accent="true">&#x02015;</mo></mover>': r'<mrow class="over">\1</mrow>',
}


def _mathml(latex: str, display: str, node: nodes.Node) -> str:
    # \\Big has no effect on a bracket with an exponent, unlike \\left and \\right.
    latex = re.sub(r"\\Big([\[(])", r"\\left\1", re.sub(r"\\Big([\])])", r"\\right\1", latex.strip()))
    try:
        markup = convert(latex, display=display)
    except Exception as error:  # latex2mathml has no base class of its errors
        LOG.warning("the formula %r cannot be converted to MathML: %r", latex, error, location=node)
        return f"<code>{escape(latex)}</code>"
    for pattern, replacement in CORRECTIONS.items():
        markup = re.sub(pattern, replacement, markup)
    return markup


def inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    self.body.append(_mathml(node.astext(), "inline", node))
    raise nodes.SkipNode


def block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write displayed formulas, which blank lines separate; wide ones scroll."""
    for latex in filter(str.strip, node.astext().split("\n\n")):
        self.body.append(f'<div class="formula">{_mathml(latex, "block", node)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer; ``html_math_renderer = "mathml"`` chooses it."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
