r"""Wild cluster bootstrap: the mean standardised CAR against its values with random signs of clusters of events.

.. math:: t = \frac{\sum_g S_g / N}{\sqrt{\frac{G}{G - 1} \sum_g (S_g - n_g \bar z)^2 / N^2}}, \quad
          p = \frac{1 + \#\{b : |t^*_b| \ge |t|\}}{1 + B}

with S_g the sum of the n_g SCARs of cluster g, and t* computed from v_g S_g, where v_g is +1 or -1: under the null the
sum of a cluster, with all of its internal dependence, is as likely to have the opposite sign. A cluster is a set of
events whose windows are linked by common calendar days in a chain, or by the same news on several exchanges. If the 2^G
possible sign vectors are no more than the draws, each is used once, and p is exact: the share of vectors whose
statistic is at least as large in absolute value. Robust to any dependence within a cluster and to event-induced
variance; needs SCARs that are symmetric under the null, and at least 6 clusters, because with fewer no p is below 5 %.
One sign for each *event* would destroy the correlation to be allowed for: with 100 events on 20 dates and a correlation
of 0.1 it rejects 10 %.

Options: ``draws`` B; ``cluster`` ("overlap", or "date": the events of one calendar date); ``seed`` (None: the study's).
Cameron, Gelbach & Miller (2008, Review of Economics and Statistics 90:414).

Examples
--------
>>> import eventstudy as es
>>> es.test("wild_bootstrap", draws=9999, cluster="date").survives
'same_day'
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal

import numpy as np

from eventstudy.core.clustering import sums_by_chain
from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import scars_by_cluster
from eventstudy.errors import InputError, one_of, shown
from eventstudy.types import Floats, Sample, State, Test, Verdict

Cluster = Literal["overlap", "date"]
FEWEST = 6  # clusters: of 2^5 sign vectors, all +1 and all -1 make up 6.25 %
TIE = 1e-12  # relative difference below which two statistics count as equal: their sums may differ in order
NEAR = 1e-10  # relative difference, well above rounding, below which two statistics are computed without a shortcut
ROUNDING = 1e-13  # a sum of squared deviations below this share of the sum of squares is rounding error
CELLS = 1_000_000  # largest number of signs in memory at once


def finalize(
    state: State, sample: Sample, draws: int = 1999, cluster: Cluster = "overlap", seed: int | None = None
) -> Verdict:
    """Run the bootstrap for each group and window."""
    seed = sample.seed if seed is None else seed
    zero = int(np.clip(0, *sample.spec.event))
    shape = (sample.n_groups, state["z"].shape[1])
    n, n_clusters, p, t = np.zeros(shape), np.zeros(shape), np.full(shape, np.nan), np.full(shape, np.nan)
    for v in range(shape[1]):
        start, end = (zero, zero) if cluster == "date" else sample.spec.windows[v].tolist()
        by_size: dict[int, list[tuple[int, Floats, Floats]]] = {}
        by_group = sums_by_chain(sample, (start, end), state["z"][:, v], state["n"][:, v])
        for group, (z, count) in enumerate(by_group):
            n[group, v], n_clusters[group, v] = count.sum(), len(count)
            by_size.setdefault(len(count), []).append((group, z, count))
        for size, groups in by_size.items():
            if size >= FEWEST:
                rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, v])))
                at = [group for group, _, _ in groups]
                z, count = (np.array(leaf) for leaf in list(zip(*groups, strict=True))[1:])
                t[at, v], p[at, v] = _bootstrap(z, count, draws, rng)
    few = f"fewer than {FEWEST} clusters of events: too few sign patterns to reject at 5 %"
    undefined = [(n < 1, "no event"), (n_clusters < FEWEST, few), (np.isnan(t), "the standardised CARs are all equal")]
    result = verdict(t, n, p=p, undefined=undefined)
    for group, v in zip(*np.nonzero(np.isfinite(t)), strict=True):
        vectors = 2 ** int(n_clusters[group, v])
        signs = f"all {vectors} sign vectors" if vectors <= draws else f"{draws} draws"
        result.note[group, v] = f"{n_clusters[group, v]:.0f} clusters of events, {signs}"
    return result


def _bootstrap(z: Floats, count: Floats, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return t and p (K,) of groups with equally many clusters, from their z and counts (K, G), by the same signs.

    NaN if the means of the clusters of a group are all equal.
    """
    n_groups, size = z.shape
    ones = np.ones((1, size))
    observed, spread = np.array([_total_and_spread(ones, *group) for group in zip(z, count, strict=True)])[..., 0].T
    varies = spread > ROUNDING * (z**2).sum(axis=1)
    n_as_large, n_signs = np.zeros(n_groups), 0
    for signs in _signs(size, draws, rng):
        n_signs += len(signs)
        step = max(1, CELLS // len(signs))
        for start in range(0, n_groups, step):
            k = start + np.flatnonzero(varies[start : start + step])
            n_as_large[k] += _count_as_large(signs, z[k], count[k], observed[k], spread[k])
    drawn = float(n_signs < 2**size)  # the observed sample is one more
    p = np.where(varies, (n_as_large + drawn) / (n_signs + drawn), np.nan)
    return divide(observed, np.sqrt(np.where(varies, spread, np.nan) * size / (size - 1))), p


def _count_as_large(signs: Floats, z: Floats, count: Floats, observed: Floats, spread: Floats) -> Floats:
    """Count the sign vectors (B, G) for which |t| is not below that observed, for each of K groups, (K,).

    Sums of squares expanded to products of matrices decide all but those so near that rounding could.
    """
    squares, weight = (z**2).sum(axis=1), count / count.sum(axis=1, keepdims=True)
    total = signs @ z.T
    spreads = squares + total * (total * (weight**2).sum(axis=1) - 2.0 * (signs @ (z * weight).T))
    left, right = total**2 * spread, observed**2 * spreads
    rounding = NEAR * (observed**2 * squares + np.abs(total) * np.abs(z).sum(axis=1) * spread)
    n: Floats = (left >= right).sum(axis=0).astype(np.float64)
    near = np.abs(left - right) <= rounding
    for k in np.flatnonzero(near.any(axis=0)):
        rows = near[:, k]
        total_k, spreads_k = _total_and_spread(signs[rows], z[k], count[k])
        # |t*| >= |t| without a division, because the spread may be zero for some signs.
        as_large = total_k**2 * spread[k] >= observed[k] ** 2 * spreads_k * (1.0 - TIE)
        n[k] += as_large.sum() - (left >= right)[rows, k].sum()
    return n


def _total_and_spread(signs: Floats, z: Floats, count: Floats) -> tuple[Floats, Floats]:
    """Return the sum of the SCARs, and the sum of squares of clusters about their mean, (B,), for signs (B, G)."""
    signed = signs * z
    total = signed.sum(axis=1)
    return total, ((signed - np.outer(total / count.sum(), count)) ** 2).sum(axis=1)


def _signs(n: int, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield batches of sign vectors (B, n): all 2^n of them, or ``draws`` random ones."""
    if 2**n <= draws:
        yield np.where(np.arange(2**n)[:, None] >> np.arange(n) & 1, -1.0, 1.0)
        return
    step = max(1, CELLS // n)
    for first in range(0, draws, step):
        yield np.where(rng.integers(0, 2, (min(step, draws - first), n), dtype=np.int8), -1.0, 1.0)


def make(draws: int = 1999, cluster: Cluster = "overlap", seed: int | None = None) -> Test:
    """Return the test with a number of draws, 99 or more, a kind of cluster, and a seed."""
    if not isinstance(draws, int) or draws < 99:
        raise InputError(f"draws of the wild_bootstrap test is {shown(draws)}; give a whole number, 99 or more")
    if cluster not in ("overlap", "date"):
        raise one_of("cluster of the wild_bootstrap test", cluster, ["overlap", "date"])
    if seed is not None and (not isinstance(seed, int) or seed < 0):
        raise InputError(f"seed of the wild_bootstrap test is {shown(seed)}; give a whole number, 0 or more, or None")
    return Test(
        scars_by_cluster,
        partial(finalize, draws=draws, cluster=cluster, seed=seed),
        survives="overlap" if cluster == "overlap" else "same_day",
        robust_to=("event_variance", "common_variance", "autocorrelation"),
        make=make,
        value_under=("independent", "overlap"),  # one date is one cluster, with nothing to compare it with
    )


TEST = make()
