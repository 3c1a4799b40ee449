"""Transforms of prices: months, portfolios, an index without constituents, user series, delistings, overnight bars.

Each function takes :class:`~eventstudy.bars.Prices` and returns new ones; the input is not changed. The transforms
applied are listed in ``provenance["transformed"]``, and remarks by ticker in ``provenance["noticed"]``, which a result
shows among its notes. Levels are adjusted closes if there are any, else closes, as in a study.
"""

from __future__ import annotations

from eventstudy.transform.delistings import delisted
from eventstudy.transform.months import monthly
from eventstudy.transform.nights import hours, overnight
from eventstudy.transform.portfolios import portfolio, without
from eventstudy.transform.series import attach

__all__ = ["attach", "delisted", "hours", "monthly", "overnight", "portfolio", "without"]
