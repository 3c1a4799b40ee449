"""Results of single events: the fit, the abnormal returns, the CARs and their significance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eventstudy.core.conformal import conformal_p
from eventstudy.core.reaching import Rounded, Scaled, runs_of
from eventstudy.core.runs import TIE, RunSums, by_length, count, root
from eventstudy.core.scores import scores as score
from eventstudy.core.scores import window_lengths
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
    """Results of single events, put into their rows among ``n``: nothing is left to sort."""

    def __init__(self, n: int) -> None:
        self._filled = np.zeros(n, dtype=bool)
        self._arrays: EventArrays = {}

    def add(self, rows: Ints | slice, results: Mapping[str, NDArray[np.generic]]) -> None:
        """Put the results of events into their rows; all have the same names."""
        for name, values in results.items():
            if name not in self._arrays:
                self._arrays[name] = np.empty((len(self._filled), *values.shape[1:]), dtype=values.dtype)
            self._arrays[name][rows] = values
        self._filled[rows] = True

    def arrays(self) -> EventArrays:
        """Return the rows that have results, and keep none; empty if there are none."""
        if not self._filled.all():
            for name in self._arrays:  # one at a time, so that no second copy of all exists
                self._arrays[name] = self._arrays[name][self._filled]
        return self._arrays


def rank_among_residuals(scores: Scores, abnormal: Abnormal) -> tuple[Floats, Floats]:
    """Return ``p_sq`` and ``p_conformal`` (N, V), which share the sums over runs of estimation residuals."""
    variance = None if abnormal.v is None else (abnormal.v * abnormal.ok)[:, : abnormal.n_est]
    residuals = runs_of([abnormal.ar[:, : abnormal.n_est]], variance)
    return sample_quantile_p(scores, abnormal, residuals), conformal_p(scores, abnormal, residuals)


def sample_quantile_p(scores: Scores, abnormal: Abnormal, residuals: Rounded | Scaled) -> Floats:
    r"""Rank the CARs of the events among their own estimation residuals, without assuming normality.

    .. math:: p = \frac{1 + \#\{|\sum_{t}^{t+L-1} e_t| \ge |CAR|\}}{1 + n}

    over the n runs of L consecutive valid residuals; for one day, these are the residuals themselves. Sums that differ
    by less than 1e-9 of sigma are equal, however they were added up. For a model with a variance path, both sums are
    divided by the root of the sum of their v. This is the SQ test of Gelbach, Helland & Klick (2013, American Law and
    Economics Review 15:495), two-sided.

    Parameters
    ----------
    scores : Scores
    abnormal : Abnormal
    residuals : Rounded or Scaled
        The runs of the estimation residuals.

    Returns
    -------
    float array (N, V)
        NaN where the CAR is missing or no run of L days is complete.
    """
    n_est, lengths = abnormal.n_est, window_lengths(abnormal, scores.weights)
    days = np.where(scores.ok & (lengths <= n_est), lengths, 0).astype(np.int64)
    size = np.abs(scores.car) - TIE * abnormal.sigma[:, None]
    if abnormal.v is not None:
        size = size / root((abnormal.v * abnormal.ok)[:, n_est:] @ scores.weights.T)
    ok = abnormal.ok[:, :n_est]
    n_valid = None if ok.all() else RunSums(np.asfortranarray(ok, dtype=np.float32))
    p = np.full(days.shape, np.nan)
    for length, windows in by_length(days).items():
        complete = None if n_valid is None else n_valid.of(length) == length
        n_runs = np.full(len(ok), n_est + 1 - length) if complete is None else count(complete)
        for v in windows:
            n_large = residuals.n_reaching(length, size[:, v : v + 1], complete)
            ranked = (days[:, v] == length) & (n_runs > 0)
            p[:, v] = np.where(ranked, (1.0 + n_large) / (1.0 + n_runs), p[:, v])
    return p


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
    n_as_large = (sums >= (np.abs(scores.car) / abnormal.sigma[:, None] - TIE)[:, None]).sum(axis=1)
    ranked = scores.ok & (n > 0)
    p[ranked] = ((1.0 + n_as_large) / (1.0 + n))[ranked]
    return p
