"""Every error that the library raises on purpose, and the one warning class.

::

    EventStudyError
    ├── InputError (ValueError)     an argument, an event file, a study file or a price is not valid
    ├── AlignmentError              events and prices cannot be brought onto one calendar
    ├── NotEnoughData               nothing is left to estimate or to test
    ├── ScaleError                  a worker, a cluster or a checkpoint failed, and no result is given
    └── SourceError                 prices could not be had
        ├── TickerNotFound          the source does not know the ticker, or has nothing in the range
        ├── SourceUnavailable       no answer, refusal or server error after all retries
        └── BadPrices               an answer came, and it cannot be trusted
    EventStudyWarning (UserWarning)

A message says what is wrong, the value, what is valid, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable


class EventStudyError(Exception):
    """Base of all errors of this library."""


class InputError(EventStudyError, ValueError):
    """An argument, an event, a study file or a price is not valid."""


class AlignmentError(EventStudyError):
    """Events and prices cannot be brought onto one calendar."""


class NotEnoughData(EventStudyError):
    """Nothing is left to estimate or to test."""


class ScaleError(EventStudyError):
    """A worker, a cluster or a checkpoint failed, and no result is given."""


class SourceError(EventStudyError):
    """Prices could not be had."""


class TickerNotFound(SourceError):
    """The source does not know the ticker, or has nothing in the range."""


class SourceUnavailable(SourceError):
    """The source gave no usable answer after all retries."""


class BadPrices(SourceError, ValueError):
    """The source answered, and the answer cannot be trusted."""


class EventStudyWarning(UserWarning):
    """Something a careful reader would want to know; the message names the remedy."""


def one_of(what: str, value: object, valid: Iterable[object]) -> InputError:
    """Make the error for a value that is not among the valid ones.

    Examples
    --------
    >>> str(one_of("returns", "pct", ["simple", "log"]))
    "returns is 'pct'; valid are 'simple', 'log'"
    """
    return InputError(f"{what} is {value!r}; valid are {', '.join(map(repr, valid))}")
