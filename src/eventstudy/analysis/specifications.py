"""How far a conclusion depends on the model: one study with several models, event by event and over the sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd

from eventstudy import _registry
from eventstudy.display import formats
from eventstudy.display.measure import Measure
from eventstudy.errors import InputError, one_of
from eventstudy.types import ResultFrames

LEVEL = 0.05
KINDS = ("curve", "events")
COLUMNS = (
    "model", "event_id", "ticker", "session", "start", "end", "car", "bhar", "se", "p", "p_sq", "p_placebo", "status",
    "reason",
)  # fmt: skip
Window = tuple[int, int]


R = TypeVar("R", bound=ResultFrames, covariant=True)


@dataclass(frozen=True, repr=False)
class Specifications(Generic[R]):
    """One study with several models.

    Attributes
    ----------
    models : DataFrame
        Index ``model`` (the labels, in their order); family (``mean``, ``index``, ``factors`` or ``peers``: what the
        normal return is made from), and error: why a model could not be run at all, else empty.
    cars : DataFrame
        model, event_id, ticker, session, start, end, car, bhar (where the study compounds), se, p, p_sq, p_placebo
        (where a model has it), status, reason: a row a model, event that was given, and window, with NaN where there
        is no CAR. ``not_run``: the model failed; ``not_studied``: the event is of specifications that were joined.
    tests : DataFrame
        model, and the columns of ``Result.tests``.
    effects : DataFrame
        model, start, end, n, effect (the mean CAR), se, df, lower, upper. The standard error is that across events,
        inflated for events that share days as in the band of ``Result.daily``; the interval is 95 % of t(n - 1).
    results : mapping from label to Result
        Of the models that ran.
    provenance : mapping
        Of the study that is repeated.

    Notes
    -----
    Many defensible analyses shown side by side are a specification curve: Simonsohn, Simmons & Nelson (2020, Nature
    Human Behaviour 4:1208). The models share events and days, so that their number adds no evidence: nine models that
    agree are one finding that does not depend on the model.
    """

    models: pd.DataFrame
    cars: pd.DataFrame
    tests: pd.DataFrame
    effects: pd.DataFrame
    results: Mapping[str, R]
    provenance: Mapping[str, Any]

    def __repr__(self) -> str:
        made, measure = self.summary(), self.measure
        wide = max(map(len, made.index))
        lines = [
            f"Specifications({formats.plural(len(made), 'model')}; mean {measure.short}"
            f" {formats.window(*self.windows[0])} with 95 % interval, p of {made['test'].iloc[0]})"
        ]
        for label, row in made.iterrows():
            effect, lower, upper = (measure.text(row[name]) for name in ("effect", "lower", "upper"))
            said = f"{effect:>9}  [{lower:>9}, {upper:>9}]  p {formats.p_value(row['p']):<6}  n {row['n']}"
            lines.append(f"  {label:<{wide}}  {said if row['n'] else formats.cut('none: ' + row['lost'], 60)}")
        return "\n".join(lines)

    @property
    def measure(self) -> Measure:
        """What was measured, CAR or BHAR or another."""
        return next(iter(self.results.values())).measure

    @property
    def windows(self) -> list[Window]:
        """The windows, in their order."""
        return list(dict.fromkeys(zip(self.cars["start"].tolist(), self.cars["end"].tolist(), strict=True)))

    @property
    def events(self) -> pd.DataFrame:
        """The events by model in the first window; see :meth:`table`."""
        return self.table()

    def table(self, window: Window | None = None) -> pd.DataFrame:
        """Give every event beside what each model makes of it.

        Parameters
        ----------
        window : (int, int), optional
            A window of the study; the first by default.

        Returns
        -------
        DataFrame
            Index ``event_id``; columns (event, ticker), (event, session), and (model, car), (model, p), (model, status)
            for each model; bhar in the place of car where the study compounds, while p is still that of the sum.
        """
        its = self._of(window)
        parts = {"event": its.drop_duplicates("event_id").set_index("event_id")[["ticker", "session"]]}
        for label in self.models.index:
            mine = its[its["model"] == label].set_index("event_id")[[self.measure.column, "p", "status"]]
            parts[label] = mine.reindex(parts["event"].index)
        made: pd.DataFrame = pd.concat(parts, axis=1, names=["model", None])
        return made

    def summary(self, window: Window | None = None, test: str | None = None) -> pd.DataFrame:
        """Give each model's answer over the sample.

        Parameters
        ----------
        window : (int, int), optional
            A window of the study; the first by default.
        test : str, optional
            The test of ``p``; the study's first by default.

        Returns
        -------
        DataFrame
            Index ``model``: family; n (events with a CAR); effect (their mean); reference, the mean that the first
            model gives the same events, so that models and not samples differ; same_sign, the share of these events to
            whose CAR both give the same sign; lower, upper (95 %) of the effect; test and its p; ``p_`` and the name
            of each test; significant, the share of events whose own p is below 5 %; lost, what became of the other
            events, or why there is none.

        Notes
        -----
        The interval is of the mean. A test may ask something else (of standardised CARs, of ranks), so that an interval
        without 0 and a small p need not go together.
        """
        window = self._window(window)
        its, judged = self._of(window), _at(self.tests[self.tests["group"] == "all"], window)
        means = _at(self.effects, window).set_index("model")
        chosen = self._test(test)
        used = its[(its["status"] == "ok") & its["car"].notna()]
        wide = used.pivot(index="event_id", columns="model", values=self.measure.column).reindex(
            columns=self.models.index
        )
        first = wide.iloc[:, 0]
        rows = {}
        for label, about in self.models.iterrows():
            mine, own = used[used["model"] == label], judged[judged["model"] == label].set_index("test")
            effect, lower, upper = (float(means[name].get(label, np.nan)) for name in ("effect", "lower", "upper"))
            both = wide[label].notna() & first.notna()
            rows[label] = {
                "family": about["family"], "n": len(mine), "effect": effect, "reference": first[both].mean(),
                "same_sign": _share(np.sign(wide[label]) == np.sign(first), both), "lower": lower,
                "upper": upper, "test": chosen, "p": float(own["p"].get(chosen, np.nan)),
                **{f"p_{name}": float(own["p"].get(name, np.nan)) for name in self._tests()},
                "significant": _share(mine["p"] < LEVEL, mine["p"].notna()),
                "lost": about["error"] or _lost(its[its["model"] == label]),
            }  # fmt: skip
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")

    def dependence(self, window: Window | None = None) -> pd.DataFrame:
        """Say of each event how far its own answer depends on the model.

        Parameters
        ----------
        window : (int, int), optional
            A window of the study; the first by default.

        Returns
        -------
        DataFrame
            Index ``event_id``, the events with a CAR in a model; ticker, session, n (models with a CAR), low, high,
            range, n_significant (models with p below 5 %), sign_depends, significance_depends (True where some models
            find it significant and others not). Widest range first.
        """
        its = self._of(window)
        used = its[(its["status"] == "ok") & its["car"].notna()]
        by = used.assign(hit=used["p"] < LEVEL, known=used["p"].notna()).groupby("event_id", sort=False)
        value = self.measure.column
        made = by.agg(
            ticker=("ticker", "first"), session=("session", "first"), n=(value, "size"), low=(value, "min"),
            high=(value, "max"), n_significant=("hit", "sum"), known=("known", "sum"),
        )  # fmt: skip
        made.insert(5, "range", made["high"] - made["low"])
        made["sign_depends"] = (made["low"] < 0) & (made["high"] > 0)
        made["significance_depends"] = (made["n_significant"] > 0) & (made["n_significant"] < made.pop("known"))
        return made.sort_values("range", ascending=False, kind="stable")

    def join(self, other: Specifications[R]) -> Specifications[R]:
        """Put the specifications of another study beside these: other choices, or other events.

        Models that serve a part of the events alone, as American factors do American listings, are run on these and
        joined; an event that is not among them has the status ``not_studied``.

        Parameters
        ----------
        other : Specifications
            Of the same windows, under other labels.

        Raises
        ------
        InputError
            When a label stands in both, the windows differ, or an event is of another ticker.
        """
        twice = [label for label in other.models.index if label in self.models.index]
        if twice:
            raise InputError(f"{twice[0]!r} is in both specifications; give one of them another label")
        if set(self.windows) != set(other.windows):
            raise InputError(f"the windows are {self.windows} and {other.windows}; join those of the same windows")
        names = ["event_id", "ticker", "session"]
        both = pd.concat([self.cars[names], other.cars[names]]).drop_duplicates(["event_id", "ticker"])
        clash = both["event_id"][both["event_id"].duplicated()]
        if len(clash):
            raise InputError(f"event {clash.iloc[0]!r} has different tickers in the two; give it two names")
        grid = both.merge(pd.DataFrame(self.windows, columns=["start", "end"]), how="cross")
        parts = []
        for label, whose in [*((m, self) for m in self.models.index), *((m, other) for m in other.models.index)]:
            mine = whose.cars[whose.cars["model"] == label].drop(columns=["ticker", "session"])
            made = grid.merge(mine, on=["event_id", "start", "end"], how="left").assign(model=label)
            absent = made["status"].isna()
            made.loc[absent, "status"] = "not_studied"
            made.loc[absent, "reason"] = "not among the events of this specification"
            parts.append(made)
        return Specifications(
            pd.concat([self.models, other.models]), in_order(pd.concat(parts)), pd.concat([self.tests, other.tests]),
            pd.concat([self.effects, other.effects]),
            {**self.results, **other.results}, self.provenance,
        )  # fmt: skip

    def plot(self, kind: str = "curve", **options: Any) -> Any:
        """Draw a figure and give its axes; nothing is shown.

        Parameters
        ----------
        kind : {"curve", "events"}
            The specification curve: the mean CARs by size above, and what each is below; or the single events, each
            with the range of its CARs.
        **options
            ``window`` of both: one, or for the curve "all"; ``test`` of the curve; ``most`` (events, or None for all)
            and ``ax`` of the events.

        Returns
        -------
        array of two Axes, or Axes

        Raises
        ------
        InputError
            When the kind, a window or a test is not one of these.
        """
        if kind not in KINDS:
            raise one_of("the kind of the figure", kind, KINDS)
        return _registry.helper("plots", f"_{kind}_of_models").draw(self, **options)

    def _tests(self) -> list[str]:
        return list(dict.fromkeys(self.tests["test"]))

    def _test(self, name: str | None) -> str:
        names = self._tests()
        if name is not None and name not in names:
            raise one_of("test", name, names)
        return name or names[0]

    def _window(self, window: Window | None) -> Window:
        chosen = self.windows[0] if window is None else tuple(window)
        if chosen not in self.windows:
            raise one_of("window", window, self.windows)
        return int(chosen[0]), int(chosen[1])

    def _of(self, window: Window | None) -> pd.DataFrame:
        return _at(self.cars, self._window(window))


def _at(frame: pd.DataFrame, window: Window) -> pd.DataFrame:
    return frame[(frame["start"] == window[0]) & (frame["end"] == window[1])]


def _share(true: pd.Series[bool], known: pd.Series[bool]) -> float:
    return float(true[known].mean()) if known.any() else np.nan


def _lost(its: pd.DataFrame) -> str:
    """Count what became of the events without a CAR; duplicates are counted elsewhere."""
    missing = its["status"].where(its["status"] != "ok", "no CAR").loc[(its["status"] != "ok") | its["car"].isna()]
    return ", ".join(f"{n} {status}" for status, n in missing.value_counts().items())


def in_order(cars: pd.DataFrame) -> pd.DataFrame:
    """Put the columns of the events in their order."""
    return cars[[name for name in COLUMNS if name in cars]].reset_index(drop=True)
