"""Prices from returns: the level that simple returns imply, and what a return can be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.errors import BadPrices, InputError
from eventstudy.types import Dates, Floats

PERCENT = 0.2  # a median absolute return above it is in per cent: no share moves by a fifth on most days


def level_of_returns(returns: Floats) -> Floats:
    r"""Return the price level of simple returns, :math:`100 \prod_{s \le t} (1 + R_s)`; NaN where a return is missing.

    A level after a missing return is not comparable with one before it.
    """
    level = 100.0 * np.cumprod(1.0 + np.nan_to_num(returns))
    return np.where(np.isnan(returns), np.nan, level)


def levels(ticker: str, dates: Dates, fields: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the closes that a series of returns implies, where it has no others; check the returns."""
    returns = fields["return"]
    bad = (returns <= -1.0) | np.isinf(returns)
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise BadPrices(
            f"{ticker} has the return {returns[at]:g} on {dates[at]} ({int(bad.sum())} such in all); a return is above"
            " -1 (-100 %), as a decimal; leave the cell empty where it is missing"
        )
    known = np.abs(returns[np.isfinite(returns)])
    if len(known) and np.median(known) > PERCENT:
        raise InputError(
            f"the returns of {ticker} look like per cent: half of them are above {np.median(known):.3g} in size; give"
            " decimals, 0.01 for 1 %"
        )
    level = level_of_returns(returns)
    close = fields.get("close", level)
    return {"close": close} if _is_level(close, level) else {"close": close, "adjusted": level}


def _is_level(close: Floats, level: Floats) -> bool:
    """Return whether closes are the level of the returns, as a file of prices made from returns has them."""
    both = np.isfinite(level)
    return bool(both.any() and np.allclose(close[both], level[both], rtol=1e-12, atol=0.0))
