r"""Placebo dates: the mean standardised CAR among those of the same securities on dates drawn at random.

.. math:: p = \frac{1 + \#\{b : |\overline{SCAR}^*_b| \ge |\overline{SCAR}|\}}{1 + B}

Each of the B samples has the study's own securities on dates drawn from their own histories; events whose windows
share days are moved together, so that the dependence of the real sample is kept (:mod:`eventstudy.core.draws`); the
events of the study are avoided where the histories are long enough. No distribution is assumed, and it serves a single
event. What the event brings in variance counts as a reaction. The statistic is the mean SCAR less that of the draws, in
their standard deviations. Option: ``draws``. Brown & Warner (1980, Journal of Financial Economics 8:205; 1985, 14:3).

Examples
--------
>>> import eventstudy as es
>>> es.test("placebo", draws=199).draws
199
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.errors import InputError
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Keep nothing: moments and draws are shared."""
    return {}


def finalize(state: State, sample: Sample) -> Verdict:
    """Rank the study among the drawn ones; a draw without a value in a window does not count there."""
    moments = sample.shared["moments"]
    n = moments["n"]
    mean = divide(moments["z"], n)
    drawn = sample.shared.get("draws", {}).get("z", np.full((1, *n.shape), np.nan))
    known = np.isfinite(drawn)
    count = known.sum(axis=0)
    values = np.where(known, drawn, 0.0)
    centre = divide(values.sum(axis=0), count)
    spread = np.sqrt(divide((np.where(known, drawn - centre, 0.0) ** 2).sum(axis=0), count - 1.0))
    beyond = (known & (np.abs(values) >= np.abs(mean) * (1 - 1e-12))).sum(axis=0)
    result = verdict(
        divide(mean - centre, spread),
        n,
        p=(1.0 + beyond) / (1.0 + count),
        undefined=[
            (n < 1, "no event"),
            (count < 20, "fewer than 20 drawn samples: the histories hold no other places"),
            (~(spread > 1e-12), "the drawn samples do not differ"),
        ],
    )
    for at in np.argwhere(np.isfinite(result.statistic)):
        result.note[tuple(at)] = f"{count[tuple(at)]} samples on drawn dates"
    return result


def make(draws: int = 999) -> Test:
    """Make the test with a number of draws, 99 or more."""
    if not isinstance(draws, int) or draws < 99:
        raise InputError(f"draws of the placebo test is {draws!r}; give a whole number, 99 or more")
    return Test(
        chunk,
        finalize,
        shares=("moments",),
        survives="overlap",
        draws=draws,
        robust_to=("non_normality", "autocorrelation", "thin_trading", "few_dates"),
        fails_under=("event_variance",),
        make=make,
    )


TEST = make()
