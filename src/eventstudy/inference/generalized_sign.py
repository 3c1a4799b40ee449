r"""Generalised sign: the share of positive CARs against the share of positive sums of residuals before the event.

.. math:: z = \frac{w - N \hat p}{\sqrt{N \hat p (1 - \hat p)}} \sim N(0, 1), \quad
          \hat p = \frac{1}{N} \sum_i \frac{1}{n_i} \#\{t : \sum_{s=t}^{t+L_i-1} e_{is} > 0\}

w is the number of positive CARs, L_i the valid days of an event in the window, and n_i the number of runs of L_i
consecutive valid days in its estimation window. For one day it is the share of positive residuals. A sum of less than
1e-9 of sigma, such as rounding leaves of returns that add up to zero, is not positive. A sum of several
skewed returns is less skewed than each of them: with the share of single days, the test rejects 17 % of samples of 20
events over eleven days of exponential returns, 28 % of 50 and 51 % of 100. Windows longer than a quarter of the
estimation window have no value, because its few sums overlap too much: over half of it, the test rejects 7 to 10 %.
Allows for skewed returns; needs events that do not share days. Cowan (1992, Review of Quantitative Finance and
Accounting 2:343).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.runs import TIE, RunSums, count
from eventstudy.core.sums import by_group, valid_days
from eventstudy.core.windows import strips
from eventstudy.types import Abnormal, Floats, Ints, Sample, Scores, State, Test, Verdict

LONGEST = 0.25  # share of the estimation window


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Count positive CARs, and sum each event's share of positive runs, with the number of shares."""
    share = np.full(scores.car.shape, np.nan)
    short = scores.ok & (scores.n_days <= LONGEST * valid_days(abnormal)[:, None])
    days = np.where(short, scores.n_days, 0)
    for rows in strips(len(share)):
        share[rows] = _shares(abnormal, rows, days[rows])
    known = np.isfinite(share)
    return {
        "up": by_group(abnormal, scores.ok & (scores.car > TIE * abnormal.sigma[:, None])),
        "share": by_group(abnormal, np.where(known, share, 0.0)),
        "n_shares": by_group(abnormal, known),
        "n": by_group(abnormal, scores.ok),
    }


def _shares(abnormal: Abnormal, rows: slice, days: Ints) -> Floats:
    """Return the share of positive sums among the runs of ``days`` (n, V) residuals, NaN where there is no run."""
    e, ok = np.asfortranarray(abnormal.ar[rows, : abnormal.n_est]), abnormal.ok[rows, : abnormal.n_est]
    sums, n_valid = RunSums(e), None if ok.all() else RunSums(np.asfortranarray(ok, dtype=np.float32))
    share, tie = np.full(days.shape, np.nan), TIE * abnormal.sigma[rows, None]
    for length in np.unique(days[days > 0]):
        up = sums.of(length) > tie
        n_runs = np.full(len(e), up.shape[1])
        if n_valid is not None:
            whole = n_valid.of(length) == length
            up, n_runs = up & whole, count(whole)
        of_length = divide(count(up).astype(np.float64), n_runs.astype(np.float64))
        share = np.where(days == length, of_length[:, None], share)
    return share


def finalize(state: State, sample: Sample) -> Verdict:
    """Compare the count of positive CARs with its expectation from the estimation windows."""
    n = state["n"]
    share = np.nan_to_num(divide(state["share"], state["n_shares"]))
    variance = n * share * (1.0 - share)
    long = "the window is longer than a quarter of the estimation window: too few sums of its days"
    return verdict(
        divide(state["up"] - n * share, np.sqrt(variance)),
        n,
        undefined=[
            (n < 1, "no event"),
            (state["n_shares"] < 1, long),
            (variance <= 0, "no sum of residuals, or every one, is positive"),
        ],
    )


TEST = Test(chunk, finalize, robust_to=("event_variance", "non_normality", "thin_trading"))
