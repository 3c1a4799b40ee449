"""Whether a test holds for a sample: its declared assumptions, and the sizes measured in samples of the kind."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

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
            return f"1 cluster: its {self.n_events} events share one date, and {ONE_DATE}"
        return f"1 cluster: the windows of its {self.n_events} events on {self.n_dates} dates overlap in one chain"


class Judgement(NamedTuple):
    """Whether a test holds, and if not, why."""

    valid: bool
    reason: str = ""


def judge(test: Test, situation: Situation, p: float) -> Judgement:
    """Judge whether a test with this p-value holds.

    Examples
    --------
    >>> import eventstudy as es
    >>> judge(es.test("patell"), Situation(40, 1, 1, 3), 0.001).reason
    'does not hold here: it assumes that no two windows share a day'
    """
    if not np.isfinite(p):
        return Judgement(False)  # the note of the statistic has the reason
    if test.survives not in SUFFICIENT[situation.kind]:
        needs = "no two windows share a day" if test.survives == "independent" else "all events share one date"
        return Judgement(False, f"does not hold here: it assumes that {needs}")
    return Judgement(True)


def assumption(test: Test, situation: Situation) -> str:
    """Return what a test that holds assumes beyond the dependence, which cannot be seen in the sample."""
    assumed = []
    if "event_variance" in test.fails_under:
        assumed.append("the event adds no variance")
    if "common_variance" in test.fails_under and situation.kind != "independent":
        assumed.append("news does not raise the variance of the common shock")
    return f"assumes that {' and that '.join(assumed)}" if assumed else ""
