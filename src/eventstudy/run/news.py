"""News of two exchanges near in time, which may be the same and which the study does not link."""

from __future__ import annotations

import numpy as np

from eventstudy.types import Ints, StudySample

MANY = 0.25  # share of events beside unlinked news of another exchange from which it matters


def n_exchanges(sample: StudySample, rows: Ints) -> int:
    """Count the exchanges of some placed events, given by their rows (n,)."""
    return len(np.unique(_exchanges(sample, rows)))


def unlinked(sample: StudySample, rows: Ints) -> int:
    """Count those of some placed events (n,) within a session of one of another exchange that is not linked to them."""
    placed, core = sample.placed, sample.sample
    exchange = _exchanges(sample, rows)
    day = core.cluster_dates[placed.cluster[rows], core.spec.zero]
    linked = np.isin(placed.cluster[rows], core.links.ravel())
    near = np.zeros(len(rows), dtype=bool)
    for at in np.unique(exchange):
        of_others = np.unique(day[exchange != at])
        near |= (exchange == at) & (np.isin(day - 1, of_others) | np.isin(day + 1, of_others)) & ~linked
    return int(near.sum())


def matters(n_unlinked: int, n_events: int) -> bool:
    """Return whether so many events lie beside unlinked news that tests count the same news twice."""
    return n_unlinked > MANY * n_events


def _exchanges(sample: StudySample, rows: Ints) -> Ints:
    """Return the number of the exchange of each event, (n,)."""
    number: Ints = np.unique([panel.calendar for panel in sample.panels], return_inverse=True)[1]
    return number[sample.placed.panel[rows]]
