"""Checks of a sample as a whole: its clusters, signs, unlinked news, and the agreement of its tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from eventstudy.display.formats import p_value, plural, window
from eventstudy.display.rows import in_window
from eventstudy.run.direction import sign_columns
from eventstudy.run.news import matters, n_exchanges, unlinked
from eventstudy.run.validity import Situation
from eventstudy.types import Clustering, Floats, Ints, StudySample

LEVEL = 0.01  # level of the test of common shocks
FEW = 10  # clusters of events that a sample needs
SIGNIFICANT = 0.05


class Finding(NamedTuple):
    """The outcome of a check: its figure, the figure in words, and whether an assumption is violated."""

    figure: float
    value: str
    wrong: bool = False


def shared_days(cluster: Clustering) -> Finding:
    """Count the pairs of events whose windows share days."""
    size = f"{plural(cluster.n_events, 'event')} on {plural(cluster.n_dates, 'date')}"
    if cluster.n_events < 2:
        return Finding(np.nan, f"{size}: there is no pair")
    value = f"{size}; {cluster.share:.1%} of the pairs share days of their event windows"
    if cluster.n_linked:
        value += f"; {plural(cluster.n_linked, 'pair')} of dates report the same news on two exchanges"
    return Finding(cluster.share, value, cluster.kind != "independent")


def few_clusters(cluster: Clustering) -> Finding:
    """Count the clusters of events, which are all the independent observations that a sample has."""
    value = f"{plural(cluster.n_events, 'event')} on {plural(cluster.n_dates, 'date')}"
    if cluster.n_clusters < cluster.n_dates:
        value += f", in {plural(cluster.n_clusters, 'cluster')} of overlapping event windows"
    return Finding(cluster.n_clusters, value, cluster.n_clusters < FEW)


def common_shock(effects: Mapping[str, Floats]) -> Finding:
    """Compare the variance of the mean between clusters of events with what the correlation before them implies."""
    n_clusters, df = int(effects["n_clusters"][0, 0]), float(effects["df"][0, 0])
    if n_clusters < 3:
        return Finding(np.nan, f"{plural(n_clusters, 'cluster')} of events; 3 are needed to compare them")
    ratio = float((effects["se"][0, 0] / effects["se_r"][0, 0]) ** 2)
    if not np.isfinite(ratio):
        return Finding(np.nan, "the variance of the mean is not known")
    p = float(special.chdtrc(df, df * ratio))
    value = (
        f"variance of the mean between {plural(n_clusters, 'cluster')} of events {ratio:.2f} times that by the"
        f" correlation before the events (p {p_value(p)})"
    )
    return Finding(ratio, value, p < LEVEL)


def skewed_returns(situation: Situation) -> Finding:
    """Say whether the returns before the events are so skewed that a t test of so few events rejects too often."""
    skewness, se, _ = situation.residuals
    if not np.isfinite(se):
        return Finding(np.nan, "the skewness of the residuals is not known")
    value = (
        f"skewness {skewness:+.1f} of the residuals before the events (standard error {se:.2f}), of"
        f" {plural(situation.n_events, 'event')} over {plural(situation.length, 'day')}"
    )
    return Finding(skewness, value, situation.skewed)


def expected_signs(events: pd.DataFrame, sign: str | None) -> Finding:
    """Count the used events by the sign that they should have."""
    columns = sign_columns(events if sign is None else events[[sign]])
    if not columns:
        return Finding(np.nan, "no column of the events says which sign is expected")
    name, (up, down) = next(iter(columns.items()))
    value = f"{up} of {plural(len(events), 'event')} should rise and {down} fall by {name!r}"
    value += "" if sign is None else "; averages are signed"
    return Finding(min(up, down), value, sign is None and min(up, down) > 0)


def unlinked_news(sample: StudySample, rows: Ints) -> Finding:
    """Count the used events within a session of an event on another exchange that is not linked to them."""
    if n_exchanges(sample.panels, sample.placed, rows) < 2:
        return Finding(np.nan, "all events are on one exchange")
    n = unlinked(sample.panels, sample.placed, sample.sample, rows)
    value = f"{n} of {plural(len(rows), 'event')} within a session of an event on another exchange, and not linked"
    return Finding(n, value, matters(n, len(rows)))


def agreement(tests: pd.DataFrame) -> Finding:
    """Count the windows in which the primary test alone rejects, of all the tests that hold."""
    of_all = tests[(tests["group"] == "all") & tests["valid"]]
    if not (of_all.groupby(["start", "end"]).size() > 1).any():
        return Finding(np.nan, "no window has two tests that hold")
    alone = []
    for start, end in dict.fromkeys(zip(of_all["start"].tolist(), of_all["end"].tolist(), strict=True)):
        rows = in_window(of_all, (start, end))
        rejects = (rows["p"] < SIGNIFICANT).tolist()
        if len(rejects) > 1 and rejects[0] and not any(rejects[1:]):
            alone.append(f"{rows['test'].iloc[0]} in {window(start, end)}")
    value = f"the primary test alone rejects at 5 % in {plural(len(alone), 'window')}"
    return Finding(len(alone), value + (f": {', '.join(alone)}" if alone else ""), bool(alone))
