"""Whether a test holds for a sample: its declared assumptions, and the sizes measured in samples of the kind."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy.members import label_of
from eventstudy.run.measured import Measured, lookup
from eventstudy.types import Survives, Test

SUFFICIENT: dict[Survives, tuple[Survives, ...]] = {
    "independent": ("independent", "same_day", "overlap"),
    "same_day": ("same_day", "overlap"),
    "overlap": ("overlap",),
}
TOO_OFTEN = 0.065  # rejections at 5 % above which a test does not hold
ONE_DATE = "one date cannot tell a common shock from an effect"


class Situation(NamedTuple):
    """How the events of a window of some ``length`` share days: numbers of events, clusters and dates.

    ``n_linked`` is the number of pairs of dates that report the same news on two exchanges.
    """

    n_events: int
    n_clusters: int
    n_dates: int
    length: int
    n_linked: int = 0

    @property
    def kind(self) -> Survives:
        """The dependence that a test must be robust to."""
        if self.n_clusters == self.n_events:
            return "independent"
        return "same_day" if self.n_dates == 1 else "overlap"

    @property
    def reason(self) -> str:
        """Why the primary test of the default tests is the first."""
        if self.kind == "independent":
            return "no two windows share a day"
        if self.kind == "same_day":
            return f"all events share one date; {ONE_DATE}"
        linked = f"; {self.n_linked} pairs of dates report the same news on two exchanges" if self.n_linked else ""
        return f"it allows for events that share days or news{linked}"

    @property
    def one_cluster(self) -> str:
        """What to say of events that are a single cluster, so that clusters cannot be compared; else empty text."""
        if self.n_clusters != 1:
            return ""
        if self.n_events == 1:
            return "1 cluster: the group has one event"
        if self.n_dates == 1:
            shock = "a common shock cannot be told from an effect"
            return f"1 cluster: its {self.n_events} events share one date, and {shock}"
        return f"1 cluster: the windows of its {self.n_events} events on {self.n_dates} dates overlap in one chain"


class Judgement(NamedTuple):
    """Whether a test holds; if not, why, and if so, what it assumes that cannot be seen in the sample."""

    valid: bool
    note: str = ""


def judge(test: Test, situation: Situation, p: float) -> Judgement:
    """Judge whether a test with this p-value holds.

    It does not if events depend on each other more than it allows for, or if it rejects too often in the measured
    samples that are most like this one (:mod:`eventstudy.run.measured`).

    Examples
    --------
    >>> import eventstudy as es
    >>> judge(es.test("patell"), Situation(40, 1, 1, 1), 0.001).note[:60]
    'does not hold here: it assumes that no two windows share a d'
    """
    if not np.isfinite(p):
        return Judgement(False)  # the note of the statistic has the reason
    kind, n_events, n_clusters = situation.kind, situation.n_events, situation.n_clusters
    measured = lookup(label_of(test), kind, n_events, n_clusters, situation.length)
    size = (
        ""
        if measured is None
        else f"{measured.nearest.rate:.0%} at 5 % in samples of {measured.nearest.scenario.label}"
    )
    too_often = measured is not None and measured.nearest.lower > TOO_OFTEN
    if test.survives not in SUFFICIENT[kind]:
        needs = "no two windows share a day" if test.survives == "independent" else "all events share one date"
        rejects = f"; it rejects {size}" if too_often else ""
        return Judgement(False, f"does not hold here: it assumes that {needs}{rejects}")
    if too_often:
        return Judgement(False, f"does not hold here: it rejects {size}")
    return Judgement(True, _assumption(test, situation, measured))


def _assumption(test: Test, situation: Situation, measured: Measured | None) -> str:
    """Return what a test assumes of the variance of event days, with its measured size where that is not so."""
    assumed = []
    if "event_variance" in test.fails_under:
        assumed.append("the event adds no variance")
    if "common_variance" in test.fails_under and situation.kind != "independent":
        assumed.append("news does not raise the variance of the common shock")
    if not assumed:
        return ""
    rejects = ""
    if measured is not None and measured.worst.lower > TOO_OFTEN:
        rejects = f" (else it rejects up to {measured.worst.rate:.0%} at 5 %)"
    return f"assumes that {' and that '.join(assumed)}{rejects}"
