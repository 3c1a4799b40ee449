r"""The mean path of overlapping events, estimated jointly: the day of one event is not taken for a day of another.

.. math:: AR_{ft} = \sum_k \theta_k D^k_{ft} + u_{ft}

over all days t of a security f in the event window of one of its events, with D^k the number of its events whose
relative day k is t (minus those of expected sign -1, if the study has signs). Where no windows of a security overlap,
theta is the AAR. Sandler & Sandler (2014, Journal of Economic and Social Measurement 39:205); Schmidheiny & Siegloch
(2023, Journal of Applied Econometrics 38:695).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from eventstudy.core.clustering import components
from eventstudy.core.nulls import divide, margin
from eventstudy.errors import InputError, NotEnoughData
from eventstudy.types import Floats, Ints, Rerun, ResultFrames, StudySample, required

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    Sparse = csr_array[np.float64, tuple[int, int]]

BLOCK = 3  # event windows in a cluster at least: longer chains of overlapping windows are cut into several
FEWEST = 3  # clusters for a standard error
DETERMINED = 1e-9  # a share of the information that is no larger is none


class _Events(NamedTuple):
    """The events of the path: ``ar`` and ``dates`` (N, n_evt), ``security``, ``sign``, ``sigma``, ``cluster`` (N,)."""

    ar: Floats
    dates: Ints
    security: Ints
    sign: Floats
    sigma: Floats
    cluster: Ints


class _Cells(NamedTuple):
    """One row for each security and date in an event window: counts (n, n_evt), returns (n,), AR / s, and cluster."""

    counts: Sparse
    ar: Floats
    standardised: Floats
    cluster: Ints


def joint(rerun: Rerun | None, result: ResultFrames) -> pd.DataFrame:
    """Estimate the mean path with overlap taken out; see ``Result.joint``."""
    sample = required(rerun).sample()
    if required(rerun).choices.compound:
        raise InputError("the joint path is a sum of abnormal returns, and this study compounds; use accumulate='sum'")
    days = sample.sample.spec.days
    events = _events(sample, result)
    n = np.isfinite(events.ar).sum(axis=0)
    known = n > 0
    columns = {name: np.full(len(days), np.nan) for name in ("aar", "caar", "se", "lower", "upper", "theta")}
    if known.any():
        cells = _cells(events, known)
        aar, theta, info = _solve(cells)
        residual = cells.ar - cells.counts @ aar
        se, df = _cumulative_se(cells, residual, info)
        caar, half_width = np.cumsum(aar), margin(se, df)
        values = {"aar": aar, "caar": caar, "se": se, "lower": caar - half_width, "upper": caar + half_width}
        for name, found in {**values, "theta": theta}.items():
            columns[name][known] = found
        gap = np.cumsum(~known) > 0  # a sum over a day without a value has none
        for name in ("caar", "se", "lower", "upper"):
            columns[name][gap] = np.nan
    return pd.DataFrame({"n": n, **columns}, pd.Index(days, name="day"))


def _events(sample: StudySample, result: ResultFrames) -> _Events:
    """Return the used events, those with a sign if the study has signs."""
    table, placed, spec = sample.event_table, sample.placed, sample.sample.spec
    counted = result.events["status"].to_numpy()[table.rows] == "ok"
    if placed.sign is not None:
        counted &= placed.sign != 0.0
    rows = np.flatnonzero(counted)
    labels = table.frame.iloc[table.rows[rows]]
    clusters, cluster = np.unique(placed.cluster[rows], return_inverse=True)
    dates = sample.sample.cluster_dates[clusters][:, spec.n_est :]
    links = sample.sample.links
    pairs = np.searchsorted(clusters, links[np.isin(links, clusters).all(axis=1)])
    return _Events(
        result.ar.loc[labels.index].to_numpy(dtype=np.float64),
        dates[cluster],
        pd.factorize(labels["ticker"])[0].astype(np.int64),
        np.ones(len(rows)) if placed.sign is None else placed.sign[rows],
        result.events.loc[labels.index, "sigma"].to_numpy(dtype=np.float64),
        components(dates[:, 0], dates[:, -1], pairs)[cluster] if len(rows) else cluster,
    )


def _cells(events: _Events, known: np.ndarray) -> _Cells:
    """Collect the days of the securities; the abnormal returns that several events have on one day are averaged."""
    from scipy.sparse import csr_array

    event, column = np.nonzero(np.isfinite(events.ar))
    date, ar = events.dates[event, column], events.ar[event, column]
    keys = events.security[event] * (int(events.dates.max()) + 1) + date
    _, first, cell = np.unique(keys, return_index=True, return_inverse=True)
    position = np.cumsum(known) - 1
    shape = (len(first), int(known.sum()))
    counts = csr_array((events.sign[event], (cell, position[column])), shape=shape)
    n = np.bincount(cell)
    return _Cells(
        counts,
        np.bincount(cell, ar) / n,
        np.bincount(cell, ar / events.sigma[event]) / n,
        _blocks(events, events.cluster[event[first]], date[first]),
    )


def _blocks(events: _Events, chain: Ints, date: Ints) -> Ints:
    """Return the cluster of each cell: its chain of overlapping windows, cut by date into blocks of equal length.

    Abnormal returns of different dates are correlated by the error of their common estimates only, so that little is
    lost at a cut, and one long chain has a standard error too.
    """
    n_chains, length = int(events.cluster.max()) + 1, events.dates.shape[1]
    start, end = np.full(n_chains, np.iinfo(np.int64).max), np.zeros(n_chains, dtype=np.int64)
    np.minimum.at(start, events.cluster, events.dates[:, 0])
    np.maximum.at(end, events.cluster, events.dates[:, -1])
    span = end - start + 1
    n_blocks = np.maximum(span // (BLOCK * length), 1)
    block = (date - start[chain]) * n_blocks[chain] // span[chain]
    return np.unique(chain * (int(n_blocks.max()) + 1) + block, return_inverse=True)[1].astype(np.int64)


def _solve(cells: _Cells) -> tuple[Floats, Floats, Floats]:
    """Return the path, the path in standard deviations, and X'X."""
    info = np.asarray((cells.counts.T @ cells.counts).toarray(), dtype=np.float64)
    scale = 1.0 / np.sqrt(np.diag(info))
    if np.linalg.eigvalsh(info * np.outer(scale, scale))[0] < DETERMINED:
        raise NotEnoughData(
            "the events of each security follow one another so closely that the days of one cannot be told from those"
            " of the next; shorten the event window of the study"
        )
    aar, theta = np.linalg.solve(info, cells.counts.T @ np.column_stack([cells.ar, cells.standardised])).T
    return aar, theta, info


def _cumulative_se(cells: _Cells, residual: Floats, info: Floats) -> tuple[Floats, Floats]:
    r"""Return the CR2 standard errors of the cumulated path, and the degrees of freedom of Bell & McCaffrey (2002).

    With the whitened design U = X (X'X)^{-1/2} and M_g = U_g'U_g, the adjustment (I - H_gg)^{-1/2} of a cluster's
    residuals is (I - M_g)^{-1/2} of its score, so that the work grows with the number of cells and not with its square.
    """
    # The formula is that of core.slopes.cr2, whose design is dense: here it has a row for each event and day, and a
    # column for each day, nearly all 0, which would take gigabytes for the events that the sparse one holds.
    n_days = len(info)
    values, vectors = np.linalg.eigh(info)
    whiten = (vectors / np.sqrt(values)) @ vectors.T
    contrasts = whiten @ np.triu(np.ones((n_days, n_days)))  # of the sums of the first 1, 2, ... days
    order = np.argsort(cells.cluster, kind="stable")
    ends = np.cumsum(np.bincount(cells.cluster))
    variance, trace, squares = np.zeros(n_days), np.zeros(n_days), np.zeros(n_days)
    outer, undefined = np.zeros((n_days, n_days, n_days)), np.zeros(n_days, dtype=bool)
    for rows in np.split(order, ends[:-1]):
        x = cells.counts[rows]
        share, turn = np.linalg.eigh(whiten @ (x.T @ x).toarray() @ whiten)
        rest = 1.0 - share
        alone = rest < DETERMINED  # directions that only this cluster measures
        undefined |= (np.abs(turn[:, alone].T @ contrasts) > np.sqrt(DETERMINED)).any(axis=0)
        root = np.where(alone, 0.0, 1.0 / np.sqrt(np.where(alone, 1.0, rest)))
        adjusted = (turn * root) @ (turn.T @ contrasts)
        variance += (adjusted.T @ (whiten @ (x.T @ residual[rows]))) ** 2
        weighted = (turn * share) @ (turn.T @ adjusted)
        own, shared = (adjusted * weighted).sum(axis=0), (weighted**2).sum(axis=0)
        trace += own - shared
        squares += own**2 - 2.0 * own * shared
        outer += weighted.T[:, :, None] * weighted.T[:, None, :]
    squares += (outer**2).sum(axis=(1, 2))
    se = np.sqrt(variance)
    se[undefined | (len(ends) < FEWEST)] = np.nan
    return se, divide(trace**2, squares)
