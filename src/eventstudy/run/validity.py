"""Whether a test holds for a sample: its declared assumptions, and the sizes measured in samples of the kind."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventstudy.core.residuals import Residuals
from eventstudy.display.formats import ONE_DATE
from eventstudy.members import label_of
from eventstudy.run.measured import Measured, lookup
from eventstudy.run.news import MANY
from eventstudy.types import Survives, Test

SUFFICIENT: dict[Survives, tuple[Survives, ...]] = {
    "independent": ("independent", "same_day", "overlap"),
    "same_day": ("same_day", "overlap"),
    "overlap": ("overlap",),
}
TOO_OFTEN = 0.065  # rejections at 5 % above which a test does not hold
SKEWED = 0.08  # squared skewness of the mean effect from which a t test of it rejects too often
SURE = 3.0  # standard errors of the skewness: the tails of t(4) look so in 5 % of samples of 3 events, 1 % of 5
THIN = 0.20  # share of zero returns


class Situation(NamedTuple):
    """What is known of the events of a window of some ``length``: how they share days, and their returns before.

    ``n_linked`` is the number of pairs of dates that report the same news on two exchanges, and ``n_unlinked`` that of
    the events beside news of another exchange that may be the same, if there are so many that it matters. ``residuals``
    are those of the estimation windows.
    """

    n_events: int
    n_clusters: int
    n_dates: int
    length: int
    n_linked: int = 0
    n_unlinked: int = 0
    residuals: Residuals = Residuals()

    @property
    def kind(self) -> Survives:
        """The dependence that a test must be robust to."""
        if self.n_clusters == self.n_events and not self.n_unlinked:
            return "independent"
        return "same_day" if self.n_dates == 1 else "overlap"

    @property
    def skewed(self) -> bool:
        r"""Whether the mean effect is so skewed that a t test of it rejects too often.

        The squared skewness of the mean of N effects over L days is :math:`g^2 / (N L)`, with the skewness g of a day.
        """
        squared = self.residuals.skewness**2 / max(self.n_events * self.length, 1)
        return squared > SKEWED and abs(self.residuals.skewness) > SURE * self.residuals.se

    @property
    def seen(self) -> dict[str, str]:
        """What is seen of a sample beside shared days, by the noise of the measured samples that are like it."""
        found = {}
        if self.length == 1 and 2 * self.n_linked > MANY * self.n_dates:  # longer windows of the same news share days
            found["linked"] = "the same news moves firms on two dates"
        if self.length == 1 and self.n_unlinked:
            found["unlinked"] = (
                f"{self.n_unlinked} of the {self.n_events} events are within a session of events on another exchange"
                " that may be the same news, and are not linked"
            )
        if self.skewed:
            found["exponential"] = (
                f"{self.n_events} events are too few for returns this skewed (skewness"
                f" {self.residuals.skewness:+.1f} before the events)"
            )
        if self.residuals.zeros > THIN:
            found["thin"] = f"{self.residuals.zeros:.0%} of the returns before the events are zero"
        return found

    @property
    def reason(self) -> str:
        """Why the primary test of the default tests is the first."""
        if self.skewed and self.kind == "independent":
            return "the first that holds for few events with skewed returns"
        if self.kind == "independent":
            return "no two windows share a day"
        if self.kind == "same_day":
            return f"all events share one date; {ONE_DATE}"
        pairs = "1 pair of dates reports" if self.n_linked == 1 else f"{self.n_linked} pairs of dates report"
        linked = f"; {pairs} the same news on two exchanges" if self.n_linked else ""
        unlinked = "; events of two exchanges may report the same news" if self.n_unlinked else ""
        return f"it allows for events that share days or news{linked}{unlinked}"

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
    samples that are most like this one (:mod:`eventstudy.run.measured`): by the whole interval of the rate, but by the
    rate itself where something is seen that may make it wrong.

    Examples
    --------
    >>> import eventstudy as es
    >>> judge(es.test("patell"), Situation(40, 1, 1, 1), 0.001).note[:60]
    'does not hold here: it assumes that no two windows share a d'
    """
    if not np.isfinite(p):
        return Judgement(False)  # the note of the statistic has the reason
    label, kind = label_of(test), situation.kind
    where = (kind, situation.n_events, situation.n_clusters, situation.length)
    for noise, seen in situation.seen.items():
        like = lookup(label, *where, noise)
        if like is not None and like.nearest.rate > TOO_OFTEN:
            return Judgement(False, f"does not hold here: {seen}; it rejects {_size(like)}")
    measured = lookup(label, *where)
    too_often = measured is not None and measured.nearest.lower > TOO_OFTEN
    rejects = "" if measured is None or not too_often else f"it rejects {_size(measured)}"
    if test.survives not in SUFFICIENT[kind]:
        needs = "no two windows share a day" if test.survives == "independent" else "all events share one date"
        return Judgement(False, "; ".join(filter(None, (f"does not hold here: it assumes that {needs}", rejects))))
    if too_often:
        return Judgement(False, f"does not hold here: {rejects}")
    return Judgement(True, _assumption(test, situation, measured))


def _size(measured: Measured) -> str:
    return f"{measured.nearest.rate:.0%} at 5 % in samples of {measured.nearest.scenario.label}"


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
