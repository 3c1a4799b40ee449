"""One study with several models: results by event and over the sample, and their dependence on the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventstudy import arguments
from eventstudy.analysis.figures import drawn
from eventstudy.display import formats, names
from eventstudy.display.cards import Grid, Summary
from eventstudy.display.measure import Measure
from eventstudy.display.rows import in_window
from eventstudy.errors import InputError
from eventstudy.types import ResultFrames

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVEL = 0.05
KINDS = ("curve", "events")
COLUMNS = (
    "model", "event_id", "ticker", "session", "start", "end", "car", "bhar", "se", "p", "p_sq", "p_conformal",
    "p_placebo", "sign", "status", "reason",
)  # fmt: skip
Window = tuple[int, int]


R = TypeVar("R", bound=ResultFrames, covariant=True)


@dataclass(frozen=True, repr=False, eq=False)
class Specifications(Generic[R]):
    """One study with several models.

    Attributes
    ----------
    models : DataFrame
        Index ``model`` (the labels, in order); family (``mean``, ``index``, ``factors`` or ``peers``: the regressors of
        the normal return), and error: why a model could not be run, else empty.
    cars : DataFrame
        model, event_id, ticker, session, start, end, car, bhar (if the study compounds), se, p, p_sq, p_conformal,
        p_placebo (if a model has it), sign (of a study with signs: 1, -1, or 0 without one), status, reason: one row
        for each model, event of the input, and window, with NaN if there is no CAR. ``not_run``: the model failed;
        ``not_studied``: the event belongs to the other of two joined objects.
    tests : DataFrame
        model, and the columns of ``Result.tests``.
    effects : DataFrame
        model, start, end, n, effect (the mean CAR), se, df, lower, upper. The standard error is cross-sectional,
        inflated for events that share days as in the band of ``Result.daily``; the interval is 95 % of t(n - 1).
    results : mapping from label to Result
        The results of the models that ran.
    provenance : mapping
        The provenance of the study.

    Notes
    -----
    Many defensible analyses shown side by side are a specification curve: Simonsohn, Simmons & Nelson (2020, Nature
    Human Behaviour 4:1208). The models share events and days, so that their number is no evidence: nine models that
    agree are one finding that does not depend on the model.
    """

    models: pd.DataFrame
    cars: pd.DataFrame
    tests: pd.DataFrame
    effects: pd.DataFrame
    results: Mapping[str, R]
    provenance: Mapping[str, Any]

    def __repr__(self) -> str:
        summary, measure = self.summary(), self.measure
        width = max(map(len, summary.index))
        lines = [
            f"Specifications({formats.plural(len(summary), 'model')}; mean {measure.averaged}"
            f" {formats.window(*self.windows[0])} with 95 % interval, p of {summary['test'].iloc[0]})"
        ]
        for label, row in summary.iterrows():
            effect, lower, upper = (measure.text(row[name]) for name in ("effect", "lower", "upper"))
            answer = (
                f"{effect:>9}  [{lower:>9}, {upper:>9}]  p {formats.marked_p(row['p'], row['valid']):<6}  n {row['n']}"
            )
            lines.append(f"  {label:<{width}}  {answer if row['n'] else formats.cut('none: ' + row['lost'], 60)}")
        return "\n".join(lines).replace(formats.DOES_NOT_HOLD, "!")

    def _repr_html_(self) -> str:
        summary, measure, rows = self.summary(), self.measure, []
        for label, row in summary.iterrows():
            texts = tuple(measure.text(row[name]) for name in ("effect", "lower", "upper"))
            tested = (formats.marked_p(row["p"], row["valid"]), formats.count(row["n"]), formats.plain(row["lost"]))
            rows.append((formats.plain(label), texts[0], formats.stars(row["p"], row["valid"]), *texts[1:], *tested))
        heads = ("Model", f"Mean {measure.averaged}", "", *names.ends(), "p", "N", "Lost")
        table = Grid(heads, rows, (False, True, False, True, True, True, True, False))
        window = formats.window(*self.windows[0])
        title = f"{formats.plural(len(summary), 'model')} of one study: window {window}, p of {summary['test'].iloc[0]}"
        note = formats.prices_note(self)
        return Summary(title + (f", {note}" if note else ""), tables=[table], notes=[formats.STARS]).as_html()

    @property
    def measure(self) -> Measure:
        """The measure of the study: CAR, BHAR or another."""
        return next(iter(self.results.values())).measure

    @property
    def windows(self) -> list[Window]:
        """The windows of the study, in order."""
        return list(dict.fromkeys(zip(self.cars["start"].tolist(), self.cars["end"].tolist(), strict=True)))

    @property
    def events(self) -> pd.DataFrame:
        """The results by event and model in the first window; see :meth:`table`."""
        return self.table()

    def table(self, window: Window | None = None) -> pd.DataFrame:
        """Return the results of all models for each event.

        Parameters
        ----------
        window : (int, int), optional
            A window of the study; the first by default.

        Returns
        -------
        DataFrame
            Index ``event_id``; columns (event, ticker), (event, session), and (model, car), (model, p), (model, status)
            for each model; bhar instead of car if the study compounds, while p is still that of the sum. p is the first
            p-value of single events: ``p_sq`` in windows of up to three days, else ``p_conformal``; ``p`` of ``cars``
            where the model has neither.
        """
        cars = self._cars_of(window)
        parts = {"event": cars.drop_duplicates("event_id").set_index("event_id")[["ticker", "session"]]}
        for label in self.models.index:
            of_model = cars[cars["model"] == label].set_index("event_id")[[self.measure.column, "p", "status"]]
            parts[label] = of_model.reindex(parts["event"].index)
        table: pd.DataFrame = pd.concat(parts, axis=1, names=["model", None])
        return table

    def summary(self, window: Window | None = None, test: str | None = None) -> pd.DataFrame:
        """Return the results of each model over the sample.

        Parameters
        ----------
        window : (int, int), optional
            A window of the study; the first by default.
        test : str, optional
            The test of ``p``; by default the primary test of the window under the first model.

        Returns
        -------
        DataFrame
            Index ``model``: family; n (events with a CAR and, in a study with signs, a sign); effect (the mean of their
            CARs, in the expected direction where there are signs); reference, the same mean of the same events under
            the first model, so that models and not samples differ; same_sign, the share of these events
            whose CAR has the same sign under both models; lower, upper (95 %) of the effect; test, its p, and whether
            it is valid for the sample; ``p_`` and the name of each test; significant, the share of events with p of
            :meth:`table` below 5 %; lost, the number of other events by status, or the error of the model.

        Notes
        -----
        The interval is of the mean. A test may have another null hypothesis (on standardised CARs, on ranks), so that
        an interval without 0 and a small p need not coincide.
        """
        window = self._window(window)
        cars, tests = self._cars_of(window), in_window(self.tests[self.tests["group"] == "all"], window)
        effects = in_window(self.effects, window).set_index("model")
        arguments.choice("test", test, [None, *self._tests()])
        chosen = tests["test"].iloc[0] if test is None else test
        used = cars[(cars["status"] == "ok") & cars["car"].notna()]
        sign = used["sign"].fillna(1.0) if "sign" in used else pd.Series(1.0, used.index)  # a joined study has none
        used = used.assign(value=used[self.measure.column] * sign)[sign != 0]
        by_model = used.pivot(index="event_id", columns="model", values="value").reindex(columns=self.models.index)
        first = by_model.iloc[:, 0]
        rows = {}
        for label, model in self.models.iterrows():
            events, by_test = used[used["model"] == label], tests[tests["model"] == label].set_index("test")
            p, valid = by_test["p"], by_test["valid"]
            effect, lower, upper = (float(effects[name].get(label, np.nan)) for name in ("effect", "lower", "upper"))
            common = by_model[label].notna() & first.notna()
            rows[label] = {
                "family": model["family"], "n": len(events), "effect": effect, "reference": first[common].mean(),
                "same_sign": _share(np.sign(by_model[label]) == np.sign(first), common), "lower": lower,
                "upper": upper, "test": chosen, "p": float(p.get(chosen, np.nan)),
                "valid": bool(valid.get(chosen, False)),
                **{f"p_{name}": float(p.get(name, np.nan)) for name in self._tests()},
                "significant": _share(events["p"] < LEVEL, events["p"].notna()),
                "lost": model["error"] or _count_uncounted(cars[cars["model"] == label]),
            }  # fmt: skip
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")

    def dependence(self, window: Window | None = None) -> pd.DataFrame:
        """Return how far the result of each event depends on the model.

        Parameters
        ----------
        window : (int, int), optional
            A window of the study; the first by default.

        Returns
        -------
        DataFrame
            Index ``event_id``, the events with a CAR under a model; ticker, session, n (models with a CAR), low, high,
            range, n_significant (models with p of :meth:`table` below 5 %), sign_depends, significance_depends (True if
            the event is significant under some models and not under others). Largest range first.
        """
        cars = self._cars_of(window)
        used = cars[(cars["status"] == "ok") & cars["car"].notna()]
        used = used.assign(significant=used["p"] < LEVEL, has_p=used["p"].notna())
        value = self.measure.column
        table = used.groupby("event_id", sort=False).agg(
            ticker=("ticker", "first"), session=("session", "first"), n=(value, "size"), low=(value, "min"),
            high=(value, "max"), n_significant=("significant", "sum"), n_p=("has_p", "sum"),
        )  # fmt: skip
        table.insert(5, "range", table["high"] - table["low"])
        table["sign_depends"] = (table["low"] < 0) & (table["high"] > 0)
        table["significance_depends"] = (table["n_significant"] > 0) & (table["n_significant"] < table.pop("n_p"))
        return table.sort_values("range", ascending=False, kind="stable")

    def join(self, other: Specifications[R]) -> Specifications[R]:
        """Combine the specifications with those of another study, with other choices or other events.

        Models that apply to a part of the events only, such as American factors to American listings, are run on these
        events and joined; the other events have the status ``not_studied``.

        Parameters
        ----------
        other : Specifications
            Specifications of the same windows, with other labels.

        Raises
        ------
        InputError
            If a label is in both, the windows differ, or an event has different tickers.
        """
        arguments.instance("other", other, Specifications, "the specifications of another Result.across")
        shared = [label for label in other.models.index if label in self.models.index]
        if shared:
            raise InputError(f"{shared[0]!r} is in both specifications; give one of them another label")
        if set(self.windows) != set(other.windows):
            raise InputError(f"the windows are {self.windows} and {other.windows}; join those of the same windows")
        names = ["event_id", "ticker", "session"]
        events = pd.concat([self.cars[names], other.cars[names]]).drop_duplicates(["event_id", "ticker"])
        clash = events["event_id"][events["event_id"].duplicated()]
        if len(clash):
            raise InputError(f"event {clash.iloc[0]!r} has different tickers in the two; give it two names")
        grid = events.merge(pd.DataFrame(self.windows, columns=["start", "end"]), how="cross")
        parts = []
        for label, source in [*((m, self) for m in self.models.index), *((m, other) for m in other.models.index)]:
            of_model = source.cars[source.cars["model"] == label].drop(columns=["ticker", "session"])
            cars = grid.merge(of_model, on=["event_id", "start", "end"], how="left").assign(model=label)
            absent = cars["status"].isna()
            cars.loc[absent, "status"] = "not_studied"
            cars.loc[absent, "reason"] = "not among the events of this specification"
            parts.append(cars)
        return Specifications(
            pd.concat([self.models, other.models]), in_order(pd.concat(parts)), pd.concat([self.tests, other.tests]),
            pd.concat([self.effects, other.effects]),
            {**self.results, **other.results}, self.provenance,
        )  # fmt: skip

    def plot(self, kind: str = "curve", **options: Any) -> Axes | NDArray[np.object_]:
        """Draw a figure and return its axes, without showing it.

        Parameters
        ----------
        kind : {"curve", "events"}
            The specification curve: the mean CARs by size, and below them the models; or the single events, each with
            the range of its CARs.
        **options
            ``window`` for both kinds, or "all" for the curve; ``test`` and ``level`` (of its intervals) for the curve;
            ``most`` (number of events, None for all) and ``ax`` for the events.

        Returns
        -------
        array of two Axes, or Axes

        Raises
        ------
        InputError
            If the kind, a window or a test is not valid.
        """
        arguments.choice("the kind of the figure", kind, KINDS)
        axes: Axes | NDArray[np.object_] = drawn(self, f"_{kind}_of_models", f"the figure {kind!r}", options)
        return axes

    def _tests(self) -> list[str]:
        return list(dict.fromkeys(self.tests["test"]))

    def _window(self, window: Window | None) -> Window:
        return arguments.one_window(window, self.windows)

    def _cars_of(self, window: Window | None) -> pd.DataFrame:
        """Return the rows of a window; ``p`` is the first p-value of single events that each model has."""
        window = self._window(window)
        cars = in_window(self.cars, window)
        p = cars["p"].copy()
        for _, of_model in cars.groupby("model"):
            p.loc[of_model.index] = of_model[formats.first_p(of_model, *window)]
        return cars.assign(p=p)


def _share(condition: pd.Series[bool], of: pd.Series[bool]) -> float:
    """Return the share of the rows ``of`` in which the condition is true; NaN without rows."""
    return float(condition[of].mean()) if of.any() else np.nan


def _count_uncounted(cars: pd.DataFrame) -> str:
    """Count the events that are in no mean by status, and those of status ok as "no CAR" or "without a sign"."""
    status, absent = cars["status"], cars["car"].isna()
    unsigned = cars["sign"] == 0 if "sign" in cars else pd.Series(data=False, index=cars.index)
    reason = status.where(status != "ok", unsigned.map({True: "without a sign"})).where(
        (status != "ok") | ~absent, "no CAR"
    )
    missing = reason.loc[(status != "ok") | absent | unsigned]
    return ", ".join(f"{n} {status}" for status, n in missing.value_counts().items())


def in_order(cars: pd.DataFrame) -> pd.DataFrame:
    """Return the CARs with their columns in order."""
    return cars[[name for name in COLUMNS if name in cars]].reset_index(drop=True)
