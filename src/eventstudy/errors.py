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

A message states what is wrong, the offending value, what is valid, and what to do. No message has a password: errors
and warnings replace those of URLs and of named options by ***, also where the text of another library quotes them.
"""

from __future__ import annotations

import difflib
import itertools
import reprlib
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from types import MappingProxyType

from eventstudy.credentials import masked

LONGEST_MESSAGE = 1_500
LONGEST_READ = 10_000  # characters of a message or value that are looked at

LONGEST = 80  # characters of a value in a message
MOST = 40  # valid values in a message
_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxfrozenset = _SHORT.maxdict = _SHORT.maxarray = 8
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = LONGEST


class EventStudyError(Exception):
    """Base class of all errors of this library.

    A message that would repeat a long input is shortened in its middle, so that its end still says what to do.
    ``problems`` has the reason for each ticker, where several were asked for and none could be read.
    """

    problems: Mapping[str, str] = MappingProxyType({})

    def __init__(self, message: str = "") -> None:
        message = _masked(message)
        long = len(message) > LONGEST_MESSAGE
        super().__init__(f"{message[: LONGEST_MESSAGE - 400]} [...] {message[-400:]}" if long else message)


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

    def __init__(self, message: str = "") -> None:
        super().__init__(_masked(message))


def shown(value: object) -> str:
    """Return a value as a message shows it: on one line, never at length, and without a password in it.

    Examples
    --------
    >>> shown("pct"), shown((0, 1)), len(shown("x" * 10**6))
    ("'pct'", '(0, 1)', 80)
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{_with_article(type(value).__name__)} of shape {shape}"
    try:
        if isinstance(value, str | PurePath) and _masked(str(value)) != str(value):
            value = _masked(str(value))  # before it is cut
        text = masked(" ".join(_SHORT.repr(value).split()))
    except Exception:  # what a foreign object raises when it is shown
        return _with_article(type(value).__name__)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _masked(text: str) -> str:
    """Return a text without passwords; of a very long one, its beginning and its end."""
    half = LONGEST_READ // 2
    return masked(text if len(text) <= LONGEST_READ else text[:half] + text[-half:])


def _with_article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def one_of(what: str, value: object, valid: Iterable[object]) -> InputError:
    """Return the error for a value that is not among the valid ones, with the nearest of them.

    Examples
    --------
    >>> str(one_of("returns", "pct", ["simple", "log"]))
    "returns is 'pct'; valid are 'simple', 'log'"
    >>> str(one_of("returns", "Simple", ["simple", "log"]))
    "returns is 'Simple'; valid are 'simple', 'log'; did you mean 'simple'?"
    """
    values = list(valid)
    hint = did_you_mean(value, values)
    more = f" and {len(values) - MOST} more" if len(values) > MOST else ""
    return InputError(f"{what} is {shown(value)}; valid are {', '.join(map(shown, values[:MOST]))}{more}{hint}")


def did_you_mean(value: object, valid: Iterable[object]) -> str:
    """Return "; did you mean ...?" with the valid text that is nearest to a value, or nothing if none is near.

    Examples
    --------
    >>> did_you_mean("HC-1", ["HC1", "cluster"]), did_you_mean("x", ["HC1"])
    ("; did you mean 'HC1'?", '')
    """
    if not isinstance(value, str) or len(value) > LONGEST:
        return ""
    by_lower = {text.lower(): text for text in itertools.islice(valid, 10_000) if isinstance(text, str)}
    near = difflib.get_close_matches(value.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""
