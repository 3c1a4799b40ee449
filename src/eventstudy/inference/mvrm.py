r"""Multivariate regression: events of one date, with the full covariance matrix of their residuals.

.. math:: S = \frac{E'E}{T - K}, \quad t = \frac{1'g}{\sqrt{V \, 1'S1}} \sim t(T - K), \quad
          F = \frac{T - K - N + 1}{N (T - K)} \frac{g' S^{-1} g}{V} \sim F(N, T - K - N + 1)

with E the (T, N) residuals of the estimation window, g the CARs, K the number of estimated parameters and V the
forecast factor that the events share. This is the regression with an event dummy in every equation, and is exact under
normality. The test of the *mean* effect equals ``brown_warner`` on one date with the forecast correction. The *joint*
F, reported in the note, tests whether any event has an effect, even if effects cancel out, and needs fewer events than
T - K. Robust to any correlation within the day; no allowance for event-induced variance. It needs events of one date
with the same regressors and the same valid days: an event with other valid days is excluded and counted in the note.
Option: ``effect`` is "mean", or "joint" to make F the statistic. Schipper & Thompson (1983, Journal of Accounting
Research 21:184); Binder (1985, Journal of Accounting Research 23:370).

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
SINGULAR = 1e-10  # share of a residual series that is left after projecting out the series before it
ROUNDING = 1e-13  # a standard deviation of the sum below this share of the sum of sigmas is rounding error
UNEQUAL = 1e-9  # relative difference of forecast factors above which it is not rounding error


class WindowResult(NamedTuple):
    """The result for a group and window; without a statistic the numbers are NaN and ``note`` has the reason."""

    statistic: float
    df: float
    p: float
    n: float
    note: str


def chunk(scores: Scores, abnormal: Abnormal, prior: Mapping[str, State]) -> State:
    """Gather residuals and CARs if every group has one date; return no state otherwise."""
    block, n_est = abnormal.block, abnormal.n_est
    if block.n_clusters > block.n_groups:
        return {}
    factor = scores.var / abnormal.sigma[:, None] ** 2
    leaves = {"e": abnormal.ar[:, :n_est], "ok": abnormal.ok, "car": scores.car, "factor": factor, "usable": scores.ok}
    numbers = {"group": Gathered((block.group,), "group"), "id": Gathered((block.id,), "event")}
    leaves["dof"] = abnormal.dof
    return {name: Gathered((values,), "nothing") for name, values in leaves.items()} | numbers


def finalize(state: State, sample: Sample, effect: Effect = "mean") -> Verdict:
    """Test each group and window."""
    shape = (sample.n_groups, len(sample.spec.windows))
    count = sample.shared["moments"]["n"]
    n_dates = np.bincount(sample.cluster_group, minlength=sample.n_groups)
    rows = _sorted_rows(state)
    results = np.empty((5, *shape), dtype=object)
    for group, v in np.ndindex(*shape):
        if count[group, v] < 1:
            result = _undefined("no event", 0)
        elif n_dates[group] > 1:
            result = _undefined("the events do not share one date", float(count[group, v]))
        elif not rows:
            result = _undefined("residuals are not stored: the events of another group do not share one date", 0)
        else:
            events = {name: values[rows["group"] == group] for name, values in rows.items()}
            result = _test_window(events, v, sample.spec.weights[v] > 0, effect)
        results[:, group, v] = np.array(result, dtype=object)
    statistic, df, p = (values.astype(np.float64) for values in results[:3])
    return Verdict(statistic, df, p, np.rint(results[3].astype(np.float64)).astype(np.int64), results[4])


def _sorted_rows(state: State) -> dict[str, Floats]:
    """Return the gathered rows in the order of the events."""
    if not state:
        return {}
    order = np.argsort(state["id"].values)
    return {name: leaf.values[order] for name, leaf in state.items()}


def _test_window(rows: Mapping[str, Floats], v: int, window: Bools, effect: Effect) -> WindowResult:
    """Test the events of one date in one window, excluding those with other valid days than most events."""
    usable = rows["usable"][:, v].astype(bool)
    n_est = rows["e"].shape[1]
    ok = rows["ok"][usable][:, np.concatenate([np.ones(n_est, dtype=bool), window])]
    common = (ok == (ok.mean(axis=0) >= 0.5)).all(axis=1)
    g, factor, dof = (values[usable][common] for values in (rows["car"][:, v], rows["factor"][:, v], rows["dof"]))
    exclusions = f"; {n} left out for other valid days" if (n := int((~common).sum())) else ""
    if not len(g):
        return _undefined("no event has the days that most events have", 0)
    if np.ptp(factor) > UNEQUAL * factor.mean() or np.ptp(dof) > 0:
        return _undefined("the regressors, or the model's weights, differ among the events", len(g))
    e = rows["e"][usable][common]
    return (_mean if effect == "mean" else _joint)(e, g, factor.mean(), dof[0], exclusions)


def _undefined(reason: str, n: float) -> WindowResult:
    return WindowResult(np.nan, np.nan, np.nan, n, reason)


def _mean(e: Floats, g: Floats, factor: float, dof: float, exclusions: str) -> WindowResult:
    """Test the mean of the CARs, with the joint test in the note; ``e`` is (N, T)."""
    deviation = np.sqrt((e.sum(axis=0) ** 2).sum() / dof)
    if deviation <= ROUNDING * np.sqrt((e**2).sum(axis=1) / dof).sum():
        return _undefined("the residuals of each day cancel out", len(g))
    t = g.sum() / (np.sqrt(factor) * deviation)
    joint = _joint(e, g, factor, dof, "")
    joint_note = f"joint {joint.note} = {joint.statistic:.2f}, p = {joint.p:.3f}"
    note = f"no joint F: {joint.note}" if np.isnan(joint.statistic) else joint_note
    return WindowResult(t, dof, float(p_t(np.array(t), np.array(dof))), len(g), note + exclusions)


def _joint(e: Floats, g: Floats, factor: float, dof: float, exclusions: str) -> WindowResult:
    """Test that all CARs are zero, with g' S^-1 g from the QR decomposition of residuals of unit length."""
    n = len(g)
    if n >= dof:
        return _undefined(f"{n} events are not fewer than T - K = {dof:.0f}", n)
    length = np.sqrt((e**2).sum(axis=1))
    upper = np.linalg.qr((e / length[:, None]).T)[1]
    if (np.abs(np.diagonal(upper)) <= SINGULAR).any():
        return _undefined("the residuals are linearly dependent", n)
    y = np.linalg.solve(upper.T, g / length)
    f = (dof - n + 1) / n * float(y @ y) / factor
    return WindowResult(
        f, dof - n + 1, float(special.fdtrc(n, dof - n + 1, f)), n, f"F({n}, {dof - n + 1:.0f}){exclusions}"
    )


def make(effect: Effect = "mean") -> Test:
    """Return the test of the mean effect, or of all effects jointly."""
    if effect not in ("mean", "joint"):
        raise one_of("effect of the mvrm test", effect, ["mean", "joint"])
    return Test(
        chunk,
        partial(finalize, effect=effect),
        shares=("moments",),
        survives="same_day",
        fails_under=("event_variance", "common_variance", "autocorrelation"),
        make=make,
        one_event=True,
        value_under=("same_day",),
        one_design=True,  # one equation an event, all on one date
    )


TEST = make()
