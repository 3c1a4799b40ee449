r"""Placebo dates: the mean standardised CAR ranked among those of the same securities on random dates.

.. math:: p = \frac{1 + \#\{b : |\overline{SCAR}^*_b| \ge |\overline{SCAR}|\}}{1 + B}

Each of the B samples contains the securities of the study on dates drawn from their own histories. Events whose windows
share days are moved together, which preserves the dependence of the real sample (:mod:`eventstudy.core.draws`); the
real events are avoided if the histories are long enough. The test assumes no distribution, and works for a single
event. An increase in variance due to the event counts as a reaction. The statistic is the mean SCAR minus the mean over
the draws, divided by the standard deviation of the draws. Option: ``draws``, the number B. Brown & Warner (1980,
Journal of Financial Economics 8:205; 1985, 14:3).

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
from eventstudy.errors import InputError, shown
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Return no state: moments and draws are shared."""
    return {}


def finalize(state: State, sample: Sample) -> Verdict:
    """Rank the study among the drawn samples; a draw without a value in a window is not counted there."""
    moments = sample.shared["moments"]
    n = moments["n"]
    mean = divide(moments["z"], n)
    drawn = sample.shared.get("draws", {}).get("z", np.full((1, *n.shape), np.nan))
    known = np.isfinite(drawn)
    count = known.sum(axis=0)
    values = np.where(known, drawn, 0.0)
    centre = divide(values.sum(axis=0), count)
    spread = np.sqrt(divide((np.where(known, drawn - centre, 0.0) ** 2).sum(axis=0), count - 1.0))
    n_as_large = (known & (np.abs(values) >= np.abs(mean) * (1 - 1e-12))).sum(axis=0)
    result = verdict(
        divide(mean - centre, spread),
        n,
        p=(1.0 + n_as_large) / (1.0 + count),
        undefined=[
            (n < 1, "no event"),
            (count < 20, "fewer than 20 drawn samples: the histories have too few other dates"),
            (~(spread > 1e-12), "the drawn samples do not differ"),
        ],
    )
    for at in np.argwhere(np.isfinite(result.statistic)):
        result.note[tuple(at)] = f"{count[tuple(at)]} samples on drawn dates"
    return result


def make(draws: int = 999) -> Test:
    """Return the test with a number of draws, 99 or more."""
    if not isinstance(draws, int) or draws < 99:
        raise InputError(f"draws of the placebo test is {shown(draws)}; give a whole number, 99 or more")
    return Test(
        chunk,
        finalize,
        shares=("moments",),
        survives="overlap",
        draws=draws,
        robust_to=("non_normality", "autocorrelation", "thin_trading", "few_dates"),
        fails_under=("event_variance", "common_variance"),
        make=make,
        one_event=True,
    )


TEST = make()
