"""The provenance of a result, to reproduce it: versions, settings, fingerprints of the data, and notes."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import numpy as np
import pandas as pd

from eventstudy.bars import Prices

CHUNK = 65_536  # values
# Byte layouts by the kind of a NumPy type.
FIXED = {"i": "<i8", "u": "<u8", "f": "<f8", "b": "?", "M": "<M8[us]"}
LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels", "exchange_calendars")
EXTRAS = ("arch", "scikit-learn")  # used by some models; recorded where they are installed


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


def provenance(
    settings: Mapping[str, object],
    events: pd.DataFrame,
    prices: Prices,
    notes: Sequence[str],
    clustering: Mapping[str, object],
    tests: Sequence[str],
    factors: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Return the provenance of a run as plain values, ready for JSON; the notes include those of the source."""
    source_notes = prices.provenance.get("noticed", {})
    factor_record = {} if factors is None else {"factors": _factors(factors)}
    return {
        "eventstudy": version("eventstudy-quant"),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": dict(settings),
        "tests": list(tests),
        "events": {"n": len(events), "sha256": fingerprint(events)},
        "prices": {**prices.provenance, "n_tickers": len(prices.bars), "problems": dict(prices.problems)},
        **factor_record,
        "clustering": dict(clustering),
        "notes": [*notes, *(f"{name}: {text}" for name, texts in source_notes.items() for text in texts)],
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


def _factors(frame: pd.DataFrame) -> dict[str, object]:
    """Return the names, dates and fingerprint of the factors, and the vintage of their files if known."""
    record: dict[str, object] = {
        "n": len(frame),
        "names": [str(name) for name in frame.columns],
        "sha256": fingerprint(frame),
    }
    if len(frame):
        record |= {"first": str(frame.index[0])[:10], "last": str(frame.index[-1])[:10]}
    return record | {name: frame.attrs[name] for name in ("source",) if name in frame.attrs}


def fingerprint(frame: pd.DataFrame) -> str:
    """Hash a frame by a canonical form: columns sorted by name; numbers and times in bytes, all else as text.

    Integers, numbers and microseconds since 1970 take eight bytes each, little-endian, so that the hash does not depend
    on pandas or the machine.

    Examples
    --------
    >>> fingerprint(pd.DataFrame({"a": [1]}, index=["x"]))[:8]
    'f6053a33'
    """
    digest = hashlib.sha256()
    names = [str(name) for name in frame.columns]
    for at in sorted(range(len(names)), key=names.__getitem__):
        digest.update(f"{names[at]}\n".encode())
        _fold(digest, frame.iloc[:, at])
    _fold(digest, frame.index)
    return digest.hexdigest()


def _fold(digest: _Digest, column: pd.Series | pd.Index) -> None:
    """Hash a column in chunks: a million texts at once would take a hundred megabytes."""
    for start in range(0, len(column), CHUNK):
        values = column[start : start + CHUNK]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            values = pd.DatetimeIndex(values).tz_convert("UTC").tz_localize(None)
        kind = getattr(values.dtype, "kind", "O")
        if isinstance(values.dtype, np.dtype) and kind in FIXED:
            digest.update(np.ascontiguousarray(values.to_numpy().astype(FIXED[kind])).tobytes())
        else:
            digest.update(("\n".join(map(str, values.to_numpy(dtype=object))) + "\n").encode())
