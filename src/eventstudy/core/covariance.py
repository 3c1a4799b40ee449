r"""Variance of weighted sums of abnormal returns over events and calendar dates, the shared forecast error included.

.. math:: AR_{it} = \epsilon_{it} - h_{it}' \sum_{s \in E_i} h_{is} \epsilon_{is}

so that a sum of abnormal returns is a sum of returns' own noise over event *and* estimation days, with weights. All
days of an event share the error of its coefficients, and events share it as far as their estimation windows overlap.
Noise on different dates is independent, and that of two events on one date has the mean covariance of their clusters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eventstudy.core.date_pairs import DatePairs, by_date
from eventstudy.core.nulls import divide
from eventstudy.core.overlap import linked_pairs
from eventstudy.core.sums import Rows, by_cluster, products_by_cluster, valid_days
from eventstudy.types import Abnormal, Bools, Floats, Ints, Sample, Scores, State

ROUNDING = 1e-12  # a count below this share of its largest possible value is rounding error


def chunk(scores: Scores, abnormal: Abnormal, weight: Floats) -> State:
    """Sum the weights (N,) and residuals of events by cluster, (C, ...).

    ``w`` and ``w2`` (C, V, n_evt) are the weights on the valid days of each window, and their squares. ``e`` and ``m``
    (C, n_est) are weighted residuals with divisor M - k, and weights, with their squares by event in ``e_squares`` and
    ``m_squares`` (C,). ``k`` (C, V, n_est) is the weight that the forecast error of a window's sum gives to each
    estimation day, and ``k_squares`` (C, V) the sum of its squares by event.
    """
    n_est, equal = abnormal.n_est, bool((weight == 1.0).all())
    ok, n_valid = abnormal.ok[:, :n_est], valid_days(abnormal)
    e = abnormal.ar[:, :n_est] * (weight * np.sqrt(n_valid / abnormal.dof))[:, None]
    h = weight[:, None, None] * np.where(scores.ok[..., None], scores.weights @ abnormal.h[:, n_est:], 0.0)
    w = by_portfolio(scores, abnormal, weight[:, None] * abnormal.ok[:, n_est:])
    return {
        "w": w,
        "w2": w if equal else by_portfolio(scores, abnormal, weight[:, None] ** 2 * abnormal.ok[:, n_est:]),
        "e": by_cluster(abnormal, e),
        "m": by_cluster(abnormal, ok if equal else weight[:, None] * ok),
        "e_squares": by_cluster(abnormal, np.vecdot(e, e)),
        "m_squares": by_cluster(abnormal, weight**2 * n_valid),
        "k": products_by_cluster(abnormal, np.moveaxis(h, -1, 0), np.moveaxis(abnormal.h[:, :n_est], -1, 0)),
        "k_squares": by_cluster(abnormal, np.vecdot(h, h)),
    }


def by_portfolio(scores: Scores, abnormal: Abnormal, values: Floats) -> Rows:
    """Sum values (N, n_evt), 0 on missing days, by cluster over the events with a CAR in each window, (C, V, n_evt).

    The sums are 0 on days outside the window.
    """
    held = scores.ok[..., None] & (scores.weights > 0)
    return by_cluster(abnormal, np.where(held, values[:, None], 0.0))


@dataclass(frozen=True)
class Portfolios:
    """The portfolios of calendar dates: ``clusters`` (C,) with events, ``dates`` (C, L) of their columns.

    Groups have separate ranges of ``span`` date numbers. ``state`` is the sum of :func:`chunk`.
    """

    state: Mapping[str, Floats]
    sample: Sample
    clusters: Ints
    dates: Ints
    span: int

    def of_dates(self, name: str, window: int) -> Floats:
        """Sum a leaf (C, V, n_evt) of the state by date, (dates,)."""
        values = self.state[name][self.clusters, window]
        n_dates = self.sample.n_groups * self.span
        dates = self.dates[:, self.sample.spec.n_est :]
        return np.asarray(np.bincount(dates.ravel(), values.ravel(), n_dates), dtype=np.float64)

    @cached_property
    def _pairs(self) -> tuple[Ints, Ints]:
        """The pairs of clusters whose dates, of estimation or event window, are in reach of each other, (pairs,)."""
        begin, end = self.dates.min(axis=1), self.dates.max(axis=1)
        order = np.argsort(begin, kind="stable")
        n_after = np.searchsorted(begin[order], end[order], side="right") - np.arange(len(order))
        first = np.repeat(np.arange(len(order)), n_after)
        second = first + np.arange(len(first)) - np.repeat(np.cumsum(n_after) - n_after, n_after)
        return order[first], order[second]

    @cached_property
    def _date_pairs(self) -> DatePairs:
        """The same pairs, for products over all of their dates."""
        return DatePairs(self.dates, *self._pairs)

    @cached_property
    def _covariances(self) -> tuple[Floats, Floats]:
        """The mean covariance of two events of each pair of clusters (pairs,), and the mean variance of one (C,).

        A pair without a common estimation day, whose windows overlap otherwise, has the mean covariance of its group.
        """
        first, second = self._pairs
        e, m, squares, n_squares = (self.state[k][self.clusters] for k in ("e", "m", "e_squares", "m_squares"))
        pairs = DatePairs(self.dates[:, : self.sample.spec.n_est], first, second)
        products, counts, same = pairs.sums(e), pairs.sums(m), first == second
        products[same] -= squares[first[same]]  # an event is not paired with itself
        counts[same] -= n_squares[first[same]]
        counts[counts <= ROUNDING * n_squares[first]] = 0.0
        group, n_times = self.sample.cluster_group[self.clusters][first], np.where(counts > 0, 2.0 - same, 0.0)
        total, n = (
            np.bincount(group, n_times * leaf, self.sample.n_groups).astype(np.float64) for leaf in (products, counts)
        )
        covariance = np.where(counts > 0, divide(products, counts), divide(total, n)[group])
        return np.nan_to_num(covariance), divide(squares, n_squares)

    @cached_property
    def _linked(self) -> tuple[Ints, Floats]:
        """The pairs of clusters that report the same news on different dates (n, 2), and their mean covariance."""
        e, m = (self.state[name][self.clusters] for name in ("e", "m"))
        return linked_pairs(e, m, self.clusters, self.dates, self.sample)

    @cached_property
    def _excess(self) -> Floats:
        """The variance of an event of each cluster that other events of its cluster do not share, (C,)."""
        covariance, variance = self._covariances
        first, second = self._pairs
        excess = variance.copy()
        same = first == second
        excess[first[same]] -= covariance[same]
        return excess

    @cached_property
    def _near(self) -> Bools:
        """Which pairs have event windows in reach of each other, (pairs,)."""
        first, second = self._pairs
        begin, end = (self.dates[:, at] for at in (self.sample.spec.n_est, -1))
        return (begin[first] <= end[second]) & (begin[second] <= end[first])

    def variance_of_dates(self, window: int) -> Floats:
        """Return the variance of the weighted sum of returns of each date, without forecast error, (dates,)."""
        event_days, n_dates = self.dates[:, self.sample.spec.n_est :], self.sample.n_groups * self.span
        first, second = (clusters[self._near] for clusters in self._pairs)
        covariance = np.where(first == second, 1.0, 2.0) * self._covariances[0][self._near]
        shared = by_date(event_days, first, second, self.state["w"][self.clusters, window], covariance, n_dates)
        own = self._excess[:, None] * self.state["w2"][self.clusters, window]
        return shared + np.bincount(event_days.ravel(), own.ravel(), n_dates)

    def largest_of_dates(self, window: int) -> Floats:
        """Return the standard deviation that the sum of each date would have if all events moved alike, (dates,)."""
        deviation = np.sqrt(self._covariances[1])[:, None] * self.state["w"][self.clusters, window]
        n_dates = self.sample.n_groups * self.span
        dates = self.dates[:, self.sample.spec.n_est :]
        return np.asarray(np.bincount(dates.ravel(), deviation.ravel(), n_dates), dtype=np.float64)

    def variance(self, scale: Floats, window: int) -> Floats:
        """Return the variance of the sum over dates of abnormal returns times ``scale`` (dates,), by group, (G,)."""
        n_est = self.sample.spec.n_est
        group = self.sample.cluster_group[self.clusters]
        w, w2, k = (self.state[name][self.clusters, window] for name in ("w", "w2", "k"))
        on_day = scale[self.dates[:, n_est:]]
        mean_scale = np.nan_to_num(divide((on_day * w).sum(axis=1), w.sum(axis=1)))
        weights = np.hstack([-mean_scale[:, None] * k, on_day * w])
        first, second = self._pairs
        products = self._date_pairs.sums(weights)
        products *= np.where(first == second, 1.0, 2.0) * self._covariances[0]
        total = np.bincount(group[first], products, self.sample.n_groups)
        own = (on_day**2 * w2).sum(axis=1) + mean_scale**2 * self.state["k_squares"][self.clusters, window]
        total += np.bincount(group, own * self._excess, self.sample.n_groups)
        linked, covariance = self._linked
        products = 2.0 * covariance * np.vecdot(weights[linked[:, 0]], weights[linked[:, 1]])
        return np.asarray(total + np.bincount(group[linked[:, 0]], products, self.sample.n_groups))
