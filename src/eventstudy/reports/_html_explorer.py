"""The explorer of the interactive HTML report: its events as data, and scripts that the policy names by hash."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from typing import Any, NamedTuple

import numpy as np

from eventstudy.display import formats
from eventstudy.errors import InputError
from eventstudy.reports import _tables
from eventstudy.result import Result

MOST_VALUES = 30  # of a column by which events can be grouped
PLAIN_COLUMNS = ("announced", "session", "placement", "status", "reason", "title", "alpha", "beta", "sigma", "r2")


class Explorer(NamedTuple):
    """The library that draws, the script of the explorer, the data as JSON, and the hashes of both scripts.

    ``signed`` says whether the events have expected signs.
    """

    library: str
    script: str
    data: str
    hashes: str
    signed: bool


def explorer(result: Result) -> Explorer:
    """Return the parts of the explorer.

    Raises
    ------
    InputError
        If plotly is not installed.
    """
    try:
        from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]
    except ImportError:
        raise InputError(
            'an interactive report needs plotly: pip install ".[interactive]", or leave out interactive=True'
        ) from None
    # A script element ends where its text has "</script", whatever the script means by it.
    library = get_plotlyjs().strip().replace("</script", "<\\/script")
    script = (resources.files("eventstudy.reports") / "_explorer.js").read_text(encoding="utf-8")
    hashes = f"{_hash(library)} {_hash(script)}"
    return Explorer(library, script, _as_json(_data(result)), hashes, result.measure.sign is not None)


def _hash(script: str) -> str:
    """Return the hash by which a content security policy allows a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')}'"


def _as_json(data: dict[str, Any]) -> str:
    """Return JSON that can stand inside a script element: a browser would see markup in its angle brackets."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data(result: Result) -> dict[str, Any]:
    """Return the events with their paths, effects and p-values, as plain values; None where missing."""
    measure, used = result.measure, formats.usable_events(result)
    frame = result.paths() if len(result.ar) else result.ar
    windows = _tables.windows(result)
    p_names = [formats.first_p(result.cars, *window) for window in windows] if measure.has_p else []
    by_event = dict(iter(result.cars.groupby("event_id", sort=False)))
    columns = _groups(result)
    signs = np.sign(used[measure.sign].to_numpy(dtype=float)) if measure.sign is not None else np.ones(len(used))
    titles = used["title"] if "title" in used else used.index.to_series()
    events = []
    for event_id, sign in zip(used.index, np.nan_to_num(signs), strict=True):
        cars, event = by_event[event_id], used.loc[event_id]
        events.append({
            "id": formats.plain(event_id), "title": formats.plain(titles[event_id]),
            "ticker": formats.plain(event["ticker"]), "session": formats.date(event["session"]),
            "path": _numbers(frame.loc[event_id].to_numpy(dtype=float)),
            "ar": _numbers(result.ar.loc[event_id].to_numpy(dtype=float)),
            "effects": _numbers(cars[measure.column].to_numpy(dtype=float)),
            "p": _numbers(np.array([cars[name].iloc[k] for k, name in enumerate(p_names)], dtype=float)),
            "groups": [formats.plain(event[name]) for name in columns], "sign": int(sign),
        })  # fmt: skip
    return {
        "days": [int(day) for day in frame.columns], "windows": [formats.window(*window) for window in windows],
        "columns": [name.replace("_", " ") for name in columns], "events": events, "short": measure.short,
        "daily": measure.daily, "percent": measure.percent, "digits": 2 if measure.percent else measure.digits,
        "unit": formats.day_unit(result.events["session"]),
        "step": formats.day_or_bar(result.events["session"]), "note": formats.prices_note(result),
        "signed": measure.sign is not None,
    }  # fmt: skip


def _groups(result: Result) -> list[str]:
    """Return the columns of text or few values by which events can be grouped, the ticker first."""
    used = formats.usable_events(result)
    names = [str(name) for name in used.columns if name not in PLAIN_COLUMNS and name != "ticker"]
    few = [name for name in names if 2 <= used[name].nunique() <= min(MOST_VALUES, max(len(used) - 1, 2))]
    return ["ticker", *few]


def _numbers(values: np.ndarray) -> list[float | None]:
    return [round(float(value), 6) if np.isfinite(value) else None for value in values]
