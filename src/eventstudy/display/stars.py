"""Stars of significance: their levels stand here once."""

from __future__ import annotations

from eventstudy.display import formats

LEVELS = ((0.01, "***"), (0.05, "**"), (0.10, "*"))
LEGEND = ", ".join(f"{mark} p < {level:g}" for level, mark in LEVELS)


def stars(p: formats.Number) -> str:
    """Return the stars of a p-value; none where it is missing.

    Examples
    --------
    >>> stars(0.003), stars(0.01), stars(0.07), stars(float("nan"))
    ('***', '**', '*', '')
    """
    return "" if p is None or formats.is_missing(p) else next((mark for level, mark in LEVELS if float(p) < level), "")
