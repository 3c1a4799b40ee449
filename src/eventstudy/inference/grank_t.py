r"""GRANK-T: the rank of the cumulative abnormal return among the event's own estimation days.

.. math:: SCAR^*_i = SCAR_i / sd_{N-1}(SCAR), \quad
          U_{it} = \frac{rank(GSAR_{it})}{T + 1} - \frac12, \quad T = M + 1

          S^2 = \frac1T \sum_{t} \frac{n_t}{n} \bar U_t^2, \quad Z = \bar U_0 / S, \quad
          t = Z \sqrt{\frac{T - 2}{T - 1 - Z^2}} \sim t(T - 2)

GSAR is the standardised residual on estimation days, with its in-sample leverage, and SCAR* on one cumulative day 0.
SCAR* divides by the standard *deviation* across events: the standard error in its place rejects 22 %. Robust to
variance that the event brings and to events on one date; dates that overlap in part are not allowed for. Kolari &
Pynnonen (2011, Journal of Empirical Finance 18:953).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from eventstudy.core.nulls import divide, verdict
from eventstudy.core.ranks import ROUNDING, ranks
from eventstudy.core.scores import standardised
from eventstudy.core.sums import by_group, mean_and_sd
from eventstudy.types import Abnormal, Bools, Floats, Sample, Scores, State, Test, Verdict


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Sum centred ranks by column and window, with their counts: (G, V, M + 1), day 0 last."""
    moments = prior["moments"]
    _, sd = mean_and_sd(moments["n"], moments["z"], moments["z2"])
    spread = sd[abnormal.block.group]
    usable = scores.ok & np.isfinite(spread)
    cumulative = np.divide(scores.z, spread, out=np.zeros_like(scores.z), where=usable)
    prefix, _ = standardised(abnormal)
    ok = abnormal.ok[:, : abnormal.n_est]
    below = ranks(prefix, ok)
    total = 1.0 + ok.sum(axis=1)
    centred = np.zeros((*cumulative.shape, abnormal.n_est + 1))
    for v in range(cumulative.shape[1]):
        centred[:, v] = _centred(prefix, ok, below, total, cumulative[:, v], usable[:, v])
    counts = np.concatenate([usable[:, :, None] & ok[:, None, :], usable[:, :, None]], axis=2)
    return {"u": by_group(abnormal, centred), "n": by_group(abnormal, counts)}


def _centred(prefix: Floats, ok: Bools, below: Floats, total: Floats, day: Floats, usable: Bools) -> Floats:
    """Insert the cumulative day into the ranks of the estimation days, and centre all of them."""
    above = (prefix > day[:, None]) + 0.5 * (prefix == day[:, None])
    place = np.where(ok, below + above, 0.0)
    own = total - np.where(ok, above, 0.0).sum(axis=1)
    u = np.column_stack([place, own]) / (total + 1.0)[:, None] - 0.5
    return np.where(np.column_stack([ok, np.ones(len(ok), dtype=bool)]) & usable[:, None], u, 0.0)


def finalize(state: State, sample: Sample) -> Verdict:
    """Compare the mean rank of day 0 with the deviation of all columns."""
    count = state["n"]
    n = count[..., -1]
    mean = np.nan_to_num(divide(state["u"], count))
    n_columns = count.shape[-1]
    share = np.nan_to_num(divide(count, n[..., None]))
    deviation = np.sqrt((share * mean**2).sum(axis=-1) / n_columns)
    z = np.nan_to_num(divide(mean[..., -1], deviation))
    room = n_columns - 1 - z**2
    return verdict(
        z * np.sqrt(divide(np.full(n.shape, n_columns - 2.0), np.maximum(room, 0.0))),
        n,
        df=np.full(n.shape, n_columns - 2.0),
        undefined=[
            (n < 2, "fewer than 2 events with standardised CARs that differ"),
            (deviation <= ROUNDING, "the ranks do not vary"),
            (room <= 0, "day 0 alone makes up the whole variance of the ranks"),
        ],
    )


TEST = Test(chunk, finalize, needs=("moments",), survives="same_day")
