"""Amounts of money as text."""

from __future__ import annotations

from eventstudy.display import formats
from eventstudy.display.formats import Number

AMOUNTS = ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e3, "k"))


def money(value: Number, currency: str = "", digits: int = 2) -> str:
    """Return an amount with its sign, in thousands, millions and so on, and its currency.

    Examples
    --------
    >>> money(-30.24e9, "HKD"), money(1.2e6, "USD", 1), money(999_999_999), money(float("nan"), "USD")
    ('−30.24 bn HKD', '+1.2 m USD', '+1.00 bn', '–')
    """
    if formats.is_missing(value):
        return formats.MISSING
    x = float(value)  # type: ignore[arg-type]  # not missing
    size, unit = next(((size, unit) for size, unit in AMOUNTS if round(abs(x) / size, digits) >= 1.0), (1.0, ""))
    return f"{formats.signed(x / size, digits)} {unit} {currency}".replace("  ", " ").strip()
