"""All errors that the library raises deliberately, and its one warning class.

::

    EventStudyError
    ├── InputError (ValueError)     an argument, an event file, a study file or a price is not valid
    ├── AlignmentError              events and prices cannot be aligned on one calendar
    ├── NotEnoughData               nothing is left to estimate or to test
    ├── ScaleError                  a worker, a cluster or a checkpoint failed, and no result is returned
    ├── OutputError                 a file cannot be written; what was there is unchanged
    └── SourceError                 prices could not be obtained
        ├── TickerNotFound          the source does not know the ticker, or has no prices in the range
        ├── SourceUnavailable       no answer, refusal or server error after all retries
        └── BadPrices               the source answered, but its prices are not valid
    EventStudyWarning (UserWarning)

A message states what is wrong, the offending value, what is valid, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

LONGEST = 1_500  # characters of a message


class EventStudyError(Exception):
    """Base class of all errors of this library.

    A message that would repeat a long input is shortened in its middle, so that its end still says what to do.
    ``problems`` has the reason for each ticker, where several were asked for and none could be read.
    """

    problems: Mapping[str, str] = MappingProxyType({})

    def __init__(self, message: str = "") -> None:
        long = len(message) > LONGEST
        super().__init__(f"{message[: LONGEST - 400]} [...] {message[-400:]}" if long else message)


class InputError(EventStudyError, ValueError):
    """An argument, an event, a study file or a price is not valid."""


class AlignmentError(EventStudyError):
    """Events and prices cannot be aligned on one calendar."""


class NotEnoughData(EventStudyError):
    """Nothing is left to estimate or to test."""


class ScaleError(EventStudyError):
    """A worker, a cluster or a checkpoint failed, and no result is returned."""


class OutputError(EventStudyError):
    """A file cannot be written; what was there is unchanged."""


class SourceError(EventStudyError):
    """Prices could not be obtained."""


class TickerNotFound(SourceError):
    """The source does not know the ticker, or has no prices in the range."""


class SourceUnavailable(SourceError):
    """The source returned no usable answer after all retries."""


class BadPrices(SourceError, ValueError):
    """The source answered, but its prices are not valid."""


class EventStudyWarning(UserWarning):
    """A result may be affected by the condition in the message, which also names the remedy."""


def one_of(what: str, value: object, valid: Iterable[object]) -> InputError:
    """Return the error for a value that is not among the valid ones.

    Examples
    --------
    >>> str(one_of("returns", "pct", ["simple", "log"]))
    "returns is 'pct'; valid are 'simple', 'log'"
    """
    return InputError(f"{what} is {value!r}; valid are {', '.join(map(repr, valid))}")
