"""What a reader needs to reproduce a result: versions, settings, fingerprints, and what was noticed."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import pandas as pd

from eventstudy.bars import Prices

CHUNK = 65_536  # values
LIBRARIES = ("numpy", "pandas", "scipy", "exchange_calendars")


def provenance(
    settings: dict[str, Any],
    events: pd.DataFrame,
    prices: Prices,
    notes: Sequence[str],
    clustering: dict[str, Any],
    tests: Sequence[str],
    factors: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Collect the provenance of a run as plain values, ready for JSON; what a source noticed joins the notes."""
    noticed = prices.provenance.get("noticed", {})
    used = {} if factors is None else {"factors": _factors(factors)}
    return {
        "eventstudy": version("eventstudy-quant"),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": settings,
        "tests": list(tests),
        "events": {"n": len(events), "sha256": fingerprint(events)},
        "prices": {**prices.provenance, "n_tickers": len(prices.bars), "problems": dict(prices.problems)},
        **used,
        "clustering": clustering,
        "notes": [*notes, *(f"{name}: {text}" for name, texts in noticed.items() for text in texts)],
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    }


def _factors(frame: pd.DataFrame) -> dict[str, Any]:
    """Say what the factors are: their names, span and fingerprint, and the vintage of their files where known."""
    given = {"n": len(frame), "names": [str(name) for name in frame.columns], "sha256": fingerprint(frame)}
    if len(frame):
        given |= {"first": str(frame.index[0])[:10], "last": str(frame.index[-1])[:10]}
    return given | {name: frame.attrs[name] for name in ("source",) if name in frame.attrs}


def fingerprint(frame: pd.DataFrame) -> str:
    """Hash a frame by a canonical form: sorted columns, values as text, ISO dates; not by pandas' own bytes.

    Examples
    --------
    >>> fingerprint(pd.DataFrame({"a": [1]}, index=["x"]))[:8]
    '9b877d13'
    """
    digest = hashlib.sha256()
    for name in sorted(map(str, frame.columns)):
        digest.update(f"{name}\n".encode())
        _fold(digest, frame[name].array)
    _fold(digest, frame.index.array)
    return digest.hexdigest()


def _fold(digest: Any, values: Any) -> None:
    """Add values as lines of text, some thousand at a time: a million texts at once take a hundred megabytes."""
    for start in range(0, len(values), CHUNK):
        text = "\n".join(map(str, values[start : start + CHUNK].tolist()))
        digest.update((text if start == 0 else f"\n{text}").encode())
