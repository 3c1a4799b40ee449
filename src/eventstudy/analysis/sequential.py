"""A study that grows: the mean effect date by date, with a p-value and an interval that hold at every look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from eventstudy import arguments
from eventstudy.analysis.figures import drawn
from eventstudy.analysis.past import Past
from eventstudy.core import sequential as core
from eventstudy.display import formats
from eventstudy.display.cards import Grid, Summary
from eventstudy.display.measure import Measure
from eventstudy.display.rows import in_window
from eventstudy.errors import NotEnoughData
from eventstudy.types import Rerun, ResultFrames, Window

CORRELATION = 0.3  # of the events of a cluster, by which clusters are weighed; a wrong one costs power and no validity
PLAN = 30  # clusters for which the test is tightest
SHOWN = 12  # looks that are printed
NOTE = (
    "Every look holds: stopping when p is small rejects at most 5 % of studies without an effect. The clusters are"
    " assumed to be symmetric about one mean and not to share days."
)


@dataclass(frozen=True, repr=False, eq=False)
class Sequential:
    """The mean standardised effect of a study as its events arrived.

    Attributes
    ----------
    frame : DataFrame
        One row for each cluster of events, by the session of its last event: date (its window may end later, and the
        look cannot be had before), n_events, n_clusters (so
        far), scar (of the cluster), effect (the mean SCAR of the clusters so far, by their weights), e_value, p_always
        (1 / the largest e-value so far), lower, upper (the confidence sequence of the mean SCAR; infinite while no
        mean up to ten standard deviations is excluded).
    window : (int, int)
    level : float
        Of the confidence sequence.
    provenance, measure
        Those of the result.
    """

    kind: ClassVar[str] = "sequential"
    frame: pd.DataFrame
    window: Window
    level: float
    provenance: Mapping[str, Any]
    measure: Measure

    def __repr__(self) -> str:
        return self._summary().as_text()

    def _repr_html_(self) -> str:
        return self._summary().as_html()

    def answer(self) -> str:
        """Return what is known after the last look, and when it was first known."""
        last, alpha = self.frame.iloc[-1], 1.0 - self.level
        found = (
            f"After {formats.plural(int(last['n_events']), 'event')} in"
            f" {formats.plural(int(last['n_clusters']), 'cluster')} the mean standardised {self.measure.short}"
            f" {formats.window(*self.window)} is {formats.signed(last['effect'])}, with a p of"
            f" {formats.p_value(last['p_always'])} that holds however often one looks"
        )
        below = self.frame[self.frame["p_always"] <= alpha]
        if below.empty:
            return f"{found}; at no look was it {formats.number(alpha)} or less."
        first = below.iloc[0]
        after = formats.plural(int(first["n_clusters"]), "cluster")
        since = f"it first was {formats.number(alpha)} or less with the event of {formats.date(first['date'])}"
        return f"{found}; {since}, after {after}."

    def plot(self, **options: Any) -> Any:
        """Draw the mean with its confidence sequence over the dates; see ``plots/_sequential``."""
        return drawn(self, "_sequential", "the figure of a growing study", options)

    def _summary(self) -> Summary:
        rows = []
        for row in self.frame.tail(SHOWN).to_dict("records"):
            counts = (formats.count(row["n_events"]), formats.count(row["n_clusters"]))
            values = tuple(formats.signed(row[name]) for name in ("effect", "lower", "upper"))
            tested = (formats.number(np.log10(row["e_value"])), formats.p_value(row["p_always"]))
            rows.append((formats.date(row["date"]), *counts, *values, *tested))
        heads = ("Date", "Events", "Clusters", "Mean SCAR", "lower", "upper", "log₁₀ e", "p, always valid")
        note = formats.prices_note(self)
        title = "A study that grows" + (f", {note}" if note else "")
        earlier = len(self.frame) - SHOWN
        notes = [self.answer(), NOTE]
        notes += [f"{formats.plural(earlier, 'earlier look')} in .frame."] if earlier > 0 else []
        return Summary(title, tables=[Grid(heads, rows, (False, *(True,) * 7))], notes=notes)


def sequential(
    rerun: Rerun | None, result: ResultFrames, window: Window | None, level: float, plan: int
) -> Sequential:  # fmt: skip
    """Test the mean standardised effect after each date; see ``Result.sequential``."""
    level, plan = arguments.share("level", level), arguments.whole("plan", plan, 1)
    windows = list(dict.fromkeys(zip(result.cars["start"].tolist(), result.cars["end"].tolist(), strict=True)))
    window = arguments.one_window(window, windows)
    table = _events(result, window)
    if table.empty:
        raise NotEnoughData(f"no event has a {result.measure.short} over {formats.window(*window)}")
    table["chain"] = Past(rerun, table, window, 0).chain
    clusters = table.groupby("chain").agg(date=("session", "max"), n=("scar", "size"), scar=("scar", "mean"))
    clusters = clusters.sort_values("date", kind="stable")
    n, z = clusters["n"].to_numpy(dtype=np.float64), clusters["scar"].to_numpy(dtype=np.float64)
    a = 1.0 / np.sqrt((1.0 + (n - 1.0) * CORRELATION) / n)
    rho = core.tightest(plan, level)
    e = np.exp(core.log_e(z, a, rho))
    lower, upper = core.confidence_sequence(z, a, rho, level)
    frame = pd.DataFrame(
        {
            "date": clusters["date"].to_numpy(),
            "n_events": clusters["n"].cumsum().to_numpy(),
            "n_clusters": np.arange(1, len(z) + 1),
            "scar": z,
            "effect": (a * z).cumsum() / a.cumsum(),
            "e_value": e,
            "p_always": np.minimum(1.0, 1.0 / np.maximum.accumulate(e)),
            "lower": lower,
            "upper": upper,
        }
    )
    return Sequential(frame, window, level, result.provenance, result.measure)


def _events(result: ResultFrames, window: Window) -> pd.DataFrame:
    """Return session and standardised CAR of the used events, multiplied by their signs in a study that has them."""
    used = formats.usable_events(result)
    cars = in_window(result.cars, window).set_index("event_id")
    table = pd.DataFrame({"session": used["session"], "scar": cars["t"].reindex(used.index)})
    if result.measure.sign is not None:
        sign = pd.to_numeric(used[result.measure.sign], errors="coerce")
        table["scar"] *= np.sign(sign).where(sign != 0)
    return table.dropna(subset=["scar"])
