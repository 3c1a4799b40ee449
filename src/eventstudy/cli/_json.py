"""Results as JSON: frames as lists of records, numbers as numbers, NaN and other missing values as null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.result import Result


def as_json(document: Mapping[str, object]) -> str:
    """Return a document as JSON, with the version of the library first.

    Examples
    --------
    >>> print(as_json({"p": np.float64(0.5), "df": np.nan, "day": pd.Timestamp("2021-09-13")}).split(",", 1)[1])
    <BLANKLINE>
      "p": 0.5,
      "df": null,
      "day": "2021-09-13"
    }
    """
    content = {"eventstudy": version("eventstudy-quant"), **document}
    return json.dumps(_plain(content), ensure_ascii=False, allow_nan=False, indent=2)


def result_document(result: Result) -> dict[str, object]:
    """Return what a result holds about its sample: counts, attrition, effects, tests, settings, prices and notes."""
    prices = result.provenance.get("prices") or {}
    return {
        "measure": result.measure.full,
        "n_events": len(result.events),
        "n_used": int((result.events["status"] == "ok").sum()),
        "attrition": result.attrition,
        "effects": result.effects,
        "tests": result.tests,
        "settings": result.provenance.get("settings") or {},
        "prices": {name: prices[name] for name in ("source", "note", "n_tickers", "problems") if name in prices},
        "registration": result.provenance.get("registration"),
        "notes": list(result.provenance.get("notes") or ()),
    }


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; infinite numbers, which it does not have, are the texts "inf" and "-inf"."""
    if isinstance(value, pd.DataFrame):
        frame = value if value.index.name is None else value.reset_index()
        return [_plain(record) for record in frame.to_dict("records")]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Sequence | Set) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if value is None or value is pd.NaT or value is pd.NA or isinstance(value, str | bool | int):
        return value if isinstance(value, str | bool | int) else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, datetime) and value.tzinfo is None and value == datetime.combine(value, datetime.min.time()):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
