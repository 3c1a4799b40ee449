"""Results of single events: the fit, the abnormal returns, the CARs and their significance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from eventstudy.core.conformal import conformal_p, refit
from eventstudy.core.runs import RunSums, by_length, count, root
from eventstudy.core.scores import scores as score
from eventstudy.core.scores import window_lengths
from eventstudy.core.windows import strips
from eventstudy.types import Abnormal, Floats, Ints, Scores, Spec

EventArrays = dict[str, NDArray[np.generic]]


def chunk(scores: Scores, abnormal: Abnormal, spec: Spec) -> EventArrays:
    """Return the results of single events as arrays (N,), (N, P), (N, n_evt) and (N, V), NaN where missing."""
    n_est = abnormal.n_est
    study_scores = scores
    if spec.compound:
        scores = score(abnormal, replace(spec, compound=False))
    event_ok = abnormal.ok[:, n_est:]
    p_sq, p_conformal = rank_among_residuals(scores, abnormal)
    results: EventArrays = {
        "id": abnormal.block.id,
        "sigma": abnormal.sigma,
        "dof": abnormal.dof,
        "coef": abnormal.coef,
        "r2": abnormal.r2,
        "ar": np.where(event_ok, abnormal.ar[:, n_est:], np.nan),
        "car": np.where(scores.ok, scores.car, np.nan),
        "se": np.where(scores.ok, np.sqrt(scores.var), np.nan),
        "n_days": scores.n_days,
        "p_sq": p_sq,
        "p_conformal": p_conformal,
    }
    if spec.compound:
        results["bhar"] = np.where(study_scores.ok, study_scores.car, np.nan)
    if abnormal.block.peers is not None:
        results["p_placebo"] = placebo_p(scores, abnormal)
    return results


class EventResults:
    """Results of single events, collected block by block in arrays preallocated for ``n`` events."""

    def __init__(self, n: int) -> None:
        self._n, self._n_filled = n, 0
        self._arrays: EventArrays = {}

    def add(self, results: Mapping[str, NDArray[np.generic]]) -> None:
        """Append the results of a block of events; every block has the same names."""
        if not results:
            return
        stop = self._n_filled + len(results["id"])
        for name, values in results.items():
            if name not in self._arrays:
                self._arrays[name] = np.empty((self._n, *values.shape[1:]), dtype=values.dtype)
            self._arrays[name][self._n_filled : stop] = values
        self._n_filled = stop

    def sort(self) -> None:
        """Order the events by ``id``, one array at a time, so that no second copy of all exists."""
        ids = np.asarray(self.arrays.get("id", ()), dtype=np.int64)
        if (ids[1:] < ids[:-1]).any():
            order = np.argsort(ids, kind="stable")
            for name in self._arrays:  # no dict of the former arrays, which would hold all of them
                self._arrays[name] = self._arrays[name].take(order, axis=0)  # several times faster than [order]

    @property
    def arrays(self) -> EventArrays:
        """The results added so far, in the order in which they were added; empty if there are none."""
        return {name: values[: self._n_filled] for name, values in self._arrays.items()}


def rank_among_residuals(scores: Scores, abnormal: Abnormal) -> tuple[Floats, Floats]:
    """Return ``p_sq`` and ``p_conformal`` (N, V), which share the sums over runs of estimation residuals."""
    lengths = window_lengths(abnormal, scores.weights)
    days = np.where(scores.ok & (lengths <= abnormal.n_est), lengths, 0).astype(np.int64)
    size = np.abs(scores.car)
    if abnormal.v is not None:
        size = size / root((abnormal.v * abnormal.ok)[:, abnormal.n_est :] @ scores.weights.T)
    windows, size = scores.weights > 0, np.asfortranarray(size)
    p_sq, p_conformal = np.empty(size.shape), np.empty(size.shape)
    for rows in strips(len(size)):
        ar = np.asfortranarray(abnormal.ar[rows])
        residuals = RunSums(ar[:, : abnormal.n_est])
        quantiles = sample_quantile_p(abnormal, size[rows], days[rows], rows, residuals, p_sq[rows])
        fit = refit(scores, abnormal, rows)
        conformal = conformal_p(fit, abnormal, windows, rows, ar, residuals, p_conformal[rows])
        for _ in zip_longest(quantiles, conformal):  # in step, so that the sums of a length are still in the cache
            pass
    return p_sq, p_conformal


def sample_quantile_p(
    abnormal: Abnormal, size: Floats, days: Ints, rows: slice, residuals: RunSums, p: Floats
) -> Iterator[int]:
    r"""Rank the CARs of the events in ``rows`` among their own estimation residuals, without assuming normality.

    .. math:: p = \frac{1 + \#\{|\sum_{t}^{t+L-1} e_t| \ge |CAR|\}}{1 + n}

    over the n runs of L consecutive valid residuals; for one day, these are the residuals themselves. For a model with
    a variance path, both sums are divided by the root of the sum of their v. This is the SQ test of Gelbach, Helland &
    Klick (2013, American Law and Economics Review 15:495), two-sided.

    Parameters
    ----------
    abnormal : Abnormal
    size : float array (n, V)
        Absolute CARs, divided like the sums.
    days : int array (n, V)
        Days of the windows, 0 where the CAR is missing or L exceeds the estimation window.
    rows : slice
    residuals : RunSums
        Those of the estimation residuals of these events.
    p : float array (n, V)
        Filled here; NaN where the CAR is missing or no run of L days is complete.

    Yields
    ------
    int
        Each length of windows, the shortest first, when its p are in place.
    """
    ok = abnormal.ok[rows, : abnormal.n_est]
    n_valid = None if ok.all() else RunSums(np.asfortranarray(ok, dtype=np.float32))
    variances = None if abnormal.v is None else RunSums(np.asfortranarray(abnormal.v[rows, : abnormal.n_est] * ok))
    p[:] = np.nan
    for length, windows in by_length(days).items():
        sizes = np.abs(residuals.of(length))
        if variances is not None:
            sizes /= root(variances.of(length))
        complete = None if n_valid is None else n_valid.of(length) == length
        n_runs = np.full(len(sizes), sizes.shape[1]) if complete is None else count(complete)
        for v in windows:
            large = sizes >= size[:, v : v + 1]
            if complete is not None:
                large &= complete
            ranked = (days[:, v] == length) & (n_runs > 0)
            p[:, v] = np.where(ranked, (1.0 + count(large)) / (1.0 + n_runs), p[:, v])
        yield length


def placebo_p(scores: Scores, abnormal: Abnormal) -> Floats:
    r"""Rank each event among untreated securities to which the model was fitted in the same way.

    .. math:: p = \frac{1 + \#\{d : |CAR_d| / s_d \ge |CAR| / s\}}{1 + D}

    over the D placebos that have an abnormal return on every day on which the event has one; the smallest possible p
    is 1 / (1 + D). In-space placebos: Abadie, Diamond & Hainmueller (2010, Journal of the American Statistical
    Association 105:493).

    Returns
    -------
    float array (N, V)
        NaN where the CAR is missing, no placebo is complete, or the model has no placebos.
    """
    p = np.full(scores.car.shape, np.nan)
    if abnormal.placebos is None:
        return p
    known = np.isfinite(abnormal.placebos)
    event_ok = abnormal.ok[:, None, abnormal.n_est :]
    complete = (known & event_ok).astype(np.float64) @ scores.weights.T == scores.n_days[:, None]
    sums = np.where(known & event_ok, abnormal.placebos, 0.0) @ scores.weights.T
    sums = np.where(complete, np.abs(sums), -1.0)
    n = complete.sum(axis=1)
    n_as_large = (sums >= (np.abs(scores.car) / abnormal.sigma[:, None])[:, None]).sum(axis=1)
    ranked = scores.ok & (n > 0)
    p[ranked] = ((1.0 + n_as_large) / (1.0 + n))[ranked]
    return p
