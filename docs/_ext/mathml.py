"""Set formulas as MathML when the pages are built: browsers show it by themselves, and no script is fetched."""

from __future__ import annotations

from html import escape

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

LOG = logging.getLogger(__name__)


def _mathml(latex: str, display: str, node: nodes.Node) -> str:
    try:
        return convert(latex.strip(), display=display)
    except Exception as error:  # the library has no common base of its errors
        LOG.warning("the formula %r cannot be set: %r", latex, error, location=node)
        return f"<code>{escape(latex)}</code>"


def inline(self: HTML5Translator, node: nodes.math) -> None:
    """Set a formula within a line."""
    self.body.append(_mathml(node.astext(), "inline", node))
    raise nodes.SkipNode


def block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Set formulas on lines of their own, one after each blank line; wide ones scroll."""
    for latex in node.astext().split("\n\n"):
        self.body.append(f'<div class="formula">{_mathml(latex, "block", node)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer; ``html_math_renderer = "mathml"`` chooses it."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
