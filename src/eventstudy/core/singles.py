"""What is kept of every single event: its fit, its abnormal returns, its CARs and their significance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventstudy.core.scores import lengths
from eventstudy.core.scores import scores as score
from eventstudy.core.windows import strips
from eventstudy.types import Abnormal, Floats, Ints, Scores, Spec


def chunk(scores: Scores, abnormal: Abnormal, spec: Spec) -> dict[str, NDArray[Any]]:
    """Give the results of single events: (N,), (N, P), (N, n_evt) and (N, V), NaN where missing."""
    n_est = abnormal.n_est
    held = scores
    if spec.compound:
        scores = score(abnormal, replace(spec, compound=False))
    evt_ok = abnormal.ok[:, n_est:]
    kept = {
        "id": abnormal.block.id,
        "sigma": abnormal.sigma,
        "dof": abnormal.dof,
        "coef": abnormal.coef,
        "r2": abnormal.r2,
        "ar": np.where(evt_ok, abnormal.ar[:, n_est:], np.nan),
        "car": np.where(scores.ok, scores.car, np.nan),
        "se": np.where(scores.ok, np.sqrt(scores.var), np.nan),
        "n_days": scores.n_days,
        "p_sq": sample_quantile_p(scores, abnormal),
    }
    if spec.compound:
        kept["bhar"] = np.where(held.ok, held.car, np.nan)
    if abnormal.block.peers is not None:
        kept["p_placebo"] = placebo_p(scores, abnormal)
    return kept


class EventResults:
    """Results of single events, laid into arrays for ``n`` events as they come, so that they exist once."""

    def __init__(self, n: int) -> None:
        self._n, self._filled = n, 0
        self._arrays: dict[str, NDArray[Any]] = {}

    def add(self, some: Mapping[str, NDArray[Any]]) -> None:
        """Take in the results of some events, all with the same names."""
        if not some:
            return
        stop = self._filled + len(some["id"])
        for name, values in some.items():
            if name not in self._arrays:
                self._arrays[name] = np.empty((self._n, *values.shape[1:]), dtype=values.dtype)
            self._arrays[name][self._filled : stop] = values
        self._filled = stop

    def sort(self) -> None:
        """Order the events by ``id``, one array at a time, so that no second copy of all exists."""
        ids = self.arrays.get("id", np.empty(0))
        if (ids[1:] < ids[:-1]).any():
            order = np.argsort(ids, kind="stable")
            for name, values in self.arrays.items():
                self._arrays[name] = values[order]

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What came, in the order in which it came; nothing where nothing did."""
        return {name: values[: self._filled] for name, values in self._arrays.items()}


def sample_quantile_p(scores: Scores, abnormal: Abnormal) -> Floats:
    r"""Rank each CAR among the event's own estimation residuals, without assuming normality.

    .. math:: p = \frac{1 + \#\{|\sum_{t}^{t+L-1} e_t| \ge |CAR|\}}{1 + n}

    over the n runs of L consecutive valid residuals; for one day, the residuals themselves. With a variance path both
    sums are taken over the root of the sum of their v. The SQ test of Gelbach, Helland & Klick (2013, American Law and
    Economics Review 15:495), two-sided.

    Returns
    -------
    float array (N, V)
        NaN where the CAR is missing or no run of L days is complete.
    """
    size = np.where(scores.ok, np.abs(scores.car), np.nan)
    days = np.broadcast_to(lengths(abnormal, scores.weights), size.shape).astype(np.int64)
    if abnormal.v is not None:
        spread = (abnormal.v * abnormal.ok)[:, abnormal.n_est :] @ scores.weights.T
        size = size / np.sqrt(np.where(scores.ok, spread, 1.0))
    p = np.full(size.shape, np.nan)
    for rows in strips(len(size)):
        p[rows] = _rank(abnormal, rows, size[rows], days[rows])
    return p


def _rank(abnormal: Abnormal, rows: slice, size: Floats, days: Ints) -> Floats:
    """Give the p of sizes (n, V) among the runs of ``days`` (n, V) of some events' residuals."""
    e, ok = abnormal.ar[rows, : abnormal.n_est], abnormal.ok[rows, : abnormal.n_est]
    sums, valid = _Runs(e), None if abnormal.whole else _Runs(ok.astype(np.float64))
    path = None if abnormal.v is None else _Runs(abnormal.v[rows, : abnormal.n_est] * ok)
    p = np.full(size.shape, np.nan)
    for length in np.unique(days[(days > 0) & (days <= abnormal.n_est)]):
        runs = np.abs(sums.of(length))
        if path is not None:
            runs /= np.sqrt(np.maximum(path.of(length), np.finfo(float).tiny))
        n_runs = np.full(len(e), runs.shape[1])
        if valid is not None:
            broken = valid.of(length) < length
            runs[broken] = -1.0
            n_runs = n_runs - broken.sum(axis=1)
        for v in np.flatnonzero((days == length).any(axis=0)):
            mine = (days[:, v] == length) & np.isfinite(size[:, v]) & (n_runs > 0)
            beyond = (runs >= size[:, [v]]).view(np.uint8).sum(axis=1, dtype=np.int64)
            p[mine, v] = ((1.0 + beyond) / (1.0 + n_runs))[mine]
    return p


class _Runs:
    """Sums of runs of consecutive days of rows (N, n), put together from runs of 1, 2, 4, ... days."""

    def __init__(self, rows: Floats) -> None:
        self._doubled = [rows]

    def of(self, length: int) -> Floats:
        """Give the sums of all runs of a length, (N, n + 1 - length)."""
        while 2 ** len(self._doubled) <= length:
            half, step = self._doubled[-1], 2 ** (len(self._doubled) - 1)
            self._doubled.append(half[:, :-step] + half[:, step:])
        n_runs, start, total = self._doubled[0].shape[1] + 1 - length, 0, None
        for power, sums in enumerate(self._doubled):
            if length >> power & 1:
                part = sums[:, start : start + n_runs]
                total = part if total is None else total + part
                start += 2**power
        assert total is not None, "a run has a day at least"
        return total


def placebo_p(scores: Scores, abnormal: Abnormal) -> Floats:
    r"""Rank each event among untreated securities to which the same model was fitted as if they were the event's.

    .. math:: p = \frac{1 + \#\{d : |CAR_d| / s_d \ge |CAR| / s\}}{1 + D}

    over the D placebos that have an abnormal return on every day that the event has; the smallest p is 1 / (1 + D).
    In-space placebos (Abadie, Diamond & Hainmueller 2010, Journal of the American Statistical Association 105:493).

    Returns
    -------
    float array (N, V)
        NaN where the CAR is missing, or no placebo is complete, or the model has none.
    """
    p = np.full(scores.car.shape, np.nan)
    if abnormal.placebos is None:
        return p
    known = np.isfinite(abnormal.placebos)
    counted = abnormal.ok[:, None, abnormal.n_est :]
    whole = (known & counted).astype(np.float64) @ scores.weights.T == scores.n_days[:, None]
    sums = np.where(known & counted, abnormal.placebos, 0.0) @ scores.weights.T
    sums = np.where(whole, np.abs(sums), -1.0)
    n = whole.sum(axis=1)
    beyond = (sums >= (np.abs(scores.car) / abnormal.sigma[:, None])[:, None]).sum(axis=1)
    judged = scores.ok & (n > 0)
    p[judged] = ((1.0 + beyond) / (1.0 + n))[judged]
    return p
