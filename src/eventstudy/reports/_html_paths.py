"""Small figures of single events, as paths of SVG: the CAR from the first day of the event window to each later day."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eventstudy.display import formats
from eventstudy.result import Result

WIDTH, HEIGHT, MARGIN = 120, 30, 2
NO_PATHS = "Without paths: those of {}s need the study with its data, and this result was read from a file"
SHARE = 0.9  # of the events, whose paths lie inside the common scale


class Path(NamedTuple):
    """The path of one event: the line in SVG, and where it ends, in words."""

    line: str
    label: str


class Paths(NamedTuple):
    """The paths of the events by id, with the x of day 0, the y of zero, and the common scale in words."""

    by_event: dict[object, Path]
    x_zero: float
    y_zero: float
    scale: str


def paths(result: Result) -> Paths:
    """Return the path of each used event, all on one scale.

    A day without an abnormal return leaves a gap. The scale holds 90 % of the events; longer paths are cut at its edge.
    Buy-and-hold paths need the study, and are left out without it.

    Examples
    --------
    >>> from eventstudy import demo
    >>> drawn = paths(demo.run().result)
    >>> len(drawn.by_event), drawn.y_zero, drawn.by_event["ANT_IPO_SUSPENDED:BABA"].line[:5]
    (393, 15.0, 'M2.0,')
    """
    if result.rerun is None and result.measure.column != "car":
        return Paths({}, 0.0, HEIGHT / 2, NO_PATHS.format(result.measure.short))
    frame = result.paths() if len(result.ar) else result.ar
    days = frame.columns.to_numpy(dtype=float)
    values = frame.to_numpy(dtype=float)
    missing = result.ar.reindex(frame.index).isna().to_numpy()
    limit = _limit(values)
    x = MARGIN + (WIDTH - 2 * MARGIN) * (days - days.min()) / max(float(np.ptp(days)), 1.0) if len(days) else days
    y = HEIGHT / 2 - np.clip(values / limit, -1.0, 1.0) * (HEIGHT / 2 - MARGIN)
    first, last = (formats.count(days[k]) for k in (0, -1)) if len(days) else ("", "")
    measure, step = result.measure, formats.day_or_bar(result.events["session"])
    by_event = {
        event_id: Path(
            _line(x, y[k], missing[k]), f"{measure.short} from {step} {first} to {last}: {_end(result, row)}"
        )
        for k, (event_id, row) in enumerate(zip(frame.index, values, strict=True))
    }
    zero = float(np.interp(0.0, days, x)) if len(days) else 0.0
    n_cut = int((np.abs(values) > limit).any(axis=1).sum()) if values.size else 0
    scale = f"Path: the {measure.short} from {step} {first} to {step} {last}, from {measure.text(-limit)} to"
    scale += f" {measure.text(limit)}; the vertical line is {step} 0"
    if n_cut:
        scale += f"; {formats.plural(n_cut, 'longer path')} cut at the edge"
    return Paths(by_event, round(zero, 1), HEIGHT / 2, scale)


def _limit(values: NDArray[np.float64]) -> float:
    """Return the largest absolute value that is drawn."""
    highest = np.array([np.abs(row[np.isfinite(row)]).max(initial=0.0) for row in values])
    limit = float(np.quantile(highest, SHARE)) if len(highest) else 0.0
    return limit if limit > 0 else 1.0


def _line(x: NDArray[np.float64], y: NDArray[np.float64], missing: NDArray[np.bool_]) -> str:
    """Return the commands of a line that is interrupted on missing days."""
    commands = []
    up = True
    for at, (px, py, gap) in enumerate(zip(x, y, missing, strict=True)):
        if gap or not np.isfinite(py):
            up = True
            continue
        alone = up and (at + 1 == len(x) or missing[at + 1])
        commands.append(f"{'M' if up else 'L'}{px:.1f},{py:.1f}" + ("h.1" if alone else ""))
        up = False
    return "".join(commands)


def _end(result: Result, row: NDArray[np.float64]) -> str:
    finite = row[np.isfinite(row)]
    return result.measure.text(finite[-1]) if len(finite) else "missing"
