"""A table in a notebook has its style at each element, because Jupyter removes style sheets that it does not trust."""

from __future__ import annotations

import re

from eventstudy import demo


def test_in_a_notebook_the_style_is_at_each_element() -> None:
    table = demo.run().result.table("models", of=["market", "mean"])
    shown, plain = table._repr_html_(), table.to_html(style=False)
    assert "<style" not in shown
    assert re.sub(r' style="[^"]*"', "", shown) == plain
    assert len(re.findall(r"<t[hd]\b", shown)) == len(re.findall(r"<t[hd]\b[^>]* style=", shown))
    ruled = re.findall(r"<t[hd]\b[^>]*border-bottom: 1px[^>]*>", shown)
    assert len(ruled) == len(table.columns)  # the last row of heads
