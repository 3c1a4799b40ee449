r"""Ibragimov-Muller: mean standardised CARs of a few blocks of calendar time, for one long chain of windows.

.. math:: t = \frac{\sqrt q \, \bar Z}{sd_{q-1}(Z)} \sim t(q - 1), \quad
          Z_b = \frac{1}{n_b} \sum_{i \in b} SCAR_i, \quad b = 1, \dots, q

The event dates are divided in the order of the calendar into q blocks of about as many dates; the same news on several
exchanges is one date. Block means are nearly normal and nearly independent, whatever the dependence within blocks, and
their variances may differ. Where windows overlap in one long chain there are no clusters for ``clustered`` and
``wild_bootstrap``, but still blocks.

The last events of a block share days with the first ones of the next. With blocks as long as two windows the test
rejects 5.5 to 6.5 % at 5 %, more the more correlated the events of a day are; with blocks as long as ten windows, 5 to
5.5 %. Shorter blocks have no value, unless they share no day. More blocks have more power, but are shorter. Every block
has the same weight, so that the mean of block means is tested, which differs from the mean of events if blocks have
different numbers of events. Robust to event-induced variance. Ibragimov & Muller (2010, Journal of Business & Economic
Statistics 28:453).

Options: ``blocks`` q, 2 or more.

Examples
--------
>>> import eventstudy as es
>>> es.test("ibragimov_muller", blocks=4).survives
'overlap'
"""

from __future__ import annotations

from functools import partial

import numpy as np

from eventstudy.core.clustering import chains
from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import mean_and_sd, scars_by_cluster
from eventstudy.errors import InputError, shown
from eventstudy.types import Ints, Sample, State, Test, Verdict

BLOCKS = 3
APART = 2  # windows from the centre of a block to that of the next, if they share days


def finalize(state: State, sample: Sample, blocks: int = BLOCKS) -> Verdict:
    """Compare the block means of each group and window with zero."""
    zero = int(np.clip(0, *sample.spec.event))
    shape = (sample.n_groups, state["z"].shape[1])
    n, n_dates, near = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=bool)
    means = np.full((*shape, blocks), np.nan)
    for at in np.ndindex(*shape):
        group, v = at
        clusters = np.flatnonzero((sample.cluster_group == group) & (state["n"][:, v] > 0))
        date = chains(sample, clusters, (zero, zero))
        n[at], n_dates[at] = state["n"][clusters, v].sum(), date.max(initial=-1) + 1
        if n_dates[at] < blocks:
            continue
        block = date * blocks // int(n_dates[at])
        means[at] = np.bincount(block, state["z"][clusters, v]) / np.bincount(block, state["n"][clusters, v])
        near[at] = _are_near(sample, clusters, block, v)
    mean, sd = mean_and_sd(np.full(shape, float(blocks)), means.sum(axis=-1), (means**2).sum(axis=-1))
    undefined = [
        (n < 1, "no event"),
        (n_dates < blocks, f"fewer than {blocks} dates: each block needs one"),
        (near, f"blocks shorter than {APART} windows: they share too many days"),
        (np.isnan(sd), "the block means are all equal"),
    ]
    result = verdict(divide(mean * np.sqrt(blocks), sd), n, df=np.full(shape, blocks - 1.0), undefined=undefined)
    known = np.isfinite(result.statistic)
    result.note[known] = [f"{blocks} blocks of {dates:.0f} dates" for dates in n_dates[known]]
    return result


def _are_near(sample: Sample, clusters: Ints, block: Ints, window: int) -> bool:
    """Say whether two successive blocks share days and lie less than two windows apart, from centre to centre."""
    start, end = sample.spec.windows[window]
    first, last = (
        sample.cluster_dates[clusters, sample.spec.n_est + day - sample.spec.event[0]] for day in (start, end)
    )
    n_blocks = int(block.max()) + 1
    begins, ends = np.full(n_blocks, np.iinfo(np.int64).max), np.full(n_blocks, -1)
    np.minimum.at(begins, block, first)
    np.maximum.at(ends, block, last)
    centre = np.bincount(block, first) / np.bincount(block)
    share_days = begins[1:] <= ends[:-1]
    return bool((share_days & (np.diff(centre) < APART * (end - start + 1))).any())


def make(blocks: int = BLOCKS) -> Test:
    """Return the test with a number of blocks, 2 or more."""
    if isinstance(blocks, bool) or not isinstance(blocks, int) or blocks < 2:
        raise InputError(f"blocks of the ibragimov_muller test is {shown(blocks)}; give a whole number, 2 or more")
    return Test(
        scars_by_cluster,
        partial(finalize, blocks=blocks),
        survives="overlap",
        robust_to=("event_variance", "common_variance", "autocorrelation", "long_window"),
        make=make,
        value_under=("independent", "overlap"),  # one date is one block
    )


TEST = make()
