r"""Multivariate regression: events of one date, with the whole covariance of their residuals.

.. math:: S = \frac{E'E}{T - K}, \quad t = \frac{1'g}{\sqrt{V \, 1'S1}} \sim t(T - K), \quad
          F = \frac{T - K - N + 1}{N (T - K)} \frac{g' S^{-1} g}{V} \sim F(N, T - K - N + 1)

with E the (T, N) residuals of the estimation window, g the CARs, K the estimated parameters and V the forecast factor
that the events share. It is the regression with a dummy for the event in every equation, exact under normality. The
*mean* effect is ``brown_warner`` on one date with the forecast correction; the *joint* F, in the note, asks whether
any event reacts, also where reactions cancel out, and needs fewer events than T - K. Robust to any correlation of one
day; no allowance for variance that the event brings. It needs events of one date with the same regressors and the
same valid days: an event with others is left out and counted in the note. Option: ``effect`` is "mean", or "joint" to
make F the statistic. Schipper & Thompson (1983, Journal of Accounting Research 21:184); Binder (1985, Journal of
Accounting Research 23:370).

Examples
--------
>>> import eventstudy as es
>>> es.test("mvrm", effect="joint").survives
'same_day'
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from eventstudy.core.nulls import p_t
from eventstudy.core.sums import Gathered
from eventstudy.errors import one_of
from eventstudy.types import Abnormal, Bools, Floats, Sample, Scores, State, Test, Verdict

Effect = Literal["mean", "joint"]
SINGULAR = 1e-10  # share of a residual series that is left after those before it are taken out
ROUNDING = 1e-13  # a deviation of the sum below this share of the events' summed sigma is the rounding of none
UNLIKE = 1e-9  # relative difference of forecast factors that is more than rounding


class Answer(NamedTuple):
    """One group and window; NaN, with the reason in ``note``, where there is no statistic."""

    statistic: float
    df: float
    p: float
    n: float
    note: str


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Gather residuals and CARs where each group has one date; keep nothing elsewhere."""
    block, n_est = abnormal.block, abnormal.n_est
    if block.n_clusters > block.n_groups:
        return {}
    factor = scores.var / abnormal.sigma[:, None] ** 2
    kept = {"e": abnormal.ar[:, :n_est], "ok": abnormal.ok, "car": scores.car, "factor": factor, "usable": scores.ok}
    kept |= {"dof": abnormal.dof, "group": block.group, "id": block.id}
    return {name: Gathered((values,)) for name, values in kept.items()}


def finalize(state: State, sample: Sample, effect: Effect = "mean") -> Verdict:
    """Test each group and window."""
    shape = (sample.n_groups, len(sample.spec.windows))
    count = sample.shared["moments"]["n"]
    n_dates = np.bincount(sample.cluster_group, minlength=sample.n_groups)
    rows = _rows(state)
    parts = np.empty((5, *shape), dtype=object)
    for group, v in np.ndindex(*shape):
        if count[group, v] < 1:
            answer = _nothing("no event", 0)
        elif n_dates[group] > 1:
            answer = _nothing("the events do not share one date", count[group, v])
        elif not rows:
            answer = _nothing("residuals are not kept: the events of another group do not share one date", 0)
        else:
            mine = {name: values[rows["group"] == group] for name, values in rows.items()}
            answer = _answer(mine, v, sample.spec.weights[v] > 0, effect)
        parts[:, group, v] = np.array(answer, dtype=object)
    statistic, df, p = (part.astype(np.float64) for part in parts[:3])
    return Verdict(statistic, df, p, np.rint(parts[3].astype(np.float64)).astype(np.int64), parts[4])


def _rows(state: State) -> dict[str, Floats]:
    """Give what was gathered, in the order of the events."""
    if not state:
        return {}
    order = np.argsort(state["id"].values)
    return {name: leaf.values[order] for name, leaf in state.items()}


def _answer(rows: Mapping[str, Floats], v: int, window: Bools, effect: Effect) -> Answer:
    """Test the events of one date in one window, those with the common valid days."""
    usable = rows["usable"][:, v].astype(bool)
    n_est = rows["e"].shape[1]
    ok = rows["ok"][usable][:, np.concatenate([np.ones(n_est, dtype=bool), window])]
    whole = (ok == (ok.mean(axis=0) >= 0.5)).all(axis=1)
    g, factor, dof = (part[usable][whole] for part in (rows["car"][:, v], rows["factor"][:, v], rows["dof"]))
    left_out = f"; {n} left out for other valid days" if (n := int((~whole).sum())) else ""
    if not len(g):
        return _nothing("no event has the days that most events have", 0)
    if np.ptp(factor) > UNLIKE * factor.mean() or np.ptp(dof) > 0:
        return _nothing("the regressors, or the model's weights, differ among the events", len(g))
    e = rows["e"][usable][whole]
    return (_mean if effect == "mean" else _joint)(e, g, factor.mean(), dof[0], left_out)


def _nothing(why: str, n: float) -> Answer:
    return Answer(np.nan, np.nan, np.nan, n, why)


def _mean(e: Floats, g: Floats, factor: float, dof: float, left_out: str) -> Answer:
    """Test the mean of the CARs, with the joint test in the note; ``e`` is (N, T)."""
    deviation = np.sqrt((e.sum(axis=0) ** 2).sum() / dof)
    if deviation <= ROUNDING * np.sqrt((e**2).sum(axis=1) / dof).sum():
        return _nothing("the residuals of each day cancel out", len(g))
    t = g.sum() / (np.sqrt(factor) * deviation)
    joint = _joint(e, g, factor, dof, "")
    told = f"joint {joint.note} = {joint.statistic:.2f}, p = {joint.p:.3f}"
    note = f"no joint F: {joint.note}" if np.isnan(joint.statistic) else told
    return Answer(t, dof, float(p_t(np.array(t), np.array(dof))), len(g), note + left_out)


def _joint(e: Floats, g: Floats, factor: float, dof: float, left_out: str) -> Answer:
    """Test that all CARs are zero: g' S^-1 g from the QR decomposition of the residuals, each of length one."""
    n = len(g)
    if n >= dof:
        return _nothing(f"{n} events are not fewer than T - K = {dof:.0f}", n)
    length = np.sqrt((e**2).sum(axis=1))
    triangle = np.linalg.qr((e / length[:, None]).T)[1]
    if (np.abs(np.diagonal(triangle)) <= SINGULAR).any():
        return _nothing("the residuals are linearly dependent", n)
    y = np.linalg.solve(triangle.T, g / length)
    f = (dof - n + 1) / n * float(y @ y) / factor
    return Answer(f, dof - n + 1, float(special.fdtrc(n, dof - n + 1, f)), n, f"F({n}, {dof - n + 1:.0f}){left_out}")


def make(effect: Effect = "mean") -> Test:
    """Make the test of the mean effect, or of all effects jointly."""
    if effect not in ("mean", "joint"):
        raise one_of("effect of the mvrm test", effect, ["mean", "joint"])
    return Test(
        chunk, partial(finalize, effect=effect), shares=("moments",), survives="same_day", make=make,
        value_under=("same_day",), one_design=True,  # one equation an event, all on one date
    )  # fmt: skip


TEST = make()
