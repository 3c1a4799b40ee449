"""One attempt at a door: what came back, whether it was the library's own, and whether it took too long."""

from __future__ import annotations

import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from types import FrameType

import eventstudy as es
from tests.fuzz.doors import Door

SECONDS = 5
GROWTH_KIB = 2**20
LONGEST = 2_000  # characters of an error


class Hang(BaseException):
    """A door did not come back in time."""


def _stop(signum: int, frame: FrameType | None) -> None:
    raise Hang


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise Hang if the block does not end in time, where the system has alarms."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return
    signal.signal(signal.SIGALRM, _stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def attempt(door: Door, random: Random) -> tuple[str, bool]:
    """Try a door once; return a description of what no door may do ("" if nothing), and whether input was refused."""
    try:
        with within(SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            door(random)
    except es.EventStudyError as error:
        text = str(error)
        return (f"an error of {len(text):,} characters" if len(text) > LONGEST else ""), True
    except Hang:
        return f"no answer in {SECONDS} s", False
    except Exception as error:
        place = traceback.extract_tb(sys.exc_info()[2])
        inside = next((frame for frame in reversed(place) if "eventstudy" in frame.filename), place[-1])
        return f"{type(error).__name__} at {inside.filename.rsplit('eventstudy/', 1)[-1]}:{inside.lineno}", False
    return "", False


def memory_kib() -> int:
    """Return the memory that this process holds now, in KiB; 0 where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            [line] = [line for line in status if line.startswith("VmRSS")]
    except (OSError, ValueError):
        return 0
    return int(line.split()[1])
