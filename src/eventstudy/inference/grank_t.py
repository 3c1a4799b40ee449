r"""GRANK-T: the rank of the cumulative abnormal return among the event's own estimation days.

.. math:: SCAR^*_i = SCAR_i / sd_{N-1}(SCAR), \quad
          U_{it} = \frac{rank(GSAR_{it})}{T + 1} - \frac12, \quad T = M + 1

          S^2 = \frac1T \sum_{t} \frac{n_t}{n} \bar U_t^2, \quad Z = \bar U_0 / S, \quad
          t = Z \sqrt{\frac{T - 2}{T - 1 - Z^2}} \sim t(\min(N - 1, T - 2))

GSAR is the standardised residual on estimation days, with its in-sample leverage, and SCAR* on the cumulative day 0.
SCAR* divides by the standard *deviation* across events: with the standard error the test would reject 22 %. That of few
events has N - 1 degrees of freedom, which bound those of t: with T - 2, as published, the test rejects 16 % with 3
events, 10 % with 5 and 8 % with 8; with N - 1 it rejects 3 % with 5, 4 % with 8 and 12 and 4.5 % with 20. It has no
value below 8 events. Robust to event-induced variance and to events on one date; dates that overlap in part are not
allowed for. Kolari & Pynnonen (2011, Journal of Empirical Finance 18:953).
"""

from __future__ import annotations

from collections.abc import Mapping

from eventstudy.core.gsar import finalize, gsar, sum_scores
from eventstudy.core.ranks import ranks
from eventstudy.types import Abnormal, Floats, Scores, State, Test


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum centred ranks by column and window, with counts: (G, V, M + 1), day 0 last.

    The rank of an estimation day is its rank among the estimation days, plus one if day 0 is below it.
    """
    days = gsar(scores, abnormal, prior["moments"])
    share = 1.0 / (days.n_days + 1.0)
    middle = 0.5 * (days.n_days + 1.0)  # a centred rank is (rank - middle) * share
    centred = ranks(days.estimation, days.ok)
    centred -= middle[:, None] if days.complete else middle[:, None] * days.ok

    def score(window: int) -> tuple[Floats, Floats, Floats]:
        place = days.above_day_zero(window)
        zero = days.n_days - middle - place.sum(axis=1)
        place += centred
        return share, place, zero

    return sum_scores(abnormal, days, score)


TEST = Test(
    chunk,
    finalize,
    needs=("moments",),
    survives="same_day",
    robust_to=("event_variance", "non_normality", "long_window"),
    fails_under=("common_variance",),
)
