"""The sums of money over events, and the means beside them, with their errors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from eventstudy.core import totals
from eventstudy.core.nulls import margin, p_t
from eventstudy.types import Bools, Extra, Floats, Ints, Outcome, StudySample, Window

THESE, LIKE = "these events", "events like these"
COMPOUNDED = "no error is known of a compounded return of one event, nor of their sum"
NOISE = "noise of the days before, correlated on shared dates, and forecast error"
CLUSTERS = "CR2 by chains of overlapping windows"
ONE, ALONE = "one event has no spread", "one event has nearly all of the weight, and alone has no spread"
COLUMNS = ["weights", "covers", "n", "estimate", "se", "df", "lower", "upper", "p", "note"]
TOTALS = ["group", "n", "value", "total", "se", "df", "lower", "upper", "p"]


class Counted(NamedTuple):
    """The events of the sums, each (n,): id, row in Placed, CAR, its degrees of freedom, value, firm and cluster."""

    ids: pd.Index
    row: Ints
    car: Floats
    dof: Floats
    value: Floats
    firm: np.ndarray
    cluster: Ints


def weighted(counted: Counted, groups: Mapping[str, Bools], n: int) -> dict[str, Extra]:
    """Return the states of a run by name: sums with equal weights, by value, and by value in each group.

    ``n`` is the number of placed events; those that are not counted have no weight.
    """
    by_name = {"equal": np.ones(len(counted.row)), "value": counted.value}
    by_name |= {f"group {label}": counted.value * mask for label, mask in groups.items()}
    states: dict[str, Extra] = {}
    for name, values in by_name.items():
        weight = np.zeros(n)
        weight[counted.row] = values
        states[name] = partial(totals.chunk, weight=weight)
    return states


class Sums(NamedTuple):
    """The sums of a run over the counted events, with their errors."""

    outcome: Outcome
    sample: StudySample
    counted: Counted
    compound: bool

    def se(self, name: str) -> float:
        """Return the standard error of a weighted sum of CARs, as of these events."""
        if self.compound or name not in self.outcome.extra:
            return np.nan
        variance = totals.variance_of_sum(self.outcome.extra[name], self.sample.sample)
        return float(np.sqrt(variance)) if variance > 0 else np.nan

    def total(self, name: str = "value", rows: Bools | None = None) -> dict[str, float]:
        """Return the sum of the abnormal values of some events, all by default, with its error."""
        rows = np.ones(len(self.counted.ids), dtype=bool) if rows is None else rows
        value, car = self.counted.value[rows], self.counted.car[rows]
        df = float(self.counted.dof[rows].min()) if rows.any() else np.nan
        found = interval(float(value @ car) if rows.any() else np.nan, self.se(name) if rows.any() else np.nan, df)
        return {"total": found.pop("estimate"), **found, "value": float(value.sum()), "n": int(rows.sum())}

    def by_group(self, groups: Mapping[str, Bools]) -> pd.DataFrame:
        """Return the sums of the groups."""
        rows = [{"group": label, **self.total(f"group {label}", mask)} for label, mask in groups.items()]
        return pd.DataFrame(rows, columns=TOTALS)

    def comparison(self, window: Window) -> pd.DataFrame:
        """Return the mean CAR, the mean by value and the sum, each as of these events and of events like these."""
        rows = [*self._of_these(), *self._of_events_like_these(window)] if len(self.counted.ids) else []
        return pd.DataFrame(rows, columns=COLUMNS)

    def _of_these(self) -> list[dict[str, object]]:
        car, value, n = self.counted.car, self.counted.value, len(self.counted.ids)
        df, note = float(self.counted.dof.min()), COMPOUNDED if self.compound else NOISE
        of_equal, of_value = self.se("equal"), self.se("value")
        whole, lost = float(value.sum()), float(car @ value)
        found = {
            "equal": (float(car.mean()), of_equal / n), "value": (lost / whole, of_value / whole),
            "money": (lost, of_value),
        }  # fmt: skip
        return [
            {"weights": name, "covers": THESE, "n": n, **interval(*pair, df), "note": note}
            for name, pair in found.items()
        ]

    def _of_events_like_these(self, window: Window) -> list[dict[str, object]]:
        car, value, n = self.counted.car, self.counted.value, len(self.counted.ids)
        r, rows = float(self.outcome.shared["overlap"]["windows"][0, 0]), []
        equal = np.ones(n)
        for name, values, weight, scale in (
            ("equal", car, equal, 1.0), ("value", car, value, 1.0), ("money", car * value, equal, float(n))
        ):  # fmt: skip
            mean = totals.mean_of_events(values, weight, self.counted.cluster, self.sample.sample, window, r)
            note = f"too few clusters: spread of the events, with their mean correlation {r:.3f} of the days before"
            note = CLUSTERS if mean.by_clusters else note if np.isfinite(mean.df) else ALONE if n > 1 else ONE
            found = interval(scale * mean.mean, scale * mean.se, mean.df)
            rows.append({"weights": name, "covers": LIKE, "n": n, **found, "note": note})
        return rows


def interval(estimate: float, se: float, df: float) -> dict[str, float]:
    """Return an estimate with its standard error, 95 % interval and p, by t(df)."""
    half = float(margin(np.array(se), np.array(df)))
    p = float(p_t(np.array(estimate / se if se > 0 else np.nan), np.array(df)))
    return {"estimate": estimate, "se": se, "df": df, "lower": estimate - half, "upper": estimate + half, "p": p}
