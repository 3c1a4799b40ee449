r"""Wild cluster bootstrap: the mean standardised CAR against its own values when clusters of events turn their sign.

.. math:: t = \frac{\sum_g S_g / N}{\sqrt{\frac{G}{G - 1} \sum_g (S_g - n_g \bar z)^2 / N^2}}, \quad
          p = \frac{1 + \#\{b : |t^*_b| \ge |t|\}}{1 + B}

with S_g the sum of the n_g SCARs of cluster g and t* the same of v_g S_g: under the null each cluster, with all of its
dependence, is as likely to turn out the other way, and v_g is +1 or -1. A cluster is the events that a chain of windows
with common calendar days links, or the same news on several exchanges. Where all 2^G sign vectors are no more than the
draws each is taken once, and p is their exact share. Robust to any dependence within a cluster and to variance that the
event brings; needs SCARs that are symmetric under the null, and 6 clusters: with fewer no p is below 5 %. One sign for
each *event* would destroy the very correlation that matters: with 100 events on 20 dates and a correlation of 0.1 it
rejects 10 %.

Options: ``draws`` B; ``cluster`` ("overlap", or "date": the events of one calendar date); ``seed``. Cameron, Gelbach
& Miller (2008, Review of Economics and Statistics 90:414).

Examples
--------
>>> import eventstudy as es
>>> es.test("wild_bootstrap", draws=9999, cluster="date").survives
'same_day'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Literal

import numpy as np

from eventstudy.core.clustering import components
from eventstudy.core.nulls import verdict
from eventstudy.core.sums import by_cluster
from eventstudy.errors import InputError, one_of
from eventstudy.types import Abnormal, Floats, Ints, Sample, Scores, State, Test, Verdict

Cluster = Literal["overlap", "date"]
FEWEST = 6  # clusters: of 2^5 sign vectors the identity and its opposite are 6.25 %
TIE = 1e-12  # relative difference below which two statistics are the same, whatever the order of their sums
ROUNDING = 1e-13  # a spread below this share of the sum of squares is the rounding of none
CELLS = 1_000_000  # of signs at a time


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum standardised CARs by cluster, with their counts: leaves (C, V)."""
    return {"z": by_cluster(abnormal, scores.z), "n": by_cluster(abnormal, scores.ok)}


def finalize(state: State, sample: Sample, draws: int = 1999, cluster: Cluster = "overlap", seed: int = 0) -> Verdict:
    """Turn the signs of the clusters of each group and window."""
    shape = (sample.n_groups, state["z"].shape[1])
    n, n_clusters, p, t = np.zeros(shape), np.zeros(shape), np.full(shape, np.nan), np.full(shape, np.nan)
    for group, v in np.ndindex(*shape):
        mine = np.flatnonzero((sample.cluster_group == group) & (state["n"][:, v] > 0))
        label = _labels(sample, mine, v, cluster)
        z, count = (np.bincount(label, state[name][mine, v]).astype(np.float64) for name in ("z", "n"))
        n[group, v], n_clusters[group, v] = count.sum(), len(count)
        if len(count) >= FEWEST:
            rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, v])))
            t[group, v], p[group, v] = _turned(z, count, draws, rng)
    few = f"fewer than {FEWEST} clusters of events: too few sign patterns to reject at 5 %"
    undefined = [(n < 1, "no event"), (n_clusters < FEWEST, few), (np.isnan(t), "the standardised CARs are all equal")]
    result = verdict(t, n, p=p, undefined=undefined)
    for at in zip(*np.nonzero(np.isfinite(t)), strict=True):
        vectors = 2 ** int(n_clusters[at])
        signs = f"all {vectors} sign vectors" if vectors <= draws else f"{draws} draws"
        result.note[at] = f"{n_clusters[at]:.0f} clusters of events, {signs}"
    return result


def _labels(sample: Sample, clusters: Ints, window: int, kind: Cluster) -> Ints:
    """Give clusters of a date, or of a chain of overlapping windows, one number, in the order of the calendar."""
    spec = sample.spec
    zero = np.clip(0, *spec.event)
    start, end = (zero, zero) if kind == "date" else spec.windows[window]
    first, last = (sample.cluster_dates[clusters, spec.n_est + day - spec.event[0]] for day in (start, end))
    position = np.full(len(sample.cluster_group), -1)
    position[clusters] = np.arange(len(clusters))
    links = position[sample.links]
    return components(first, last, links[(links >= 0).all(axis=1)])


def _turned(z: Floats, count: Floats, draws: int, rng: np.random.Generator) -> tuple[float, float]:
    """Give t and its p among the sign vectors; NaN where the clusters' means are all equal."""
    own, spread = (float(part[0]) for part in _total_and_spread(np.ones((1, len(z))), z, count))
    if spread <= ROUNDING * (z**2).sum():
        return np.nan, np.nan
    beyond, n_signs = 0, 0
    for signs in _signs(len(z), draws, rng):
        totals, spreads = _total_and_spread(signs, z, count)
        # |t*| >= |t| without a division, for a turned sample may have no spread.
        beyond += int((totals**2 * spread >= own**2 * spreads * (1.0 - TIE)).sum())
        n_signs += len(signs)
    p = beyond / n_signs if n_signs == 2 ** len(z) else (1 + beyond) / (1 + n_signs)
    return own / np.sqrt(spread * len(z) / (len(z) - 1)), p


def _total_and_spread(signs: Floats, z: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Give the sum of the turned SCARs and the squares of the clusters about their mean, (B,), for signs (B, G)."""
    turned = signs * z
    total = turned.sum(axis=1)
    return total, ((turned - np.outer(total / count.sum(), count)) ** 2).sum(axis=1)


def _signs(n: int, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Give sign vectors (B, n), some at a time: every one there is, or as many as are drawn."""
    if 2**n <= draws:
        yield np.where(np.arange(2**n)[:, None] >> np.arange(n) & 1, -1.0, 1.0)
        return
    step = max(1, CELLS // n)
    for first in range(0, draws, step):
        yield np.where(rng.integers(0, 2, (min(step, draws - first), n), dtype=np.int8), -1.0, 1.0)


def make(draws: int = 1999, cluster: Cluster = "overlap", seed: int = 0) -> Test:
    """Make the test with a number of draws, 99 or more, the kind of cluster, and a seed."""
    if not isinstance(draws, int) or draws < 99:
        raise InputError(f"draws of the wild_bootstrap test is {draws!r}; give a whole number, 99 or more")
    if cluster not in ("overlap", "date"):
        raise one_of("cluster of the wild_bootstrap test", cluster, ["overlap", "date"])
    if not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed of the wild_bootstrap test is {seed!r}; give a whole number, 0 or more")
    return Test(
        chunk,
        partial(finalize, draws=draws, cluster=cluster, seed=seed),
        survives="overlap" if cluster == "overlap" else "same_day",
        make=make,
        value_under=("independent", "overlap"),  # one date is one cluster, with nothing to compare it with
    )


TEST = make()
