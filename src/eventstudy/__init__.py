"""Event studies: dated events and prices in, abnormal returns and their tests out.

>>> import eventstudy as es
>>> study = es.Study(model="market", benchmark="^HSI", windows=((0, 0), (-1, 1)))

Importing this module computes, fetches and draws nothing.
"""

from __future__ import annotations

# The folder first: loading a member binds it as an attribute, which must not replace the function of the same name.
import eventstudy.models
import eventstudy.transform  # noqa: F401
from eventstudy.analysis.headline import headline
from eventstudy.analysis.moves import explain_moves
from eventstudy.bars import Prices
from eventstudy.catalogue import catalogue
from eventstudy.errors import (
    AlignmentError,
    BadPrices,
    EventStudyError,
    EventStudyWarning,
    InputError,
    NotEnoughData,
    OutputError,
    ScaleError,
    SourceError,
    SourceUnavailable,
    TickerNotFound,
)
from eventstudy.members import model, models, test, tests
from eventstudy.prepare.events import Events, read_events
from eventstudy.prepare.french import read_french
from eventstudy.prices import fetch_prices, read_prices, write_prices
from eventstudy.reproduce.lock import freeze
from eventstudy.reproduce.replicate import replicate
from eventstudy.result import Result, read_result
from eventstudy.study import Study

__all__ = [
    "AlignmentError",
    "BadPrices",
    "EventStudyError",
    "EventStudyWarning",
    "Events",
    "InputError",
    "NotEnoughData",
    "OutputError",
    "Prices",
    "Result",
    "ScaleError",
    "SourceError",
    "SourceUnavailable",
    "Study",
    "TickerNotFound",
    "catalogue",
    "explain_moves",
    "fetch_prices",
    "freeze",
    "headline",
    "model",
    "models",
    "read_events",
    "read_french",
    "read_prices",
    "read_result",
    "replicate",
    "test",
    "tests",
    "write_prices",
]


def __dir__() -> list[str]:
    return [*__all__, "transform"]
