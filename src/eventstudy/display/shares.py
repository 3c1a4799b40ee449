"""Shares in per cent as text."""

from __future__ import annotations

import math

from eventstudy.display import formats
from eventstudy.display.formats import Number

MOST = 4  # decimals


def in_percent(value: Number) -> str:
    """Return a share in per cent: whole, but with the decimals that keep a small one from 0 and a large one from 100.

    Examples
    --------
    >>> [in_percent(share) for share in (0.474, 0.003, 0.9962, 0.0, 1.0, 1e-9, None)]
    ['47 %', '0.3 %', '99.6 %', '0 %', '100 %', '<0.0001 %', '–']
    """
    if formats.is_missing(value):
        return formats.MISSING
    x = 100.0 * float(value)  # type: ignore[arg-type]  # not missing
    distance = min(abs(x), abs(100.0 - x))
    if 0.0 < distance < 10.0**-MOST:
        return f"<{10.0**-MOST:.{MOST}f} %" if x < 50.0 else f">{100.0 - 10.0**-MOST:.{MOST}f} %"
    digits = 0 if distance == 0.0 or distance >= 1.0 else math.ceil(-math.log10(distance))
    return f"{formats.number(x, min(digits, MOST))} %"
