"""The result of a study as data frames: the only place where labels come back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from eventstudy import _registry
from eventstudy.errors import one_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Result:
    """What a study found, event by event and over the sample, and what it dropped.

    Attributes
    ----------
    events : DataFrame
        Index ``event_id``; ticker, announced, session, status, reason, n_estimation, alpha, one column a
        coefficient, sigma, r2, then the columns that the events came with.
    ar : DataFrame
        Index ``event_id``, columns relative days; abnormal returns as decimals, NaN where missing.
    cars : DataFrame
        event_id, start, end, car, se, t, df, p, p_sq, n_days; one row an event and window.
    daily : DataFrame
        Index ``day``; n, aar, caar, se, lower, upper: the band is 95 % around the CAAR.
    tests : DataFrame
        group, start, end, test, n, effect, statistic, df, p, note; the effect is the mean CAR.
    attrition : DataFrame
        reason, n: every event that was given is counted once.
    provenance : dict
        Versions, settings, fingerprints of the data, and what was noticed on the way.
    """

    events: pd.DataFrame
    ar: pd.DataFrame
    cars: pd.DataFrame
    daily: pd.DataFrame
    tests: pd.DataFrame
    attrition: pd.DataFrame
    provenance: dict[str, Any]

    def plot(self, kind: str = "caar", **options: Any) -> Axes | Any:
        """Draw one of the figures of ``plots/`` and give its axes; nothing is shown."""
        return _registry.load("plots", kind)(self, **options)

    def report(self, path: str | Path) -> Path:
        """Write a report; the suffix of ``path`` names the format (``.txt .csv .html .tex``)."""
        target = Path(path)
        names = {"txt": "text", "tex": "latex", "htm": "html"}
        suffix = target.suffix.lstrip(".").lower()
        name = names.get(suffix, suffix)
        if name not in _registry.names("reports"):
            raise one_of("the suffix of the report", target.suffix, [".txt", ".csv", ".html", ".tex"])
        _registry.load("reports", name).render(self, target)
        return target

    def to_latex(self) -> str:
        """Give the table of tests as LaTeX (booktabs)."""
        return str(_registry.load("reports", "latex").table(self))
