r"""GRANK-Z: the rank of the cumulative abnormal return among the event's own estimation days, for independent events.

.. math:: U_{i0} = \frac{rank(GSAR_{i0})}{T_i + 1} - \frac12, \quad
          Z = \frac{\sum_i U_{i0}}{\sqrt{\sum_i (T_i - 1) / (12 (T_i + 1))}} \sim N(0, 1)

GSAR as in ``grank_t``: the standardised residual on the M_i valid estimation days, with its in-sample leverage, and
SCAR over its standard deviation across events on the cumulative day 0; T_i = M_i + 1. Under the null each rank is
uniform, so its variance is known: if all T_i equal T, Z is ``sqrt(12 N (T + 1) / (T - 1))`` times the mean of U. Robust
to event-induced variance. The known variance is that of *independent* events: if events share days, use ``grank_t``,
which estimates it. The standard deviation of few SCARs is not well known, which the normal distribution does not allow
for: at 5 % the test rejects 10 % with 5 events, 7 to 8 % with 8 and 6 % with 12; it has no value below 12. Kolari &
Pynnonen (2011, Journal of Empirical Finance 18:953).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.gsar import gsar
from eventstudy.core.nulls import divide, verdict
from eventstudy.core.sums import by_group
from eventstudy.types import Abnormal, Sample, Scores, State, Test, Verdict

FEWEST = 12  # events


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum the centred ranks of day 0 and their variances, with counts: leaves (G, V)."""
    days = gsar(scores, abnormal, prior["moments"])
    total = days.n_days[:, None]
    above = np.stack([days.above_day_zero(v).sum(axis=1) for v in range(days.day_zero.shape[1])], axis=1)
    u = (total - above) / (total + 1.0) - 0.5
    return {
        "u": by_group(abnormal, np.where(days.usable, u, 0.0)),
        "var": by_group(abnormal, days.usable * (total - 1.0) / (12.0 * (total + 1.0))),
        "n": by_group(abnormal, days.usable),
    }


def finalize(state: State, sample: Sample) -> Verdict:
    """Divide the sum of ranks by its standard deviation under the null."""
    return verdict(
        divide(state["u"], np.sqrt(state["var"])),
        state["n"],
        undefined=[
            (state["n"] < 2, "fewer than 2 events with standardised CARs that differ"),
            (state["n"] < FEWEST, f"fewer than {FEWEST} events: the test rejects too often; grank_t holds from 8 on"),
        ],
    )


TEST = Test(chunk, finalize, needs=("moments",), robust_to=("event_variance", "non_normality", "long_window"))
