"""News of two exchanges near in time, which may be the same and which the study does not link."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eventstudy.types import AnyPanel, Ints, Placed, Sample

MANY = 0.25  # share of events beside unlinked news of another exchange from which it matters


def n_exchanges(panels: Sequence[AnyPanel], placed: Placed, rows: Ints) -> int:
    """Count the exchanges of some placed events, given by their rows (n,)."""
    return len(np.unique(_exchanges(panels, placed, rows)))


def unlinked(panels: Sequence[AnyPanel], placed: Placed, sample: Sample, rows: Ints) -> int:
    """Count those of some placed events (n,) within a session of one of another exchange that is not linked to them."""
    if len({panel.calendar for panel in panels}) < 2:
        return 0
    exchange = _exchanges(panels, placed, rows)
    day = sample.cluster_dates[placed.cluster[rows], sample.spec.zero]
    linked = np.isin(placed.cluster[rows], sample.links.ravel())
    near = np.zeros(len(rows), dtype=bool)
    for at in np.unique(exchange):
        of_others = np.unique(day[exchange != at])
        near |= (exchange == at) & (np.isin(day - 1, of_others) | np.isin(day + 1, of_others)) & ~linked
    return int(near.sum())


def matters(n_unlinked: int, n_events: int) -> bool:
    """Return whether so many events lie beside unlinked news that tests count the same news twice."""
    return n_unlinked > MANY * n_events


def _exchanges(panels: Sequence[AnyPanel], placed: Placed, rows: Ints) -> Ints:
    """Return the number of the exchange of each event, (n,)."""
    number: Ints = np.unique([panel.calendar for panel in panels], return_inverse=True)[1]
    return number[placed.panel[rows]]
