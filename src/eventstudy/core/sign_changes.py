r"""The joint null distribution of several means of the same events, by random signs of blocks of events.

Means of one sample under several models, windows or parts of the sample are dependent. Let X_gs be the sum of the
effects of the n_gs events of cluster g in specification s, which has N_s events, and t_s its mean over the CR2 standard
error of :mod:`eventstudy.core.cr2`. Clusters may differ by specification; blocks b are sets of events that no cluster
of any specification crosses. If no specification has an effect, and the sums of a block in all specifications together
are as likely to have the opposite sign, the same statistics of :math:`v_{b(g)} X_{gs}` with v_b = +1 or -1 have the
same joint distribution,

.. math:: \hat\theta^*_s = \frac{1}{N_s} \sum_g v_{b(g)} X_{gs}, \quad
          t^*_s = \hat\theta^*_s \Big/ \sqrt{\frac{1}{N_s^2}
          \sum_g \frac{(v_{b(g)} X_{gs} - n_{gs} \hat\theta^*_s)^2}{1 - n_{gs} / N_s}}

One sign for a block in all specifications keeps their dependence and that of the events in it, and nothing is estimated
again. It is the wild cluster bootstrap with the null imposed (Cameron, Gelbach & Miller 2008, Review of Economics and
Statistics 90:414), of many statistics at once. Specifications have different numbers of clusters: every statistic is
converted to the normal quantile of its p from t(nu_s), so that none has heavier tails than the others, and the largest
of them is not always that with the fewest clusters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from eventstudy.core.cr2 import clustered_mean
from eventstudy.core.nulls import divide
from eventstudy.types import Bools, Floats, Ints

FEWEST = 6  # blocks: of 2^5 sign vectors, all +1 and all -1 make up 6.25 %
ROUNDING = 1e-13  # a sum of squared deviations below this share of the sum of squares is rounding error
SMALLEST = 1e-300  # p, of which the normal quantile is taken
CELLS = 4_000_000  # signs in memory at once at most


class Clusters(NamedTuple):
    """One specification: sums of effects and numbers of events by cluster (C,), and the block of each cluster."""

    total: Floats
    n: Floats
    block: Ints


class JointNull(NamedTuple):
    """Means and statistics of S specifications (S,), and the same under random signs (B, S).

    ``enough`` (S,) is False with fewer than 6 blocks, or where the mean has no CR2 standard error or its t does not
    hold; ``z`` is NaN there.
    """

    mean: Floats
    z: Floats
    drawn_mean: Floats
    drawn_z: Floats
    enough: Bools


def joint_null(specifications: Sequence[Clusters], n_blocks: int, draws: int, seed: int) -> JointNull:
    """Compute means and statistics of several specifications, and their joint distribution if none has an effect.

    Parameters
    ----------
    specifications : sequence of Clusters
    n_blocks : int
    draws : int
        Random sign vectors. If all vectors but the observed one, 2^n_blocks - 1, are no more than these, each is used
        once, and p-values that count the observed one too are exact.
    seed : int

    Examples
    --------
    >>> one = Clusters(np.array([3.0, 1.0, 2.0, 2.0, 4.0, 0.0]), np.ones(6), np.arange(6))
    >>> found = joint_null([one], 6, 99, 0)
    >>> found.mean.tolist(), found.z.round(4).tolist(), found.drawn_z.shape  # p of t = 3.4641 from t(5) is 0.018
    ([2.0], [2.3664], (63, 1))
    """
    total, cross = np.zeros((n_blocks, len(specifications))), np.zeros((n_blocks, len(specifications)))
    squares, counts, n, df = (np.full(len(specifications), np.nan) for _ in range(4))
    enough = np.zeros(len(specifications), dtype=bool)
    for s, part in enumerate(specifications):
        found = clustered_mean(part.total, part.n, np.zeros(len(part.total), dtype=np.int64), 1)
        n[s], df[s] = found.n[0], found.df[0]
        weight = divide(found.n, found.n - part.n)
        total[:, s] = np.bincount(part.block, part.total, n_blocks)
        cross[:, s] = np.bincount(part.block, weight * part.total * part.n, n_blocks)
        squares[s], counts[s] = weight @ part.total**2, weight @ part.n**2
        enough[s] = found.holds[0] and np.isfinite(found.se[0]) and len(np.unique(part.block)) >= FEWEST

    def statistics(signs: Floats) -> tuple[Floats, Floats]:
        mean = signs @ total / n
        deviations = squares - 2.0 * mean * (signs @ cross) + mean**2 * counts
        # The means of all clusters are equal under some signs: t is then as large as rounding lets it be.
        t = mean * n / np.sqrt(np.maximum(deviations, ROUNDING * squares))
        p = np.maximum(2.0 * special.stdtr(df, -np.abs(t)), SMALLEST)
        return mean, np.where(enough, -special.ndtri(p / 2.0) * np.sign(mean), np.nan)

    mean, z = (values[0] for values in statistics(np.ones((1, n_blocks))))
    drawn = [statistics(signs) for signs in _sign_vectors(n_blocks, draws, seed)]
    drawn_mean, drawn_z = (np.concatenate(values) for values in zip(*drawn, strict=True))
    return JointNull(mean, z, drawn_mean, drawn_z, enough)


def _sign_vectors(n: int, draws: int, seed: int) -> Iterator[Floats]:
    """Yield sign vectors (B, n) in batches: all but that of ones, or random ones."""
    if 2**n - 1 <= draws:
        yield np.where(np.arange(1, 2**n)[:, None] >> np.arange(n) & 1, -1.0, 1.0)
        return
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, n])))
    step = max(1, CELLS // n)
    for first in range(0, draws, step):
        yield np.where(rng.integers(0, 2, (min(step, draws - first), n), dtype=np.int8), -1.0, 1.0)
