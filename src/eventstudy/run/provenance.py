"""The provenance of a result, to reproduce it: versions, settings, fingerprints of the data, and notes.

It has no path and no time of the run, so that the same study on the same data gives the same bytes on any day, from any
folder.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import numpy as np
import pandas as pd

from eventstudy.bars import Prices
from eventstudy.types import Model, Test

CHUNK = 65_536  # values
# Byte layouts by the kind of a NumPy type.
FIXED = {"i": "<i8", "u": "<u8", "f": "<f8", "b": "?", "M": "<M8[us]"}
LIBRARIES = ("numpy", "pandas", "scipy", "exchange_calendars", "matplotlib")
# Libraries that some models and tests compute with, by the name under which they are imported.
ESTIMATORS = {"arch": "arch", "sklearn": "scikit-learn", "statsmodels": "statsmodels"}


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


def provenance(
    settings: Mapping[str, object],
    events: pd.DataFrame,
    prices: Prices,
    notes: Sequence[str],
    clustering: Mapping[str, object],
    model: Model,
    tests: Mapping[str, Test],
    factors: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Return the provenance of a run as plain values, ready for JSON; the notes include those of the source."""
    source_notes = prices.provenance.get("noticed", {})
    factor_record = {} if factors is None else {"factors": _factors(factors)}
    return {
        "eventstudy": _version("eventstudy-quant"),
        "settings": dict(settings),
        "tests": list(tests),
        "events": {"n": len(events), "sha256": fingerprint(events)},
        "prices": {**prices.provenance, "n_tickers": len(prices.bars), "problems": dict(prices.problems)},
        **factor_record,
        "clustering": dict(clustering),
        "notes": [
            *prices.provenance.get("notes", ()),
            *notes,
            *(f"{name}: {text}" for name, texts in source_notes.items() for text in texts),
        ],
        "versions": _versions(model, tests.values()),
    }


def _versions(model: Model, tests: Iterable[Test]) -> dict[str, str]:
    """Return the versions of Python and of the libraries that computed with a model and tests."""
    code = [type(model), *(test.finalize for test in tests)]
    estimators = set[str]().union(*(_imported(str(getattr(part, "__module__", ""))) for part in code))
    names = [*LIBRARIES, *(ESTIMATORS[name] for name in sorted(estimators & set(ESTIMATORS)))]
    versions = {"python": platform.python_version()}
    for name in names:
        with suppress(PackageNotFoundError):  # a model's library may be a module without metadata
            versions[name] = _version(name)
    return versions


@cache
def _version(distribution: str) -> str:
    """Return the version of an installed distribution, read once: its metadata take milliseconds."""
    return version(distribution)


@cache
def _imported(module: str) -> frozenset[str]:
    """Return the packages that the file of a module imports, also inside functions; none where there is no file."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError, SyntaxError):
        return frozenset()
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return frozenset(name.partition(".")[0] for name in names)


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
