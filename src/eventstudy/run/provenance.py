"""What a reader needs to reproduce a result: versions, settings, fingerprints, and what was noticed."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.bars import Prices

CHUNK = 65_536  # values
FIXED = {"i": "<i8", "u": "<u8", "f": "<f8", "b": "?", "M": "<M8[us]"}  # by the kind of a NumPy type
LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels", "exchange_calendars")
EXTRAS = ("arch", "scikit-learn")  # some models use them; named where they are installed


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
        "versions": {"python": platform.python_version(), **_versions()},
    }


@cache
def _versions() -> dict[str, str]:
    """Return the versions of the libraries that compute."""
    versions = {name: version(name) for name in LIBRARIES}
    for name in EXTRAS:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def _factors(frame: pd.DataFrame) -> dict[str, Any]:
    """Say what the factors are: their names, span and fingerprint, and the vintage of their files where known."""
    given = {"n": len(frame), "names": [str(name) for name in frame.columns], "sha256": fingerprint(frame)}
    if len(frame):
        given |= {"first": str(frame.index[0])[:10], "last": str(frame.index[-1])[:10]}
    return given | {name: frame.attrs[name] for name in ("source",) if name in frame.attrs}


def fingerprint(frame: pd.DataFrame) -> str:
    """Hash a frame by a canonical form: columns sorted by name; numbers and times in bytes, all else as text.

    Integers, numbers and microseconds since 1970 take eight bytes each, the lowest first, so that neither pandas nor
    the machine has a say.

    Examples
    --------
    >>> fingerprint(pd.DataFrame({"a": [1]}, index=["x"]))[:8]
    'f6053a33'
    """
    digest = hashlib.sha256()
    for name in sorted(map(str, frame.columns)):
        digest.update(f"{name}\n".encode())
        _fold(digest, frame[name])
    _fold(digest, frame.index)
    return digest.hexdigest()


def _fold(digest: Any, column: pd.Series[Any] | pd.Index) -> None:
    """Add a column, some thousand values at a time: a million texts at once take a hundred megabytes."""
    for start in range(0, len(column), CHUNK):
        values = column[start : start + CHUNK]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            values = pd.DatetimeIndex(values).tz_convert("UTC").tz_localize(None)
        kind = getattr(values.dtype, "kind", "O")
        if isinstance(values.dtype, np.dtype) and kind in FIXED:
            digest.update(np.ascontiguousarray(values.to_numpy().astype(FIXED[kind])).tobytes())
        else:
            digest.update(("\n".join(map(str, values.to_numpy(dtype=object))) + "\n").encode())
