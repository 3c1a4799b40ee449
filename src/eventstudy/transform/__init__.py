"""Transforms of prices: months, portfolios, control firms, an index without constituents, series, delistings, nights.

Each function takes :class:`~eventstudy.bars.Prices` and returns new ones; the input is not changed. The transforms
applied are listed in ``provenance["transformed"]``, and remarks by ticker in ``provenance["noticed"]``, which a result
shows among its notes. Levels are adjusted closes if there are any, else closes, as in a study. Those that make a
benchmark for each event take the events too, and return them with a column that names it.
"""

from __future__ import annotations

from eventstudy.transform.control_firms import control_firms
from eventstudy.transform.delistings import delisted
from eventstudy.transform.months import monthly
from eventstudy.transform.nights import hours, overnight
from eventstudy.transform.portfolios import portfolio, without
from eventstudy.transform.reference_portfolios import reference_portfolios
from eventstudy.transform.series import attach

__all__ = [
    "attach", "control_firms", "delisted", "hours", "monthly", "overnight", "portfolio", "reference_portfolios",
    "without",
]  # fmt: skip
